"""What any captioner must be, so that it can speak beside the built-in ones: a name, its origin, captions for units.

A captioner of your own is a class with these three; `docs/how-to/own-captioner.md` shows one and how to install it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from mami_core.dissection.masks import unit_heatmaps, unit_masks
from mami_core.records import Caption, Exemplar, UnitStatistics
from mami_core.store import Dissection, UnitKey

DIMMED: Final = 0.25  # how bright a picture is outside the mask, as in MILAN's figures


@dataclass(frozen=True, eq=False)
class ShownUnit:
    """A living unit as a captioner is shown it. k exemplars, strongest first; everything is read when asked for."""

    dissection: Dissection
    layer: str
    unit: int

    @property
    def key(self) -> UnitKey:
        """Return (layer, unit)."""
        return self.layer, self.unit

    @property
    def statistics(self) -> UnitStatistics:
        """Return how the unit's activations are spread; its `threshold` makes the masks."""
        return self.dissection.statistics(self.layer, self.unit)

    @cached_property
    def exemplars(self) -> tuple[Exemplar, ...]:
        """Return the k images that excite the unit most: names, activations, where they peak."""
        return self.dissection.exemplars_of(self.layer, self.unit).get("top", ())

    @cached_property
    def images(self) -> list[Image.Image]:
        """Return the k pictures as RGB."""
        return [self.dissection.images.image(entry.image_id) for entry in self.exemplars]

    def heatmaps(self, size: tuple[int, int]) -> np.ndarray:
        """Return the activation over each picture at (H, W), float32 (k, H, W), in the layer's own units."""
        return unit_heatmaps(self.dissection, self.layer, self.unit, size)[: len(self.exemplars)]

    def masks(self, size: tuple[int, int]) -> np.ndarray:
        """Return where the unit fires above its threshold at (H, W), bool (k, H, W)."""
        return unit_masks(self.dissection, self.layer, self.unit, size)[: len(self.exemplars)]

    def masked_images(self) -> list[Image.Image]:
        """Return the k pictures with everything outside the masks dimmed."""
        sizes = [(picture.height, picture.width) for picture in self.images]
        masks = {size: self.masks(size) for size in set(sizes)}
        return [_dimmed(picture, masks[sizes[rank]][rank]) for rank, picture in enumerate(self.images)]


def _dimmed(picture: Image.Image, mask: np.ndarray) -> Image.Image:
    pixels = np.asarray(picture)  # (H, W, 3)
    return Image.fromarray(np.where(mask[..., None], pixels, (pixels * DIMMED).astype(np.uint8)))


@runtime_checkable
class Captioner(Protocol):
    """Says in words what units fire for. Its captions stand beside those of every other captioner, everywhere."""

    @property
    def name(self) -> str:
        """Return what its captions are listed under, e.g. `blip-base`."""
        ...

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Return what is written beside its captions, JSON values; may be empty.

        `trained_on` and `decoding` are shown as text; `simulated: True` says that it learnt from painted scenes.
        Captions are kept from an earlier run only where this mapping is the same.
        """
        ...

    def caption(self, units: Sequence[ShownUnit]) -> Sequence[Caption]:
        """Return one caption a unit, in order: `caption_of(self.name, text)`, or a `Caption` with more in it."""
        ...


def caption_of(captioner: str, text: str, *, score: float = float("nan")) -> Caption:
    """Return a text as a caption; an empty text means that nothing could be said: state `failed`.

    `score`: log p(d|E), a natural logarithm, where the captioner has one.

    >>> caption_of("mine", "blue skies").words
    ('blue', 'skies')
    """
    words = tuple(text.split())
    return Caption(captioner, words, score, float("nan"), state="ok" if words else "failed")
