"""`mami train` and its parts."""
