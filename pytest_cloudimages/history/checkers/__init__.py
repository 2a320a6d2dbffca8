"""Checkers of concurrent histories."""
