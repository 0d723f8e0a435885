"""Figure 3's counterpart: units with the longest references, and wins and losses drawn at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from mami_core.evaluation.truth import score_caption
from mami_core.pipeline.tables.table2.said import Row, Said
from mami_core.pipeline.tables.table2.trainings import CONSENSUS
from mami_core.pipeline.tables.table2.units import COMPOUND, NeuronKey

SET: Final = "long"
EACH: Final = 4  # units of a kind
_SPOKEN: Final = ("milan", "mami", CONSENSUS)


def gallery(said: Said) -> list[str]:
    """Return Markdown: the longest references, and units where ours does better or worse than MILAN on the truth."""
    spoken = {name: found[min(found)] for name in _SPOKEN if (found := said.captions.get(Row(SET, COMPOUND, name)))}
    if not {"milan", CONSENSUS} <= spoken.keys():
        return []
    keys = sorted(spoken["milan"])
    gains = {key: _truth(said, key, spoken[CONSENSUS]) - _truth(said, key, spoken["milan"]) for key in keys}
    longest = sorted(keys, key=lambda key: (-max(len(text.split()) for text in said.units[key].texts[SET]), key))
    kinds = {
        "The longest references": longest[:EACH],
        "Ours better, drawn at random": _drawn([key for key in keys if gains[key] > 0]),
        "Ours worse, drawn at random": _drawn([key for key in keys if gains[key] < 0]),
    }
    lines = ["### Examples (figure 3; by names the top part, then attribute F1; seed 0)", ""]
    for title, chosen in kinds.items():
        lines += [f"**{title}**", ""]
        for key in chosen:
            lines += _unit(said, key, spoken)
        lines.append("")
    return lines


def _truth(said: Said, key: NeuronKey, captions: Mapping[NeuronKey, str]) -> float:
    scores = score_caption(captions[key], said.units[key].content)
    return scores["names_top"] + 0.1 * scores["attribute_f1"]


def _drawn(keys: Sequence[NeuronKey]) -> list[NeuronKey]:
    order = np.random.default_rng(0).permutation(len(keys))[:EACH]
    return [keys[place] for place in sorted(order)]


def _unit(said: Said, key: NeuronKey, spoken: Mapping[str, Mapping[NeuronKey, str]]) -> list[str]:
    unit = said.units[key]
    parts = ", ".join(f"{share.name} {share.share:.0%}" for share in unit.content.parts[:3])
    lines = [f"- `{key[0]}/{key[1]}/{key[2]}`: {parts}"]
    lines += [f"  - reference: {text}" for text in unit.texts[SET]]
    return [*lines, *(f"  - {name}: {captions[key]}" for name, captions in spoken.items())]
