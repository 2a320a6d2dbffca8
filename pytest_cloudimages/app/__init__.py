"""pytest and the command line: everything comes together here, and nobody else knows it."""
