"""Results for other programs: CSV, JSON, Parquet, HTML."""
