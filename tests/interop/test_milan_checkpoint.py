"""Foreign checkpoints: what is refused, and that nothing of it runs. That they are read right: tests/captioning."""

from __future__ import annotations

import os
import pickle
import shutil
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from mami_core.captioning.captioner import Captioner
from mami_core.captioning.checkpoint import save_checkpoint
from mami_core.captioning.decoding import Decoding
from mami_core.interop.milan_checkpoint import read_milan_checkpoint


@pytest.fixture
def published(golden_dir, tmp_path) -> Path:
    return Path(shutil.copy(golden_dir / "decoder" / "toy" / "decoder.pth", tmp_path / "milan-toy.pth"))


class Malicious:
    """A pickle that would make a file when it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"touch {self.trace}",)


def test_settings_of_the_file_become_ours(published):
    found = read_milan_checkpoint(published)
    settings = Decoding.from_json(found.checkpoint.settings)
    assert settings.strategy == "pmi"
    assert settings.pmi_weight == pytest.approx(0.2)
    assert settings.length_power == 0
    assert found.checkpoint.provenance["simulated"] is False
    assert found.encoder == "PyramidConvEncoder"
    assert {"mean", "std"} <= set(found.encoder_weights)


def test_an_encoder_of_the_published_layout_keeps_torchvision_s_names(golden_dir):
    path = golden_dir / "decoder" / "alexnetfmt" / "decoder.pth"
    if not path.is_file():
        pytest.skip("this golden set has no alexnetfmt")
    found = read_milan_checkpoint(path)
    assert found.encoder_settings["config"] == "alexnet"
    assert found.encoder_weights["features.0.weight"].shape == (64, 3, 11, 11)


def test_a_published_captioner_becomes_one_of_ours(published, tmp_path):
    found = read_milan_checkpoint(published)
    save_checkpoint(tmp_path / "ours", found.checkpoint)
    features = torch.rand(3, 5, found.checkpoint.decoder.config.feature_size)
    theirs = Captioner("milan:toy", found.checkpoint, Decoding.from_json(found.checkpoint.settings))
    said = [caption.words for caption in theirs.caption(features)]
    assert [caption.words for caption in Captioner.load(tmp_path / "ours").caption(features)] == said


@pytest.mark.parametrize("place", ["whole", "in properties", "plain pickle"])
def test_a_malicious_pickle_is_refused_and_nothing_runs(tmp_path, place):
    trace, path = tmp_path / "it-ran", tmp_path / "milan-base.pth"
    bomb = Malicious(trace)
    if place == "plain pickle":
        path.write_bytes(pickle.dumps(bomb, protocol=2))
    else:
        torch.save(bomb if place == "whole" else {"properties": {"lm": bomb}, "state_dict": {}}, path)

    with pytest.raises(ValueError, match=r"was refused and nothing in it was run: .*(posix|nt)\.system"):
        read_milan_checkpoint(path)

    assert not trace.exists()
    pickle.loads(pickle.dumps(bomb))
    assert trace.exists()  # trusted, the same object does run: the refusal is what stopped it


def test_another_class_under_the_tokeniser_s_name_is_only_a_dictionary(tmp_path, published):
    renamed = tmp_path / "renamed.pth"
    with zipfile.ZipFile(published) as source, zipfile.ZipFile(renamed, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename.endswith("data.pkl"):
                data = data.replace(b"cconfection._config\nConfig", b"csubprocess\nPopen")
            target.writestr(entry, data)
    with pytest.raises(ValueError, match=r"contains subprocess\.Popen, which is not part of a captioner"):
        read_milan_checkpoint(renamed)


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    torch.save({"weights": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="but not of a MILAN captioner"):
        read_milan_checkpoint(tmp_path / "other.pth")
    torch.save({"properties": {"indexer": {}}, "state_dict": OrderedDict()}, tmp_path / "thin.pth")
    with pytest.raises(ValueError, match="its properties lack beam_size"):
        read_milan_checkpoint(tmp_path / "thin.pth")


@pytest.mark.parametrize("data", [b"", b"not a checkpoint", b"PK\x03\x04cut off"])
def test_a_damaged_file_is_refused(tmp_path, data):
    (tmp_path / "cut.pth").write_bytes(data)
    with pytest.raises(ValueError, match=r"is not a PyTorch checkpoint|was refused"):
        read_milan_checkpoint(tmp_path / "cut.pth")


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        read_milan_checkpoint(tmp_path / "none.pth")
