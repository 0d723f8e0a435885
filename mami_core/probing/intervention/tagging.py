"""Word classes of captions: the painted world's by its own lexicon, any text's by a tagger that is plugged in.

A tagger is anything with `name` and `tags(texts)`: a list of (word, tag) pairs a text, e.g. [("dogs", "NOUN")]. It is
found as an entry point of the group `mami.taggers` that names a factory without arguments, or as `path.py:factory`;
the file is run, so name only files that you trust. spaCy's `token.pos_` makes one in six lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np

from mami_core.inputs.networks import module_at
from mami_core.scenery.reading import read_caption

GROUP: Final = "mami.taggers"
LEXICON_CLASSES: Final = ("part", "colour", "texture", "position")


@runtime_checkable
class Tagger(Protocol):
    """Says which class each word of a text is of."""

    name: str

    def tags(self, texts: Sequence[str]) -> Sequence[Sequence[tuple[str, str]]]:
        """Return (word, tag) for the words of each text, in order."""
        ...


class Lexicon:
    """The painted world's own words: parts, colours, textures and positions; other words have no tag."""

    name = "scenery lexicon"

    def tags(self, texts: Sequence[str]) -> list[list[tuple[str, str]]]:
        """Return (meaning, class) for what each caption affirms, each meaning once."""
        return [[(meaning.name, meaning.category) for meaning in read_caption(text).meanings] for text in texts]


def open_tagger(name: str) -> Tagger:
    """Return a tagger by plug-in name or `path.py:factory`; ValueError or FileNotFoundError says what is not there."""
    made = _factory(name)()
    if not isinstance(made, Tagger):
        raise ValueError(f"{name} gave {type(made).__name__}; a tagger has a name and tags(texts)")
    return made


def _factory(name: str) -> Any:
    if ".py:" in name:
        place, _, wanted = name.rpartition(":")
        path = Path(place).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f"no tagger file {path}; check the path before ':{wanted}'")
        factory = getattr(module_at(path), wanted, None)
        if not callable(factory):
            raise ValueError(f"{path} has no function {wanted!r}; write {path.name}:factory")
        return factory
    installed = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in installed:
        raise ValueError(f"no tagger {name!r}; installed: {', '.join(installed) or 'none'}, or name path.py:factory")
    return installed[name].load()


def class_counts(texts: Sequence[str | None], wanted: str, tagger: Tagger) -> np.ndarray:
    """Return how many words of class `wanted` each caption has, float64 (n,); NaN where nothing was said.

    ValueError names the classes that do occur where that one never does.
    """
    spoken = [place for place, text in enumerate(texts) if text]
    tagged = tagger.tags([texts[place] or "" for place in spoken])
    if len(tagged) != len(spoken):
        raise ValueError(f"tagger {tagger.name!r} tagged {len(tagged)} of {len(spoken)} captions")
    classes = {tag for words in tagged for _, tag in words}
    if wanted not in classes and not isinstance(tagger, Lexicon):
        raise ValueError(f"{tagger.name} finds no {wanted!r} in these captions; it finds {', '.join(sorted(classes))}")
    counted = np.full(len(texts), np.nan)
    counted[spoken] = [sum(tag == wanted for _, tag in words) for words in tagged]
    return counted
