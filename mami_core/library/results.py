"""A dissection as a notebook wants it: neurons that show themselves, everything as one table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import pandas as pd

from mami_core import store
from mami_core.config import Exported, parse_units
from mami_core.exports import neuron_table, write_export
from mami_core.pipeline.selection import chosen_keys
from mami_core.records import NeuronRecord
from mami_core.store import UnitKey

Units = str | Iterable[int] | None  # "0-63,100", numbers, or None for all


def unit_numbers(units: Units) -> frozenset[int] | None:
    """Return the numbers that a choice of units means; None for all."""
    return parse_units(units) if units is None or isinstance(units, str) else frozenset(units)


def layer_names(layers: str | Sequence[str]) -> tuple[str, ...]:
    """Return layers as a tuple, so that one name needs no brackets."""
    return (layers,) if isinstance(layers, str) else tuple(layers)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Neuron(NeuronRecord):
    """Everything known of one neuron. In Jupyter it shows its exemplars with heatmaps, its captions and threshold."""

    dissection: store.Dissection | None = field(default=None, kw_only=True)

    def __repr__(self) -> str:
        said = [f"{name}: {caption.text!r}" for name, caption in self.captions.items() if caption.state == "ok"]
        return f"<Neuron {self.neuron}, {self.statistics.state}; {'; '.join(said) or 'no caption'}>"

    def _repr_html_(self) -> str | None:
        from mami_core.exports.card import neuron_card  # Pillow and torch: only who looks waits for them

        return None if self.dissection is None else neuron_card(self.dissection, self)


class Dissection(store.Dissection):
    """A dissection on disk, with what a notebook asks of it besides."""

    def neuron(self, layer: str, unit: int) -> Neuron:
        """Return one neuron; KeyError, with what there is, for one that was not dissected."""
        record = store.Dissection.neuron(self, layer, unit)
        known = {entry.name: getattr(record, entry.name) for entry in fields(NeuronRecord)}
        return Neuron(**known, dissection=self)

    def keys(self, layers: str | Sequence[str] = (), units: Units = None) -> list[UnitKey]:
        """Return (layer, unit) of chosen units, in order. ValueError for what was not dissected."""
        return chosen_keys(self, layer_names(layers), unit_numbers(units))

    def to_pandas(self, layers: str | Sequence[str] = (), units: Units = None) -> pd.DataFrame:
        """Return a row per unit: state, threshold, exemplars, references, every captioner's caption and scores.

        The columns are those of `mami export D neurons.csv`; what is missing is NA, never 0.
        """
        return neuron_table(self, keys=self.keys(layers, units))

    def export(
        self,
        out: Path | str,
        format: Exported | None = None,  # noqa: A002  # the command line's own word
        *,
        layers: str | Sequence[str] = (),
        units: Units = None,
        captioner: str | None = None,
    ) -> int:
        """Write chosen units to a file, as `mami export` does but without labels; return how many.

        The ending or `format` says what: a CSV, JSON or Parquet table, an HTML report, a dataset card (.md), a peer's
        form, or `projector`, a folder for TensorBoard.
        """
        return write_export(self, Path(out), format, captioner=captioner, keys=self.keys(layers, units))

    def __repr__(self) -> str:
        spoken = f"captioned by {', '.join(self.captioners)}" if self.captioners else "not captioned"
        return f"<Dissection {self.name}: {len(self.units)} units of {', '.join(self.layers)}; {spoken}; {self.path}>"
