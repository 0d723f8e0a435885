"""Cut text into word tokens as the MILAN reference does, and join tokens into a line again.

The reference runs spaCy's English tokeniser and lower-cases its tokens. These are the rules of it that descriptions
meet: prefixes and suffixes are peeled off each chunk, contractions and abbreviations are exceptions, hyphens and
slashes between letters separate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mami_core.records import join_words

# fmt: off
_ABBREVIATIONS = frozenset([
    "a.m.", "p.m.", "e.g.", "i.e.", "vs.", "v.s.", "dr.", "mr.", "mrs.", "ms.", "prof.", "st.", "jr.", "inc.",
    "ltd.", "co.", "corp.", "bros.", "ph.d.", "d.c.", "gen.", "gov.", "rep.", "rev.", "sen.", "adm.", "messrs.",
    "jan.", "feb.", "mar.", "apr.", "jun.", "jul.", "aug.", "sep.", "sept.", "oct.", "nov.", "dec.",
    *(f"{letter}." for letter in "abcdefghijklmnopqrstuvwxyz"),
])
_CONTRACTED = frozenset([
    "do", "does", "did", "is", "are", "was", "were", "has", "have", "had", "ca", "could", "wo", "would", "should",
    "might", "must", "need", "ought", "sha", "dare", "ai", "may",
])
_EMOTICONS = frozenset([":)", ":(", ";)", ":-)", ":-(", ":D", ":/", "<3", "^_^", "-_-", ":P"])
# fmt: on
_SPLIT_WORDS = {"cannot": ("can", "not"), "gonna": ("gon", "na"), "gotta": ("got", "ta")}
_PUNCTUATION = r"…|\.\.+|[,:;!?¿¡()\[\]{}<>_#*&。，、；：]"
_QUOTES = r"''|\"|'|[“”‘’`´«»]"
_PREFIX = re.compile(rf"§|%|=|—|–|\+(?![0-9])|{_PUNCTUATION}|{_QUOTES}|[$£€¥]")
_UNITS = r"km²|km|m²|m/s|mm|cm|dm|nm|kg|mg|kb|mb|gb|tb|km/h|mph|hz|kpa|m|g|%"
_SUFFIX = re.compile(
    rf"(?:'s|’s|—|–|{_PUNCTUATION}|{_QUOTES}|(?<=[0-9])\+|(?<=[0-9])(?:{_UNITS}|[$£€¥])"
    rf"|(?<=[0-9a-z%²\-+\"')\]])\.|(?<=[A-Z][A-Z])\.)$",
    re.IGNORECASE,
)
_UPPER_END = re.compile(r"(?:^|[^A-Za-z])[A-Z]\.$")  # the full stop of an initial or of U.S. stays
_INFIX = re.compile(
    r"\.\.+|…|(?<=[0-9])[+*^](?=[0-9-])|(?<=[a-z])\.(?=[A-Z])|(?<=[^\W\d_]),(?=[^\W\d_])"
    r"|(?<=[^\W\d_])(?:---|--|-|–|—|~)(?=[^\W\d_])|(?<=[^\W_])[:<>=/](?=[^\W\d_])"
)
_NOT = re.compile(r"^(.+)(n['’]?t)$", re.IGNORECASE)
_CLITIC = re.compile(r"^(i|you|he|she|it|we|they|who|what|that|there|here|how|where)(['’](?:ll|re|ve|d|m))$", re.I)


def tokenize(text: str) -> list[str]:
    """Return the lower-case tokens of `text`: words, numbers and punctuation marks, no white space.

    >>> tokenize("The dog's nose isn't black-and-white.")
    ['the', 'dog', "'s", 'nose', 'is', "n't", 'black', '-', 'and', '-', 'white', '.']
    """
    return [token.lower() for chunk in text.split() for token in _chunk(chunk)]


def _chunk(chunk: str) -> list[str]:
    """Peel prefixes and suffixes from one chunk until an exception or the bare middle is left."""
    before: list[str] = []
    after: list[str] = []
    while chunk:
        special = _exception(chunk)
        if special:
            return before + list(special) + after[::-1]
        prefix = _PREFIX.match(chunk)
        if prefix:
            before.append(prefix.group())
            chunk = chunk[prefix.end() :]
            continue
        suffix = _SUFFIX.search(chunk)
        if suffix is None or suffix.start() == 0 or (suffix.group() == "." and _UPPER_END.search(chunk)):
            break
        after.append(suffix.group())
        chunk = chunk[: suffix.start()]
    return before + _infixes(chunk) + after[::-1]


def _exception(chunk: str) -> tuple[str, ...]:
    """Return the tokens of a chunk that has a rule of its own; empty when it has none."""
    low = chunk.lower()
    if low in _ABBREVIATIONS or chunk in _EMOTICONS:
        return (chunk,)
    if low in _SPLIT_WORDS:
        return _SPLIT_WORDS[low]
    negated = _NOT.match(chunk)
    if negated and negated.group(1).lower() in _CONTRACTED:
        return negated.groups()
    clitic = _CLITIC.match(chunk)
    return clitic.groups() if clitic else ()


def _infixes(middle: str) -> list[str]:
    """Cut the middle at hyphens, slashes and the like, which become tokens themselves."""
    tokens: list[str] = []
    start = 0
    for found in _INFIX.finditer(middle):
        tokens += [middle[start : found.start()], found.group()]
        start = found.end()
    return [token for token in [*tokens, middle[start:]] if token]


def as_sentence(words: Sequence[str]) -> str:
    """Return the line as the reference prints captions: each sentence opens with a capital, the rest is lower case."""
    return ". ".join(sentence.capitalize() for sentence in join_words(words).split(". "))
