"""Run a network over images and keep, for every unit, what excites it."""
