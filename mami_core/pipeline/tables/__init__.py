"""The tables of the papers and of docs/results.md, each by one command."""
