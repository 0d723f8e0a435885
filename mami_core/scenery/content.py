"""What a unit's masks truly contain: parts, colours and textures against how common they are, places, positions, edges.

The truth metrics and the simulated annotators both start here, so it is saved beside the dissection.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from mami_core.scenery.parts import COLOURS, LIGHTS, PARTS, PLACES, TEXTURES

PART_FLOOR, LOOK_FLOOR = 0.004, 0.01  # added to both shares: a rare part's enrichment must not explode
MIN_PART, MIN_COLOUR, MIN_TEXTURE = 0.06, 0.12, 0.18  # bits of enrichment below which a share is not worth a word
MOST_PARTS, MOST_COLOURS, MOST_TEXTURES, MOST_CONTACTS = 8, 4, 3, 4
DIGITS = 5
_JOINT = (len(PARTS), len(COLOURS), len(TEXTURES))


class PaintedScene(Protocol):
    """What content reads of a painted scene (`world.Scene`)."""

    @property
    def instances(self) -> np.ndarray: ...  # (H, W) uint8, index into objects
    @property
    def objects(self) -> np.ndarray: ...  # (n, 3) uint8: part, colour, texture
    @property
    def place(self) -> int: ...
    @property
    def light(self) -> str: ...


@dataclass(frozen=True, slots=True, eq=False)
class LabelMaps:
    """The labels of N images, pixel by pixel."""

    parts: np.ndarray  # (N, H, W) uint8
    colours: np.ndarray  # (N, H, W) uint8
    textures: np.ndarray  # (N, H, W) uint8
    borders: np.ndarray  # (N, H, W) bool, pixels whose left or upper neighbour belongs to another object
    places: np.ndarray  # (N,) index into PLACES
    lights: np.ndarray  # (N,) index into LIGHTS

    def __len__(self) -> int:
        return len(self.parts)

    def take(self, images: Sequence[int] | np.ndarray) -> LabelMaps:
        """Return the maps of some images, in the order asked for."""
        chosen = np.asarray(images, dtype=np.intp)
        return LabelMaps(
            self.parts[chosen],
            self.colours[chosen],
            self.textures[chosen],
            self.borders[chosen],
            self.places[chosen],
            self.lights[chosen],
        )

    @classmethod
    def from_scenes(cls, scenes: Sequence[PaintedScene]) -> LabelMaps:
        """Read the maps off painted scenes of one size."""
        if not scenes:
            raise ValueError("No scenes to read labels from; paint at least one.")
        labels = np.stack([scene.objects[scene.instances] for scene in scenes])  # (N, H, W, 3)
        return cls(
            parts=labels[..., 0],
            colours=labels[..., 1],
            textures=labels[..., 2],
            borders=object_borders(np.stack([scene.instances for scene in scenes])),
            places=np.array([scene.place for scene in scenes], dtype=np.uint8),
            lights=np.array([LIGHTS.index(scene.light) for scene in scenes], dtype=np.uint8),
        )


def object_borders(instances: np.ndarray) -> np.ndarray:
    """Return where (N, H, W) instance maps change against the pixel to the left or above, bool (N, H, W)."""
    borders = np.zeros(instances.shape, dtype=bool)
    borders[:, :, 1:] |= instances[:, :, 1:] != instances[:, :, :-1]
    borders[:, 1:] |= instances[:, 1:] != instances[:, :-1]
    return borders


@dataclass(frozen=True, slots=True, eq=False)
class BaseRates:
    """How common each label is over all probe images: what a unit's share is compared with."""

    parts: np.ndarray  # (len(PARTS),) sums to 1
    colours: np.ndarray  # (len(COLOURS),)
    textures: np.ndarray  # (len(TEXTURES),)
    border: float  # share of pixels on an object's border

    @classmethod
    def of(cls, maps: LabelMaps) -> BaseRates:
        """Count over all pixels of the probe images."""

        def share(labels: np.ndarray, kinds: int) -> np.ndarray:
            return np.bincount(labels.ravel(), minlength=kinds) / labels.size

        return cls(
            share(maps.parts, len(PARTS)),
            share(maps.colours, len(COLOURS)),
            share(maps.textures, len(TEXTURES)),
            float(maps.borders.mean()),
        )


