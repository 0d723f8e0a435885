"""What a dissection reads: numbered images, each loaded when it is asked for. The number is the image's id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor


class UnreadableImageError(ValueError):
    """One image cannot be decoded. A dissection names it, counts it and goes on without it."""


class ImageSource(Protocol):
    """Images by id, 0 … len-1. Nothing but names is held in memory, whatever their number."""

    @property
    def name(self) -> str:
        """Return what lists call these images."""
        ...

    @property
    def simulated(self) -> bool:
        """Tell whether they are painted rather than photographed."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Return one name per image."""
        ...

    @property
    def labels(self) -> Sequence[int] | None:
        """Return one class per image, an index into `class_names_of(source)`; None where there are no classes."""
        ...

    def __len__(self) -> int: ...

    def load(self, index: int) -> Image.Image:
        """Return an image as RGB; UnreadableImageError when its bytes cannot be decoded."""
        ...

    def fingerprint(self) -> str:
        """Return a SHA-256 that changes when the list of images does."""
        ...


@runtime_checkable
class FeedsNetwork(Protocol):
    """A source that feeds the network itself (latents, layouts, ready tensors) instead of images to preprocess."""

    def inputs(self, index: int) -> Tensor | tuple[Tensor, ...]:
        """Return one input without batch dimension, or a tuple of them for a network with several arguments."""
        ...


def class_names_of(source: ImageSource) -> tuple[str, ...]:
    """Return the names of the labels' classes; empty when the source gives none."""
    return tuple(getattr(source, "class_names", ()))


def sha256_of_names(names: Iterable[str]) -> str:
    """Return the SHA-256 of a list of image names; order counts, since an image's id is its place."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()
