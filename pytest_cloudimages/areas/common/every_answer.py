"""What every answer of a run shows, whoever asked for what: looked at when it comes, and only what departs is kept.

Checks look at what was asked for their sake. A service that is wrong under one condition alone is seen by whoever meets
that condition, and asks for something else. So each answer is looked at once more here, at the cost of no request: its
header fields, and the form of the images, members and tasks of our own that it shows. What others have made may be
anything. The checks of ``conformance/test_every_answer.py`` say what was found; each finding names for whose sake the
request was sent, so that it can be asked again.
"""

import functools
import re
import threading
import time
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pytest_cloudimages.areas.common.checks import A_CHALLENGE, A_DATE
from pytest_cloudimages.areas.common.followed_links import plain_path
from pytest_cloudimages.areas.common.forms import IMAGE, LISTED_IMAGE, LISTED_TASK, MEMBER, TASK, Form, Rule
from pytest_cloudimages.areas.common.over_time import OverTime
from pytest_cloudimages.areas.common.writes import SAFE, plainly
from pytest_cloudimages.client.exchange import Exchange, Purpose
from pytest_cloudimages.client.images import GOING
from pytest_cloudimages.client.json_documents import NotRead, parsed
from pytest_cloudimages.client.links import led_to
from pytest_cloudimages.client.recorder import Traces
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.claims import OF_RUN
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.engine.what_stays import target_of
from pytest_cloudimages.spec.mismatch import SOMETHING, Allowed, expect, fits
from pytest_cloudimages.spec.verdicts import Blocked

MOST_KEPT = 500
"""Violations that are kept: of each requirement, and for whose sake the request was sent, the first."""
SHOWN_WITH = {
    # What else a service may offer there, it answers as it likes.
    ("images", False, False, False): ("GET", "POST"),
    ("images", True, False, False): ("GET", "PATCH"),
    ("images", True, True, False): ("GET", "POST"),
    ("images", True, True, True): ("GET", "PUT"),
    ("tasks", False, False, False): ("GET", "POST"),
    ("tasks", True, False, False): ("GET",),
}
"""The methods that the API has, by what stands in a target: a collection, an id, members, and one of them."""
BY_METHOD = {"GET": "IMG-GET-01", "PATCH": "IMG-UPD-01"}
"""The requirement that what was asked for is what is shown."""
PLACE = re.compile(r"/(images|tasks)(?:/([^/]+)(?:/(members)(?:/([^/]+))?)?)?$")
A_LIMIT = re.compile(r"[0-9]{1,9}")
JSON = Allowed(
    "application/json",
    # A field that is there twice says it twice.
    lambda text: all(part.partition(";")[0].strip().lower() == "application/json" for part in str(text).split(",")),
)
DOCUMENT = Allowed("a JSON object", lambda data: isinstance(data, dict))
ALLOWS = Allowed("the methods that are allowed", lambda value: value is not None)
NO_MORE = Allowed("each id once", lambda ids: len(ids) == len({*ids}))
NOT_THERE = object()
ENDED = ("success", "failure")
NOTHING_WRONG = ("None", "", None)
EXPLAINED = (401, 403, 404, 405, 409)
"""Statuses that a service itself gives; what cannot be read at all, whoever stands before it may refuse."""
Found = tuple[str, object, object, str]
"""A requirement, what came, what was expected, and what was compared."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What was seen that is not as a requirement has it."""

    requirement: str
    actual: object
    expected: object
    what: str
    exchange: Exchange
    sake: str
    """The workload, or else the test, for whose sake the request was sent."""
    earlier: Exchange | None = None
    """The answer that says otherwise, where it takes two to see it."""


