"""Noun phrases about a unit's true content: "red striped awnings", "a brown wooden door", "roofs and walls".

A `Speaker` talks about one unit in one caption: it says a colour by the same word throughout, and no part twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from mami_core.scenery.content import UnitContent
from mami_core.scenery.lexicon import COLOUR_WORDS, PART_WORDS, PLACE_PREPOSITIONS, PLACE_WORDS, TEXTURE_WORDS
from mami_core.scenery.wording import Words

T = TypeVar("T")

UNIQUE_NOUNS = frozenset({"sky", "open sky", "sun", "moon", "sea", "ocean", "full moon"})
QUANTITIES = (
    "some", "several", "many", "various", "different", "a few", "multiple", "lots of", "a group of", "groups of",
    "a variety of", "all kinds of", "numerous", "similar", "pairs of", "clusters of", "a lot of", "rows of",
)  # fmt: skip
REGIONS = (
    "areas of", "regions of", "parts of", "sections of", "patches of", "pieces of", "bits of", "spots of", "images of",
    "photos of", "views of", "portions of", "close ups of", "details of", "shots of", "fragments of", "stretches of",
    "shapes of", "the surface of", "the sides of", "the front of", "the shape of", "the presence of",
    "scenes of", "segments of", "glimpses of", "expanses of", "the appearance of", "the texture of",
)  # fmt: skip
SURFACES = (
    "areas", "objects", "surfaces", "regions", "things", "items", "shapes", "spots", "patches", "backgrounds",
    "sections", "materials", "elements", "tones", "spaces", "zones", "parts", "colored areas", "colored objects",
    "colored things", "shaded regions", "hues", "shades",
)  # fmt: skip
PLACE_FRAMES = (
    "{in_place}", "{in_place}", "{in_place}", "found {in_place}", "seen {in_place}", "in {place} scenes",
    "in {place} images", "in photos of {places}", "in {place} settings", "from {place} scenes", "located {in_place}",
    "in images of {places}", "in {place} photos", "that appear {in_place}", "that you would see {in_place}",
    "in shots of {places}", "usually {in_place}",
)  # fmt: skip


class Speaker:
    """Words for one unit. `synonym` and `singular` are how often it leaves the usual word and the plural."""

    def __init__(self, content: UnitContent, rng: np.random.Generator, *, synonym: float, singular: float) -> None:
        self.content = content
        self.rng = rng
        self.synonym = synonym
        self.singular = singular
        self.said_parts: list[str] = []
        self.said_textures: set[str] = set()
        self.said_where = False  # "indoors" and "in a kitchen" say the same twice
        self.starts_plural = False  # whether the first part was said as a counted plural, so that "several" fits
        self._colour_words: dict[str, str] = {}

    def chance(self, probability: float) -> bool:
        """Return True that often."""
        return bool(self.rng.random() < probability)

    def choose(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[int(self.rng.integers(len(options)))]

    def word(self, words: Sequence[T]) -> T:
        """Return the usual word, or now and then another, the later in the list the more rarely (as Zipf has it)."""
        if len(words) == 1 or not self.chance(self.synonym):
            return words[0]
        weights = 1.0 / np.arange(2, len(words) + 1)
        return words[1 + int(self.rng.choice(len(words) - 1, p=weights / weights.sum()))]

    @property
    def said_colours(self) -> frozenset[str]:
        """Return the colours named so far."""
        return frozenset(self._colour_words)

    def colour(self, name: str) -> str:
        """Return a colour's word, the same one each time within a caption."""
        if name not in self._colour_words:
            adjectives = COLOUR_WORDS[name].adjectives
            self._colour_words[name] = self.word(adjectives) if self.chance(0.6) else adjectives[0]
        return self._colour_words[name]

    def texture(self, name: str) -> str:
        """Return a texture's adjective."""
        self.said_textures.add(name)
        return self.word(TEXTURE_WORDS[name].adjectives)

    def noun(self, words: Words, adjectives: str = "", *, plural: bool = False) -> str:
        """Return adjectives and noun, singular with its article or plural (always the latter if asked for)."""
        noun = self.word(words.nouns)
        described = f"{adjectives} {{}}".strip() if adjectives else "{}"
        if noun.singular in UNIQUE_NOUNS and self.chance(0.7):
            return f"the {described.format(noun.singular)}" if self.chance(0.6) else described.format(noun.singular)
        if not noun.counted:
            return described.format(noun.singular)
        if plural or not self.chance(self.singular):
            self.starts_plural |= len(self.said_parts) == 1
            return described.format(noun.plural)
        return with_article(described.format(noun.singular))

    def part(self, name: str, *, detail: float, colour: bool = True, plural: bool = False) -> str:
        """Return a noun phrase for a part, with adjectives that are true of it on this unit."""
        self.said_parts.append(name)
        adjectives = self._colours_of(name, detail) if colour else []
        texture = self._texture_of(name, detail)
        return self.noun(PART_WORDS[name], " ".join([*adjectives, *texture]), plural=plural)

    def main_colour(self, name: str) -> str | None:
        """Return the colour that more than half of this part has, or None."""
        main = self.content.part_colours.get(name, ())
        return main[0][0] if main and main[0][1] > 0.5 else None

    def _colours_of(self, name: str, detail: float) -> list[str]:
        main = self.content.part_colours.get(name, ())
        if main and main[0][1] > 0.5:
            return [self.colour(main[0][0])] if self.chance(min(0.95, detail + 0.2)) else []
        if len(main) > 1 and main[0][1] + main[1][1] > 0.65 and self.chance(detail * 0.7):
            return [f"{self.colour(main[0][0])} and {self.colour(main[1][0])}"]
        return []

    def _texture_of(self, name: str, detail: float) -> list[str]:
        main = self.content.part_textures.get(name, ())
        clear = bool(main) and main[0][1] > 0.55 and main[0][0] != "plain"
        return [self.texture(main[0][0])] if clear and self.chance(detail * 0.8) else []

    def listing(self, parts: Sequence[str], *, detail: float, plural: bool = False) -> str:
        """Return the parts as one enumeration; a colour that all share is said once, as people do."""
        colours = {self.main_colour(part) for part in parts}
        once = len(parts) > 1 and len(colours) == 1 and None not in colours
        phrases = [
            self.part(part, detail=detail, colour=not (once and index > 0), plural=plural)
            for index, part in enumerate(parts)
        ]
        return self.join(phrases)

    def join(self, phrases: Sequence[str]) -> str:
        """Return "a", "a and b", "a, b and c"; sometimes only commas."""
        if len(phrases) == 1:
            return phrases[0]
        last = " and " if self.chance(0.85) else ", "
        return ", ".join(phrases[:-1]) + last + phrases[-1]

    def place(self, name: str) -> str:
        """Return where: "in a kitchen", "in kitchen scenes", "seen on farms"."""
        noun = self.word(PLACE_WORDS[name].nouns)
        preposition = PLACE_PREPOSITIONS.get(name, "in")
        inside = noun.plural if not noun.counted or self.chance(0.5) else with_article(noun.singular)
        bare = noun.singular.removeprefix("the ")
        frame = self.choose(PLACE_FRAMES) if noun.counted else "{in_place}"
        return frame.format(in_place=f"{preposition} {inside}", place=bare, places=noun.plural)


def with_article(phrase: str) -> str:
    """Put "a" or "an" before a singular noun phrase."""
    vowel = phrase[0] in "aeio" or (phrase[0] == "u" and not phrase.startswith("uni"))
    return f"{'an' if vowel else 'a'} {phrase}"
