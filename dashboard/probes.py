"""What pages and routes ask of `mami_core.probing`, kept once it was computed: bounded, shared, not to be changed."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image

from dashboard import loaders
from dashboard.security import check_code
from mami_core.device import choose_device
from mami_core.evaluation.breakdown import annotators_together, means
from mami_core.evaluation.galleries import drawn
from mami_core.pipeline.evaluations.measuring import QUICK, evaluate_dissection
from mami_core.probing.counterexamples import counter_examples
from mami_core.probing.disagreement import Agreement, agreement_matrix
from mami_core.probing.head_roles import head_words as words_by_head
from mami_core.probing.head_roles import heads_by_layer
from mami_core.probing.matching import Redundancy, caption_differences, match_units, redundancy
from mami_core.probing.noteworthy import WorthALook, worth_a_look
from mami_core.probing.payload import caption_payload, encoded, number
from mami_core.probing.spectrum import class_effects
from mami_core.store import Dissection, find_model, known_models
from mami_core.store.evaluations import kept_evaluation, kept_state
from mami_core.store.jobs import Job
from mami_core.store.layout import peaks_file
from mami_core.store.training_log import read_training_log

if TYPE_CHECKING:
    from mami_core.captioning.image_captions import ImageCaptioner
    from mami_core.inputs import Network


@lru_cache(maxsize=64)
def agreement(found: loaders.Found, captioner: str | None, layer: str | None) -> Agreement:
    """Return how much captioners, or one captioner's heads, agree over a layer or all."""
    with loaders.READING:
        return agreement_matrix(loaders.opened(found), captioner=captioner, layer=layer)


@lru_cache(maxsize=64)
def head_words(found: loaders.Found, captioner: str, layer: str | None) -> pd.DataFrame:
    """Return which head a captioner's words come from, those that were said five times or more."""
    with loaders.READING:
        return words_by_head(loaders.opened(found), captioner, layer=layer, least=5)


@lru_cache(maxsize=16)
def head_wins(found: loaders.Found, captioner: str) -> pd.DataFrame:
    """Return where each head of a captioner wins, by layer."""
    with loaders.READING:
        return heads_by_layer(loaders.opened(found), captioner)


@lru_cache(maxsize=16)
def matched(found: loaders.Found, other: loaders.Found, layer: str, other_layer: str, captioner: str) -> pd.DataFrame:
    """Return units of two dissections matched by their peaks, most different captions first."""
    first, second = loaders.opened(found), loaders.opened(other)
    with loaders.READING:
        matches = match_units(first, second, layer, other_layer)
        return caption_differences(first, second, layer, other_layer, matches, captioner)


@lru_cache(maxsize=16)
def repeated(found: loaders.Found, layer: str, threshold: float) -> Redundancy:
    """Return which units of a layer do what others do; ValueError or FileNotFoundError where it keeps no peaks."""
    with loaders.READING:
        return redundancy(loaders.opened(found), layer, threshold=threshold)


@lru_cache(maxsize=8)
def striking(found: loaders.Found) -> WorthALook:
    """Return the units worth a look."""
    with loaders.READING:
        return worth_a_look(loaders.opened(found), count=5)


@lru_cache(maxsize=256)
def doubts_json(found: loaders.Found, layer: str, unit: int) -> bytes:
    """Return what speaks against each caption of a unit, and which classes excite it; KeyError for no such unit."""
    dissection = loaders.opened(found)
    dissection.row(layer, unit)
    kept = peaks_file(layer) in dissection.manifest.files
    said = loaders.spoken(found, layer, unit) if kept else {}
    against = [_against(dissection, layer, unit, name, text) for name, text in said.items()]
    classes = class_effects(dissection, layer, unit).head(6) if kept else pd.DataFrame()
    rows = [{key: number(value) if isinstance(value, float) else value for key, value in row.items()}
            for row in classes.to_dict("records")]  # fmt: skip
    return json.dumps({"captions": against, "classes": rows}, ensure_ascii=False, allow_nan=False).encode()


def _against(dissection: Dissection, layer: str, unit: int, captioner: str, text: str) -> dict[str, Any]:
    found = counter_examples(dissection, layer, unit, text, count=6, limit=120)
    sides = {
        side: [{"image": entry.image_id, "peak": number(entry.peak), "percentile": number(entry.percentile)}
               for entry in entries]
        for side, entries in (("silent", found.silent), ("fires", found.fires))
    }  # fmt: skip
    facts = {"named": found.named, "judged_by": found.judged_by, "looked_at": found.looked_at}
    return {"captioner": captioner, "caption": text, **facts, **sides}


