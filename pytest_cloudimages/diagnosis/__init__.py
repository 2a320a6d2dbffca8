"""Diagnosis: with which input class a service goes wrong, found by trying inputs close to the one that failed.

A class is claimed only if members of it go wrong in the same way, and the nearest non-members do not.
"""