@dataclass
class EveryAnswer:
    """Looks at every answer of a run as it comes."""

    endpoint: str
    traces: Traces
    lent: frozenset[str] = frozenset()
    run: str = ""
    """The id of the run, which its images have for a property."""
    over_time: OverTime = field(default_factory=lambda: OverTime(0.0))
    """What the answers say one after another."""
    violations: dict[tuple[str, str], Violation] = field(default_factory=dict)
    """The first violation of each requirement that was met for somebody's sake."""
    looked: int = 0
    """How many answers were looked at."""
    _own: set[str] = field(default_factory=set)
    """Ids of images and tasks that were created here, by whatever request."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        """Know what stands before the targets of requests."""
        self._base = urllib.parse.urlsplit(self.endpoint).path
        self._forgotten: dict[str, float] = {}
        self._told: tuple[int, Sequence[Violation]] = (0, ())

    def look(self, exchange: Exchange, sake: str) -> None:
        """Look at an exchange that was made for the sake of a workload, or a test; at none that cleans up."""
        if not exchange.target.startswith(f"{self._base}/"):
            return
        below = exchange.target.removeprefix(self._base)
        with self._lock:
            if exchange.method not in SAFE:
                self.over_time.wrote(exchange, below)
            self.over_time.presence.asked(exchange, below, sake)
            if exchange.purpose in (Purpose.CLEANING, Purpose.EXPLAINING) or not exchange.status:
                return
            self.looked += 1
            for requirement, actual, expected, what in self._violations(exchange, sake):
                if sake and (requirement, sake) not in self.violations and len(self.violations) < MOST_KEPT:
                    told = f"{what} in {exchange}"
                    self.violations[requirement, sake] = Violation(requirement, actual, expected, told, exchange, sake)

    def forget(self, sakes: Iterable[str]) -> None:
        """Forget what was met for the sake of some workloads, which are made again."""
        forgotten = {*sakes}
        for key in [key for key in self.violations if key[1] in forgotten]:
            del self.violations[key]
        self._forgotten |= dict.fromkeys(forgotten, time.monotonic())

    def of(self, requirement: str) -> Sequence[Violation]:
        """Return the violations of a requirement, in the order in which they were met."""
        with self._lock:
            found = [found for found in self.violations.values() if found.requirement == requirement]
            return [*found, *(each for each in self._over_time() if each.requirement == requirement)]

    def _over_time(self) -> Sequence[Violation]:
        """Return what no two answers can say one after the other."""
        if self._told[0] != self.looked:
            found = []
            for requirement, actual, expected, what, earlier, later, _ in self.over_time.violations():
                if later.sake and later.first.answered > self._forgotten.get(later.sake, 0.0):
                    told = f"{what} in {later.first}" + (f", after {earlier}" if earlier is not later.first else "")
                    found.append(Violation(requirement, actual, expected, told, later.first, later.sake, earlier))
            self._told = (self.looked, found)
        return self._told[1]

    def _violations(self, exchange: Exchange, sake: str) -> Iterator[Found]:
        path, _, query = exchange.target.removeprefix(self._base).partition("?")
        fields = {name.lower(): value for name, value in exchange.answer_headers}
        yield from _of_fields(exchange, fields, path)
        place = PLACE.fullmatch(path)
        if place is None or not 200 <= exchange.status < 300:  # noqa: PLR2004
            return
        if exchange.method not in SHOWN_WITH.get((place[1], bool(place[2]), bool(place[3]), bool(place[4])), ()):
            return
        if not exchange.answer or exchange.status == 204 or not _asks_for_json(exchange):  # noqa: PLR2004
            return
        kind = fields.get("content-type")
        if not JSON.holds(kind):
            yield "GEN-01", kind, JSON, "Content-Type"
        if exchange.size > len(exchange.answer):
            return  # its end is not held
        try:
            data = parsed(exchange.answer)
        except NotRead:
            return
        if not isinstance(data, dict):
            yield "GEN-01", type(data).__name__, DOCUMENT, "document"
            return
        self.over_time.presence.listed(exchange, path, data, sake)
        self._remember(exchange, place, data, sake, whole=exchange.method == "GET" and not query)
        yield from self._of_document(exchange, place, data, query)

    def _remember(
        self, exchange: Exchange, place: re.Match[str], data: Mapping[str, Any], sake: str, *, whole: bool
    ) -> None:
        """Remember what an answer shows of what is our own alone: others may change what is lent."""
        collection, identifier, members, member = place.groups()
        if identifier in self.lent:
            return
        entries = [data] if (member if members else identifier) or exchange.method == "POST" else None
        if entries is None:
            shown = data.get("members" if members else collection)
            entries = [entry for entry in shown if isinstance(entry, dict)] if isinstance(shown, list) else []
        if members:
            for entry in entries if self._is_ours(identifier) else ():
                self.over_time.saw_member(entry, identifier, exchange, sake)
            return
        if collection == "images" and exchange.method == "POST":
            self.over_time.made_image(data, exchange)
            return
        for entry in entries:
            made = exchange.method == "POST" or (
                identifier in (None, entry.get("id")) and self._is_ours(entry.get("id"))
            )
            if made and collection == "tasks":
                self.over_time.saw_task(entry, exchange, sake)
            elif made and entry.get("status") not in GOING and entry.get("id") not in self.lent:
                self.over_time.saw_image(entry, exchange, sake, whole=whole and bool(identifier))
                if exchange.method == "PATCH" and exchange.purpose is Purpose.PREPARING:
                    # What is sent to be judged, is judged by those who send it.
                    self.over_time.patched(entry, exchange, sake)

    def _of_document(
        self, exchange: Exchange, place: re.Match[str], data: Mapping[str, Any], query: str
    ) -> Iterator[Found]:
        collection, identifier, members, _ = place.groups()
        if members:
            if self._is_ours(identifier):
                yield from self._of_members(exchange, place, data)
        elif exchange.method == "POST" and not identifier:
            made = data.get("id")
            if isinstance(made, str) and made not in self.traces.of_others:
                self._own.add(made)
            # What is always there, is where it is asked for; the answer to a creation may say less of it.
            yield from self._of(TASK if collection == "tasks" else IMAGE, data, place[0], whole=False)
        elif identifier:
            if self._is_ours(identifier):
                due = "TASK-GET-01" if collection == "tasks" else BY_METHOD[exchange.method]
                yield from _of_another(due, "id", data, identifier)
                yield from self._of(TASK if collection == "tasks" else IMAGE, data, place[0])
        elif exchange.method == "GET":
            yield from self._of_list(collection, data, query)

    def _is_ours(self, identifier: object) -> bool:
        return isinstance(identifier, str) and (
            identifier in self._own or identifier in self.traces.created or identifier in self.lent
        )

    def _of_list(self, collection: str, data: Mapping[str, Any], query: str) -> Iterator[Found]:
        entries = data.get(collection)
        if not isinstance(entries, list):
            yield f"{'TASK' if collection == 'tasks' else 'IMG'}-LIST-01", _kind(entries), "list", collection
            return
        shown = [entry for entry in entries if isinstance(entry, dict)]
        # Of tasks a limit is a recommendation, which those judge who ask with one.
        limit = urllib.parse.parse_qs(query).get("limit", [""]) if collection == "images" else [""]
        if len(limit) == 1 and A_LIMIT.fullmatch(limit[0]) and len(entries) > int(limit[0]):
            most = Allowed(f"at most {limit[0]}", lambda count: count <= int(limit[0]))
            yield "PAGE-03", len(entries), most, f"number of {collection}"
        own = [entry for entry in shown if self._is_ours(entry.get("id"))]
        twins = (entry.get("id") for entry in shown if self.run and entry.get(OF_RUN) == self.run and entry not in own)
        self.traces.unknown.update(each for each in twins if isinstance(each, str))
        # A task that goes on in that moment may be met where it was and where it is.
        under_way = [entry.get("status") not in ENDED for entry in own] if collection == "tasks" else []
        ids = [entry["id"] for entry in own]
        if not NO_MORE.holds(ids) and not any(under_way):
            yield "IMG-ENT-03" if collection == "images" else "TASK-LIST-01", ids, NO_MORE, "ids of our own"
        form = LISTED_TASK if collection == "tasks" else LISTED_IMAGE
        for entry in own:
            yield from self._of(form, entry, f"/{collection}")

    def _of_members(self, exchange: Exchange, place: re.Match[str], data: Mapping[str, Any]) -> Iterator[Found]:
        entries = data.get("members") if exchange.method == "GET" and not place[4] else [data]
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict):
                yield from _of_another("MEM-ENT-01", "image_id", entry, place[2])
                yield from _of_another("MEM-ENT-03", "member_id", entry, place[4])
        if exchange.method != "GET" or place[4]:
            yield from self._of(MEMBER, data, place[0], whole=exchange.method == "GET")
            return
        entries = data.get("members")
        if not isinstance(entries, list):
            yield "MEM-LIST-01", _kind(entries), "list", "members"
            return
        # It is the owner who is to have the link. (Whoever is no member may have an empty list: rulings, 22.)
        of_owner = self.traces.created_by.get(place[2]) == exchange.caller
        if of_owner and "schema" not in data:
            yield "MEM-LIST-01", sorted(data), "schema among them", "attributes of the list of members"
        elif "schema" in data and not self._leads(data["schema"], "/schemas/members", place[0]):
            yield "MEM-ENT-04", data.get("schema"), "/schemas/members", "where schema of the list leads"
        shown = [entry for entry in entries if isinstance(entry, dict)]
        ids = [entry["member_id"] for entry in shown if isinstance(entry.get("member_id"), str)]
        if not NO_MORE.holds(ids):
            yield f"MEM-LIST-0{1 if of_owner else 2}", ids, NO_MORE, "ids of members"
        for entry in shown:
            yield from self._of(MEMBER, entry, place[0], whole=of_owner)

    def _of(self, form: Form, shown: Mapping[str, Any], target: str, *, whole: bool = True) -> Iterator[Found]:
        """Yield where something that the answer to a target shows departs from its form.

        ``whole``: and where it lacks what is always there.
        """
        if form in (IMAGE, LISTED_IMAGE) and shown.get("status") in GOING:
            return
        for name in form.names if whole else ():
            if name not in shown:
                yield form.guaranteed, sorted(shown), f"{name} among them", f"attributes of {form.what}"
        for rule in form.rules:
            if (value := shown.get(rule.name, NOT_THERE)) is NOT_THERE:
                continue
            if not (_fits_text(value, rule) if type(value) is str else fits(value, rule.allowed)):
                yield rule.requirement, value, rule.allowed, f"{rule.name} of {form.what}"
        for requirement, name, end in form.links:
            due = end.format(shown.get("id"))
            # One that is always there, and is not, is missed above.
            missed = whole and form is not LISTED_IMAGE and name not in form.names
            if (name in shown or missed) and not self._leads(shown.get(name), due, target):
                yield requirement, shown.get(name), due, f"where {name} of {form.what} leads"
        if form is TASK and shown.get("status") in ENDED:
            yield from _of_ended(shown)

    def _leads(self, link: object, end: str, target: str) -> bool:
        if link == f"{self._base}{end}":
            return True  # as nearly all of them
        try:
            return (
                isinstance(link, str)
                and bool(link)
                and plain_path(led_to(self.endpoint, target, link)) == plain_path(end)
            )
        except Blocked:
            return False


_is_date = functools.lru_cache(maxsize=64)(A_DATE.holds)
"""Many answers are of one second."""


@functools.lru_cache(maxsize=4096, typed=True)
def _fits_text(value: str, rule: Rule) -> bool:
    """Return whether a text is as a rule has it: most of them come again and again."""
    return fits(value, rule.allowed)


def _of_fields(exchange: Exchange, fields: Mapping[str, str], path: str) -> Iterator[Found]:
    """Yield which header fields an answer lacks."""
    tagged = "/tags/" in path
    if (200 <= exchange.status < 300 or exchange.status in EXPLAINED) and not _is_date(fields.get("date")):  # noqa: PLR2004
        yield "TAG-RESP-02" if tagged else "GEN-14", fields.get("date"), A_DATE, "Date"
    if exchange.status == 401 and not A_CHALLENGE.holds(fields.get("www-authenticate")):  # noqa: PLR2004
        yield "TAG-AUTH-03" if tagged else "AUTH-03", fields.get("www-authenticate"), A_CHALLENGE, "WWW-Authenticate"
    if tagged and exchange.status == 204 and exchange.method in ("PUT", "DELETE"):  # noqa: PLR2004
        for name in ("Content-Length", "Transfer-Encoding"):
            if (length := fields.get(name.lower())) is not None:
                yield "TAG-RESP-01", length, None, name
    explained = 200 <= exchange.status < 300 or exchange.status in EXPLAINED  # noqa: PLR2004
    if tagged and explained and exchange.answer and not fields.get("content-type"):
        yield "TAG-RESP-04", fields.get("content-type"), SOMETHING, "Content-Type"
    if exchange.status == 405 and not tagged and not ALLOWS.holds(fields.get("allow")):  # noqa: PLR2004
        yield "GEN-11", fields.get("allow"), ALLOWS, "Allow"


def _of_another(requirement: str, name: str, shown: Mapping[str, Any], asked: str | None) -> Iterator[Found]:
    """Yield where a document is about something else than what was asked for, however ids are written."""
    value = shown.get(name)
    if asked and isinstance(value, str) and plainly(value) != plainly(urllib.parse.unquote(asked)):
        yield requirement, value, asked, name


def _of_ended(task: Mapping[str, Any]) -> Iterator[Found]:
    """Yield what a task lacks that has ended."""
    if not task.get("expires_at"):
        yield "TASK-ENT-04", task.get("expires_at"), SOMETHING, "expires_at of the task, which has ended"
    if task["status"] == "failure" and task.get("message", task) in NOTHING_WRONG:
        yield "TASK-ENT-06", task["message"], SOMETHING, "message of the task, which has failed"
    if task["status"] == "success" and not isinstance(task.get("result"), dict):
        yield "TASK-ENT-05", _kind(task.get("result")), DOCUMENT, "result of the task, which has succeeded"


def _asks_for_json(exchange: Exchange) -> bool:
    """Return whether a request asks for JSON; what comes where none is asked for is GEN-05's to say."""
    asked = [value for name, value in exchange.headers if name.lower() == "accept"]
    return bool(asked) and all(value == "application/json" for value in asked)


def _kind(value: object) -> str:
    return type(value).__name__


def look_for_what_stays(run: Run) -> None:
    """List the images that are of the run by their own word: one that was deleted long before is none of them."""
    if run.recorder.traces.created and not run.problem:
        with suppress(Blocked):
            run.client.send("GET", target_of(run))


def expect_nowhere(run: Run, requirement: str) -> None:
    """Raise ``Mismatch`` where any answer of the run has shown something that is not as a requirement has it."""
    __tracebackhide__ = True
    seen, record = run.recorder.onlooker, recording.current_check()
    found = seen.of(requirement) if isinstance(seen, EveryAnswer) else ()
    record.sakes = tuple(violation.sake for violation in found)
    # That nothing was met is no case: whoever asks for it says how much was looked at.
    record.silent = not found
    if found:
        first = found[0]
        record.case([first.earlier, first.exchange] if first.earlier else [first.exchange])
        # Whoever asks for it again has to send what was sent for the same sake.
        what = f"{first.what}, met in passing, asked for {first.sake}"
        expect(first.actual, first.expected, what)
        raise AssertionError(what)
