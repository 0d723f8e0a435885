"""Captioned images in the forms they come in: CSV, Flickr8k/30k token files, COCO JSON, Karpathy JSON, painted scenes.

Whatever the form, the result is one list of images, each with its captions and its split. Only text is read; images
are opened one by one when they are needed.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from PIL import Image

from mami_core.inputs.folder import read_image
from mami_core.inputs.source import ImageSource
from mami_core.scenery.captions import caption_scene, split_of
from mami_core.scenery.images import SceneryImages
from mami_core.store.atomic import sha256_of

PREFIX: Final = "scenery:captions:"
SPLITS: Final = ("train", "val", "test")
_SPLIT_NAMES: Final = {"train": "train", "restval": "train", "dev": "val", "val": "val", "valid": "val",
                       "validation": "val", "test": "test"}  # fmt: skip
_FLICKR_SPLIT: Final = re.compile(r"(?:^|[_.-])(train|dev|val|test)(?:images)?\.txt$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class CaptionedImages:
    """Images with captions. `source` opens image i; `captions` and `split` say what is known of it."""

    name: str
    source: ImageSource
    captions: tuple[tuple[str, ...], ...]
    split: tuple[str, ...]  # train, val or test

    def __post_init__(self) -> None:
        if not len(self.source) == len(self.captions) == len(self.split):
            raise ValueError(
                f"{self.name}: {len(self.source)} images, captions of {len(self.captions)}, splits of {len(self.split)}"
            )

    def __len__(self) -> int:
        return len(self.captions)

    def rows(self, split: str) -> list[int]:
        """Return the images of one split; ValueError where it is empty."""
        found = [row for row, name in enumerate(self.split) if name == split]
        if not found:
            raise ValueError(f"{self.name} has no {split} images; a set needs at least one of {', '.join(SPLITS)}")
        return found


class ImageFiles:
    """Images by path, in the order of their list; an `inputs.ImageSource`."""

    simulated = False
    labels: Sequence[int] | None = None

    def __init__(self, name: str, paths: Sequence[Path]) -> None:
        self.name, self.paths = name, tuple(paths)
        self.names: Sequence[str] = tuple(path.name for path in paths)

    def __len__(self) -> int:
        return len(self.paths)

    def load(self, index: int) -> Image.Image:
        """Return an image as upright RGB; UnreadableImageError names the file that cannot be decoded."""
        return read_image(self.paths[index])

    def fingerprint(self) -> str:
        """Return the SHA-256 of all files' bytes, in order."""
        return hashlib.sha256("".join(map(sha256_of, self.paths)).encode()).hexdigest()


def open_captioned(spec: str | Path, *, images: Path | None = None, seed: int = 0) -> CaptionedImages:
    """Open captioned images: `scenery:captions:N[:SEED]`, or a .csv, .txt, .token or .json file.

    `images` is the folder of the image files; none: looked for beside the file. Where a form brings no split, one is
    drawn by image from `seed`: four fifths, a tenth, a tenth. Errors name file and line.
    """
    if str(spec).startswith(PREFIX):
        return captioned_scenes(str(spec))
    path = Path(spec)
    if not path.is_file():
        raise FileNotFoundError(f"no captions file {path}; name a .csv, .txt or .json file, or {PREFIX}N")
    listed = _reader_of(path)(path)
    if not listed:
        raise ValueError(f"{path} holds no captioned image")
    names = list(listed)
    split = tuple(listed[name].split or "" for name in names)
    if not all(split):
        split = _drawn_split(len(names), seed)
    files = ImageFiles(path.stem, _found(names, listed, path, images))
    return CaptionedImages(path.stem, files, tuple(tuple(listed[name].captions) for name in names), split)


def captioned_scenes(spec: str) -> CaptionedImages:
    """Paint the scenes of `scenery:captions:N[:SEED]` once, to describe each five times; the split is fixed."""
    count, _, stream = spec.removeprefix(PREFIX).partition(":")
    if not count.isdecimal() or int(count) < len(SPLITS) * 8 or not (stream or "0").isdecimal():
        raise ValueError(f"captioned scenes {spec!r}: write {PREFIX}N or {PREFIX}N:SEED, N at least {len(SPLITS) * 8}")
    source = SceneryImages(int(count), int(stream or 0))
    captions = tuple(caption_scene(source.scene(row), seed=(source.seed, row)) for row in range(len(source)))
    split = tuple(split_of(row, len(source)) for row in range(len(source)))
    return CaptionedImages(spec, source, captions, split)


@dataclass(frozen=True)
class _Listed:
    """What a file says of one image."""

    captions: tuple[str, ...] = ()
    split: str | None = None
    folder: str = ""  # COCO's train2014 and val2014
    line: str = ""  # where it is first mentioned


def _with_caption(listed: dict[str, _Listed], name: str, caption: str, where: str) -> None:
    known = listed.get(name, _Listed(line=where))
    listed[name] = replace(known, captions=(*known.captions, caption))


def _reader_of(path: Path) -> Callable[[Path], dict[str, _Listed]]:
    """Return what reads a file, by its ending and, for JSON, by what it holds."""
    if path.suffix in (".txt", ".token"):
        with path.open(encoding="utf-8") as file:
            first = file.readline()
        return _read_csv if "\t" not in first and first.lower().startswith("image,") else _read_flickr
    readers = {".csv": _read_csv, ".json": _read_json}
    if path.suffix not in readers:
        raise ValueError(f"{path} is of no form that is read; there are .csv, .txt, .token and .json")
    return readers[path.suffix]


