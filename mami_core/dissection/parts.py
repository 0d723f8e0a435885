"""A worker's share on disk: which blocks are done and the state after them. Replaced in one step after each block."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from mami_core.dissection.plan import Plan
from mami_core.dissection.state import LayerState
from mami_core.store.atomic import remove_partials, replacing

PARTS = "parts"  # inside the dissection's folder, gone once it is done
_STATE = "state.safetensors"
IMAGES = "images.arrow"


@dataclass(eq=False)
class Part:
    """One worker's share of the blocks. `states` are None until the part is opened for work or merging."""

    folder: Path
    plan: Plan
    done: set[int] = field(default_factory=set)  # blocks
    unreadable: dict[int, str] = field(default_factory=dict)  # image id → why
    states: list[LayerState] = field(default_factory=list)

    @classmethod
    def open(cls, folder: Path, plan: Plan, device: torch.device) -> Part:
        """Open a share with its states: what was saved last, or nothing seen yet."""
        part = cls(folder, plan, states=[LayerState.empty(layer, plan, device) for layer in plan.layers])
        folder.mkdir(parents=True, exist_ok=True)
        remove_partials(folder)
        if (folder / _STATE).is_file():
            part._load()
        return part

    def _load(self) -> None:
        path = self.folder / _STATE
        try:
            with safe_open(path, "pt") as file:
                self._read_facts(file.metadata())
                for number, state in enumerate(self.states):
                    names = [name for name in file.keys() if name.startswith(f"{number}/")]  # noqa: SIM118 - no mapping
                    state.restore({name.partition("/")[2]: file.get_tensor(name) for name in names})
        except (SafetensorError, KeyError) as problem:
            raise ValueError(f"{path} is damaged ({problem}); delete {self.folder} to do its share again") from None

    def _read_facts(self, facts: dict[str, str]) -> None:
        if facts["plan"] != self.plan.fingerprint():
            raise ValueError(f"{self.folder} belongs to a dissection with other settings; use another --out")
        self.done = set(json.loads(facts["done"]))
        self.unreadable = {int(number): why for number, why in json.loads(facts["unreadable"]).items()}

    def save(self) -> None:
        """Make everything up to now permanent."""
        tensors = {
            f"{number}/{name}": value.cpu()
            for number, state in enumerate(self.states)
            for name, value in state.tensors().items()
        }
        facts = {
            "plan": self.plan.fingerprint(),
            "done": json.dumps(sorted(self.done)),
            "unreadable": json.dumps(self.unreadable),
        }
        with replacing(self.folder / _STATE) as partial:
            save_file(tensors, partial, metadata=facts)

    def peaks(self, layer: int, mode: str = "r+") -> np.ndarray:
        """Return the memory-mapped peaks (rows, units) float16; rows of other workers' images are meaningless.

        The file is sparse: it takes the room of the rows that were written.
        """
        path = self.folder / f"peaks-{layer}.npy"
        if not path.is_file():
            shape = (self.plan.peak_rows, len(self.plan.layers[layer].units))
            with replacing(path) as partial:
                open_memmap(partial, mode="w+", dtype=np.float16, shape=shape).flush()
        if mode == "r+":
            _require_room(path)
        return np.load(path, mmap_mode="r+" if mode == "r+" else "r")


def _require_room(path: Path) -> None:
    """Raise OSError where a sparse file cannot be filled: writing through a map to a full disk ends the process."""
    about = path.stat()
    missing, free = about.st_size - about.st_blocks * 512, shutil.disk_usage(path.parent).free
    if missing > free:
        raise OSError(errno.ENOSPC, f"{path} will need {missing / 1e6:.1f} MB more, {free / 1e6:.1f} MB are free")


def done_blocks(folder: Path, plan: Plan) -> dict[Path, set[int]]:
    """Return which blocks each share below a dissection's folder has done."""
    found: dict[Path, set[int]] = {}
    for part in part_folders(folder):
        if (part / _STATE).is_file():
            peek = Part(part, plan)
            peek._load()
            found[part] = peek.done
    return found


def part_folders(folder: Path) -> Iterator[Path]:
    """Yield the shares below a dissection's folder, by name."""
    parts = folder / PARTS
    yield from sorted(path for path in parts.iterdir() if path.is_dir()) if parts.is_dir() else ()


def part_folder(folder: Path, share: int, shares: int) -> Path:
    """Return where share `share` of `shares` is kept."""
    return folder / PARTS / f"{share:04d}-of-{shares:04d}"


def remove_parts(folder: Path) -> None:
    """Delete all shares; what they held is in the dissection now."""
    shutil.rmtree(folder / PARTS, ignore_errors=True)
