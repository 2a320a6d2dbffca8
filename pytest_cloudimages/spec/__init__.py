"""The specification: requirements, verdicts and limits. It imports no other room of the package."""
