"""`mami convert`: a captioner that MILAN's code saved becomes a folder of ours, with nothing left to unpickle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mami_core.captioning.checkpoint import DESCRIPTION, save_checkpoint
from mami_core.captioning.pyramid import CHANNELS, KIND, save_pyramid
from mami_core.config import ConvertConfig
from mami_core.interop.milan_checkpoint import read_milan_checkpoint
from mami_core.pipeline.exchange.published import encoder_of, with_source
from mami_core.pipeline.progress import print_result
from mami_core.store.atomic import sha256_of


def run_conversion(config: ConvertConfig) -> None:
    """Read a MILAN checkpoint with an allow-list and write captioner and encoder as safetensors."""
    if (config.out / DESCRIPTION).exists():
        raise FileExistsError(f"{config.out} already holds a captioner; name another folder, or delete it first")
    found = read_milan_checkpoint(config.file)
    checkpoint = with_source(found, sha256_of(config.file))
    facts: dict[str, Any] = dict(checkpoint.encoder)
    if facts["config"] in CHANNELS:
        encoder = save_pyramid(encoder_of(found, facts["sha256"]), config.out / KIND)
        facts["sha256"] = encoder.sha256
        told = f"its encoder ({encoder.config}, {encoder.feature_size} channels) in {config.out / KIND}"
    else:  # a captioner for features made elsewhere
        facts["sha256"] = None
        told = f"without its encoder {facts['config']!r}, which torchvision has not got: it cannot caption dissections"
    save_checkpoint(config.out, replace(checkpoint, encoder=facts))
    words = len(checkpoint.vocabulary.words)
    result = {"out": str(config.out), "words": words, "encoder": facts, **checkpoint.provenance}
    text = f"{config.out}: {words} words, {told}\nSHA-256 of {config.file.name}: {result['source_sha256']}"
    print_result(result, as_json=config.json, text=text)
