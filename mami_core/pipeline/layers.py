"""`mami layers`: what of a network can be dissected, with the shape of what each layer puts out."""

from __future__ import annotations

from dataclasses import asdict

from mami_core.config import LayersConfig
from mami_core.dissection import list_layers
from mami_core.pipeline.progress import print_result
from mami_core.pipeline.sources import open_any_network


def run_layers(config: LayersConfig) -> None:
    """Print the layers in the order the data meets them; a star marks those dissected when none is named."""
    network = open_any_network(config.network, weights=config.weights, arguments=config.arguments)
    layers = list_layers(network)
    width = max(len(layer.name) for layer in layers)
    rows = [
        f"{'*' if layer.default else ' '} {layer.name:{width}}  {layer.units:6} units  "
        f"{layer.height}x{layer.width}  {layer.kind}  {layer.type}"
        for layer in layers
    ]
    text = "\n".join([*rows, "* dissected when --layers names none"])
    result = {"network": network.name, "layers": [asdict(layer) for layer in layers]}
    print_result(result, as_json=config.json, text=text)
