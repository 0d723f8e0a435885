"""Other people's files: MILAN checkpoints, MILANNOTATIONS, caption CSVs."""
