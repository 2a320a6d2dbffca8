"""Explained findings: which class of input a service goes wrong with, found by trying neighbours of what failed.

A class is claimed only where neighbours inside it go wrong, in the same way, and its nearest neighbours outside do not.
"""
