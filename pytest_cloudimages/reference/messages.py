"""Requests and replies, as values."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from .images import Caller


class Headers(Mapping[str, str]):
    """Header fields by name, whatever its case; lines of one name are joined with commas."""

    __slots__ = ("_fields", "lines")

    def __init__(self, lines: Iterable[tuple[str, str]] = ()) -> None:
        self.lines = (*lines,)
        """The fields as they were sent."""
        fields: dict[str, str] = {}
        for name, value in self.lines:
            key = name.lower()
            fields[key] = f"{fields[key]}, {value}" if key in fields else value
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was sent: a character of the target for each octet on the wire, nothing decoded."""

    method: str
    target: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    caller: Caller = Caller("", writes=False)  # noqa: RUF009 - nobody, until authenticated

    def sent_by(self, caller: Caller) -> "Request":
        """Return the same request, authenticated."""
        return Request(self.method, self.target, self.headers, self.body, caller)

    @property
    def path(self) -> str:
        """The target up to the question mark."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The target after the question mark."""
        return self.target.partition("?")[2]

    @property
    def media_type(self) -> str:
        """The Content-Type in lower case, without its parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; the server adds Content-Length unless it is here already, or the status forbids it."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_json(
        cls, document: object, status: int = HTTPStatus.OK, headers: tuple[tuple[str, str], ...] = ()
    ) -> "Reply":
        """Return a reply with a JSON document."""
        return cls(status, json.dumps(document).encode(), (("Content-Type", "application/json"), *headers))

    def json(self) -> object:
        """Return the JSON document of the body."""
        return json.loads(self.body)
