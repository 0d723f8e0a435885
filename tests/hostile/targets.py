"""The doors through which strangers' things come in, each as a command or a page opens it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from starlette.testclient import TestClient

from dashboard.routes import serving
from mami_core import cli
from mami_core.captioning.checkpoint import load_checkpoint
from mami_core.captioning.encoder import load_encoder
from mami_core.config import parse_shard, parse_units
from mami_core.inputs import read_image
from mami_core.inputs.arrays import ImageArray
from mami_core.inputs.weights import read_weights
from mami_core.interop.captions_csv import read_captions, read_references
from mami_core.interop.label_import import preview_labels
from mami_core.interop.milan_checkpoint import read_milan_checkpoint
from mami_core.interop.synthetic_neurons import read_synthetic
from mami_core.probing.filtering import UnitFilter
from mami_core.store import Dissection, DissectionWriter
from mami_core.store.labels import COLUMNS
from mami_core.store.layout import MANIFEST
from mami_core.store.splits import read_split

NAMED = {"image": "sent.png", "array": "sent.npy", "packed": "sent.npz"}


def _sent(folder: Path, name: str, content: bytes) -> Path:
    path = folder / "sent" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def image(case: bytes, folder: Path) -> None:
    """An image of a folder, and the same one uploaded."""
    read_image(_sent(folder, "sent.png", case))


def array(case: bytes, folder: Path) -> None:
    """Images in one .npy or .npz."""
    found = ImageArray(_sent(folder, "sent.npz" if case[:2] == b"PK" else "sent.npy", case))
    if len(found):
        found.load(0)
        found.fingerprint()


def table(case: bytes, folder: Path) -> None:
    """A CSV: a peer's captions, references, labels."""
    path = _sent(folder, "sent.csv", case)
    problems = []
    dissection = Dissection.open(folder / "squares")
    import pandas as pd

    for read in (
        lambda: read_captions(path, layer="early").references(),
        lambda: read_references(path),
        lambda: preview_labels(path, dissection, pd.DataFrame(columns=list(COLUMNS))),
    ):
        try:
            read()
        except ValueError as problem:
            problems.append(problem)
    if problems:
        raise problems[0]


def tree(case: Any, folder: Path) -> None:
    """JSON where ours is expected: manifest, split, captioner, encoder, planted neurons."""
    text = json.dumps(case).encode(errors="surrogatepass")
    problems = []
    own = folder / "sent-models"
    own.mkdir(exist_ok=True)
    for name in ("captioner.json", "encoder.json", MANIFEST):
        (own / name).write_bytes(text)
    (own / "weights.safetensors").write_bytes(b"x")
    for read in (
        lambda: Dissection.open(own),
        lambda: read_split(_sent(folder, "split.json", text)),
        lambda: load_checkpoint(own),
        lambda: load_encoder(own),
        lambda: read_synthetic(_sent(folder, "or.json", text)),
    ):
        try:
            read()
        except (ValueError, OSError) as problem:
            problems.append(problem)
    if problems:
        raise problems[0]


def weights(case: bytes, folder: Path) -> None:
    """Weights and checkpoints."""
    try:
        read_milan_checkpoint(_sent(folder, "sent.pth", case))
    except ValueError:
        read_weights(_sent(folder, "sent.safetensors" if case[:1] != b"P" else "sent.pth", case))


def command(case: list[str], _folder: Path) -> None:
    """A command line."""
    try:
        status = cli.main(case)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 2
    assert status in (0, 1, 2), status
    if status:
        raise ValueError(f"status {status}")


def names(case: tuple[str, str, str], folder: Path) -> None:
    """Names of layers and units, as files, ranges and filters."""
    layer, units, text = case
    writer = DissectionWriter.open(folder / "named")
    try:
        writer.keep_import(layer, b"x")
        assert all(path.is_relative_to(folder / "named") for path in (folder / "named").rglob("*"))
    finally:
        writer.forget([name for name in writer.manifest.files if name.startswith("imports/")])
    refused = [_refusal(read) for read in (
        lambda: parse_units(units), lambda: parse_shard(units), lambda: UnitFilter.from_mapping({"text": text})
    )]  # fmt: skip
    assert "" not in refused, "refused without a word"


def _refusal(read: Callable[[], Any]) -> str | None:
    try:
        read()
    except ValueError as problem:
        return str(problem)
    return None


def address(case: tuple[str, dict[str, str]], _folder: Path) -> None:
    """An address of ours with a query."""
    path, query = case
    answer = TestClient(serving(), raise_server_exceptions=True).get(f"/squares/{path}", params=query)
    assert answer.status_code in (200, 204, 307, 404, 405), answer.status_code
    assert "Traceback" not in answer.text
    if answer.status_code == 200 and "image" in answer.headers.get("content-type", ""):
        Image.open(io.BytesIO(answer.content)).load()


TARGETS: dict[str, Callable[[Any, Path], None]] = {
    door.__name__: door for door in (image, array, table, tree, weights, command, names, address)
}
