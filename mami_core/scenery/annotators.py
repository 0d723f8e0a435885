"""Three simulated annotators describe a unit from its true content, in few words (`short`) or in many (`long`).

`short` follows the lengths of the real annotations of a ResNet-152 (MILANNOTATIONS, Hernandez et al. 2022): mean 4.6
words, median 4, the first annotator the longest. `long` is for the question whether captions of more than fifteen words
can be learnt. Like people, the annotators now and then generalise, name only a colour, or take one thing for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mami_core.scenery.clauses import CLAUSES, EDGE_RATIO
from mami_core.scenery.content import UnitContent
from mami_core.scenery.lexicon import EDGE_WORDS, KIND_OF, KIND_WORDS, KINDS, TEXTURE_WORDS
from mami_core.scenery.phrases import QUANTITIES, REGIONS, SURFACES, Speaker

Style = Literal["short", "long"]


@dataclass(frozen=True, slots=True)
class Habit:
    """How one annotator writes. Probabilities unless said otherwise."""

    parts: tuple[float, ...]  # of naming 1, 2, 3… parts
    clauses: tuple[float, ...]  # of adding 0, 1, 2… clauses
    detail: float  # of giving a thing its colour or texture
    synonym: float  # of leaving the usual word
    singular: float
    opener: float  # of "areas of…", "several…"
    names_top: float  # of naming the most enriched part of a unit of purity 0.35
    lapse: float  # of taking a secondary part for a similar thing
    exhaustive: float  # of saying everything there is to say
    introduction: float = 0.0  # of "the images show…"


HABITS: Mapping[Style, tuple[Habit, Habit, Habit]] = {
    "short": (
        Habit((0.56, 0.31, 0.08, 0.05), (0.71, 0.15, 0.09, 0.05), 0.32, 0.42, 0.28, 0.16, 0.82, 0.2, 0.008, 0.02),
        Habit((0.66, 0.31, 0.03), (0.86, 0.13, 0.01), 0.40, 0.38, 0.12, 0.14, 0.81, 0.2, 0.0),
        Habit((0.66, 0.34), (0.93, 0.07), 0.34, 0.40, 0.1, 0.15, 0.81, 0.2, 0.0),
    ),
    "long": (
        Habit((0.10, 0.36, 0.36, 0.18), (0.13, 0.28, 0.34, 0.25), 0.50, 0.42, 0.25, 0.25, 0.83, 0.15, 0.095, 0.4),
        Habit((0.28, 0.48, 0.24), (0.22, 0.40, 0.26, 0.12), 0.50, 0.38, 0.12, 0.25, 0.82, 0.17, 0.045, 0.2),
        Habit((0.30, 0.50, 0.20), (0.26, 0.44, 0.22, 0.08), 0.42, 0.40, 0.15, 0.25, 0.81, 0.2, 0.025, 0.15),
    ),
}
INTRODUCTIONS = (
    "the images show", "this unit looks at", "these are photos of", "the highlighted regions contain", "it focuses on",
    "the photos display", "the unit responds to", "i can see", "most of these contain",
    "all of the images include", "the neuron seems to detect", "this mostly finds", "there are", "the examples depict",
    "the bright regions cover", "the marked areas include", "here the unit picks out", "the visible areas are",
)  # fmt: skip
MAIN_PARTS = 5  # what annotators and scores count as the unit's own; a mistake names something else
REPEATABLE = ("also", "also", "look", "look", "look", "colour", "contact")  # they say something new each time
NEEDS_PARTS = frozenset({"also", "contact", "aspect", "look"})  # clauses that only make sense after named parts


def annotate(content: UnitContent, *, style: Style, seed: int | Sequence[int]) -> tuple[str, str, str]:
    """Return three descriptions of one unit, lower case, no full stop.

    The same content, style and seed give the same words. Give each unit its own seed, e.g. (7, layer number, unit).
    """
    if style not in HABITS:
        raise ValueError(f"Unknown style {style!r}; use one of {', '.join(HABITS)}.")
    base = [seed] if isinstance(seed, int) else list(seed)
    key = [*base, content.signature, list(HABITS).index(style)]
    first, second, third = (
        _describe(content, habit, np.random.default_rng([*key, number])) for number, habit in enumerate(HABITS[style])
    )
    return first, second, third


def _describe(content: UnitContent, habit: Habit, rng: np.random.Generator) -> str:
    speaker = Speaker(content, rng, synonym=habit.synonym, singular=habit.singular)
    everything = speaker.chance(habit.exhaustive)
    text, used = _subject(speaker, habit, everything)
    if everything or (used == "parts" and speaker.chance(habit.introduction)):
        text = f"{speaker.choose(INTRODUCTIONS)} {text}"
    kinds = [str(kind) for kind in rng.permutation([*CLAUSES, *REPEATABLE] if everything else list(CLAUSES))]
    wanted = len(kinds) if everything else int(rng.choice(len(habit.clauses), p=habit.clauses))
    return " ".join(_with_clauses(speaker, text, kinds, wanted, used).split())


def _with_clauses(speaker: Speaker, text: str, kinds: Sequence[str], wanted: int, used: str) -> str:
    """Add that many clauses; those without a comma come first, where they attach to the subject."""
    attached: list[str] = []
    loose: list[str] = []
    for kind in kinds:
        if len(attached) + len(loose) >= wanted:
            break
        if kind == used or (kind in NEEDS_PARTS and not speaker.said_parts):
            continue
        clause = CLAUSES[kind](speaker)
        if clause is not None:
            (loose if clause.startswith(",") else attached).append(clause)
    return text + "".join(attached) + "".join(loose)


def _subject(speaker: Speaker, habit: Habit, everything: bool) -> tuple[str, str]:
    """Return what the description is about and which clause that makes redundant ("parts" for none)."""
    content = speaker.content
    top = content.parts[0]
    looks_win = bool(content.colours) and content.colours[0].score > 1.2 * top.score
    sure = habit.names_top + 0.25 * (top.share - 0.35) - (0.04 if looks_win else 0.0)
    if not everything and not speaker.chance(min(max(sure, 0.3), 0.98)):
        return _miss(speaker, habit)
    counts = np.arange(1, len(habit.parts) + 1)
    count = len(counts) + 1 if everything else int(speaker.rng.choice(counts, p=habit.parts))
    if top.share > 0.6 and count > 1 and speaker.chance(0.5):
        count -= 1  # a pure unit leaves little else to say
    parts = _chosen_parts(speaker, count, habit.lapse)
    return _about_parts(speaker, parts, habit, detail=0.9 if everything else habit.detail)


def _about_parts(speaker: Speaker, parts: Sequence[str], habit: Habit, *, detail: float) -> tuple[str, str]:
    """Say the parts, plainly or as edges, a place in the image, areas or a number of them."""
    if speaker.content.edge > EDGE_RATIO and speaker.chance(0.35):
        edge = speaker.word(EDGE_WORDS["edge"].nouns).plural
        text = f"{speaker.choose(('', 'the '))}{edge} {speaker.choose(('of', 'of', 'around'))} "
        return text + speaker.listing(parts, detail=detail / 2), "edge"
    if speaker.content.positions and speaker.chance(0.15):
        where = {"left": "left side", "right": "right side"}.get(speaker.content.positions[0])
        where = where or speaker.content.positions[0]
        return f"the {where} of {speaker.listing(parts, detail=detail)}", "position"
    text = speaker.listing(parts, detail=detail)
    if speaker.chance(habit.opener):
        openers = QUANTITIES if speaker.starts_plural and speaker.chance(0.5) else REGIONS
        text = f"{speaker.choose(openers)} {text}"
    return text, "parts"


def _chosen_parts(speaker: Speaker, count: int, lapse: float) -> list[str]:
    """Return the top part and others by their enrichment, mostly in that order, some of them mistaken."""
    shares = speaker.content.parts
    others = shares[1:6]
    weights = np.array([max(share.score, 0.01) for share in others]) ** 1.3
    taken = min(count - 1, len(others))
    picked: list[int] = []
    if taken > 0:
        picked = sorted(speaker.rng.choice(len(others), size=taken, replace=False, p=weights / weights.sum()))
    names = [shares[0].name, *(others[i].name for i in picked)]
    names = [names[0], *(_mistaken(speaker, name) if speaker.chance(lapse) else name for name in names[1:])]
    if len(names) > 1 and speaker.chance(0.25):
        names = list(speaker.rng.permutation(names))
    return list(dict.fromkeys(map(str, names)))


def _mistaken(speaker: Speaker, part: str) -> str:
    """Return something of the same kind, or else in view, that is not one of the unit's main parts."""
    main = {share.name for share in speaker.content.parts[:MAIN_PARTS]}
    similar = [name for name in KINDS[KIND_OF[part]] if name not in main]
    in_view = [share.name for share in speaker.content.parts[MAIN_PARTS:]]
    if in_view and (not similar or speaker.chance(0.4)):
        return speaker.choose(in_view)
    return speaker.choose(similar) if similar else part


