"""Images: their states."""
