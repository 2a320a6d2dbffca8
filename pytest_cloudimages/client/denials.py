"""Deletions that were answered as if there had been nothing to delete, of what was there, as far as the run knows.

"… the request can be repeated automatically if a communication failure occurs before the client is able to read the
server's response." (RFC 9110, 9.2.2, of idempotent methods.) Whoever does so on the way, a proxy for one, hands on what
the repetition of a deletion is answered: 404, though it was carried out. From one look that cannot be told from a
service that answers wrongly; whether it comes again where the same is done again tells them apart.
"""

from __future__ import annotations

import re
import threading
import urllib.parse
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.exchange import TESTER, Purpose
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from pytest_cloudimages.client.answers import Answer
    from pytest_cloudimages.client.exchange import Exchange

GONE = frozenset({404, 410})
"""How the deletion of what is not there is answered."""
OFTEN, MORE = 4, 4
"""How often a deletion has to be denied at the same place to be the service's own doing, and how much more often where
some are known to have been sent twice.

Where one in six is sent twice, one in thirteen hundred meets that four times in a row, and one in a million and a half
eight times.
"""
CERTAIN = 3
"""After so many that were denied each time, and none that was not, a service is known to do so by itself."""
AN_IMAGE = re.compile(r".*?/images(?:/([^/]+)(?:/(tags|members)(?:/([^/]+))?)?)?")
BY_CHANCE = re.compile(r"[0-9a-f]{8}[-0-9a-f]*", re.IGNORECASE)
"""What of a target is another one each time: ids, and names that nobody else has."""
TOLD = "somebody on the way may have sent it twice (RFC 9110, 9.2.2)"


@dataclass
class _Known:
    """What is known to be there of one image."""

    owner: str
    """Who has created it."""
    shown: Answer | None = None
    """What it has shown of itself last."""
    values: dict[tuple[str, str], bool] = field(default_factory=dict)
    """What was added to it, or taken off it, since then: tags, and members at any time."""
    seen_by: set[str] = field(default_factory=set)
    """Whom it was shown to."""

    def there(self, kind: str, value: str) -> bool:
        if (found := self.values.get((kind, value))) is not None:
            return found
        return kind == "tags" and value in _tags(self.shown)


@dataclass
class Denial:
    """A deletion that was denied."""

    exchange: Exchange
    sake: str
    """The workload, or the requirement, for whose sake it was sent."""
    image: str
    kind: str
    """What was to be deleted: ``tags``, ``members`` of an image; empty for the image itself."""
    value: str
    time: int
    """Of how many like it, for this sake, it was the last so far."""
    gone: bool
    """Whether it was carried out, as far as is known: who owns an image is believed to be allowed to delete."""
    judged: bool = False

    @property
    def open(self) -> bool:
        """Whether it was carried out, and nobody has judged it."""
        return self.gone and not self.judged

    @property
    def place(self) -> tuple[str, str, int]:
        """What tells it from other deletions of the same workload, or check, also when that is done on other images."""
        return *_likes(self.exchange), self.time


