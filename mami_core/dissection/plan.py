"""Everything a dissection fixes before the first image: blocks, sample sizes, whose maps are kept for all units.

Two runs with the same plan give the same bits, however the blocks are shared out among workers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mami_core.config import DissectConfig, parse_units, settings_sha256
from mami_core.dissection.maps import kept_size
from mami_core.dissection.sampling import positions_per_image, reservoir_ids
from mami_core.dissection.tail import tail_size
from mami_core.dissection.units import Layout

SMALL_MAP = 14  # maps of the spectrum (random, bottom, bands) are at most this many cells wide and high
_MOST_BLOCKS = 128  # each block keeps its own sums
_MOST_BATCHES = 8  # what a kill may cost, where there are few images
_PEAK_BYTES = 2 * 2**30  # of all peak files together; beyond it, a sample of the images


@dataclass(frozen=True)
class LayerPlan:
    """What is kept of one layer."""

    name: str
    layout: Layout
    units: tuple[int, ...]  # real channel numbers
    positions: int  # sampled per image
    tail: int  # largest sampled values kept per unit
    map_size: tuple[int, int]  # of the top exemplars
    small_size: tuple[int, int]  # of the spectrum's

    @property
    def cells(self) -> int:
        """Return how many positions a map has."""
        return self.layout.height * self.layout.width


@dataclass(frozen=True)
class Plan:
    """What a whole dissection keeps, and how its images are cut into blocks of consecutive ids."""

    images: int
    batch_size: int
    block_size: int  # images; a multiple of the batch size
    k: int
    quantile: float
    seed: int
    thumbnail: int
    parity: bool
    spectrum: int  # exemplars in the random and the bottom set; 0: neither, nor bands
    bands: int
    reservoir: tuple[int, ...]  # ids, in the order in which they were drawn
    peaks: tuple[int, ...] | None  # ids of the images whose peaks are kept; None: all
    layers: tuple[LayerPlan, ...]

    @property
    def blocks(self) -> int:
        """Return the number of blocks."""
        return math.ceil(self.images / self.block_size)

    @property
    def band_size(self) -> int:
        """Return how many exemplars each band has."""
        return math.ceil(self.spectrum / 2)

    @property
    def peak_rows(self) -> int:
        """Return how many images' peaks are kept."""
        return self.images if self.peaks is None else len(self.peaks)

    def rows_of(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (which of `ids` have their peaks kept, bool; the rows of those in the peak files)."""
        if self.peaks is None:
            return np.ones(len(ids), dtype=bool), ids
        kept = np.asarray(self.peaks)
        rows = np.minimum(np.searchsorted(kept, ids), len(kept) - 1)
        known = kept[rows] == ids
        return known, rows[known]

    def block_batches(self, block: int) -> list[range]:
        """Return the ids of a block, batch by batch: always the same images together, as sums depend on it."""
        first, last = block * self.block_size, min((block + 1) * self.block_size, self.images)
        return [range(start, min(start + self.batch_size, last)) for start in range(first, last, self.batch_size)]

    def fingerprint(self) -> str:
        """Return a SHA-256 of the plan."""
        return settings_sha256(asdict(self))


def make_plan(config: DissectConfig, images: int, layouts: Mapping[str, Layout], layers: Sequence[str]) -> Plan:
    """Fix everything that the settings leave to the number of images and the layers' sizes.

    ValueError where `--units` names none of a layer's units.
    """
    batches = math.ceil(images / config.batch_size)
    per_block = max(math.ceil(batches / _MOST_BLOCKS), min(_MOST_BATCHES, max(1, batches // 16)))
    spectrum = 0 if config.milan_parity else config.spectrum
    units = {name: _units_of(config, name, layouts[name]) for name in layers}
    rows = _peak_rows(images, sum(len(chosen) for chosen in units.values()), config.seed)
    drawn = _reservoir(images if rows is None else rows, config, spectrum)
    return Plan(
        images=images,
        batch_size=config.batch_size,
        block_size=per_block * config.batch_size,
        k=config.k,
        quantile=config.quantile,
        seed=config.seed,
        thumbnail=config.thumbnail,
        parity=config.milan_parity,
        spectrum=spectrum,
        bands=config.bands,
        reservoir=drawn,
        peaks=rows,
        layers=tuple(_layer_plan(config, images, name, layouts[name], units[name]) for name in layers),
    )


def _units_of(config: DissectConfig, name: str, layout: Layout) -> tuple[int, ...]:
    wanted = parse_units(config.units)
    units = tuple(unit for unit in range(layout.units) if wanted is None or unit in wanted)
    if not units:
        raise ValueError(f"layer {name!r} has units 0-{layout.units - 1}; --units {config.units} names none of them")
    return units


def _layer_plan(config: DissectConfig, images: int, name: str, layout: Layout, units: tuple[int, ...]) -> LayerPlan:
    cells = layout.height * layout.width
    every = config.milan_parity or config.exact_statistics
    asked = cells if every else config.sample_positions
    positions = positions_per_image(images, config.quantile, cells, asked)
    limit = max(layout.height, layout.width) if config.milan_parity else config.map_size
    return LayerPlan(
        name=name,
        layout=layout,
        units=units,
        positions=positions,
        tail=tail_size(images * positions, config.quantile),
        map_size=kept_size(layout.height, layout.width, limit),
        small_size=kept_size(layout.height, layout.width, min(SMALL_MAP, limit)),
    )


def _peak_rows(images: int, units: int, seed: int) -> tuple[int, ...] | None:
    room = _PEAK_BYTES // (2 * units)
    if images <= room:
        return None
    drawn = np.random.default_rng([seed, 0x9EA4]).permutation(images)[:room]
    return tuple(int(number) for number in np.sort(drawn))


def _reservoir(images: int | tuple[int, ...], config: DissectConfig, spectrum: int) -> tuple[int, ...]:
    """Draw the images whose maps are kept for every unit: enough that each band finds its exemplars among them."""
    size = max(spectrum, 8 * config.bands * spectrum // 10)
    if isinstance(images, int):
        return reservoir_ids(images, size, config.seed)
    return tuple(images[place] for place in reservoir_ids(len(images), size, config.seed))


def plan_facts(plan: Plan) -> dict[str, Any]:
    """Return what a dissection's manifest says of its plan."""
    return {
        "block_size": plan.block_size,
        "positions": {layer.name: layer.positions for layer in plan.layers},
        "grid": {layer.name: [layer.layout.height, layer.layout.width] for layer in plan.layers},
        "peaks": "all images" if plan.peaks is None else f"a sample of {len(plan.peaks)} images",
        "upsampling": "zeros" if plan.parity else "clamp",
        "plan_sha256": plan.fingerprint(),
    }


def plan_from_json(body: Mapping[str, Any]) -> Plan:
    """Return the plan whose `asdict` was written as JSON."""
    layers = tuple(
        LayerPlan(
            **{
                **entry,
                "layout": Layout(**entry["layout"]),
                "units": tuple(entry["units"]),
                "map_size": tuple(entry["map_size"]),
                "small_size": tuple(entry["small_size"]),
            }
        )
        for entry in body["layers"]
    )
    peaks = None if body["peaks"] is None else tuple(body["peaks"])
    return Plan(**{**body, "layers": layers, "reservoir": tuple(body["reservoir"]), "peaks": peaks})