@lru_cache(maxsize=2)
def network_of(found: loaders.Found, weights: str) -> Network:
    """Return the network that was dissected, opened as it was then; `weights`: a file, empty for the spec's own.

    ValueError or OSError where that cannot be done.
    """
    from mami_core.pipeline.sources import open_any_network  # torchvision: only who asks a network waits for it

    settings = loaders.opened(found).manifest.settings
    spec = settings.get("network") or loaders.opened(found).manifest.network
    check_code([spec])
    network = open_any_network(
        spec, weights=weights or settings.get("weights"), arguments=settings.get("arguments") or "{}"
    )
    network.module.to(choose_device(loaders.preferences().device))
    return network


@lru_cache(maxsize=8)
def firing(found: loaders.Found, image: bytes, weights: str, count: int) -> list[dict[str, Any]]:
    """Return the units of a dissection that fire most unusually for an encoded image, each with its map."""
    from mami_core.probing.firing import fire

    dissection = loaders.opened(found)
    answer = fire(network_of(found, weights), dissection, Image.open(io.BytesIO(image)))
    return [_fired(found, row, answer.maps[row["layer"]]) for row in answer.table.head(count).to_dict("records")]


def _fired(found: loaders.Found, row: dict[Any, Any], maps: np.ndarray) -> dict[str, Any]:
    layer, unit = row["layer"], int(row["unit"])
    own = maps[int(row["row"])]
    return {
        "layer": layer,
        "unit": unit,
        "percentile": number(row["percentile"]),
        "activation": number(row["activation"]),
        "captions": list(loaders.spoken(found, layer, unit).values()),
        "grid": list(own.shape),
        "float16": encoded(own.astype("<f2")),
        "low": float(own.min()),
        "high": float(own.max()),
    }


def image_captioners() -> list[str]:
    """Return the names of the captioners of whole images there are."""
    from mami_core.captioning.encoder import CONFIG
    from mami_core.pipeline.trainings.captioned import IMAGE_ENCODER

    return known_models(f"{IMAGE_ENCODER}/{CONFIG}")


@lru_cache(maxsize=1)
def _image_captioner(name: str, device: str) -> ImageCaptioner:
    from mami_core.pipeline.captions.caption_images import open_image_captioner

    return open_image_captioner(name, device=choose_device(device))


@lru_cache(maxsize=16)
def image_caption(name: str, image: bytes) -> dict[str, Any]:
    """Return what a captioner says of an encoded image, and where each word looked.

    ValueError or FileNotFoundError where the captioner cannot be opened.
    """
    from mami_core.captioning.image_captions import caption_image

    captioner = _image_captioner(name, loaders.preferences().device)
    said = caption_image(captioner, Image.open(io.BytesIO(image)))
    return {"captioner": name, "simulated": captioner.captioner.simulated, **caption_payload(said)}


def evaluation(found: loaders.Found, split: str, references: str) -> tuple[Mapping[str, Any], pd.DataFrame]:
    """Return an evaluation and its table of units, the annotators as one: as kept, else what takes a second.

    ValueError where there is nothing to compare.
    """
    return _evaluation(found, split, references, kept_state(found.path, split))


@lru_cache(maxsize=8)
def _evaluation(
    found: loaders.Found, split: str, references: str, _kept: loaders.Evaluated
) -> tuple[Mapping[str, Any], pd.DataFrame]:
    kept = kept_evaluation(found.path, split, references)
    if kept is None:
        with loaders.READING:
            quick = evaluate_dissection(loaders.opened(found), split=split, references=references, depth=QUICK)
        kept = {**quick.report, "quick": True}, quick.scores
    return kept[0], annotators_together(kept[1])


def figures_of(found: loaders.Found, split: str, references: str, measure: str) -> pd.DataFrame:
    """Return a measure of every voice with its interval."""
    return means(evaluation(found, split, references)[1], measure)


def gallery(
    found: loaders.Found, split: str, references: str, voice: str, kind: str, count: int, seed: int
) -> tuple[pd.DataFrame, int]:
    """Return random captions that are right, wrong or repeating, and of how many."""
    return drawn(evaluation(found, split, references)[1], voice, kind, count=count, seed=seed)


def evaluation_command(found: loaders.Found, split: str, references: str) -> list[str]:
    """Return the command that measures what a page cannot wait for."""
    return ["evaluate", str(found.path), "--split", split, "--set", references, "--coco"]


def evaluation_job(found: loaders.Found, split: str, references: str) -> Job | None:
    """Return the job that is measuring it now."""
    wanted = tuple(evaluation_command(found, split, references))
    jobs = loaders.job_store().recent(limit=20)
    return next((job for job in jobs if job.state == "running" and job.command == wanted), None)


def training_log(found: loaders.Found, captioner: str) -> list[dict[str, Any]]:
    """Return a captioner's training, epoch by epoch; empty where its log is not at hand."""
    try:
        return read_training_log(find_model(captioner, "captioner.json", beside=found.path / "models"))
    except (FileNotFoundError, ValueError):
        return []
