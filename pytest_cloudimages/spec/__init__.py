"""What is required. It knows nobody."""
