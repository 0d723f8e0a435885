"""A dissection on disk, labels, jobs and caches: everything that is written is written here."""

from mami_core.store.dissection import Dissection, UnitKey
from mami_core.store.histogram import histogram_edges, linear_histogram
from mami_core.store.home import DEMO, cache_folder, dissections_folder, find_dissections, home, models_folder
from mami_core.store.images import encode_image
from mami_core.store.manifest import LayerInfo, Manifest
from mami_core.store.models import find_model, find_weights, known_models
from mami_core.store.writer import DissectionWriter

__all__ = [
    "DEMO",
    "Dissection",
    "DissectionWriter",
    "LayerInfo",
    "Manifest",
    "UnitKey",
    "cache_folder",
    "dissections_folder",
    "encode_image",
    "find_dissections",
    "find_model",
    "find_weights",
    "histogram_edges",
    "home",
    "known_models",
    "linear_histogram",
    "models_folder",
]
