"""MAMI in a notebook or a script of your own: `import mami_core as mami` and nothing else."""
