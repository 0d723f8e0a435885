"""The painted world's own networks: architectures, and how their weights are kept. No training in here.

All take images as float (B, 3, H, W) in [-1, 1] (`to_input`), except the generator, which takes layouts and gives
images in that range. Layers worth dissecting have the names that users know from the large networks, and put out what
follows the non-linearity, so that an activation of zero means "silent".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from mami_core.scenery.parts import COLOURS, PARTS, PLACES, TEXTURES
from mami_core.store.atomic import replacing

SIZE: Final = 112  # pixels, width and height
LAYOUT_SIZE: Final = 28  # cells of the generator's layout
STRIDE: Final = 4  # pixels per cell of the parts encoder's map


class ConvUnit(nn.Sequential):
    """Convolution, batch normalisation, ReLU. The ReLU is not in place: a hook on the norm keeps what it saw."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, as in He et al. 2016, figure 5 left."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__()
        self.first = ConvUnit(inputs, outputs, 3, stride=stride)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = (
            nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            if stride > 1 or inputs != outputs
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(self.first(x)) + self.shortcut(x))  # (B, outputs, H / stride, W / stride)


class SceneryResNet(nn.Module):
    """A small residual classifier of places: 512 units in `conv1` and `layer1` to `layer4`."""

    def __init__(self, classes: int = len(PLACES)) -> None:
        super().__init__()
        self.conv1 = ConvUnit(3, 32, 5, stride=2)  # 56 x 56
        self.pool = nn.MaxPool2d(2)
        self.layer1 = ResidualBlock(32, 64)  # 28 x 28
        self.layer2 = ResidualBlock(64, 96, stride=2)  # 14 x 14
        self.layer3 = ResidualBlock(96, 128)  # 14 x 14
        self.layer4 = ResidualBlock(128, 192, stride=2)  # 7 x 7
        self.fc = nn.Linear(192, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.conv1(x))  # (B, 32, 28, 28)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (B, 192, 7, 7)
        return self.fc(x.mean((2, 3)))  # (B, classes)


