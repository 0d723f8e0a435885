"""Tables as files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mami_core.interop.spreadsheet import guard_table
from mami_core.store.atomic import replacing


def write_rows(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV or, by its ending, Parquet, in one step. ValueError for another ending."""
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise ValueError(f"{path}: a table is written as .csv or .parquet")
    with replacing(path) as partial:
        if path.suffix.lower() == ".csv":
            guard_table(table).to_csv(partial, index=False, lineterminator="\n")
        else:
            table.to_parquet(partial, index=False, compression="zstd")
