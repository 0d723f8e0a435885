"""Results for other programs: CSV, JSON, Parquet, HTML."""

from mami_core.exports.files import export_bytes, format_of, write_export
from mami_core.exports.neurons import neuron_table

__all__ = ["export_bytes", "format_of", "neuron_table", "write_export"]
