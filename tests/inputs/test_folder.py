"""Pictures in any form that Pillow reads come out as the eye would see them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mami_core.inputs import ImageFolder, UnreadableImageError, open_images


@pytest.fixture
def picture() -> Image.Image:
    """Left half red, right half blue, 40 wide and 20 high."""
    pixels = np.zeros((20, 40, 3), dtype=np.uint8)
    pixels[:, :20, 0] = 255
    pixels[:, 20:, 2] = 255
    return Image.fromarray(pixels)


def loaded(folder: Path, name: str) -> np.ndarray:
    return np.asarray(ImageFolder(folder, include=name).load(0)).astype(int)


def test_folders_nest_and_ids_follow_the_sorted_paths(tmp_path, picture):
    for name in ("b/two.png", "a/deep/one.jpg", "b/three.PNG"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(tmp_path / name)
    (tmp_path / "b" / "notes.txt").write_text("no image")
    found = ImageFolder(tmp_path)
    assert list(found.names) == ["a/deep/one.jpg", "b/three.PNG", "b/two.png"]
    assert list(found.labels) == [0, 1, 1]
    assert found.class_names == ("a", "b")


def test_a_flat_folder_has_no_classes(tmp_path, picture):
    picture.save(tmp_path / "one.png")
    assert ImageFolder(tmp_path).labels is None


def test_only_what_the_glob_matches_is_read(tmp_path, picture):
    for name in ("cat_1.png", "cat_2.png", "dog_1.png"):
        picture.save(tmp_path / name)
    assert list(open_images(tmp_path, include="cat_*").names) == ["cat_1.png", "cat_2.png"]


def test_a_camera_held_upright_gives_an_upright_picture(tmp_path, picture):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    picture.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    pixels = loaded(tmp_path, "turned.jpg")
    assert pixels.shape == (40, 20, 3)
    assert pixels[5, 10, 0] > 200  # red is above
    assert pixels[35, 10, 2] > 200


def test_cmyk_keeps_its_colours(tmp_path, picture):
    picture.convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    assert loaded(tmp_path, "print.jpg")[10, 10].tolist() == pytest.approx([255, 0, 0], abs=12)


def test_sixteen_bit_greys_are_scaled_and_not_clipped(tmp_path):
    Image.fromarray(np.array([[0, 32768, 65535]], dtype=np.uint16)).save(tmp_path / "deep.png")
    assert loaded(tmp_path, "deep.png")[0, :, 0].tolist() == pytest.approx([0, 128, 255], abs=1)


def test_what_is_transparent_is_white(tmp_path):
    pixels = np.zeros((4, 4, 4), dtype=np.uint8)
    pixels[:2, :, 0] = 255
    pixels[:2, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "glass.png")
    found = loaded(tmp_path, "glass.png")
    assert found[0, 0].tolist() == [255, 0, 0]
    assert found[3, 3].tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "F"])
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_every_mode_becomes_rgb(tmp_path, picture, mode, ending):
    if mode in ("F", "LA") and ending != "tif":
        mode = "L"
    picture.convert("L" if mode == "F" else "RGB").convert(mode).save(tmp_path / f"x.{ending}")
    assert loaded(tmp_path, f"x.{ending}").shape == (20, 40, 3)


@pytest.mark.parametrize("content", [b"", b"not an image", None], ids=["empty", "text", "cut short"])
def test_a_broken_file_is_named(tmp_path, picture, content):
    path = tmp_path / "broken.jpg"
    picture.resize((400, 200)).save(path)
    path.write_bytes(path.read_bytes()[:900] if content is None else content)
    with pytest.raises(UnreadableImageError, match=r"broken\.jpg: "):
        ImageFolder(tmp_path).load(0)


def test_a_folder_without_images_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="holds no image; formats read: "):
        open_images(tmp_path)
    with pytest.raises(FileNotFoundError, match="no image folder"):
        open_images(tmp_path / "absent")


def test_the_fingerprint_follows_the_list_of_images(tmp_path, picture):
    picture.save(tmp_path / "one.png")
    before = ImageFolder(tmp_path).fingerprint()
    assert ImageFolder(tmp_path).fingerprint() == before
    picture.save(tmp_path / "two.png")
    assert ImageFolder(tmp_path).fingerprint() != before
