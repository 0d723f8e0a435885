"""Fit captioners, language models, encoders and the painted world's networks."""
