"""Figure 3's counterpart: units with the longest references, and wins and losses drawn at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from mami_core.evaluation.truth import score_caption
from mami_core.pipeline.tables.table2.names import COMPOUND, CONSENSUS, NeuronKey
from mami_core.pipeline.tables.table2.said import Row, Said

EACH: Final = 4  # units of a kind
_SPOKEN: Final = ("milan", "mami", CONSENSUS)


def gallery(said: Said) -> list[str]:
    """Return Markdown: the longest references, and units where ours does better or worse than MILAN on the truth.

    Of the longer references; where the truth is not known, the longest ones alone.
    """
    set_ = said.sets[-1]
    spoken = {name: found[min(found)] for name in _SPOKEN if (found := said.captions.get(Row(set_, COMPOUND, name)))}
    if not {"milan", CONSENSUS} <= spoken.keys():
        return []
    keys = sorted(spoken["milan"])
    longest = sorted(keys, key=lambda key: (-max(len(text.split()) for text in said.units[key].texts[set_]), key))
    kinds = {"The longest references": longest[:EACH]}
    if said.painted:
        kinds |= _better_and_worse(said, spoken)
    lines = ["### Examples (figure 3; by names the top part, then attribute F1; seed 0)", ""]
    for title, chosen in kinds.items():
        lines += [f"**{title}**", ""]
        for key in chosen:
            lines += _unit(said, key, set_, spoken)
        lines.append("")
    return lines


def _better_and_worse(said: Said, spoken: Mapping[str, Mapping[NeuronKey, str]]) -> dict[str, list[NeuronKey]]:
    keys = sorted(spoken["milan"])
    gains = {key: _truth(said, key, spoken[CONSENSUS]) - _truth(said, key, spoken["milan"]) for key in keys}
    return {
        "Ours better, drawn at random": _drawn([key for key in keys if gains[key] > 0]),
        "Ours worse, drawn at random": _drawn([key for key in keys if gains[key] < 0]),
    }


def _truth(said: Said, key: NeuronKey, captions: Mapping[NeuronKey, str]) -> float:
    content = said.units[key].content
    assert content is not None
    scores = score_caption(captions[key], content)
    return scores["names_top"] + 0.1 * scores["attribute_f1"]


def _drawn(keys: Sequence[NeuronKey]) -> list[NeuronKey]:
    order = np.random.default_rng(0).permutation(len(keys))[:EACH]
    return [keys[place] for place in sorted(order)]


def _unit(said: Said, key: NeuronKey, set_: str, spoken: Mapping[str, Mapping[NeuronKey, str]]) -> list[str]:
    unit = said.units[key]
    parts = [f"{share.name} {share.share:.0%}" for share in unit.content.parts[:3]] if unit.content else []
    lines = [f"- `{key[0]}/{key[1]}/{key[2]}`: {', '.join(parts)}".removesuffix(": ")]
    lines += [f"  - reference: {text}" for text in unit.texts[set_]]
    return [*lines, *(f"  - {name}: {captions[key]}" for name, captions in spoken.items())]
