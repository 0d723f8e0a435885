"""`python -m mami_core` is the console script `mami`."""

from mami_core.cli import console

if __name__ == "__main__":
    console()
