"""The embedded service: a complete, correct implementation that knows nothing of the suite."""
