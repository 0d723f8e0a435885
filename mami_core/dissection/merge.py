"""Join the shares of all workers into the dissection: the one way a dissection is finished, for one worker or sixty."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mami_core.dissection.parts import IMAGES, Part, done_blocks, remove_parts
from mami_core.dissection.plan import LayerPlan, Plan
from mami_core.dissection.ranking import NO_IMAGE, Ranking
from mami_core.dissection.spectrum import class_means, spectrum_rows
from mami_core.dissection.state import LayerState
from mami_core.store import DissectionWriter
from mami_core.store.images import ImageFile

_CPU = torch.device("cpu")


@dataclass(eq=False)
class ExemplarSet:
    """One set of exemplars of one layer: ids (U, n), NO_IMAGE where empty; activations (U, n); maps (U, n, h, w)."""

    name: str
    ids: np.ndarray
    activations: np.ndarray
    maps: np.ndarray


def join(
    folder: Path,
    plan: Plan,
    labels: Sequence[int] | None,
    class_names: Sequence[str],
    report: Callable[[str, int, int], None],
) -> None:
    """Write the dissection from the shares in `folder`. Every block must be done; a block done twice counts once."""
    writer = DissectionWriter.open(folder)
    shares = _distinct(folder, plan)
    with_states = [Part.open(path, plan, _CPU) for path in shares]
    names = ImageNames([path / IMAGES for path in shares])
    rows: list[pd.DataFrame] = []
    wanted: set[int] = set()
    units: list[pd.DataFrame] = []
    for number, layer in enumerate(plan.layers):
        state = _merged([part.states[number] for part in with_states])
        peaks = _joined_peaks(with_states, shares, plan, number)
        writer.write_peaks(layer.name, peaks)
        for exemplars in exemplar_sets(state, peaks, plan):
            writer.write_maps(layer.name, exemplars.maps, exemplars.name, exact=plan.parity)
            rows.append(_exemplar_rows(layer, exemplars, names))
            wanted.update(exemplars.ids[exemplars.ids != NO_IMAGE].tolist())
        if labels is not None:
            writer.write_classes(layer.name, _class_means(peaks, plan, labels, class_names))
        units.append(_unit_rows(layer, state, plan))
        report("layers", number + 1, len(plan.layers))
    if labels is not None:
        writer.write_image_labels(np.asarray(labels))
    writer.write_exemplars(pd.concat(rows, ignore_index=True))
    writer.write_units(pd.concat(units, ignore_index=True))
    writer.write_images(names.entries(sorted(wanted)))
    _finish(writer, with_states, plan)
    remove_parts(folder)


def _finish(writer: DissectionWriter, parts: Sequence[Part], plan: Plan) -> None:
    unreadable = {number: why for part in parts for number, why in part.unreadable.items()}
    facts = {"unreadable": [unreadable[number] for number in sorted(unreadable)]}
    if plan.peaks is not None:
        writer.write_peak_ids(np.asarray(plan.peaks, dtype=np.int64))
    stages = {**writer.manifest.stages, "dissect": "done"}
    writer.update(settings={**writer.manifest.settings, **facts}, stages=stages)


def _distinct(folder: Path, plan: Plan) -> dict[Path, set[int]]:
    """Return the shares to join. A share whose blocks others have too is left out; a partial overlap is refused."""
    taken: set[int] = set()
    chosen: dict[Path, set[int]] = {}
    for path, done in sorted(done_blocks(folder, plan).items(), key=lambda entry: (-len(entry[1]), entry[0])):
        if done <= taken:
            continue
        if done & taken:
            raise ValueError(f"{path} overlaps other shares in blocks {sorted(done & taken)}; delete it, dissect again")
        taken |= done
        chosen[path] = done
    absent = sorted(set(range(plan.blocks)) - taken)
    if absent:
        raise ValueError(f"{folder}: blocks {absent} of {plan.blocks} are not dissected yet; run the missing shares")
    return dict(sorted(chosen.items()))


def _merged(states: Sequence[LayerState]) -> LayerState:
    first, *others = states
    for other in others:
        first.merge(other)
    return first


def _joined_peaks(parts: Sequence[Part], done: dict[Path, set[int]], plan: Plan, layer: int) -> np.ndarray:
    """Return all images' peaks, memory-mapped: the first share's file with the others' rows copied in."""
    whole = parts[0].peaks(layer)
    for part in parts[1:]:
        theirs = part.peaks(layer)
        for block in sorted(done[part.folder]):
            for batch in plan.block_batches(block):
                _, rows = plan.rows_of(np.asarray(batch, dtype=np.int64))
                whole[rows] = theirs[rows]
    return whole


