"""How a service describes itself: versions and JSON Schemas, and what all its answers have in common."""
