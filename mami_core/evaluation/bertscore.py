"""BERTScore through bert-score, with what breaks or changes silently under transformers 5 set right.

Zhang et al. 2020, "BERTScore". Figures of different backbones, layers or rescalings are not comparable: every figure
carries its label. Weights that are not on this machine give `NotComputed`, never another backbone's figure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mami_core.evaluation.text import NotComputed
from mami_core.store.atomic import sha256_of

_LONGEST: Final = 512  # where a tokeniser does not know its model's length it answers 1e30, which overflows


@dataclass(frozen=True, slots=True)
class BertScoreSpec:
    """Which BERTScore. The default is MILAN's."""

    model: str = "roberta-large"  # a model's name, or the folder of a local one
    layers: int = 17
    idf: bool = True
    rescale: bool = True
    prefix_space: bool = False  # RoBERTa: False equals MILAN's fast tokeniser, True bert-score's published hash
    batch_size: int = 64
    device: str = "cpu"

    @property
    def is_milan(self) -> bool:
        """Tell whether figures can stand beside MILAN's and MAMI's."""
        return (self.model, self.layers, self.idf, self.rescale, self.prefix_space) == _MILAN


def named_spec(model: str) -> BertScoreSpec:
    """Return MILAN's settings for its own backbone; for a model's folder its last layer but one, idf, raw values.

    There are no baselines to rescale by for models that bert-score does not know. FileNotFoundError without a folder.
    """
    if model == BertScoreSpec().model:
        return BertScoreSpec()
    config = Path(model).expanduser() / "config.json"
    if not config.is_file():
        raise FileNotFoundError(f"{model} is neither roberta-large nor a model's folder: it has no config.json")
    depth = _depth(json.loads(config.read_text(encoding="utf-8"))) or 2
    return BertScoreSpec(model, layers=max(depth - 1, 1), rescale=False)


_MILAN: Final = ("roberta-large", 17, True, True, False)


@dataclass(frozen=True, slots=True, eq=False)
class BertScore:
    """Precision, recall and F1 per unit, float64 (units,), each the best over the unit's references."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    label: str


def bert_score(
    captions: Sequence[str], references: Sequence[Sequence[str]], spec: BertScoreSpec | None = None
) -> BertScore | NotComputed:
    """Return BERTScore of one caption a unit against its references; an empty caption scores 0.

    Idf weights come from all references given, as in MILAN. ValueError for a unit whose references say nothing.
    """
    spec = spec or BertScoreSpec()
    if len(captions) != len(references) or not captions:
        raise ValueError(f"{len(captions)} captions and references of {len(references)} units; need as many, and some")
    said = [[text for text in given if text.strip()] for given in references]
    if not all(said):
        raise ValueError(f"unit number {[bool(given) for given in said].index(False)} has no reference; leave it out")
    folder = local_model(spec.model)
    if folder is None:
        return NotComputed(
            f"the weights of {spec.model} are not on this machine; name a local model's folder with "
            f"--bertscore-backbone, or put {spec.model} into the Hugging Face cache"
        )
    scorer = _scorer(spec, folder)
    if isinstance(scorer, NotComputed):
        return scorer
    return _scored(scorer, captions, said, spec, folder)


def _scored(
    scorer: Any, captions: Sequence[str], references: list[list[str]], spec: BertScoreSpec, folder: Path
) -> BertScore | NotComputed:
    if spec.idf:
        scorer.compute_idf([text for given in references for text in given])
    spoken = [row for row, caption in enumerate(captions) if caption.strip()]
    figures = np.zeros((3, len(captions)))  # bert-score itself dies of an empty sentence
    if spoken:
        found = scorer.score([captions[row] for row in spoken], [references[row] for row in spoken])
        figures[:, spoken] = np.stack([np.asarray(values, dtype=np.float64) for values in found])
    if not np.isfinite(figures).all():
        return NotComputed("idf weights are all 0: each word stands in every reference; turn idf off")
    precision, recall, f1 = figures
    return BertScore(precision, recall, f1, _label(spec, folder))


def local_model(model: str) -> Path | None:
    """Return the folder of a model that is on this machine, by path or in the Hugging Face cache; else None.

    Nothing is ever downloaded.
    """
    named = Path(model).expanduser()
    if (named / "config.json").is_file():
        return named
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(model, local_files_only=True))
    except (OSError, ValueError):  # not in the cache, or no name that a cache could hold
        return None
    return folder if _weights(folder) is not None else None


def _weights(folder: Path) -> Path | None:
    found = (folder / name for name in ("model.safetensors", "pytorch_model.bin"))
    return next((path for path in found if path.is_file()), None)


def _scorer(spec: BertScoreSpec, folder: Path) -> Any:
    problem = _cannot_load(spec, folder)
    if problem is not None:
        return NotComputed(problem)
    import bert_score as package
    from transformers import AutoTokenizer

    baseline = Path(package.__file__).parent / "rescale_baseline" / "en" / f"{Path(spec.model).name}.tsv"
    if spec.rescale and not baseline.is_file():
        return NotComputed(f"bert-score has no baseline for {Path(spec.model).name}; turn rescaling off")
    scorer = package.BERTScorer(
        model_type=str(folder),
        num_layers=spec.layers,
        idf=spec.idf,
        batch_size=spec.batch_size,
        nthreads=0,  # no process pool: captions are short
        device=spec.device,
        lang="en",
        rescale_with_baseline=spec.rescale,
        baseline_path=str(baseline) if spec.rescale else None,
        use_fast_tokenizer=True,
    )
    # transformers 5 ignores the add_prefix_space that bert-score hands to encode(), so it is set where it counts
    tokenizer = AutoTokenizer.from_pretrained(str(folder), add_prefix_space=spec.prefix_space)
    tokenizer.model_max_length = min(tokenizer.model_max_length, _LONGEST)
    scorer._tokenizer = tokenizer
    return scorer


def _depth(config: dict[str, Any]) -> int | None:
    return config.get("num_hidden_layers") or config.get("n_layers") or config.get("num_layers")


def _cannot_load(spec: BertScoreSpec, folder: Path) -> str | None:
    if _weights(folder) is None:
        return f"{folder} has no model.safetensors or pytorch_model.bin"
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    depth = _depth(config)
    if depth is not None and not 0 <= spec.layers <= depth:
        return f"{spec.model} has {depth} layers; layer {spec.layers} was asked for"
    if "t5" in str(folder) and config.get("model_type") != "t5":
        return f"bert-score takes {folder} for a T5 model because of its path; move or link it elsewhere"
    return None


def _label(spec: BertScoreSpec, folder: Path) -> str:
    from transformers import __version__

    weights = _weights(folder)
    sha = sha256_of(weights)[:8] if weights else "?"
    kind = f"{Path(spec.model).name} L{spec.layers} {'idf' if spec.idf else 'no idf'}"
    scale = "rescaled" if spec.rescale else "raw"
    space = " prefix-space" if spec.prefix_space else ""
    note = "" if spec.is_milan else " - NOT comparable with MILAN/MAMI"
    return f"BERTScore[{kind} {scale}{space} | tf {__version__} | {sha}{note}]"