class Share(NamedTuple):
    """One label under the masks: its share of the mask, and its enrichment in bits, share × log2(share / base)."""

    name: str
    share: float
    score: float


class Contact(NamedTuple):
    """Two parts that touch under the masks, `upper` above `lower`, and their share of all such contacts."""

    upper: str
    lower: str
    share: float


@dataclass(frozen=True, slots=True)
class UnitContent:
    """The true content of one unit's masks. Shares average over exemplars, each exemplar counting the same."""

    parts: tuple[Share, ...]  # most enriched first, never empty
    colours: tuple[Share, ...]
    textures: tuple[Share, ...]  # without "plain"
    part_colours: Mapping[str, tuple[tuple[str, float], ...]]  # per part: its two main colours, fraction of the part
    part_textures: Mapping[str, tuple[tuple[str, float], ...]]
    grid: tuple[float, ...]  # 9 cells of the image, thirds by thirds, row by row; sums to 1
    places: tuple[tuple[str, float], ...]  # fraction of the exemplars, most frequent first
    lights: tuple[tuple[str, float], ...]
    contacts: tuple[Contact, ...]
    edge: float  # share of mask pixels on object borders over that of all pixels; 1 = chance
    area: float  # share of the image that the masks cover

    @property
    def purity(self) -> float:
        """Return the share of the top part."""
        return self.parts[0].share

    @property
    def positions(self) -> tuple[str, ...]:
        """Return where in the image the masks concentrate: at least 1.8 × chance in a third."""
        cells = np.reshape(self.grid, (3, 3))
        rows, columns = cells.sum(axis=1), cells.sum(axis=0)
        named = {"top": rows[0] > 0.6, "bottom": rows[2] > 0.6, "left": columns[0] > 0.6, "right": columns[2] > 0.6}
        named["middle"] = cells[1, 1] > 0.32
        return tuple(name for name, concentrated in named.items() if concentrated)

    @property
    def signature(self) -> int:
        """Return a number that tells units apart by which labels they hold, not by their last decimals."""
        names = [share.name for share in (*self.parts, *self.colours, *self.textures)]
        return zlib.crc32("|".join([*names, *(place for place, _ in self.places)]).encode())

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, strings and floats, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> UnitContent:
        """Read what `to_dict` gave, before or after a passage through JSON."""

        def pairs(entries: Sequence[Sequence[Any]]) -> tuple[tuple[str, float], ...]:
            return tuple((name, value) for name, value in entries)

        return cls(
            parts=tuple(Share(*entry) for entry in saved["parts"]),
            colours=tuple(Share(*entry) for entry in saved["colours"]),
            textures=tuple(Share(*entry) for entry in saved["textures"]),
            part_colours={part: pairs(entries) for part, entries in saved["part_colours"].items()},
            part_textures={part: pairs(entries) for part, entries in saved["part_textures"].items()},
            grid=tuple(saved["grid"]),
            places=pairs(saved["places"]),
            lights=pairs(saved["lights"]),
            contacts=tuple(Contact(*entry) for entry in saved["contacts"]),
            edge=saved["edge"],
            area=saved["area"],
        )


