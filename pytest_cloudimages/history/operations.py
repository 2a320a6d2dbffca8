"""Operations on the tags of images. No I/O."""

import enum
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """What an operation does."""

    ADD = "add"
    DELETE = "delete"
    READ = "read"
    RENAME = "rename"
    """A PATCH of the image's name: what a concurrent tag operation must not undo."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to do to one of the images of a plan."""

    kind: Kind
    tag: str = ""
    image: int = 0
    sort: str = ""
    """The class that the tag was drawn from."""

    def __str__(self) -> str:
        return f"{self.kind} {self.tag!r}" if self.kind is not Kind.READ else "read"


READ = Operation(Kind.READ)


class AtALimit(enum.StrEnum):
    """What an operation asks of an image that may carry so many tags."""

    UP_TO_IT = "up to the limit"
    PAST_IT = "past the limit"
    AGAIN = "again at the limit"
    ROOM = "room is made"
    IN_THE_ROOM = "in the room made"
