"""A small dissection whose every value is known: units that fire where a square of their colour stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from mami_core.records import Caption, HeadOutput, Reference
from mami_core.store import DissectionWriter, LayerInfo, Manifest, encode_image

COLOURS = {
    "red": (200, 40, 40),
    "green": (40, 160, 60),
    "blue": (40, 80, 200),
    "yellow": (230, 200, 40),
    "white": (240, 240, 240),
    "purple": (130, 60, 160),
}
LAYERS = {"early": (6, 14), "late.conv": (5, 7)}
IMAGES, K, SIDE, CELL = 30, 15, 56, 8
DEAD, UNSPOKEN = ("early", 4), ("late.conv", 3)
CAPTIONERS = {"milan@made": ("bahdanau",), "mami@made": ("bahdanau", "luong", "self", "combined")}
GRID = (K, 7, 7)


def make_dissection(folder: Path, *, simulated: bool = True, captioned: bool = True) -> Path:
    """Write the dissection into `folder` and return it."""
    rng = np.random.default_rng(7)
    pictures, places = zip(*(_picture(rng) for _ in range(IMAGES)), strict=True)
    layers = tuple(LayerInfo(name, units, (size, size)) for name, (units, size) in LAYERS.items())
    settings = {"k": K, "quantile": 0.99, "seed": 7}
    stages = {"dissect": "done", "caption": "done" if captioned else "running"}
    manifest = Manifest(
        folder.name, "made:squares", "0" * 64, "made:30", IMAGES, "1" * 64, simulated, settings, layers, stages=stages
    )
    writer = DissectionWriter.create(folder, manifest)
    units, exemplars = [], []
    for layer, (count, size) in LAYERS.items():
        maps, peaks = _activations(places, layer, count, size)
        order = np.argsort(-peaks, axis=0, kind="stable")[:K]  # (k, units)
        writer.write_maps(layer, np.stack([maps[order[:, unit], unit] for unit in range(count)]))
        writer.write_peaks(layer, peaks)
        units += [_unit(layer, unit, maps[:, unit]) for unit in range(count)]
        exemplars += [_exemplar(layer, unit, rank, order, maps) for unit in range(count) for rank in range(K)]
    writer.write_units(pd.DataFrame(units))
    writer.write_exemplars(pd.DataFrame(exemplars))
    writer.write_images((i, f"made-{i:03d}", encode_image(picture)) for i, picture in enumerate(pictures))
    writer.write_references({key: _references(key) for key in unit_keys()})
    for captioner in CAPTIONERS if captioned else ():
        captions = {key: _caption(captioner, key, rng) for key in unit_keys()}
        facts = {"decoding": "greedy", "trained_on": "made", "simulated": True, "settings_sha256": "2" * 64}
        writer.write_captions(captioner, captions, facts)
    return folder


def unit_keys() -> list[tuple[str, int]]:
    """Return (layer, unit) of every unit, in order."""
    return [(layer, unit) for layer, (count, _) in LAYERS.items() for unit in range(count)]


def _picture(rng: np.random.Generator) -> tuple[Image.Image, dict[str, tuple[int, int]]]:
    pixels = np.full((SIDE, SIDE, 3), 120, np.uint8) + rng.integers(0, 12, (SIDE, SIDE, 1), dtype=np.uint8)
    cells = rng.permutation((SIDE // CELL) ** 2)[: len(COLOURS)]
    places = {name: divmod(int(cell), SIDE // CELL) for name, cell in zip(COLOURS, cells, strict=True)}
    for name, (row, column) in places.items():
        pixels[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = COLOURS[name]
    return Image.fromarray(pixels), places


def _activations(places: tuple, layer: str, count: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    maps = np.zeros((IMAGES, count, size, size), np.float32)
    step = size // (SIDE // CELL)
    for image, squares in enumerate(places):
        for unit, name in enumerate(list(COLOURS)[:count]):
            row, column = squares[name]
            where = np.s_[row * step : (row + 1) * step, column * step : (column + 1) * step]
            maps[image, unit][where] = 1 + image / 10 if (layer, unit) != DEAD else 0
    return maps, maps.max(axis=(2, 3))


def _unit(layer: str, unit: int, maps: np.ndarray) -> dict:
    counts = np.bincount(maps.astype(np.float16).view(np.uint16).ravel() >> 7, minlength=512)  # the store's own bins
    state = "dead" if (layer, unit) == DEAD else "alive"
    spread = {"mean": maps.mean(), "variance": maps.var(), "skewness": np.nan, "kurtosis": 1.5}
    histogram = {"histogram": counts.tolist(), "histogram_low": maps.min(), "histogram_high": maps.max()}
    row = {"layer": layer, "unit": unit, "threshold": 0.5, "max": maps.max(), "state": state}
    return {**row, **spread, "fraction_positive": (maps > 0).mean(), **histogram}


def _exemplar(layer: str, unit: int, rank: int, order: np.ndarray, maps: np.ndarray) -> dict:
    image = int(order[rank, unit])
    y, x = np.unravel_index(maps[image, unit].argmax(), maps.shape[2:])
    place = {"peak_y": y, "peak_x": x, "activation": maps[image, unit].max()}
    row = {"layer": layer, "unit": unit, "set": "top", "rank": rank}
    return {**row, "image_id": image, "image_name": f"made-{image:03d}", **place}


def _references(key: tuple[str, int]) -> list[Reference]:
    name = list(COLOURS)[key[1]]
    return [Reference("short", 0, f"{name} squares"), Reference("long", 0, f"squares that are {name}, anywhere")]


def _caption(captioner: str, key: tuple[str, int], rng: np.random.Generator) -> Caption:
    if key in (DEAD, UNSPOKEN):
        state = "dead_unit" if key == DEAD else "failed"
        return Caption(captioner, (), float("nan"), float("nan"), state)
    name = list(COLOURS)[key[1]]
    words = (name, "squares") if captioner.startswith("milan") else ("the", name, "squares", "on", "gray")
    heads = tuple(_head(head, words, rng) for head in CAPTIONERS[captioner])
    return Caption(captioner, words, -1.5 * len(words), -3.0 * len(words), "ok", ((" ".join(words), -1.5),), heads)


def _head(head: str, words: tuple[str, ...], rng: np.random.Generator) -> HeadOutput:
    weights = rng.dirichlet(np.full(np.prod(GRID), 0.05), len(words)).astype(np.float32)  # (words, regions)
    share = tuple(0.25 for _ in words)
    return HeadOutput(head, weights, GRID, share, tuple(0.5 for _ in words), words[:2])
