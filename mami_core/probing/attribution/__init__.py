"""What in a picture a unit, a class or a word of a caption answers to, and whether taking it away shows it."""
