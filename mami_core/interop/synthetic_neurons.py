"""MAIA's synthetic neurons: what each was built to fire for is known, with the images that excite it most.

Shaham et al. 2024, "A Multimodal Automated Interpretability Agent": a JSON list of `label`, `image_names` and
`activations`. A label is one concept, or two that are joined by a rule: `people_building` under `or`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

Rule = Literal["mono", "or", "and"]
_FIELDS: Final = ("label", "image_names", "activations")


@dataclass(frozen=True, slots=True)
class SyntheticNeuron:
    """One planted neuron. Images are strongest first."""

    rule: Rule
    concepts: tuple[str, ...]
    images: tuple[str, ...]
    activations: tuple[float, ...]

    @property
    def description(self) -> str:
        """Return what it fires for in words: `people or building`."""
        return f" {self.rule} ".join(self.concepts)


def read_synthetic(path: Path, rule: str | None = None) -> list[SyntheticNeuron]:
    """Read a file of MAIA's; `rule` (mono, or, and) where its name does not end with one.

    FileNotFoundError, or ValueError that names the entry and the field.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise ValueError(f"{path} is not JSON: {problem}") from None
    named = rule or re.split(r"[^a-z]", path.stem.lower())[-1]
    if named not in get_args(Rule):
        raise ValueError(f"{path}: {named!r} is no rule; name one of {', '.join(get_args(Rule))} with --layer")
    if not isinstance(body, list) or not body:
        raise ValueError(f"{path} is no list of synthetic neurons")
    return [_neuron(path, place, entry, named) for place, entry in enumerate(body)]  # type: ignore[arg-type]


def _neuron(path: Path, place: int, entry: Any, rule: Rule) -> SyntheticNeuron:
    missing = [name for name in _FIELDS if not isinstance(entry, dict) or name not in entry]
    if missing:
        raise ValueError(f"{path}, entry {place}, field {missing[0]!r}: missing")
    label, names, values = (entry[name] for name in _FIELDS)
    concepts = (label,) if rule == "mono" else tuple(str(label).split("_"))
    if not isinstance(label, str) or (rule != "mono" and len(concepts) != 2):
        raise ValueError(f"{path}, entry {place}, field 'label': {label!r} does not name the concepts of {rule!r}")
    if len(names) != len(values):
        raise ValueError(
            f"{path}, entry {place}, field 'activations': {len(values)} numbers for {len(names)} image names"
        )
    order = sorted(range(len(values)), key=lambda at: -values[at])
    return SyntheticNeuron(
        rule, concepts, tuple(f"{rule}/{label}/{names[at]}" for at in order), tuple(float(values[at]) for at in order)
    )
