"""Services that are wrong in one way each: every one is the honest app with one rule spoiled.

`python tests/faults [NAME…]` shows what each of them does, and whether the suite finds just that.
"""

from . import (
    access,
    adding,
    answering,
    attributes,
    combined,
    corners,
    deleting,
    histories,
    isolation,
    lawful,
    lawful_networks,
    limits,
    racing,
    sequences,
    showing,
    trouble,
    writing,
)
from .registry import FAULTS, Fault

__all__ = [
    "FAULTS",
    "Fault",
    "access",
    "adding",
    "answering",
    "attributes",
    "combined",
    "corners",
    "deleting",
    "histories",
    "isolation",
    "lawful",
    "lawful_networks",
    "limits",
    "racing",
    "sequences",
    "showing",
    "trouble",
    "writing",
]
