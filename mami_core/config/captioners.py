"""Training captioners and letting them speak."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mami_core.config.checks import require


@dataclass(frozen=True)
class TrainConfig:
    """Train a captioner on units that have references, or on captioned images."""

    dissection: Path  # with references and splits; or captions: .csv, .txt, .json, scenery:captions:N
    captioner: str  # milan | mami | luong | self | …
    out: Path  # the captioner's folder
    also: tuple[Path, ...] = ()  # further dissections whose train and val units are added
    references: str = "long"  # which set of references; short+long takes those of both
    choose_on: str | None = None  # the set on which the decoding is chosen; none: the same
    encoder: str = "parts@scenery"  # folder or bundled name; for captioned images also torchvision:NAME and the like
    encoder_weights: str | None = None  # of such a network: DEFAULT, a weight's name, or a file
    encoder_layer: str | None = None  # whose map is its 14 x 14 regions; none: the last that is large enough
    images: Path | None = None  # folder of captioned image files; none: looked for beside the captions
    finetune_encoder: bool = False  # the encoder learns with the captioner: regions are made anew at every step
    epochs: int = 18
    patience: int = 6
    batch_size: int = 32  # units a step; each brings its references
    learning_rate: float = 5e-3
    optimizer: Literal["adamw", "adam", "rmsprop"] = "adamw"
    dropout: float = 0.3
    hidden_size: int = 128
    embedding_size: int = 64
    attention_size: int = 64
    doubly_stochastic: float = 0.0  # weight of Show, Attend and Tell's penalty, in its form for unequal regions
    max_words: int = 0  # longest caption trained on and decoded; 0: the references' 99th percentile
    vocabulary_size: int = 0  # most frequent words that are kept; 0: all that occur often enough
    min_count: int = 2  # how often a word must occur
    select: Literal["bleu", "nll"] = "nll"  # by what the best epoch is kept
    batches: Literal["similar", "length", "unit"] = "similar"  # captions alike in length, of one length, of some units
    listeners: bool = True  # also what PMI and consensus decoding ask: a language model, a matcher; without: small
    amp: bool = True  # bfloat16 on a CUDA GPU; a CPU computes in float32
    tensorboard: bool = False  # also log scalars, attention pictures and the graph below the captioner's folder
    seed: int = 0
    device: str = "auto"
    resume: bool = True
    json: bool = False

    def __post_init__(self) -> None:
        require(self.epochs >= 1, f"--epochs must be at least 1, got {self.epochs}")
        require(self.batch_size >= 1, f"--batch-size must be at least 1, got {self.batch_size}")
        require(0 <= self.dropout < 1, f"--dropout must lie in [0, 1), got {self.dropout}")
        require(self.min_count >= 1, f"--min-count must be at least 1, got {self.min_count}")


@dataclass(frozen=True)
class CaptionConfig:
    """Say in words what each unit of a dissection fires for."""

    dissection: Path
    captioner: tuple[str, ...] = ("milan@scenery", "mami@scenery")  # or netdissect, clip-dissect, compositional:ENCODER
    segmentation: str | None = None  # for netdissect: a folder of class-index PNGs, or scenery, the dissection's own
    concepts: Path | None = None  # for clip-dissect: a text file, one a line
    clip: Path | None = None  # for clip-dissect: folder of a CLIP of transformers, or of a match of `mami train`
    images: str | None = None  # for these three: where the images lie, as `mami dissect` was told
    weights: str | None = None  # for netdissect: the network's, where they were named when it was dissected
    decoding: str | None = None  # greedy | beam | pmi | consensus; none: the best on the captioner's validation units
    beam_size: int = 10
    pmi_weight: float = 0.2  # λ in log p(d|E) − λ log p(d)
    layers: tuple[str, ...] = ()
    units: str | None = None
    batch_size: int = 32
    seed: int = 0
    device: str = "auto"
    json: bool = False

    def __post_init__(self) -> None:
        require(bool(self.captioner), "--captioner needs at least one name")
        require(self.beam_size >= 1, f"--beam-size must be at least 1, got {self.beam_size}")
        require(self.batch_size >= 1, f"--batch-size must be at least 1, got {self.batch_size}")


@dataclass(frozen=True)
class CaptionImagesConfig:
    """Say what images show, by a captioner of images, and where each word looked."""

    images: str  # a folder | one image file | scenery:N[:SEED]
    captioner: str  # a checkpoint folder or bundled name, trained on captioned images
    out: Path | None = None  # .csv: a row an image; .json: β and every head's attention, word by word
    attention: Path | None = None  # also the attention maps alone, as dissections keep them, e.g. attention.arrow
    include: str | None = None  # only image files that match this glob
    decoding: str | None = None  # greedy | beam | pmi | consensus; none: the best on the captioner's validation images
    beam_size: int = 10
    pmi_weight: float = 0.2  # λ in log p(d|E) − λ log p(d)
    batch_size: int = 16
    seed: int = 0
    device: str = "auto"
    json: bool = False

    def __post_init__(self) -> None:
        require(self.beam_size >= 1, f"--beam-size must be at least 1, got {self.beam_size}")
        require(self.batch_size >= 1, f"--batch-size must be at least 1, got {self.batch_size}")


@dataclass(frozen=True)
class ConvertConfig:
    """Make a captioner of ours, safetensors and JSON, out of a checkpoint that MILAN's code saved."""

    file: Path  # a .pth as published, e.g. milan-base.pth
    out: Path  # the captioner's folder; its encoder goes into a folder inside
    json: bool = False
