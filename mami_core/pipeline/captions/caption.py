"""`mami caption`: say in words what each unit of a dissection fires for, and what every attention head looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mami_core.captioning import protocol
from mami_core.captioning.captioner import Captioner
from mami_core.captioning.checkpoint import DESCRIPTION
from mami_core.captioning.compositional import NAME as COMPOSITIONAL
from mami_core.captioning.decoding import Decoding
from mami_core.captioning.encoder import CONFIG, grid_cover
from mami_core.captioning.encoders import AnyEncoder, open_encoder
from mami_core.captioning.features import UnitFeatures
from mami_core.captioning.image_encoder import ImageEncoder
from mami_core.captioning.netdissect import NAME as NETDISSECT
from mami_core.config import CaptionConfig, CaptionImagesConfig, parse_units
from mami_core.device import choose_device
from mami_core.pipeline.captions.baselines import BASELINES, caption_by_clip_dissect, caption_by_netdissect
from mami_core.pipeline.captions.compositional import caption_by_compositional, encoder_name, is_compositional
from mami_core.pipeline.captions.consensus import caption_by_consensus, is_consensus, open_consensus, provenance_of
from mami_core.pipeline.captions.own_captioners import installed_captioners, is_own, open_own
from mami_core.pipeline.captions.speaking import caption_by, take_down, with_settings_sha256
from mami_core.pipeline.exchange.data import open_described
from mami_core.pipeline.exchange.published import PREFIX, open_published
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.selection import chosen_keys
from mami_core.pipeline.trainings.captioned import IMAGE_ENCODER, kept_encoder
from mami_core.pipeline.worlds.regions import regions_to_caption
from mami_core.records import Caption, HeadOutput
from mami_core.store import Dissection, UnitKey, find_model


def run_captioning(config: CaptionConfig) -> None:
    """Caption a dissection, or the published sets of a group, by every captioner named, one after the other."""
    device = choose_device(config.device)
    said: dict[str, int] = {}
    asked = 0
    with progress(quiet=config.json) as report:
        voices = [chosen_voice(name, config, device, report) for name in config.captioner]
        for dissection in open_described(config.dissection, report):
            keys = chosen_keys(dissection, config.layers, parse_units(config.units))
            asked += len(keys)
            for voice in voices:
                captions = voice.caption(Dissection.open(dissection.path), keys, config.batch_size, report)
                spoken = sum(caption.state == "ok" for caption in captions.values())
                said[voice.name] = said.get(voice.name, 0) + spoken
    text = "\n".join(f"{name}: {count} of {asked} units captioned" for name, count in said.items())
    hashes = {v.name: v.provenance["source_sha256"] for v in voices if "source_sha256" in v.provenance}
    text += "".join(f"\n{name}: file of SHA-256 {digest}" for name, digest in hashes.items())
    result = {"dissection": str(config.dissection), "captioned": said, "files": hashes}
    print_result(result, as_json=config.json, text=text)


@dataclass(frozen=True, eq=False)
class Voice:
    """A captioner of any kind, ready to speak."""

    name: str
    provenance: Mapping[str, Any]
    caption: Callable[[Dissection, Sequence[UnitKey], int, Report], dict[UnitKey, Caption]]  # units a batch; it writes


def chosen_voice(name: str, config: CaptionConfig, device: torch.device, report: Report) -> Voice:
    """Return a captioner of any kind, ready to speak as the command line says."""
    if name in BASELINES:
        return baseline_voice(name, config)
    if is_compositional(name):
        encoder_name(name)  # refused before any other captioner starts
        return Voice(COMPOSITIONAL, {}, lambda dissection, keys, _size, told: caption_by_compositional(
            dissection, keys, name, config, told
        ))  # fmt: skip
    return open_voice(name, decoding=chosen_decoding(config), device=device, report=report)


def open_voice(
    name: str,
    *,
    decoding: Decoding | None = None,
    device: torch.device | None = None,
    report: Report | None = None,
) -> Voice:
    """Return a captioner by folder, name, `milan:NAME`, plugin, or `path.py:factory`.

    FileNotFoundError lists the names that are known.
    """
    if is_own(name):
        return own_voice(open_own(name, device or choose_device()))
    if is_consensus(name):
        return consensus_voice(name)
    try:
        captioner, encoder = open_captioner(name, decoding=decoding, device=device, report=report)
    except FileNotFoundError as problem:
        plugins = ", ".join(installed_captioners())
        raise FileNotFoundError(f"{problem}" + (f"; plugins: {plugins}" if plugins else "")) from None
    return Voice(
        captioner.name,
        captioner.provenance,
        lambda dissection, keys, size, told: caption_dissection(
            dissection, captioner, encoder, keys, batch_size=size, report=told
        ),
    )


def baseline_voice(name: str, config: CaptionConfig) -> Voice:
    """Return NetDissect or CLIP-Dissect, ready to speak as the command line says."""
    run = caption_by_netdissect if name == NETDISSECT else caption_by_clip_dissect
    return Voice(name, {}, lambda dissection, keys, _size, told: run(dissection, keys, config, told))


def consensus_voice(name: str) -> Voice:
    """Return captioner `consensus` of a folder or name, ready to speak."""
    kept, encoder = open_consensus(name)
    own = Path(name).name
    return Voice(
        own,
        provenance_of(kept),
        lambda dissection, keys, size, told: caption_by_consensus(
            dissection, own, kept, encoder, keys, batch_size=size, report=told
        ),
    )


def own_voice(captioner: protocol.Captioner) -> Voice:
    """Return somebody's own captioner, ready to speak."""
    return Voice(
        captioner.name,
        captioner.provenance,
        lambda dissection, keys, size, told: caption_by(dissection, captioner, keys, batch_size=size, report=told),
    )


