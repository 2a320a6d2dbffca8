"""The client: it sends what it is told, writes it down, and judges nothing."""

import json as jsonlib
import re
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Self

import requests
import urllib3

from pytest_cloudimages.client.exchange import (
    HELD_OCTETS,
    KEPT_OCTETS,
    PATCH_TYPE,
    TOKEN,
    Exchange,
    Purpose,
    Request,
    without_token,
)
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.showing import Short
from pytest_cloudimages.client.transport import Transport, stray
from pytest_cloudimages.client.trouble import LONGEST_PAUSE, LOST, NO_ANSWER, OVERLOAD, TROUBLE, pause_before
from pytest_cloudimages.spec.verdicts import Blocked, LostAnswer, TokenEnded, Trouble

UNRESERVED = "-._~"
LONGEST_WAIT = 60.0
"""Seconds that a service may ask us to wait, in all, before one request is answered."""
MOST_WAITS = 5
"""How often it may ask for it."""
Token = Callable[[], str | None]


def segment(tag: str) -> str:
    """Write a tag as one path segment: everything but the unreserved characters is percent-encoded UTF-8."""
    return urllib.parse.quote(tag, safe="")


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers and octets as they were, and the exchange as it is written down."""

    status: int
    headers: Mapping[str, str]
    """Header fields; names in any case."""
    body: bytes
    stray: bytes
    exchange: Exchange

    @property
    def ok(self) -> bool:
        """Whether the service acknowledged the request (2xx)."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of codes

    @property
    def refused(self) -> bool:
        """Whether the service refused the request as the client's mistake (4xx)."""
        return 400 <= self.status < 500  # noqa: PLR2004 - the class of codes

    @cached_property
    def data(self) -> Any:
        """The body as JSON; ``None`` where it is none."""
        try:
            return jsonlib.loads(self.body)
        except ValueError:
            return None

    def __repr__(self) -> str:
        return str(self.exchange)


