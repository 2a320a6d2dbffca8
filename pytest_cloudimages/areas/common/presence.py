"""Images of one's own that are there all along, and that an answer has not shown all the same. No I/O.

That an image was there is certain where it was seen later, or its deletion was acknowledged. A node may not know yet
what was created a while ago, for as long as patience; after that, nothing hides an image from who has created it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pytest_cloudimages.areas.common.paging import query_of
from pytest_cloudimages.areas.common.readings import Reading, TwoAnswers
from pytest_cloudimages.areas.common.writes import OF_AN_IMAGE
from pytest_cloudimages.client.exchange import KEPT_OCTETS, Exchange
from pytest_cloudimages.spec.mismatch import Allowed

GONE = frozenset({404, 410})
TO_BE_ASKED_FOR = (b"hidden", b"community", b'"/owner"')
"""What a request names that has an image left out of lists that do not ask for such (Rulings, 23), or of one's own."""
OF_A_PROJECT = ("project", "tenant")
"""What the name of a field has by which somebody asks for a project that is not its own."""
THERE = Allowed("the image, which was there before and after", lambda _: False)


class Absence(NamedTuple):
    """An image that an answer has not shown."""

    requirement: str
    image: str
    exchange: Exchange
    sake: str


class Presence:
    """Remembers which images of one's own were there at what time, and which answers have not shown them."""

    def __init__(self) -> None:
        self._made: dict[str, Exchange] = {}
        """The creations of images, by their ids."""
        self._ended: dict[str, float] = {}
        """When a deletion was sent first, whatever came of it."""
        self._there: dict[str, float] = {}
        """When something was asked of an image last that could be done because it was there."""
        self._apart: set[str] = set()
        """Images that need not be in every list."""
        self._absences: list[Absence] = []

    def made(self, identifier: str, exchange: Exchange) -> None:
        """Remember the creation of an image; what is created twice, may be two."""
        if identifier in self._made:
            self._ended[identifier] = 0.0
        self._made[identifier] = exchange
        if _names(exchange):
            self._apart.add(identifier)

    def asked(self, exchange: Exchange, below: str, sake: str) -> None:
        """Remember a request that is about one image."""
        found = OF_AN_IMAGE.fullmatch(below.partition("?")[0])
        if found is None or found[1] not in self._made:
            return
        identifier, itself = found[1], not found[2]
        if itself and exchange.method == "DELETE":
            self._ended.setdefault(identifier, exchange.sent)
        if _names(exchange):
            self._apart.add(identifier)
        if 200 <= exchange.status < 300:  # noqa: PLR2004 - the class of codes
            self._there[identifier] = max(self._there.get(identifier, 0.0), exchange.sent)
        elif itself and exchange.method == "GET" and exchange.status in GONE:
            self._note("IMG-GET-01", identifier, exchange, sake)

    def listed(self, exchange: Exchange, path: str, data: Mapping[str, Any], sake: str) -> None:
        """Remember which images a list lacks that says that it is whole."""
        entries, query = data.get("images"), query_of(exchange.target)
        if path != "/images" or exchange.method != "GET" or not isinstance(entries, list):
            return
        if data.get("next") or any(key != "limit" for key, _ in query):
            return
        if any(not value.isdecimal() or len(entries) >= int(value) for _, value in query):
            return
        shown = {str(entry.get("id")).lower() for entry in entries if isinstance(entry, dict)}
        for identifier in self._made.keys() - self._ended.keys() - self._apart:
            if identifier.lower() not in shown:
                self._note("IMG-LIST-02", identifier, exchange, sake)

    def _note(self, requirement: str, identifier: str, exchange: Exchange, sake: str) -> None:
        by_itself = exchange.caller == self._made[identifier].caller and not _asks_for_a_project(exchange)
        if by_itself and identifier not in self._ended:
            self._absences.append(Absence(requirement, identifier, exchange, sake))

    def violations(self, patience: float) -> Iterator[TwoAnswers]:
        """Yield the answers that have not shown an image that was there."""
        for requirement, identifier, exchange, sake in self._absences:
            made = self._made[identifier]
            known = made.answered + patience < exchange.sent
            later = self._there.get(identifier, 0.0) > exchange.answered
            if known and later and self._ended.get(identifier, exchange.answered) >= exchange.answered:
                what = "status" if requirement == "IMG-GET-01" else f"the image {identifier}"
                reading = Reading(None, exchange.status, exchange, exchange, "", sake, listed=False)
                yield TwoAnswers(requirement, exchange.status, THERE, what, made, reading)


def _names(exchange: Exchange) -> bool:
    """Return whether a request may have an image left out of lists; of a long body its beginning alone is held."""
    return len(exchange.body) >= KEPT_OCTETS or any(word in exchange.body for word in TO_BE_ASKED_FOR)


def _asks_for_a_project(exchange: Exchange) -> bool:
    return any(word in name.lower() for name, _ in exchange.headers for word in OF_A_PROJECT)
