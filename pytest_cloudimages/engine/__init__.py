"""Runs plans against a service, whatever the resource."""
