"""The reports: each a pure function of the results."""
