"""A dissection on disk, labels, jobs and caches: everything that is written is written here."""
