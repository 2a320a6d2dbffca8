"""What stands for a workload that could not be made, so that only those checks miss it whose question it is."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from pytest_cloudimages.engine.recording import current_check


class Lacking:
    """Stands for a workload that could not be made.

    Whoever looks at it meets what went wrong. A side question has nothing to look at, and a sum has its other parts: a
    requirement that can be judged by them is.
    """

    def __init__(self, name: str, problem: BaseException) -> None:
        self._name = name
        self._problem = problem

    def __repr__(self) -> str:
        return f"<no {self._name}: {self._problem}>"

    def __str__(self) -> str:
        """Raise what went wrong: a value that is written into a request is looked at."""
        raise self._problem

    def aside(self) -> "Nothing":
        """Return what has no case, whatever it is asked for."""
        current_check().note(f"{self._name} could not be looked at: {self._problem}")
        return Nothing()

    def __add__(self, other: Any) -> Any:
        """Return the other part of a sum."""
        self.aside()
        current_check().lacking.append(str(self._problem))
        return other

    __radd__ = __add__

    def __iter__(self) -> NoReturn:
        """Raise what went wrong."""
        raise self._problem

    def __getattr__(self, name: str) -> NoReturn:
        """Raise what went wrong, but for what Python itself may ask of any object."""
        raise AttributeError(name) if name.startswith("__") else self._problem


class Nothing:
    """A collection that is empty, by whatever method it is looked at."""

    def __iter__(self) -> Iterator[Any]:
        """Yield nothing."""
        return iter(())

    def __getattr__(self, name: str) -> "Callable[..., Nothing]":
        """Return a method that returns the same."""
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: self
