"""A network and a data set of your own, from nothing to a table: `python examples/own_network.py [FOLDER]`.

The network here is a small one with random weights, the images are painted, so that the example needs no download.
Put your own in their place.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

import mami_core as mami
from mami_core.scenery.world import paint


class Scenes(Dataset):
    """Any map-style data set will do: here 80 painted scenes as tensors in [0, 1], with a label."""

    def __len__(self) -> int:
        return 80

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        pixels = torch.from_numpy(paint(index).image.copy())  # (112, 112, 3) uint8
        return pixels.permute(2, 0, 1) / 255, index % 2


def network() -> nn.Module:
    """Return any module; its layers are named as `named_modules()` names them."""
    torch.manual_seed(0)
    layers = {
        "edges": nn.Conv2d(3, 8, 7, stride=4, padding=3),
        "relu": nn.ReLU(),
        "shapes": nn.Conv2d(8, 12, 3, stride=2, padding=1),
        "relu2": nn.ReLU(),
        "pool": nn.AdaptiveAvgPool2d(1),
    }
    model = nn.Sequential()
    for name, layer in layers.items():
        model.add_module(name, layer)
    return model


def main(folder: Path) -> None:
    """Dissect, caption, look, export."""
    dissection = mami.dissect(network(), Scenes(), layers=["relu", "relu2"], out=folder / "dissection", k=10)
    dissection = mami.caption(dissection, "milan@scenery", layers="relu2", decoding="greedy")

    neuron = dissection.neuron("relu2", 8)
    print(neuron)  # in Jupyter a last line `neuron` shows its exemplars, heatmaps and captions
    (folder / "neuron.html").write_text(neuron._repr_html_() or "", encoding="utf-8")

    table = dissection.to_pandas()
    print(table[["layer", "unit", "state", "threshold", "milan@scenery.caption"]].tail())
    dissection.export(folder / "neurons.csv")
    dissection.export(folder / "relu2.html", layers="relu2")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "own-network"))
