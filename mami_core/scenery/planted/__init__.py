"""Planted neurons: units whose rule is known, because it was written down before they fired."""
