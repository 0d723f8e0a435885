"""What a generator is fed: latents drawn one by one, each from its own seed, so that any worker draws the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from mami_core.inputs.networks import Network, Sampler
from mami_core.inputs.source import sha256_of_names


class Latents:
    """`count` inputs of a generator. Input i depends on the seed and i alone."""

    simulated = False
    labels = None

    def __init__(self, count: int, seed: int, sample: Sampler) -> None:
        """`sample(1, generator)` gives one input with its batch dimension: a tensor, or a tuple such as (z, class)."""
        if count < 1:
            raise ValueError(f"latents need a number of at least 1, got {count}")
        self.seed = seed
        self.name = f"latents-{count}-{seed}"
        self.names: Sequence[str] = [f"latent-{number:06d}" for number in range(count)]
        self._sample = sample

    def __len__(self) -> int:
        return len(self.names)

    def inputs(self, index: int) -> tuple[Tensor, ...]:
        """Return what the network is fed for image `index`, without batch dimension."""
        digest = hashlib.blake2b(f"{self.seed}\0{index}".encode(), digest_size=7).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest, "little"))
        drawn: Any = self._sample(1, generator)
        parts = drawn if isinstance(drawn, (tuple, list)) else (drawn,)
        return tuple(part[0] for part in parts)

    def load(self, index: int) -> Image.Image:
        """Refuse: only the generator can show what a latent stands for."""
        raise ValueError(f"latent {index} is no image; the exemplars of a generator are its own output")

    def fingerprint(self) -> str:
        """Return the SHA-256 of the count and seed."""
        return sha256_of_names([self.name])


def open_latents(spec: str, network: Network) -> Latents:
    """Open `latents:N[:SEED]` for a generator.

    ValueError when the spec is garbled, or the network does not say what its latents are.
    """
    numbers = spec.removeprefix("latents:").split(":")
    if not 1 <= len(numbers) <= 2 or not all(number.isdecimal() for number in numbers):
        raise ValueError(f"images {spec!r}: write latents:N or latents:N:SEED")
    sample = network.sample
    if sample is None:
        if not network.latent_shape:
            raise ValueError(
                f"{network.name} does not say what its latents are: let its factory return (network, sample) with "
                "sample(n, generator), or give the module an attribute latent_shape"
            )
        shape = network.latent_shape

        def sample(count: int, generator: torch.Generator) -> Tensor:
            return torch.randn(count, *shape, generator=generator)

    return Latents(int(numbers[0]), int(numbers[1]) if len(numbers) == 2 else 0, sample)
