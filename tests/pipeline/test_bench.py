"""The benches as commands: their fields, and the section of a file that each writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mami_core.cli import main

SMALL = ["--regions", "4", "--feature-size", "24", "--hidden-size", "16", "--vocabulary-size", "40", "--length", "5",
         "--beam-size", "3", "--units", "4", "--repeats", "1"]  # fmt: skip


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "said.csv"
    path.write_text("layer,unit,summary\nl,0,red roofs\nl,1,green grass and trees\nl,2,the sea\n")
    return path


def test_bench_caption_gives_the_fields_and_writes_its_section(texts, tmp_path, capsys):
    out = tmp_path / "benchmarks.md"
    out.write_text("# Benchmarks\n\nkept\n")
    for _ in range(2):  # a second run replaces the section
        assert main(["bench", "caption", "--json", "--texts", str(texts), "--out", str(out), *SMALL]) == 0
        figures = json.loads(capsys.readouterr().out)
    assert figures["matmul_gflops"] > 0
    assert figures["texts"] == 3
    for part in ("random_weights", "trained"):
        assert figures[part]["neurons_per_cpu_second"] > 0
        assert figures[part]["plain_neurons_per_cpu_second"] > 0
    written = out.read_text()
    assert "kept" in written
    assert written.count("## Captioning") == 1


def test_without_real_descriptions_the_trained_part_is_not_computed(capsys, monkeypatch):
    monkeypatch.delenv("MAMI_DATA_DIR", raising=False)
    assert main(["bench", "caption", *SMALL]) == 0
    assert "not computed: no real descriptions" in capsys.readouterr().out


def test_descriptions_without_a_known_column_are_refused(tmp_path, capsys):
    path = tmp_path / "odd.csv"
    path.write_text("a,b\n1,2\n")
    assert main(["bench", "caption", "--texts", str(path), *SMALL]) == 2
    assert "line 1: has no column summary" in capsys.readouterr().err


@pytest.mark.slow
def test_bench_dissect_gives_the_fields(capsys):
    few = ["--networks", "torchvision:alexnet", "--images", "4", "--batch-size", "2", "--size", "64"]
    assert main(["bench", "dissect", "--json", *few]) == 0
    (found,) = json.loads(capsys.readouterr().out)["networks"]
    assert {"name", "layers", "forward_cpu_s", "added_cpu_s", "ratio_cpu", "images_per_second", "rank_error_mean",
            "rank_error_max", "peak_memory_mb", "stages"} <= set(found)  # fmt: skip
