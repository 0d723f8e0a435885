"""Images to batches, lazily and in a fixed order, decoded here or in worker processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mami_core.dissection.layers import feed
from mami_core.inputs import ImageSource, Network, UnreadableImageError

_TOLD_WITHIN_S: Final = 1.0


@dataclass(eq=False)
class Batch:
    """Inputs of the readable images of one batch, and what the others failed of."""

    ids: np.ndarray  # (B,) int64, ascending
    inputs: tuple[Tensor, ...]  # (B, …) each
    unreadable: dict[int, str]  # image id → why

    def pin_memory(self) -> Batch:
        """Return the batch in memory that a GPU can fetch from by itself; the DataLoader asks for it by this name."""
        return replace(self, inputs=tuple(part.pin_memory() for part in self.inputs))

    def pieces(self, size: int) -> Iterator[Batch]:
        """Yield the readable images, at most `size` at a time."""
        for start in range(0, len(self.ids), size):
            some = slice(start, start + size)
            yield Batch(self.ids[some], tuple(part[some] for part in self.inputs), {})


class _Inputs(Dataset):
    def __init__(self, network: Network, images: ImageSource) -> None:
        self._network = network
        self._images = images

    def __getitem__(self, index: int) -> tuple[int, tuple[Tensor, ...] | str]:
        try:
            return index, feed(self._network, self._images, index)
        except UnreadableImageError as problem:
            return index, str(problem)


def batches(
    network: Network, images: ImageSource, wanted: Sequence[range], *, workers: int, pin: bool
) -> Iterator[Batch]:
    """Yield each range of ids as a batch; an image that cannot be read is left out and named."""
    inputs = _Inputs(_without_module(network), images) if workers else _Inputs(network, images)
    yield from DataLoader(
        inputs,
        batch_sampler=[list(ids) for ids in wanted],
        num_workers=workers,
        pin_memory=pin,
        collate_fn=_collate,
    )


def with_death_said(work: Callable[[], None], workers: int) -> None:
    """Do work that decodes in `workers` processes; say in a sentence that one of them died: ChildProcessError.

    Torch tells of it by a signal, wherever this process then is, and a moment before its pipe breaks.
    """
    try:
        try:
            work()
        except (ConnectionError, EOFError):
            time.sleep(_TOLD_WITHIN_S)  # the signal ends this, by raising what is caught below
            raise
    except (RuntimeError, ConnectionError, EOFError) as problem:
        if not workers or (isinstance(problem, RuntimeError) and "DataLoader worker" not in str(problem)):
            raise
        raise ChildProcessError(
            f"a process that decodes images died ({str(problem).splitlines()[0].rstrip('. ')}); finished blocks are "
            f"kept: run the same command again, with fewer --workers than {workers} if memory was short"
        ) from None


def _without_module(network: Network) -> Network:
    """Return the network as a decoding process needs it: its weights stay here."""
    return replace(network, module=torch.nn.Identity())


def _collate(entries: Iterable[tuple[int, tuple[Tensor, ...] | str]]) -> Batch:
    entries = list(entries)
    good = [(index, found) for index, found in entries if not isinstance(found, str)]
    bad = {index: found for index, found in entries if isinstance(found, str)}
    shapes = {tuple(part.shape for part in found) for _, found in good}
    if len(shapes) > 1:
        raise ValueError(f"images give inputs of different shapes ({shapes}); set a resize and a crop")
    stacked = tuple(torch.stack(parts) for parts in zip(*(found for _, found in good), strict=True))
    return Batch(np.array([index for index, _ in good], dtype=np.int64), stacked, bad)
