"""Credentials: a token and an endpoint, from whatever the tester has."""
