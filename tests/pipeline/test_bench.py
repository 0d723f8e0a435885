"""The benches as commands: their fields, and the section of a file that each writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mami_core.cli import main
from mami_core.config import BenchDissectConfig

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


FEW = ["--networks", "torchvision:alexnet", "--images", "4", "--batch-size", "2", "--size", "64"]


@pytest.mark.slow
def test_bench_dissect_gives_the_fields(capsys):
    assert main(["bench", "dissect", "--json", *FEW]) == 0
    figures = json.loads(capsys.readouterr().out)
    (found,) = figures["networks"]
    assert {"name", "layers", "forward_cpu_s", "added_cpu_s", "ratio_cpu", "images_per_second", "rank_error_mean",
            "rank_error_max", "peak_memory_mb", "stages"} <= set(found)  # fmt: skip
    assert found["images_per_second_forward"] == pytest.approx(4 / found["forward_cpu_s"])
    assert found["images_per_second_decoding"] > 0
    assert found["ratio_exact"] > 1
    assert figures["workers"] is None
    assert figures["memory"] is None


@pytest.mark.slow
def test_bench_dissect_compares_two_workers_with_one_and_measures_memory_at_each_size(tmp_path, capsys):
    out = tmp_path / "benchmarks.md"
    more = ["--workers", "2", "--memory-images", "4", "6", "--memory-size", "64", "--out", str(out)]
    assert main(["bench", "dissect", "--json", *FEW, *more]) == 0
    figures = json.loads(capsys.readouterr().out)
    workers, memory = figures["workers"], figures["memory"]
    assert workers["cpu_ratio"] == pytest.approx(workers["cpu_s"] / workers["one_cpu_s"])
    assert workers["wall_speed_up"] > 0
    assert [run["images"] for run in memory["runs"]] == [4, 6]
    assert memory["size"] == 64
    written = out.read_text()
    assert "2 workers at once" in written
    assert "6 images" in written
    assert "smaller than the usual 224 px" in written


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"workers": 3, "images": 64}, "--workers 3 need a batch each: --images 96 or more"),
        ({"memory_images": (2000, 0)}, "--memory-images must all be at least 1"),
        ({"memory_size": 8}, "--size and --memory-size must be at least 32 pixels"),
        ({"networks": ()}, "--networks must name at least one network"),
    ],
    ids=["workers", "images", "size", "networks"],
)
def test_bench_dissect_refuses_what_it_cannot_measure(wrong, reason):
    with pytest.raises(ValueError, match=reason):
        BenchDissectConfig(**wrong)