@dataclass(frozen=True)
class ImagesClient(Short):
    """One caller of the image service. Every method sends one request and gives its answer.

    ``endpoint`` ends in /v2. A method raises ``Blocked`` only where no answer can be had at all.
    """

    endpoint: str
    transport: Transport
    recorder: Recorder
    token: Token = field(repr=False)
    caller: str = "tester"
    renew: Callable[[], None] | None = field(default=None, repr=False)
    """Forgets the token in use; ``None`` for a caller whose token is not meant to be valid."""
    accept: str = "application/json"

    def __repr__(self) -> str:
        return f"<ImagesClient: {self.caller} at {self.endpoint}>"

    @cached_property
    def base(self) -> str:
        """The path of the endpoint."""
        return urllib.parse.urlsplit(self.endpoint).path

    def calling(self, caller: str, token: Token, renew: Callable[[], None] | None = None) -> Self:
        """Give a client for the same service that shows another token, or none."""
        return replace(self, caller=caller, token=token, renew=renew)

    def add_tag(self, image_id: str, tag: str, **how: Any) -> Answer:
        """Add a tag: PUT /v2/images/{image_id}/tags/{tag}."""
        return self.send("PUT", f"/images/{image_id}/tags/{segment(tag)}", **how)

    def delete_tag(self, image_id: str, tag: str, **how: Any) -> Answer:
        """DELETE /v2/images/{image_id}/tags/{tag}."""
        return self.send("DELETE", f"/images/{image_id}/tags/{segment(tag)}", **how)

    def show(self, image_id: str) -> Answer:
        """GET /v2/images/{image_id}."""
        return self.send("GET", f"/images/{image_id}")

    def list(self, **query: str | Iterable[str]) -> Answer:
        """GET /v2/images; a parameter given several values is repeated."""
        pairs = urllib.parse.urlencode(query, doseq=True, quote_via=urllib.parse.quote)
        return self.send("GET", f"/images?{pairs}" if pairs else "/images")

    def create(self, **attributes: Any) -> Answer:
        """POST /v2/images, as Glance offers it; the vendor documents no creation."""
        return self.send("POST", "/images", json=attributes)

    def delete(self, image_id: str) -> Answer:
        """DELETE /v2/images/{image_id}."""
        return self.send("DELETE", f"/images/{image_id}")

    def patch(self, image_id: str, *changes: Mapping[str, Any]) -> Answer:
        """PATCH /v2/images/{image_id} with operation objects."""
        return self.send("PATCH", f"/images/{image_id}", json=changes, headers={"Content-Type": PATCH_TYPE})

    def ask(self, request: Request, *, idle: bool = False) -> Answer:
        """Send a request that is given as a value; see ``send``."""
        return self.send(request.method, request.target, json=request.json, headers=request.headers, idle=idle)

    def ask_once(self, request: Request, *, cut: bool = False) -> Answer:
        """Send a request that is given as a value a single time; see ``send_once``."""
        return self.send_once(request.method, request.target, json=request.json, headers=request.headers, cut=cut)

    def send(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        json: object = None,
        chunked: bool = False,
        length: bool = True,
        idle: bool = False,
    ) -> Answer:
        """Send one request below the endpoint, exactly as written, and return its answer.

        ``chunked`` sends the body in chunks, ``length=False`` sends no Content-Length, ``idle`` says that the request
        changes nothing if it is carried out. A request that meets trouble on the way (see ``trouble``) is sent again
        and marked; a service that asks to wait is waited for, and a token that has run out is renewed.

        Raises ``Trouble`` where neither has an end, ``LostAnswer`` where a repetition cannot tell what became of the
        request, and ``TokenEnded`` where there is no new token.
        """
        request = self._written(method, target, headers, body, json, chunked=chunked, length=length, idle=idle)
        answer = self._patiently(request)
        if answer.status == 401 and self.renew and self._ended():  # noqa: PLR2004 - as HTTP has it
            self.renew()
            request = self._written(method, target, headers, body, json, chunked=chunked, length=length, idle=idle)
            answer = self._patiently(request, "repeated with a new token")
            if answer.status == 401 and self._ended():  # noqa: PLR2004 - as HTTP has it
                raise TokenEnded(
                    f"The token of the {self.caller} ran out in mid-run, and there is no new one: {request}."
                )
        return answer

    def _ended(self) -> bool:
        """Tell a token that has run out from the refusal of one request: it opens the list of images no longer."""
        question = self._written("GET", "/images?limit=1", None, None, None)
        return self._patiently(question, "is the token still valid?").status == 401  # noqa: PLR2004

    def _patiently(self, request: "_Request", note: str = "") -> Answer:
        return self._until_it_counts(request, lambda again: self._tried(request, again or note))

    def _until_it_counts(self, request: "_Request", send: Callable[[str], Answer]) -> Answer:
        """Send a request, handing over what to note of it, until its answer is worth something."""
        effort, note = _Effort(self, request), ""
        while True:
            answer = send(note)
            if not effort.goes_on(answer):
                return effort.concluded(answer)
            note = effort.note

    def send_once(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        cut: bool = False,
    ) -> Answer:
        """Send one request a single time: nothing is repeated, and nobody is waited for.

        ``cut`` hangs up when the request is sent, before any answer is read; where a proxy stands between, the answer
        is read all the same. An answer that did not come, for whatever reason, has the status 0; the request may have
        taken effect, or may yet do so.
        """
        request = self._written(method, target, headers, None, json)
        begun = time.monotonic()
        try:
            if not cut or self.transport.proxied:
                return self._once(request, "")
            self.transport.leave(request.method, request.target, request.headers, request.body)
            note = "hung up before the answer"
        except requests.Timeout:
            note = f"not answered within {self.transport.timeout:g} s"
        except (OSError, urllib3.exceptions.HTTPError) as problem:
            note = f"the connection broke: {brief(problem)}"
        exchange = request.exchange(self, begun, note=note)
        self.recorder.add(exchange)
        return Answer(0, {}, b"", b"", exchange)

    def _written(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        json: object,
        *,
        chunked: bool = False,
        length: bool = True,
        idle: bool = False,
    ) -> "_Request":
        sent = {"Accept": self.accept, "User-Agent": "pytest-cloudimages", "Accept-Encoding": "identity"}
        if token := self.token():
            sent[TOKEN] = token
        if json is not None:
            body = jsonlib.dumps(json).encode()
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        return _Request(method, self.base + target, sent, body, chunked, length, idle)

    def _tried(self, request: "_Request", note: str) -> Answer:
        """Send a request; an answer that does not come, or breaks off, has the status 0."""
        begun = time.monotonic()
        try:
            return self._once(request, note)
        except requests.Timeout as problem:
            late = not isinstance(problem, requests.ConnectTimeout)
            note = f"not answered within {self.transport.timeout:g} s" if late else brief(problem)
        except requests.RequestException as problem:
            note = f"the connection broke: {brief(problem)}"
        return Answer(NO_ANSWER, {}, b"", b"", request.exchange(self, begun, note=note))

    def others_are_answered(self) -> bool:
        """Whether the service answers a harmless request now."""
        try:
            found = self.transport.send("GET", self.base + "/images?limit=1", {"Accept": "application/json"})
        except requests.RequestException:
            return False
        return found.status_code not in TROUBLE

    def _once(self, request: "_Request", note: str) -> Answer:
        body = iter([request.body or b""]) if request.chunked else request.body
        if request.method in SAFE:
            self.recorder.let_it_be_seen()
        self.transport.way.pace.wait()
        begun = time.monotonic()
        response = self.transport.send(request.method, request.target, request.headers, body, length=request.length)
        content = response.content
        exchange = request.exchange(self, begun, response, note)
        self.recorder.add(exchange)
        if request.method not in SAFE:
            self.recorder.changed = exchange.answered
        return Answer(response.status_code, response.headers, content, exchange.stray, exchange)

    def raw(self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Send a request on a connection of its own, octet for octet, and read until the service closes it.

        Raises ``Blocked`` where a proxy stands between, or no whole answer comes.
        """
        if self.transport.proxied:
            raise Blocked("This asks for a connection of its own, and a proxy stands between; set NO_PROXY for it.")
        split = urllib.parse.urlsplit(self.endpoint)
        secure = split.scheme == "https"
        sent = {"Host": split.netloc, "Accept": self.accept, "Connection": "close"}
        if token := self.token():
            sent[TOKEN] = token
        sent |= headers or {}
        request = _Request(method, self.base + target, sent, body, False, True)
        lines = [f"{method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
        octets = "\r\n".join(lines).encode("utf-8", "surrogateescape") + body

        def send(note: str) -> Answer:
            begun = time.monotonic()
            try:
                received = self.transport.talk(
                    octets, split.hostname or "", split.port or (443 if secure else 80), secure=secure
                )
            except TimeoutError as problem:
                raise Blocked(f"{request} was not answered: {brief(problem)}") from None
            except OSError as problem:
                broken = request.exchange(self, begun, note=f"the connection broke: {brief(problem)}")
                return Answer(NO_ANSWER, {}, b"", b"", broken)
            status, fields, content = parse(received)
            exchange = request.exchange(self, begun, note=note)
            exchange = replace(exchange, status=status, answer_headers=tuple(fields), answer=content[:KEPT_OCTETS])
            if status != NO_ANSWER:
                self.recorder.add(exchange)
            return Answer(status, requests.structures.CaseInsensitiveDict(fields), content, b"", exchange)

        return self._until_it_counts(request, send)


@dataclass(frozen=True)
class _Request:
    method: str
    target: str
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    chunked: bool
    length: bool
    idle: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.target}"

    def exchange(
        self, client: ImagesClient, begun: float, response: requests.Response | None = None, note: str = ""
    ) -> Exchange:
        return Exchange(
            method=self.method,
            target=self.target,
            headers=without_token(self.headers),
            body=(self.body or b"")[:KEPT_OCTETS],
            status=response.status_code if response is not None else 0,
            answer_headers=tuple(response.headers.items()) if response is not None else (),
            answer=response.content[:HELD_OCTETS] if response is not None else b"",
            stray=stray(response) if response is not None else b"",
            sent=begun,
            answered=time.monotonic(),
            caller=client.caller,
            purpose=client.recorder.purpose,
            note=note,
        )


SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
TAG_ADDRESS = re.compile(r"(/images/[^/?]+)/tags/([^/?]+)")
MEANT_OTHERWISE = {"DELETE": (404, 410), "POST": (409,), "PUT": (409,), "PATCH": (409,)}
"""Answers that a repetition gets where the first request was carried out, and that it may get anyway."""


@dataclass
class _Effort:
    """What was tried to have one request answered."""

    client: ImagesClient
    request: _Request
    note: str = ""
    _tries: int = 0
    _waits: int = 0
    _waited: float = 0.0
    _lost: bool = False
    _pace: float = 0.0

    def goes_on(self, answer: Answer) -> bool:
        """Whether the request is to be sent again; returns when it is time for it.

        Raises ``Trouble`` where that has no end.
        """
        way, status = self.client.transport.way, answer.status
        self._tries += 1
        if self._tries == 1:
            way.first(status)
            self._pace = way.pace.interval
        pause = asked_to_wait(self.request.method, answer)
        if pause is None and status not in TROUBLE:
            way.pace.content()
            return False
        kind = (self.request.method, bool(self.request.body), status)
        if status in OVERLOAD and "Retry-After" not in answer.headers and not way.knows(kind):
            way.pace.complained()
        if status in LOST:
            self._lost = self._lost or self._perhaps_done()
        if pause is not None:
            return self._waits_as_asked(answer, pause, kind)
        return self._tries_again(answer, kind)

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
        raise Trouble(
            f"{self.request} is answered {answer.status} again and again, after {self._waited:g} s of waiting."
        )

    def _tries_again(self, answer: Answer, kind: tuple[str, bool, int]) -> bool:
        way, status = self.client.transport.way, answer.status
        silent = answer.exchange.note.startswith("not answered within")
        if not silent and self._tries < way.enough(kind):
            self._rest(pause_before(self._tries, status))
            self.note = f"repeated after {status}" if status else "repeated after the connection broke"
            return True
        if not self.client.others_are_answered():
            if silent or self._waited >= way.outage:
                way.down = True
                why = f"{status} to everything" if status else answer.exchange.note
                raise Trouble(f"{self.client.endpoint} is out of reach: {why}.")
            self._rest(LONGEST_PAUSE)
            return True
        if status and status < 500:  # noqa: PLR2004 - the class of codes
            raise Trouble(f"{self.request} is answered {status} again and again, {self._tries} times.")
        way.blames(kind)
        # It was not asked too fast, after all.
        way.pace.interval = self._pace
        return False

    def _rest(self, pause: float) -> None:
        time.sleep(pause)
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
        return answer


def brief(problem: BaseException) -> str:
    """Give the innermost cause of a network error, in its own words."""
    while inner := problem.__cause__ or problem.__context__:
        problem = inner
    text = str(problem).strip() or type(problem).__name__
    return text.rsplit("object at 0x", 1)[-1].partition(">: ")[2] or text


def parse(octets: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    """Split a whole HTTP/1 answer into status, header fields and what follows them; status 0 where it is none."""
    head, _, content = octets.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not words[0].startswith("HTTP/") or len(words) < 2 or not words[1].isdigit():  # noqa: PLR2004 - version, code
        return 0, [], octets
    fields = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in rest)]
    return int(words[1]), fields, content


def asked_to_wait(method: str, answer: Answer) -> float | None:
    """Give the seconds that an answer asks to wait, where it speaks of a passing load; image tags, Q-04."""
    if answer.status not in (413, 429, 503):
        return None
    asked = answer.headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return min(float(asked), LONGEST_WAIT)
    try:
        # By the service's own clock, where it tells the time.
        now = parsedate_to_datetime(answer.headers["Date"]) if "Date" in answer.headers else datetime.now(UTC)
        left = (parsedate_to_datetime(asked) - now).total_seconds()
        return min(max(left, 0.0), LONGEST_WAIT)
    except (ValueError, TypeError):
        # Neither a number nor a date that can be read: only what cannot mean anything else is waited for.
        return 1.0 if answer.status == 429 or (answer.status == 413 and method == "DELETE") else None  # noqa: PLR2004


def pause_after(answer: Answer, tries: int) -> float | None:
    """Return the seconds to wait before a request is sent again that met trouble; ``None`` where it did not."""
    asked = asked_to_wait(answer.exchange.method, answer)
    if asked is not None or answer.status not in TROUBLE or answer.exchange.note.startswith("not answered within"):
        return asked
    return pause_before(tries, answer.status)
