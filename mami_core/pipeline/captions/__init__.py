"""`mami caption` and every kind of captioner it can call."""
