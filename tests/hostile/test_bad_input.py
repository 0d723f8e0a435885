"""Whatever is sent: a result or a sentence, never a traceback; not long, not large, and nothing else is harmed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import FAMILIES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_dissection import make_dissection
from worker import MEGABYTES, SECONDS, Worker

TALLY = "MAMI_TALLY"  # a file that gets a line a case


def digests(folder: Path) -> dict[str, str]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("hostile")
    make_dissection(place / "squares")
    shutil.copytree(place / "squares", place / "named")
    return place


@pytest.fixture(scope="module")
def worker(folder: Path) -> Iterator[Worker]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAMI_HOME", str(folder / "home"))
        patch.setenv("MAMI_DISSECTIONS", str(folder / "squares"))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("OMP_NUM_THREADS", "1")
        running = Worker(folder)
        yield running
        running.close()


def check(family: str, worker: Worker, folder: Path, examples: int) -> None:
    before = digests(folder / "squares")
    counts = {"done": 0, "said": 0}
    largest = [0.0, 0.0]

    @settings(
        max_examples=examples, derandomize=examples < 100, database=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=st.data())
    def sent(data: st.DataObject) -> None:
        case = data.draw(FAMILIES[family])
        ended = worker.ask(family, case)
        assert ended.how != "traceback", f"{case!r:.2000}\n{ended.text}"
        assert ended.seconds <= SECONDS
        assert ended.megabytes <= MEGABYTES
        counts[ended.how] += 1
        largest[:] = max(largest[0], ended.seconds), max(largest[1], ended.megabytes)

    sent()
    assert digests(folder / "squares") == before
    if TALLY in os.environ:
        line = {"family": family, **counts, "seconds": round(largest[0], 2), "megabytes": round(largest[1])}
        with Path(os.environ[TALLY]).open("a") as file:
            file.write(json.dumps(line) + "\n")


@pytest.mark.parametrize("family", FAMILIES)
def test_bad_input_is_refused_in_words(family: str, worker: Worker, folder: Path) -> None:
    check(family, worker, folder, 25)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_much_bad_input_is_refused_in_words(family: str, worker: Worker, folder: Path) -> None:
    check(family, worker, folder, 260)
