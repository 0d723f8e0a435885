"""Where units and words lie: vectors, exact neighbours, maps."""
