"""One frozen, self-checking record per command: it is the command line, and it is saved with every result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Exported = Literal["csv", "json", "parquet", "milan", "clip-dissect", "imported", "html", "card", "projector"]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True)
class DissectConfig:
    """Run a network over images and keep, for every unit, what excites it."""

    network: str  # torchvision:NAME | timm:NAME | hf:PATH | path.py:factory | scenery:resnet | scenery:alexnet
    images: str  # a folder | FILE.npz | scenery:N[:SEED] | latents:N[:SEED]
    out: Path  # the dissection's folder; new, empty, or the same dissection to continue
    layers: tuple[str, ...] = ()  # which layers; none: all that `mami layers` lists by default
    weights: str | None = None  # DEFAULT, a torchvision weight's name, or a .safetensors / .pth file
    arguments: str = "{}"  # JSON keyword arguments for the network's constructor
    include: str | None = None  # only image files that match this glob
    resize: int | None = None  # the shorter side in pixels before cropping; none: as the network was trained
    crop: int | None = None  # side of the square that is fed; none: as the network was trained
    mean: tuple[float, float, float] | None = None  # subtracted from pixels in 0…1; none: as the network was trained
    std: tuple[float, float, float] | None = None  # what is left is divided by it; none: as the network was trained
    units: str | None = None  # only these units, e.g. 0-63,100
    k: int = 15  # exemplars kept per unit
    quantile: float = 0.99  # a unit's threshold is this quantile of its activations over all positions
    sample_positions: int = 0  # positions sampled per image for the quantile; 0: chosen from the number of images
    map_size: int = 56  # maps of top exemplars are kept at most this many cells wide and high
    thumbnail: int = 224  # exemplar images are stored at most this many pixels wide and high
    spectrum: int = 10  # further exemplars per unit: as many random and bottom ones, half as many in each band; 0: none
    bands: int = 4  # equal shares of the images, from the weakest (band-0) to the strongest
    batch_size: int = 32
    workers: int = 0  # processes that decode images; 0: decode in this one
    seed: int = 0
    device: str = "auto"
    mixed_precision: bool = True  # bfloat16 on a CUDA GPU; elsewhere it is never used
    milan_parity: bool = False  # as the MILAN reference: ReLU, upsampling, quantile, bytes; see docs/milan_parity.md
    exact_statistics: bool = False  # statistics from all positions, not the sampled ones; `bench dissect` has its cost
    shard: str | None = None  # i/n: only this share of the image blocks, to be joined by `mami merge`
    resume: bool = True  # go on where an interrupted run stopped
    json: bool = False  # print the result as JSON

    def __post_init__(self) -> None:
        _require(self.k >= 1, f"--k must be at least 1, got {self.k}")
        _require(0 < self.quantile < 1, f"--quantile must lie between 0 and 1, got {self.quantile}")
        _require(self.batch_size >= 1, f"--batch-size must be at least 1, got {self.batch_size}")
        _require(self.map_size >= 1, f"--map-size must be at least 1, got {self.map_size}")
        _require(self.thumbnail >= 8, f"--thumbnail must be at least 8, got {self.thumbnail}")
        _require(self.spectrum >= 0, f"--spectrum must be at least 0, got {self.spectrum}")
        _require(self.bands >= 1, f"--bands must be at least 1, got {self.bands}")
        _require(self.workers >= 0, f"--workers must be at least 0, got {self.workers}")
        _require(self.sample_positions >= 0, f"--sample-positions must be at least 0, got {self.sample_positions}")
        parse_units(self.units)
        parse_shard(self.shard)
        try:
            found = json.loads(self.arguments)
        except ValueError as problem:
            raise ValueError(f"--arguments is not JSON ({problem}); write it like '{{\"classes\": 10}}'") from None
        _require(isinstance(found, dict), "--arguments must be a JSON object of keyword arguments")


@dataclass(frozen=True)
class MergeConfig:
    """Join the shares that `mami dissect --shard i/n` left in one folder into a dissection."""

    out: Path  # the folder that every share was written to
    json: bool = False


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
        _require(self.images >= self.batch_size >= 1, "--images must be at least --batch-size, and both at least 1")
        _require(len(self.networks) >= 1, "--networks must name at least one network")
        _require(self.workers >= 0, f"--workers must be at least 0, got {self.workers}")
        _require(
            self.images >= self.workers * self.batch_size,
            f"--workers {self.workers} need a batch each: --images {self.workers * self.batch_size} or more",
        )
        _require(min(self.memory_images, default=1) >= 1, "--memory-images must all be at least 1")
        _require(min(self.size, self.memory_size) >= 32, "--size and --memory-size must be at least 32 pixels")


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
        _require(min(*sizes, self.repeats) >= 1, "every size, and --repeats, must be at least 1")
        _require(self.vocabulary_size > 8, f"--vocabulary-size must be above 8, got {self.vocabulary_size}")


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
        _require(self.units >= 100, f"--units must be at least 100, got {self.units}")
        least = min(self.switches, self.browsers, self.clients, self.load_seconds)
        _require(least >= 1, "--switches, --browsers, --clients and --load-seconds must be at least 1")
        _require(self.walk >= 10, f"--walk must be at least 10, got {self.walk}")


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
        _require(self.epochs >= 1, f"--epochs must be at least 1, got {self.epochs}")
        _require(self.batch_size >= 1, f"--batch-size must be at least 1, got {self.batch_size}")
        _require(0 <= self.dropout < 1, f"--dropout must lie in [0, 1), got {self.dropout}")
        _require(self.min_count >= 1, f"--min-count must be at least 1, got {self.min_count}")


@dataclass(frozen=True)
class CaptionConfig:
    """Say in words what each unit of a dissection fires for."""

    dissection: Path
    captioner: tuple[str, ...] = ("milan@scenery", "mami@scenery")  # folders, names, netdissect, clip-dissect
    segmentation: str | None = None  # for netdissect: a folder of class-index PNGs, or scenery, the dissection's own
    concepts: Path | None = None  # for clip-dissect: a text file, one a line
    clip: Path | None = None  # for clip-dissect: folder of a CLIP of transformers, or of a match of `mami train`
    images: str | None = None  # for both: where the images lie, as `mami dissect` was told
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
        _require(bool(self.captioner), "--captioner needs at least one name")
        _require(self.beam_size >= 1, f"--beam-size must be at least 1, got {self.beam_size}")
        _require(self.batch_size >= 1, f"--batch-size must be at least 1, got {self.batch_size}")


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
        _require(self.beam_size >= 1, f"--beam-size must be at least 1, got {self.beam_size}")
        _require(self.batch_size >= 1, f"--batch-size must be at least 1, got {self.batch_size}")


@dataclass(frozen=True)
class ConvertConfig:
    """Make a captioner of ours, safetensors and JSON, out of a checkpoint that MILAN's code saved."""

    file: Path  # a .pth as published, e.g. milan-base.pth
    out: Path  # the captioner's folder; its encoder goes into a folder inside
    json: bool = False


