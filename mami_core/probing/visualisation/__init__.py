"""Feature visualisation: a picture optimised for a unit, a direction among a layer's units, or a class.

A Fourier basis in decorrelated colours, seen through shifts, scales and turns; several targets in one batch; the
network is run only up to the layer. After Olah, Mordvintsev and Schubert 2017 (Distill) and Lucid (Apache-2.0).
"""

from mami_core.probing.visualisation.optimise import visualise_targets
from mami_core.probing.visualisation.recipe import Recipe, Target, Visualisation

__all__ = ["Recipe", "Target", "Visualisation", "visualise_targets"]
