"""`mami caption D --captioner compositional:ENCODER`: formulas over what an encoder sees in the dissected pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np
from PIL import Image

from mami_core.captioning import compositional
from mami_core.captioning.compositional import Evidence, Search, SearchSettings
from mami_core.captioning.concepts import Concepts
from mami_core.captioning.encoder import RegionEncoder
from mami_core.captioning.seeing import things_of
from mami_core.captioning.seen_things import SCENERY
from mami_core.config import CaptionConfig
from mami_core.dissection.masks import unit_masks
from mami_core.pipeline.captions.baselines import readable
from mami_core.pipeline.captions.speaking import take_down, with_settings_sha256
from mami_core.pipeline.progress import Report
from mami_core.pipeline.worlds.concepts import BUNDLED, SHARP, concept_encoder
from mami_core.probing.pictures import scenery_of
from mami_core.probing.stability import bootstrap_counts
from mami_core.records import Caption
from mami_core.store import Dissection, UnitKey

_SIZE_POWER: Final = 0.7  # how much more a larger thing counts: between each thing the same and each pixel the same

SETTINGS: Final = SearchSettings()
MOST_PICTURES: Final = 4000  # looked at for a group of units: 20 CPU-seconds, half a gigabyte of tables

Group: TypeAlias = tuple[int, int]  # the images first to last - 1 that a unit may show
Pictures: TypeAlias = tuple[np.ndarray, Callable[[int], Image.Image]]  # ids, ascending, and how one is opened


def is_compositional(name: str) -> bool:
    """Tell whether a captioner's name means this one."""
    return name.partition(":")[0] == compositional.NAME


def caption_by_compositional(
    dissection: Dissection, keys: Sequence[UnitKey], name: str, config: CaptionConfig, report: Report
) -> dict[UnitKey, Caption]:
    """Search the formula of each unit and write the captions.

    ValueError where the name says of no encoder whose concepts formulas are made of.
    """
    encoder = concept_encoder(encoder_name(name), report)
    pictures = pictures_of(dissection, config.images)
    speak = formula_speaker(dissection, encoder, pictures, report)
    facts = {
        "captioner": compositional.NAME,
        "decoding": f"beam search over formulas of {encoder.name}: {SETTINGS}, size power {_SIZE_POWER}",
        "score_name": compositional.SCORE,
        "encoder": {"name": encoder.name, "sha256": encoder.sha256},
        "images": f"{len(pictures[0])} of {dissection.manifest.images}",
        "simulated": bool(encoder.provenance.get("simulated", False)) or dissection.manifest.simulated,
    }
    return take_down(
        dissection, compositional.NAME, with_settings_sha256(facts), by_group(dissection, keys), speak,
        batch_size=config.batch_size, report=report,
    )  # fmt: skip


def formula_speaker(
    dissection: Dissection, encoder: RegionEncoder, pictures: Pictures, report: Report
) -> Callable[[Sequence[UnitKey]], list[Caption]]:
    """Return what says units' formulas; pictures are looked at when the first unit that shows them is asked for."""
    look = looker(dissection, encoder, pictures, report)
    return lambda keys: [caption_of_unit(dissection, key, *look(key)) for key in keys]


def looker(
    dissection: Dissection, encoder: RegionEncoder, pictures: Pictures, report: Report
) -> Callable[[UnitKey], tuple[np.ndarray, Concepts]]:
    """Return what gives the pictures that a unit shows, ascending ids, and what is seen in them."""
    ids, load = pictures
    concepts: dict[Group, tuple[np.ndarray, Concepts]] = {}

    def look(key: UnitKey) -> tuple[np.ndarray, Concepts]:
        group = group_of(dissection, key)
        if group not in concepts:
            concepts.clear()  # tables of thousands of pictures: one group's at a time
            chosen = at_most(within(ids, group), np.asarray(dissection.images.ids()), MOST_PICTURES)
            concepts[group] = seen_concepts(dissection, encoder, chosen, load, report)
        return concepts[group]

    return look


def encoder_name(name: str) -> str:
    """Return which encoder `compositional:ENCODER` names; ValueError where it names none."""
    found = name.partition(":")[2]
    if not found:
        raise ValueError(
            f"{compositional.NAME} needs an encoder that sees concepts in the pictures: write "
            f"{compositional.NAME}:{SHARP} (made once, about five CPU-minutes) or {compositional.NAME}:{BUNDLED}"
        )
    return found


def pictures_of(dissection: Dissection, images: str | None = None) -> Pictures:
    """Return which dissected images can be looked at, ascending ids, and how: all of them, or those that are kept.

    All where `images` names them or they are painted scenes; what a generator made is kept of its exemplars only.
    """
    scenes = scenery_of(dissection) if images is None else None
    if scenes is not None:
        return dissection.peak_ids, scenes.load
    ids, load = readable(dissection, images)
    return np.asarray(ids, np.int64), load


