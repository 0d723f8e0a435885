"""A small dissection with gaps: units left out, dead or without captions, uneven references, shuffled tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from mami_core.records import Caption, HeadOutput, Reference
from mami_core.store import Dissection, DissectionWriter, LayerInfo, Manifest, encode_image

LAYERS = {"conv1": (0, 1, 2, 5), "features/2.block": (0, 3, 4)}
WORDS = ("red", "round", "=windows", "above", "a", "roof", "+trees")


def made_manifest(layers: Mapping[str, tuple[int, ...]], k: int, map_size: int) -> Manifest:
    return Manifest(
        name="made",
        network="scenery:resnet",
        weights_sha256="ab" * 32,
        dataset="scenery:12:0",
        images=12,
        image_ids_sha256="cd" * 32,
        simulated=True,
        settings={"k": k, "quantile": 0.99},
        layers=tuple(LayerInfo(name, len(units), (map_size, map_size)) for name, units in layers.items()),
        stages={"dissect": "done"},
    )


def make_dissection(folder: Path, layers: Mapping[str, tuple[int, ...]] = LAYERS, k: int = 3, seed: int = 0) -> Path:
    """Write a dissection with units in gaps, a dead unit, two captioners and uneven references."""
    rng = np.random.default_rng(seed)
    keys = [(layer, unit) for layer, units in layers.items() for unit in units]
    writer = DissectionWriter.create(folder, made_manifest(layers, k, map_size=4))
    writer.write_units(made_units(keys, rng))
    writer.write_exemplars(made_exemplars(keys, k, rng))
    for layer, units in layers.items():
        writer.write_maps(layer, rng.normal(size=(len(units), k, 4, 4)).astype(np.float32))
        writer.write_peaks(layer, rng.normal(size=(12, len(units))).astype(np.float32))
    writer.write_images(made_images(rng))
    writer.write_references(made_references(keys))
    writer.write_splits({"train": keys[::2], "test": keys[1::2]})
    for captioner in ("milan@scenery", "mami@scenery"):
        facts = {"settings_sha256": "ef" * 32, "trained_on": ["scenery:short", "scenery:long"]}
        captions = {key: made_caption(captioner, rng, number) for number, key in enumerate(keys[:-1])}
        writer.write_captions(captioner, captions, facts)
    return folder


def made_units(keys: list[tuple[str, int]], rng: np.random.Generator) -> pd.DataFrame:
    table = pd.DataFrame(keys, columns=["layer", "unit"])
    for name in ("threshold", "max", "mean", "variance", "skewness", "kurtosis", "fraction_positive"):
        table[name] = rng.normal(size=len(keys)).astype(np.float32)
    table["state"] = ["dead" if number == 2 else "alive" for number in range(len(keys))]
    table.loc[2, "threshold"] = np.nan
    return table


def made_exemplars(keys: list[tuple[str, int]], k: int, rng: np.random.Generator) -> pd.DataFrame:
    rows = [
        (layer, unit, which, rank, int(image), f"scene-{image}", float(-rank), 1, 2)
        for layer, unit in keys
        for which in ("random", "top")
        for rank, image in enumerate(rng.permutation(12)[:k])
    ]
    columns = ["layer", "unit", "set", "rank", "image_id", "image_name", "activation", "peak_y", "peak_x"]
    return pd.DataFrame(rows, columns=columns).sample(frac=1, random_state=0)  # no order to lean on


def made_images(rng: np.random.Generator) -> list[tuple[int, str, bytes]]:
    pixels = rng.integers(0, 255, size=(12, 8, 8, 3), dtype=np.uint8)
    return [(number, f"scene-{number}", encode_image(Image.fromarray(pixels[number]))) for number in range(12)]


def made_references(keys: list[tuple[str, int]]) -> dict[tuple[str, int], list[Reference]]:
    return {
        key: [Reference("long", place, f"reference {place}, of {key[0]}/{key[1]}") for place in range(1 + number % 3)]
        for number, key in enumerate(keys[1:])
    }


def made_caption(captioner: str, rng: np.random.Generator, number: int) -> Caption:
    if number == 2:
        return Caption(captioner, (), float("nan"), float("nan"), state="dead_unit")
    words = (WORDS[(number + 2) % len(WORDS)], *rng.choice(WORDS, size=2).tolist())
    weights = rng.random((3, 3 * 2 * 2)).astype(np.float32)
    head = HeadOutput(
        head="bahdanau",
        weights=weights / weights.sum(axis=1, keepdims=True),
        grid=(3, 2, 2),
        share=(1.0, 0.5, 0.25),
        mask_overlap=(0.1, 0.2, 0.3),
        caption=words[:2],
        norm=(2.0, 1.0, 0.5),
        entropy=(2.25, 1.5, 0.0),
        without=words[1:],
    )
    first, second = rng.normal(size=2) - 5
    others = (("a roof", -3.5), ("", -4.0))
    return Caption(captioner, words, first, second, alternatives=others, heads=(head,), gate=(0.5, 0.25, 1.0))


def open_made(folder: Path, **settings: object) -> Dissection:
    return Dissection.open(make_dissection(folder, **settings))  # type: ignore[arg-type]
