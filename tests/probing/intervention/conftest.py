"""A network whose every answer is known: unit c of one layer tells class c, the other units tell nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mami_core.inputs import Network
from mami_core.probing.intervention.judge import Judge, one_right_answer

CLASSES, SPARE = 4, 4  # spare units: constant, or noise that no answer depends on
IMAGES = 40


class Told(nn.Module):
    """Unit c of `features` is channel c of the image; the spare ones are constant. The head reads the first four."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(CLASSES, CLASSES + SPARE, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(CLASSES + SPARE, CLASSES)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.zero_()
            self.features.weight[:CLASSES, :, 0, 0] = torch.eye(CLASSES)
            self.features.bias[CLASSES:] = 3.0
            self.head.weight[:, :CLASSES] = torch.eye(CLASSES)
            self.head.bias[:] = torch.tensor([0.0, -1e-3, -2e-3, -3e-3])  # nothing seen: class 0

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.pool(self.features(x)).flatten(1))


@pytest.fixture
def labels() -> np.ndarray:
    return np.arange(IMAGES) % CLASSES


@pytest.fixture
def judge(labels) -> Judge:
    """The network over images that show their class as a bright channel."""
    images = torch.zeros(IMAGES, CLASSES, 4, 4)
    images[torch.arange(IMAGES), torch.from_numpy(labels)] = 1.0
    images += 0.05 * torch.rand(images.shape, generator=torch.Generator().manual_seed(0))
    network = Network(name="told", module=Told().eval(), preprocess=as_it_is)
    return Judge(network, (images,), one_right_answer(labels, CLASSES), ("features",), batch_size=16)


def as_it_is(image):
    return image
