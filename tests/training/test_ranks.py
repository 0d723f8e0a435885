"""Two processes train the captioner that one would."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import socket
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file

from mami_core.training.batches import CaptionBatches
from mami_core.training.captioner import CaptionerRecipe, train_captioner
from mami_core.training.loop import LoopSettings
from mami_core.training.ranks import join_ranks

RECIPE = CaptionerRecipe(
    hidden_size=12, embedding_size=8, attention_size=6, dropout=0.0, feature_dropout=0.0, regions=0, batch_size=5,
    penalty=0.2, loop=LoopSettings(epochs=3, learning_rate=1e-2),
)  # fmt: skip
CHANCY = dataclasses.replace(RECIPE, dropout=0.3, feature_dropout=0.2, regions=3)


def train(units, out: Path, recipe: CaptionerRecipe, name: str, stop_after: int | None = None) -> None:
    def progress(done, _all, _figures):
        if done == stop_after:
            raise KeyboardInterrupt

    torch.set_num_threads(1)
    train_units, val_units, words = units
    decoder, _ = train_captioner(
        name, train_units, val_units, words, length=5, recipe=recipe, folder=out / "run", progress=progress
    )
    weights = {key: value.clone() for key, value in decoder.state_dict().items()}
    save_file(weights, out / f"{dist.get_rank() if dist.is_initialized() else 'alone'}.safetensors")


def _worker(rank: int, port: int, *arguments) -> None:
    facts = {"RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in facts.items()})
    join_ranks()
    train(*arguments)


def train_by_two(units, out: Path, recipe: CaptionerRecipe, name: str, stop_after: int | None = None) -> list[dict]:
    """Train in two processes and return each one's weights, in order; both are ended where one was interrupted."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork")
    arguments = (port, units, out, recipe, name, stop_after)
    workers = [context.Process(target=_worker, args=(rank, *arguments)) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        worker.kill()
    if stop_after is not None:
        return []
    assert [worker.exitcode for worker in workers] == [0, 0]
    return [load_file(out / f"{rank}.safetensors") for rank in range(2)]


@pytest.fixture
def units(train_units, val_units, vocabulary):
    return train_units, val_units, vocabulary


@pytest.mark.parametrize("name", ["mami", "merge"])
def test_two_processes_train_what_one_trains(units, tmp_path, name):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    train(units, tmp_path / "one", RECIPE, name)
    alone = load_file(tmp_path / "one" / "alone.safetensors")

    first, second = train_by_two(units, tmp_path / "two", RECIPE, name)

    for key, weight in alone.items():
        assert torch.equal(first[key], second[key])
        torch.testing.assert_close(first[key], weight, atol=2e-5, rtol=2e-4)


def test_hard_attention_and_dropout_keep_the_processes_weights_alike(units, tmp_path):
    first, second = train_by_two(units, tmp_path, CHANCY, "sat-hard")
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_an_interrupted_run_of_two_processes_ends_with_the_same_weights(units, tmp_path):
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    whole, _ = train_by_two(units, tmp_path / "whole", CHANCY, "milan")
    train_by_two(units, tmp_path / "cut", CHANCY, "milan", stop_after=2)
    resumed, _ = train_by_two(units, tmp_path / "cut", CHANCY, "milan")
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_the_parts_of_a_batch_make_up_the_whole(train_units, vocabulary):
    batches = CaptionBatches(train_units, vocabulary, length=5)
    for batch in batches.by_similar_length(7, torch.Generator().manual_seed(0)):
        parts = [part for rank in range(3) if (part := batch.share(rank, 3, pad=vocabulary.pad)) is not None]
        said = sorted(
            (int(p.units[o]), tuple(row.tolist())) for p in parts for o, row in zip(p.owner, p.tokens, strict=True)
        )
        assert said == sorted(
            (int(batch.units[o]), tuple(row.tolist())) for o, row in zip(batch.owner, batch.tokens, strict=True)
        )
        assert sum(part.token_share for part in parts) == pytest.approx(1)
        assert sum(part.caption_share for part in parts) == pytest.approx(1)
