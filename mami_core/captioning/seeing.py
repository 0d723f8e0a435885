"""Look at pictures with a parts encoder and keep what things it sees: once a picture, under a name of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from PIL import Image

from mami_core.captioning.encoder import RegionEncoder
from mami_core.captioning.features import square_pixels
from mami_core.captioning.seen_things import PLAIN, SeenThings, joined, things_in
from mami_core.scenery.networks import PartsEncoder, to_input
from mami_core.scenery.parts import COLOURS
from mami_core.store.atomic import replacing
from mami_core.store.home import cache_folder

_AT_ONCE: Final = 64
_VERSION: Final = 1  # raised when the same pictures would give other things

Progress = Callable[[int, int], None]  # pictures seen, in all


@torch.inference_mode()
def see(backbone: PartsEncoder, pixels: np.ndarray) -> SeenThings:
    """Return the things in uint8 pictures (n, 3, 112, 112)."""
    device = backbone.head.weight.device
    logits = backbone(to_input(pixels).to(device, memory_format=torch.channels_last)).float().cpu()  # (n, C, 28, 28)
    parts, colours, textures = (group.softmax(1) for group in logits.split(PartsEncoder.groups, 1))
    textured = torch.cat([textures[:, :PLAIN], textures[:, PLAIN + 1 :]], 1)
    return things_in(parts, torch.cat([colours, textured], 1), colours=len(COLOURS))


def things_of(
    encoder: RegionEncoder,
    source: str,
    ids: Sequence[int],
    load: Callable[[int], Image.Image],
    *,
    progress: Progress | None = None,
) -> SeenThings:
    """Return the things of the pictures `ids` of a source, which `source` tells from others; looked at once, then kept.

    float16 on disk and in what is returned, so that the first run and a later one are the same.
    """
    named = f"{_VERSION} {encoder.sha256} {source} {list(ids)}"
    path = cache_folder() / "things" / f"{hashlib.sha256(named.encode()).hexdigest()[:32]}.npz"
    if not path.is_file():
        seen = []
        for start in range(0, len(ids), _AT_ONCE):
            seen.append(see(encoder.backbone, np.stack([square_pixels(load(number).convert("RGB"))
                                                        for number in ids[start : start + _AT_ONCE]])))  # fmt: skip
            if progress is not None:
                progress(min(start + _AT_ONCE, len(ids)), len(ids))
        made = joined(seen)
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez(file, labels=made.labels, part=made.part.astype(np.float16), look=made.look.astype(np.float16))
    with np.load(path, allow_pickle=False) as kept:
        return SeenThings(kept["labels"], kept["part"].astype(np.float32), kept["look"].astype(np.float32))
