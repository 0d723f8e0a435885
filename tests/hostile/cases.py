"""What strangers send, by hypothesis: well-formed things bent, cut and mixed with what nobody expects."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save

_rng = np.random.default_rng(5)
_PIXELS = Image.fromarray(_rng.integers(0, 255, (24, 32, 3), dtype=np.uint8))


def _encoded(form: str, image: Image.Image = _PIXELS, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is enormous."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(4096))) + chunk(b"IEND", b"")
    )


IMAGES = (
    *(_encoded(form) for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "TGA")),
    _encoded("GIF", save_all=True, append_images=[_PIXELS.rotate(90)] * 5),
    _encoded("PNG", Image.new("RGB", (1, 1))),
    _encoded("PNG", Image.new("1", (50_000, 1))),
    _encoded("PNG", Image.new("RGB", (1, 50_000))),
    _encoded("PNG", Image.new("I;16", (9, 9), 40_000)),
    _encoded("TIFF", Image.fromarray(np.full((9, 9), np.nan, np.float32))),
    _encoded("TIFF", Image.fromarray(np.full((9, 9), np.inf, np.float32))),
    *(_bomb(w, h) for w, h in ((60_000, 60_000), (2**31 - 1, 1), (0, 5), (14_000, 12_000))),
)


def _array(values: np.ndarray, *, packed: bool = False) -> bytes:
    buffer = io.BytesIO()
    if packed:
        np.savez_compressed(buffer, images=values, labels=np.zeros(len(values), np.int64))
    else:
        np.save(buffer, values, allow_pickle=True)
    return buffer.getvalue()


_FLOATS = _rng.random((2, 6, 6, 3)).astype(np.float32)
ARRAYS = (
    _array(_FLOATS),
    _array(_FLOATS, packed=True),
    _array((_FLOATS * 255).astype(np.uint8)),
    _array(np.where(_FLOATS > 0.5, np.nan, _FLOATS)),
    _array(np.where(_FLOATS > 0.5, np.inf, _FLOATS), packed=True),
    _array(np.zeros((0, 6, 6, 3))),
    _array(np.zeros((2, 0, 6, 3))),
    _array(np.zeros((2, 6, 6, 3), np.complex64)),
    _array(np.zeros((3,), "M8[s]")),
    _array(np.array([{"a": 1}], dtype=object)),
)
_TENSORS = {"a.weight": torch.zeros(3, 2), "b": torch.ones(2, dtype=torch.float16)}


def _pickled(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


CHECKPOINTS = (
    save(_TENSORS),
    _pickled(_TENSORS),
    _pickled({"state_dict": _TENSORS, "properties": {"indexer": {}, "hidden_size": "x"}}),
    _pickled({"properties": dict.fromkeys(("indexer", "hidden_size", "length", "beam_size", "temperature"), 3),
              "state_dict": _TENSORS}),
    _pickled([1, 2, 3]),
)  # fmt: skip


@st.composite
def bent(draw: st.DrawFn, wholes: tuple[bytes, ...]) -> bytes:
    """One of some files: whole, cut, with bytes changed, doubled, or with something before it."""
    content = draw(st.sampled_from(wholes))
    how = draw(st.sampled_from(("whole", "cut", "changed", "doubled", "led")))
    if how == "cut":
        return content[: draw(st.integers(0, len(content)))]
    if how == "changed" and content:
        changed = bytearray(content)
        for _ in range(draw(st.integers(1, 8))):
            changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
        return bytes(changed)
    if how == "led":
        return draw(st.binary(max_size=64)) + content
    return content * 2 if how == "doubled" else content


ODD = st.sampled_from(
    ("\u202eevil", "\u200bzero", "=1+1", "@SUM(A1)", "'", '"', "\0", "\r", "e\u0301", "𝟙", "٣", "-1", "1e9", "9" * 400,
     "nan", "../..", "/etc/passwd", "CON", "a" * 300, "<script>", "%00", "\ufeff", "😀", " ", "~", "$HOME", "a\nb")
)  # fmt: skip
TEXT = st.one_of(st.text(max_size=40), ODD)
_HEADERS = (
    ["layer", "unit", "description"],
    ["unit", "description", "similarity"],
    ["layer", "unit", "summary"],
    ["unit", "category", "label", "iou"],
    ["network", "weights_sha256", "layer", "unit", "exemplar_ids", "label", "reviewer", "label_version", "x.caption"],
)


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A CSV under a known header, in any encoding, with quotes left open and cells of any length."""
    header = draw(st.sampled_from(_HEADERS))
    cell = st.one_of(TEXT, st.integers(-1, 99).map(str), st.just('"'), st.just('"a""b"'))
    rows = draw(st.lists(st.lists(cell, min_size=len(header) - 1, max_size=len(header) + 1), max_size=6))
    lines = [",".join(header), *(",".join(row) for row in rows)]
    if draw(st.integers(0, 30)) == 7:
        lines.append(",".join(["early", "1", "x" * 10_000_000][: len(header)]))
    text = draw(st.sampled_from(("\n", "\r\n", "\r"))).join(lines)
    encoding = draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "utf-32")))
    return text.encode(encoding, errors="replace")


