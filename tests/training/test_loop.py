"""The training loop: best weights, patience, and an interruption that leaves no trace."""

from __future__ import annotations

import itertools
import json

import pytest
import torch
from torch import nn

from mami_core.training.loop import Loop, LoopSettings, Task, learning_rate

X = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
Y = X @ torch.tensor([[1.0], [-2.0], [0.5], [3.0]])


class InterruptionError(Exception):
    """The power goes."""


def make_task(scores=None, *, fail_at: int | None = None) -> Task:
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3), nn.Linear(8, 1))
    calls = itertools.count()

    def loss(batch):
        if next(calls) == fail_at:
            raise InterruptionError
        return nn.functional.mse_loss(module(X[batch]), Y[batch])

    def validate():
        with torch.no_grad():
            nll = float(nn.functional.mse_loss(module(X), Y))
        return {"nll": nll, "bleu": next(scores) if scores is not None else -nll}

    return Task(
        module=module,
        batches=lambda generator: torch.randperm(32, generator=generator).split(8),
        loss=loss,
        validate=validate,
        score="bleu",
    )


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "rmsprop"])
@pytest.mark.parametrize("fail_at", [4, 9, 14])
def test_an_interrupted_run_ends_with_the_weights_of_one_that_was_not(tmp_path, fail_at, optimizer):
    settings = LoopSettings(epochs=4, learning_rate=1e-2, optimizer=optimizer, seed=3)
    whole = make_task()
    Loop(whole, settings).run()

    with pytest.raises(InterruptionError):
        Loop(make_task(fail_at=fail_at), settings, folder=tmp_path).run()
    torch.rand(7)  # chance has moved on meanwhile
    resumed = make_task()
    history = Loop(resumed, settings, folder=tmp_path).run()

    assert len(history.epochs) == 4
    for a, b in zip(whole.module.state_dict().values(), resumed.module.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_the_best_weights_are_the_ones_that_are_left(tmp_path):
    task = make_task(iter([1.0, 5.0, 2.0, 3.0, 4.0]))
    seen = []
    loop = Loop(
        task,
        LoopSettings(epochs=5, learning_rate=1e-2),
        folder=tmp_path,
        progress=lambda _done, _all, _figures: seen.append(task.module[0].weight.detach().clone()),
    )
    history = loop.run()

    assert history.best_epoch == 1
    assert torch.equal(task.module[0].weight, seen[1])
    assert not torch.equal(seen[1], seen[4])
    assert not task.module.training


def test_patience_ends_a_run_that_no_longer_improves():
    task = make_task(iter([3.0, 2.0, 1.0, 0.0, 9.0]))
    history = Loop(task, LoopSettings(epochs=5, patience=2)).run()
    assert [entry["bleu"] for entry in history.epochs] == [3.0, 2.0, 1.0]


def test_a_lower_score_is_better_where_the_name_says_so():
    task = make_task(iter([3.0, 1.0, 2.0]))
    history = Loop(Task(task.module, task.batches, task.loss, task.validate, "-bleu"), LoopSettings(epochs=3)).run()
    assert (history.best_epoch, history.best_score) == (1, -1.0)


def test_a_state_of_other_settings_is_not_resumed(tmp_path):
    Loop(make_task(), LoopSettings(epochs=2, seed=1), folder=tmp_path).run()
    history = Loop(make_task(), LoopSettings(epochs=3, seed=2), folder=tmp_path).run()
    assert len(history.epochs) == 3


def test_a_finished_run_is_not_trained_again(tmp_path):
    settings = LoopSettings(epochs=2)
    first = make_task()
    Loop(first, settings, folder=tmp_path).run()
    again = make_task(fail_at=0)
    Loop(again, settings, folder=tmp_path).run()
    assert torch.equal(first.module[0].weight, again.module[0].weight)


def test_the_log_has_a_line_an_epoch(tmp_path):
    Loop(make_task(), LoopSettings(epochs=3), folder=tmp_path).run()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [0, 1, 2]
    assert {"loss", "nll", "bleu"} <= set(lines[0])


def test_a_run_that_diverges_says_so():
    task = make_task()
    broken = Task(task.module, task.batches, lambda _: task.module[0].weight.sum() * torch.inf, task.validate, "bleu")
    with pytest.raises(ValueError, match=r"diverged.*lower the learning rate"):
        Loop(broken, LoopSettings(epochs=1)).run()


def test_the_learning_rate_rises_then_falls_to_nothing():
    settings = LoopSettings(learning_rate=1.0, warm_up=0.1)
    rates = [learning_rate(step, 100, settings) for step in range(100)]
    assert rates[9] == 1.0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[99] < 1e-3


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(ValueError, match="there are adamw"):
        Loop(make_task(), LoopSettings(optimizer="sgd"))
