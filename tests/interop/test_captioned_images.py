"""Captioned images: the same pictures and words from every form, and errors that name file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from mami_core.interop.captioned_images import SPLITS, CaptionedImages, open_captioned

SAID = {
    "a.jpg": ("a red roof", "roofs of a house"),
    "b.jpg": ("a dog, and a ball",),
    "c.jpg": ("the sea", "water"),
    "d.jpg": ("trees in a park",),
}
SPLIT = {"a.jpg": "train", "b.jpg": "val", "c.jpg": "test", "d.jpg": "train"}


@pytest.fixture
def pictures(tmp_path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for place, name in enumerate(SAID):
        Image.new("RGB", (8 + place, 8), (40 * place, 0, 0)).save(folder / name)
    return folder


def write_csv(folder: Path) -> Path:
    rows = [f'{name},"{text}",{SPLIT[name]}' for name, said in SAID.items() for text in said]
    (folder / "captions.csv").write_text("image,caption,split\n" + "\n".join(rows) + "\n")
    return folder / "captions.csv"


def write_flickr(folder: Path) -> Path:
    rows = [f"{name}#{place}\t{text}" for name, said in SAID.items() for place, text in enumerate(said)]
    (folder / "Flickr8k.token.txt").write_text("\n".join([*rows, "x.jpg#0\tin no split"]) + "\n")
    for split, stem in (("train", "trainImages"), ("val", "devImages"), ("test", "testImages")):
        names = [name for name, given in SPLIT.items() if given == split]
        (folder / f"Flickr_8k.{stem}.txt").write_text("\n".join(names) + "\n")
    return folder / "Flickr8k.token.txt"


def write_karpathy(folder: Path) -> Path:
    shown = {"train": "restval", "val": "val", "test": "test"}
    images = [
        {"filename": name, "split": shown[SPLIT[name]], "sentences": [{"raw": text} for text in said]}
        for name, said in SAID.items()
    ]
    (folder / "dataset.json").write_text(json.dumps({"dataset": "flickr8k", "images": images}))
    return folder / "dataset.json"


@pytest.mark.parametrize("write", [write_csv, write_flickr, write_karpathy])
def test_every_form_gives_the_same_pictures_captions_and_splits(tmp_path, pictures, write):
    found = open_captioned(write(tmp_path))
    said = dict(zip(found.source.names, found.captions, strict=True))
    assert said == SAID
    assert dict(zip(found.source.names, found.split, strict=True)) == SPLIT
    row = list(found.source.names).index("c.jpg")
    assert found.source.load(row).size == (10, 8)
    assert not found.source.simulated
    assert pictures.is_dir()


@pytest.mark.usefixtures("pictures")
def test_coco_annotations_are_joined_by_image_id_and_split_by_image(tmp_path):
    images = [{"id": 70 + place, "file_name": name} for place, name in enumerate(SAID)]
    notes = [{"image_id": 70 + p, "caption": text} for p, said in enumerate(SAID.values()) for text in said]
    path = tmp_path / "captions_val2017.json"
    path.write_text(json.dumps({"images": images, "annotations": notes}))
    found = open_captioned(path)
    assert dict(zip(found.source.names, found.captions, strict=True)) == SAID
    assert set(found.split) == set(SPLITS)
    assert open_captioned(path).split == found.split


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.csv", "image,caption\na.jpg,fine\nb.jpg,\n", r"c\.csv, line 3: an image or its caption is empty"),
        ("c.csv", "picture,words\n", r"c\.csv, line 1: needs columns image and caption"),
        ("c.csv", "image,caption,split\na.jpg,fine,tset\n", r"c\.csv, line 2: split 'tset' is none of"),
        ("c.token", "a.jpg#0\tfine\na.jpg fine\n", r"c\.token, line 2: expected image\.jpg#0, a tab"),
        ("c.json", '{"images": [\n{]}', r"c\.json, line 2: not JSON"),
        ("c.json", "[1]", "neither COCO's nor Karpathy's"),
        ("c.json", '{"images": [], "annotations": [{"image_id": 3, "caption": "x"}]}', "annotation 0: image 3 is not"),
        ("c.json", '{"images": [{"filename": "a.jpg"}]}', "image 0: needs filename and sentences"),
        ("c.yaml", "a", "is of no form that is read"),
    ],
)
@pytest.mark.usefixtures("pictures")
def test_errors_name_file_and_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        open_captioned(tmp_path / name)


@pytest.mark.usefixtures("pictures")
def test_split_files_must_agree_with_captions_and_each_other(tmp_path):
    path = write_flickr(tmp_path)
    (tmp_path / "Flickr_8k.testImages.txt").write_text("c.jpg\na.jpg\n")
    with pytest.raises(ValueError, match=r"line [12]: image 'a\.jpg' is already in split"):
        open_captioned(path)
    (tmp_path / "Flickr_8k.testImages.txt").write_text("q.jpg\n")
    with pytest.raises(ValueError, match=r"testImages\.txt, line 1: image 'q\.jpg' has no caption"):
        open_captioned(path)


def test_a_missing_picture_is_named_with_its_line(tmp_path, pictures):
    path = write_csv(tmp_path)
    (pictures / "b.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"captions\.csv, line 4: no image 'b\.jpg' in .*--images"):
        open_captioned(path)
    with pytest.raises(FileNotFoundError, match="no captions file"):
        open_captioned(tmp_path / "nothing.csv")


def test_captioned_scenes_are_five_captions_each_on_a_fixed_split():
    found = open_captioned("scenery:captions:32")
    assert isinstance(found, CaptionedImages)
    assert [len(found.rows(name)) for name in SPLITS] == [24, 4, 4]
    assert {len(said) for said in found.captions} == {5}
    assert found.source.simulated
    assert open_captioned("scenery:captions:32").captions == found.captions
    for wrong in ("scenery:captions:", "scenery:captions:5", "scenery:captions:32:x"):
        with pytest.raises(ValueError, match="write scenery:captions:N"):
            open_captioned(wrong)