def _read_csv(path: Path) -> dict[str, _Listed]:
    """Read `image,caption` (or `file,…,caption`) rows; a column `split` is taken where there is one."""
    listed: dict[str, _Listed] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        columns = rows.fieldnames or []
        name = next((column for column in ("image", "file", "filename", "image_name") if column in columns), None)
        caption = next((column for column in ("caption", "comment", "text") if column in columns), None)
        if name is None or caption is None:
            raise ValueError(f"{path}, line 1: needs columns image and caption, found {', '.join(columns) or 'none'}")
        for row in rows:
            where = f"{path}, line {rows.line_num}"
            if not (row[name] or "").strip() or not (row[caption] or "").strip():
                raise ValueError(f"{where}: an image or its caption is empty")
            _with_caption(listed, row[name].strip(), row[caption].strip(), where)
            if row.get("split"):
                listed[row[name].strip()] = replace(listed[row[name].strip()], split=_split(row["split"], where))
    return listed


def _read_flickr(path: Path) -> dict[str, _Listed]:
    """Read `image.jpg#0<TAB>caption` lines; the split files beside it, `…trainImages.txt` and so on, name images."""
    listed: dict[str, _Listed] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        name, tab, caption = line.partition("\t")
        if not tab or not caption.strip() or "#" not in name:
            raise ValueError(f"{where}: expected image.jpg#0, a tab and a caption, found {line[:60]!r}")
        _with_caption(listed, name.rpartition("#")[0].strip(), caption.strip(), where)
    for beside in sorted(path.parent.glob("*.txt")):
        kind = _FLICKR_SPLIT.search(beside.name)
        if kind and beside != path:
            _assign(listed, beside, _SPLIT_NAMES[kind.group(1).lower()])
    unassigned = [name for name, entry in listed.items() if entry.split is None]
    if len(unassigned) < len(listed):  # Flickr8k has captions of images that are in no split
        for name in unassigned:
            del listed[name]
    return listed


def _assign(listed: dict[str, _Listed], path: Path, split: str) -> None:
    """Put the images that a split file names into a split."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        name = line.strip()
        if not name:
            continue
        if name not in listed:
            raise ValueError(f"{path}, line {number}: image {name!r} has no caption")
        if listed[name].split not in (None, split):
            raise ValueError(f"{path}, line {number}: image {name!r} is already in split {listed[name].split}")
        listed[name] = replace(listed[name], split=split)


def _read_json(path: Path) -> dict[str, _Listed]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as problem:
        raise ValueError(f"{path}, line {problem.lineno}: not JSON ({problem.msg})") from None
    if not isinstance(body, dict) or not isinstance(body.get("images"), list):
        raise ValueError(f"{path} is neither COCO's nor Karpathy's JSON: it has no list of images")
    return _coco(body, path) if "annotations" in body else _karpathy(body, path)


def _coco(body: Mapping[str, Any], path: Path) -> dict[str, _Listed]:
    names = {image.get("id"): str(image.get("file_name", "")) for image in body["images"]}
    listed: dict[str, _Listed] = {}
    for number, entry in enumerate(body["annotations"]):
        where = f"{path}, annotation {number}"
        name, caption = names.get(entry.get("image_id")), str(entry.get("caption") or "").strip()
        if not name:
            raise ValueError(f"{where}: image {entry.get('image_id')!r} is not in the list of images")
        if not caption:
            raise ValueError(f"{where}: its caption is empty")
        _with_caption(listed, name, caption, where)
    return listed


def _karpathy(body: Mapping[str, Any], path: Path) -> dict[str, _Listed]:
    listed: dict[str, _Listed] = {}
    for number, entry in enumerate(body["images"]):
        where = f"{path}, image {number}"
        name, sentences = str(entry.get("filename") or ""), entry.get("sentences")
        if not name or not isinstance(sentences, list):
            raise ValueError(f"{where}: needs filename and sentences")
        for sentence in sentences:
            text = str(sentence.get("raw") or " ".join(sentence.get("tokens", []))).strip()
            if not text:
                raise ValueError(f"{where}: a sentence is empty")
            _with_caption(listed, name, text, where)
        if name in listed:
            split = _split(entry["split"], where) if entry.get("split") else None
            listed[name] = replace(listed[name], split=split, folder=str(entry.get("filepath") or ""))
    return listed


def _split(name: str, where: str) -> str:
    known = _SPLIT_NAMES.get(str(name).strip().lower())
    if known is None:
        raise ValueError(f"{where}: split {name!r} is none of {', '.join(_SPLIT_NAMES)}")
    return known


def _drawn_split(count: int, seed: int) -> tuple[str, ...]:
    """Return a split by image, the same for the same number of images and seed; each has at least one image."""
    if count < len(SPLITS):
        raise ValueError(f"{count} captioned images cannot be split into {', '.join(SPLITS)}")
    ranked = sorted(range(count), key=lambda row: hashlib.sha256(f"{seed}:{row}".encode()).digest())
    tenth = max(1, count // 10)
    split = ["train"] * count
    for row in ranked[:tenth]:
        split[row] = "test"
    for row in ranked[tenth : 2 * tenth]:
        split[row] = "val"
    return tuple(split)


def _found(names: Sequence[str], listed: Mapping[str, _Listed], path: Path, images: Path | None) -> list[Path]:
    """Return where the image files lie; FileNotFoundError names the first that is not there and its line."""
    beside = ("", "images", "Images", "photos", "Flicker8k_Dataset", "flickr30k-images", "../images", "../photos")
    places = [images] if images is not None else [path.parent / part for part in beside]
    found = []
    for name in names:
        tried = [place / part / name for place in places for part in dict.fromkeys((listed[name].folder, ""))]
        file = next((candidate for candidate in tried if candidate.is_file()), None)
        if file is None:
            raise FileNotFoundError(
                f"{listed[name].line}: no image {name!r} in {', '.join(str(place) for place in places[:4])}; "
                "name the folder with --images"
            )
        found.append(file)
    return found
