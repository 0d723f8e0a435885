"""Dissect: one forward pass over the images, and for every unit of every layer what excites it."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mami_core.config import DissectConfig, settings_sha256
from mami_core.device import mixed_precision
from mami_core.dissection.batches import Batch, batches, with_death_said
from mami_core.dissection.hooks import Reader, reading
from mami_core.dissection.layers import choose_layers, feed, survey
from mami_core.dissection.merge import join
from mami_core.dissection.parts import IMAGES, PARTS, Part, done_blocks, part_folder, remove_parts
from mami_core.dissection.plan import Plan, make_plan, plan_facts, plan_from_json
from mami_core.dissection.ranking import NO_IMAGE, ids_of
from mami_core.dissection.thumbnails import encoded_images
from mami_core.dissection.workers import device_of, wait_for_all, worker_of
from mami_core.inputs import ImageSource, Network, UnreadableImageError, class_names_of
from mami_core.store import Dissection, DissectionWriter, LayerInfo, Manifest
from mami_core.store.atomic import replacing
from mami_core.store.images import write_images
from mami_core.store.manifest import read_manifest
from mami_core.store.writer import check_output_folder

_log = logging.getLogger(__name__)

Report = Callable[[str, int, int], None]  # (what is being done, done, of how many)

STAGE = "dissect"
_SAME_RESULT = ("workers", "device", "shard", "json", "resume", "out", "weights")  # settings that change no result
_PLAN = "plan.json"


def dissect(
    network: Network,
    images: ImageSource,
    config: DissectConfig,
    out: Path,
    *,
    report: Report | None = None,
) -> Dissection:
    """Dissect a network's layers over images into the folder `out`, and give it opened.

    An interrupted run of the same settings goes on where it stopped; a finished one is given as it is. With
    `config.shard`, or under torchrun, only this worker's blocks are done; the last worker (torchrun: rank 0) joins the
    shares. Raises ValueError for layers that are not there, and for a folder that holds something else.
    """
    work = prepare(network, images, config, out)
    if work is None:
        return Dissection.open(out)
    share, shares = worker_of(config)
    do_share(work, share, shares, report or _silent)
    wait_for_all(config)
    if config.shard is None and share == 0:
        merge(out, report=report)
    wait_for_all(config)
    return Dissection.open(out)


def _silent(_what: str, _done: int, _total: int) -> None:
    return


@dataclass(eq=False)
class Work:
    """A dissection under way: what is run over what, and where it is written."""

    network: Network
    images: ImageSource
    config: DissectConfig
    out: Path
    plan: Plan
    device: torch.device


def prepare(network: Network, images: ImageSource, config: DissectConfig, out: Path) -> Work | None:
    """Survey the network, fix the plan and open the folder. None when the same dissection is there already, done."""
    check_output_folder(out)
    device = device_of(config)
    network.module.to(device).eval()
    if device.type == "cuda":
        network.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # of 4-D weights
    layouts = survey(network, _first_input(network, images))
    layers = choose_layers(network, layouts, config.layers)
    plan = make_plan(config, len(images), layouts, layers)
    manifest = _manifest(network, images, config, plan)
    if _holds_same(out, manifest, config) and read_manifest(out).stages.get(STAGE) == "done":
        remove_parts(out)
        return None
    if not config.resume:
        remove_parts(out)
    DissectionWriter.create(out, manifest)
    _write_plan(out, images, plan)
    return Work(network, images, config, out, plan, device)


def _first_input(network: Network, images: ImageSource) -> tuple[Tensor, ...]:
    """Return the first readable image's input: its size says how large the maps are."""
    for index in range(len(images)):
        try:
            return feed(network, images, index)
        except UnreadableImageError:
            continue
    raise ValueError(f"none of the {len(images)} images of {images.name} can be read")


