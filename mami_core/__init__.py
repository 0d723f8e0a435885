"""MAMI: what does this neuron do? Dissect vision networks, caption their units, browse and export the result."""

import mami_core.device  # noqa: F401  # first: its guard lets torchvision import beside a CPU-only torch

__version__ = "0.1.0"