def chosen_decoding(config: CaptionConfig | CaptionImagesConfig) -> Decoding | None:
    """Return the decoding that the command line asks for; None: each captioner's own best."""
    if config.decoding is None:
        return None
    return Decoding(
        strategy=config.decoding,
        beam_size=config.beam_size,
        pmi_weight=config.pmi_weight,
        length_power=0.9 if config.decoding != "greedy" else 0.0,  # plain sums collapse to two words
        seed=config.seed,
    )


def open_captioner(
    name: str,
    *,
    decoding: Decoding | None = None,
    device: torch.device | None = None,
    report: Report | None = None,
) -> tuple[Captioner, AnyEncoder]:
    """Return a captioner by folder, name or `milan:NAME`, with the encoder it was trained on.

    ValueError when that encoder has changed since: its features would mean something else.
    """
    if name.startswith(PREFIX):
        told = None if report is None else (lambda done, total: report(f"{name}: download", done, total))
        return open_published(name, decoding=decoding, device=device, progress=told)
    folder = find_model(name, DESCRIPTION)
    captioner = Captioner.load(folder, decoding=decoding, device=device)
    wanted = captioner.checkpoint.encoder
    encoder = _encoder_of(folder, str(wanted["name"]))
    if encoder.sha256 != wanted["sha256"]:
        raise ValueError(f"captioner {folder} was trained on another encoder {wanted['name']!r}; train it again")
    return captioner, encoder


def _encoder_of(folder: Path, name: str) -> AnyEncoder:
    """Return the encoder that the captioner in `folder` names: its own, the one beside it, or one known by name."""
    if (folder / IMAGE_ENCODER / CONFIG).is_file():
        return kept_encoder(folder / IMAGE_ENCODER)
    own = (folder / name / CONFIG).is_file()  # a converted captioner carries its encoder
    return open_encoder(find_model(name, CONFIG, beside=folder if own else folder.resolve().parent))


def caption_dissection(
    dissection: Dissection,
    captioner: Captioner,
    encoder: AnyEncoder,
    keys: Sequence[UnitKey],
    *,
    batch_size: int,
    report: Report,
) -> dict[UnitKey, Caption]:
    """Caption units and write the result; what the same captioner said of other units in the same way is kept."""
    features = regions_to_caption(dissection, encoder, keys, captioner.name, report)
    return take_down(
        dissection,
        captioner.name,
        with_settings_sha256(captioner.provenance),
        keys,
        lambda batch: _caption_batch(dissection, captioner, features, batch),
        batch_size=batch_size,
        report=report,
    )


def _caption_batch(
    dissection: Dissection, captioner: Captioner, features: UnitFeatures, keys: Sequence[UnitKey]
) -> list[Caption]:
    dense = [features.dense(row) for row in features.rows_of(keys)]
    seen = torch.from_numpy(np.stack([values for values, _ in dense]))  # (B, N, D)
    weight = torch.from_numpy(np.stack([weights for _, weights in dense]))  # (B, N)
    captions = captioner.caption(seen, weight, grid=features.grid, batch_size=len(keys))
    return [
        replace(caption, heads=_told(caption, mask_cover(dissection, key, features.grid)))
        for key, caption in zip(keys, captions, strict=True)
    ]


def mask_cover(dissection: Dissection, key: UnitKey, grid: tuple[int, int, int]) -> np.ndarray:
    """Return the share of each region (k * h * w,) of a unit's exemplars that its mask covers, in [0, 1].

    Regions are cells of the encoder's grid, or whole exemplars where `grid` is (k, 1, 1).
    """
    return grid_cover(dissection, key, grid[1:]).ravel()


def _told(caption: Caption, cover: np.ndarray) -> tuple[HeadOutput, ...]:
    """Return the heads with how much of their weight falls on the mask, for the regions' cover (regions,)."""
    return tuple(replace(head, mask_overlap=tuple((head.weights @ cover).tolist())) for head in caption.heads)


def encoder_facts(encoder: AnyEncoder | ImageEncoder) -> dict[str, str]:
    """Return how a captioner's checkpoint names the encoder it was trained on."""
    return {"name": encoder.name, "sha256": encoder.sha256}


def encoder_at(name: str | Path) -> AnyEncoder:
    """Return an encoder by folder or name."""
    return open_encoder(find_model(name, CONFIG))