def group_of(dissection: Dissection, key: UnitKey) -> Group:
    """Return the images that a unit may show: all, or the half that it was given in a world.

    The other half is kept for scores; a captioner that saw it would be judged on what it knows.
    """
    whole = (0, dissection.manifest.images)
    halves = dissection.manifest.settings.get("halves")
    if halves is None:
        return whole
    shown = dissection.exemplars_of(*key)["top"][0].image_id
    return next((first, last) for first, last in halves if first <= shown < last)


def by_group(dissection: Dissection, keys: Sequence[UnitKey]) -> list[UnitKey]:
    """Return units in an order in which those of one half follow each other, so that tables are made once."""
    groups: dict[Group, list[UnitKey]] = defaultdict(list)
    for key in keys:
        groups[group_of(dissection, key)].append(key)
    return [key for members in groups.values() for key in members]


def within(ids: np.ndarray, group: Group) -> np.ndarray:
    """Return the ids that belong to a group."""
    return ids[(ids >= group[0]) & (ids < group[1])]


def at_most(ids: np.ndarray, first: np.ndarray, most: int) -> np.ndarray:
    """Return all ids, or so many of them, ascending: those in `first`, and of the others some, evenly spaced."""
    if len(ids) <= most:
        return ids
    known = np.isin(ids, first)
    wanted, others = ids[known], ids[~known]
    chosen = np.linspace(0, len(wanted) - 1, min(most, len(wanted))).astype(int)
    filled = np.linspace(0, len(others) - 1, most - len(chosen)).astype(int)
    return np.sort(np.concatenate([wanted[chosen], others[filled]]))


def seen_concepts(
    dissection: Dissection,
    encoder: RegionEncoder,
    ids: np.ndarray,
    load: Callable[[int], Image.Image],
    report: Report,
) -> tuple[np.ndarray, Concepts]:
    """Return the images that were looked at, ascending ids, and what was seen in them."""
    source = f"{dissection.manifest.image_ids_sha256} {dissection.manifest.weights_sha256}"  # a generator's images too
    things = things_of(
        encoder, source, ids.tolist(), load,
        progress=lambda done, total: report(f"{compositional.NAME}: look", done, total),
    )  # fmt: skip
    return ids, Concepts(things, SCENERY)


def caption_of_unit(
    dissection: Dissection, key: UnitKey, ids: np.ndarray, concepts: Concepts, settings: SearchSettings = SETTINGS
) -> Caption:
    """Return a unit's formula in words; `dead_unit` for one that fires in none of the images."""
    return _formula(evidence_of(dissection, key, ids, concepts), concepts, settings)


def captions_of_draws(
    dissection: Dissection, key: UnitKey, ids: np.ndarray, concepts: Concepts, draws: int, seed: Sequence[int]
) -> list[Caption]:
    """Return a unit's formula, then one of each bootstrap: as many pictures drawn with repeats as there are."""
    evidence = evidence_of(dissection, key, ids, concepts)
    counts = bootstrap_counts(np.arange(len(ids)), len(ids), draws, seed)
    pictures = concepts.things.picture[evidence.rows]
    return [_formula(one, concepts, SETTINGS) for one in (evidence, *(evidence.drawn(row, pictures) for row in counts))]


def _formula(evidence: Evidence, concepts: Concepts, settings: SearchSettings) -> Caption:
    if not evidence.fires.any() and not evidence.covered.any():
        unknown = float("nan")
        return Caption(compositional.NAME, (), unknown, unknown, state="dead_unit")
    return compositional.said(Search(concepts, evidence, settings).run())


def evidence_of(dissection: Dissection, key: UnitKey, ids: np.ndarray, concepts: Concepts) -> Evidence:
    """Return in which of the images a unit fires, and on which things of those whose maps were kept."""
    layer, column = key[0], dissection.row(*key)
    peaks = np.asarray(dissection.peaks(layer)[np.searchsorted(dissection.peak_ids, ids), column], np.float32)
    labels = concepts.things.labels
    covered: dict[int, float] = {}
    for name, exemplars in dissection.exemplars_of(*key).items():
        if not dissection.has_maps(layer, name):
            continue
        masks = unit_masks(dissection, *key, labels.shape[1:], exemplar_set=name)  # (k, h, w)
        for exemplar, mask in zip(exemplars, masks, strict=False):
            row = int(np.searchsorted(ids, exemplar.image_id))
            if row < len(ids) and ids[row] == exemplar.image_id:
                things, place, counts = np.unique(labels[row], return_inverse=True, return_counts=True)
                share = np.bincount(place.ravel(), mask.ravel()) / counts
                covered.update(zip(things.tolist(), share.tolist(), strict=True))
    rows = np.array(sorted(covered), np.int64)
    return Evidence(
        fires=(peaks > dissection.statistics(*key).threshold).astype(np.float32),
        rows=rows,
        covered=np.array([covered[row] for row in rows], np.float32),
        weight=(concepts.things.share[rows] ** _SIZE_POWER).astype(np.float32),
    )
