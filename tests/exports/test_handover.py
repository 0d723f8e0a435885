"""What is handed over: a report that stands alone, a card, the projector's files."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from made_dissection import DEAD, UNSPOKEN, K, make_dissection
from PIL import Image

from mami_core.dissection.masks import unit_masks
from mami_core.exports.card import neuron_card
from mami_core.exports.dataset_card import dataset_card
from mami_core.exports.files import write_export
from mami_core.exports.projector import write_projector
from mami_core.exports.report import layer_report
from mami_core.records import Reference
from mami_core.store import Dissection, DissectionWriter

NASTY = '<script>alert("1")</script> & </style>\t\n|'


@pytest.fixture
def dissection(tmp_path: Path) -> Dissection:
    return Dissection.open(make_dissection(tmp_path / "squares"))


@pytest.fixture
def nasty(dissection: Dissection) -> Dissection:
    """The same with references that try to break out of what they stand in."""
    DissectionWriter.open(dissection.path).write_references({("early", 0): [Reference("<b>", 0, NASTY)]})
    return Dissection.open(dissection.path)


class Page(HTMLParser):
    """Collects a page's elements and visible text; notices what is left open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("input", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def pictures(html: str, kind: str) -> list[np.ndarray]:
    found = re.findall(rf'class="{kind}" style="background-image:url\(data:image/png;base64,([^)]*)\)', html)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")) for data in found]


def test_a_neurons_card_holds_its_exemplars_captions_and_threshold(dissection: Dissection) -> None:
    html = neuron_card(dissection, dissection.neuron("early", 1))
    page = Page(html)
    assert page.open == []
    assert len([tag for tag, _ in page.elements if tag == "figure"]) == K
    assert "threshold 0.5 (99 % quantile)" in page.text
    for name in dissection.captioners:
        assert dissection.caption(name, "early", 1).text in page.text
    assert "green squares" in page.text
    assert "http" not in html


def test_the_drawn_mask_is_the_units_mask_and_the_heatmap_is_clear_at_its_peak(dissection: Dissection) -> None:
    html = neuron_card(dissection, dissection.neuron("early", 1))
    masks = unit_masks(dissection, "early", 1, (56, 56))
    for drawn, mask in zip(pictures(html, "mask"), masks, strict=True):
        assert ((drawn[..., 3] == 0) == mask).all()
    maps = np.asarray(dissection.maps("early")[dissection.row("early", 1)])
    for drawn, values in zip(pictures(html, "heat"), maps, strict=True):
        assert drawn.shape[:2] == values.shape
        assert (drawn[..., 3][values == values.max()] < drawn[..., 3][values == 0].min()).all()


@pytest.mark.parametrize(("key", "reason"), [(DEAD, "the unit never fires"), (UNSPOKEN, "captioning failed")])
def test_what_could_not_be_said_is_said_to_be_missing(
    dissection: Dissection, key: tuple[str, int], reason: str
) -> None:
    assert reason in Page(neuron_card(dissection, dissection.neuron(*key))).text


def test_no_text_becomes_markup(nasty: Dissection) -> None:
    for html in (neuron_card(nasty, nasty.neuron("early", 0)), layer_report(nasty, [("early", 0)])):
        page = Page(html)
        assert '<script>alert("1")</script>' in page.text
        assert len([tag for tag, _ in page.elements if tag == "script"]) == html.startswith("<!doctype")


def test_a_report_holds_every_unit_and_every_picture_once(dissection: Dissection) -> None:
    keys = dissection.unit_keys("early")
    html = layer_report(dissection, keys)
    page = Page(html)
    assert page.open == []
    assert len([tag for tag, _ in page.elements if tag == "section"]) == len(keys)
    shown = {entry.image_id for key in keys for entry in dissection.exemplars_of(*key)["top"]}
    rules = re.findall(r"\.p(\d+)\{background-image", html)
    assert sorted(map(int, rules)) == sorted(shown)
    assert set(re.findall(r"url\((.{5})", html)) == {"data:"}
    assert not re.search(r"https?:|@import|\b(?:src|href)=", html)


def test_the_ending_chooses_report_and_card(dissection: Dissection, tmp_path: Path) -> None:
    assert write_export(dissection, tmp_path / "early.html", keys=dissection.unit_keys("early")) == 6
    assert write_export(dissection, tmp_path / "CARD.md") == 11
    assert (tmp_path / "early.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "CARD.md").read_text().startswith("---\n")


def test_a_card_says_what_there_is_and_what_is_simulated(dissection: Dissection) -> None:
    card = dataset_card(dissection)
    manifest = dissection.manifest
    for text in (manifest.network, str(manifest.weights_sha256), "**Simulated**", *dissection.captioners):
        assert text in card
    rows = {name: sizes for name, *sizes in re.findall(r"^\| `(\w+[\w.]*)` \| (\d+) \| (\d+) \| (\d+) \|", card, re.M)}
    for layer in dissection.layers:
        states = dissection.units.loc[dissection.units["layer"] == layer, "state"]
        assert rows[layer] == [str(len(states)), str((states == "alive").sum()), str((states == "dead").sum())]


def test_the_projectors_cosine_is_the_correlation_of_the_peaks(dissection: Dissection, tmp_path: Path) -> None:
    keys = dissection.unit_keys()
    assert write_projector(dissection, tmp_path / "projector", keys) == len(keys) - 1  # the dead unit has no vector
    vectors = np.loadtxt(tmp_path / "projector" / "vectors.tsv", delimiter="\t")
    peaks = np.concatenate([np.asarray(dissection.peaks(name), dtype=np.float64) for name in dissection.layers], axis=1)
    living = [place for place, key in enumerate(keys) if key != DEAD]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.abs(unit @ unit.T - np.corrcoef(peaks[:, living].T)).max() < 2e-3


def test_the_projectors_files_fit_each_other(nasty: Dissection, tmp_path: Path) -> None:
    keys = nasty.unit_keys()
    count = write_export(nasty, tmp_path / "projector", "projector")
    lines = (tmp_path / "projector" / "metadata.tsv").read_text().splitlines()
    assert len(lines) == count + 1 == len((tmp_path / "projector" / "vectors.tsv").read_text().splitlines()) + 1
    assert len({line.count("\t") for line in lines}) == 1
    side = Image.open(tmp_path / "projector" / "sprite.png").size
    config = (tmp_path / "projector" / "projector_config.pbtxt").read_text()
    tile = int(re.findall(r"single_image_dim: (\d+)", config)[0])
    assert side[0] // tile * (side[1] // tile) >= count
    assert len(keys) == count + 1


def test_units_that_never_vary_alone_are_refused(dissection: Dissection, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no chosen unit's peaks vary"):
        write_projector(dissection, tmp_path / "projector", [DEAD])
