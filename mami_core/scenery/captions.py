"""Five captions of a painted scene, from what truly is in it: the stand-in for captioned photographs (Flickr8k).

Each of five simulated people names a few things of the scene, by how much they stand out, with looks, place, light and
where they lie. What is said is true; what is left out, and the words for it, differ between people and scenes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from mami_core.scenery.clauses import BACKGROUNDS
from mami_core.scenery.content import BaseRates, LabelMaps, UnitContent, describe_content
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.lexicon import LIGHT_PHRASES, PART_WORDS, PLACE_PREPOSITIONS, PLACE_WORDS
from mami_core.scenery.parts import PARTS
from mami_core.scenery.phrases import Speaker, with_article
from mami_core.scenery.world import Scene

CAPTIONS: Final = 5  # a scene, as in Flickr8k
_RATES_SCENES, _RATES_SEED = 260, 977  # ten of every place, from a stream of their own
_MIN_SHARE: Final = 0.004  # of the image: what is smaller, nobody mentions


@dataclass(frozen=True, slots=True)
class Taste:
    """How one person captions. Probabilities unless said otherwise."""

    things: tuple[float, ...]  # of naming 1, 2, 3… things
    place: float  # of saying which kind of place it is
    light: float
    detail: float  # of giving a thing its colour or texture
    synonym: float  # of leaving the usual word


TASTES: Final = (
    Taste((0.1, 0.5, 0.4), 0.75, 0.2, 0.35, 0.15),
    Taste((0.3, 0.5, 0.2), 0.9, 0.1, 0.25, 0.1),
    Taste((0.2, 0.6, 0.2), 0.6, 0.35, 0.5, 0.2),
    Taste((0.05, 0.45, 0.5), 0.5, 0.15, 0.4, 0.25),
    Taste((0.4, 0.5, 0.1), 0.7, 0.25, 0.6, 0.15),
)


@dataclass(frozen=True, eq=False)
class SceneFacts:
    """What a scene holds, as a person would take it in."""

    content: UnitContent  # of the whole image; parts by how much they stand out
    counts: Mapping[str, int]  # objects of each part
    middles: Mapping[str, tuple[float, float]]  # y and x of each part's middle, 0 to 1


def scene_facts(scene: Scene) -> SceneFacts:
    """Read a scene's facts off its exact maps."""
    everywhere = np.ones((1, *scene.instances.shape), dtype=bool)
    content = describe_content(LabelMaps.from_scenes([scene]), everywhere, _usual_rates())
    names = [PARTS[part] for part in scene.objects[:, 0]]
    sizes = np.bincount(scene.instances.ravel(), minlength=len(names))
    y, x = np.indices(scene.instances.shape)
    down = np.bincount(scene.instances.ravel(), weights=y.ravel(), minlength=len(names))
    right = np.bincount(scene.instances.ravel(), weights=x.ravel(), minlength=len(names))
    counts, middles = {}, {}
    for part in dict.fromkeys(names):
        own = np.array([name == part for name in names])
        counts[part] = int((sizes[own] > _MIN_SHARE * sizes.sum() / 2).sum())
        scale = sizes[own].sum() * scene.instances.shape[0]
        middles[part] = (float(down[own].sum() / scale), float(right[own].sum() / scale))
    return SceneFacts(content, counts, middles)


@lru_cache(maxsize=1)
def _usual_rates() -> BaseRates:
    """Return how common everything is in the painted world."""
    source = SceneryImages(_RATES_SCENES, _RATES_SEED)
    return BaseRates.of(LabelMaps.from_scenes([source.scene(index) for index in range(_RATES_SCENES)]))


def caption_scene(scene: Scene, *, seed: Sequence[int]) -> tuple[str, ...]:
    """Return five captions of a scene, lower case, no full stop; the same scene and seed give the same words."""
    facts = scene_facts(scene)
    return tuple(_caption(facts, taste, np.random.default_rng([*seed, number])) for number, taste in enumerate(TASTES))


def _caption(facts: SceneFacts, taste: Taste, rng: np.random.Generator) -> str:
    speaker = Speaker(facts.content, rng, synonym=taste.synonym, singular=1.0)
    parts = _named(facts, taste, speaker)
    with_place = speaker.chance(taste.place)
    forms = _PLACE_FORMS if with_place else _THING_FORMS
    text = speaker.choose(forms)(facts, speaker, parts, taste)
    light = facts.content.lights[0][0]
    if light != "indoor" and speaker.chance(taste.light):
        text = f"{text} {speaker.choose(LIGHT_PHRASES[light])}"
    return " ".join(text.split())


def _named(facts: SceneFacts, taste: Taste, speaker: Speaker) -> list[str]:
    """Return what this person names: mostly what stands out most, seldom a mere background."""
    shares = [share for share in facts.content.parts if share.share > _MIN_SHARE] or list(facts.content.parts[:1])
    weights = np.array([max(share.score, 0.02) * (0.35 if share.name in BACKGROUNDS else 1.0) for share in shares])
    count = min(1 + int(speaker.rng.choice(len(taste.things), p=taste.things)), len(shares))
    weights = weights**1.5 / (weights**1.5).sum()
    picked = speaker.rng.choice(len(shares), size=count, replace=False, p=weights)
    return [shares[place].name for place in picked]


