"""What a classifier answers for some images, whole or with units silenced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from mami_core.dissection.hooks import reading
from mami_core.dissection.layers import survey
from mami_core.dissection.units import Layout, first_tensor
from mami_core.inputs import Network
from mami_core.probing.intervention.silencing import Method, StandIn, Units, silenced

METHODS: Final[tuple[Method, ...]] = ("zero", "mean", "resample")


@dataclass(frozen=True, eq=False)
class Judge:
    """A classifier with N images as it is fed them, kept in memory, and which answers are right for each."""

    network: Network
    inputs: tuple[Tensor, ...]  # (N, …), one an argument of the network
    right: np.ndarray  # (N, C) bool: the classes that are right answers; one in each row, or several
    layers: tuple[str, ...]
    batch_size: int = 100
    seed: int = 0  # of who stands in for whom in resample ablation

    @property
    def count(self) -> int:
        """Return how many images there are."""
        return len(self.right)

    @cached_property
    def layouts(self) -> dict[str, Layout]:
        """Return how each layer's output is read; ValueError for a layer that the network has not."""
        found = survey(self.network, tuple(part[0] for part in self.inputs))
        for layer in self.layers:
            if layer not in found:
                raise ValueError(f"{self.network.name} has no layer {layer!r}; it has {', '.join(found)}")
        return {layer: found[layer] for layer in self.layers}

    @cached_property
    def whole(self) -> np.ndarray:
        """Return whether the whole network is right about each image, bool (N,)."""
        return self.correct({}, "zero")

    @cached_property
    def means(self) -> dict[str, Tensor]:
        """Return each unit's mean over all images and positions, float64 (U,) by layer."""
        sums = {layer: torch.zeros(layout.units, dtype=torch.float64) for layer, layout in self.layouts.items()}

        def add(layer: str, maps: Tensor) -> None:
            sums[layer] += maps.double().mean((2, 3)).sum(0).cpu()

        with reading(self.network.module, self.layouts, add) as reader, torch.inference_mode():
            for rows in self._batches():
                reader.run(self._fed(rows))
        return {layer: total / self.count for layer, total in sums.items()}

    @cached_property
    def donors(self) -> np.ndarray:
        """Return which image stands in for each, int64 (N,): each image for one other, never for itself."""
        order = np.random.default_rng([self.seed, 7]).permutation(self.count)
        donors = np.empty_like(order)
        donors[order] = np.roll(order, 1)
        return donors

    def correct(self, units: Units, method: Method) -> np.ndarray:
        """Return whether the network is right about each image with `units` silenced, bool (N,).

        One forward pass of all images; resample ablation needs two.
        """
        answers = self.answers(units, method)
        return self.right[np.arange(self.count), answers]

    @torch.inference_mode()
    def answers(self, units: Units, method: Method) -> np.ndarray:
        """Return the class that the network gives each image with `units` silenced, int64 (N,)."""
        if method not in METHODS:
            raise ValueError(f"units are silenced by {', '.join(METHODS)}, not by {method!r}")
        some = {layer: chosen for layer, chosen in units.items() if len(chosen)}
        return np.concatenate([self._answered(rows, some, method) for rows in self._batches()])

    def _answered(self, rows: np.ndarray, units: Units, method: Method) -> np.ndarray:
        inside = silenced(self.network.module, self.layouts, units, self._stand_in(rows, units, method))
        with inside if units else nullcontext():
            scores = first_tensor(self.network.module(*self._fed(rows)))
        if scores is None or tuple(scores.shape) != (len(rows), self.right.shape[1]):
            shape = "no tensor" if scores is None else tuple(scores.shape[1:])
            raise ValueError(
                f"{self.network.name} gives {shape}, not a score for each of {self.right.shape[1]} classes"
            )
        return scores.argmax(1).cpu().numpy()

    def _stand_in(self, rows: np.ndarray, units: Units, method: Method) -> StandIn:
        if method == "zero" or not units:
            return lambda _layer, _units: torch.zeros(())
        if method == "mean":
            means = self.means  # now: computed inside a hook, it would run the network that the hook is in
            return lambda layer, chosen: means[layer][list(chosen), None, None]  # (units, 1, 1)
        others = self._maps(self.donors[rows], units)
        return lambda layer, _units: others[layer]

    def _maps(self, rows: np.ndarray, units: Units) -> Mapping[str, Tensor]:
        """Return what units say of some images, (B, units, h, w) by layer."""
        kept: dict[str, Tensor] = {}

        def keep(layer: str, maps: Tensor) -> None:
            kept[layer] = maps[:, list(units[layer])].clone()

        with reading(self.network.module, {layer: self.layouts[layer] for layer in units}, keep) as reader:
            reader.run(self._fed(rows))
        return kept

    def _batches(self) -> Iterator[np.ndarray]:
        for start in range(0, self.count, self.batch_size):
            yield np.arange(start, min(start + self.batch_size, self.count))

    def _fed(self, rows: np.ndarray) -> tuple[Tensor, ...]:
        device = device_of(self.network.module)
        return tuple(part[torch.from_numpy(rows)].to(device) for part in self.inputs)


def device_of(module: nn.Module) -> torch.device:
    """Return where a network's weights lie."""
    return next((weight.device for weight in module.parameters()), torch.device("cpu"))


def one_right_answer(labels: Sequence[int] | np.ndarray, classes: int) -> np.ndarray:
    """Return labels (N,) as what a `Judge` takes, bool (N, classes)."""
    return np.asarray(labels)[:, None] == np.arange(classes)


Told = Callable[[int, int], None]  # done, of how many
