"""How an answer is read off the wire: so much of it, and so long, whatever a service sends.

Sockets have time-outs for each octet, libraries read until memory ends. Here an exchange as a whole has an end, and so
have header fields, lines and bodies. What goes beyond is no error of ours: it is an answer that did not come whole, or
one that is not read to its end.
"""

import contextlib
import http.client
import io
import socket
import time
import zlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import requests
import urllib3

MOST_OCTETS = 1024 * 1024
"""Octets of a body that are read, unless told otherwise."""
HEAD_OCTETS = 64 * 1024
"""Octets of status line and header fields; http.client takes a hundred fields at most."""
LONGEST_LINE = 64 * 1024
PART = 64 * 1024


class _Timely(io.RawIOBase):
    """Reads from a socket until a moment of the monotonic clock, however the octets come."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, end: float | None) -> None:
        super().__init__()
        self._raw, self._socket, self.end = raw, sock, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.end is not None:
            left = self.end - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer did not come to its end in time")
            self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Bounded(io.BufferedReader):
    """Reads lines that have an end, and parts that have a length."""

    left: int | None = HEAD_OCTETS
    """Octets of lines that may still come, as long as the head is read."""

    def readline(self, size: int | None = -1, /) -> bytes:
        wanted = LONGEST_LINE if size is None or size < 0 else min(size, LONGEST_LINE)
        line = super().readline(wanted + 1)
        if len(line) > LONGEST_LINE:
            raise http.client.LineTooLong("answer")
        if self.left is not None:
            self.left -= len(line)
            if self.left < 0:
                raise http.client.HTTPException(f"more than {HEAD_OCTETS} octets of header fields")
        return line

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            # Such as the length of a chunk: http.client would read all that ever comes.
            raise http.client.HTTPException(f"a part of {size} octets")
        return super().read(size)


INTERIM = range(HTTPStatus.PROCESSING, HTTPStatus.OK)
"""Answers that may come, unasked, before any other, and say nothing of it. (RFC 9110, section 15.2.)"""


class Octets(http.client.HTTPResponse):
    """An answer that tells what octets arrived behind its end, and that has come by a certain moment or not at all."""

    trailing = b""

    def __init__(self, sock: socket.socket, *args: Any, end: float | None = None, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._socket = sock
        self._timely = _Timely(self.fp.detach(), sock, end)
        self.fp = _Bounded(self._timely)

    def begin(self) -> None:
        """Read the head. Raise ``HTTPException`` where it has no end, or nothing says where the body ends."""
        super().begin()
        if isinstance(self.fp, _Bounded):
            self.fp.left = None
        lengths = {text.strip() for value in self.headers.get_all("Content-Length", ()) for text in value.split(",")}
        if self.fp is None or self.chunked or self.isclosed() or not lengths:
            return
        if len(lengths) > 1 or not all(text.isascii() and text.isdigit() and len(text) < 20 for text in lengths):  # noqa: PLR2004 - no octet count is longer
            # "the message framing is invalid and the recipient MUST treat it as an unrecoverable error" (RFC 9112, 6.3)
            self.close()
            shown = ", ".join(sorted(lengths))
            raise http.client.HTTPException(f"Content-Length is no number of octets: {shown[:60]!r}")

    def _read_status(self) -> tuple[str, int, str]:
        """Read the status line of the final answer: http.client itself passes over interim answers of 100 alone."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]  # private in http.client
            if status not in INTERIM:
                return version, status, reason
            http.client.parse_headers(self.fp)

    def part(self, most: int) -> bytes:
        """Read a part of the body; nothing at its end. Raise ``IncompleteRead`` where it has ended before."""
        part = self.read(most)
        if not part and self.length:
            raise http.client.IncompleteRead(b"", self.length)
        return part

    def _close_conn(self) -> None:
        # Closing the buffered reader would drop what it had read too much, and with it the proof of a forbidden body.
        if self.fp is not None and not self.trailing:
            self.trailing = self._leftover()
        super()._close_conn()  # type: ignore[misc]  # private in http.client, stable since 3.3

    def _leftover(self) -> bytes:
        patience = self._socket.gettimeout()
        try:
            self._timely.end = None
            self._socket.settimeout(0)
            return bytes(self.fp.peek())
        except (OSError, ValueError):
            return b""
        finally:
            with contextlib.suppress(OSError):
                self._socket.settimeout(patience)


def read_body(response: requests.Response, read: Callable[[int], bytes], most: int) -> None:
    """Read the body of an answer, and no more of it than one octet above what is asked for.

    ``read`` returns the next octets, so many at most. A body that is longer ends its connection. Raise what requests
    raises where it does not come whole, or not in time.
    """
    octets = bytearray()
    try:
        while len(octets) <= most and (part := read(min(PART, most + 1 - len(octets)))):
            octets += part
    except (urllib3.exceptions.ReadTimeoutError, TimeoutError) as problem:
        response.close()
        raise requests.ReadTimeout(problem) from problem
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as problem:
        response.close()
        raise requests.ConnectionError(problem) from problem
    if len(octets) > most:
        response.close()
    response._content = _decoded(bytes(octets), response.headers.get("Content-Encoding", ""), most)  # noqa: SLF001
    response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001 - as requests itself has it


def _decoded(octets: bytes, coding: str, most: int) -> bytes:
    """Return what a body says that was compressed, though nobody asked for it; no more than is read of any other."""
    if coding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return octets
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(octets, most + 1)
    except zlib.error:
        return octets


def read_to_the_end(line: socket.socket, most: int, end: float) -> bytes:
    """Return all that comes on a connection until it is closed, or until it is more than is read of any answer.

    Raise ``TimeoutError`` where that takes longer than to a moment of the monotonic clock.
    """
    octets = bytearray()
    while len(octets) <= most + HEAD_OCTETS:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not come to its end in time")
        line.settimeout(left)
        if not (part := line.recv(PART)):
            break
        octets += part
    return bytes(octets)
