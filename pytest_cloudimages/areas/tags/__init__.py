"""Image tags."""
