"""The mark that binds a test to the requirements it tests."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])

MARK = "requirement"
FOREIGN: pytest.StashKey[bool] = pytest.StashKey()
"""Set on a test whose mark of the same name is another's, and names no requirement of ours."""


def requirement(*ids: str, in_passing: bool = False) -> Callable[[Test], Test]:
    """Return a decorator that binds a test to the requirements with these ids.

    Usage: ``@requirement("TAG-ADD-05")``. An id that is in no catalogue stops the collection with a usage error. A test
    that looks at what others have met is ``in_passing``: it is asked when all others have been.
    """

    def bind(test: Test) -> Test:
        marked: Test = pytest.mark.requirement(*ids, **({"in_passing": True} if in_passing else {}))(test)
        return marked

    return bind


def is_in_passing(item: pytest.Item) -> bool:
    """Return whether a test looks at what others have met."""
    return any(mark.kwargs.get("in_passing") is True for mark in item.iter_markers(MARK))


def ids_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the ids of the requirements that a test is marked with, each once; empty without the mark."""
    if item.stash.get(FOREIGN, False):
        return ()
    return tuple(dict.fromkeys(str(requirement_id) for mark in item.iter_markers(MARK) for requirement_id in mark.args))
