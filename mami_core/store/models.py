"""Find a captioner, an encoder or a network by folder or by name: the user's own first, then what is bundled."""

from __future__ import annotations

from pathlib import Path

from mami_core.store.home import ASSETS, models_folder

CAPTIONERS = ("captioner.json", "consensus.json")  # what describes a captioner of units, by its kind
MODELS = "models"  # a simulated dissection may carry the models that made it, in this folder


def model_places(beside: Path | None = None) -> list[Path]:
    """Return the folders in which models are looked for by name, first match wins."""
    near = [beside] if beside is not None else []
    return [*near, models_folder(), ASSETS / MODELS]


def known_models(marker: str, beside: Path | None = None) -> list[str]:
    """Return the names of the models that hold a file `marker`, e.g. `captioner.json`."""
    found = [folder for place in model_places(beside) if place.is_dir() for folder in sorted(place.iterdir())]
    return list(dict.fromkeys(folder.name for folder in found if (folder / marker).is_file()))


def find_model(name: str | Path, marker: str, *, beside: Path | None = None) -> Path:
    """Return the folder of a model, by path or by name; `marker` is the file that every such model holds.

    Raises FileNotFoundError that lists the names that are known.
    """
    candidates = [Path(name), *(place / str(name) for place in model_places(beside))]
    for folder in candidates:
        if (folder / marker).is_file():
            return folder
    known = ", ".join(known_models(marker, beside)) or "none"
    raise FileNotFoundError(f"no model {str(name)!r}: neither a folder with {marker} nor a known name (known: {known})")


def find_captioner(name: str | Path) -> Path:
    """Return the file that describes a captioner of units, in its folder; FileNotFoundError lists the names known."""
    try:
        return find_model(name, CAPTIONERS[0]) / CAPTIONERS[0]
    except FileNotFoundError as problem:
        for marker in CAPTIONERS[1:]:
            try:
                return find_model(name, marker) / marker
            except FileNotFoundError:
                continue
        raise problem


def find_weights(name: str) -> Path:
    """Return a bundled network's weights, e.g. `scenery-resnet.safetensors`; FileNotFoundError says how to make it."""
    for place in model_places():
        if (place / name).is_file():
            return place / name
    raise FileNotFoundError(f"no weights {name} in {models_folder()} or among the bundled; make them with `mami demo`")
