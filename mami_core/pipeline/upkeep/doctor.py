"""`mami doctor`: what this installation is made of and whether it works; its output may be pasted into a bug report."""

from __future__ import annotations

import getpass
import os
import platform
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Literal

import torch

from mami_core.config import DoctorConfig
from mami_core.device import choose_device
from mami_core.pipeline.dashboard import home_page
from mami_core.pipeline.progress import print_result
from mami_core.store import DEMO, home

_PACKAGES: Final = ("torchvision", "streamlit", "numpy", "pandas", "pyarrow", "pillow", "safetensors", "sqlalchemy")
_EXTRAS: Final = ("timm", "transformers", "umap-learn", "pycocoevalcap", "psycopg", "playwright")
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
_MINORS_APART: Final = 15  # torch 2.13 goes with torchvision 0.28


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `note`: works without it."""

    what: str
    state: Literal["ok", "note", "problem"]
    text: str


def run_doctor(config: DoctorConfig) -> int:
    """Print what was found, free of names and folders of this machine; exit status 1 where something is wrong."""
    found = [Finding(entry.what, entry.state, without_private(entry.text)) for entry in examined()]
    signs = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}
    text = "\n".join(f"{signs[entry.state]}  {entry.what}: {entry.text}" for entry in found)
    print_result({"findings": [asdict(entry) for entry in found]}, as_json=config.json, text=text)
    return 1 if any(entry.state == "problem" for entry in found) else 0


def examined() -> Iterator[Finding]:
    """Look at everything; what fails to be looked at is a problem, and the next thing is looked at."""
    looks: tuple[Callable[[], Finding], ...] = (
        _program, _libraries, _pair, _gpu, _extras, _settings, _demo, _home, _database, _browser,
    )  # fmt: skip
    for look in looks:
        try:
            yield look()
        except (OSError, ValueError, RuntimeError) as problem:
            yield Finding(look.__name__.strip("_"), "problem", str(problem))


def without_private(text: str) -> str:
    """Return text without this machine's name, its user's, and their folders."""
    hidden = {str(home()): "MAMI_HOME", tempfile.gettempdir(): "TMP", str(Path.home()): "~", str(Path.cwd()): "."}
    for found, word in hidden.items():
        text = text.replace(found, word) if len(found) > 1 else text
    try:
        names = {getpass.getuser(): "USER", socket.gethostname(): "HOST"}
    except (OSError, KeyError):
        names = {socket.gethostname(): "HOST"}
    for found, word in names.items():
        text = text.replace(found, word) if len(found) > 2 else text
    return text


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _program() -> Finding:
    system = f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores"
    return Finding("program", "ok", f"mami {_version('mami')}, Python {platform.python_version()}, {system}")


def _libraries() -> Finding:
    found = {name: _version(name) for name in _PACKAGES}
    state: Literal["ok", "problem"] = "problem" if "missing" in found.values() else "ok"
    return Finding("libraries", state, ", ".join(f"{name} {text}" for name, text in found.items()))


def _pair() -> Finding:
    vision = _version("torchvision")
    text = f"torch {torch.__version__} with torchvision {vision}"
    minors = [int(found.split(".")[1]) for found in (torch.__version__, vision) if found != "missing"]
    if len(minors) < 2 or minors[1] - minors[0] != _MINORS_APART:
        return Finding("pair", "problem", f"{text} are no pair; install both from requirements.txt")
    import torchvision

    assert torchvision.__version__
    return Finding("pair", "ok", f"{text}, and it can be imported")


def _gpu() -> Finding:
    device = choose_device()
    if device.type != "cuda":
        return Finding("GPU", "note", f"none that torch sees; computing on {device.type}")
    about = torch.cuda.get_device_properties(device)
    return Finding("GPU", "ok", f"{about.name}, {about.total_memory / 2**30:.0f} GB, CUDA {torch.version.cuda}")


def _extras() -> Finding:
    found = {name: _version(name) for name in _EXTRAS}
    java = "java found" if shutil.which("java") else "no java (METEOR)"
    return Finding("extras", "note", ", ".join([*(f"{name} {text}" for name, text in found.items()), java]))


def _settings() -> Finding:
    link = home_page().parent / ".streamlit" / "config.toml"
    if not link.is_file():
        advice = "copy streamlit_config.toml there: a checkout without symbolic links loses the link"
        return Finding("settings", "problem", f"dashboard/.streamlit/config.toml is not there; {advice}")
    if "allowedHosts" not in link.read_text(encoding="utf-8"):
        return Finding("settings", "problem", "dashboard/.streamlit/config.toml is not streamlit_config.toml")
    return Finding(
        "settings", "ok", f"the theme and server settings resolve ({'link' if link.is_symlink() else 'file'})"
    )


def _demo() -> Finding:
    there = (DEMO / "dissection.json").is_file()
    return Finding("demo", "ok" if there else "note", "bundled" if there else "not bundled; `mami demo OUT` makes it")


def _home() -> Finding:
    home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=home()) as file:
        file.write(b"x")
    free = shutil.disk_usage(home()).free / 1e9
    named = "named by MAMI_HOME" if "MAMI_HOME" in os.environ else "the platform's own folder"
    return Finding("MAMI_HOME", "ok" if free > 1 else "problem", f"writable, {free:.0f} GB free, {named}")


def _database() -> Finding:
    from mami_core.store.database import Database  # a bare GPU node has no database library

    database = Database()
    try:
        return Finding("database", "ok", f"{database.url.get_backend_name()}, its schema is the newest")
    finally:
        database.close()


def _browser() -> Finding:
    found = next((name for name in _BROWSERS if shutil.which(name)), None)
    if found is None:
        return Finding("browser", "note", "no Chromium: browser tests and `mami bench dashboard` need one")
    return Finding("browser", "ok", found)
