"""The main job on real input: a real network, real photographs, captions, and what the screen is given."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from mami_core.cli import main
from mami_core.store import Dissection

pytestmark = pytest.mark.data
CAPTIONERS = ("milan@scenery", "mami@scenery")


def command(data_dir: Path, out: Path, *more: str) -> list[str]:
    weights = str(data_dir / "weights" / "squeezenet1_0_imagenet.safetensors")
    photos = str(data_dir / "photos")
    return ["dissect", "torchvision:squeezenet1_0", photos, "--weights", weights, "--out", str(out), "--json", *more]


def test_a_real_network_over_photographs_is_dissected_captioned_and_exported(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "squeezenet"
    chosen = ("--include", "flw_*.jpg", "--layers", "features.5", "classifier.1", "--units", "0-23")
    assert main(command(data_dir, out, *chosen)) == 0
    assert main(["caption", str(out), "--json"]) == 0
    assert main(["export", str(out), str(tmp_path / "neurons.csv"), "--json"]) == 0
    capsys.readouterr()
    assert main(["inspect", str(out), "--verify", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["simulated"] is False
    assert summary["units"] == 48
    assert tuple(summary["captioners"]) == CAPTIONERS
    table = pd.read_csv(tmp_path / "neurons.csv")
    alive = table[table["state"] == "alive"]
    assert len(alive) > 30
    for captioner in CAPTIONERS:
        assert alive[f"{captioner}.caption"].str.len().gt(0).all()
        assert alive[f"{captioner}.trained_on"].str.contains("scenery").all()


@pytest.mark.slow
def test_certain_logit_units_show_their_class_in_their_top_exemplars(data_dir: Path, tmp_path: Path) -> None:
    known = pd.read_csv(data_dir / "weights" / "known_logit_units.csv")
    certain = known[(known["network"].str.startswith("squeezenet1_0")) & (known["precision_at_5"] == 1)]
    units = ",".join(map(str, sorted(certain["logit_unit"].unique())))
    out = tmp_path / "logits"
    chosen = (
        "--include",
        "*.jpg",
        "--layers",
        "classifier.3",
        "--units",
        units,
        "--k",
        "5",
        "--resize",
        "128",
        "--crop",
        "128",
    )
    assert main(command(data_dir, out, *chosen)) == 0
    dissection = Dissection.open(out)
    labels = pd.read_csv(data_dir / "photos" / "labels.csv").set_index("file")["imagenet_ok"].fillna("")
    for unit in certain["logit_unit"]:
        shown = [entry.image_name for entry in dissection.exemplars_of("classifier.3", unit)["top"]]
        accepted = [str(unit) in str(labels[Path(name).name]).split("|") for name in shown]
        assert all(accepted), f"unit {unit} shows {shown}"
