"""A catalogue of a tester's own, with one requirement: it does not crash."""

OWN = """
area = "own"

[[requirements]]
id = "OWN-01"
level = "MUST"
provenance = "documented"
operation = "PUT"
statement = "It does not crash."
document = "House rules"
section = "1"
observe = "Ask."
"""
