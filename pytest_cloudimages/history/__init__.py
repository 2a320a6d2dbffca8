"""What was done and seen, and what it means. No I/O."""
