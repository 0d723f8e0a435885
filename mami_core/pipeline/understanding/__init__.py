"""What `mami` offers to understand units beyond their captions."""
