"""Take down what a captioner of any kind says of a dissection's units, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mami_core.captioning.features import alive_units
from mami_core.captioning.protocol import Captioner, ShownUnit
from mami_core.config import settings_sha256
from mami_core.pipeline.progress import Report
from mami_core.records import Caption
from mami_core.store import Dissection, DissectionWriter, UnitKey

Speak = Callable[[Sequence[UnitKey]], Sequence[Caption]]  # one caption a unit, in order; only living units are asked


def with_settings_sha256(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is written beside a captioner's captions, and the hash that says whether two runs are alike."""
    return {**facts, "settings_sha256": settings_sha256(dict(facts))}


def take_down(
    dissection: Dissection,
    name: str,
    provenance: Mapping[str, Any],
    keys: Sequence[UnitKey],
    speak: Speak,
    *,
    batch_size: int,
    report: Report,
) -> dict[UnitKey, Caption]:
    """Ask for captions of the living among `keys`, write them, and give them with what was kept.

    Dead units get a caption that says so. What the same captioner said of other units in the same way is kept.
    """
    writer = DissectionWriter.open(dissection.path)
    writer.stage(f"caption:{name}", "running")
    captions = _kept(dissection, name, provenance, set(keys))
    alive = set(alive_units(dissection))
    living = [key for key in keys if key in alive]
    for start in range(0, len(living), batch_size):
        batch = living[start : start + batch_size]
        captions.update(zip(batch, speak(batch), strict=True))
        report(f"{name}: captions", min(start + batch_size, len(living)), len(living))
    nothing = float("nan")
    captions.update({key: Caption(name, (), nothing, nothing, state="dead_unit") for key in keys if key not in alive})
    ordered = {key: captions[key] for key in dissection.unit_keys() if key in captions}
    writer.write_captions(name, ordered, provenance)
    writer.stage(f"caption:{name}", "done")
    return ordered


def _kept(
    dissection: Dissection, name: str, provenance: Mapping[str, Any], replaced: set[UnitKey]
) -> dict[UnitKey, Caption]:
    earlier = dissection.manifest.captioners.get(name, {})
    if earlier.get("settings_sha256") != provenance["settings_sha256"]:
        return {}
    others = (key for key in dissection.unit_keys() if key not in replaced)
    found = {key: dissection.caption(name, *key) for key in others}
    return {key: caption for key, caption in found.items() if caption is not None}


def caption_by(
    dissection: Dissection, captioner: Captioner, keys: Sequence[UnitKey], *, batch_size: int, report: Report
) -> dict[UnitKey, Caption]:
    """Caption units by a captioner that is not ours, and write the result.

    ValueError where it breaks its promise: another number of captions than of units, or something else than captions.
    """

    def speak(batch: Sequence[UnitKey]) -> Sequence[Caption]:
        said = captioner.caption([ShownUnit(dissection, *key) for key in batch])
        if len(said) != len(batch) or not all(isinstance(caption, Caption) for caption in said):
            kinds = ", ".join(sorted({type(caption).__name__ for caption in said})) or "nothing"
            raise ValueError(
                f"captioner {captioner.name!r} gave {len(said)} x {kinds} for {len(batch)} units; "
                "it must give one Caption a unit, such as caption_of(name, text)"
            )
        return said

    facts = with_settings_sha256({"captioner": captioner.name, **captioner.provenance})
    return take_down(dissection, captioner.name, facts, keys, speak, batch_size=batch_size, report=report)
