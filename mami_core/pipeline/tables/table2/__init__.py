"""MAMI's table 2 again, on units whose truth is known: trainings, what each says of the test units, figures, tables."""
