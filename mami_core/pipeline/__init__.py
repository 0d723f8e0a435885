"""What each command runs: the only room that knows all the others."""
