"""Several workers at once: torchrun's processes, or shares of a job array."""

from __future__ import annotations

import os

import torch.distributed as dist

from mami_core.config import DissectConfig, parse_shard


def worker_of(config: DissectConfig) -> tuple[int, int]:
    """Return (this worker's number, how many there are): from `--shard`, else from torchrun, else (0, 1)."""
    if config.shard is not None:
        return parse_shard(config.shard)
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def wait_for_all(config: DissectConfig) -> None:
    """Under torchrun, wait until every worker has come here; otherwise do nothing.

    The processes share nothing but the folder, so a gloo barrier is all the communication there is, on GPUs too.
    """
    if config.shard is not None or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return
    if not dist.is_initialized():
        dist.init_process_group("gloo")
    dist.barrier()
