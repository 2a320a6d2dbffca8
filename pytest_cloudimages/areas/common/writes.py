"""What a run has sent that may have changed an image: what of it each request may account for, and for how long."""

import json
import re
import urllib.parse
from collections.abc import Iterator
from typing import NamedTuple

from pytest_cloudimages.areas.common.readings import Reading
from pytest_cloudimages.client.denials import GONE
from pytest_cloudimages.client.exchange import KEPT_OCTETS, TESTER, Exchange

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OF_AN_IMAGE = re.compile(r"/images/([^/]+)(?:/(.*))?")
A_UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DONE_BEFORE = {"data": frozenset({409}), "delete": GONE}
"""How a request is refused, by its kind, that somebody on the way has sent before, and that was carried out then."""
REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 411, 413, 415, 431})
"""Answers of whoever has not done what was asked. Any other may come of somebody who does not know."""
A_RETRY = 600.0
"""Seconds before a request that was sent again: then, at the earliest, it was sent first, and perhaps carried out."""
OF_DATA = frozenset({"size", "checksum"})
"""What an image shows of its data, and some requirement speaks of."""
FORMATS = frozenset({"container_format", "disk_format", "min_disk", "min_ram"})
"""What a service may find out about a disk when it has come."""
NOT_A_SIGN = re.compile(r"[^a-z0-9]")


class Write(NamedTuple):
    """A request that may have changed an image."""

    kind: str
    """What it was: ``create``, ``patch``, ``add``, ``remove`` (a tag), ``data``, ``member``, an action, ``unknown``."""
    sent: float
    answered: float
    refused: bool
    open: bool
    """Whether nobody knows when it takes effect, if it does: its answer was lost, or says no more than "later"."""
    caller: str
    text: str
    """What it names, by letters and digits alone."""
    exchange: Exchange

    @property
    def acknowledged(self) -> bool:
        """Whether it was answered that it is done; what was sent again may have been done before."""
        return _is_done(self.exchange) and not self.exchange.note

    def names(self, attribute: str) -> bool:
        """Return whether it may set an attribute of the image, be it by another way to write its name."""
        if self.kind in ("unknown", "delete"):
            return True
        if self.kind in ("patch", "create"):
            return not self.text or plainly(attribute) in self.text
        if self.kind == "data":
            return attribute == "status" or attribute in OF_DATA | FORMATS
        if self.kind in ("add", "remove"):
            return attribute == "tags"
        # Of some services who an image is shared with is whom it is visible to.
        return attribute == ("visibility" if self.kind == "member" else "status")

    def precedes(self, reading: Reading) -> bool:
        """Return whether it was sent before the answer came that showed a value first."""
        return self.sent <= reading.first.answered

    def meets(self, exchange: Exchange) -> bool:
        """Return whether it was under way while another request was."""
        return self.exchange is not exchange and self.sent < exchange.answered and self.answered > exchange.sent

    def may_act_after(self, moment: float, patience: float) -> bool:
        """Return whether it may take effect, or be seen first, after a moment."""
        return self.open or self.answered + patience >= moment

    def between(self, before: Reading, reading: Reading) -> bool:
        """Return whether it was under way, or done, between two looks."""
        return self.sent < reading.first.answered and self.answered > before.last.sent


def plainly(text: str) -> str:
    """Return the letters and digits of a text, in one case."""
    return NOT_A_SIGN.sub("", text.replace("~1", "").replace("~0", "").lower())


def writes_of(exchange: Exchange, below: str) -> Iterator[tuple[str, Write]]:
    """Yield the ids of the images that a request may have changed, each with what it was; ``below`` is its target."""
    method = exchange.method.upper()
    if method in SAFE:
        return
    path = below.partition("?")[0]
    found = OF_AN_IMAGE.fullmatch(path)
    repeated = bool(exchange.note)
    acknowledged = _is_done(exchange)
    kind = _kind_of(exchange.method, found[2]) if found else "unknown"
    before = DONE_BEFORE.get(kind, ()) if exchange.caller == TESTER else ()
    refused = exchange.status in REFUSALS and exchange.status not in before and not repeated
    write = Write(
        kind,
        exchange.sent - (A_RETRY if repeated else 0.0),
        exchange.answered,
        refused,
        not refused and (repeated or not acknowledged or kind in ("unknown", "delete")),
        exchange.caller,
        _text_of(exchange) if kind in ("patch", "member") else "",
        exchange,
    )
    named = {found[1].lower()} if found and A_UUID.fullmatch(found[1]) else set[str]()
    if not named:
        # Whatever it was, it names them: in a path of its own, as what a task is about, or as the id of a new image.
        body = exchange.body.decode("ascii", "replace") if exchange.method == "POST" else ""
        named = {each.lower() for each in A_UUID.findall(f"{urllib.parse.unquote(below)} {body}")}
    for identifier in named:
        yield identifier, write


def _is_done(exchange: Exchange) -> bool:
    """Return whether a request was answered that what it asks for is done, and not only that it will be."""
    return 200 <= exchange.status < 300 and exchange.status != 202  # noqa: PLR2004 - as HTTP has them


def made_by(exchange: Exchange) -> Write:
    """Return the creation of an image, which may take a while to be what was asked for."""
    text = _text_of(exchange)
    return Write("create", exchange.sent, exchange.answered, False, False, exchange.caller, text, exchange)


def _kind_of(method: str, rest: str | None) -> str:
    """Return what a request to an image, or below it, is."""
    if rest is None:
        return {"PATCH": "patch", "DELETE": "delete"}.get(method, "unknown")
    first, _, more = rest.partition("/")
    if first == "tags" and more and "/" not in more:
        return {"PUT": "add", "DELETE": "remove"}.get(method, "unknown")
    if first in ("file", "stage", "import") and not more:
        return "data"
    if first == "actions" and more in ("deactivate", "reactivate"):
        return more
    if first == "members":
        return "member"
    return "unknown"


def _text_of(exchange: Exchange) -> str:
    """Return what the body of a request names; nothing where it is not held whole, or cannot be read."""
    if len(exchange.body) >= KEPT_OCTETS:
        return ""
    try:
        # Escapes of JSON are undone.
        text = json.dumps(json.loads(exchange.body), ensure_ascii=False)
    except ValueError:
        return ""
    return plainly(text)
