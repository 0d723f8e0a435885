"""What is disturbed: dissect, caption, train, import, label, export, each small and the same every time."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from made_dissection import make_dissection, unit_keys
from made_images import Noise
from made_networks import tiny
from safetensors.torch import load_file
from torch import nn

from mami_core.captioning.protocol import caption_of
from mami_core.config import DissectConfig, ImportConfig
from mami_core.dissection import dissect
from mami_core.exports import write_export
from mami_core.inputs import Network, Preprocess
from mami_core.pipeline.captions.speaking import caption_by
from mami_core.pipeline.exchange.import_captions import run_import
from mami_core.store import Dissection
from mami_core.store.labels import Label, LabelStore
from mami_core.store.manifest import manifest_is_intact
from mami_core.training.loop import Loop, LoopSettings, Task


@dataclass(frozen=True)
class Operation:
    """`prepare` makes the old state in a folder, `run` the new one; `result` is what both are compared by."""

    name: str
    prepare: Callable[[Path], Any]
    run: Callable[[Path], None]
    result: Callable[[Path], Any]


def files(folder: Path) -> dict[str, str]:
    """Return the digest of every file, what killed writers left behind left out."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".partial"))
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def _dissect(folder: Path) -> None:
    torch.set_num_threads(1)
    network = Network("tiny", tiny().eval(), Preprocess(resize=16, crop=16))
    config = DissectConfig(network="t", images="t", out=folder / "d", k=3, batch_size=4, layers=("conv1", "fc"))
    dissect(network, Noise(40, broken=[10]), config, folder / "d")


class Parrot:
    """Says the same of every unit."""

    name, provenance = "parrot", {"trained_on": "nothing"}

    def caption(self, units: Any) -> list[Any]:
        """Return a caption a unit."""
        return [caption_of(self.name, "pretty squares") for _ in units]


def _caption(folder: Path) -> None:
    dissection = Dissection.open(folder / "d")
    caption_by(dissection, Parrot(), unit_keys(), batch_size=4, report=lambda *_: None)


def _train(folder: Path) -> None:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    x = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))
    module = nn.Linear(4, 1)
    task: Task = Task(
        module=module,
        batches=lambda generator: torch.randperm(16, generator=generator).split(8),
        loss=lambda batch: module(x[batch]).square().mean(),
        validate=lambda: {"loss": float(module(x).detach().square().mean())},
        score="-loss",
    )
    (folder / "t").mkdir(exist_ok=True)
    Loop(task, LoopSettings(epochs=3, patience=9), folder=folder / "t").run()


def _import(folder: Path) -> None:
    rows = [f"{layer},{unit},squares number {unit}" for layer, unit in unit_keys()]
    (folder / "peer.csv").write_text("layer,unit,description\n" + "\n".join(rows) + "\n")
    run_import(ImportConfig(folder / "d", folder / "peer.csv", "peer"))


LABELS = tuple(Label("squares", "early", unit, "ada", "edit", f"text {unit}") for unit in range(6))


def _label(folder: Path) -> None:
    store = LabelStore(folder / "labels.sqlite")
    seen = store.frame("squares").set_index("unit")["version"].to_dict()
    store.save_all([Label(**label.key, verdict="edit", text="new", version=seen[label.unit]) for label in LABELS])
    store.close()


def _export(folder: Path) -> None:
    write_export(Dissection.open(folder / "d"), folder / "out.csv")
    write_export(Dissection.open(folder / "d"), folder / "out.html")


def _made(folder: Path) -> None:
    make_dissection(folder / "d")


def _labelled(folder: Path) -> None:
    store = LabelStore(folder / "labels.sqlite")
    store.save_all(LABELS)
    store.close()


def _weights(folder: Path) -> Any:
    path = folder / "t" / "training.safetensors"
    found = load_file(path) if path.is_file() else {}
    return {name: value.tolist() for name, value in found.items() if "weight" in name or "bias" in name}


def _texts(folder: Path) -> list[str]:
    store = LabelStore(folder / "labels.sqlite")
    try:
        return store.frame("squares")["text"].tolist()
    finally:
        store.close()


def _whole(folder: Path) -> dict[str, str]:
    return files(folder / "d")


OPERATIONS = {
    entry.name: entry
    for entry in (
        Operation("dissect", lambda _: None, _dissect, _whole),
        Operation("caption", _made, _caption, _whole),
        Operation("train", lambda _: None, _train, _weights),
        Operation("import", _made, _import, _whole),
        Operation("label", _labelled, _label, _texts),
        Operation("export", _made, _export, lambda folder: [_read(folder / "out.csv"), _read(folder / "out.html")]),
    )
}


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def check_old_or_new(operation: Operation, folder: Path, old: Any, new: Any) -> None:
    """Assert that every single thing is as it was or as it will be: nothing in between, nothing damaged."""
    found = operation.result(folder)
    if operation.name == "label":
        assert found in (old, new), "all labels of one saving, or none"
    elif operation.name == "export":
        assert all(entry in states for entry, *states in zip(found, old, new, strict=True))
    elif isinstance(found, dict) and operation.name != "train":
        unfinished = {name for name in found if name.startswith("parts/") or name == "dissection.json"}
        for name, digest in found.items():
            assert name in unfinished or digest in (old.get(name), new.get(name)), name
        assert "dissection.json" not in found or manifest_is_intact(folder / "d")


def fresh(operation: Operation, folder: Path, template: Path) -> Path:
    """Return a folder in the old state, copied from one that was made once."""
    return Path(shutil.copytree(template, folder / operation.name))
