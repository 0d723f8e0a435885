"""What `mami evaluate` measures of a dissection: who speaks, by what they are measured, what is written of it."""