class SceneryAlexNet(nn.Module):
    """Five plain convolutions and two fully connected layers, after Krizhevsky et al. 2012: 464 units."""

    def __init__(
        self, classes: int = len(PLACES), *, widths: Sequence[int] = (48, 96, 128, 96, 96), hidden: int = 256
    ) -> None:
        super().__init__()
        self.conv1 = ConvUnit(3, widths[0], 9, stride=4)  # 28 x 28
        self.pool = nn.MaxPool2d(2)
        self.conv2 = ConvUnit(widths[0], widths[1], 5)  # 14 x 14, as all that follow
        self.conv3 = ConvUnit(widths[1], widths[2], 3)
        self.conv4 = ConvUnit(widths[2], widths[3], 3)
        self.conv5 = ConvUnit(widths[3], widths[4], 3)
        self.fc6 = nn.Linear(widths[4] * 3 * 3, hidden)
        self.fc7 = nn.Linear(hidden, classes)
        self.dropout = nn.Dropout(0.3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2(self.pool(self.conv1(x)))  # (B, 96, 14, 14)
        return self.answer(self.conv5(self.conv4(self.conv3(x))))  # (B, classes)

    def answer(self, maps: Tensor) -> Tensor:
        """Return the classes' scores (B, classes) for what `conv5` puts out, (B, 96, 14, 14)."""
        x = F.adaptive_max_pool2d(maps, 3).flatten(1)  # (B, 864)
        return self.fc7(F.relu(self.fc6(self.dropout(x))))


class SceneryGenerator(nn.Module):
    """Paint an image from its layout: what lies where (soft, 28 x 28) and the mean colours (14 x 14).

    Everything passes through a bottleneck of 7 x 7 cells. With a path around it the layout was handed on, and units
    were single parts (.62 of their masks), far easier to describe than real ones. Upsampling is nearest neighbour and a
    convolution: transposed ones grow checkerboard units (Odena et al. 2016).
    """

    def __init__(self, parts: int = len(PARTS)) -> None:
        super().__init__()
        self.embed = ConvUnit(parts + 3, 64, 1)  # 28 x 28
        self.layer1 = ConvUnit(64, 96, 3, stride=2)  # 14 x 14
        self.layer2 = ConvUnit(96, 128, 3, stride=2)  # 7 x 7
        self.layer3 = ConvUnit(128, 96, 3)  # 14 x 14
        self.layer4 = ConvUnit(96, 80, 3)  # 28 x 28
        self.layer5 = ConvUnit(80, 48, 3)  # 56 x 56
        self.paint = nn.Conv2d(48, 12, 3, padding=1)

    def forward(self, layout: Tensor) -> Tensor:
        """Return images (B, 3, 112, 112) in about [-1, 1] for layouts (B, parts + 3, 28, 28)."""
        x = self.layer2(self.layer1(self.embed(layout)))  # (B, 128, 7, 7)
        for layer in (self.layer3, self.layer4, self.layer5):
            x = layer(F.interpolate(x, scale_factor=2.0))  # at last (B, 48, 56, 56)
        return F.pixel_shuffle(self.paint(x), 2)  # (B, 3, 112, 112)


class PartsEncoder(nn.Module):
    """Tell part, colour and texture of every 4 x 4 pixel cell; its last features are what captioners look at.

    A feature pyramid (Lin et al. 2017): coarse maps are brought up and added to fine ones. It never sees the networks
    that are dissected, so a caption of a unit is not made from that unit's own network.
    """

    features: Final = 96
    groups: Final = (len(PARTS), len(COLOURS), len(TEXTURES))

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ConvUnit(3, 24, 5, stride=2)  # 56 x 56
        self.layer1 = ResidualBlock(24, 48, stride=2)  # 28 x 28
        self.layer2 = ResidualBlock(48, 96, stride=2)  # 14 x 14
        self.layer3 = ResidualBlock(96, 128, stride=2)  # 7 x 7
        self.up3 = nn.Conv2d(128, 96, 1)
        self.merge2 = ConvUnit(96, 96, 3)
        self.up2 = nn.Conv2d(96, 64, 1)
        self.side1 = nn.Conv2d(48, 64, 1)
        self.merge1 = ConvUnit(64, self.features, 3)
        self.head = nn.Conv2d(self.features, sum(self.groups), 1)

    def trunk(self, x: Tensor) -> Tensor:
        """Return features (B, 96, H / 4, W / 4); H and W must be multiples of 16."""
        fine = self.layer1(self.conv1(x))  # (B, 48, H/4, W/4)
        middle = self.layer2(fine)  # (B, 96, H/8, W/8)
        coarse = self.up3(self.layer3(middle))  # (B, 96, H/16, W/16)
        middle = self.merge2(middle + F.interpolate(coarse, scale_factor=2.0))  # (B, 96, H/8, W/8)
        return self.merge1(self.side1(fine) + F.interpolate(self.up2(middle), scale_factor=2.0))  # (B, 96, H/4, W/4)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, parts + colours + textures, H / 4, W / 4)."""
        return self.head(self.trunk(x))


ARCHITECTURES: Final[Mapping[str, Callable[[], nn.Module]]] = {
    "resnet": SceneryResNet,
    "alexnet": SceneryAlexNet,
    "generator": SceneryGenerator,
    "parts-encoder": PartsEncoder,
}
LAYERS: Final[Mapping[str, tuple[str, ...]]] = {
    "resnet": ("conv1", "layer1", "layer2", "layer3", "layer4"),
    "alexnet": ("conv1", "conv2", "conv3", "conv4", "conv5"),
    "generator": ("layer1", "layer2", "layer3", "layer4", "layer5"),
}


def build(name: str) -> nn.Module:
    """Return an untrained network by its name in `ARCHITECTURES`; ValueError names those there are."""
    if name not in ARCHITECTURES:
        raise ValueError(f"no scenery network {name!r}; there are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]()


def to_input(images: np.ndarray | Tensor) -> Tensor:
    """Return what the networks take, float (B, 3, H, W) in [-1, 1], for uint8 images (B, 3, H, W)."""
    pixels = torch.as_tensor(images if isinstance(images, Tensor) else np.require(images, requirements="W"))
    if pixels.ndim != 4 or pixels.shape[1] != 3 or pixels.dtype != torch.uint8:
        raise ValueError(f"expected uint8 images (B, 3, H, W), got {pixels.dtype} {tuple(pixels.shape)}")
    return pixels.float().div_(127.5).sub_(1.0)


def to_layout(parts: Tensor, images: Tensor, *, size: int = LAYOUT_SIZE) -> Tensor:
    """Return the generator's input (B, parts + 3, 28, 28) for part maps uint8 (B, h, w) and images (B, 3, H, W) uint8.

    The first channels hold each part's share of a cell, the last three the mean colour of a block of 2 x 2 cells.
    """
    one_hot = F.one_hot(parts.long(), len(PARTS)).permute(0, 3, 1, 2).float()  # (B, P, h, w)
    shares = F.adaptive_avg_pool2d(one_hot, size)  # (B, P, 28, 28)
    colours = F.adaptive_avg_pool2d(to_input(images), size // 2)  # (B, 3, 14, 14)
    return torch.cat([shares, F.interpolate(colours, scale_factor=2.0)], 1)  # (B, P + 3, 28, 28)


def save_network(network: nn.Module, path: Path, *, half: bool = True) -> None:
    """Write a network's weights; `half` stores them as float16, which is half the size and reads back exactly so."""
    tensors = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    if half:
        tensors = {key: value.half() if value.is_floating_point() else value for key, value in tensors.items()}
    with replacing(path) as partial:
        save_file(tensors, partial)


def load_network(name: str, path: Path) -> nn.Module:
    """Return a trained network in eval mode, float32, from its safetensors file.

    FileNotFoundError or ValueError says which file is missing or which keys do not fit.
    """
    network = build(name)
    if not path.is_file():
        raise FileNotFoundError(f"no weights for scenery:{name} at {path}; `mami demo` makes them")
    tensors = load_file(path)
    expected = network.state_dict()
    wrong = sorted(set(expected) ^ set(tensors)) + [
        key for key in expected if key in tensors and tensors[key].shape != expected[key].shape
    ]
    if wrong:
        raise ValueError(f"{path} does not fit scenery:{name}: {', '.join(wrong[:5])} ({len(wrong)} keys in all)")
    network.load_state_dict({key: value.to(expected[key].dtype) for key, value in tensors.items()})
    return network.eval()
