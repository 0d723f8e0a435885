"""Images, networks and generators: what is dissected."""
