"""The same bytes from one worker, from many, in any order, and after `kill -9` at any moment."""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import os
import random
import signal
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from made_images import Given, Noise
from made_networks import tiny
from torch import nn

from mami_core.config import DissectConfig
from mami_core.dissection import dissect, merge
from mami_core.inputs import Network, Preprocess

LAYERS = ("conv1", "conv2", "fc")


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def configure(out: Path, **changes) -> DissectConfig:
    return DissectConfig(network="t", images="t", out=out, **{"k": 3, "batch_size": 2, "layers": LAYERS, **changes})


def tiny_network() -> Network:
    return Network("tiny", tiny().eval(), Preprocess(resize=16, crop=16))


def noise() -> Noise:
    return Noise(75, broken=[10, 33])


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Digest of every file of an undisturbed run of one worker."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("alone") / "out"
    dissect(tiny_network(), noise(), configure(out), out)
    return digests(out)


@pytest.mark.parametrize("shares", [2, 3, 5])
def test_any_number_of_shares_joins_to_the_same_bytes(alone, tmp_path, shares):
    out = tmp_path / "out"
    order = list(range(shares))
    random.Random(shares).shuffle(order)
    for share in order:
        with pytest.raises(ValueError, match=r"not dissected yet|no shares"):
            merge(out) if out.exists() else _refuse()
        dissect(tiny_network(), noise(), configure(out, shard=f"{share}/{shares}"), out)
    merge(out)
    assert digests(out) == alone


def _refuse() -> None:
    raise ValueError("no shares yet")


def test_shares_of_another_number_of_workers_are_taken_over(alone, tmp_path):
    out = tmp_path / "out"
    dissect(tiny_network(), noise(), configure(out, shard="1/3"), out)
    dissect(tiny_network(), noise(), configure(out), out)
    assert digests(out) == alone


def test_decoding_in_other_processes_changes_nothing(alone, tmp_path):
    out = tmp_path / "out"
    dissect(tiny_network(), noise(), configure(out, workers=2), out)
    assert digests(out) == alone


def _torchrun_worker(rank: int, workers: int, port: int, out: Path) -> None:
    torch.set_num_threads(1)
    facts = {"RANK": rank, "WORLD_SIZE": workers, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in facts.items()})
    dissect(tiny_network(), noise(), configure(out), out)


def test_workers_under_torchrun_give_the_same_bytes(alone, tmp_path):
    out = tmp_path / "out"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_torchrun_worker, args=(rank, 2, port, out)) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        worker.kill()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert digests(out) == alone


def _reporting_worker(out: Path, pipe) -> None:
    torch.set_num_threads(1)
    dissect(tiny_network(), noise(), configure(out), out, report=lambda *step: pipe.send(step))
    pipe.close()


def run_and_kill(out: Path, after: int) -> bool:
    """Dissect in a child and kill it -9 once it has reported `after` steps; tell whether it was still at work."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_reporting_worker, args=(out, theirs))
    child.start()
    theirs.close()
    with contextlib.suppress(EOFError):
        for _ in range(after):
            ours.recv()
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    return child.exitcode == -signal.SIGKILL


def check_kills(out: Path, alone: dict[str, str], moments: list[int]) -> None:
    killed = [run_and_kill(out, after) for after in moments]
    assert any(killed)
    dissect(tiny_network(), noise(), configure(out), out)
    assert digests(out) == alone


def test_a_run_killed_three_times_goes_on_to_the_same_bytes(alone, tmp_path):
    check_kills(tmp_path / "out", alone, [3, 9, 17])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(25))
def test_a_run_killed_at_random_moments_goes_on_to_the_same_bytes(alone, tmp_path, seed):
    generator = random.Random(seed)
    check_kills(tmp_path / "out", alone, [generator.randrange(1, 46) for _ in range(3)])


def test_finished_blocks_are_not_done_again(tmp_path):
    out = tmp_path / "out"
    run_and_kill(out, 21)
    steps: list[tuple[str, int, int]] = []
    dissect(tiny_network(), noise(), configure(out), out, report=lambda *step: steps.append(step))
    first = next(done for what, done, _ in steps if what == "images")
    assert first > 20 * 2  # 21 batches of two were reported; at most the last block's were lost


def test_a_finished_dissection_is_given_as_it_is(alone, tmp_path):
    out = tmp_path / "out"
    dissect(tiny_network(), noise(), configure(out), out)
    steps: list[tuple[str, int, int]] = []
    dissect(tiny_network(), noise(), configure(out), out, report=lambda *step: steps.append(step))
    assert steps == []
    assert digests(out) == alone


FLOATS = st.sampled_from([0.0, -0.0, 1.0, 1.0, -2.5, 3e-5, 7e4, float("nan"), float("inf"), -float("inf")])


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_activations_split_among_any_workers_give_the_same_bytes(data, tmp_path_factory):
    shape = data.draw(st.tuples(*[st.integers(1, high) for high in (9, 3, 3, 3)]), "images, units, height, width")
    maps = data.draw(arrays.arrays(np.float32, shape, elements=FLOATS), "activations")
    shares = data.draw(st.integers(1, 4), "workers")
    folder = tmp_path_factory.mktemp("split")
    module = nn.Sequential()
    module.add_module("same", nn.Identity())
    network = Network("identity", module.eval(), Preprocess())
    whole = configure(folder / "whole", k=4, batch_size=1, layers=("same",), quantile=0.5)
    dissect(network, Given(maps), whole, whole.out)
    for share in data.draw(st.permutations(range(shares)), "order"):
        part = replace(whole, out=folder / "split", shard=f"{share}/{shares}")
        dissect(network, Given(maps), part, part.out)
    merge(folder / "split")
    assert digests(folder / "split") == digests(folder / "whole")