def _thing(facts: SceneFacts, speaker: Speaker, part: str, taste: Taste) -> str:
    """Return a noun phrase in the true number: "a red car", "brown boats"."""
    several = facts.counts.get(part, 1) > 1
    speaker.singular = 0.0 if several else 1.0
    phrase = speaker.part(part, detail=taste.detail)
    plural = phrase.endswith("s") and PART_WORDS[part].nouns[0].counted  # "several wallpaper" is no English
    if several and plural and speaker.chance(0.3):
        phrase = f"{speaker.choose(('two' if facts.counts[part] == 2 else 'several', 'some'))} {phrase}"
    return phrase


def _things(facts: SceneFacts, speaker: Speaker, parts: Sequence[str], taste: Taste) -> str:
    return speaker.join([_thing(facts, speaker, part, taste) for part in parts])


def _place_name(speaker: Speaker, name: str) -> tuple[str, str]:
    """Return a place with its article, and the preposition that goes with it."""
    noun = speaker.word(PLACE_WORDS[name].nouns)
    bare = noun.singular
    return (bare if bare.startswith("the ") or not noun.counted else with_article(bare)), PLACE_PREPOSITIONS.get(
        name, "in"
    )


def _in_a_place(facts: SceneFacts, speaker: Speaker, parts: Sequence[str], taste: Taste) -> str:
    things = _things(facts, speaker, parts, taste)
    place, preposition = _place_name(speaker, facts.content.places[0][0])
    return f"{things} {preposition} {place}"


def _place_with(facts: SceneFacts, speaker: Speaker, parts: Sequence[str], taste: Taste) -> str:
    place, _ = _place_name(speaker, facts.content.places[0][0])
    return f"{place} {speaker.choose(('with', 'with', 'that has', 'showing'))} {_things(facts, speaker, parts, taste)}"


def _photo_of(facts: SceneFacts, speaker: Speaker, parts: Sequence[str], taste: Taste) -> str:
    place, _ = _place_name(speaker, facts.content.places[0][0])
    start = speaker.choose(("an image of", "a view of", "a photo of"))
    return f"{start} {place} with {_things(facts, speaker, parts, taste)}"


def _only_things(facts: SceneFacts, speaker: Speaker, parts: Sequence[str], taste: Taste) -> str:
    start = speaker.choose(("", "", "there is ", "we see "))
    if start == "there is " and facts.counts.get(parts[0], 1) > 1:
        start = "there are "
    return start + _things(facts, speaker, parts, taste)


def _related(facts: SceneFacts, speaker: Speaker, parts: Sequence[str], taste: Taste) -> str:
    """Say how the first two things lie to one another."""
    if len(parts) < 2:
        return _placed(facts, speaker, parts, taste)
    first, second = (facts.middles[part] for part in parts[:2])
    down, right = second[0] - first[0], second[1] - first[1]
    if max(abs(down), abs(right)) < 0.1:
        word = "with"
    elif abs(right) >= abs(down):
        word = speaker.choose(("next to", "beside"))
    else:
        word = speaker.choose(("above", "over") if down > 0 else ("below", "under"))
    phrases = [_thing(facts, speaker, part, taste) for part in parts]
    tail = f" and {phrases[2]}" if len(phrases) > 2 else ""
    return f"{phrases[0]} {word} {phrases[1]}{tail}"


def _placed(facts: SceneFacts, speaker: Speaker, parts: Sequence[str], taste: Taste) -> str:
    """Say on which side the first thing is, where it is clearly on one."""
    across = facts.middles[parts[0]][1]
    text = _things(facts, speaker, parts[:1], taste)
    if abs(across - 0.5) > 0.15:
        text += f" on the {'left' if across < 0.5 else 'right'}"
    rest = parts[1:]
    return f"{text} {speaker.choose(('with', 'and'))} {_things(facts, speaker, rest, taste)}" if rest else text


_Form = Callable[[SceneFacts, Speaker, Sequence[str], Taste], str]
_PLACE_FORMS: Final[tuple[_Form, ...]] = (_in_a_place, _in_a_place, _place_with, _place_with, _photo_of)
_THING_FORMS: Final[tuple[_Form, ...]] = (_only_things, _related, _related, _placed)


def split_of(index: int, count: int) -> str:
    """Return the fixed split of scene `index` of `count`: three quarters train, an eighth val, an eighth test.

    6,000, 1,000 and 1,000 of 8,000, as in Flickr8k. Scenes of a stream are independent, so the order decides.
    """
    eighth = count // 8
    if index >= count - eighth:
        return "test"
    return "val" if index >= count - 2 * eighth else "train"
