"""Operations on a set of values below an image, and on an attribute of the image. No I/O."""

import enum
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """What an operation does."""

    ADD = "add"
    DELETE = "delete"
    READ = "read"
    SET = "set"
    """A PATCH of an attribute of the image: what a concurrent operation on the set must not undo."""
    EVENT = "event"
    """Something else that happens to the image: its data comes, it is shared, hidden, deactivated.

    Among clients who are at it at once it is an upload of its data.
    """


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to do to one of the images of a plan."""

    kind: Kind
    value: str = ""
    image: int = 0
    input_class: str = ""
    """The class that the value was drawn from."""

    def __str__(self) -> str:
        return f"{self.kind} {self.value!r}" if self.kind is not Kind.READ else "read"


READ = Operation(Kind.READ)
