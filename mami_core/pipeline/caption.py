"""`mami caption`: say in words what each unit of a dissection fires for, and what every attention head looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mami_core.captioning.captioner import Captioner
from mami_core.captioning.checkpoint import DESCRIPTION
from mami_core.captioning.decoding import Decoding
from mami_core.captioning.encoder import CONFIG, GRID, cell_cover
from mami_core.captioning.encoders import AnyEncoder, open_encoder
from mami_core.captioning.features import UnitFeatures, alive_units, unit_features
from mami_core.captioning.image_encoder import ImageEncoder
from mami_core.config import CaptionConfig, parse_units, settings_sha256
from mami_core.device import choose_device
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.published import PREFIX, open_published
from mami_core.pipeline.selection import chosen_keys
from mami_core.records import Caption, HeadOutput
from mami_core.store import Dissection, DissectionWriter, UnitKey, find_model


def run_captioning(config: CaptionConfig) -> None:
    """Caption a dissection by every captioner named, one after the other."""
    dissection = Dissection.open(config.dissection)
    keys = chosen_keys(dissection, config.layers, parse_units(config.units))
    device = choose_device(config.device)
    said: dict[str, int] = {}
    with progress(quiet=config.json) as report:
        decoding = chosen_decoding(config)
        captioners = [open_captioner(name, decoding=decoding, device=device, report=report)
                      for name in config.captioner]  # fmt: skip
        for captioner, encoder in captioners:
            captions = caption_dissection(
                dissection, captioner, encoder, keys, batch_size=config.batch_size, report=report
            )
            said[captioner.name] = sum(caption.state == "ok" for caption in captions.values())
            dissection = Dissection.open(config.dissection)
    text = "\n".join(f"{name}: {count} of {len(keys)} units captioned" for name, count in said.items())
    hashes = {c.name: c.provenance["source_sha256"] for c, _ in captioners if "source_sha256" in c.provenance}
    text += "".join(f"\n{name}: file of SHA-256 {digest}" for name, digest in hashes.items())
    result = {"dissection": str(config.dissection), "captioned": said, "files": hashes}
    print_result(result, as_json=config.json, text=text)


def chosen_decoding(config: CaptionConfig) -> Decoding | None:
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
    own = (folder / str(wanted["name"]) / CONFIG).is_file()  # a converted captioner carries its encoder
    near = folder if own else folder.resolve().parent
    encoder = open_encoder(find_model(wanted["name"], CONFIG, beside=near))
    if encoder.sha256 != wanted["sha256"]:
        raise ValueError(f"captioner {folder} was trained on another encoder {wanted['name']!r}; train it again")
    return captioner, encoder


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
    alive = set(alive_units(dissection))
    living = [key for key in keys if key in alive]
    features = unit_features(
        dissection, encoder, living, progress=lambda done, total: report(f"{captioner.name}: regions", done, total)
    )
    writer = DissectionWriter.open(dissection.path)
    stage = f"caption:{captioner.name}"
    writer.stage(stage, "running")
    captions = _kept(dissection, captioner, set(keys))
    for start in range(0, len(living), batch_size):
        batch = living[start : start + batch_size]
        captions.update(zip(batch, _caption_batch(dissection, captioner, features, batch), strict=True))
        report(f"{captioner.name}: captions", min(start + batch_size, len(living)), len(living))
    nothing = float("nan")
    captions.update({key: Caption(captioner.name, (), nothing, nothing, state="dead_unit")
                     for key in keys if key not in alive})  # fmt: skip
    ordered = {key: captions[key] for key in dissection.unit_keys() if key in captions}
    writer.write_captions(captioner.name, ordered, caption_provenance(captioner))
    writer.stage(stage, "done")
    return ordered


def caption_provenance(captioner: Captioner) -> dict[str, Any]:
    """Return what is written beside a captioner's captions: where it comes from and how it decodes."""
    facts = dict(captioner.provenance)
    return {**facts, "settings_sha256": settings_sha256(facts)}


def _kept(dissection: Dissection, captioner: Captioner, replaced: set[UnitKey]) -> dict[UnitKey, Caption]:
    earlier = dissection.manifest.captioners.get(captioner.name, {})
    if earlier.get("settings_sha256") != caption_provenance(captioner)["settings_sha256"]:
        return {}
    others = (key for key in dissection.unit_keys() if key not in replaced)
    found = {key: dissection.caption(captioner.name, *key) for key in others}
    return {key: caption for key, caption in found.items() if caption is not None}


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
    maps = torch.from_numpy(np.array(dissection.maps(key[0])[dissection.row(*key)], dtype=np.float32))[None]
    threshold = torch.tensor([dissection.statistics(*key).threshold])
    cover = cell_cover(maps, threshold)[0].mean(-1)  # (k, 49)
    if grid[1:] != (GRID, GRID):
        cover = cover.mean(1)  # (k,)
    return cover.flatten().numpy()


def _told(caption: Caption, cover: np.ndarray) -> tuple[HeadOutput, ...]:
    """Return the heads with how much of their weight falls on the mask, for the regions' cover (regions,)."""
    return tuple(replace(head, mask_overlap=tuple((head.weights @ cover).tolist())) for head in caption.heads)


def encoder_facts(encoder: AnyEncoder | ImageEncoder) -> dict[str, str]:
    """Return how a captioner's checkpoint names the encoder it was trained on."""
    return {"name": encoder.name, "sha256": encoder.sha256}


def encoder_at(name: str | Path) -> AnyEncoder:
    """Return an encoder by folder or name."""
    return open_encoder(find_model(name, CONFIG))
