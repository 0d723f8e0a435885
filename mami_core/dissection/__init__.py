"""Hooks, running top-k and tail quantiles, exemplars and their maps, blocks, resume and merge."""

from mami_core.dissection.layers import LayerShape, list_layers
from mami_core.dissection.run import dissect, merge

__all__ = ["LayerShape", "dissect", "list_layers", "merge"]
