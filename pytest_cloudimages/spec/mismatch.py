"""A failed assertion as data: what was expected, what came, and the difference. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard


@dataclass(frozen=True)
class Allowed:
    """What a value may be, where a list of values would not say it: "2xx", "a date"."""

    words: str
    holds: Callable[[Any], bool]

    def __str__(self) -> str:
        return self.words

    def __or__(self, other: Allowed) -> Allowed:
        """Return what lets pass whatever one of the two does."""
        return Allowed(f"{self} or {other}", lambda value: self.holds(value) or other.holds(value))


SOMETHING = Allowed("something", bool)
"""What is there, and not empty."""


def anything_but(*values: object) -> Allowed:
    """Return what lets pass all values but these."""
    return Allowed(f"anything but {', '.join(map(_words, values))}", lambda value: value not in values)


class Mismatch(AssertionError):  # noqa: N818 - it says what came, not that a program went wrong
    """An assertion about a service that does not hold; reports take what it carries, and need not read its words."""

    def __init__(
        self,
        message: str,
        *,
        what: str,
        expected: object,
        actual: object,
        before: Iterable[object] | None = None,
        missing: Iterable[object] = (),
        unexpected: Iterable[object] = (),
    ) -> None:
        super().__init__(message)
        self.what = what
        """What was compared."""
        self.expected, self.actual = expected, actual
        self.before = before
        self.missing, self.unexpected = [*missing], [*unexpected]

    def as_data(self) -> dict[str, Any]:
        """Return what was expected and what came as JSON data; what does not apply is left out."""
        data = {"what": self.what, "before": self.before, "expected": self.expected, "actual": self.actual}
        found = {name: _plain(value) for name, value in data.items() if name != "before" or value is not None}
        lists = {"missing": self.missing, "unexpected": self.unexpected}
        return found | {name: _plain(values) for name, values in lists.items() if values}


Before = Iterable[object] | Callable[[], Iterable[object] | None] | None
"""What was there before; a callable where that takes work to say."""


def expect(
    actual: object, expected: object, what: str, of: object = None, *, before: Before = None, **evidence: object
) -> None:
    """Raise ``Mismatch`` unless what came is what was expected.

    A set is what a collection has to hold, in any order and nothing twice; for a single value, it is what that may be.
    ``Allowed`` says by itself what may come; anything else is compared as it stands. ``what`` names the thing that is
    compared ("the status"), ``of`` ends its name where putting it into words takes long ("status of", answer),
    ``before`` is what was there before, and ``evidence`` is shown with the message; what takes requests to find out is
    given as a callable, and called where it is shown.
    """
    __tracebackhide__ = True
    if fits(actual, expected):
        return
    # Nobody reads what was expected where it came: most of what is compared is fine.
    missing: list[object] = []
    unexpected: list[object] = []
    if not isinstance(expected, Allowed) and _is_collection(expected) and _is_collection(actual):
        missing, unexpected = _difference(expected, actual), _difference(actual, expected)
    words = _expected(expected, actual)
    raise _mismatch(_named(what, of), words, expected, actual, before, missing, unexpected, evidence)


def fits(actual: Any, expected: Any) -> bool:
    """Return whether what came is what was expected, as ``expect`` has it."""
    if isinstance(expected, Allowed):
        return expected.holds(actual)
    if type(actual) is type(expected):
        # Nearly all that is compared, and the fastest.
        return bool(actual == expected) or (_is_collection(expected) and _holds_the_same(actual, expected))
    if _is_collection(expected) and _is_collection(actual):
        return _holds_the_same(actual, expected)
    # Whatever came may be what has no hash.
    return actual in [*expected] if isinstance(expected, set | frozenset) else bool(actual == expected)


def _holds_the_same(actual: Collection[Any], expected: Collection[Any]) -> bool:
    """Return whether a collection is as expected: of a set, that it holds all of it, nothing else and nothing twice."""
    if not isinstance(expected, set | frozenset):
        return [*expected] == [*actual]
    try:
        return len(actual) == len(expected) and {*actual} == expected
    except TypeError:  # what cannot be hashed, as objects of JSON
        return not _difference(expected, actual) and not _difference(actual, expected)


def _expected(expected: object, actual: object) -> str:
    """Return what was expected as a message shows it."""
    if isinstance(expected, Allowed):
        return str(expected)
    if isinstance(expected, set | frozenset) and not _is_collection(actual):
        return " or ".join(map(_words, _sorted(expected)))
    return _words(expected)


def expect_among(
    actual: Collection[object],
    wanted: Iterable[object],
    what: str,
    of: object = None,
    *,
    before: Before = None,
    **evidence: object,
) -> None:
    """Raise ``Mismatch`` unless all that is wanted is among what came, whatever else came."""
    __tracebackhide__ = True
    expected = [*wanted]
    if missing := [value for value in expected if value not in actual]:
        words = f"{_words(expected)} among them"
        raise _mismatch(_named(what, of), words, expected, actual, before, missing, [], evidence)


def expect_none_of(
    actual: Collection[object],
    unwanted: Iterable[object],
    what: str,
    of: object = None,
    *,
    before: Before = None,
    **evidence: object,
) -> None:
    """Raise ``Mismatch`` where anything unwanted is among what came."""
    __tracebackhide__ = True
    named = [*unwanted]
    if unexpected := [value for value in named if value in actual]:
        kept = [value for value in actual if value not in named]
        words = f"none of {_words(named)}"
        raise _mismatch(_named(what, of), words, kept, actual, before, [], unexpected, evidence)


def _named(what: str, of: object) -> str:
    return what if of is None else f"{what} {of() if callable(of) else of}"


def _mismatch(
    what: str,
    words: str,
    expected: object,
    actual: object,
    before: Before,
    missing: Iterable[object],
    unexpected: Iterable[object],
    evidence: Mapping[str, object],
) -> Mismatch:
    """Return a mismatch that says in words what it carries."""
    lists = {"missing": missing, "unexpected": unexpected}
    differences = [f"{word} {_words(values)}" for word, values in lists.items() if values]
    found = {name: value() if callable(value) else value for name, value in evidence.items()}
    shown = [f"{name.replace('_', ' ')}: {value}" for name, value in found.items()]
    return Mismatch(
        "; ".join([f"{what}: expected {words}, came {_words(actual)}", *differences, *shown]),
        what="; ".join([what, *shown]),
        expected=expected,
        actual=actual,
        before=before() if callable(before) else before,
        missing=missing,
        unexpected=unexpected,
    )


def _is_collection(value: object) -> TypeGuard[Collection[Any]]:
    if isinstance(value, list | tuple | set | frozenset):
        return True
    # Asked of a class of abstract ones, whether a thing is of it takes long, and most are plain.
    if value is None or isinstance(value, str | int | dict | bytes):
        return False
    return isinstance(value, Collection) and not isinstance(value, Mapping)


def _difference(values: Collection[Any], others: Collection[Any]) -> list[object]:
    """Return what one collection holds and another does not, as often as it holds it more often."""
    try:
        return _sorted((Counter(values) - Counter(others)).elements())
    except TypeError:  # what cannot be hashed, as objects of JSON
        listed = [*others]
        return [value for value in values if value not in listed]


def _sorted(values: Iterable[object]) -> list[object]:
    """Return values in an order that follows from nothing but themselves, whatever their types."""

    def key(value: object) -> tuple[str, Any]:
        return type(value).__name__, value if isinstance(value, str | int) else str(value)

    return sorted(values, key=key)


def _words(value: object) -> str:
    """Return a value as a message shows it: nothing in it is invisible, or turns the line around."""
    if value is None:
        return "nothing"
    return ascii(
        _sorted(value) if isinstance(value, set | frozenset) else [*value] if isinstance(value, tuple) else value
    )


def _plain(value: object) -> Any:
    """Return a value as JSON data."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, set | frozenset):
        return [_plain(item) for item in _sorted(value)]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return [_plain(item) for item in value] if isinstance(value, Iterable) else str(value)
