"""What the stages of `mami world` share: the folder, the scenes, the ledger, and when a stage need not be run again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from mami_core.config import settings_sha256
from mami_core.inputs import ImageSource, Network
from mami_core.pipeline.progress import Report
from mami_core.pipeline.worlds.files import Ledger
from mami_core.pipeline.worlds.painting import World
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.world import PAINTER_VERSION
from mami_core.store import Dissection, cache_folder

MAP_SIZE: Final = 28


@dataclass(frozen=True, eq=False)
class Making:
    """A world under way."""

    world: World
    out: Path
    ledger: Ledger
    report: Report

    @cached_property
    def work(self) -> Path:
        """Return where networks and halves of dissections are kept until they are no longer needed."""
        return cache_folder() / "world" / settings_sha256({**asdict(self.world), "painter": PAINTER_VERSION})[:16]

    def half(self, number: int) -> SceneryImages:
        """Return the first or the second half of the probe scenes."""
        count = len(self.world.halves) // 2
        return self.world.halves.part(number * count, (number + 1) * count)


def stands(out: Path, network: Network, whole: ImageSource) -> bool:
    """Tell whether `out` holds this network, dissected over these images and described."""
    try:
        manifest = Dissection.open(out).manifest
    except FileNotFoundError:
        return False
    same = (manifest.weights_sha256, manifest.image_ids_sha256) == (network.weights_sha256, whole.fingerprint())
    return same and manifest.stages.get("describe") == "done"