@dataclass(frozen=True)
class ReproduceConfig:
    """Train and test what a paper's table compares, on the embedded world, and write the figures."""

    table: Literal["sat-table1"]
    scenes: int = 8000  # captioned scenes; three quarters to train, an eighth each to validate and test
    seeds: int = 1  # trainings of each captioner
    captioners: tuple[str, ...] = ("sat-soft", "sat-hard", "init-inject", "pre-inject", "par-inject", "merge")
    encoder: str = "parts@scenery"  # folder or bundled name
    epochs: int = 8
    meteor: bool = True  # where Java is present
    out: Path | None = None  # also write the table into its section of this Markdown file, e.g. docs/results.md
    threads: int = 1
    device: str = "auto"
    json: bool = False

    def __post_init__(self) -> None:
        _require(self.scenes >= 24, f"--scenes must be at least 24, got {self.scenes}")
        _require(min(self.seeds, self.epochs, self.threads) >= 1, "--seeds, --epochs and --threads must be at least 1")
        _require(bool(self.captioners), "--captioners needs at least one name")


@dataclass(frozen=True)
class DataConfig:
    """Open published data as dissections with references: downloaded once, or where `MILAN_DATA_DIR` says it lies."""

    name: str  # milannotations:SET (alexnet/imagenet, …) or a group: base, cls, gen, imagenet, places365, alexnet, …
    imagenet: Path | None = None  # ImageNet's validation images, for sets without pictures; none: imagenet/val there
    squash: bool = False  # cut those pictures as MILAN's own merge does, though masks do not line up with them
    annotations: int = 3  # a unit; units with fewer have no references; 0: all there are
    json: bool = False

    def __post_init__(self) -> None:
        _require(self.annotations >= 0, f"--annotations must be at least 0, got {self.annotations}")


