"""NetDissect against its formula written as loops over pixels, and end to end where the truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_dissection import make_dissection
from PIL import Image
from torch import nn

from mami_core.captioning.netdissect import at_most, named_units, overlaps
from mami_core.config import DissectConfig
from mami_core.dissection import dissect
from mami_core.inputs.folder import ImageFolder
from mami_core.inputs.networks import Network
from mami_core.inputs.preprocess import Preprocess
from mami_core.inputs.segmentation import NOTHING, SegmentationFolder, labels_in_view
from mami_core.store import Dissection

COLOURS = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220)}
SIDE = 32


class Squares:
    """Grey images with a square of each colour; the maps say which pixel is which, and which half it lies in."""

    name = "squares"
    concepts = (*COLOURS, "left", "right")
    categories = (0, 0, 0, 1, 1)

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(3)
        self.images, self.planes = [], []
        for number in range(count):
            pixels = rng.integers(80, 100, (SIDE, SIDE, 3), dtype=np.uint8)
            plane = np.full((SIDE, SIDE), NOTHING, np.int32)
            for place, colour in enumerate(COLOURS):
                top, left = rng.integers(0, SIDE - 8, 2)
                pixels[top : top + 8, left : left + 8] = COLOURS[colour]
                plane[top : top + 8, left : left + 8] = place
            halves = np.repeat([3, 4], SIDE // 2)[None].repeat(SIDE, 0).astype(np.int32)
            if number % 2:
                halves[:] = NOTHING  # only every second image says in which half a pixel lies
            self.images.append(Image.fromarray(pixels))
            self.planes.append(np.stack([plane, halves]))

    def __len__(self) -> int:
        return len(self.images)

    def load(self, index: int) -> Image.Image:
        return self.images[index]

    def labels(self, index: int) -> np.ndarray:
        return self.planes[index]


def colour_network() -> Network:
    """Units 0 to 2 fire where an image is red, green, blue: a channel less the mean of the others."""
    conv = nn.Conv2d(3, 3, 2, stride=2, bias=False)
    with torch.no_grad():
        conv.weight[:] = ((torch.eye(3) * 1.5 - 0.5) / 4)[:, :, None, None]
    module = nn.Sequential()
    module.add_module("colours", conv)
    plain = Preprocess(resize=None, crop=None, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    return Network("colours", module.eval(), plain, weights_sha256="c" * 64)


@pytest.fixture(scope="module")
def squares() -> Squares:
    return Squares(12)


@pytest.fixture(scope="module")
def dissected(squares: Squares, tmp_path_factory: pytest.TempPathFactory) -> Dissection:
    folder = tmp_path_factory.mktemp("squares")
    for number, image in enumerate(squares.images):
        image.save(folder / f"{number:03}.png")
    config = DissectConfig("colours", str(folder), folder / "out", layers=("colours",), k=3, quantile=0.9, spectrum=0)
    return dissect(colour_network(), ImageFolder(folder, include="*.png"), config, folder / "out")


def test_iou_is_the_papers_formula_written_as_loops(squares: Squares, dissected: Dissection) -> None:
    network = colour_network()
    found = overlaps(dissected, network, squares, ["colours"])["colours"].iou()

    for unit in range(3):
        threshold = dissected.statistics("colours", unit).threshold
        both, fired, there = np.zeros(5), np.zeros(2), np.zeros(5)
        for image, planes in zip(squares.images, squares.planes, strict=True):
            maps = network.module(network.preprocess(image)[None])[:, unit : unit + 1]
            large = nn.functional.interpolate(maps, (SIDE, SIDE), mode="bilinear")[0, 0]
            for category, plane in enumerate(planes):
                for y in range(SIDE):
                    for x in range(SIDE):
                        fires, concept = bool(large[y, x] > threshold), plane[y, x]
                        fired[category] += fires and (plane != NOTHING).any()
                        if concept != NOTHING:
                            there[concept] += 1
                            both[concept] += fires
        for concept, category in enumerate(squares.categories):
            expected = both[concept] / (fired[category] + there[concept] - both[concept])
            assert found[unit, concept] == pytest.approx(expected)


def test_units_are_called_by_what_they_were_built_for(squares: Squares, dissected: Dissection) -> None:
    found = overlaps(dissected, colour_network(), squares, ["colours"])

    captions = named_units(dissected, found, squares.concepts, dissected.unit_keys())

    assert [caption.text for caption in captions] == list(COLOURS)
    assert all(0.4 < caption.score <= 1 for caption in captions)
    assert captions[0].alternatives[0] == ("red", captions[0].score)


def test_another_network_is_refused(squares: Squares, tmp_path: Path) -> None:
    other = Dissection.open(make_dissection(tmp_path / "made"))

    with pytest.raises(ValueError, match="colours has other weights than made was made with"):
        overlaps(other, colour_network(), squares, ["early"])


def test_maps_are_cut_as_the_network_sees_the_image() -> None:
    image = Image.new("RGB", (60, 40))
    plane = np.full((40, 60), 700, np.int32)
    plane[:, :10], plane[:, 50:] = 1, NOTHING

    seen = labels_in_view(Preprocess(resize=20, crop=20), image, plane[None])[0]

    assert (seen == 700).all()  # the crop leaves out a third of the width: both borders
    squashed = labels_in_view(Preprocess(resize=(20, 30), crop=None), image, plane[None])[0]
    assert [squashed[5, 2], squashed[5, 15], squashed[5, 29]] == [1, 700, NOTHING]


def test_large_maps_are_thinned_to_their_nearest_pixels() -> None:
    plane = np.arange(16, dtype=np.int32).reshape(1, 4, 4)

    assert at_most(plane, 2).tolist() == [[[5, 7], [13, 15]]]
    assert at_most(plane, 8) is not plane
    assert (at_most(plane, 8) == plane).all()


def test_a_folder_of_class_index_pngs(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    Image.new("RGB", (4, 2)).save(tmp_path / "one.jpg")
    Image.fromarray(np.array([[0, 1, 3, 9], [1, 1, 2, 0]], np.uint8)).save(tmp_path / "masks" / "one.png")
    with pytest.raises(FileNotFoundError, match="no class names"):
        SegmentationFolder(tmp_path / "masks")
    (tmp_path / "masks_classes.json").write_text('{"0": "unlabeled", "1": "sky", "3": "tree"}')

    found = SegmentationFolder(tmp_path / "masks")

    assert (len(found), found.concepts) == (1, ("sky", "tree"))
    assert found.labels(0)[0].tolist() == [[-1, 0, 1, -1], [0, 0, -1, -1]]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match=r"no image in .* is named like a PNG"):
        SegmentationFolder(tmp_path / "masks", empty)


@pytest.mark.data
def test_cocos_panoptic_maps_are_read(data_dir: Path) -> None:
    found = SegmentationFolder(data_dir / "photos" / "masks")

    assert len(found) > 100
    assert {"person", "sky-other-merged"} <= set(found.concepts)
    assert all(found.labels(index).max() >= 0 for index in range(0, len(found), 10))
