"""What an annotator may add after the subject: where, what light, which colours, what touches what; one of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mami_core.scenery.lexicon import LIGHT_PHRASES, PART_WORDS, POSITION_WORDS, TEXTURE_WORDS
from mami_core.scenery.phrases import Speaker, with_article

EDGE_RATIO = 1.7  # times chance: from here on borders are worth a word
MIN_PLACE, MIN_LIGHT = 0.26, 0.6  # fraction of the exemplars
MIN_CONTACT = 0.15  # share of a pair among all contacts under the masks
SMALL_AREA, LARGE_AREA = 0.012, 0.12  # share of the image
BACKGROUNDS = frozenset({"sky", "water", "snow", "wall", "floor", "ceiling", "grass", "sand", "road"})

IMAGE_WORDS = ("image", "photo", "frame", "shot", "scene", "view", "photograph")
POSITION_FRAMES = (
    " at the {where} of the {image}", " in the {where} of the {image}", " near the {where} of the {image}",
    " on the {where} of each {image}", " toward the {where} of the {image}", " along the {where} of the {image}",
    ", usually in the {where} of the {image}", ", mostly filling the {where} of the {image}",
    ", the focus is on the {where} of the {image}", ", placed at the {where} of every {image}",
)  # fmt: skip
COLOUR_FRAMES = (
    ", mostly {}", ", usually {}", ", often {}", ", mainly {} in color", ", the main color is {}",
    ", they are mainly {}", ", with a lot of {}", ", the dominant colors are {}", ", most of them are {}",
    ", painted {}", ", generally {}", ", tending to be {}", ", with {} tones", ", all of them look {}",
    ", predominantly {}", ", typically {}", ", they tend to have {} hues",
)  # fmt: skip
TEXTURE_NOUN_FRAMES = (" with {}", " covered with {}", ", showing {}", " containing {}", ", they all have {}")
TEXTURE_FRAMES = (
    " with {} surfaces", " with {article} {} pattern", ", the surfaces look {}", ", the texture appears {}",
    ", they feel {}", " that look {}", " that have {article} {} texture", ", they seem rather {}",
)  # fmt: skip
LOOK_FRAMES = (
    ", the {part} {be} {colour}", ", where the {part} {be} mostly {colour}", ", the {part} often {be} {colour} here",
    ", the {part} {be} usually {colour}",
)  # fmt: skip
EDGE_CLAUSES = (
    ", along the edges where they meet", ", around the borders", ", highlighting the outlines",
    ", following the contours", ", tracing the boundary between them", ", especially along their edges",
    ", the corners and edges stand out", ", marking the outline of each object",
)  # fmt: skip
CONTACT_FRAMES = (
    ", {upper} above {lower}", ", with {upper} over {lower}", ", {lower} below {upper}",
    ", where {upper} meet {lower}", ", with {lower} under {upper}", ", {lower} beneath {upper}",
    ", the place where {upper} touch {lower}", ", {lower} underneath {upper}",
)  # fmt: skip
ALSO_FRAMES = (
    ", sometimes also {}", ", as well as some {}", ", a few of them include {}", ", along with {}",
    ", as well as {}", ", occasionally {}", ", together with {}", ", plus {}", ", in addition to {}",
    ", it also responds to {}", ", some contain {}", ", others show {}", ", accompanied by {}",
    ", and to a lesser extent {}", ", now and then {}", ", some images feature {} too",
)  # fmt: skip
SMALL_CLAUSES = (
    ", only small spots are highlighted", ", the regions are very small", ", just tiny bits", ", in little patches",
    ", only narrow strips are lit up", ", mere details",
)  # fmt: skip
LARGE_CLAUSES = (", large areas", ", covering big regions", ", wide expanses", ", filling huge sections")
ASPECT_CLAUSES = (
    ", shown from different angles", ", seen from a distance", ", viewed up close", ", repeated several times",
    ", clearly visible", ", partly hidden", ", of all sizes", ", arranged one after another",
    ", in various shapes and sizes", ", standing out from the rest", ", photographed at some distance",
)  # fmt: skip


def place_clause(speaker: Speaker) -> str | None:
    """Say where the exemplars were taken: the commonest place, or two."""
    places = [name for name, share in speaker.content.places[:2] if share >= MIN_PLACE]
    if not places or speaker.said_where:
        return None
    speaker.said_where = True
    first = f" {speaker.place(places[0])}"
    return f"{first} or {speaker.place(places[1])}" if len(places) > 1 and speaker.chance(0.25) else first


def light_clause(speaker: Speaker) -> str | None:
    """Say the light that most exemplars share."""
    light, share = speaker.content.lights[0]
    if share < MIN_LIGHT or (light == "day" and speaker.chance(0.7)):  # plain daylight is rarely worth a word
        return None
    if light == "indoor":
        if speaker.said_where:
            return None
        speaker.said_where = True
    return f" {speaker.choose(LIGHT_PHRASES[light])}"


def position_clause(speaker: Speaker) -> str | None:
    """Say in which part of the image the masks lie."""
    if not speaker.content.positions:
        return None
    where = speaker.word(POSITION_WORDS[speaker.content.positions[0]].nouns).singular
    return speaker.choose(POSITION_FRAMES).format(where=where, image=speaker.word(IMAGE_WORDS))


def colour_clause(speaker: Speaker) -> str | None:
    """Say the colours that stand out over all masks and were not said before."""
    names = [share.name for share in speaker.content.colours[:3] if share.name not in speaker.said_colours]
    if not names:
        return None
    count = 1 + speaker.chance(0.55) + speaker.chance(0.2)
    colours = [speaker.colour(name) for name in names[:count]]
    return speaker.choose(COLOUR_FRAMES).format(speaker.join(colours))


def texture_clause(speaker: Speaker) -> str | None:
    """Say the texture that stands out over all masks and was not said before."""
    names = [share.name for share in speaker.content.textures if share.name not in speaker.said_textures]
    if not names:
        return None
    nouns = TEXTURE_WORDS[names[0]].nouns
    if nouns and speaker.chance(0.35):
        return speaker.choose(TEXTURE_NOUN_FRAMES).format(speaker.choose(nouns).plural)
    adjective = speaker.texture(names[0])
    article = with_article(adjective).split()[0]
    return speaker.choose(TEXTURE_FRAMES).format(adjective, article=article)


def edge_clause(speaker: Speaker) -> str | None:
    """Say that the masks follow the borders of things."""
    return speaker.choose(EDGE_CLAUSES) if speaker.content.edge >= EDGE_RATIO else None


def contact_clause(speaker: Speaker) -> str | None:
    """Say which part lies above which: one that was named, and one of the unit's main parts that was not."""
    main = {share.name for share in speaker.content.parts[:5]}
    for contact in speaker.content.contacts:
        both = {contact.upper, contact.lower}
        if contact.share >= MIN_CONTACT and both <= main and len(both & set(speaker.said_parts)) == 1:
            upper, lower = (speaker.part(name, detail=0.1) for name in (contact.upper, contact.lower))
            return speaker.choose(CONTACT_FRAMES).format(upper=upper, lower=lower)
    return None


