"""Images that speak against a caption: it fits them and the unit is silent, or the unit fires and it does not fit.

A unit fires on an image where its peak exceeds its threshold, so that its mask is not empty; else it is silent. On
painted scenes a caption is read by the lexicon and fits exactly where the named parts are painted; elsewhere all
there is to compare are the words of an image's class and name, which is said with the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mami_core.inputs import ImageSource
from mami_core.probing.pictures import part_shares, scenery_of
from mami_core.probing.words import folded
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.parts import PARTS, PLACES
from mami_core.scenery.reading import CaptionMeaning, read_caption
from mami_core.store import Dissection

LEAST_SHOWN: Final = 0.005  # of an image: what a part must cover to be called shown, a square of 8 pixels
_EMPTY_WORDS: Final = """
    a an the of and or in on at with by to from for near next under over above below behind is are no not without some
    other thing image photo picture area part top bottom left right side
"""  # folded: plurals are these too


@dataclass(frozen=True, slots=True)
class CounterExample:
    """One image. `fit`: what share of the named things it shows. `percentile`: of its peak among the unit's peaks."""

    image_id: int
    peak: float
    percentile: float
    fit: float
    shows: tuple[str, ...]  # which of the named things


@dataclass(frozen=True, slots=True)
class CounterExamples:
    """What speaks against a caption. `looked_at` images were judged, from both ends of the unit's range inwards."""

    caption: str
    named: tuple[str, ...]  # what the caption is taken to name; empty: nothing that could be looked for
    silent: tuple[CounterExample, ...]  # it fits and the unit is silent, weakest first
    fires: tuple[CounterExample, ...]  # the unit fires and nothing that was named is there, strongest first
    exact: bool  # by what is painted; else by words of classes and names
    judged_by: str
    looked_at: int
    known: int  # images whose peaks are kept

    def __bool__(self) -> bool:
        return bool(self.silent or self.fires)


Judge = Callable[[int], tuple[float, tuple[str, ...]]]  # image id → (fit, which of the named things it shows)


def counter_examples(
    dissection: Dissection,
    layer: str,
    unit: int,
    caption: str,
    *,
    count: int = 8,
    limit: int = 400,
    least_shown: float = LEAST_SHOWN,
    source: ImageSource | None = None,
) -> CounterExamples:
    """Return images that speak against a caption of a unit.

    A caption fits where everything it names is shown (joined by "or": anything) and nothing that it denies; it does not
    fit at all where nothing it names is. Looks outwards in: the weakest images first for `silent`, the strongest first
    for `fires`, at most `limit` each, until `count` are found. O(images log images), and 6 ms for a scene not painted
    before. `source`: the images themselves, for their names; without it classes and stored names are used.
    """
    named, judge, exact, judged_by = _judge(dissection, caption, least_shown, source)
    row = dissection.row(layer, unit)
    peaks = np.asarray(dissection.peaks(layer)[:, row], dtype=np.float32)
    known = np.flatnonzero(np.isfinite(peaks))
    threshold = dissection.statistics(layer, unit).threshold
    order = known[np.argsort(peaks[known], kind="stable")]  # weakest first
    firing = peaks[order] > threshold  # a threshold that is NaN: nothing fires
    if not named or not np.isfinite(threshold):
        return CounterExamples(caption, named, (), (), exact, judged_by, 0, len(known))

    def search(rows: np.ndarray, wanted: Callable[[float], bool]) -> tuple[list[CounterExample], int]:
        found: list[CounterExample] = []
        for looked, at in enumerate(rows[:limit]):
            if len(found) == count:
                return found, looked
            image = int(dissection.peak_ids[at])
            fit, shows = judge(image)
            if wanted(fit):
                percentile = _percentile(peaks[order], peaks[at])
                found.append(CounterExample(image, float(peaks[at]), percentile, fit, shows))
        return found, min(len(rows), limit)

    silent, weak = search(order[~firing], lambda fit: fit == 1)
    fires, strong = search(order[firing][::-1], lambda fit: fit == 0)
    return CounterExamples(caption, named, tuple(silent), tuple(fires), exact, judged_by, weak + strong, len(known))


def _percentile(ascending: np.ndarray, value: float) -> float:
    """Return the value's mid-rank percentile among peaks, 0 to 100."""
    below, upto = np.searchsorted(ascending, value, "left"), np.searchsorted(ascending, value, "right")
    return float(50 * (below + upto) / len(ascending))


def _judge(
    dissection: Dissection, caption: str, least_shown: float, source: ImageSource | None
) -> tuple[tuple[str, ...], Judge, bool, str]:
    """Return (what is named, how an image is judged, whether exactly, by what)."""
    scenes = scenery_of(dissection)
    if scenes is not None:
        meaning = read_caption(caption)
        return named_things(meaning), _painted_judge(scenes, meaning, least_shown), True, "what is painted"
    empty = set(folded(_EMPTY_WORDS))
    words = tuple(dict.fromkeys(word for word in folded(caption) if word not in empty))
    judged_by = "words of classes and names" if source is not None or _has_classes(dissection) else "words of names"
    return words, _worded_judge(dissection, words, source), False, judged_by


def _has_classes(dissection: Dissection) -> bool:
    return dissection.image_labels is not None and bool(dissection.manifest.class_names)


def named_things(meaning: CaptionMeaning) -> tuple[str, ...]:
    """Return the parts and places that a caption names: what can be looked for in a whole scene."""
    return tuple(item.name for item in meaning.meanings if item.category in ("part", "place"))


def _painted_judge(scenes: SceneryImages, meaning: CaptionMeaning, least_shown: float) -> Judge:
    wanted = [(item.category, item.name) for item in meaning.meanings if item.category in ("part", "place")]
    denied = [(item.category, item.name) for item in meaning.negated if item.category in ("part", "place")]

    def shown(image: int, thing: tuple[str, str]) -> bool:
        category, name = thing
        if category == "place":
            return PLACES[scenes.labels[image]] == name
        return bool(part_shares(scenes, image)[PARTS.index(name)] >= least_shown)

    def judge(image: int) -> tuple[float, tuple[str, ...]]:
        there = [name for category, name in wanted if shown(image, (category, name))]
        fit = _fit(len(there), len(wanted), any_is_enough=meaning.operator == "or")
        if fit == 1 and any(shown(image, thing) for thing in denied):
            fit = 0.5  # what it names is there, and so is what it denies
        return fit, tuple(there)

    return judge


def _fit(there: int, wanted: int, *, any_is_enough: bool) -> float:
    if not wanted:
        return 0.0
    return float(there > 0) if any_is_enough else there / wanted


def _worded_judge(dissection: Dissection, words: Sequence[str], source: ImageSource | None) -> Judge:
    """Judge by words: one that occurs is a fit, as a class names one thing.

    Only a class can speak against a caption; a file's name that lacks the words says nothing of the image.
    """
    labels, classes = dissection.image_labels, dissection.manifest.class_names

    def name_of(image: int) -> str:
        if source is not None:
            return source.names[image]
        return dissection.images.name(image) if dissection.images.holds(image) else ""

    def judge(image: int) -> tuple[float, tuple[str, ...]]:
        classed = labels is not None and labels[image] < len(classes)
        about = f"{classes[labels[image]]} {name_of(image)}" if labels is not None and classed else name_of(image)
        known = set(folded(re.sub(r"[\W_\d]+", " ", about)))
        there = tuple(word for word in words if word in known)
        return (1.0, there) if there else (0.0 if classed else 0.5, ())

    return judge
