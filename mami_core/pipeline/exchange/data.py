"""`mami data`: published data by name, downloaded once, or opened where it lies on disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from mami_core.config import DataConfig
from mami_core.interop.milannotations import FITTING, SQUASHED, MilanSet, open_set, sets_of
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.worlds.describe import split_units
from mami_core.store import Dissection, DissectionWriter, dissections_folder, home
from mami_core.store.download import download, unpack
from mami_core.store.layout import MANIFEST

PREFIX: Final = "milannotations:"
SOURCE: Final = "http://milan.csail.mit.edu/data"  # MAMI_MILAN_DATA_URL names a mirror
_ANNOTATIONS: Final = "annotations.csv"
_SPLIT_SEED: Final = 0  # MILAN published no split; ours is by unit, in the same shares in every layer


def run_data(config: DataConfig) -> None:
    """Bring data here, open it as dissections, and say where they are."""
    with progress(quiet=config.json) as report:
        opened = described_sets(config.name, config, report)
    lines = [
        f"{found.name}: {len(found.units)} units, {len(found.references)} references; {found.path}" for found in opened
    ]
    print_result({"dissections": [str(found.path) for found in opened]}, as_json=config.json, text="\n".join(lines))


def open_described(spec: Path | str, report: Report) -> list[Dissection]:
    """Return the dissections that a folder or `milannotations:NAME` means: a set, or all of a group."""
    return described_sets(str(spec), None, report) if str(spec).startswith(PREFIX) else [Dissection.open(spec)]


def described_sets(spec: str, config: DataConfig | None, report: Report) -> list[Dissection]:
    """Return the sets of `milannotations:NAME` as dissections with references and splits; made at first use.

    ValueError for another name, FileNotFoundError where a set is neither on disk nor to be had.
    """
    if not spec.startswith(PREFIX):
        raise ValueError(f"no data {spec!r}; write {PREFIX}NAME, e.g. {PREFIX}places365")
    names = sets_of(spec.removeprefix(PREFIX))
    return [_described(name, config or DataConfig(spec), report) for name in names]


def _described(name: str, config: DataConfig, report: Report) -> Dissection:
    folder = dissections_folder() / f"milannotations-{name.replace('/', '-')}"
    root = set_folder(name, report)
    if (folder / MANIFEST).is_file():
        kept = Dissection.open(folder)
        if kept.manifest.stages.get("dissect") == "done" and _same(kept, root, config):
            return kept
    opened = open_set(
        MilanSet(name, root),
        folder,
        annotations=config.annotations,
        imagenet=config.imagenet or data_root() / "imagenet" / "val",
        crop=SQUASHED if config.squash else FITTING,
        progress=lambda done, total: report(f"{name}: pictures", done, total),
    )
    described = [key for key in opened.unit_keys() if opened.references_of(*key)]
    DissectionWriter.open(folder).write_splits(split_units(described, _SPLIT_SEED))
    return Dissection.open(folder)


def _same(kept: Dissection, root: Path, config: DataConfig) -> bool:
    """Tell whether a dissection is of this folder, as asked for. ValueError where captions in it would be lost."""
    assert kept.milan_arrays is not None
    crop = repr(SQUASHED if config.squash else FITTING)
    settings = kept.manifest.settings
    own_pictures = "images.arrow" in kept.manifest.files
    alike = settings["annotations"] == config.annotations and (not own_pictures or settings["preprocess"] == crop)
    alike = alike and kept.milan_arrays.root == root.resolve()
    if not alike and kept.captioners:
        raise ValueError(f"{kept.path} was opened otherwise and holds captions; move it away to open it anew")
    return alike


def data_root() -> Path:
    """Return where sets lie, as `<network>/<data set>`: `MILAN_DATA_DIR`, else in `MAMI_HOME`."""
    named = os.environ.get("MILAN_DATA_DIR")
    return Path(named).expanduser() if named else home() / "data" / "milannotations"


def set_folder(name: str, report: Report) -> Path:
    """Return the folder of a set, downloaded and unpacked if need be."""
    folder = data_root() / name
    if not folder.exists():
        archive = data_root() / f"{name.replace('/', '-')}.zip"
        if not archive.is_file():
            address = f"{os.environ.get('MAMI_MILAN_DATA_URL', SOURCE).rstrip('/')}/{archive.name}"
            download(address, archive, progress=lambda done, total: report(f"{name}: download", done, total))
        unpack(archive, folder, progress=lambda done, total: report(f"{name}: unpack", done, total))
        archive.unlink()  # its hash stays recorded; the set takes the same room again
    found = sorted(path.parent for path in folder.rglob(_ANNOTATIONS))  # an archive may have folders of its own
    if not found:
        raise FileNotFoundError(f"{folder} holds no {_ANNOTATIONS}; remove it to download {name} again")
    return found[0]
