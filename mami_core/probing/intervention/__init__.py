"""Silence units and see what breaks: analysis, audit and editing by caption (Hernandez et al. 2022, section 5 to 7).

Nothing else in `probing` imports this package: looking at a network never changes it, this does, for a while.
"""