def _miss(speaker: Speaker, habit: Habit) -> tuple[str, str]:
    """Describe the unit without its top part: by a look, a wider word, other parts, a mistake."""
    content = speaker.content
    ways = {"kind": 1.0, "vague": 0.12, "mistaken": 1.6}
    if content.colours:
        ways["colour"] = 1.3 + 2.0 * min(content.colours[0].score / max(content.parts[0].score, 0.05), 2.0)
    if content.textures:
        ways["texture"] = 0.8
    if content.edge > EDGE_RATIO:
        ways["edge"] = 0.8
    if len(content.parts) > 1:
        ways["others"] = 1.6
    weights = np.array(list(ways.values()))
    way = str(speaker.rng.choice(list(ways), p=weights / weights.sum()))
    return {
        "kind": _say_kind,
        "vague": _say_something,
        "colour": _say_colour,
        "texture": _say_texture,
        "edge": _say_edges,
        "others": _say_others,
        "mistaken": _say_mistaken,
    }[way](speaker, habit)


def _say_kind(speaker: Speaker, habit: Habit) -> tuple[str, str]:
    part = speaker.content.parts[0].name
    colour = speaker.main_colour(part)
    adjective = speaker.colour(colour) if colour and speaker.chance(habit.detail) else ""
    text = speaker.noun(KIND_WORDS[KIND_OF[part]], adjective)
    second = speaker.content.parts[1:2]
    if second and speaker.chance(0.35):
        text = f"{text} and {speaker.part(second[0].name, detail=habit.detail)}"
    return text, "kind"


