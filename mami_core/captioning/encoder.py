"""What a captioner looks at: the regions of a unit's exemplars, each a masked mean beside its contrast with the image.

An exemplar is cut into a grid of cells. A cell's region is the mean of the backbone's features over the cell's masked
pixels, and what that mean has over the whole image's. Images are encoded once, whatever number of units share them;
only cells that a mask touches are ever computed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from mami_core.scenery.networks import SIZE, STRIDE, PartsEncoder, to_input
from mami_core.store import Dissection, UnitKey
from mami_core.store.atomic import replacing, sha256_of

GRID: Final = 7  # cells of an exemplar, each way
MAP: Final = SIZE // STRIDE  # 28: the backbone's map
INNER: Final = MAP // GRID  # 4: places of that map in a cell, each way
_FLOOR: Final = 0.005  # added to a share before its logarithm
_CLIP: Final = 5.0  # standard deviations
CONFIG, WEIGHTS = "encoder.json", "weights.safetensors"


@dataclass(frozen=True, eq=False)
class EncodedImages:
    """What the backbone makes of n images: computed once, shared by all units."""

    cells: Tensor  # (n, 49, 16, C) float16: features, cell by cell
    whole: Tensor  # (n, S) float32: summary of the whole image, see `RegionEncoder.summary`

    def __len__(self) -> int:
        return len(self.cells)


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions of u units with k exemplars: only cells that a mask touches, unit by unit."""

    unit: Tensor  # (R,) int64, ascending
    cell: Tensor  # (R,) int64 in 0 … k*49 - 1: exemplar-major, then row by row
    features: Tensor  # (R, D) float16
    weight: Tensor  # (R,) float32: share of the unit's mask, each exemplar counting the same


