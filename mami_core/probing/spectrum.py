"""A unit's whole range: its sets of exemplars with their maps, how its activations are spread, what each class does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mami_core.probing.profiles import profile
from mami_core.records import Exemplar
from mami_core.store import Dissection, linear_histogram

CLASS_COLUMNS = ("label", "name", "images", "mean", "spread", "d_prime", "auc")


@dataclass(frozen=True, slots=True, eq=False)
class SpectrumSet:
    """One set of a unit's exemplars, strongest first, with a map each."""

    name: str  # top, band-<n>, random, bottom
    exemplars: tuple[Exemplar, ...]
    maps: np.ndarray | None  # float16 (k, h, w) in the layer's own units; None: not kept
    low: float  # smallest peak among the exemplars
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """Counts of activations in equal bins."""

    edges: np.ndarray  # (bins + 1,)
    counts: np.ndarray  # (bins,)
    threshold: float  # the unit's; NaN where it has none
    of: str  # "positions": of all maps, sampled where the dissection sampled; "peaks": one per image


def spectrum(dissection: Dissection, layer: str, unit: int) -> tuple[SpectrumSet, ...]:
    """Return a unit's sets: top, bands from strong to weak, bottom, then random. KeyError for no such unit."""
    row = dissection.row(layer, unit)
    found = dissection.exemplars_of(layer, unit)
    return tuple(_set(dissection, layer, row, name, found[name]) for name in sorted(found, key=_place))


def _place(name: str) -> tuple[int, int]:
    if name.startswith("band-"):
        return 1, -int(name.removeprefix("band-"))
    return {"top": 0, "bottom": 2, "random": 3}.get(name, 4), 0


def _set(dissection: Dissection, layer: str, row: int, name: str, exemplars: tuple[Exemplar, ...]) -> SpectrumSet:
    kept = dissection.has_maps(layer, name)
    maps = np.array(dissection.maps(layer, name)[row][[entry.rank for entry in exemplars]]) if kept else None
    peaks = [entry.activation for entry in exemplars]
    return SpectrumSet(name, exemplars, maps, min(peaks), max(peaks))


def distribution(
    dissection: Dissection, layer: str, unit: int, *, of: str = "positions", bins: int = 64
) -> Distribution | None:
    """Return how a unit's activations are spread, None where that was not kept or the unit never varies.

    Over `positions` from the stored histogram, whose bins are an eighth of a doubling wide; over `peaks` exactly.
    """
    if of not in ("positions", "peaks"):
        raise ValueError(f"activations are counted over positions or peaks, not over {of!r}")
    threshold = dissection.statistics(layer, unit).threshold
    if of == "peaks":
        _, values = profile(dissection, layer, unit)
        if not len(values) or values.min() == values.max():
            return None
        counts, edges = np.histogram(values.astype(np.float64), bins)
        return Distribution(edges, counts, threshold, of)
    row = dissection.units.iloc[dissection.position(layer, unit)]
    low, high = float(row["histogram_low"]), float(row["histogram_high"])
    kept = dissection.histogram(layer, unit)
    if kept is None or not (np.isfinite(low) and np.isfinite(high) and low < high):
        return None
    edges, spread = linear_histogram(kept, low, high, bins)
    return Distribution(edges, spread, threshold, of)


def class_effects(dissection: Dissection, layer: str, unit: int) -> pd.DataFrame:
    """Return `CLASS_COLUMNS`, a row per class that has images, the most exciting first; empty without classes.

    `mean`, `spread`: of the unit's peaks over the class's images (standard deviation, n - 1). `d_prime`:
    (mean - mean of the others) / sqrt((variance + variance of the others) / 2). `auc`: how often an image of the class
    has a higher peak than one of the others, ties half. A figure that is not defined (one image, no spread) is NaN.
    O(images log images). Dissections made before labels were kept give `mean` only.
    """
    labels = dissection.image_labels
    if labels is None:
        return _stored_means(dissection, layer, unit)
    ids, peaks = profile(dissection, layer, unit)
    return _effects(peaks.astype(np.float64), labels[ids], dissection.manifest.class_names)


def _effects(peaks: np.ndarray, labels: np.ndarray, names: tuple[str, ...]) -> pd.DataFrame:
    from scipy.stats import rankdata

    known, place = np.unique(labels, return_inverse=True)
    count = np.bincount(place).astype(np.float64)  # (C,)
    moved = peaks - peaks.mean() if len(peaks) else peaks  # a mean far from zero would swallow the variance
    total, squares = np.bincount(place, moved), np.bincount(place, moved**2)
    ranks = np.bincount(place, rankdata(peaks))
    mean, variance = _moments(count, total, squares)
    rest = count.sum() - count
    rest_mean, rest_variance = _moments(rest, total.sum() - total, squares.sum() - squares)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = np.sqrt((variance + rest_variance) / 2)
        d_prime = np.where(pooled > 0, (mean - rest_mean) / pooled, np.nan)
        auc = np.where(rest > 0, (ranks - count * (count + 1) / 2) / (count * rest), np.nan)
    table = {
        "label": known,
        "name": [_class_name(names, int(label)) for label in known],
        "images": count.astype(np.int64),
        "mean": mean + (peaks.mean() if len(peaks) else 0.0),
        "spread": np.sqrt(variance),
        "d_prime": d_prime,
        "auc": auc,
    }
    return pd.DataFrame(table).sort_values(["d_prime", "mean"], ascending=False, kind="stable", ignore_index=True)


def _moments(count: np.ndarray, total: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        variance = np.where(count > 1, np.maximum(squares - count * mean**2, 0) / (count - 1), np.nan)
    return mean, variance


def _class_name(names: tuple[str, ...], label: int) -> str:
    return names[label] if label < len(names) else str(label)


def _stored_means(dissection: Dissection, layer: str, unit: int) -> pd.DataFrame:
    row = dissection.row(layer, unit)
    try:
        means = np.asarray(dissection.classes(layer)[:, row], dtype=np.float64)
    except FileNotFoundError:  # the images have no classes
        return pd.DataFrame(columns=list(CLASS_COLUMNS))
    known = np.flatnonzero(np.isfinite(means))
    names = [_class_name(dissection.manifest.class_names, int(label)) for label in known]
    table = pd.DataFrame({"label": known, "name": names, "mean": means[known]}).reindex(columns=list(CLASS_COLUMNS))
    return table.sort_values("mean", ascending=False, kind="stable", ignore_index=True)