def _say_something(speaker: Speaker, habit: Habit) -> tuple[str, str]:  # noqa: ARG001  # one of the ways to miss
    return f"{speaker.choose(('objects', 'different', 'various', 'similar'))} {speaker.choose(SURFACES)}", "vague"


def _say_colour(speaker: Speaker, habit: Habit) -> tuple[str, str]:
    names = [share.name for share in speaker.content.colours[: 1 + speaker.chance(0.4)]]
    colours = " and ".join(speaker.colour(name) for name in names)
    texture = speaker.content.textures[:1]
    if texture and speaker.chance(habit.detail):
        return f"{colours} {speaker.texture(texture[0].name)} {speaker.choose(SURFACES[:10])}", "colour"
    if speaker.chance(0.25):
        return (
            f"{speaker.choose(('the colors' if len(names) > 1 else 'the color', 'spots of', 'a lot of'))} {colours}",
            "colour",
        )
    return f"{colours} {speaker.choose(SURFACES)}", "colour"


def _say_texture(speaker: Speaker, habit: Habit) -> tuple[str, str]:  # noqa: ARG001
    words = TEXTURE_WORDS[speaker.content.textures[0].name]
    if words.nouns and speaker.chance(0.4):
        noun = speaker.choose(words.nouns).plural
        frames = ("objects with {}", "{}", "things with {} on them", "areas containing {}", "patterns of {}")
        return speaker.choose(frames).format(noun), "texture"
    nouns = ("patterns", "textures", "surfaces", "areas", "objects", "materials", "backgrounds")
    return f"{speaker.word(words.adjectives)} {speaker.choose(nouns)}", "texture"


def _say_edges(speaker: Speaker, habit: Habit) -> tuple[str, str]:  # noqa: ARG001
    noun = speaker.word(EDGE_WORDS["edge"].nouns).plural
    tails = ("of objects", "of things", "in images", "of shapes", "between surfaces", "of different items", "")
    return f"{noun} {speaker.choose(tails)}".strip(), "edge"


def _say_others(speaker: Speaker, habit: Habit) -> tuple[str, str]:
    others = [share.name for share in speaker.content.parts[1:4]]
    count = min(len(others), 1 + speaker.chance(1.0 - habit.parts[0]))
    picked = sorted(speaker.rng.choice(len(others), size=count, replace=False))
    return speaker.listing([others[i] for i in picked], detail=habit.detail), "others"


def _say_mistaken(speaker: Speaker, habit: Habit) -> tuple[str, str]:
    wrong = _mistaken(speaker, speaker.content.parts[0].name)
    return speaker.part(wrong, detail=habit.detail), "mistaken"
