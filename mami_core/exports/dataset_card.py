"""A dataset card: what a dissection holds, how it was made and what to beware of, as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pandas as pd

from mami_core.probing.payload import decoding_text
from mami_core.store import Dissection

_HOLDS: Final = {  # the first part of a file's path → what it holds
    "units.parquet": "a row per unit: threshold, moments, histogram, state",
    "exemplars.parquet": "a row per exemplar: image, activation, where it peaks",
    "maps": "activation maps of the exemplars, float16 (units, k, h, w)",
    "peaks": "every image's spatial maximum, float16 (images, units)",
    "classes": "mean peak by class of image",
    "image_labels.npy": "the class of every image",
    "images.arrow": "every exemplar picture once, encoded",
    "captions": "a row per unit and captioner: caption, log p(d\\|E), log p(d), PMI, alternatives",
    "attention": "what every attention head looked at, by word",
    "references.parquet": "what annotators say, by set",
    "truth.parquet": "what the masks truly hold (painted scenes only)",
    "splits.json": "which units are for training, validation and test",
    "models": "the models that made a simulated dissection",
}
_SETTINGS: Final = ("k", "quantile", "seed", "batch_size", "map_size", "preprocess", "upsampling", "peaks")


def dataset_card(dissection: Dissection) -> str:
    """Return the card; every figure in it is read from the dissection; what only people know is left open."""
    manifest = dissection.manifest
    parts = [
        _front_matter(dissection),
        f"# {manifest.name}",
        f"What {len(dissection.units)} units of `{manifest.network}` respond to, found by running it over "
        f"{manifest.images} images of `{manifest.dataset}` with MAMI.",
        _origin(dissection),
        "## Layers\n\n" + _layers(dissection),
        "## Captions\n\n" + _captioners(dissection),
        "## Files\n\n" + _files(dissection),
        "Open it with `mami_core.open(folder)`, `mami dashboard FOLDER`, or any Parquet and Arrow reader. "
        "`mami inspect FOLDER --verify` checks every byte against the manifest.",
        "## Beware\n\n" + _limits(dissection),
        "## Licence and contact\n\n*Not recorded: name the licence of the images, of the network, and yourself.*",
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(dissection: Dissection) -> str:
    tags = ["interpretability", "neuron-captions", *(["simulated"] if dissection.manifest.simulated else [])]
    return f"---\npretty_name: {json.dumps(dissection.name)}\ntags: {json.dumps(tags)}\n---"


def _origin(dissection: Dissection) -> str:
    manifest = dissection.manifest
    facts = {
        "network": manifest.network,
        "weights, SHA-256": manifest.weights_sha256,
        "images": f"{manifest.images} of {manifest.dataset}",
        "list of images, SHA-256": manifest.image_ids_sha256,
        **{name: manifest.settings.get(name) for name in _SETTINGS},
        "versions": ", ".join(f"{name} {version}" for name, version in manifest.versions.items()),
    }
    rows = [(name, _cell("not recorded" if value in (None, "") else value)) for name, value in facts.items()]
    return "## How it was made\n\n" + _table(("", ""), rows)


def _layers(dissection: Dissection) -> str:
    states = dissection.units.groupby("layer", sort=False)["state"].value_counts().unstack(fill_value=0)
    rows = []
    for layer in dissection.manifest.layers:
        counts = states.loc[layer.name] if layer.name in states.index else pd.Series(dtype=int)
        size = " x ".join(map(str, layer.map_size))
        rows.append((f"`{layer.name}`", layer.units, int(counts.get("alive", 0)), int(counts.get("dead", 0)), size))
    return _table(("layer", "units", "alive", "dead", "map"), rows)


def _captioners(dissection: Dissection) -> str:
    rows = []
    for name, facts in dissection.manifest.captioners.items():
        said = dissection.captions(name)
        origin = _cell(facts.get("trained_on") or "not recorded")
        rows.append((f"`{name}`", int((said["state"] == "ok").sum()), _cell(decoding_text(facts)), origin))
    sets = dissection.references["set"].value_counts(sort=False)
    text = _table(("captioner", "units", "decoding", "trained on"), rows) if rows else "No captioner has spoken yet."
    told = ", ".join(f"{count} in the set `{name}`" for name, count in sets.items())
    return text + (f"\n\nReferences: {told}." if told else "")


def _files(dissection: Dissection) -> str:
    sizes: dict[str, int] = {}
    for name, entry in dissection.manifest.files.items():
        part = name.partition("/")[0]
        sizes[part] = sizes.get(part, 0) + entry.bytes
    rows = [(f"`{part}`", f"{size / 1e6:.2f}", _HOLDS.get(part, "")) for part, size in sorted(sizes.items())]
    return _table(("file or folder", "MB", "holds"), rows)


def _limits(dissection: Dissection) -> str:
    limits = [
        "Captions describe what the exemplars share; they are no proof of what a unit does in the network.",
        "A unit's threshold, exemplars and masks depend on the images it was shown.",
    ]
    if dissection.manifest.simulated:
        limits.insert(0, "**Simulated**: painted scenes, a network trained on them, simulated annotators.")
    seen = [name for name, facts in dissection.manifest.captioners.items() if facts.get("simulated")]
    if seen and not dissection.manifest.simulated:
        limits.append(f"{', '.join(seen)}: trained on painted scenes only; poor on photographs.")
    unreadable = dissection.manifest.settings.get("unreadable") or []
    if unreadable:
        limits.append(f"{len(unreadable)} images could not be read and were left out.")
    unfinished = [f"{stage} ({state})" for stage, state in dissection.manifest.stages.items() if state != "done"]
    if unfinished:
        limits.append(f"Not finished: {', '.join(unfinished)}.")
    return "\n".join(f"- {entry}" for entry in limits)


def _cell(value: object) -> str:
    """Return a value as one Markdown cell: no line break and no bar may end it."""
    text = json.dumps(value) if isinstance(value, Mapping | list) else str(value)
    return " ".join(text.split()).replace("|", "\\|")


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
