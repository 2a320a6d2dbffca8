"""Images: their states and attributes."""
