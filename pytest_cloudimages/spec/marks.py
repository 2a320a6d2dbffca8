"""The mark that binds a test to the requirements it asks for."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])

MARK = "requirement"


def requirement(*ids: str) -> Callable[[Test], Test]:
    """Bind a test to the requirement, or requirements, that it asks for.

    An id that no catalogue has stops the collection. Usage: ``@requirement("TAG-ADD-05")``.
    """

    def bind(test: Test) -> Test:
        marked: Test = pytest.mark.requirement(*ids)(test)
        return marked

    return bind


def ids_of(item: pytest.Item) -> tuple[str, ...]:
    """Give the ids of the requirements that a test asks for; none for a test of anything else."""
    return tuple(dict.fromkeys(str(one) for mark in item.iter_markers(MARK) for one in mark.args))