def describe_content(maps: LabelMaps, masks: np.ndarray, rates: BaseRates) -> UnitContent:
    """Return what a unit's masks (k, H, W) bool hold, `maps` being the labels of its k exemplars in the same order.

    Exemplars with an empty mask do not count. ValueError where all masks are empty or shapes disagree.
    """
    if masks.shape != maps.parts.shape:
        raise ValueError(f"Masks are {masks.shape} but the exemplars' labels {maps.parts.shape}; resize the masks.")
    masks = masks.astype(bool, copy=False)
    sizes = masks.sum(axis=(1, 2))  # (k,)
    if not sizes.any():
        raise ValueError("Every mask of this unit is empty: a dead unit has no content; leave it out.")
    image, y, x = np.nonzero(masks)
    weight = 1.0 / (sizes[image] * np.count_nonzero(sizes))  # each exemplar weighs the same; sums to 1
    joint = _joint_shares(maps.parts[masks], maps.colours[masks], maps.textures[masks], weight)
    parts, colours, textures = joint.sum(axis=(1, 2)), joint.sum(axis=(0, 2)), joint.sum(axis=(0, 1))
    ranked = _ranked(PARTS, parts, rates.parts, PART_FLOOR, MIN_PART)[:MOST_PARTS]
    ranked = ranked or _ranked(PARTS, parts, rates.parts, PART_FLOOR, -np.inf)[:1]  # nothing stands out: the best
    looks = _ranked(TEXTURES, textures, rates.textures, LOOK_FLOOR, MIN_TEXTURE)
    height, width = masks.shape[1:]
    cells = np.bincount(y * 3 // height * 3 + x * 3 // width, weights=weight, minlength=9)
    used = sizes > 0
    return UnitContent(
        parts=ranked,
        colours=_ranked(COLOURS, colours, rates.colours, LOOK_FLOOR, MIN_COLOUR)[:MOST_COLOURS],
        textures=tuple(share for share in looks if share.name != "plain")[:MOST_TEXTURES],
        part_colours=_looks_of_parts(ranked, joint.sum(axis=2), COLOURS),
        part_textures=_looks_of_parts(ranked, joint.sum(axis=1), TEXTURES),
        grid=tuple(round(float(cell), DIGITS) for cell in cells),
        places=_frequencies(PLACES, maps.places[used]),
        lights=_frequencies(LIGHTS, maps.lights[used]),
        contacts=_contacts(maps.parts, masks),
        edge=round(float((maps.borders[masks] * weight).sum() / max(rates.border, 1e-9)), DIGITS),
        area=round(float(masks.mean()), DIGITS),
    )


def _joint_shares(parts: np.ndarray, colours: np.ndarray, textures: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weighted share of each (part, colour, texture), one pass over the mask's pixels."""
    code = (parts.astype(np.intp) * _JOINT[1] + colours) * _JOINT[2] + textures  # (pixels,)
    return np.bincount(code, weights=weight, minlength=int(np.prod(_JOINT))).reshape(_JOINT)


def _ranked(
    names: Sequence[str], shares: np.ndarray, base: np.ndarray, floor: float, minimum: float
) -> tuple[Share, ...]:
    """Return the labels by enrichment, share × log2((share + floor) / (base + floor)), best first."""
    scores = shares * np.log2((shares + floor) / (base + floor))
    order = np.argsort(-scores, kind="stable")
    kept = [index for index in order if scores[index] > minimum]
    return tuple(Share(names[i], round(float(shares[i]), DIGITS), round(float(scores[i]), DIGITS)) for i in kept)


def _looks_of_parts(
    ranked: Sequence[Share], shares: np.ndarray, names: Sequence[str]
) -> dict[str, tuple[tuple[str, float], ...]]:
    """Return each part's two main colours (or textures) as fractions of the part; `shares` is (parts, looks)."""
    found = {}
    for part in ranked:
        row = shares[PARTS.index(part.name)]
        main = np.argsort(-row, kind="stable")[:2]
        total = max(float(row.sum()), 1e-9)
        found[part.name] = tuple((names[i], round(float(row[i]) / total, DIGITS)) for i in main if row[i] > 0)
    return found


def _frequencies(names: Sequence[str], indices: np.ndarray) -> tuple[tuple[str, float], ...]:
    """Return how often each name occurs, most frequent first."""
    counts = np.bincount(indices, minlength=len(names))
    order = np.argsort(-counts, kind="stable")
    return tuple((names[i], round(float(counts[i] / len(indices)), DIGITS)) for i in order if counts[i])


def _contacts(parts: np.ndarray, masks: np.ndarray) -> tuple[Contact, ...]:
    """Return which part lies above which, where the mask holds the pixels on both sides."""
    both = masks[:, :-1] & masks[:, 1:] & (parts[:, :-1] != parts[:, 1:])
    pairs = parts[:, :-1][both].astype(np.intp) * len(PARTS) + parts[:, 1:][both]
    if not len(pairs):
        return ()
    counts = np.bincount(pairs, minlength=len(PARTS) ** 2)
    order = np.argsort(-counts, kind="stable")[:MOST_CONTACTS]
    return tuple(
        Contact(PARTS[i // len(PARTS)], PARTS[i % len(PARTS)], round(float(counts[i] / len(pairs)), DIGITS))
        for i in order
        if counts[i]
    )