@dataclass(frozen=True, eq=False)
class RegionEncoder:
    """The parts encoder with the mean and spread of its region features; frozen, in eval mode.

    `mean` and `scale` are those of cells of training images: regions come out standardised, clipped at 5.
    """

    backbone: PartsEncoder
    mean: Tensor  # (D,)
    scale: Tensor  # (D,)
    name: str = "parts@scenery"
    provenance: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""

    @property
    def feature_size(self) -> int:
        """D: channels of a region: summary, its contrast with the image's, and where in the image it lies."""
        return 2 * self._summary_size + 2

    @property
    def _summary_size(self) -> int:
        return self.backbone.features + sum(self.backbone.groups)

    def summary(self, features: Tensor, weight: Tensor) -> Tensor:
        """Return mean features and the logarithms of the mean part, colour and texture shares, (…, S).

        features (…, P, C) over P places, weight (…, P) sums to 1.
        """
        logits = F.linear(features, self.backbone.head.weight.flatten(1), self.backbone.head.bias)  # (…, P, S - C)
        shares = torch.cat([group.softmax(-1) for group in logits.split(self.backbone.groups, -1)], -1)
        pooled = torch.einsum("...p,...pc->...c", weight, torch.cat([features, shares], -1))  # (…, S)
        means, shares = pooled.split([self.backbone.features, shares.shape[-1]], -1)
        return torch.cat([means, (shares + _FLOOR).log()], -1)

    @torch.inference_mode()
    def encode(self, images: np.ndarray | Tensor, *, batch_size: int = 64) -> EncodedImages:
        """Encode uint8 images (n, 3, H, W), of any size, once; they are brought to 112 x 112."""
        pixels = torch.as_tensor(images)
        encoded = [self._encode_batch(batch) for batch in pixels.split(batch_size)]
        return EncodedImages(torch.cat([part.cells for part in encoded]), torch.cat([part.whole for part in encoded]))

    def _encode_batch(self, images: Tensor, dtype: torch.dtype = torch.float16) -> EncodedImages:
        pixels = to_input(images).to(self.backbone.head.weight.device)
        if pixels.shape[-2:] != (SIZE, SIZE):
            pixels = F.interpolate(pixels, (SIZE, SIZE), mode="bilinear", antialias=True)
        features = self.backbone.trunk(pixels.contiguous(memory_format=torch.channels_last))  # (n, C, 28, 28)
        cells = features.unflatten(2, (GRID, INNER)).unflatten(4, (GRID, INNER))  # (n, C, 7, 4, 7, 4)
        cells = cells.permute(0, 2, 4, 3, 5, 1).reshape(len(images), GRID * GRID, INNER * INNER, -1).to(dtype)
        flat = cells.flatten(1, 2).float()  # (n, 784, C)
        even = flat.new_full(flat.shape[:2], 1 / flat.shape[1])  # (n, 784)
        return EncodedImages(cells, self.summary(flat, even))

    @torch.inference_mode()
    def regions(self, encoded: EncodedImages, rows: Tensor, maps: np.ndarray | Tensor, thresholds: Tensor) -> Regions:
        """Return the regions of u units.

        rows (u, k): which encoded image each exemplar is; maps (u, k, h, w): their activations; thresholds (u,).
        A unit whose masks are all empty gets every cell, unmasked and with equal weight; an exemplar with an empty
        mask (or a map of NaN: it is missing) beside others gives no region. ValueError for a threshold that is NaN.
        """
        return self._regions(encoded, rows, torch.as_tensor(maps), thresholds)

    def live_dense(
        self, images: np.ndarray | Tensor, rows: Tensor, maps: np.ndarray | Tensor, thresholds: Tensor
    ) -> Tensor:
        """Return whole grids (u, k*49, D) float32 with their gradient in the backbone; as `regions`, of raw images."""
        encoded = self._encode_batch(torch.as_tensor(images), torch.float32)
        found = self._regions(encoded, rows, torch.as_tensor(maps), thresholds)
        cells = rows.shape[1] * GRID * GRID
        dense = found.features.new_zeros(len(rows) * cells, self.feature_size)
        return dense.index_copy(0, (found.unit * cells + found.cell).to(dense.device), found.features).unflatten(
            0, (len(rows), cells)
        )

    def _regions(self, encoded: EncodedImages, rows: Tensor, maps: Tensor, thresholds: Tensor) -> Regions:
        cover = cell_cover(maps, thresholds)  # (u, k, 49, 16)
        weight = cell_weight(cover)  # (u, k, 49)
        unit, exemplar, cell = weight.nonzero(as_tuple=True)  # each (R,)
        inside = cover[unit, exemplar, cell]  # (R, 16)
        inside = inside / inside.sum(1, keepdim=True)
        image = rows[unit, exemplar]
        features = [
            self._describe(encoded, *part)
            for part in zip(image.split(4096), cell.split(4096), inside.split(4096), strict=True)
        ]
        empty = encoded.cells.new_zeros(0, self.feature_size)
        return Regions(
            unit=unit,
            cell=exemplar * (GRID * GRID) + cell,
            features=torch.cat([*features, empty]),
            weight=weight[unit, exemplar, cell],
        )

    def _describe(self, encoded: EncodedImages, image: Tensor, cell: Tensor, inside: Tensor) -> Tensor:
        """Return the standardised features (R, D) of cells (R,) of images (R,), masked by inside (R, 16)."""
        where = encoded.whole.device
        summary = self.summary(encoded.cells[image, cell].float(), inside.to(where))  # (R, S)
        contrast = summary - encoded.whole[image]  # (R, S)
        raw = torch.cat([summary, contrast, cell_places(cell, inside).to(where)], -1)  # (R, D)
        standard = (raw - self.mean.to(where)) / self.scale.to(where)
        return standard.clamp(-_CLIP, _CLIP).to(encoded.cells.dtype)

    def dense(self, images: np.ndarray | Tensor, maps: np.ndarray | Tensor, threshold: float) -> tuple[Tensor, Tensor]:
        """Return one unit's whole grid: features (k*49, D) float16, zero where no mask is, and weight (k*49,)."""
        count = len(images)
        maps = torch.as_tensor(maps)
        found = self.regions(self.encode(images), torch.arange(count)[None], maps[None], torch.tensor([threshold]))
        features = torch.zeros(count * GRID * GRID, self.feature_size, dtype=torch.float16)
        weight = torch.zeros(count * GRID * GRID)
        features[found.cell], weight[found.cell] = found.features, found.weight
        return features, weight


def cell_cover(maps: Tensor, thresholds: Tensor) -> Tensor:
    """Return how much of each place of each cell the masks cover: (u, k, 49, 16) in [0, 1].

    Maps (u, k, h, w) are brought to 112 x 112 (half-pixel bilinear) and compared with the thresholds (u,), as masks
    are drawn everywhere. A unit that nothing of is covered counts as covered everywhere.
    """
    if torch.isnan(thresholds).any():
        raise ValueError("a unit's threshold is not a number; leave units out that are not alive")
    units, exemplars = maps.shape[:2]
    full = F.interpolate(maps.float(), (SIZE, SIZE), mode="bilinear")  # (u, k, 112, 112)
    masks = (full > thresholds[:, None, None, None]).float()  # NaN compares as False
    cover = F.avg_pool2d(masks, STRIDE)  # (u, k, 28, 28)
    cover = cover.view(units, exemplars, GRID, INNER, GRID, INNER).transpose(3, 4)  # (u, k, 7, 7, 4, 4)
    cover = cover.reshape(units, exemplars, GRID * GRID, INNER * INNER)
    nothing = cover.sum((1, 2, 3)) == 0  # (u,)
    return torch.where(nothing[:, None, None, None], torch.ones_like(cover), cover)


