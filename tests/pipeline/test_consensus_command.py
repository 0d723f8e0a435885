"""Captioner consensus by the commands: trained, kept, opened again, and speaking beside the others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mami_core.captioning.consensus_files import DESCRIPTION, load_consensus
from mami_core.cli import main
from mami_core.store import Dissection

DEMO = Path(__file__).parents[2] / "assets" / "demo"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A captioner trained on the bundled demo for one epoch."""
    folder = tmp_path_factory.mktemp("models") / "consensus"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAMI_HOME", str(folder.parent))
        command = ["train", str(DEMO), "--captioner", "consensus", "--out", str(folder), "--epochs", "1"]
        assert main([*command, "--max-words", "12"]) == 0
    return folder


@pytest.mark.slow
def test_it_captions_a_dissection_and_says_how(trained, tmp_path):
    copy = tmp_path / "demo"
    shutil.copytree(DEMO, copy)

    assert main(["caption", str(copy), "--captioner", str(trained), "--layers", "layer4", "--units", "0-9"]) == 0

    dissection = Dissection.open(copy)
    captions = [dissection.caption("consensus", "layer4", unit) for unit in range(10)]
    assert all(caption is not None and caption.state == "ok" and caption.words for caption in captions)
    assert all(caption.alternatives[0][0] == caption.text for caption in captions)
    assert dissection.manifest.captioners["consensus"]["simulated"] is True


@pytest.mark.slow
def test_what_is_kept_says_the_same_again(trained):
    first, again = load_consensus(trained).made, load_consensus(trained).made
    shares = first.words.reader.base[None].repeat(3, 0)

    assert first.captions(shares) == again.captions(shares)


@pytest.mark.slow
def test_a_damaged_folder_is_named(trained, tmp_path):
    copy = tmp_path / "consensus"
    shutil.copytree(trained, copy)
    weights = copy / "decoders.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")

    with pytest.raises(ValueError, match="copy it again"):
        load_consensus(copy)
    (copy / DESCRIPTION).write_text("{")
    with pytest.raises(ValueError, match="cannot be read"):
        load_consensus(copy)
