"""The numbers that the specification states."""

LONGEST = 255
"""Characters in a tag at most. (Image tags: Add image tag, Request.)"""
