"""The client: it sends what it is told, writes it down, and judges nothing."""

import json as jsonlib
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Self, TypeVar

import requests
import urllib3

from pytest_cloudimages.exchanges import HELD_OCTETS, KEPT_OCTETS, TOKEN, Exchange, Purpose, Transcript, without_token
from pytest_cloudimages.verdicts import Blocked
from pytest_cloudimages.wire import Wire, stray

PATCH_TYPE = "application/openstack-images-v2.1-json-patch"
UNRESERVED = "-._~"
LONGEST_WAIT = 60.0
"""Seconds that a service may ask us to wait, in all, before one request is answered."""
MOST_WAITS = 5
"""How often it may ask for it."""
MOST_PAGES = 20
"""Pages of a list that are looked through for an image; new images come first."""

Seen = TypeVar("Seen")
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
class ImagesClient:
    """One caller of the image service. Every method sends one request and gives its answer.

    ``endpoint`` ends in /v2. A method raises ``Blocked`` only where no answer can be had at all.
    """

    endpoint: str
    wire: Wire
    transcript: Transcript
    token: Token = field(repr=False)
    caller: str = "tester"
    renew: Callable[[], None] | None = field(default=None, repr=False)
    """Forgets the token in use; ``None`` for a caller whose token is not meant to be valid."""
    accept: str = "application/json"

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
    ) -> Answer:
        """Send one request below the endpoint, exactly as written, and give its answer.

        ``chunked`` sends the body in chunks, ``length=False`` sends no Content-Length. A connection that broke is tried
        once more and marked; a service that asks to wait (413 or 429 or 503 with Retry-After) is waited for, and a
        token that has run out is renewed. Raises ``Blocked`` where the waiting has no end, or there is no new token.
        """
        request = self._written(method, target, headers, body, json, chunked=chunked, length=length)
        answer = self._patiently(request)
        if answer.status == 401 and self.renew and self._ended():  # noqa: PLR2004 - as HTTP has it
            self.renew()
            request = self._written(method, target, headers, body, json, chunked=chunked, length=length)
            answer = self._patiently(request, "repeated with a new token")
            if answer.status == 401 and self._ended():  # noqa: PLR2004 - as HTTP has it
                raise Blocked(f"The token of the {self.caller} ran out in mid-run, and there is no new one: {request}.")
        return answer

    def _ended(self) -> bool:
        """Tell a token that has run out from the refusal of one request: it opens the list of images no longer."""
        question = self._written("GET", "/images?limit=1", None, None, None)
        return self._patiently(question, "is the token still valid?").status == 401  # noqa: PLR2004

    def _patiently(self, request: "_Request", note: str = "") -> Answer:
        answer, waited = self._steadily(request, note), 0.0
        for _ in range(MOST_WAITS):
            pause = asked_to_wait(request.method, answer)
            if pause is None or waited + pause > LONGEST_WAIT:
                break
            time.sleep(pause)
            waited += pause
            answer = self._steadily(request, f"repeated after {pause:g} s, as {answer.status} asked")
        if asked_to_wait(request.method, answer) is not None:
            raise Blocked(f"{request} is answered {answer.status} again and again, after {waited:g} s of waiting.")
        return answer

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
            if not cut or self.wire.proxied:
                return self._once(request, "")
            self.wire.leave(request.method, request.target, request.headers, request.body)
            note = "hung up before the answer"
        except requests.Timeout:
            note = f"not answered within {self.wire.timeout:g} s"
        except (OSError, urllib3.exceptions.HTTPError) as problem:
            note = f"the connection broke: {brief(problem)}"
        exchange = request.exchange(self, begun, note=note)
        self.transcript.add(exchange)
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
    ) -> "_Request":
        sent = {"Accept": self.accept, "User-Agent": "pytest-cloudimages", "Accept-Encoding": "identity"}
        if token := self.token():
            sent[TOKEN] = token
        if json is not None:
            body = jsonlib.dumps(json).encode()
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        return _Request(method, self.base + target, sent, body, chunked, length)

    def _steadily(self, request: "_Request", note: str = "") -> Answer:
        """Send a request, and once more where the connection broke: an idle one may close at any time."""
        try:
            return self._once(request, note)
        except requests.RequestException as first:
            if isinstance(first, requests.Timeout) and not isinstance(first, requests.ConnectTimeout):
                return self._silent(request, first, f"not answered within {self.wire.timeout:g} s")
        again = "repeated after the connection broke"
        try:
            answer = self._once(request, again)
        except requests.RequestException as second:
            return self._silent(request, second)
        if request.method == "DELETE" and answer.status == 404:  # noqa: PLR2004 - as HTTP has it
            # The lost answer may have been the 204 of this very deletion; nobody can tell any more.
            raise Blocked(f"{request} lost its answer, and its repetition was answered 404.")
        return answer

    def _silent(
        self, request: "_Request", problem: Exception, note: str = "the connection broke without an answer, twice"
    ) -> Answer:
        """Tell a request that the service leaves unanswered from a service that is out of reach."""
        now = time.monotonic()
        try:
            self.wire.send("GET", self.base + "/images?limit=1", {"Accept": "application/json"})
        except requests.RequestException:
            raise Blocked(f"{self.endpoint} is out of reach: {brief(problem)}") from None
        exchange = request.exchange(self, now, note=note)
        self.transcript.add(exchange)
        return Answer(0, {}, b"", b"", exchange)

    def _once(self, request: "_Request", note: str) -> Answer:
        body = iter([request.body or b""]) if request.chunked else request.body
        begun = time.monotonic()
        response = self.wire.send(request.method, request.target, request.headers, body, length=request.length)
        content = response.content
        exchange = request.exchange(self, begun, response, note)
        self.transcript.add(exchange)
        return Answer(response.status_code, response.headers, content, exchange.stray, exchange)

    def raw(self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Send a request on a connection of its own, octet for octet, and read until the service closes it.

        Raises ``Blocked`` where a proxy stands between, or no whole answer comes.
        """
        if self.wire.proxied:
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
        begun = time.monotonic()
        try:
            received = self.wire.talk(
                octets, split.hostname or "", split.port or (443 if secure else 80), secure=secure
            )
        except OSError as problem:
            raise Blocked(f"{request} was not answered: {brief(problem)}") from None
        status, fields, content = parse(received)
        exchange = replace(
            request.exchange(self, begun), status=status, answer_headers=tuple(fields), answer=content[:KEPT_OCTETS]
        )
        self.transcript.add(exchange)
        return Answer(status, requests.structures.CaseInsensitiveDict(fields), content, b"", exchange)


@dataclass(frozen=True)
class _Request:
    method: str
    target: str
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    chunked: bool
    length: bool

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
            purpose=client.transcript.purpose,
            note=note,
        )


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


@dataclass
class Image:
    """An image that a test may change; its methods are the client's, bound to the image's id."""

    client: ImagesClient
    id: str
    name: str = ""
    patience: "Patience | None" = field(default=None, repr=False)

    def add_tag(self, tag: str, **how: Any) -> Answer:
        """PUT the tag."""
        return self.client.add_tag(self.id, tag, **how)

    def delete_tag(self, tag: str, **how: Any) -> Answer:
        """DELETE the tag."""
        return self.client.delete_tag(self.id, tag, **how)

    def send(self, method: str, target: str, **how: Any) -> Answer:
        """Send a request below the image: ``send("PUT", "/tags/a%3Fb")``."""
        return self.client.send(method, f"/images/{self.id}{target}", **how)

    def show(self) -> Answer:
        """GET the image."""
        return self.client.show(self.id)

    def seen_by(self, client: ImagesClient) -> "Image":
        """Give the same image as another caller reaches it."""
        return replace(self, client=client)

    def tags(self) -> list[str]:
        """Give the tags that the image shows now. Raises ``Blocked`` where it shows none that can be read."""
        return readable(self.show())

    def settled(self, expected: Iterable[str]) -> list[str]:
        """Give the tags once they are as expected, or as they are when patience ends."""
        wanted = sorted(expected)
        return self.read(lambda tags: sorted(tags) == wanted)

    def read(self, satisfied: Callable[[list[str]], bool]) -> list[str]:
        """Give the tags once they satisfy a condition, or as they are when patience ends."""
        return self.waited_for(self.tags, satisfied)

    def waited_for(self, look: Callable[[], Seen], satisfied: Callable[[Seen], bool]) -> Seen:
        """Look at something of the image, and again until it satisfies a condition or patience ends."""
        return self.patience.until(look(), look, satisfied) if self.patience else look()

    def listed(self) -> dict[str, Any]:
        """Give the image as the list of images shows it. Raises ``Blocked`` where the list does not show it."""
        found = self.waited_for(self.entry, bool)
        if not found:
            raise Blocked(f"The image {self.id} is not among the first {MOST_PAGES} pages of the list.")
        return found

    def entry(self) -> dict[str, Any]:
        """Look for the image on the first page, then by its name, then page by page; empty where it is not found."""
        entry, following = self._on_page("/images?limit=100")
        if not entry and following and self.name:
            entry, _ = self._on_page(f"/images?name={segment(self.name)}")
        pages = 1
        while not entry and following and pages < MOST_PAGES:
            (entry, following), pages = self._on_page(following), pages + 1
        return entry

    def _on_page(self, target: str) -> tuple[dict[str, Any], str]:
        answer = self.client.send("GET", target)
        data = answer.data if answer.status == 200 and isinstance(answer.data, dict) else {}  # noqa: PLR2004
        entries = data.get("images")
        if not isinstance(entries, list):
            raise Blocked(f"The list of images cannot be read: {answer.exchange}")
        mine = [one for one in entries if isinstance(one, dict) and one.get("id") == self.id]
        return mine[0] if mine else {}, _below(str(data.get("next") or ""))

    def begin_with(self, *tags: str) -> None:
        """Give an image without tags these, at once if it can be. Raises ``Blocked`` where that fails."""
        with self.client.transcript.of(Purpose.PREPARING):
            at_once = self.client.patch(self.id, {"op": "replace", "path": "/tags", "value": [*tags]}).ok
            if at_once and sorted(self.settled(tags)) == sorted(tags):
                return
        self.establish(*tags)

    def establish(self, *tags: str) -> None:
        """Give the image these tags as the ground of a question. Raises ``Blocked`` where that fails."""
        with self.client.transcript.of(Purpose.PREPARING):
            for tag in tags:
                prepared(self.add_tag(tag))
            found = self.read(lambda seen: set(tags) <= set(seen))
        if not set(tags) <= set(found):
            raise Blocked(
                f"The image does not carry the tags that were to be the ground: {list(tags)}, it shows {found}."
            )


def _below(link: str) -> str:
    """Give the part of a link behind its /v2, to be sent below the endpoint; authentication, section 4."""
    return link.partition("/v2")[2]


def readable(answer: Answer) -> list[str]:
    """Give the tags of a representation. Raises ``Blocked`` where there is no list of strings."""
    data = answer.data if answer.status == 200 else None  # noqa: PLR2004 - as HTTP has it
    tags = data.get("tags") if isinstance(data, dict) else None
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise Blocked(f"The image's tags cannot be read: {answer.exchange}")
    return tags


def prepared(answer: Answer, *, status: int | None = None) -> Answer:
    """Give the answer if the step it belongs to succeeded; raise ``Blocked`` where it did not."""
    if answer.status == status if status else answer.ok:
        return answer
    raise Blocked(f"The ground could not be prepared: {answer.exchange}")


@dataclass
class Patience:
    """How long to wait for an acknowledged change to be seen, in seconds, over a whole run.

    A service that has shown nothing late within the time given is not waited for again: it is wrong, not late.
    """

    seconds: float
    transcript: Transcript
    _begun: float = 0.0

    def until(self, seen: Seen, look: Callable[[], Seen], satisfied: Callable[[Seen], bool]) -> Seen:
        """Look again until what is seen satisfies a condition, and give what was seen last."""
        if satisfied(seen):
            return seen
        for _ in self.attempts():
            seen = look()
            if satisfied(seen):
                self.rewarded()
                break
        return seen

    def attempts(self) -> Iterator[int]:
        """Pause between attempts, a little longer each time, until the time given is over."""
        self._begun = begun = time.monotonic()
        pause, number = 0.02, 0
        while (left := self.seconds - (time.monotonic() - begun)) > 0:
            time.sleep(min(pause, left))
            pause, number = min(pause * 2, 1.0), number + 1
            yield number
        self.seconds = 0.0

    def rewarded(self) -> None:
        """Note that the change was seen at last."""
        self.transcript.lag = max(self.transcript.lag, time.monotonic() - self._begun)
