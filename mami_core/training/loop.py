"""The loop that trains captioners, language models and matchers: best weights kept, interruptions survived.

An interrupted run goes on at the start of the epoch it was in, with the optimiser's and chance's state of that moment,
so it ends with the same weights as one that was never interrupted. State is kept as safetensors and JSON: nothing of
ours is ever unpickled.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, Literal, TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mami_core.config import settings_sha256
from mami_core.device import mixed_precision
from mami_core.store.atomic import replacing
from mami_core.store.training_log import write_training_log
from mami_core.training.ranks import Ranks, add_gradients, average_buffers, from_first, ranks

BatchT = TypeVar("BatchT")
OptimizerName = Literal["adamw", "adam", "rmsprop"]
SLOW: Final = 0.05
_STATE: Final = "training.safetensors"


@dataclass(frozen=True)
class LoopSettings:
    """How a model is trained. The learning rate rises over the first tenth of the steps and falls along a cosine."""

    epochs: int = 30
    patience: int = 6  # epochs without a better score before stopping
    learning_rate: float = 5e-3
    optimizer: OptimizerName = "adamw"
    weight_decay: float = 1e-3
    clip: float = 2.0  # largest norm of the gradient
    warm_up: float = 0.1
    schedule: Literal["cosine", "constant"] = "cosine"
    amp: bool = False  # bfloat16 on CUDA
    seed: int = 0


@dataclass
class LoopHistory:
    """What a run went through: one entry an epoch, and which epoch's weights were kept."""

    epochs: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = -1  # -1: none yet
    best_score: float = -math.inf
    cpu_seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class Task(Generic[BatchT]):
    """What is trained: the batches of an epoch, the loss of one, and how good the model is between epochs."""

    module: nn.Module
    batches: Callable[[torch.Generator], Sequence[BatchT]]
    loss: Callable[[BatchT], Tensor]
    validate: Callable[[], Mapping[str, float]]
    score: str  # the entry of `validate` to raise; a leading minus sign: to lower
    # (batch, rank, count) → this process' part of a batch, whose loss is its part of the batch's, or None for nothing;
    # without it a run is of one process, even among several
    share: Callable[[BatchT, int, int], BatchT | None] | None = None
    slow: nn.Module | None = None  # a part of the module that has learnt before and learns at SLOW of the rate


def make_optimizer(
    module: nn.Module, settings: LoopSettings, *, slow: nn.Module | None = None
) -> torch.optim.Optimizer:
    """Return the optimiser by name; RMSProp with the values of Show, Attend and Tell's Flickr8k runs.

    `slow` is a part of the module that learns at SLOW of the rate.
    """
    rate, decay = settings.learning_rate, settings.weight_decay
    apart = set() if slow is None else set(slow.parameters())
    weights: list[dict[str, Any]] = [{"params": [p for p in module.parameters() if p not in apart], "factor": 1.0}]
    if slow is not None:
        weights.append({"params": [p for p in slow.parameters() if p.requires_grad], "factor": SLOW})
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(weights, rate, weight_decay=decay)
    if settings.optimizer == "adam":
        return torch.optim.Adam(weights, rate)
    if settings.optimizer == "rmsprop":
        return torch.optim.RMSprop(weights, rate, alpha=0.95, eps=1e-4, momentum=0.9, centered=True)
    raise ValueError(f"no optimizer {settings.optimizer!r}; there are adamw, adam, rmsprop")


def learning_rate(step: int, steps: int, settings: LoopSettings) -> float:
    """Return the learning rate of step `step` of `steps`."""
    if settings.schedule == "constant":
        return settings.learning_rate
    rising = max(1, round(settings.warm_up * steps))
    if step < rising:
        return settings.learning_rate * (step + 1) / rising
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