def exemplar_sets(state: LayerState, peaks: np.ndarray, plan: Plan) -> Iterator[ExemplarSet]:
    """Yield a layer's exemplars, set by set."""
    yield _ranked("top", state.top, 1)
    if state.bottom is None:
        return
    yield _ranked("bottom", state.bottom, -1)
    drawn = np.asarray(plan.reservoir, dtype=np.int64)
    _, rows = plan.rows_of(drawn)
    chosen = spectrum_rows(peaks, rows.tolist(), random=plan.spectrum, bands=plan.bands, band_size=plan.band_size)
    maps = state.reservoir.permute(1, 0, 2, 3).numpy()  # (U, R, h', w')
    unit = np.arange(len(maps))[:, None]
    for name, places in chosen.items():
        empty = places < 0  # (U, n)
        yield ExemplarSet(
            name=name,
            ids=np.where(empty, NO_IMAGE, drawn[places]),
            activations=np.where(empty, np.nan, peaks[rows].T[unit, places]),
            maps=np.where(empty[:, :, None, None], np.float16(np.nan), maps[unit, places]),
        )


def _ranked(name: str, ranking: Ranking, sign: int) -> ExemplarSet:
    ids, values, maps = (part.numpy() for part in ranking.ordered())
    return ExemplarSet(name, ids, np.where(ids == NO_IMAGE, np.nan, sign * values), maps)


class ImageNames:
    """The exemplar images that the shares have stored, found by id."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [ImageFile(path) for path in paths]
        self._holder = {number: file for file in self._files for number in file.ids()}

    def name(self, image_id: int) -> str:
        """Return an image's name."""
        return self._holder[image_id].name(image_id)

    def entries(self, ids: Sequence[int]) -> Iterator[tuple[int, str, bytes]]:
        """Yield (id, name, encoded bytes)."""
        for number in ids:
            yield number, self.name(number), self._holder[number].encoded(number)


def _exemplar_rows(layer: LayerPlan, exemplars: ExemplarSet, names: ImageNames) -> pd.DataFrame:
    row, rank = np.nonzero(exemplars.ids != NO_IMAGE)
    ids = exemplars.ids[row, rank]
    known, place = np.unique(ids, return_inverse=True)
    size = exemplars.maps.shape[-2:]
    flat = np.nan_to_num(exemplars.maps[row, rank].reshape(len(row), math.prod(size)), nan=-np.inf)
    peak = flat.argmax(axis=1)  # (n,): the first of equals
    return pd.DataFrame(
        {
            "layer": layer.name,
            "unit": np.asarray(layer.units)[row],
            "set": exemplars.name,
            "rank": rank,
            "image_id": ids,
            "image_name": np.array([names.name(int(number)) for number in known], dtype=object)[place],
            "activation": exemplars.activations[row, rank].astype(np.float32),
            "peak_y": peak // size[1],
            "peak_x": peak % size[1],
        }
    )


def _unit_rows(layer: LayerPlan, state: LayerState, plan: Plan) -> pd.DataFrame:
    largest, smallest = state.spread.largest.numpy(), state.spread.smallest.numpy()
    threshold = state.tail.quantile(plan.quantile, hazen=plan.parity).numpy()
    return pd.DataFrame(
        {
            "layer": layer.name,
            "unit": layer.units,
            "threshold": threshold.astype(np.float32) + np.float32(0),  # which of 0 and -0 was met first is chance
            "max": np.where(np.isfinite(largest), largest, np.nan) + np.float32(0),
            **state.spread.moments(),
            "state": state.spread.states(),
            "histogram": list(state.spread.histogram.numpy()),
            "histogram_low": smallest + np.float32(0),
            "histogram_high": largest + np.float32(0),
        }
    )


def _class_means(peaks: np.ndarray, plan: Plan, labels: Sequence[int], class_names: Sequence[str]) -> np.ndarray:
    every = np.asarray(labels, dtype=np.int64)
    kept = every if plan.peaks is None else every[np.asarray(plan.peaks)]
    return class_means(peaks, kept, max(len(class_names), int(every.max()) + 1))
