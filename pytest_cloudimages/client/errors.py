"""Errors of whoever started the run."""


class ConfigurationError(Exception):
    """A mistake of whoever started the run: says what was given, what is allowed and what to do next."""


class UnnamedServiceError(ConfigurationError):
    """Nothing says which service to judge."""