class Loop(Generic[BatchT]):
    """One run of training. `folder`, where given, keeps its state and log (JSON lines); the same folder resumes it."""

    def __init__(
        self,
        task: Task[BatchT],
        settings: LoopSettings,
        *,
        folder: Path | None = None,
        facts: Mapping[str, Any] | None = None,
        progress: Callable[[int, int, Mapping[str, float]], None] | None = None,
        writer: Any = None,
    ) -> None:
        """`facts` are what else decides the outcome (data, model): a state kept under other facts is not resumed.

        `progress(epochs done, epochs in all, figures)`; `writer`: a TensorBoard SummaryWriter.
        """
        self.task, self.settings, self.folder = task, settings, folder
        self.progress, self.writer = progress, writer
        self.history = LoopHistory()
        self.optimizer = make_optimizer(task.module, settings, slow=task.slow)
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.best: dict[str, Tensor] = {}
        self.ranks = Ranks() if task.share is None else ranks()
        self._identity = settings_sha256({"settings": asdict(settings), "facts": dict(facts or {})})

    def run(self) -> LoopHistory:
        """Train until the epochs or the patience are used up; leave the best weights in the module, in eval mode."""
        torch.manual_seed(self.settings.seed)  # dropout
        self._resume()
        started = time.process_time() - self.history.cpu_seconds
        for epoch in range(len(self.history.epochs), self.settings.epochs):
            if epoch - self.history.best_epoch > self.settings.patience and self.history.best_epoch >= 0:
                break
            figures = self._epoch(epoch)
            self.history.cpu_seconds = time.process_time() - started
            self._record(epoch, figures)
        self.task.module.load_state_dict(self.best)
        self.task.module.eval()
        return self.history

    def _epoch(self, epoch: int) -> dict[str, float]:
        module = self.task.module
        module.train()
        if self.ranks.count > 1:  # other chances in every process, and the same ones again after an interruption
            torch.manual_seed((self.settings.seed * 10_007 + epoch) * 10_007 + self.ranks.rank)
        batches = self.task.batches(self.generator)
        steps = self.settings.epochs * len(batches)
        total = 0.0
        for number, batch in enumerate(batches):
            for group in self.optimizer.param_groups:
                group["lr"] = group["factor"] * learning_rate(epoch * len(batches) + number, steps, self.settings)
            total += self._step(batch)
        module.eval()
        figures = self.task.validate() if self.ranks.rank == 0 else {}
        return {"loss": total / len(batches), **(from_first(figures) if self.ranks.count > 1 else figures)}

    def _step(self, batch: BatchT) -> float:
        self.optimizer.zero_grad()
        loss = self._gradients(batch)
        if not torch.isfinite(loss):
            raise ValueError(f"training diverged: the loss is {loss.item()}; lower the learning rate")
        nn.utils.clip_grad_norm_(self.task.module.parameters(), self.settings.clip)
        self.optimizer.step()
        return loss.item()

    def _gradients(self, batch: BatchT) -> Tensor:
        """Return the loss (scalar) of a batch, its gradients in the parameters."""
        module, here = self.task.module, self.ranks
        device = next(module.parameters()).device
        own = batch if self.task.share is None else self.task.share(batch, here.rank, here.count)
        loss = torch.zeros((), device=device)
        if own is not None:
            with mixed_precision(device, enabled=self.settings.amp):
                loss = self.task.loss(own)
            loss.backward()
        if here.count > 1:
            loss = add_gradients(module.parameters(), loss)
            average_buffers(module, here.count)
        return loss.detach()

    def _record(self, epoch: int, figures: dict[str, float]) -> None:
        name = self.task.score
        score = -figures[name[1:]] if name.startswith("-") else figures[name]
        if score > self.history.best_score:
            self.history.best_score, self.history.best_epoch = score, epoch
            # a copy: state_dict() alone would go on changing with the weights
            self.best = copy.deepcopy(self.task.module.state_dict())
        self.history.epochs.append(figures)
        for key, value in figures.items() if self.writer is not None else ():
            self.writer.add_scalar(key, value, epoch)
        self._keep()
        if self.progress is not None:
            self.progress(epoch + 1, self.settings.epochs, figures)

    def _keep(self) -> None:
        if self.folder is None or self.ranks.rank > 0:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        notes = {"identity": self._identity, "history": asdict(self.history)}
        tensors = {f"module.{key}": value for key, value in self.task.module.state_dict().items()}
        tensors |= {f"best.{key}": value for key, value in self.best.items()}
        tensors |= {"chance.torch": torch.get_rng_state(), "chance.batches": self.generator.get_state()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{slot}": torch.as_tensor(value) for slot, value in slots.items()}
        with replacing(self.folder / _STATE) as partial:
            save_file({key: value.detach().cpu().clone().contiguous() for key, value in tensors.items()}, partial,
                      metadata={"notes": json.dumps(notes)})  # fmt: skip
        write_training_log(self.folder, self.history.epochs)

    def _resume(self) -> None:
        path = None if self.folder is None else self.folder / _STATE
        if path is None or not path.is_file():
            return
        notes = _notes(path)
        if notes["identity"] != self._identity:
            return  # another run's: this one starts anew and replaces it
        tensors = load_file(path)
        self.history = LoopHistory(**notes["history"])
        self.task.module.load_state_dict(_under(tensors, "module."))
        self.best = _under(tensors, "best.")
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _under(tensors, "optimizer.").items():
            index, slot = key.split(".", 1)
            state.setdefault(int(index), {})[slot] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
        torch.set_rng_state(tensors["chance.torch"])
        self.generator.set_state(tensors["chance.batches"])


def _notes(path: Path) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["notes"])


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def last_state(folder: Path) -> dict[str, Tensor]:
    """Return the module's weights after the last epoch that a run in `folder` finished, not those that were best.

    FileNotFoundError where no run left its state.
    """
    path = folder / _STATE
    if not path.is_file():
        raise FileNotFoundError(f"{folder} holds no state of a training; train with this folder first")
    return _under(load_file(path), "module.")
