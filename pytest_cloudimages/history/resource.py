"""What can be added, deleted and read below an image, as one area of the API exposes it. No I/O.

A :class:`SetResource` is a set of strings: the tags of an image, or the projects that it is shared with. The engine
sends the requests that it builds, and the checkers read the answers by its tables; neither knows an area of the API.
An :class:`Attribute` is a register: one text, which an operation on the set must leave as it is.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pytest_cloudimages.client.exchange import PATCH_TYPE, Exchange, Request
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.spec.shown_strings import shown_strings


class Answered(Protocol):
    """What a history needs to know of an answer."""

    @property
    def status(self) -> int: ...
    @property
    def ok(self) -> bool: ...
    @property
    def refused(self) -> bool: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...
    @property
    def trailing(self) -> bytes: ...
    @property
    def exchange(self) -> Exchange: ...
    @property
    def data(self) -> Any: ...


class Effect(enum.Enum):
    """What an answer says of the value that the operation names."""

    MADE_PRESENT = "it is present from then on"
    MADE_ABSENT = "it was present, and is absent from then on"
    WAS_PRESENT = "it was present already, and nothing was done"
    WAS_ABSENT = "it was absent already, and nothing was done"
    NOTHING_DONE = "nothing was done"
    UNKNOWN = "it takes effect at any moment after it was sent, or never"


DELETED = {"2xx": Effect.MADE_ABSENT, "404": Effect.WAS_ABSENT, "4xx": Effect.NOTHING_DONE}
"""How every area answers a deletion."""


@dataclass(frozen=True, repr=False)
class SetResource:
    """A set of strings below an image. The builders take the image's id and a value, and send nothing."""

    name: str
    """What one value is called: ``tag``, ``member``."""
    add: Callable[[str, str], Request]
    delete: Callable[[str, str], Request]
    read: Callable[[str], Request]
    values: Callable[[Answered], tuple[str, ...] | None]
    """Reads the values out of the answer to ``read``, in the order shown; ``None`` where it shows none."""
    added: Mapping[str, Effect]
    """What the answer to an addition says, by its status (``409``) or its class (``4xx``); the status goes first."""
    deleted: Mapping[str, Effect] = field(default_factory=lambda: DELETED)
    volatile: frozenset[str] = frozenset({"updated_at"})
    """Attributes of what ``read`` shows that an operation on the set may change."""
    usual: Mapping[Kind, tuple[int, ...]] = field(default_factory=dict)
    """The statuses of which nobody has anything to say; any success, and what the tables name, where none are given."""
    replace: Callable[[str, Sequence[str]], Request] | None = None
    """Sets all values at once; ``None`` where the area knows no such request."""
    respelled: Callable[[Request], Request] | None = None
    """Writes the value of an addition or a deletion in another spelling of the same; ``None`` where there is none."""

    def __repr__(self) -> str:
        return f"SetResource({self.name!r}, …)"

    def effect(self, kind: Kind, status: int) -> Effect:
        """Return what a status says of an addition or a deletion; 0 is no answer."""
        table = self.added if kind is Kind.ADD else self.deleted
        return table.get(str(status)) or table.get(f"{status // 100}xx") or Effect.UNKNOWN

    def is_usual(self, kind: Kind, status: int) -> bool:
        """Return whether nobody has anything to say of a status."""
        if self.usual:
            return status in self.usual.get(kind, ())
        return 200 <= status < 300 or str(status) in {*self.added, *self.deleted}  # noqa: PLR2004 - the class of codes


def strings_at(name: str) -> Callable[[Answered], tuple[str, ...] | None]:
    """Return what reads the list of strings of this name out of a representation."""

    def values(answer: Answered) -> tuple[str, ...] | None:
        return shown_strings(represented(answer), name)

    return values


def represented(answer: Answered) -> dict[str, Any] | None:
    """Return the JSON object that a successful answer shows; ``None`` where it shows none."""
    data = answer.data if answer.status == 200 else None  # noqa: PLR2004 - as HTTP has it
    return data if isinstance(data, dict) else None


@dataclass(frozen=True)
class Attribute:
    """A text that an image has at any time one of."""

    name: str

    def set(self, image: str, value: str) -> Request:
        """Return the request that gives the attribute a value."""
        change = {"op": "replace", "path": f"/{self.name}", "value": value}
        return Request("PATCH", f"/images/{image}", json=[change], headers={"Content-Type": PATCH_TYPE})

    def value(self, answer: Answered) -> str | None:
        """Return the value that an answer shows; ``None`` where it shows none."""
        found = (represented(answer) or {}).get(self.name)
        return found if isinstance(found, str) else None


OCTETS = b"y" * 64


def uploads(image: str) -> Request:
    """Return the request that uploads the data of an image: an event, which an operation on the set may meet."""
    headers = {"Content-Type": "application/octet-stream"}
    return Request("PUT", f"/images/{image}/file", body=OCTETS, headers=headers)


NAME = Attribute("name")
