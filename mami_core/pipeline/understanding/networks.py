"""The network behind a dissection, opened again as it was: to be run on other images, or changed."""

from __future__ import annotations

from pathlib import Path

from mami_core.inputs import Network
from mami_core.pipeline.sources import open_any_network
from mami_core.store import Dissection
from mami_core.store.layout import MANIFEST

_KNOWN = ("torchvision:", "timm:", "hf:", "scenery:")


def dissected_network(
    dissection: Dissection, *, network: str | None = None, weights: str | Path | None = None
) -> Network:
    """Open the network that was dissected, with the weights and preprocessing of then.

    `network` and `weights` say where they are now. ValueError or FileNotFoundError says which is not at hand, and
    how to name it; so does a network whose weights are others than those that were dissected.
    """
    settings = dissection.manifest.settings
    spec = network or str(settings.get("network") or "")
    if not spec.startswith(_KNOWN) and ".py:" not in spec:
        raise ValueError(
            f"{dissection.name} does not say how to open {dissection.manifest.network} again; "
            "name it: --network path.py:factory"
        )
    view = {name: settings.get(name) for name in ("resize", "crop", "mean", "std")}
    found = open_any_network(spec, weights=weights, arguments=settings.get("arguments") or "{}", **view)
    wanted = dissection.manifest.weights_sha256
    if wanted is not None and found.weights_sha256 != wanted:
        raise ValueError(
            f"{dissection.name} was dissected with other weights than {spec} opens with"
            f"{'' if weights is None else f' from {weights}'}; name the file or tag of then: --weights"
        )
    return found


def is_dissection(name: str) -> bool:
    """Tell whether a name is a dissection's folder rather than a network's spec."""
    return (Path(name) / MANIFEST).is_file()
