"""The numbers that the specification states."""

LONGEST = 255
"""Length of a tag in characters, at most. (Image tags: Add image tag, Request.)"""