def _holds_same(out: Path, manifest: Manifest, config: DissectConfig) -> bool:
    """Tell whether `out` holds this dissection. ValueError when it holds another one."""
    try:
        found = read_manifest(out)
    except FileNotFoundError:
        return False
    except ValueError as problem:
        raise ValueError(f"{problem} (or remove {out})") from None
    if found.settings.get("settings_sha256") == manifest.settings["settings_sha256"]:
        return config.resume
    if not config.resume and found.stages.get(STAGE) != "done":
        return False
    differ = sorted(
        key
        for key in {*found.settings, *manifest.settings} - {"settings_sha256", "plan_sha256", "unreadable"}
        if found.settings.get(key) != manifest.settings.get(key)
    )
    raise ValueError(
        f"{out} holds another dissection (it differs in {', '.join(differ) or 'its images'}); name another"
    )


def _manifest(network: Network, images: ImageSource, config: DissectConfig, plan: Plan) -> Manifest:
    chosen = {key: value for key, value in asdict(config).items() if key not in _SAME_RESULT}
    facts = {
        **{key: list(value) if isinstance(value, tuple) else value for key, value in chosen.items()},
        **plan_facts(plan),
        "preprocess": _described(network.preprocess),
        "weights_sha256": network.weights_sha256,
        "image_ids_sha256": images.fingerprint(),
    }
    return Manifest(
        name=f"{network.name}-{images.name}",
        network=network.name,
        weights_sha256=network.weights_sha256,
        dataset=images.name,
        images=len(images),
        image_ids_sha256=images.fingerprint(),
        simulated=network.simulated or images.simulated,
        settings={**facts, "settings_sha256": settings_sha256(facts)},
        layers=tuple(LayerInfo(layer.name, len(layer.units), layer.map_size) for layer in plan.layers),
        versions=_versions(),
        stages={STAGE: "running"},
        class_names=class_names_of(images),
    )


