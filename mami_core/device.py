"""Where computation runs, and the guard that lets torchvision import beside a CPU-only torch.

`mami_core/__init__.py` imports this module, so the guard stands before any `import torchvision`. Neither imports torch,
which takes a second and 270 MB: who browses a dissection needs none of it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_DECLARED: list[torch.library.Library] = []  # a Library's schemas live only as long as the object


def _extension_loads() -> bool:
    """Tell whether torchvision's compiled operators fit this torch; PyPI pairs a CUDA build with any torch."""
    import torch

    spec = find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True  # nothing to guard
    libraries = sorted(Path(spec.origin).parent.glob("_C*.so")) + sorted(Path(spec.origin).parent.glob("_C*.pyd"))
    if not libraries:
        return False
    try:
        torch.ops.load_library(str(libraries[0]))
    except OSError:
        return False
    return True


def guard_torchvision() -> bool:
    """Declare the two operator schemas that `import torchvision` looks up, when its extension cannot load.

    Gives True where they had to be declared. Detection operators and `torchvision.io` are then unavailable; models
    and transforms work. Without it the import dies with "operator torchvision::nms does not exist".
    """
    if _DECLARED or _extension_loads():
        return bool(_DECLARED)
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _DECLARED.append(library)
    return True


def choose_device(name: str = "auto") -> torch.device:
    """Return the device to compute on: `auto` takes CUDA, then MPS, then the CPU; any torch name is taken literally.

    Raises ValueError for a device that this machine lacks: silently falling back would hide an hour on the wrong chip.
    """
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps") if torch.backends.mps.is_available() else torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"no such device {name!r}; try auto, cpu, cuda, cuda:1 or mps") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device {name!r} asked for, but torch {torch.__version__} sees no CUDA GPU; try --device cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError("device 'mps' asked for, but this machine has none; try --device cpu")
    return device


@contextlib.contextmanager
def mixed_precision(device: torch.device, *, enabled: bool = True) -> Iterator[None]:
    """Run the block in bfloat16 where the device gains from it (CUDA); elsewhere do nothing.

    On a CPU bfloat16 changes the last bits with the batch size, and dissection promises the same bits everywhere.
    """
    if enabled and device.type == "cuda":
        import torch

        with torch.autocast("cuda", dtype=torch.bfloat16):
            yield
    else:
        yield


class _GuardAtImport(MetaPathFinder):
    """Finds nothing; it runs the guard when the first `import torchvision` of the process looks for its module."""

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> None:
        if fullname == "torchvision" and self in sys.meta_path:
            sys.meta_path.remove(self)
            guard_torchvision()


sys.meta_path.insert(0, _GuardAtImport())
