"""What a worker knows of one layer so far: rankings, tail, spread, reservoir. Merging two states is exact."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor

from mami_core.dissection.maps import cut_maps, shrink
from mami_core.dissection.plan import LayerPlan, Plan
from mami_core.dissection.ranking import Ranking
from mami_core.dissection.sampling import sample_positions
from mami_core.dissection.statistics import Spread, all_finite
from mami_core.dissection.tail import Tail


@dataclass
class Stopwatch:
    """CPU seconds by kind of work; `lap` books the time since the last lap or start."""

    seconds: dict[str, float] = field(default_factory=dict)
    _since: float = 0.0

    def start(self) -> None:
        """Begin to count."""
        self._since = time.process_time()

    def lap(self, work: str) -> None:
        """Book what passed under `work`."""
        now = time.process_time()
        self.seconds[work] = self.seconds.get(work, 0.0) + now - self._since
        self._since = now


@dataclass(eq=False)
class LayerState:
    """Everything kept of one layer, over the images seen so far."""

    layer: LayerPlan
    plan: Plan
    top: Ranking
    bottom: Ranking | None  # of the negated peaks
    tail: Tail
    spread: Spread
    reservoir: Tensor  # (R, U, h', w') float16, NaN where the image was not seen
    chosen: Tensor | None  # unit numbers to take; None: all
    clock: Stopwatch = field(default_factory=Stopwatch)

    @classmethod
    def empty(cls, layer: LayerPlan, plan: Plan, device: torch.device) -> LayerState:
        """Return the state of a layer before the first image."""
        units, kept = len(layer.units), torch.float32 if plan.parity else torch.float16
        bottom = None
        if plan.spectrum:
            bottom = Ranking.empty(units, plan.spectrum, layer.small_size, dtype=torch.float16, device=device)
        every = units == layer.layout.units
        return cls(
            layer=layer,
            plan=plan,
            top=Ranking.empty(units, plan.k, layer.map_size, dtype=kept, device=device),
            bottom=bottom,
            tail=Tail.empty(units, layer.tail, device=device),
            spread=Spread.empty(units, device=device),
            reservoir=torch.full(
                (len(plan.reservoir), units, *layer.small_size), torch.nan, dtype=torch.float16, device=device
            ),
            chosen=None if every else torch.tensor(layer.units, device=device),
        )

    def take(self, block: int, ids: np.ndarray, maps: Tensor) -> np.ndarray:
        """Take in one batch's maps (B, U, h, w) of the images `ids` (B,), ascending; return their peaks (B, U)."""
        self.clock.start()
        maps = maps if self.chosen is None else maps[:, self.chosen]
        flat = maps.flatten(2)  # (B, U, h·w)
        high = flat.amax(2).float()  # (B, U)
        peaks = high if all_finite(high) else high.masked_fill(~high.isfinite(), -torch.inf)  # no rank for the others
        numbers = torch.from_numpy(ids).to(maps.device)
        self.top.add(peaks, numbers, partial(cut_maps, maps, size=self.layer.map_size, dtype=self.top.maps.dtype))
        self.clock.lap("ranking")
        sample = self._sample(flat, ids)  # (U, B·S)
        self.tail.add(sample)
        self.clock.lap("tail")
        self.spread.add_peaks(high, peaks, lambda units: flat[:, units].amin(2).float())
        self.spread.add_values(block, sample)
        self.clock.lap("statistics")
        self._take_spectrum(ids, numbers, maps, peaks)
        self.clock.lap("spectrum")
        return high.cpu().numpy()

    def _sample(self, flat: Tensor, ids: np.ndarray) -> Tensor:
        """Return the sampled values (U, B·S) of flat (B, U, h·w); -inf for what is not finite."""
        places = sample_positions(self.plan.seed, self.layer.name, ids, self.layer.cells, self.layer.positions)
        if places.shape[1] < self.layer.cells:
            index = torch.from_numpy(places).to(flat.device).unsqueeze(1)  # (B, 1, S)
            flat = flat.gather(2, index.expand(-1, flat.shape[1], -1))  # (B, U, S): image by image, as memory has them
        values = flat.transpose(0, 1).flatten(1).float()  # (U, B·S)
        return values if all_finite(values) else values.masked_fill(~values.isfinite(), -torch.inf)

    def _take_spectrum(self, ids: np.ndarray, numbers: Tensor, maps: Tensor, peaks: Tensor) -> None:
        if self.bottom is None:
            return
        weakest = (-peaks).masked_fill(peaks == -torch.inf, -torch.inf)  # no rank stays none
        self.bottom.add(weakest, numbers, partial(cut_maps, maps, size=self.layer.small_size, dtype=torch.float16))
        place = {number: row for row, number in enumerate(self.plan.reservoir)}
        for row, number in enumerate(ids.tolist()):
            if number in place:
                self.reservoir[place[number]] = shrink(maps[row], self.layer.small_size).half()

    def merge(self, other: LayerState) -> None:
        """Take in the state of another worker, over other blocks."""
        self.top.merge(other.top)
        if self.bottom is not None and other.bottom is not None:
            self.bottom.merge(other.bottom)
        self.tail.merge(other.tail)
        self.spread.merge(other.spread)
        self.reservoir = torch.where(self.reservoir.isnan(), other.reservoir, self.reservoir)

    def tensors(self) -> dict[str, Tensor]:
        """Return everything that must be written to go on later."""
        self.tail.compact()
        blocks = sorted(self.spread.sums)
        found = {
            "tail": self.tail.kept,
            "seen": torch.tensor([self.tail.seen]),
            "reservoir": self.reservoir,
            "blocks": torch.tensor(blocks, dtype=torch.int64),
            "sums": torch.stack([self.spread.sums[block] for block in blocks]) if blocks else torch.empty(0),
        }
        found |= {f"spread.{name}": getattr(self.spread, name) for name in _SPREAD}
        for name, ranking in (("top", self.top), ("bottom", self.bottom)):
            if ranking is not None:
                found |= {f"{name}.{part}": getattr(ranking, part) for part in _RANKING}
        return {name: value.contiguous() for name, value in found.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `tensors` gave."""
        self.tail.kept, self.tail.seen = tensors["tail"].to(self.tail.kept.device), int(tensors["seen"])
        self.reservoir = tensors["reservoir"].to(self.reservoir.device)
        self.spread.sums = {
            int(block): sums.to(self.reservoir.device)
            for block, sums in zip(tensors["blocks"], tensors["sums"], strict=True)
        }
        for holder, prefix, names in self._holders():
            for name in names:
                setattr(holder, name, tensors[f"{prefix}.{name}"].to(self.reservoir.device))

    def _holders(self) -> Iterator[tuple[object, str, tuple[str, ...]]]:
        yield self.spread, "spread", _SPREAD
        yield self.top, "top", _RANKING
        if self.bottom is not None:
            yield self.bottom, "bottom", _RANKING


_SPREAD = ("histogram", "positive", "largest", "smallest", "varied", "broken")
_RANKING = ("keys", "maps")