def _described(preprocess: Any) -> str:
    text = repr(preprocess)
    return text if " at 0x" not in text else type(preprocess).__name__  # an address differs in every session


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("torch", "torchvision", "numpy", "pillow"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _write_plan(out: Path, images: ImageSource, plan: Plan) -> None:
    """Leave what joining the shares needs besides them: it must work without network and images."""
    labels = None if images.labels is None else [int(label) for label in images.labels]
    body = {"plan": asdict(plan), "labels": labels, "class_names": list(class_names_of(images))}
    with replacing(out / PARTS / _PLAN) as partial:
        partial.write_text(json.dumps(body))


def do_share(work: Work, share: int, shares: int, report: Report) -> None:
    """Do the blocks of one of `shares` workers that are not done yet, and store their exemplars' images."""
    own = part_folder(work.out, share, shares)
    elsewhere = [done for path, done in done_blocks(work.out, work.plan).items() if path != own]
    part = Part.open(own, work.plan, work.device)
    mine = set(range(share, work.plan.blocks, shares)) - set().union(*elsewhere, set())
    if mine <= part.done and (own / IMAGES).is_file():
        return
    (own / IMAGES).unlink(missing_ok=True)
    part = _run_within_memory(work, part, mine, report)
    part.save()
    kept = sorted(exemplar_ids(part))
    write_images(own / IMAGES, encoded_images(work.network, work.images, kept, work.plan))
    report("images", len(kept), len(kept))


def _run_within_memory(work: Work, part: Part, mine: set[int], report: Report) -> Part:
    """Run the blocks that are not done. What the memory does not hold at once is run in halves, and said.

    The block in which memory ran out is done again from its start: a batch may have been taken in by half the layers.
    """
    at_once = work.plan.batch_size
    while True:
        try:
            todo = sorted(mine - part.done)
            with_death_said(partial(run_blocks, work, part, todo, report, at_once=at_once), work.config.workers)
            return part
        except torch.OutOfMemoryError as problem:
            if at_once == 1:
                raise ValueError(f"{work.device} has no memory for one image: {problem}; use --device cpu") from None
        _log.warning("out of memory with %d images at once; going on with %d", at_once, at_once // 2)
        at_once //= 2
        part = Part.open(part.folder, work.plan, work.device)
        if work.device.type == "cuda":
            torch.cuda.empty_cache()


@torch.inference_mode()
def run_blocks(work: Work, part: Part, todo: list[int], report: Report, *, at_once: int | None = None) -> None:
    """Run the network over blocks of images, saving after each; `at_once` images in one pass, usually a batch."""
    plan, config = work.plan, work.config
    states = {layer.name: state for layer, state in zip(plan.layers, part.states, strict=True)}
    peaks = {layer.name: part.peaks(number) for number, layer in enumerate(plan.layers)}
    wanted = [ids for block in todo for ids in plan.block_batches(block)]
    ends = {plan.block_batches(block)[-1][-1]: block for block in todo}
    block, numbers = 0, np.empty(0, dtype=np.int64)  # of the batch that is running

    def consume(layer: str, maps: Tensor) -> None:
        high = states[layer].take(block, numbers, maps)  # (B, U)
        known, rows = plan.rows_of(numbers)
        peaks[layer][rows] = as_peaks(high[known])

    layouts = {layer.name: layer.layout for layer in plan.layers}
    fed = batches(work.network, work.images, wanted, workers=config.workers, pin=work.device.type == "cuda")
    seen = plan.images - sum(len(ids) for ids in wanted)
    with reading(work.network.module, layouts, consume, late=plan.parity) as reader:
        for ids, batch in zip(wanted, fed, strict=True):
            block = ids[0] // plan.block_size
            part.unreadable.update(batch.unreadable)
            for array in peaks.values() if batch.unreadable else ():
                array[plan.rows_of(np.array(sorted(batch.unreadable)))[1]] = np.nan
            for piece in batch.pieces(at_once or plan.batch_size):
                numbers = piece.ids
                _run_batch(reader, piece, work.device, mixed=config.mixed_precision)
            seen += len(ids)
            if ids[-1] in ends:
                part.done.add(ends[ids[-1]])
                for array in peaks.values():
                    array.flush()  # type: ignore[attr-defined]
                part.save()
            report("images", seen, plan.images)


def _run_batch(reader: Reader, batch: Batch, device: torch.device, *, mixed: bool) -> None:
    inputs = tuple(part.to(device, non_blocking=True) for part in batch.inputs)
    if device.type == "cuda":
        inputs = tuple(x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x for x in inputs)
    with mixed_precision(device, enabled=mixed):
        reader.run(inputs)


def as_peaks(values: np.ndarray) -> np.ndarray:
    """Return values as float16; what float16 cannot hold is held at its largest, NaN and infinity become NaN."""
    limit = float(np.finfo(np.float16).max)
    return np.where(np.isfinite(values), np.clip(values, -limit, limit), np.nan).astype(np.float16)


def exemplar_ids(part: Part) -> set[int]:
    """Return the images that may be exemplars of any unit, as far as this share knows."""
    found: set[int] = set()
    for state in part.states:
        for ranking in (state.top, state.bottom):
            if ranking is not None:
                found.update(ids_of(ranking.keys).unique().tolist())
    own = {ids for block in part.done for batch in part.plan.block_batches(block) for ids in batch}
    return ((found | set(part.plan.reservoir)) & own) - {NO_IMAGE} - set(part.unreadable)


def merge(out: Path, *, report: Report | None = None) -> Dissection:
    """Join the shares in `out` into the dissection. ValueError names the blocks that are still missing.

    Needs neither the network nor the images. Joining in any order, from any number of shares, gives the same bytes.
    """
    manifest = read_manifest(out)
    if manifest.stages.get(STAGE) == "done":
        remove_parts(out)
        return Dissection.open(out)
    path = out / PARTS / _PLAN
    if not path.is_file():
        raise ValueError(f"{out} holds no shares to join; run `mami dissect --shard i/n --out {out}` for each i")
    body = json.loads(path.read_text())
    plan = plan_from_json(body["plan"])
    join(out, plan, body["labels"], body["class_names"], report or _silent)
    return Dissection.open(out)
