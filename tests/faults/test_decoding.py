"""A process that decodes images dies in the middle of a dissection, as the system kills one when memory runs out."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from made_images import Noise
from made_networks import tiny
from operations import files
from PIL import Image

from mami_core.config import DissectConfig
from mami_core.dissection import dissect
from mami_core.inputs import Network, Preprocess


class FatalOnce(Noise):
    """Images of which one kills the process that decodes it, the first time."""

    def __init__(self, count: int, marker: Path) -> None:
        super().__init__(count)
        self.marker = marker

    def load(self, index: int) -> Image.Image:
        if index == 30 and not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().load(index)


def test_a_decoding_process_that_dies_is_said_and_the_next_run_goes_on(tmp_path, tally):
    network = Network("tiny", tiny().eval(), Preprocess(resize=16, crop=16))
    disturbed, whole = tmp_path / "disturbed", tmp_path / "whole"

    def run(out: Path) -> None:
        settings = DissectConfig(network="t", images="t", out=out, k=3, batch_size=4, layers=("conv1",), workers=2)
        dissect(network, FatalOnce(40, tmp_path / "died"), settings, out)

    with pytest.raises(ChildProcessError, match="run the same command again, with fewer --workers than 2"):
        run(disturbed)
    run(disturbed)
    run(whole)
    without = {"dissection.json"}  # names its folder
    assert {k: v for k, v in files(disturbed).items() if k not in without} == {
        k: v for k, v in files(whole).items() if k not in without
    }
    tally("decoding process killed", "dissect", "said")
