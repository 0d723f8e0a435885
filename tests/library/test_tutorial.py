"""The tutorial's own cells, run one after the other in an empty folder: on photographs, or on painted scenes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from mami_core.scenery.world import paint
from mami_core.store import Dissection

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
WEIGHTS = "squeezenet1_0.safetensors"
pytestmark = pytest.mark.slow


def cells() -> list[tuple[str, str]]:
    """Return (language, code) of every cell that a reader is meant to run."""
    return re.findall(r"^```(bash|python)\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def with_photographs(folder: Path, data: Path) -> None:
    """Lay out what the tutorial asks for: a real network's weights, a folder of photographs."""
    shutil.copyfile(data / "weights" / "squeezenet1_0_imagenet.safetensors", folder / WEIGHTS)
    (folder / "photos").mkdir()
    for photo in sorted((data / "photos").glob("flw_*.jpg"))[:48]:
        shutil.copyfile(photo, folder / "photos" / photo.name)


def with_scenes(folder: Path) -> None:
    """Lay out the same from nothing: random weights, painted scenes."""
    from PIL import Image
    from safetensors.torch import save_file

    from mami_core.inputs.networks import open_network

    save_file(open_network("torchvision:squeezenet1_0").module.state_dict(), folder / WEIGHTS)
    (folder / "photos").mkdir()
    for seed in range(48):
        Image.fromarray(paint(seed).image).save(folder / "photos" / f"scene-{seed:02}.png")


def run(folder: Path) -> str:
    """Run the cells as one session: commands in a shell, Python cells in one notebook-like namespace."""
    environment = {**os.environ, "MAMI_HOME": str(folder / "home"), "COLUMNS": "120"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    python, said = "", ""
    for language, code in cells():
        python += code if language == "python" else ""
        if language == "python" and "to_pandas" not in code:
            continue  # the next cell needs it: both run in one session
        command = ["bash", "-euc", code] if language == "bash" else [sys.executable, "-c", python]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{code}\n{done.stderr}"
        said += done.stdout
    return said


def check(folder: Path, said: str, *, simulated: bool) -> None:
    table = pd.read_csv(folder / "neurons.csv")
    assert table["layer"].value_counts().to_dict() == {"features.3": 16, "features.12": 16}
    alive = table[table["state"] == "alive"]
    assert len(alive) > 8
    assert alive["milan@scenery.caption"].notna().all()
    assert "every file is what was written" in said
    assert "32 units captioned" in said
    assert (folder / "features.12.html").read_text().count("<section") == 16
    assert "poor on photographs" in (folder / "CARD.md").read_text()
    assert Dissection.open(folder / "runs" / "squeezenet").manifest.simulated is simulated


def test_there_are_cells_of_both_kinds() -> None:
    assert {language for language, _ in cells()} == {"bash", "python"}
    assert len(cells()) >= 8


@pytest.mark.data
def test_the_cells_run_on_a_real_network_and_photographs(data_dir: Path, tmp_path: Path) -> None:
    with_photographs(tmp_path, data_dir)
    check(tmp_path, run(tmp_path), simulated=False)


def test_the_cells_run_on_painted_scenes_in_a_folder(tmp_path: Path) -> None:
    with_scenes(tmp_path)
    check(tmp_path, run(tmp_path), simulated=False)  # a folder of files: nothing says who painted them