@dataclass(frozen=True)
class ImportConfig:
    """Take in what others say of units: caption CSVs of MILAN, CLIP-Dissect, NetDissect and their like, MAIA's JSON."""

    dissection: Path  # where it is not there, it is made, of nothing but the file's units
    file: Path  # its kind is told by its header
    name: str  # what these captions, or references, are listed under
    source: str | None = None  # which column, where the file has several captions a unit; none: each by itself
    layer: str | None = None  # which layer the file is of, where it does not say
    network: str | None = None  # of a dissection that is made; none: the file's name
    unknown: Literal["refuse", "skip", "add"] = "refuse"  # rows of units that the dissection does not have
    json: bool = False

    def __post_init__(self) -> None:
        _require(bool(self.name.strip()), "--as needs a name")


@dataclass(frozen=True)
class Table1Config:
    """MAMI's table 1: how many descriptions, how long, in which words, source by source beside the paper's."""

    data: Path = Path("scenery")  # a world, a dissection, a folder of these or of milannotations*.csv; scenery: our own
    keep: Path | None = None  # also write table1.csv and table1.json into this folder
    out: Path | None = None  # also write the table into its section of this Markdown file, e.g. docs/results.md
    json: bool = False


@dataclass(frozen=True)
class Table2Config:
    """MAMI's table 2 on a painted world: every captioner, each source and all of them, with ours, floors and truth."""

    data: Path = Path("scenery")  # a folder that `mami world` made; scenery: one of our own, made where it is missing
    seeds: int = 5  # trainings of MILAN, MAMI and ours on the compound set; the other rows have one
    captions: Path | None = None  # only score captions that an earlier run kept there; nothing is trained
    keep: Path | None = None  # keep what every training said of the test units there, to be scored again
    captioners: tuple[str, ...] = ()  # only these of milan, luong, self, mami, consensus
    encoder: str = "parts@scenery"  # folder or bundled name
    bertscore_backbone: str = "roberta-large"  # or a local model's folder; absent: the columns read "not computed"
    out: Path | None = None  # also write the table into its section of this Markdown file, e.g. docs/results.md
    threads: int = 1
    json: bool = False

    def __post_init__(self) -> None:
        _require(min(self.seeds, self.threads) >= 1, "--seeds and --threads must be at least 1")


@dataclass(frozen=True)
class PlantedConfig:
    """Hold captions of planted neurons against their rules, their masks and what they do on scenes never shown."""

    data: Path = Path("scenery")  # a folder that `mami world` made; scenery: one of our own, made where it is missing
    seeds: int = 1  # trainings of each captioner
    scenes: int = 1000  # held-out scenes that activations are compared on
    encoder: str = "parts@scenery"  # folder or bundled name
    out: Path | None = None  # also write the figures into their section of this Markdown file, e.g. docs/results.md
    json: bool = False

    def __post_init__(self) -> None:
        _require(min(self.seeds, self.scenes) >= 1, "--seeds and --scenes must be at least 1")


@dataclass(frozen=True)
class PublishedConfig:
    """Hold a folder of published caption files against the references and scores that lie beside them."""

    data: Path  # METHOD_on_NETWORK.csv, milannotations_NETWORK.csv, simscore_METHOD_on_NETWORK.csv
    meteor: bool = True  # where Java is present
    out: Path | None = None  # also write the figures into their section of this Markdown file, e.g. docs/results.md
    seed: int = 0
    json: bool = False


@dataclass(frozen=True)
class InspectConfig:
    """Say what a dissection holds; with --verify, check every byte of it."""

    dissection: Path
    verify: bool = False
    json: bool = False


@dataclass(frozen=True)
class DoctorConfig:
    """Look whether everything this program needs is there and works; the output names no folders, to be pasted."""

    json: bool = False


@dataclass(frozen=True)
class LicencesConfig:
    """List the packages that this program brings with it, and their licences."""

    json: bool = False


@dataclass(frozen=True)
class RepairConfig:
    """Mend what `mami inspect --verify` found: rebuild what can be rebuilt, say what cannot and what makes it again."""

    dissection: Path
    copy: Path | None = None  # a backup, or the same dissection made again: files of it that prove to be the same
    json: bool = False


