"""Look after a dissection and an installation."""
