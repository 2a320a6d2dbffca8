"""When a request is sent again: what trouble on the way, and services that ask to wait, make of one request."""

from __future__ import annotations

import re
import time
import urllib.parse
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import requests

from pytest_cloudimages.client.answers import brief
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.moments import moment_of_header
from pytest_cloudimages.client.outage import outlasted, raise_if_given_up
from pytest_cloudimages.client.reachability import why_no_tls
from pytest_cloudimages.client.trouble import LOST, NO_ANSWER, OVERLOAD, TROUBLE, pause_before
from pytest_cloudimages.spec.verdicts import LostAnswer, Trouble

if TYPE_CHECKING:
    from pytest_cloudimages.client.answers import Answer
    from pytest_cloudimages.client.session import ImagesClient, PreparedRequest

LONGEST_WAIT = 60.0
"""Seconds that a service may ask us to wait, in all, before one request is answered."""
MOST_WAITS = 5
"""How often it may ask for it."""
SECONDS = re.compile(r"(\d+(?:\.\d+)?) ?(?:s|sec|seconds)?")
"""A number of seconds, also as HTTP does not have it: that is asked by TAG-RESP-07, and its sender is waited for."""
UNANSWERED = "not answered within"
"""How a note begins that says so of a request."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
TAG_ADDRESS = re.compile(r"(/images/[^/?]+)/tags/([^/?]+)")
MEANT_OTHERWISE = {"DELETE": (404, 410), "POST": (409,), "PUT": (409,), "PATCH": (409,)}
"""Answers that a repetition gets where the first request was carried out, and that it may get anyway."""


@dataclass
class Effort:
    """What was tried to have one request answered."""

    client: ImagesClient
    request: PreparedRequest
    note: str = ""
    _tries: int = 0
    _waits: int = 0
    _waited: float = 0.0
    _lost: bool = False
    _pace: float = 0.0
    _begun: float = field(default_factory=time.monotonic)

    def goes_on(self, answer: Answer) -> bool:
        """Whether the request is to be sent again; returns when it is time for it.

        Raises ``Trouble`` where that has no end.
        """
        way, status = self.client.transport.way, answer.status
        self._tries += 1
        if self._tries == 1:
            way.first(status)
            self._pace = way.pace.interval
        disturbances = self.client.recorder.disturbances
        disturbances.met(status, answer.exchange.note)
        pause = asked_to_wait(self.request.method, answer)
        if pause is None and status not in TROUBLE:
            way.pace.content()
            return False
        kind = (self.request.method, bool(self.request.body), status)
        if status in OVERLOAD and "Retry-After" not in answer.headers and not way.knows(kind):
            way.pace.complained()
        raise_if_given_up(self.client)
        again = self._tries_again(answer, kind) if pause is None else self._waits_as_asked(answer, pause, kind)
        if again:
            disturbances.sent_again()
        if again and status in LOST:
            self._lost = self._lost or self._perhaps_done()
        return again

    def _waits_as_asked(self, answer: Answer, pause: float, kind: tuple[str, bool, int]) -> bool:
        own = answer.status == 413 and "Retry-After" not in answer.headers  # noqa: PLR2004 - as HTTP has it
        if own and self.client.transport.way.knows(kind):
            return False
        if self._waits < MOST_WAITS and self._waited + pause <= LONGEST_WAIT:
            self._waits += 1
            self._rest(pause)
            self.note = f"repeated after {pause:g} s, as {answer.status} asked"
            return True
        if own:
            # Nobody waits for ever to take a tag off: no passing load, but a limit that this request runs into.
            self.client.transport.way.blames(kind)
            return False
        if self._outlasts(answer):
            return True
        raise Trouble(
            f"{self.request} is answered {answer.status} again and again, after {self._waited:g} s of waiting."
        )

    def _tries_again(self, answer: Answer, kind: tuple[str, bool, int]) -> bool:
        way, status = self.client.transport.way, answer.status
        silent = answer.exchange.note.startswith(UNANSWERED)
        self.note = f"repeated after {status}" if status else "repeated after the connection broke"
        # A connection that takes as long as an answer may is not tried a dozen times where nobody is answered.
        slow = not status and answer.exchange.answered - answer.exchange.sent >= self.client.transport.timeout
        if slow and self._outlasts(answer):
            return True
        if not silent and self._tries < way.enough(kind):
            self._rest(pause_before(self._tries, status))
            return True
        if not slow and self._outlasts(answer):
            return True
        if status and status < 500:  # noqa: PLR2004 - the class of codes
            raise Trouble(f"{self.request} is answered {status} again and again, {self._tries} times.")
        way.blames(kind)
        # It was not asked too fast, after all.
        way.pace.interval = self._pace
        return False

    def _outlasts(self, answer: Answer) -> bool:
        """Return whether the service was out of reach, and is back. Raise ``Trouble`` where it stays so."""
        why = f"{answer.status} to everything" if answer.status else answer.exchange.note
        before = time.monotonic()
        if not outlasted(self.client, why, max(self._waited, before - self._begun)):
            return False
        self._waited += time.monotonic() - before
        self._tries, self._waits = 1, 0  # what the outage met says nothing of this request
        return True

    def _rest(self, pause: float) -> None:
        cleans = self.client.recorder.purpose is Purpose.CLEANING
        (time.sleep if cleans else self.client.transport.way.rest)(pause)
        self._waited += pause

    def _perhaps_done(self) -> bool:
        """Whether the request may have been carried out, so that its repetition would mean something else."""
        request, client = self.request, self.client
        if request.idle or request.method not in MEANT_OTHERWISE:
            return False
        found = TAG_ADDRESS.fullmatch(request.target.removeprefix(client.base))
        if request.method != "DELETE" or not found:
            return True
        with client.recorder.of(Purpose.PREPARING):
            shown = client.send("GET", found[1])
        if shown.status in (401, 403, 404):
            return False  # who does not see the image has taken nothing off it
        data = shown.data if isinstance(shown.data, dict) else {}
        tags = data.get("tags")
        return not isinstance(tags, list) or urllib.parse.unquote(found[2]) not in tags

    def concluded(self, answer: Answer) -> Answer:
        """Return the answer that counts. Raises ``LostAnswer`` where it may be due to what was sent before."""
        if self._lost and answer.status in MEANT_OTHERWISE.get(self.request.method, ()):
            raise LostAnswer(f"{self.request} lost its answer, and its repetition was answered {answer.status}.")
        if answer.status == NO_ANSWER:
            # What broke off is written down once it is known that no repetition mends it.
            times = f", {self._tries} times" if self._tries > 1 else ""
            exchange = replace(answer.exchange, note=f"{answer.exchange.note}{times}")
            self.client.recorder.add(exchange)
            return replace(answer, exchange=exchange)
        self.client.recorder.counts_for(answer)
        return answer


def why_unanswered(problem: Exception, timeout: float) -> str:
    """Return why an answer did not come, as a note says it."""
    if isinstance(problem, requests.ConnectTimeout):
        return brief(problem)
    if isinstance(problem, requests.Timeout | TimeoutError):
        return f"{UNANSWERED} {timeout:g} s"
    if found := why_no_tls(problem):
        return f"the connection broke: {found[0]}. {found[1]}".rstrip(".")
    return f"the connection broke: {brief(problem)}"


def asked_to_wait(method: str, answer: Answer) -> float | None:
    """Return the seconds that an answer asks to wait, where it speaks of a passing load; image tags, Q-04."""
    if answer.status not in (413, 429, 503):
        return None
    asked = answer.headers.get("Retry-After", "").strip()
    if seconds := SECONDS.fullmatch(asked):
        return min(float(seconds[1]), LONGEST_WAIT)
    # By the service's own clock, where it tells the time.
    now = moment_of_header(answer.headers["Date"]) if "Date" in answer.headers else datetime.now(UTC)
    if now and (until := moment_of_header(asked)):
        return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)
    # Neither a number nor a date that can be read: only what cannot mean anything else is waited for. A limit that
    # stays would not be sent with Retry-After, whatever that says.
    passing = answer.status == 413 and (method == "DELETE" or "Retry-After" in answer.headers)  # noqa: PLR2004
    return 1.0 if passing or answer.status == 429 else None  # noqa: PLR2004 - as HTTP has them


def pause_after(answer: Answer, tries: int) -> float | None:
    """Return the seconds to wait before a request is sent again that met trouble; ``None`` where it did not."""
    asked = asked_to_wait(answer.exchange.method, answer)
    if asked is not None or answer.status not in TROUBLE or answer.exchange.note.startswith(UNANSWERED):
        return asked
    return pause_before(tries, answer.status)
