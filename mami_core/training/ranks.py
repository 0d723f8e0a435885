"""Several processes that train one model under torchrun: gradients are added up, so weights stay the same in all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import torch
import torch.distributed as dist
from torch import Tensor, nn

_PATIENCE: Final = timedelta(days=1)  # the first process may validate, or encode images, for hours


@dataclass(frozen=True)
class Ranks:
    """This process' number, and how many there are."""

    rank: int = 0
    count: int = 1


def join_ranks() -> Ranks:
    """Meet the other processes where torchrun started this one; alone otherwise.

    CPU tensors travel by gloo, those of GPUs by NCCL.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, timeout=_PATIENCE)
    return ranks()


def ranks() -> Ranks:
    """Return which of the joined processes this is."""
    return Ranks(dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else Ranks()


def own_device(device: torch.device) -> torch.device:
    """Return the GPU of this process where several share a machine's GPUs, else `device`."""
    if device.type != "cuda" or ranks().count == 1:
        return device
    own = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(own)
    return own


@contextlib.contextmanager
def first_alone() -> Iterator[None]:
    """Let the first process run the block before all others: what it leaves in the cache, they find there."""
    here = ranks()
    if here.rank > 0:
        dist.barrier()
    yield
    if here.rank == 0 and here.count > 1:
        dist.barrier()


def add_gradients(parameters: Iterable[nn.Parameter], loss: Tensor) -> Tensor:
    """Put the sum of all processes' gradients into every process' parameters; return the sum of their losses."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
    flat = torch.cat([loss.detach().reshape(1), *(part.flatten().to(loss.dtype) for part in parts)])
    dist.all_reduce(flat)
    for parameter, part in zip(trained, flat[1:].split([p.numel() for p in trained]), strict=True):
        parameter.grad = part.view_as(parameter).to(parameter.dtype)
    return flat[0]


def average_buffers(module: nn.Module, count: int) -> None:
    """Put the mean of all processes' buffers, such as a baseline's, into every process."""
    for buffer in module.buffers():
        if buffer.is_floating_point():
            dist.all_reduce(buffer)
            buffer.div_(count)


def from_first(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the first process' figures in every process."""
    held: list[Mapping[str, float]] = [figures]
    dist.broadcast_object_list(held, device=torch.device("cpu"))
    return dict(held[0])
