"""What came back for a request, as it was."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from http.client import BadStatusLine, RemoteDisconnected
from typing import Any, Self

from pytest_cloudimages.client.exchange import HELD_OCTETS, Exchange
from pytest_cloudimages.client.json_documents import NotRead, parsed

FEW = 8
"""Long bodies of which is held what they say."""


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers and octets as they were, and the exchange as it is written down."""

    status: int
    headers: Mapping[str, str]
    """Header fields; names in any case."""
    held: bytes = field(repr=False)
    """The body; a long one is compressed, for answers are held as long as the run lasts."""
    trailing: bytes
    exchange: Exchange
    cut: bool = False
    """Whether more of the body came than is read; then no more of it is held than a report shows."""
    compressed: bool = False

    @classmethod
    def of(cls, exchange: Exchange) -> Self:
        """Return the answer of an exchange that was written down, as far as that is held."""
        from requests.structures import CaseInsensitiveDict

        headers = CaseInsensitiveDict(exchange.answer_headers)
        return cls(exchange.status, headers, exchange.answer, exchange.trailing, exchange)

    @classmethod
    def read(
        cls, status: int, headers: Mapping[str, str], content: bytes, trailing: bytes, exchange: Exchange, most: int
    ) -> Self:
        """Return an answer of whose body ``content`` was read, at most one octet more than ``most``."""
        if len(content) > most:
            return cls(status, headers, content[:HELD_OCTETS], trailing, exchange, cut=True)
        if len(content) > HELD_OCTETS:
            return cls(status, headers, zlib.compress(content, 1), trailing, exchange, compressed=True)
        return cls(status, headers, content, trailing, exchange)

    @property
    def body(self) -> bytes:
        """The body, as far as it was read."""
        return zlib.decompress(self.held) if self.compressed else self.held

    @property
    def ok(self) -> bool:
        """Whether the service acknowledged the request (2xx)."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of codes

    @property
    def refused(self) -> bool:
        """Whether the service refused the request as the client's mistake (4xx)."""
        return 400 <= self.status < 500  # noqa: PLR2004 - the class of codes

    @property
    def data(self) -> Any:
        """The body as JSON; ``None`` where it is none.

        Raise ``NotRead``, which blocks the question, where the body is longer or stranger than what is read.
        """
        return self._parsed() if self.compressed else self._data

    @property
    def document(self) -> dict[str, Any]:
        """The JSON object that the service has acknowledged the request with; empty where it has not, or with none.

        Raise ``NotRead`` as ``data`` does.
        """
        return self.data if self.ok and isinstance(self.data, dict) else {}

    @cached_property
    def _data(self) -> Any:
        return self._parsed()

    def _parsed(self) -> Any:
        if self.cut:
            raise NotRead(f"More came than the {self.exchange.size - 1} octets that are read: {self.exchange}")
        try:
            return _of_a_long_one(self.held) if self.compressed else parsed(self.held)
        except NotRead as problem:
            raise NotRead(f"{problem} {self.exchange}") from None

    def __repr__(self) -> str:
        return str(self.exchange)


@lru_cache(maxsize=FEW)
def _of_a_long_one(held: bytes) -> Any:
    """Return what a compressed body says: all checks of a workload look at it, one after another."""
    return parsed(zlib.decompress(held))


def brief(problem: BaseException) -> str:
    """Return the innermost cause of a network error, in its own words."""
    while inner := problem.__cause__ or problem.__context__:
        problem = inner
    text = str(problem).strip() or type(problem).__name__
    if isinstance(problem, BadStatusLine) and not isinstance(problem, RemoteDisconnected):
        return f"no HTTP came, but {text[:60]!a}"
    return text.rsplit("object at 0x", 1)[-1].partition(">: ")[2] or text


INTERIM = re.compile(rb"HTTP/\S+ 1(?!01)\d\d\b")
"""The beginning of an answer that another one follows: any of the class but a switch of protocols."""


def parse(octets: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    """Split a whole HTTP/1 answer into status, header fields and what follows them; status 0 where it is none.

    Interim answers, which may come before it unasked, are passed over. (RFC 9110, section 15.2.)
    """
    head, _, content = octets.partition(b"\r\n\r\n")
    while INTERIM.match(head) and content:
        head, _, content = content.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not words[0].startswith("HTTP/") or len(words) < 2 or not words[1].isdigit():  # noqa: PLR2004 - version, code
        return 0, [], octets
    fields = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in rest)]
    return int(words[1]), fields, content
