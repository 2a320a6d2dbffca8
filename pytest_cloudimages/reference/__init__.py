"""The embedded service: honest, complete, and unaware of the suite that tests it."""
