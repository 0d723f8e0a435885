"""The captioners that MILAN published, by name: found in `MAMI_HOME`, downloaded where they are not, never changed.

A file's SHA-256 is recorded when it is first used. A file, or a download, of another one is refused from then on.
"""

from __future__ import annotations

import contextlib
import difflib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch

from mami_core.captioning.captioner import Captioner
from mami_core.captioning.checkpoint import Checkpoint
from mami_core.captioning.decoding import Decoding
from mami_core.captioning.pyramid import KIND, PyramidEncoder, build_pyramid
from mami_core.interop.milan_checkpoint import MilanCheckpoint, read_milan_checkpoint
from mami_core.store.atomic import replacing, sha256_of
from mami_core.store.home import models_folder

PREFIX: Final = "milan:"
NAMES: Final = ("base", "cls", "gen", "imagenet", "places365", "alexnet", "resnet152", "biggan")
SOURCE: Final = "http://milan.csail.mit.edu/models"  # MAMI_MILAN_URL names a mirror
_ENCODER_CLASS: Final = "PyramidConvEncoder"
_CHUNK: Final = 1 << 20

DownloadProgress = Callable[[int, int], None]  # bytes done, bytes in all (0: not known)


def open_published(
    name: str,
    *,
    decoding: Decoding | None = None,
    device: torch.device | None = None,
    progress: DownloadProgress | None = None,
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


def fetch(name: str, *, progress: DownloadProgress | None = None) -> tuple[Path, str]:
    """Return where the published captioner `name` lies, downloaded if need be, and its SHA-256."""
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES) or NAMES
        raise ValueError(f"MILAN published no captioner {name!r}; try {', '.join(PREFIX + known for known in near)}")
    path = models_folder() / f"milan-{name}.pth"
    record = path.with_name(f"{path.name}.sha256")
    known = record.read_text(encoding="utf-8").split()[0] if record.is_file() else None
    if not path.is_file():
        _download(path, known, progress or (lambda _done, _total: None))
    digest = sha256_of(path)
    if known is None:
        with replacing(record) as partial:
            partial.write_text(f"{digest}  {path.name}\n", encoding="utf-8")
    elif known != digest:
        raise ValueError(
            f"{path} has changed since it was first used: SHA-256 {digest}, recorded {known}; "
            f"put the first file back, or delete {record.name} if you trust the new one"
        )
    return path, digest


def _download(path: Path, known: str | None, progress: DownloadProgress) -> None:
    """Bring the file to `path`, whole or not at all."""
    address = f"{os.environ.get('MAMI_MILAN_URL', SOURCE).rstrip('/')}/{path.name}"
    advice = f"download {address} where there is a network, and put it at {path}"
    try:
        with contextlib.closing(urllib.request.urlopen(address, timeout=30)) as answer, replacing(path) as partial:
            _receive(answer, partial, progress)
            if known is not None and sha256_of(partial) != known:
                raise ValueError(
                    f"{address} is not the file that was first used (SHA-256 {known} recorded); it was not kept"
                )
    except urllib.error.HTTPError as problem:
        raise FileNotFoundError(f"{address} answered {problem.code} {problem.reason}; {advice}") from None
    except (OSError, http.client.HTTPException) as problem:  # no network, a broken connection
        raise FileNotFoundError(f"{address} could not be downloaded ({problem}); {advice}") from None


def _receive(answer: http.client.HTTPResponse, partial: Path, progress: DownloadProgress) -> None:
    total, done = int(answer.headers.get("Content-Length") or 0), 0
    with partial.open("wb") as file:
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            progress(done, total)
    if done < total:
        raise ConnectionError(f"the connection broke after {done} of {total} bytes")
