"""What the benches measure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mami_core.config.checks import require


@dataclass(frozen=True)
class BenchDissectConfig:
    """Measure what dissection adds to the bare forward pass, in CPU seconds, and how exact its thresholds are."""

    networks: tuple[str, ...] = ("torchvision:resnet18", "torchvision:alexnet")
    images: int = 256  # random images; rank errors are taken against keeping every value
    batch_size: int = 32
    size: int = 224
    threads: int = 1
    workers: int = 0  # compare as many workers at once with one, on the first network; 0: do not
    memory_images: tuple[int, ...] = ()  # measure the first network's memory over as many images, e.g. 2000 20000
    memory_size: int = 224  # pixels of those images; 20,000 of 224 px take a quarter of an hour
    gpu_batch_size: int = 256  # where a GPU is present, ResNet-50 and ResNet-152 are measured on it
    out: Path | None = None  # also write the figures into their section of this file, e.g. docs/benchmarks.md
    json: bool = False

    def __post_init__(self) -> None:
        require(self.images >= self.batch_size >= 1, "--images must be at least --batch-size, and both at least 1")
        require(len(self.networks) >= 1, "--networks must name at least one network")
        require(self.workers >= 0, f"--workers must be at least 0, got {self.workers}")
        require(
            self.images >= self.workers * self.batch_size,
            f"--workers {self.workers} need a batch each: --images {self.workers * self.batch_size} or more",
        )
        require(min(self.memory_images, default=1) >= 1, "--memory-images must all be at least 1")
        require(min(self.size, self.memory_size) >= 32, "--size and --memory-size must be at least 32 pixels")


@dataclass(frozen=True)
class BenchCaptionConfig:
    """Measure captioning in units per CPU second, beside the plain arithmetic and this machine's matrix product."""

    texts: Path | None = None  # CSV of real descriptions to train on, so that beams end; none: of MAMI_DATA_DIR
    regions: int = 15
    feature_size: int = 3904
    hidden_size: int = 512
    vocabulary_size: int = 5000
    length: int = 15
    beam_size: int = 50
    units: int = 16  # captioned together
    repeats: int = 3  # the best of these counts
    out: Path | None = None  # also write the figures into their section of this file, e.g. docs/benchmarks.md
    json: bool = False

    def __post_init__(self) -> None:
        sizes = (self.regions, self.feature_size, self.hidden_size, self.length, self.beam_size, self.units)
        require(min(*sizes, self.repeats) >= 1, "every size, and --repeats, must be at least 1")
        require(self.vocabulary_size > 8, f"--vocabulary-size must be above 8, got {self.vocabulary_size}")


@dataclass(frozen=True)
class BenchDashboardConfig:
    """Measure what people wait for in the dashboard, in a real Chromium on the bundled demo and a large dissection."""

    units: int = 30_000  # of the large dissection, which is made by lot and kept in the cache
    switches: int = 24  # key presses to the next neuron, and as many words pointed at, for each size of exemplars
    walk: int = 5000  # switches over which the server's memory is watched, after the first fifth of them
    browsers: int = 3  # at once
    clients: int = 17  # over websockets, beside the browsers
    load_seconds: int = 180  # each of them opens a neuron every five seconds
    out: Path | None = None  # also write the figures into their section of this file, e.g. docs/benchmarks.md
    json: bool = False

    def __post_init__(self) -> None:
        require(self.units >= 100, f"--units must be at least 100, got {self.units}")
        least = min(self.switches, self.browsers, self.clients, self.load_seconds)
        require(least >= 1, "--switches, --browsers, --clients and --load-seconds must be at least 1")
        require(self.walk >= 10, f"--walk must be at least 10, got {self.walk}")
