"""MAMI: what does this neuron do? Dissect vision networks, caption their units, browse and export the result."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import mami_core.device  # noqa: F401  # first: its guard lets torchvision import beside a CPU-only torch

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mami_core.captioning.protocol import Captioner, ShownUnit, caption_of
    from mami_core.library.api import caption, dissect, open  # noqa: A004  # mami.open(…) reads as it should
    from mami_core.library.results import Dissection, Neuron
    from mami_core.library.understanding import Picture, visualise
    from mami_core.records import Caption, Exemplar, NeuronRecord

__all__ = [
    "Caption",
    "Captioner",
    "Dissection",
    "Exemplar",
    "Neuron",
    "NeuronRecord",
    "Picture",
    "ShownUnit",
    "caption",
    "caption_of",
    "dissect",
    "open",
    "visualise",
]
_WHERE = {
    "captioning.protocol": ("Captioner", "ShownUnit", "caption_of"),
    "library.api": ("caption", "dissect", "open"),
    "library.results": ("Dissection", "Neuron"),
    "library.understanding": ("Picture", "visualise"),
    "records": ("Caption", "Exemplar", "NeuronRecord"),
}


def __getattr__(name: str) -> Any:
    """Import the library when it is asked for: the command line and the dashboard do without most of it."""
    for module, names in _WHERE.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
