"""A made dissection as large as a large network's: real files of real sizes, content drawn by lot and said to be so.

What the screen needs is what `mami dissect` and `mami caption` write: pictures, maps, peaks, every set of exemplars,
histograms, captions of two captioners with the attention of their heads. Only what they say is without meaning.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from mami_core.records import Caption, HeadOutput
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.parts import COLOURS, PARTS, PLACES, TEXTURES
from mami_core.store import Dissection, DissectionWriter, LayerInfo, Manifest, UnitKey, cache_folder, encode_image
from mami_core.store.layout import MANIFEST, attention_file

VERSION: Final = 1  # of what is made: an older one in the cache is not taken for it
LAYER_UNITS: Final = 2000
IMAGES: Final = 10_000
PAINTED: Final = 240  # distinct pictures; each is kept under many ids, as painting takes longer than all the rest
PEAK_IMAGES: Final = 2000  # a sample of the images, as dissections of this size keep
GRID: Final = (15, 7, 7)  # exemplars, h, w
SETS: Final = {"top": 15, "bottom": 2, "random": 2, "band-0": 1, "band-1": 1, "band-2": 1, "band-3": 1}
HEADS: Final = {"milan@made": ("bahdanau",), "mami@made": ("bahdanau", "luong", "self")}
DEAD_EVERY: Final = 100  # units
_SPEECH: Final = 64  # distinct sets of attention weights
_LOT: Final = np.random.default_rng  # every part has its own stream, so that parts can be made alone


def made_dissection(units: int, tile: int, folder: Path | None = None) -> Path:
    """Return a dissection of so many units whose pictures have `tile` pixels; made once, then kept in the cache.

    30,000 units take about a minute and 500 MB.
    """
    path = (folder or cache_folder() / "bench") / f"made-{units}-{tile}-v{VERSION}"
    if (path / MANIFEST).is_file() and Dissection.open(path).manifest.stages.get("caption") == "done":
        return path
    shutil.rmtree(path, ignore_errors=True)  # of a run that was stopped
    layers = _layers(units)
    writer = DissectionWriter.create(path, _manifest(f"made-{units}", layers))
    keys = [(layer.name, unit) for layer in layers for unit in range(layer.units)]
    writer.write_images(_pictures(tile))
    writer.write_units(_units(keys))
    writer.write_exemplars(_exemplars(keys))
    _write_arrays(writer, layers)
    _write_captions(writer, layers)
    writer.update(stages={"dissect": "done", "caption": "done"})
    return path


def _layers(units: int) -> tuple[LayerInfo, ...]:
    sizes = [min(LAYER_UNITS, units - start) for start in range(0, units, LAYER_UNITS)]
    return tuple(LayerInfo(f"block{place // 5}.conv{place % 5}", size, GRID[1:]) for place, size in enumerate(sizes))


def _manifest(name: str, layers: tuple[LayerInfo, ...]) -> Manifest:
    return Manifest(
        name=name,
        network="made:by-lot",
        weights_sha256=None,
        dataset=f"made:{IMAGES}",
        images=IMAGES,
        image_ids_sha256="0" * 64,
        simulated=True,
        settings={"k": SETS["top"], "quantile": 0.99, "seed": 0, "made_by": "mami bench dashboard"},
        layers=layers,
        stages={"dissect": "running"},
    )


def _pictures(tile: int) -> Iterator[tuple[int, str, bytes]]:
    scenes = SceneryImages(PAINTED)
    kept = [encode_image(scenes.load(index).resize((tile, tile))) for index in range(PAINTED)]
    yield from ((number, f"made-{number:06d}", kept[number % PAINTED]) for number in range(IMAGES))


def _units(keys: list[UnitKey]) -> pd.DataFrame:
    lot = _LOT(1)
    table = pd.DataFrame(keys, columns=["layer", "unit"])
    peak = lot.gamma(4.0, 1.0, len(keys)).astype(np.float32) + 1
    counts = lot.poisson(40, (len(keys), 512)).astype(np.int32) * (np.arange(512) < 150)
    spread = {name: lot.random(len(keys), np.float32) for name in ("mean", "variance", "skewness", "kurtosis")}
    return table.assign(
        threshold=peak * 0.6,
        max=peak,
        fraction_positive=lot.random(len(keys), np.float32),
        state=np.where(table["unit"] % DEAD_EVERY == DEAD_EVERY - 1, "dead", "alive"),
        histogram=list(counts),
        histogram_low=np.float32(0),
        histogram_high=peak,
        **spread,
    )


def _exemplars(keys: list[UnitKey]) -> pd.DataFrame:
    lot = _LOT(2)
    ranks = [(name, rank) for name, count in SETS.items() for rank in range(count)]
    table = pd.DataFrame(keys, columns=["layer", "unit"]).loc[lambda rows: rows.index.repeat(len(ranks))]
    ids = lot.integers(0, IMAGES, len(table))
    return table.assign(
        set=[name for name, _ in ranks] * len(keys),
        rank=[rank for _, rank in ranks] * len(keys),
        image_id=ids,
        image_name=pd.array([f"made-{number:06d}" for number in range(IMAGES)]).take(ids),
        activation=lot.random(len(table), np.float32) * 5,
        peak_y=lot.integers(0, GRID[1], len(table)),
        peak_x=lot.integers(0, GRID[2], len(table)),
    )


def _write_arrays(writer: DissectionWriter, layers: tuple[LayerInfo, ...]) -> None:
    """Write every set's maps, and the peaks of a sample of the images."""
    lot = _LOT(3)
    writer.write_peak_ids(np.arange(0, IMAGES, IMAGES // PEAK_IMAGES))
    for layer in layers:
        for name, count in SETS.items():
            writer.write_maps(layer.name, lot.gamma(0.5, 1.5, (layer.units, count, *GRID[1:])), name)
        writer.write_peaks(layer.name, lot.gamma(2.0, 1.0, (PEAK_IMAGES, layer.units)).astype(np.float16))


def _write_captions(writer: DissectionWriter, layers: tuple[LayerInfo, ...]) -> None:
    for number, (captioner, names) in enumerate(HEADS.items()):
        lot = _LOT(10 + number)
        attended = [_heads(names, lot) for _ in range(_SPEECH)]
        captions = {
            (layer.name, unit): _caption(captioner, unit, attended[unit % _SPEECH] if layer is layers[0] else (), lot)
            for layer in layers
            for unit in range(layer.units)
        }
        facts: dict[str, Any] = {"decoding": "drawn by lot", "trained_on": "nothing", "simulated": True}
        writer.write_captions(captioner, captions, {**facts, "settings_sha256": "0" * 64})
        for layer in layers[1:]:  # the same weights again: compressing them takes longer than all the rest
            name = attention_file(captioner, layer.name)
            shutil.copyfile(writer.path / attention_file(captioner, layers[0].name), writer.path / name)
            writer.adopt(name)


def _caption(captioner: str, unit: int, heads: tuple[HeadOutput, ...], lot: np.random.Generator) -> Caption:
    if unit % DEAD_EVERY == DEAD_EVERY - 1:
        return Caption(captioner, (), float("nan"), float("nan"), "dead_unit")
    colour, texture, part, place = (names[lot.integers(len(names))] for names in (COLOURS, TEXTURES, PARTS, PLACES))
    words = (colour, texture, part, "in", place)
    score = -float(lot.gamma(8.0, 1.0))
    return Caption(captioner, words, score, score - 4.0, "ok", ((" ".join(words), score),), heads)


def _heads(names: tuple[str, ...], lot: np.random.Generator) -> tuple[HeadOutput, ...]:
    return tuple(_head(name, lot) for name in names)


def _head(name: str, lot: np.random.Generator) -> HeadOutput:
    """Attend to a fifth of the regions, as masks leave that much."""
    words, regions = 5, int(np.prod(GRID))
    seen = lot.random(regions) < 0.2
    weights = np.zeros((words, regions), np.float32)
    weights[:, seen] = lot.dirichlet(np.full(seen.sum(), 0.1), words)
    shares = lot.dirichlet(np.ones(words))
    return HeadOutput(name, weights, GRID, tuple(shares), tuple(lot.random(words)), (COLOURS[0], PARTS[0]))