_KEYS = ("schema", "name", "files", "layers", "images", "settings", "stages", "captioners", "format", "decoder",
         "splits", "vocabulary", "label", "image_names", "activations", "encoder", "kind", "seed", "facts",
         "versions")  # fmt: skip
_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-3, 2**70), st.floats(), TEXT, st.just(1))
TREES = st.one_of(
    st.recursive(
        _LEAVES,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.sampled_from(_KEYS), TEXT), inner, max_size=8)
        ),
        max_leaves=25,
    ),
    st.integers(100, 900).map(lambda depth: _nested(depth)),
)


def _nested(depth: int) -> Any:
    found: Any = 1
    for _ in range(depth):
        found = [found]
    return found


_COMMANDS = ("inspect", "export", "merge", "convert", "evaluate", "import", "dissect", "layers", "repair", "no")
_PLACES = ("squares", "sent", "sent/out.csv", "scenery:x", "torchvision:bogus", "x.py:y")
_OPTIONS = ("--units", "--layers", "--verify", "--json", "--k", "--quantile", "--format", "--captioner",
            "--include", "--arguments", "--shard", "--mean", "--as", "--unknown", "--bogus")  # fmt: skip
COMMANDS = st.builds(
    lambda name, first, options: [name, *first, *(piece for pair in options for piece in pair)],
    st.sampled_from(_COMMANDS),
    st.lists(st.one_of(st.sampled_from(_PLACES), TEXT), max_size=3),
    st.lists(
        st.tuples(
            st.sampled_from(_OPTIONS),
            TEXT,
        ),
        max_size=3,
    ),
)  # fmt: skip
NAMES = st.tuples(TEXT, TEXT, TEXT)
_KINDS = ("json", "jpg", "webp", "png")
_NO_SLASH = TEXT.filter(lambda text: text.isprintable())
PATTERNS = st.text("()[]*+?{}|\\^$/ab", max_size=30).map(lambda text: f"/{text}/")
ADDRESSES = st.tuples(
    st.one_of(
        st.builds(lambda layer, unit, kind: f"{layer}/{unit}.{kind}", _NO_SLASH, _NO_SLASH, st.sampled_from(_KINDS)),
        st.builds(lambda unit, kind: f"early/{unit}{kind}", st.integers(0, 9), st.sampled_from(
            (".json", ".jpg", "/similar.json", "/doubts.json"))),
        st.just("-/units.json"),
        st.builds(lambda n: f"-/image/{n}.webp", st.one_of(st.integers(-5, 40), TEXT.filter(str.isprintable))),
    ),
    st.dictionaries(
        st.sampled_from(("text", "layer", "state", "label", "sort", "least", "most", "in", "start", "count", "set")),
        st.one_of(TEXT, st.integers(-5, 2000).map(str), PATTERNS),
        max_size=4,
    ),
)  # fmt: skip
FAMILIES: dict[str, st.SearchStrategy] = {
    "image": bent(IMAGES),
    "array": bent(ARRAYS),
    "table": tables(),
    "tree": TREES,
    "weights": bent(CHECKPOINTS),
    "command": COMMANDS,
    "names": NAMES,
    "address": ADDRESSES,
}
