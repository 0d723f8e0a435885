"""`mami caption --captioner netdissect` and `clip-dissect` on painted scenes, whose truth is known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mami_core.cli import main
from mami_core.config import CaptionConfig
from mami_core.pipeline.captions.baselines import open_image_text, open_segmented, read_concepts
from mami_core.scenery.content import UnitContent
from mami_core.scenery.reading import read_caption
from mami_core.store import DEMO, Dissection


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A copy of the bundled demo."""
    if not (DEMO / "dissection.json").is_file():
        pytest.skip("no bundled demo; make it with `mami demo`")
    shutil.copytree(DEMO, tmp_path / "demo")
    return tmp_path / "demo"


def named_truly(dissection: Dissection, captioner: str, keys: list[tuple[str, int]]) -> float:
    """Return in which share of the units the caption is one of the things that the masks truly hold."""
    hits = []
    for key in keys:
        caption, content = dissection.caption(captioner, *key), UnitContent.from_dict(dissection.truth[key])
        names = {share.name for share in (*content.parts, *content.colours, *content.textures)}
        hits.append(caption is not None and caption.text in names)
    return sum(hits) / len(hits)


@pytest.mark.slow
def test_netdissect_names_what_the_masks_truly_hold(demo: Path) -> None:
    command = ["caption", str(demo), "--captioner", "netdissect", "--layers", "layer4", "--units", "0-63", "--json"]
    assert main([*command, "--segmentation", "scenery:100:3"]) == 0

    opened = Dissection.open(demo)
    keys = [key for key in opened.unit_keys("layer4") if key[1] < 64 and key in opened.truth]
    assert named_truly(opened, "netdissect", keys) > 0.6
    assert opened.manifest.captioners["netdissect"]["score_name"] == "IoU"
    assert (opened.captions("netdissect")["score"].dropna() > 0).all()
    assert opened.verify() == []


@pytest.mark.slow
def test_clip_dissect_with_a_model_trained_on_scenes_is_right_more_often_than_chance(
    demo: Path, tmp_path: Path
) -> None:
    train = ["train", "scenery:captions:800", "--captioner", "match", "--epochs", "4", "--out", str(tmp_path / "match")]
    assert main([*train, "--json"]) == 0
    words = json.loads((tmp_path / "match" / "words.json").read_text())["vocabulary"]["words"]
    part_of = {word: read_caption(word).parts[0] for word in words if len(read_caption(word).parts) == 1}
    (tmp_path / "parts.txt").write_text("\n".join(part_of))
    command = ["caption", str(demo), "--captioner", "clip-dissect", "--json"]
    assert main([*command, "--concepts", str(tmp_path / "parts.txt"), "--clip", str(tmp_path / "match")]) == 0

    opened = Dissection.open(demo)
    hits, chance = [], []
    for key in opened.truth:
        names = {share.name for share in UnitContent.from_dict(opened.truth[key]).parts}
        caption = opened.caption("clip-dissect", *key)
        assert caption is not None
        hits.append(part_of[caption.text] in names)
        chance.append(sum(part in names for part in part_of.values()) / len(part_of))
    assert sum(hits) > 1.5 * sum(chance)
    assert opened.manifest.captioners["clip-dissect"]["score_name"] == "soft WPMI"


def test_what_a_baseline_lacks_is_said(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened = Dissection.open(demo)
    with pytest.raises(ValueError, match="netdissect needs --segmentation"):
        open_segmented(opened, CaptionConfig(demo))
    with pytest.raises(FileNotFoundError, match="no class names"):
        open_segmented(opened, CaptionConfig(demo, segmentation=str(tmp_path)))
    with pytest.raises(ValueError, match="clip-dissect needs --concepts"):
        read_concepts(None)
    (tmp_path / "one.txt").write_text("sky\n\nsky\n")
    with pytest.raises(ValueError, match=r"one\.txt holds 1 concepts"):
        read_concepts(tmp_path / "one.txt")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        open_image_text(CaptionConfig(demo, clip=tmp_path / "nowhere"))
    assert main(["caption", str(demo), "--captioner", "clip-dissect"]) == 2
    assert "needs --concepts" in capsys.readouterr().err