@dataclass(frozen=True)
class ExportConfig:
    """Write a dissection's labelled neurons to one file, or to a folder for TensorBoard's projector."""

    dissection: Path
    out: Path
    format: Exported | None = None  # none: from the file's ending; html: a report with pictures; card: a dataset card
    captioner: str | None = None  # for the peers' forms, which hold one caption a unit
    layers: tuple[str, ...] = ()
    units: str | None = None
    json: bool = False


@dataclass(frozen=True)
class EvaluateConfig:
    """Hold captions against references, and against the truth where it is known, with floors and 95 % intervals."""

    dissection: Path | None = None  # captioned, with references; or name two files:
    captions: Path | None = None  # CSV: layer,unit,description
    references: Path | None = None  # CSV: layer,unit,summary; several rows a unit
    set: str = "long"  # which references of a dissection
    split: str = "test"  # which units of a dissection
    bertscore_backbone: str | None = None  # also BERTScore: roberta-large, as MILAN, or a local model's folder
    coco: bool = False  # also METEOR (where Java is present), CIDEr and ROUGE-L, by pycocoevalcap
    out: Path | None = None  # also write the figures into their section of this Markdown file
    seed: int = 0
    json: bool = False

    def __post_init__(self) -> None:
        files = self.captions is not None and self.references is not None
        _require(
            (self.dissection is not None) != files and (self.captions is None) == (self.references is None),
            "name either a dissection, or both --captions and --references",
        )


@dataclass(frozen=True)
class DashboardConfig:
    """Open the dashboard on dissections; without any, on the bundled demo and what `MAMI_HOME` holds."""

    dissections: tuple[Path, ...] = ()
    port: int = 8501
    address: str = "127.0.0.1"
    headless: bool = False  # do not open a browser
    allow_code: bool = False  # let forms name path.py:factory, which runs that file's code


@dataclass(frozen=True)
class DemoConfig:
    """Make the embedded world's demo from nothing: paint, train, dissect, describe, caption."""

    out: Path
    models: Path | None = None  # where the models that made it go; none: into the demo itself
    seed: int = 0
    scale: float = 1.0  # how much of everything; small values are for tests
    device: str = "auto"
    json: bool = False

    def __post_init__(self) -> None:
        _require(0 < self.scale <= 4, f"--scale must lie in (0, 4], got {self.scale}")


@dataclass(frozen=True)
class WorldConfig:
    """Make the benchmark of the embedded world: three kinds of networks, dissected, described and split."""

    out: Path  # the world's folder; new, empty, or the same world to continue
    seed: int = 0
    scale: float = 1.0  # how many images of everything; small values are for tests
    copies: int = 2  # trainings of each network, from different seeds
    json: bool = False

    def __post_init__(self) -> None:
        _require(0 < self.scale <= 4, f"--scale must lie in (0, 4], got {self.scale}")
        _require(self.copies >= 1, f"--copies must be at least 1, got {self.copies}")


@dataclass(frozen=True)
class LayersConfig:
    """List the layers of a network that can be dissected, with the shape of what they put out."""

    network: str
    weights: str | None = None
    arguments: str = "{}"
    json: bool = False


def settings_sha256(settings: Any) -> str:
    """Return the SHA-256 of a record's or mapping's settings, the same on every machine and in every session."""
    plain = asdict(settings) if hasattr(settings, "__dataclass_fields__") else settings
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()


def parse_units(text: str | None) -> frozenset[int] | None:
    """Return the unit numbers that `0-63,100` means; None for None, which stands for all.

    Raises ValueError for anything that is not numbers and ranges.
    """
    if text is None:
        return None
    chosen: set[int] = set()
    for piece in text.split(","):
        first, dash, last = piece.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ValueError(f"units {text!r}: {piece!r} is neither a number nor a range; write like 0-63,100")
        end = int(last) if dash else int(first)
        if end < int(first):
            raise ValueError(f"units {text!r}: the range {piece!r} runs backwards")
        chosen.update(range(int(first), end + 1))
    return frozenset(chosen)


def parse_shard(text: str | None) -> tuple[int, int]:
    """Return (i, n) of a share written `i/n`, i from 0; (0, 1), the whole, for None."""
    if text is None:
        return 0, 1
    share, slash, total = text.partition("/")
    if not (slash and share.isdecimal() and total.isdecimal() and int(share) < int(total)):
        raise ValueError(f"--shard {text!r} is no share; write i/n with i from 0 to n - 1, like 0/4")
    return int(share), int(total)
