"""The captioners that MILAN published, by name: found in `MAMI_HOME`, downloaded where they are not, never changed.

A file's SHA-256 is recorded when it is first used. A file, or a download, of another one is refused from then on.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch

from mami_core.captioning.captioner import Captioner
from mami_core.captioning.checkpoint import Checkpoint
from mami_core.captioning.decoding import Decoding
from mami_core.captioning.pyramid import KIND, PyramidEncoder, build_pyramid
from mami_core.interop.milan_checkpoint import MilanCheckpoint, read_milan_checkpoint
from mami_core.store.atomic import sha256_of
from mami_core.store.download import Progress, download, record_hash, recorded_hash
from mami_core.store.home import models_folder

PREFIX: Final = "milan:"
NAMES: Final = ("base", "cls", "gen", "imagenet", "places365", "alexnet", "resnet152", "biggan")
SOURCE: Final = "http://milan.csail.mit.edu/models"  # MAMI_MILAN_URL names a mirror
_ENCODER_CLASS: Final = "PyramidConvEncoder"


def open_published(
    name: str,
    *,
    decoding: Decoding | None = None,
    device: torch.device | None = None,
    progress: Progress | None = None,
) -> tuple[Captioner, PyramidEncoder]:
    """Return the captioner `milan:NAME` with the encoder that its file carries.

    Raises FileNotFoundError where it is neither at hand nor to be had, ValueError where the file has changed or is
    no captioner.
    """
    path, digest = fetch(name.removeprefix(PREFIX), progress=progress)
    found = read_milan_checkpoint(path)
    checkpoint = with_source(found, digest)
    captioner = Captioner(name, checkpoint, decoding or Decoding.from_json(checkpoint.settings))
    return captioner.to(device or torch.device("cpu")), encoder_of(found, digest)


def encoder_of(found: MilanCheckpoint, sha256: str) -> PyramidEncoder:
    """Return the encoder of a published file; ValueError when it is none that MILAN's code can build."""
    config = str(found.encoder_settings.get("config", "resnet50"))  # the reference's default
    if found.encoder != _ENCODER_CLASS:
        raise ValueError(f"its encoder is a {found.encoder}; only {_ENCODER_CLASS} is known, which all published have")
    encoder = build_pyramid(config, found.encoder_weights, name=KIND, sha256=sha256)
    size = found.checkpoint.decoder.config.feature_size
    if encoder.feature_size != size:
        raise ValueError(f"its encoder {config} makes {encoder.feature_size} channels, but its decoder reads {size}")
    return encoder


def with_source(found: MilanCheckpoint, sha256: str) -> Checkpoint:
    """Return the checkpoint with the hash of the file it comes from, which is also its encoder's."""
    checkpoint = found.checkpoint
    return replace(
        checkpoint,
        encoder={"name": KIND, "config": found.encoder_settings.get("config", "resnet50"), "sha256": sha256},
        provenance={**checkpoint.provenance, "source_sha256": sha256},
    )


def fetch(name: str, *, progress: Progress | None = None) -> tuple[Path, str]:
    """Return where the published captioner `name` lies, downloaded if need be, and its SHA-256."""
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES) or NAMES
        raise ValueError(f"MILAN published no captioner {name!r}; try {', '.join(PREFIX + known for known in near)}")
    path = models_folder() / f"milan-{name}.pth"
    if not path.is_file():
        address = f"{os.environ.get('MAMI_MILAN_URL', SOURCE).rstrip('/')}/{path.name}"
        return path, download(address, path, progress=progress)
    digest, known = sha256_of(path), recorded_hash(path)
    if known is None:
        record_hash(path, digest)
    elif known != digest:
        raise ValueError(
            f"{path} has changed since it was first used: SHA-256 {digest}, recorded {known}; "
            f"put the first file back, or delete {path.name}.sha256 if you trust the new one"
        )
    return path, digest
