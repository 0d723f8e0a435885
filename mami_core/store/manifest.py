"""`dissection.json`: what was dissected, with what, how far each stage is, and a checksum for every file.

The manifest guards itself too: its own checksum is taken over its bytes with the checksum's digits set to zero, so
that one flipped byte anywhere in the folder is found.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mami_core.store.atomic import PARTIAL, replacing, sha256_of
from mami_core.store.layout import MANIFEST, SCHEMA_VERSION

_SELF = re.compile(r'"manifest_sha256": "([0-9a-f]{64})"')
_ZEROS = "0" * 64


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """One dissected layer: how many units, and the size (h, w) of the maps kept of its top exemplars."""

    name: str
    units: int
    map_size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class FileInfo:
    """What a file must look like: its SHA-256 and its size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The head of a dissection. `simulated` is true when images or network come from the painted world."""

    name: str
    network: str
    weights_sha256: str | None
    dataset: str
    images: int
    image_ids_sha256: str
    simulated: bool
    settings: Mapping[str, Any] = field(default_factory=dict)  # k, quantile, sample_size, seed, …
    layers: tuple[LayerInfo, ...] = ()
    encoder: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)  # stage → running | done | failed
    captioners: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # name → provenance
    files: Mapping[str, FileInfo] = field(default_factory=dict)
    class_names: tuple[str, ...] = ()  # of the images' labels, where there are any

    def layer(self, name: str) -> LayerInfo:
        """Return one layer; KeyError with the known names otherwise."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(f"no layer {name!r} in {self.name}; it has {', '.join(layer.name for layer in self.layers)}")


def to_json(manifest: Manifest) -> str:
    """Return the manifest's text, its own checksum included."""
    body = {
        "schema": SCHEMA_VERSION,
        "manifest_sha256": _ZEROS,
        "name": manifest.name,
        "network": manifest.network,
        "weights_sha256": manifest.weights_sha256,
        "dataset": manifest.dataset,
        "images": manifest.images,
        "image_ids_sha256": manifest.image_ids_sha256,
        "simulated": manifest.simulated,
        "settings": dict(manifest.settings),
        "layers": [{"name": x.name, "units": x.units, "map_size": list(x.map_size)} for x in manifest.layers],
        "encoder": manifest.encoder,
        "versions": dict(manifest.versions),
        "stages": dict(manifest.stages),
        "captioners": {name: dict(facts) for name, facts in manifest.captioners.items()},
        "class_names": list(manifest.class_names),
        "files": {name: {"sha256": x.sha256, "bytes": x.bytes} for name, x in sorted(manifest.files.items())},
    }
    text = json.dumps(body, indent=1, ensure_ascii=False, sort_keys=False) + "\n"
    return text.replace(_ZEROS, hashlib.sha256(text.encode()).hexdigest(), 1)


def from_json(text: str, path: Path) -> Manifest:
    """Read a manifest's text. ValueError says what is wrong with `path`: not ours, damaged, or of another schema."""
    try:
        body = json.loads(text)
        schema = body["schema"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is not a dissection's manifest, or it is damaged; dissect again") from None
    if schema != SCHEMA_VERSION:
        newer = isinstance(schema, int) and schema > SCHEMA_VERSION
        advice = "update this program" if newer else "`mami dissect` makes it again"
        raise ValueError(f"{path} has schema {schema}, this version reads {SCHEMA_VERSION}; {advice}")
    try:
        return Manifest(
            **{name: body[name] for name in _PLAIN},
            layers=tuple(
                LayerInfo(x["name"], x["units"], (x["map_size"][0], x["map_size"][1])) for x in body["layers"]
            ),
            class_names=tuple(body["class_names"]),
            files={_inside(name): FileInfo(x["sha256"], x["bytes"]) for name, x in body["files"].items()},
        )
    except (KeyError, TypeError, IndexError, AttributeError) as problem:
        raise ValueError(f"{path} lacks or garbles the entry {problem}; it is damaged: dissect again") from None


def _inside(name: str) -> str:
    """Return the name of a file; KeyError for one that would lead out of the folder: manifests come from strangers."""
    parts = name.replace("\\", "/").split("/")
    if not all(parts) or {".", ".."} & set(parts) or ":" in parts[0] or "\0" in name:
        raise KeyError(f"files: {name!r} leads out of the folder")
    return name


_PLAIN = (
    "name",
    "network",
    "weights_sha256",
    "dataset",
    "images",
    "image_ids_sha256",
    "simulated",
    "settings",
    "encoder",
    "versions",
    "stages",
    "captioners",
)


def read_manifest(folder: Path) -> Manifest:
    """Read a dissection's manifest. FileNotFoundError or ValueError says why `folder` is not a dissection."""
    manifest = present_manifest(folder)
    _refuse_links_out(folder, manifest)
    return manifest


def present_manifest(folder: Path) -> Manifest:
    """Read a manifest again that was read before: where its files lead is known. Errors as in `read_manifest`."""
    path = folder / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is not a dissection: it has no {MANIFEST}; make one with `mami dissect`")
    try:
        return from_json(path.read_text(encoding="utf-8"), path)
    except UnicodeDecodeError:
        raise ValueError(f"{path} is damaged: not valid text; dissect again") from None


def _refuse_links_out(folder: Path, manifest: Manifest) -> None:
    """Raise ValueError where a file is in truth one of somewhere else: reading would show it, writing change it."""
    real = folder.resolve()
    for name in (MANIFEST, *manifest.files):
        if not (folder / name).resolve().is_relative_to(real):
            raise ValueError(f"{folder / name} is a link that leads out of the folder; copy the file in its place")


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace a dissection's manifest in one step."""
    with replacing(folder / MANIFEST) as partial:
        partial.write_text(to_json(manifest), encoding="utf-8")


def record_file(folder: Path, manifest: Manifest, name: str) -> Manifest:
    """Return `manifest` with the checksum of `folder/name` as it is now."""
    path = folder / name
    return replace(manifest, files={**manifest.files, name: FileInfo(sha256_of(path), path.stat().st_size)})


def manifest_is_intact(folder: Path) -> bool:
    """Tell whether not one byte of the manifest has changed since it was written."""
    try:
        text = (folder / MANIFEST).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    found = _SELF.search(text)
    if found is None:
        return False
    blank = text[: found.start(1)] + _ZEROS + text[found.end(1) :]
    return hashlib.sha256(blank.encode()).hexdigest() == found.group(1)


def problems_of_files(folder: Path, manifest: Manifest) -> list[str]:
    """Return what is wrong with a dissection's files, a sentence each that names the file; empty when all is intact."""
    problems = [] if manifest_is_intact(folder) else [f"{MANIFEST}: changed since it was written"]
    problems += [f"{name}: {what}" for name, what in damaged_files(folder, manifest).items()]
    return problems + [f"{name}: not part of the dissection" for name in _strays(folder, manifest)]


def damaged_files(folder: Path, manifest: Manifest) -> dict[str, str]:
    """Return which of the files that the manifest lists are not as they were written, and what is wrong with each."""
    found: dict[str, str] = {}
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            found[name] = "missing"
        elif path.stat().st_size != expected.bytes or sha256_of(path) != expected.sha256:
            found[name] = "its bytes are not the ones that were written"
    return found


def _strays(folder: Path, manifest: Manifest) -> list[str]:
    known = {*manifest.files, MANIFEST}
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(PARTIAL))
    return sorted(name for path in found if (name := path.relative_to(folder).as_posix()) not in known)
