"""A look at everything that a run needs, step by step, each told in a line."""
