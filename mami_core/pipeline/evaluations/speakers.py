"""Who says something of a dissection's units: captioners, and beside them what they must beat and reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mami_core.evaluation.by_unit import Voice
from mami_core.evaluation.floors import ConstantFloor, best_constant, nearest_captions
from mami_core.scenery.content import UnitContent
from mami_core.scenery.planted.rules import Rule
from mami_core.scenery.planted.words import oracle_caption
from mami_core.store import Dissection, UnitKey, find_model
from mami_core.store.models import MODELS, known_models

NEAREST = "nearest neighbour (copied caption)"
CONSTANT = "best constant caption"
COMMONEST = "the three commonest parts"
ORACLE = "oracle (the rule's words)"


@dataclass(frozen=True)
class Described:
    """The units of one split, and what is known of them and of the training units."""

    keys: Sequence[UnitKey]
    given: Mapping[UnitKey, list[str]]  # references
    train: Mapping[UnitKey, list[str]]  # references of training units; empty where there are none
    contents: Mapping[UnitKey, UnitContent]  # of both
    rules: Mapping[UnitKey, Rule]


def captioners(dissection: Dissection, keys: Sequence[UnitKey]) -> list[Voice]:
    """Return what each captioner says."""
    return [
        Voice(name, "captioner", {key: dissection.said(name, *key) for key in keys}) for name in dissection.captioners
    ]


def chosen_constant(units: Described) -> ConstantFloor:
    """Return the caption that scores best when said of every unit, of training units' where there are any, else of
    these units' own, which helps it."""
    chosen_from = [text for texts in (units.train or units.given).values() for text in texts]
    return best_constant(chosen_from, [texts for texts in units.given.values() if texts])


def floors(spoken: Sequence[Voice], units: Described, constant: str, *, seed: int) -> Iterator[Voice]:
    """Give what knows nothing of a unit: each captioner's captions dealt out at random, and constant captions."""
    order = np.random.default_rng(seed).permutation(len(units.keys))
    for voice in spoken:
        dealt = [voice.captions[units.keys[place]] for place in order]
        yield Voice(f"{voice.name}, shuffled", "shuffled", dict(zip(units.keys, dealt, strict=True)))
    yield _constant(CONSTANT, constant, units)
    tops = [units.contents[key].parts[0].name for key in (units.train or units.given) if key in units.contents]
    if tops:
        yield _constant(COMMONEST, ", ".join(name for name, _ in Counter(tops).most_common(3)), units)


def _constant(name: str, caption: str, units: Described) -> Voice:
    return Voice(name, "constant", dict.fromkeys(units.keys, caption))


def ceilings(units: Described) -> Iterator[Voice]:
    """Give the annotators by position, each held against the others, and what a known rule says of itself."""
    for place in range(max(map(len, units.given.values()), default=0)):
        said = {key: texts[place] for key, texts in units.given.items() if len(texts) > place}
        yield Voice(f"annotator {place + 1}", "annotator", said)
    ruled = {
        key: oracle_caption(units.rules[key]) for key in units.keys if key in units.rules and units.rules[key].terms
    }
    if ruled:
        yield Voice(ORACLE, "oracle", ruled)


def copied(dissection: Dissection, units: Described) -> Voice | None:
    """Return for each unit the first reference of the training unit whose mean region is most like its own.

    None where no captioner of this dissection names an encoder that is at hand.
    """
    from mami_core.captioning.encoder import CONFIG  # torch: only who copies waits for it
    from mami_core.captioning.encoders import open_encoder
    from mami_core.captioning.features import alive_units, unit_features

    alive = set(alive_units(dissection))
    keys, known = ([key for key in some if key in alive] for some in (units.keys, units.train))
    encoders = [facts.get("encoder", {}).get("name") for facts in dissection.manifest.captioners.values()]
    here = known_models(CONFIG, dissection.path / MODELS)
    found = [name for name in encoders if name and (name in here or (Path(name) / CONFIG).is_file())]
    if not known or not keys or not found:
        return None
    encoder = open_encoder(find_model(found[0], CONFIG, beside=dissection.path / MODELS))
    pooled = unit_features(dissection, encoder, [*known, *keys]).pooled()
    captions = nearest_captions(pooled[len(known) :], pooled[: len(known)], [units.train[key] for key in known])
    return Voice(NEAREST, "copy", dict(zip(keys, captions, strict=True)))
