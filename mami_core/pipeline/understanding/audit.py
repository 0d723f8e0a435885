"""`mami audit`: how many units of two networks name a concept."""

from __future__ import annotations

from typing import Any

from mami_core.config import AuditConfig
from mami_core.pipeline.progress import print_result
from mami_core.pipeline.tables.sections import write_section
from mami_core.pipeline.understanding.shown import cell, typed
from mami_core.probing.intervention.audit import audit
from mami_core.store import Dissection


def run_audit(config: AuditConfig) -> None:
    """Count, and print the counts with the units found."""
    first, second = Dissection.open(config.dissection), Dissection.open(config.other)
    found = audit(first, second, config.concept, config.mode, captioners=config.captioners)
    command = f"mami audit {typed(config.dissection)} {typed(config.other)} {config.concept!r} --mode {config.mode}"
    text = as_markdown(found, config, (first, second), command=command)
    if config.out is not None:
        write_section(config.out, "audit", text, title="Results")
    print_result({"concept": config.concept, "captioners": found}, as_json=config.json, text=text)


def as_markdown(
    found: dict[str, Any], config: AuditConfig, dissections: tuple[Dissection, Dissection], *, command: str
) -> str:
    """Return counts by layer, and the first units of each, as Markdown."""
    simulated = " Simulated: painted scenes." if any(each.manifest.simulated for each in dissections) else ""
    lines = [
        f"## Audit: units that name “{config.concept}”",
        "",
        f"Written by `{command}`.{simulated} Of captioned units; in brackets: 95 % interval, bootstrap over units.",
    ]
    for captioner, sides in found.items():
        lines += ["", f"### {captioner}", "", "| | layer | naming it | of | share |", "|---|---|---|---|---|"]
        for side in ("first", "second"):
            one = sides[side]
            rows = {**one["layers"], "all": one["all"]}
            lines += [f"| {one['dissection']} | {layer} | {row['naming']} | {row['units']} | {_share(row)} |"
                      for layer, row in rows.items()]  # fmt: skip
        lines += ["", f"First less second: {cell(sides['difference'], '+')} of the units.", ""]
        for side, dissection in zip(("first", "second"), dissections, strict=True):
            lines += [_listed(unit, dissection) for unit in sides[side]["units"][: config.shown]]
    return "\n".join(lines)


def _listed(unit: dict[str, Any], dissection: Dissection) -> str:
    shown = dissection.exemplars_of(unit["layer"], unit["unit"]).get("top", ())[:3]
    names = ", ".join(exemplar.image_name for exemplar in shown)
    return f"- {dissection.name} {unit['layer']}/{unit['unit']}: “{unit['caption']}” ({names})"


def _share(row: dict[str, float]) -> str:
    return cell({**row, "value": row["share"]}) if row["units"] else "no captioned unit"