def also_clause(speaker: Speaker) -> str | None:
    """Name one or two more of the unit's parts."""
    left = [share.name for share in speaker.content.parts[1:6] if share.name not in speaker.said_parts]
    if not left:
        return None
    more = speaker.listing(left[: 1 + speaker.chance(0.4)], detail=0.25, plural=True)
    return speaker.choose(ALSO_FRAMES).format(more)


def size_clause(speaker: Speaker) -> str | None:
    """Say that the masks are tiny or large."""
    if speaker.content.area < SMALL_AREA:
        return speaker.choose(SMALL_CLAUSES)
    return speaker.choose(LARGE_CLAUSES) if speaker.content.area > LARGE_AREA else None


def look_clause(speaker: Speaker) -> str | None:
    """Say the colour of a named part whose colour was not said yet."""
    for part in speaker.said_parts:
        colour = speaker.main_colour(part)
        if colour is not None and colour not in speaker.said_colours:
            noun = PART_WORDS[part].nouns[0]
            be = "are" if noun.counted else "is"
            return speaker.choose(LOOK_FRAMES).format(part=noun.plural, be=be, colour=speaker.colour(colour))
    return None


def aspect_clause(speaker: Speaker) -> str | None:
    """Add a remark of the kind people make about things (not about backgrounds); it adds words, not truth."""
    things = [part for part in speaker.said_parts if part not in BACKGROUNDS]
    return speaker.choose(ASPECT_CLAUSES) if things and PART_WORDS[things[0]].nouns[0].counted else None


CLAUSES: Mapping[str, Callable[[Speaker], str | None]] = {
    "place": place_clause,
    "light": light_clause,
    "position": position_clause,
    "colour": colour_clause,
    "texture": texture_clause,
    "edge": edge_clause,
    "contact": contact_clause,
    "also": also_clause,
    "look": look_clause,
    "size": size_clause,
    "aspect": aspect_clause,
}
