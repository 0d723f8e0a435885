"""What `mami bench visualise` measures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mami_core.config.checks import require


@dataclass(frozen=True)
class BenchVisualiseConfig:
    """Measure feature visualisation in CPU seconds a unit, and against the bare forward and backward to the layer."""

    networks: tuple[str, ...] = (
        "torchvision:squeezenet1_1/features.6",
        "torchvision:resnet18/layer3",
        "torchvision:alexnet/features.11",
        "scenery:resnet/layer4",
    )  # each with its layer behind a slash
    size: int = 128  # pixels
    steps: int = 256
    units: int = 4  # at once
    threads: int = 1
    out: Path | None = None  # also write the figures into their section of this file, e.g. docs/benchmarks.md
    json: bool = False

    def __post_init__(self) -> None:
        require(all("/" in name for name in self.networks), "--networks: write NETWORK/LAYER")
        require(min(self.steps, self.units, self.threads) >= 1, "every number must be at least 1")
