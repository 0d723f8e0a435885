"""Find a captioner that is not ours by name: an installed plugin, or a factory in a Python file.

A plugin is an entry point of the group `mami.captioners`; it names a factory. `--captioner NAME:ARGUMENT` calls
`factory(argument, device)`; without a colon the argument is empty. `--captioner path.py:factory[:ARGUMENT]` needs no
installation; the file is run, so name only files that you trust.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

import torch

from mami_core.captioning.protocol import Captioner
from mami_core.inputs.networks import module_at

GROUP: Final = "mami.captioners"
_FILE: Final = ".py:"


def installed_captioners() -> dict[str, EntryPoint]:
    """Return the plugins that are installed, by name."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def is_own(name: str) -> bool:
    """Tell whether a captioner's name means a plugin or a Python file."""
    return _FILE in name or name.partition(":")[0] in installed_captioners()


def open_own(name: str, device: torch.device) -> Captioner:
    """Return the captioner `NAME[:ARGUMENT]` or `path.py:factory[:ARGUMENT]`, made by its factory.

    FileNotFoundError or ValueError says what is not there, or what of it is no captioner.
    """
    factory, argument = _from_file(name) if _FILE in name else _from_plugin(name)
    made = factory(argument, device)
    if not isinstance(made, Captioner) or not isinstance(made.name, str) or not made.name:
        raise ValueError(f"{name} gave {type(made).__name__}; a captioner has a name, provenance and caption(units)")
    return made


def _from_plugin(name: str) -> tuple[Callable[..., Any], str]:
    plugin, _, argument = name.partition(":")
    entry = installed_captioners()[plugin]
    try:
        return entry.load(), argument
    except (ImportError, AttributeError) as problem:
        raise ValueError(f"the plugin {plugin!r} ({entry.value}) cannot be loaded: {problem}") from problem


def _from_file(name: str) -> tuple[Callable[..., Any], str]:
    place, _, rest = name.partition(_FILE)
    path = Path(f"{place}.py").expanduser()
    wanted, _, argument = rest.partition(":")
    if not path.is_file():
        raise FileNotFoundError(f"no captioner file {path}; check the path before ':{wanted}'")
    factory = getattr(module_at(path), wanted, None)
    if not callable(factory):
        raise ValueError(f"{path} has no function {wanted!r}; write {path.name}:factory")
    return factory, argument
