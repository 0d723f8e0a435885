"""A dissected classifier and images whose classes are known, or a sentence that says what is missing."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mami_core.device import choose_device
from mami_core.dissection.layers import feed, survey
from mami_core.inputs import ImageSource, Network, UnreadableImageError, class_names_of
from mami_core.pipeline.sources import open_any_images
from mami_core.probing.intervention.judge import Judge
from mami_core.store import Dissection


def labelled_judge(
    dissection: Dissection,
    network: Network,
    images: ImageSource,
    *,
    labels: str | None = None,
    limit: int = 400,
    layers: tuple[str, ...] = (),
    batch_size: int = 100,
    seed: int = 0,
    device: str = "auto",
) -> tuple[Judge, tuple[str, ...]]:
    """Return the network with up to `limit` labelled images, spread over all, and the classes' names.

    ValueError says in a sentence what is missing: labels, classes that fit, a classifier.
    """
    if network.generates:
        raise ValueError(
            f"{network.name} makes images and names no class, so nothing tells what silencing units breaks"
        )
    classes = _outputs(network, images)
    answers, names = _answers(dissection, images, labels, classes)
    usable = np.array(sorted(answers))
    chosen = usable[np.linspace(0, len(usable) - 1, min(limit, len(usable))).round().astype(int)]
    inputs, kept = _inputs(network, images, chosen.tolist())
    right = np.zeros((len(kept), classes), dtype=bool)
    for row, image in enumerate(kept):
        right[row, list(answers[image])] = True
    network.module.to(choose_device(device))
    return Judge(network, inputs, right, layers or dissection.layers, batch_size=batch_size, seed=seed), names


def source_of(dissection: Dissection, images: str | None) -> ImageSource:
    """Return the images that are named, else those that were dissected; a sentence where they cannot be found again."""
    spec = images or dissection.manifest.settings.get("images") or dissection.manifest.dataset
    try:
        return open_any_images(str(spec))
    except (ValueError, FileNotFoundError) as problem:
        if images is not None:
            raise
        raise ValueError(f"the images of {dissection.name} are not at hand ({problem}); name some: --images") from None


def _outputs(network: Network, images: ImageSource) -> int:
    """Return how many classes a network tells apart."""
    layouts = survey(network, feed(network, images, 0))
    last = list(layouts.values())[-1] if layouts else None
    if last is None or (last.kind != "vector" and last.height * last.width > 1):
        raise ValueError(f"{network.name} ends in no score for each class; silencing is judged on classifiers")
    return last.units


def _answers(
    dissection: Dissection, images: ImageSource, labels: str | None, classes: int
) -> tuple[Mapping[int, tuple[int, ...]], tuple[str, ...]]:
    if labels is not None:
        found = read_labels(labels, images, classes)
        return found, tuple(f"class {number}" for number in range(classes))
    names = class_names_of(images)
    if images.labels is None or not names:
        raise ValueError(
            f"the images of {dissection.name} have no classes; give them: --labels FILE.csv:COLUMN, "
            "or images in one folder a class"
        )
    if len(names) != classes:
        raise ValueError(
            f"{dissection.manifest.network} tells {classes} classes apart and {images.name} has {len(names)}; "
            "say which is which: --labels FILE.csv:COLUMN"
        )
    return {index: (int(label),) for index, label in enumerate(images.labels)}, names


def read_labels(spec: str, images: ImageSource, classes: int) -> dict[int, tuple[int, ...]]:
    """Return the right classes of each image that a CSV names, by image; `FILE.csv[:COLUMN]`, several as in `3|17`.

    ValueError for a column or a class that is not there, and where no image is named.
    """
    place, _, column = spec.partition(".csv:")
    path = Path(spec if not column else f"{place}.csv")
    if not path.is_file():
        raise FileNotFoundError(f"no labels file {path}; check the path given as --labels")
    wanted: dict[str, tuple[int, ...]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        columns = list(rows.fieldnames or ())
        column = column or next(iter(columns[1:]), "")
        if column not in columns:
            raise ValueError(f"{path} has no column {column!r}; it has {', '.join(columns)}")
        for row in rows:
            if (row[column] or "").strip():
                wanted[row[columns[0]]] = _numbers(row[column], classes, path)
    found = {index: wanted[name] for index, name in enumerate(images.names) if name in wanted}
    if not found:
        raise ValueError(f"{path} names none of the images of {images.name}; its first column must hold their names")
    return found


def _numbers(cell: str, classes: int, path: Path) -> tuple[int, ...]:
    numbers = tuple(int(piece) for piece in cell.split("|") if piece.strip().isdecimal())
    if not numbers or max(numbers) >= classes:
        raise ValueError(f"{path}: {cell!r} is not a class number below {classes}, nor several as in 3|17")
    return numbers


def _inputs(network: Network, images: ImageSource, chosen: list[int]) -> tuple[tuple[Tensor, ...], list[int]]:
    """Return the inputs (N, …) of the images that can be read, and which these are."""
    fed, kept = [], []
    for index in chosen:
        try:
            fed.append(feed(network, images, index))
        except UnreadableImageError:
            continue
        kept.append(index)
    if not kept:
        raise ValueError(f"none of the {len(chosen)} labelled images of {images.name} can be read")
    return tuple(torch.stack(parts) for parts in zip(*fed, strict=True)), kept
