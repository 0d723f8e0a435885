"""Painted images held in memory, with what lies where: what the painted world's networks are trained on."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from mami_core.scenery.images import SceneryImages

LABEL_STEP = 2  # label maps keep every second pixel: 56 x 56
_CHUNK = 100  # scenes painted between two calls of progress


@dataclass(frozen=True, eq=False)
class Painted:
    """`count` scenes as arrays: what they look like, which place they show, what lies where."""

    images: np.ndarray  # uint8 (count, 3, 112, 112)
    places: np.ndarray  # int64 (count,), index into PLACES
    labels: np.ndarray  # uint8 (count, 3, 56, 56): part, colour, texture of every second pixel

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: slice) -> Painted:
        """Return some of the scenes, without copying."""
        return Painted(self.images[rows], self.places[rows], self.labels[rows])


def _paint_range(source: SceneryImages, start: int, stop: int) -> Painted:
    scenes = [source.scene(index) for index in range(start, stop)]
    picked = slice(LABEL_STEP // 2, None, LABEL_STEP)
    labels = [
        np.stack([layer[picked, picked] for layer in (scene.part_map(), scene.colour_map(), scene.texture_map())])
        for scene in scenes
    ]
    return Painted(
        images=np.stack([scene.image.transpose(2, 0, 1) for scene in scenes]),
        places=np.array([scene.place for scene in scenes], dtype=np.int64),
        labels=np.stack(labels),
    )


def paint_many(
    count: int, seed: int, *, processes: int = 1, progress: Callable[[int, int], None] | None = None
) -> Painted:
    """Paint images 0 to `count` - 1 of `SceneryImages(count, seed)`; any number of processes gives the same arrays."""
    source = SceneryImages(count, seed)
    starts = list(range(0, count, _CHUNK))
    stops = [min(start + _CHUNK, count) for start in starts]
    done, parts = 0, []
    for part in _painted_chunks(source, starts, stops, processes):
        parts.append(part)
        done += len(part)
        if progress is not None:
            progress(done, count)
    return Painted(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "places", "labels"))
    )


def _painted_chunks(source: SceneryImages, starts: list[int], stops: list[int], processes: int) -> Iterator[Painted]:
    if processes <= 1:
        yield from map(_paint_range, [source] * len(starts), starts, stops)
        return
    # spawn: forking a process that holds torch's threads can hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(_paint_range, [source] * len(starts), starts, stops)
