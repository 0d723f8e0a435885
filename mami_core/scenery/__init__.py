"""The embedded world: painter, annotators, planted neurons. Nothing is trained in here."""