def grid_cover(dissection: Dissection, key: UnitKey, grid: tuple[int, int]) -> np.ndarray:
    """Return how much of each region of a grid (h, w) over a unit's exemplars its mask covers: (k, h, w) in [0, 1]."""
    maps = torch.from_numpy(np.array(dissection.maps(key[0])[dissection.row(*key)], dtype=np.float32))[None]
    cover = cell_cover(maps, torch.tensor([dissection.statistics(*key).threshold]))[0]  # (k, 49, 16)
    map_ = cover.view(-1, GRID, GRID, INNER, INNER).transpose(2, 3).reshape(-1, 1, MAP, MAP)
    return F.adaptive_avg_pool2d(map_, grid)[:, 0].numpy()


def cell_weight(cover: Tensor) -> Tensor:
    """Return the weight of each cell (u, k, 49) for cover (u, k, 49, 16); a unit's weights sum to 1.

    Exemplars with a mask count the same, however large it is, as they do in the truth and to an annotator's eye.
    """
    area = cover.sum(3)  # (u, k, 49)
    whole = area.sum(2, keepdim=True)  # (u, k, 1)
    share = torch.where(whole > 0, area / whole.clamp_min(1e-9), 0.0)
    return share / (whole > 0).sum(1, keepdim=True)


def cell_places(cell: Tensor, inside: Tensor) -> Tensor:
    """Return where in the image the masked part of cells (R,) lies: (R, 2), y and x in [-1, 1]."""
    place = torch.arange(INNER * INNER)
    down = inside @ (place // INNER).float()  # (R,)
    right = inside @ (place % INNER).float()
    y = (cell // GRID * INNER + down + 0.5) / MAP
    x = (cell % GRID * INNER + right + 0.5) / MAP
    return torch.stack([y, x], -1) * 2 - 1


def fit_encoder(
    backbone: PartsEncoder, images: np.ndarray, *, name: str = "parts@scenery", **provenance: Any
) -> RegionEncoder:
    """Return the region encoder of a trained backbone, standardised over all cells of uint8 images (n, 3, H, W)."""
    size = 2 * (backbone.features + sum(backbone.groups)) + 2
    raw = RegionEncoder(backbone.eval(), torch.zeros(size), torch.ones(size))
    encoded = raw.encode(images)
    image = torch.arange(len(encoded)).repeat_interleave(GRID * GRID)
    cell = torch.arange(GRID * GRID).repeat(len(encoded))
    even = torch.full((1, INNER * INNER), 1 / (INNER * INNER))
    with torch.inference_mode():
        parts = zip(image.split(4096), cell.split(4096), strict=True)
        summary = torch.cat([raw.summary(encoded.cells[i, c].float(), even.expand(len(i), -1)) for i, c in parts])
        features = torch.cat(
            [summary, summary - encoded.whole[image], cell_places(cell, even.expand(len(cell), -1))], -1
        )
    return RegionEncoder(
        backbone, features.mean(0).clone(), (features.std(0) + 1e-3).clone(), name=name, provenance=provenance
    )


def save_encoder(encoder: RegionEncoder, folder: Path) -> RegionEncoder:
    """Write an encoder as `encoder.json` and `weights.safetensors` (float16); return it as it reads back."""
    tensors = {f"backbone.{key}": value for key, value in encoder.backbone.state_dict().items()}
    tensors |= {"mean": encoder.mean, "scale": encoder.scale}
    stored = {
        key: (value.half() if value.is_floating_point() and key.startswith("backbone.") else value).contiguous()
        for key, value in tensors.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS) as partial:
        save_file(stored, partial)
    body = {"kind": "parts", "name": encoder.name, "grid": GRID, "provenance": dict(encoder.provenance)}
    with replacing(folder / CONFIG) as partial:
        partial.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    return load_encoder(folder)


def load_encoder(folder: Path) -> RegionEncoder:
    """Read an encoder's folder. FileNotFoundError or ValueError says what is missing or does not fit."""
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} is not an encoder: it has no {name}")
    try:
        body = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        kind, grid = body["kind"], body["grid"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{folder / CONFIG} is damaged, or not an encoder's configuration") from None
    if kind != "parts" or grid != GRID:
        raise ValueError(
            f"{folder / CONFIG} is an encoder of kind {kind!r}, grid {grid}; this version reads 'parts', 7"
        )
    tensors = load_file(folder / WEIGHTS)
    backbone = PartsEncoder()
    expected = backbone.state_dict()
    found = {key.removeprefix("backbone."): value for key, value in tensors.items() if key.startswith("backbone.")}
    wrong = sorted(set(expected) ^ set(found)) + [
        k for k in expected if k in found and expected[k].shape != found[k].shape
    ]
    if wrong or not {"mean", "scale"} <= set(tensors):
        raise ValueError(f"{folder / WEIGHTS} does not fit a parts encoder: {', '.join(wrong[:5]) or 'no mean, scale'}")
    backbone.load_state_dict({key: value.to(expected[key].dtype) for key, value in found.items()})
    digest = hashlib.sha256((sha256_of(folder / WEIGHTS) + sha256_of(folder / CONFIG)).encode()).hexdigest()
    return RegionEncoder(
        backbone.eval(), tensors["mean"], tensors["scale"], body["name"], dict(body["provenance"]), digest
    )