class Denials:
    """What a run knows to be there, and the deletions of it that were denied; one of these serves all threads.

    What several clients do at once is not known here: no order of it is.
    """

    def __init__(self) -> None:
        self.passed: list[Exchange] = []
        """Those that did not come again where the same was done again."""
        self.undecided: set[str] = set()
        """For whose sake something was denied however often it was done, and never the same."""
        self.acknowledged = 0
        """How many deletions of tags and members were acknowledged."""
        self._stood = 0
        """How often a deletion was denied each time."""
        self._known: dict[str, _Known] = {}
        self._all: list[Denial] = []
        self._well: set[tuple[str, str, str]] = set()
        """What deletions that were acknowledged have in common."""
        self._times = Counter[tuple[str, str, str]]()
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"<Denials: {len(self._all)}, of which {len(self.passed)} passed>"

    def look(self, answer: Answer, sake: str) -> None:
        """Take an answer into account that counts."""
        exchange = answer.exchange
        found = AN_IMAGE.fullmatch(exchange.target.partition("?")[0])
        if found is None or not (answer.ok or answer.status in GONE):
            return
        image, kind, value = found[1] or "", found[2] or "", urllib.parse.unquote(found[3] or "")
        with self._lock:
            if exchange.method == "DELETE":
                self._deleted(answer, sake, image, kind, value)
            elif not answer.ok:
                self._is_gone(answer, image, kind)
            elif exchange.method in ("GET", "PATCH"):
                self._shows(answer, image, kind, value)
            else:
                self._added(answer, image, kind, value)

    def never_well(self, denials: Iterable[Denial]) -> Counter[tuple[str, str, str]]:
        """Count denials by what they have in common with others, where no such deletion was ever acknowledged."""
        return Counter(likes for each in denials if (likes := (each.sake, *_likes(each.exchange))) not in self._well)

    def since(self, mark: int, sakes: Collection[str] = ()) -> list[Denial]:
        """Return what was denied since a mark and is open, for these sakes, or any."""
        with self._lock:
            return [each for each in self._all[mark:] if each.open and (not sakes or each.sake in sakes)]

    def begin(self, sakes: Collection[str]) -> int:
        """Count deletions anew for these sakes, and return how many were denied so far: what is done begins again."""
        with self._lock:
            for key in [key for key in self._times if key[0] in sakes]:
                del self._times[key]
            return len(self._all)

    @property
    def often(self) -> int:
        """How often a deletion has to be denied at the same place, as things are, to be the service's own doing."""
        if self.passed:
            return OFTEN + min(len(self.passed), MORE)
        return OFTEN if self._stood < CERTAIN else 1

    def stands(self) -> None:
        """Remember that a deletion was denied each time."""
        self._stood += 1

    def settle(self, exchanges: Iterable[Exchange]) -> None:
        """Take deletions for judged by who has sent them."""
        judged = {id(exchange) for exchange in exchanges}
        with self._lock:
            for each in self._all:
                each.judged = each.judged or id(each.exchange) in judged

    def let_pass(self, exchanges: Iterable[Exchange]) -> None:
        """Remember deletions that were denied, and were not where the same was done again."""
        found = [*exchanges]
        self.settle(found)
        with self._lock:
            self.passed += found

    def summary(self) -> Iterator[str]:
        """Yield what the tester has to hear of it, if anything."""
        if self.passed:
            first, *more = self.passed
            times = f", and so {'were' if more[1:] else 'was'} {len(more)} more" if more else ""
            yield (
                f"answered {first.status} though it was carried out: {first.method} {first.target}{times};"
                f" asked again, all was well: {TOLD}"
            )

    def _of(self, image: str) -> _Known:
        return self._known.setdefault(image, _Known(TESTER))

    def _deleted(self, answer: Answer, sake: str, image: str, kind: str, value: str) -> None:
        likes = sake, *_likes(answer.exchange)
        self._times[likes] += 1
        if answer.ok:
            self._well.add(likes)
        whole, known = not kind, self._known.get(image)
        if known is None or not (whole or value):
            return
        if answer.ok:
            self.acknowledged += not whole
        elif answer.exchange.purpose is not Purpose.CLEANING and (whole or known.there(kind, value)):
            owns = answer.exchange.caller == known.owner
            self._all.append(Denial(answer.exchange, sake, image, kind, value, self._times[likes], owns))
        # Whether it was carried out is shown by who is asked next.
        if not whole:
            known.values[kind, value] = False
        elif answer.ok:
            del self._known[image]

    def _is_gone(self, answer: Answer, image: str, kind: str) -> None:
        known = self._known.get(image)
        looked = answer.exchange.method == "GET" and not kind
        if known is None or not looked or answer.exchange.caller not in known.seen_by:
            return
        for each in self._of_image(answer, image):
            each.gone = each.gone or not each.kind

    def _added(self, answer: Answer, image: str, kind: str, value: str) -> None:
        post, shown = answer.exchange.method == "POST", _object(answer)
        if kind == "tags" and value:
            self._of(image).values[kind, value] = True
        elif post and kind == "members" and isinstance(member := shown.get("member_id"), str):
            self._of(image).values[kind, member] = True
        elif post and not image and isinstance(created := shown.get("id"), str):
            self._known[created] = _Known(answer.exchange.caller, answer, seen_by={answer.exchange.caller})

    def _shows(self, answer: Answer, image: str, kind: str, value: str) -> None:
        if kind == "members" and not value:
            self._lists(answer, image)
        elif image and not kind and answer.status == 200:  # noqa: PLR2004 - as HTTP has it
            self._represents(answer, image)

    def _represents(self, answer: Answer, image: str) -> None:
        known, tags = self._of(image), _tags(answer)
        for each in self._of_image(answer, image):
            if not each.kind:
                each.gone = False
            elif each.kind == "tags" and not known.values.get((each.kind, each.value)):
                each.gone = each.value not in tags
        known.shown = answer
        known.seen_by.add(answer.exchange.caller)
        known.values = {key: there for key, there in known.values.items() if key[0] != "tags"}

    def _lists(self, answer: Answer, image: str) -> None:
        members = _object(answer).get("members")
        if not isinstance(members, list):
            return
        known, listed = self._of(image), {each.get("member_id") for each in members if isinstance(each, dict)}
        for each in self._of_image(answer, image):
            if each.kind == "members" and not known.values.get((each.kind, each.value)):
                each.gone = each.value not in listed
        known.values |= {("members", member): True for member in listed if isinstance(member, str)}

    def _of_image(self, answer: Answer, image: str) -> list[Denial]:
        """Return what was denied of an image before something was asked of it, and nobody has judged."""
        sent = answer.exchange.sent
        return [
            each for each in self._all if each.image == image and each.exchange.answered <= sent and not each.judged
        ]


def _likes(exchange: Exchange) -> tuple[str, str]:
    """Return what deletions have in common that differ by chance alone."""
    return exchange.caller, BY_CHANCE.sub("*", exchange.target)


def _object(answer: Answer | None) -> dict[str, Any]:
    """Return the object that an answer shows; an empty one where it shows none that can be read."""
    try:
        return answer.document if answer is not None else {}
    except Blocked:
        return {}


def _tags(answer: Answer | None) -> list[Any]:
    tags = _object(answer).get("tags")
    return tags if isinstance(tags, list) else []
