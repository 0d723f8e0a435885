"""Each operation's old and new state, made once; what was injected is counted where `make faults` asks for it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from operations import OPERATIONS, Operation

TALLY = "MAMI_TALLY"  # a file that gets a line a fault


@dataclass(frozen=True)
class Prepared:
    """An operation, a folder in its old state, and what the old and the new state are."""

    operation: Operation
    template: Path
    old: Any
    new: Any


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Prepared]:
    made: dict[str, Prepared] = {}

    def give(name: str) -> Prepared:
        if name not in made:
            operation, folder = OPERATIONS[name], tmp_path_factory.mktemp(name)
            template = folder / "old"
            template.mkdir()
            operation.prepare(template)
            old = operation.result(template)
            undisturbed = Path(shutil.copytree(template, folder / "new"))
            operation.run(undisturbed)
            made[name] = Prepared(operation, template, old, operation.result(undisturbed))
        return made[name]

    return give


@pytest.fixture
def tally() -> Callable[..., None]:
    """Note one injected fault and how it ended."""

    def note(fault: str, operation: str, ended: str) -> None:
        if TALLY in os.environ:
            with Path(os.environ[TALLY]).open("a") as file:
                file.write(json.dumps({"fault": fault, "operation": operation, "ended": ended}) + "\n")

    return note
