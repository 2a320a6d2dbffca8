"""The mark that binds a test to the requirements it tests."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])

MARK = "requirement"
FOREIGN: pytest.StashKey[bool] = pytest.StashKey()
"""Set on a test whose mark of the same name is another's, and names no requirement of ours."""


def requirement(*ids: str) -> Callable[[Test], Test]:
    """Return a decorator that binds a test to the requirements with these ids.

    Usage: ``@requirement("TAG-ADD-05")``. An id that is in no catalogue stops the collection with a usage error.
    """

    def bind(test: Test) -> Test:
        marked: Test = pytest.mark.requirement(*ids)(test)
        return marked

    return bind


def ids_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the ids of the requirements that a test is marked with, each once; empty without the mark."""
    if item.stash.get(FOREIGN, False):
        return ()
    return tuple(dict.fromkeys(str(requirement_id) for mark in item.iter_markers(MARK) for requirement_id in mark.args))
