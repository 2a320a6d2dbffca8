"""The Cloud Images conformance suite: requirements, nothing else."""
