"""Sequential plans for any set: what is done to its values, one operation after another. No I/O.

Values are given as (value, input class); a ``READ`` ends each group of operations.
"""

from collections.abc import Iterable, Iterator, Sequence

from pytest_cloudimages.history.operations import READ, Kind, Operation

Classified = tuple[str, str]


def each(kind: Kind, values: Iterable[Classified], image: int = 0) -> Iterator[Operation]:
    """Yield an operation for each value."""
    return (Operation(kind, value, image, input_class) for value, input_class in values)


def in_groups(groups: Iterable[tuple[Kind, Iterable[Classified]]]) -> list[Operation]:
    """Return a plan of groups of operations of one kind, each with a reading after it."""
    return [operation for kind, values in groups for operation in (*each(kind, values), READ)]


def full_cycle(values: Sequence[Classified], *, on_another: int = 0) -> list[Operation]:
    """Return a plan that adds all values twice, deletes half of them twice, re-adds some and deletes all but a few.

    The first values, ``on_another`` of them, are added to a second image before.
    """
    half = values[::2]
    return [
        *each(Kind.ADD, values[:on_another], 1),
        READ,
        *in_groups(
            [
                (Kind.ADD, values),
                (Kind.ADD, [*values, *values[1::2]]),
                (Kind.DELETE, half),
                (Kind.DELETE, half),
                (Kind.ADD, half[:-1:2]),
                (Kind.DELETE, [*half[:-1:2], *values[1::2]]),
            ]
        ),
    ]


def add_delete(values: Sequence[Classified], *, deleted: slice = slice(None)) -> list[Operation]:
    """Return a plan that adds all values once, and deletes them, or some of them, once."""
    return in_groups([(Kind.ADD, values), (Kind.DELETE, values[deleted])])


def read_often(plan: Iterable[Operation], every: int) -> list[Operation]:
    """Return a plan with a reading after ``every`` operations; 0 leaves it as it is."""
    if not every:
        return [*plan]
    changes = [operation for operation in plan if operation.kind is not Kind.READ]
    groups = (changes[begin : begin + every] for begin in range(0, len(changes), every))
    return [operation for group in groups for operation in (*group, READ)]
