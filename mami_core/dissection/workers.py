"""Several workers at once: torchrun's processes, or shares of a job array."""

from __future__ import annotations

import os

import torch
import torch.distributed as dist

from mami_core.config import DissectConfig, parse_shard
from mami_core.device import choose_device


def worker_of(config: DissectConfig) -> tuple[int, int]:
    """Return (this worker's number, how many there are): from `--shard`, else from torchrun, else (0, 1)."""
    if config.shard is not None:
        return parse_shard(config.shard)
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def device_of(config: DissectConfig) -> torch.device:
    """Return the device of this worker: under torchrun, each of a machine's workers has a GPU of its own."""
    device = choose_device(config.device)
    if device.type != "cuda" or device.index is not None:
        return device
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())


def wait_for_all(config: DissectConfig) -> None:
    """Under torchrun, wait until every worker has come here; otherwise do nothing.

    The processes share nothing but the folder, so a gloo barrier is all the communication there is, on GPUs too.
    """
    if config.shard is not None or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return
    if not dist.is_initialized():
        dist.init_process_group("gloo")
    dist.barrier()
