"""`mami train --finetune-encoder` on units: the captioner carries the encoder that learnt with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_dissection import make_dissection, unit_keys

from mami_core.captioning.encoder import fit_encoder, load_encoder, save_encoder
from mami_core.cli import main
from mami_core.pipeline.trainings.captioned import IMAGE_ENCODER
from mami_core.scenery.networks import PartsEncoder
from mami_core.store import Dissection, DissectionWriter


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 112, 112), dtype=np.uint8)
    save_encoder(fit_encoder(PartsEncoder(), images), tmp_path / "parts")
    return tmp_path / "parts"


@pytest.fixture
def described(tmp_path: Path) -> Path:
    folder = make_dissection(tmp_path / "made", captioned=False)
    alive = [key for key in unit_keys() if Dissection.open(folder).statistics(*key).state == "alive"]
    writer = DissectionWriter.open(folder)
    writer.write_references({key: Dissection.open(folder).references_of(*key) for key in alive})
    writer.write_splits({"train": alive[:-4], "val": alive[-4:-2], "test": alive[-2:]})
    return folder


def test_a_captioner_of_units_is_trained_with_its_encoder(described: Path, parts: Path, tmp_path: Path) -> None:
    out = tmp_path / "milan"
    sizes = ["--hidden-size", "12", "--embedding-size", "8", "--attention-size", "6", "--min-count", "1"]
    few = ["--epochs", "1", "--batch-size", "4", "--no-listeners", "--encoder", str(parts)]
    command = ["train", str(described), "--captioner", "milan", "--out", str(out), "--finetune-encoder"]
    assert main([*command, *sizes, *few]) == 0

    tuned, frozen = load_encoder(out / IMAGE_ENCODER), load_encoder(parts)
    assert not torch.equal(tuned.backbone.merge1[0].weight, frozen.backbone.merge1[0].weight)
    assert tuned.name == "parts@scenery/finetuned"
    assert main(["caption", str(described), "--captioner", str(out)]) == 0
    assert Dissection.open(described).caption("milan", "early", 0).state == "ok"
