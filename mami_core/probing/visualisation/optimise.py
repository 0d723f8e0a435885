"""Feature visualisation: pictures that make units, directions or classes answer most, many targets at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from mami_core.probing.layer_probe import LayerProbe
from mami_core.probing.pixels import as_bytes
from mami_core.probing.relus import woken
from mami_core.probing.visualisation.objectives import answers, likeness, response
from mami_core.probing.visualisation.parametrisation import FourierPictures, start_noise
from mami_core.probing.visualisation.recipe import Recipe, Target, Visualisation
from mami_core.probing.visualisation.views import STILL, Jostle, seen

Report = Callable[[str, int, int], None]
TOGETHER = 8  # pictures in one batch
_WAKING = 16  # steps for which a silent target is helped, as in Lucid


def visualise_targets(
    probe: LayerProbe, targets: Sequence[Target], recipe: Recipe, *, report: Report | None = None
) -> Iterator[Visualisation]:
    """Yield each target's pictures, in order. A target's pictures do not depend on what stands in its batch.

    Gradients reach the pixels only: the network must be in eval mode, its weights frozen, as `open_network` gives it.
    ValueError for a unit or direction that the layer has not.
    """
    for target in targets:
        if target.unit is not None:
            probe.check_unit(target.unit)
        target.vector(probe.layout.units)
    at_once = max(1, TOGETHER // recipe.diversity)
    for start in range(0, len(targets), at_once):
        yield from _Batch(probe, targets[start : start + at_once], recipe).run(report, start, len(targets))


class _Batch:
    """Some targets' pictures under way: B = targets · copies, target-major."""

    def __init__(self, probe: LayerProbe, targets: Sequence[Target], recipe: Recipe) -> None:
        self.probe, self.targets, self.recipe = probe, targets, recipe
        copies = recipe.diversity
        seeds = [(recipe.seed, copy) for copy in range(copies)] * len(targets)
        self.pictures = FourierPictures(start_noise(seeds, probe.size), probe.size, probe.device)
        vectors = np.repeat([target.vector(probe.layout.units) for target in targets], copies, axis=0)
        self.directions = torch.from_numpy(vectors).to(probe.device)  # (B, U)
        self.side = -1.0 if recipe.negative else 1.0
        self.maps = probe.unrectified if recipe.negative else probe.maps  # a ReLU has no negative side
        jostle = Jostle() if recipe.robust else STILL
        self.views = jostle.draw(recipe.steps, copies, probe.size, recipe.seed)
        self.awake = torch.zeros(len(vectors), dtype=torch.bool, device=probe.device)

    def run(self, report: Report | None, done: int, total: int) -> list[Visualisation]:
        """Optimise; return a result for each target."""
        before = self._reached()
        optimiser = torch.optim.Adam([self.pictures.spectrum], lr=self.recipe.learning_rate)
        start = end = torch.empty(0)
        for step in range(self.recipe.steps):
            optimiser.zero_grad(set_to_none=True)
            end = self._step(step)
            optimiser.step()
            start = end if step == 0 else start
            if report is not None:
                part = len(self.targets) * (step + 1) // self.recipe.steps
                report(f"visualise {self.probe.layer}", done + part, total)
        return self._results(before, start, end)

    def _step(self, step: int) -> Tensor:
        """Make gradients for one step; return what was to grow, (B,)."""
        pixels = self._seen(step)
        maps = self.maps(pixels)  # (B, U, h, w)
        grown = response(answers(maps, self.directions), self.recipe.place)  # (B,)
        wanted = self.side * grown
        if self.recipe.diversity > 1:
            price = self.recipe.diversity_weight * grown.detach().abs()
            wanted = wanted - price * likeness(maps, self.recipe.diversity)
        (-wanted.sum()).backward()
        gradient = self.pictures.spectrum.grad
        assert gradient is not None
        self.awake |= gradient.flatten(1).ne(0).any(1)
        if step < _WAKING and not bool(self.awake.all()):
            self._wake(step)
        return grown.detach()

    def _seen(self, step: int) -> Tensor:
        pixels = self.pictures.pixels()
        return seen(pixels, self.views[step]) if self.recipe.robust else pixels

    def _wake(self, step: int) -> None:
        """Add gradients for pictures that never had one of their own: their targets were silent on all views so far."""
        silent = ~self.awake
        with woken():
            maps = self.maps(self._seen(step)[silent])
            grown = response(answers(maps, self.directions[silent]), self.recipe.place)
            (-self.side * grown.sum()).backward()

    @torch.no_grad()
    def _reached(self) -> Tensor:
        """Return each target's strongest cell on its picture as it is, (B,); on the negative side its weakest."""
        answer = answers(self.maps(self.pictures.pixels()), self.directions)
        return self.side * (self.side * answer).amax((1, 2))

    def _results(self, before: Tensor, start: Tensor, end: Tensor) -> list[Visualisation]:
        copies = self.recipe.diversity
        pictures = as_bytes(self.pictures.pixels())
        reached = self._reached()
        results = []
        for place, target in enumerate(self.targets):
            own = slice(place * copies, (place + 1) * copies)
            results.append(
                Visualisation(
                    network=self.probe.network.name,
                    layer=self.probe.layer,
                    target=target,
                    recipe=self.recipe,
                    pictures=pictures[own],
                    start=tuple(start[own].tolist()),
                    end=tuple(end[own].tolist()),
                    before=tuple(before[own].tolist()),
                    reached=tuple(reached[own].tolist()),
                    state="ok" if bool(self.awake[own].any()) else "silent",
                )
            )
        return results
