"""`mami repair`: put back what can be proved to be right, let go of what a command makes again, name the rest."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from mami_core.config import DissectConfig, RepairConfig
from mami_core.dissection.spectrum import class_means
from mami_core.interop.caption_import import captions_from
from mami_core.interop.captions_csv import read_captions
from mami_core.pipeline.progress import print_result
from mami_core.store import Dissection, DissectionWriter, layout
from mami_core.store.atomic import replacing, sha256_of
from mami_core.store.manifest import Manifest, damaged_files, manifest_is_intact

_PEOPLES = (layout.REFERENCES, layout.SPLITS, layout.TRUTH)  # no command makes these again


@dataclass
class Repair:
    """What was done for each file, and what is left to do."""

    mended: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def run_repair(config: RepairConfig) -> int:
    """Repair a dissection; exit status 1 when something is left that no command can make again."""
    done = repair(config.dissection, config.copy)
    lines = [*done.mended, *(f"to do: {text}" for text in done.todo), *(f"lost: {text}" for text in done.lost)]
    result = {"mended": done.mended, "todo": done.todo, "lost": done.lost}
    print_result(result, as_json=config.json, text="\n".join(lines) or "nothing to repair")
    return 1 if done.lost else 0


def repair(folder: Path, copy: Path | None = None) -> Repair:
    """Mend a dissection in place. Only bytes that have the recorded SHA-256 are put back.

    ValueError where the manifest itself is damaged and no intact `copy` is named: then nothing says what is right.
    """
    done = Repair()
    _mend_manifest(folder, copy, done)
    writer = DissectionWriter.open(folder)  # clears away what killed writers left
    for name in damaged_files(folder, writer.manifest):
        if copy is not None and _taken(folder, copy, name, writer.manifest):
            done.mended.append(f"{name}: taken from {copy}")
        else:
            _mend(writer, name, done)
    return done


def _mend_manifest(folder: Path, copy: Path | None, done: Repair) -> None:
    if manifest_is_intact(folder):
        return
    if copy is None or not manifest_is_intact(copy):
        raise ValueError(
            f"{folder / layout.MANIFEST} is damaged and cannot be rebuilt from the other files; name an intact copy of "
            "the dissection with --copy, or dissect again into another folder"
        )
    with replacing(folder / layout.MANIFEST) as partial:
        shutil.copyfile(copy / layout.MANIFEST, partial)
    done.mended.append(f"{layout.MANIFEST}: taken from {copy}")


def _taken(folder: Path, copy: Path, name: str, manifest: Manifest) -> bool:
    """Take a file from a copy if it is, byte for byte, the one that was written."""
    if not (copy / name).is_file() or sha256_of(copy / name) != manifest.files[name].sha256:
        return False
    with replacing(folder / name) as partial:
        shutil.copyfile(copy / name, partial)
    return True


def _mend(writer: DissectionWriter, name: str, done: Repair) -> None:
    """Mend one damaged file by what is known of its kind."""
    kind, _, rest = name.partition("/")
    if kind == "classes" and _class_means_again(writer, name):
        done.mended.append(f"{name}: computed again from the peaks")
    elif kind == "captions":
        _captions_again(writer, unquote(rest.removesuffix(".parquet")), done)
    elif kind == "attention":
        captioner = unquote(rest.partition("/")[0])
        writer.forget([name])
        _caption_later(writer, captioner, f"{name}: taken out", done)
    elif kind == "imports":
        writer.forget([name])
        done.lost.append(f"{name}: the file that these captions came from; the captions stay")
    elif name in _PEOPLES:
        done.lost.append(f"{name}: put back a backup of it (--copy FOLDER); no command makes it again")
    else:
        text = f"`{_dissect_again(writer.manifest, writer.path)}`, then `mami repair {writer.path} --copy AGAIN`"
        done.todo.append(f"{name}: {text}")


def _class_means_again(writer: DissectionWriter, name: str) -> bool:
    """Compute a layer's mean peaks by class again; False where they do not prove to be the same."""
    dissection = Dissection(writer.path, writer.manifest)
    layer = next((layer for layer in dissection.layers if layout.classes_file(layer) == name), None)
    recorded = writer.manifest.files[name].sha256
    if layer is None or dissection.image_labels is None:
        return False
    labels = np.asarray(dissection.image_labels)
    classes = max(len(writer.manifest.class_names), int(labels.max()) + 1)
    means = class_means(dissection.peaks(layer), labels[dissection.peak_ids], classes)
    writer.write_classes(layer, means)
    return writer.manifest.files[name].sha256 == recorded


def _captions_again(writer: DissectionWriter, captioner: str, done: Repair) -> None:
    """Take captions in again from the file they were imported from, or let go of them for `mami caption`."""
    kept, table = layout.imported_file(captioner), layout.captions_file(captioner)
    if kept in writer.manifest.files and kept not in damaged_files(writer.path, writer.manifest):
        _import_again(writer, captioner, writer.path / kept)
        done.mended.append(f"{table}: taken in again from {kept}")
        return
    writer.forget([table, *writer.files_of(captioner)])
    writer.drop_captioner(captioner)
    _caption_later(writer, captioner, f"{table}: taken out", done)


def _import_again(writer: DissectionWriter, captioner: str, kept: Path) -> None:
    dissection = Dissection(writer.path, writer.manifest)
    provenance, content = writer.manifest.captioners[captioner], kept.read_bytes()
    file = read_captions(kept, layer=dissection.layers[0])  # a file without layers was of the only one
    said = captions_from(file, captioner.partition(":")[0] if ":" in captioner else captioner)[captioner]
    writer.write_captions(captioner, {key: said[key] for key in dissection.unit_keys() if key in said}, provenance)
    writer.keep_import(captioner, content)


def _caption_later(writer: DissectionWriter, captioner: str, what: str, done: Repair) -> None:
    writer.stage(f"caption:{captioner}", "failed")
    done.todo.append(f"{what}; `mami caption {writer.path} --captioner {captioner}` makes it again")


def _dissect_again(manifest: Manifest, folder: Path) -> str:
    """Return the command that makes the same dissection beside a damaged one, as far as its settings tell."""
    settings = manifest.settings
    words = ["mami dissect", str(settings.get("network", manifest.network)), str(settings.get("images", "IMAGES"))]
    return " ".join([*words, *_options(manifest), f"--out {folder.with_name(folder.name + '-again')}"])


def _options(manifest: Manifest) -> Iterator[str]:
    for entry in fields(DissectConfig):
        value = manifest.settings.get(entry.name)
        default = None if entry.default is MISSING else entry.default
        if entry.name in ("network", "images", "out", "json") or value in (None, [], default):
            continue
        if isinstance(value, bool):
            yield f"--{'' if value else 'no-'}{entry.name.replace('_', '-')}"
        elif not isinstance(default, tuple) or tuple(value) != default:
            yield f"--{entry.name.replace('_', '-')} {' '.join(map(str, value)) if isinstance(value, list) else value}"
