"""The client: it sends what it is told, writes it down, and judges nothing."""

import json as jsonlib
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import requests
import urllib3

from pytest_cloudimages.client.answers import Answer, parse
from pytest_cloudimages.client.exchange import (
    HELD_OCTETS,
    KEPT_OCTETS,
    PATCH_TYPE,
    TESTER,
    Exchange,
    Request,
    heard,
    named,
    shown_in,
    without_secrets,
)
from pytest_cloudimages.client.links import led_to
from pytest_cloudimages.client.outage import LIST, outlasted, raise_if_given_up, raise_if_shut_out, shut_out
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.retries import SAFE, UNANSWERED, Effort, why_unanswered
from pytest_cloudimages.client.showing import Short
from pytest_cloudimages.client.transport import Transport, trailing
from pytest_cloudimages.client.trouble import NO_ANSWER, TROUBLE
from pytest_cloudimages.spec.verdicts import Blocked, TokenEnded

UNRESERVED = "-._~"
SEEN_OFTEN, LATE_PAUSE = 4, 0.02
"""How often in a row something is seen before every part of the service is believed to know it, and seconds between."""
Token = Callable[[], str | None]


def segment(tag: str) -> str:
    """Write a tag as one path segment: all but the unreserved characters as the octets that they have in UTF-8."""
    # A lone surrogate, which a service may show and no UTF-8 can hold, is written as the three that it would have.
    return urllib.parse.quote(tag, safe="", errors="surrogatepass")


@dataclass(frozen=True)
class ImagesClient(Short):
    """One caller of the image service. Every method sends one request and gives its answer.

    ``endpoint`` ends in /v2. A method raises ``Blocked`` only where no answer can be had at all.
    """

    endpoint: str
    transport: Transport
    recorder: Recorder
    token: Token = field(repr=False)
    caller: str = TESTER
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
        """Return a client for the same service that shows another token, or none."""
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

    def following(self, target: str, page: Mapping[str, Any]) -> str:
        """Return what is to be sent for the page of a list that follows this one; nothing where it is the last.

        Raise ``Blocked`` where its link leads to another host or out of the endpoint: no token goes there.
        """
        link = page.get("next")
        return led_to(self.endpoint, target, link) if isinstance(link, str) and link else ""

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
        return self.send(
            request.method,
            request.target,
            body=request.body,
            json=request.json,
            headers=request.headers,
            spelled=request.spelled,
            chunked=request.chunked,
            length=request.length,
            idle=idle,
        )

    def ask_once(self, request: Request, *, cut: bool = False) -> Answer:
        """Send a request that is given as a value a single time; see ``send_once``."""
        what = {"body": request.body, "json": request.json}
        return self.send_once(request.method, request.target, **what, headers=request.headers, cut=cut)

    def send(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str | None] | None = None,
        body: bytes | None = None,
        json: object = None,
        spelled: Callable[[str], str] = str,
        chunked: bool = False,
        length: bool = True,
        idle: bool = False,
    ) -> Answer:
        """Send one request below the endpoint, exactly as written, and return its answer.

        A header that is ``None`` is left out. ``spelled`` writes the names, ``chunked`` sends the body in chunks,
        ``length=False`` sends no Content-Length, ``idle`` says that the request changes nothing if it is carried out. A
        request that meets trouble on the way (see ``trouble``) is sent again and marked; a service that asks to wait is
        waited for, and a token that has run out is renewed.

        Raises ``Trouble`` where neither has an end, ``LostAnswer`` where a repetition cannot tell what became of the
        request, and ``TokenEnded`` where there is no new token.
        """

        def written() -> PreparedRequest:
            how = {"chunked": chunked, "length": length, "idle": idle}
            return self._written(method, target, headers, body, json, spelled=spelled, **how)

        request = written()
        answer = self._patiently(request)
        if answer.status == 401 and self.renew and self.looked(LIST).status == 401:  # noqa: PLR2004 - as HTTP has it
            self.renew()
            request = written()
            answer = self._patiently(request, "repeated with a new token")
            if answer.status == 401 and self.looked(LIST).status == 401:  # noqa: PLR2004 - as HTTP has it
                who = f"the {TESTER}" if self.caller == TESTER else self.caller
                why = f"The token of {who} has run out, or was never valid, and there is no new one: {request}."
                raise shut_out(self, TokenEnded(why), 401)
        if answer.status == 403 and self.caller == TESTER:  # noqa: PLR2004 - as HTTP has it
            raise_if_shut_out(self, {403})
        if answer.status != self.transport.way.refusal:
            self.transport.way.shut_out.pop(self.caller, None)
        if answer.status == 404 and method == "GET" and self._created_here(target):  # noqa: PLR2004 - as HTTP has it
            answer = self._once_it_is_known(request, answer, target)
        return answer

    def _created_here(self, target: str) -> bool:
        """Return whether a target is an image that this run has created and not deleted yet.

        Others than who created it are asked for where the service was seen to be late with images: they may have no
        right to see it.
        """
        found = self.recorder.traces.created_by.get(target.removeprefix("/images/"))
        return found is not None and (found == self.caller or self.recorder.late_creation)

    def _once_it_is_known(self, request: "PreparedRequest", answer: Answer, target: str) -> Answer:
        """Ask again for an image of ours that a part of the service has not heard of, while it may be late.

        A service that has lost an image is not waited for again.
        """
        mine = self.recorder.traces.created_by.get(target.removeprefix("/images/")) == self.caller
        begun = time.monotonic()
        end = self.recorder.changed + (self.recorder.absence if mine else 1.5 * self.recorder.lag + LATE_PAUSE)
        seen, absent = 0, 0.0
        enough = SEEN_OFTEN if self.recorder.confirmations else 1
        while seen < enough and time.monotonic() < end:
            if answer.status == 404:  # noqa: PLR2004 - as HTTP has it
                time.sleep(LATE_PAUSE)
                absent = time.monotonic() - begun
            answer = self._patiently(request, "the image was created here, and is not known everywhere yet")
            seen = 0 if answer.status == 404 else seen + 1  # noqa: PLR2004 - as HTTP has it
        if answer.status == 404:  # noqa: PLR2004 - as HTTP has it
            if mine:
                self.recorder.absence = 0.0
        else:
            self.recorder.late_creation = True
            self.recorder.confirmations = max(self.recorder.confirmations - 1, 0)
            self.recorder.saw_lag(absent)
        return answer

    def looked(self, target: str) -> Answer:
        """Return what is answered to a look, whatever it is: perhaps not one request was refused, but whoever asks."""
        return self._patiently(self._written("GET", target, None, None, None), "is the caller still let in?")

    def _patiently(self, request: "PreparedRequest", note: str = "") -> Answer:
        return self._until_it_counts(request, lambda again: self._tried(request, again or note))

    def _until_it_counts(self, request: "PreparedRequest", send: Callable[[str], Answer]) -> Answer:
        """Send a request, handing over what to note of it, until its answer is worth something."""
        raise_if_given_up(self)
        effort, note = Effort(self, request), ""
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
        headers: Mapping[str, str | None] | None = None,
        body: bytes | None = None,
        json: object = None,
        cut: bool = False,
    ) -> Answer:
        """Send one request a single time: nothing is repeated, and nobody is waited for.

        ``cut`` hangs up when the request is sent, before any answer is read; where a proxy stands between, the answer
        is read all the same. An answer that did not come, for whatever reason, has the status 0; the request may have
        taken effect, or may yet do so.
        """
        raise_if_given_up(self)
        request = self._written(method, target, headers, body, json)
        begun = time.monotonic()
        try:
            if not cut or self.transport.proxied:
                return self._once(request, "")
            self.transport.way.pace.wait()
            self.transport.leave(request.method, request.target, request.headers, request.body)
            note = "hung up before the answer"
        except (OSError, urllib3.exceptions.HTTPError) as problem:
            note = why_unanswered(problem, self.transport.timeout)
            if note.startswith(UNANSWERED):
                outlasted(self, note, self.transport.timeout)
        answer = self._without(request, begun, note)
        self.recorder.add(answer.exchange)
        return answer

    def _written(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str | None] | None,
        body: bytes | None,
        json: object,
        *,
        spelled: Callable[[str], str] = str,
        chunked: bool = False,
        length: bool = True,
        idle: bool = False,
    ) -> "PreparedRequest":
        sent: dict[str, str | None] = {
            "Accept": self.accept,
            "User-Agent": "pytest-cloudimages",
            "Accept-Encoding": "identity",
            **named(),
        }
        if token := self.token():
            sent[shown_in(token)] = token
        if json is not None:
            body = jsonlib.dumps(json).encode()
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        fields = {spelled(name): value for name, value in sent.items() if value is not None}
        return PreparedRequest(method, self.base + target, fields, body, chunked, length, idle)

    def _tried(self, request: "PreparedRequest", note: str) -> Answer:
        """Send a request; an answer that does not come, or breaks off, has the status 0."""
        begun = time.monotonic()
        try:
            return self._once(request, note)
        except requests.RequestException as problem:
            return self._without(request, begun, why_unanswered(problem, self.transport.timeout))

    def _without(self, request: "PreparedRequest", begun: float, note: str) -> Answer:
        return Answer(NO_ANSWER, {}, b"", b"", request.exchange(self, begun, note=note))

    def others_are_answered(self) -> bool:
        """Whether the service answers a harmless request now."""
        self.transport.way.pace.wait()
        try:
            found = self.transport.send("GET", self.base + LIST, {"Accept": "application/json"} | named())
        except requests.RequestException:
            return False
        return found.status_code not in TROUBLE

    def _once(self, request: "PreparedRequest", note: str) -> Answer:
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
        most = self.transport.most
        return Answer.read(response.status_code, response.headers, content, exchange.trailing, exchange, most)

    def raw(self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Send a request on a connection of its own, octet for octet, and read until the service closes it.

        Raises ``Blocked`` where a proxy stands between, or no whole answer comes.
        """
        if self.transport.proxied:
            raise Blocked("This asks for a connection of its own, and a proxy stands between; set NO_PROXY for it.")
        split = urllib.parse.urlsplit(self.endpoint)
        secure = split.scheme == "https"
        sent = {"Host": split.netloc, "Accept": self.accept, "Connection": "close"} | named()
        if token := self.token():
            sent[shown_in(token)] = token
        sent |= headers or {}
        request = PreparedRequest(method, self.base + target, sent, body, False, True)
        lines = [f"{method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
        octets = "\r\n".join(lines).encode("utf-8", "surrogateescape") + body

        def send(note: str) -> Answer:
            self.transport.way.pace.wait()
            begun = time.monotonic()
            try:
                received = self.transport.talk(
                    octets, split.hostname or "", split.port or (443 if secure else 80), secure=secure
                )
            except OSError as problem:
                return self._without(request, begun, why_unanswered(problem, self.transport.timeout))
            status, fields, content = parse(received)
            exchange = request.exchange(self, begun, note=note)
            exchange = replace(exchange, status=status, answer_headers=heard(fields, content))
            exchange = replace(exchange, answer=content[:KEPT_OCTETS], size=len(content))
            if status != NO_ANSWER:
                self.recorder.add(exchange)
            headers = requests.structures.CaseInsensitiveDict(fields)
            return Answer.read(status, headers, content, b"", exchange, self.transport.most)

        answer = self._until_it_counts(request, send)
        if answer.exchange.note.startswith(UNANSWERED):
            raise Blocked(f"{request} was {answer.exchange.note}.")
        return answer


@dataclass(frozen=True)
class PreparedRequest:
    """A request with all that is sent of it."""

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
            headers=without_secrets(self.headers.items()),
            body=(self.body or b"")[:KEPT_OCTETS],
            status=response.status_code if response is not None else 0,
            answer_headers=heard(response.headers.items(), response.content) if response is not None else (),
            answer=response.content[:HELD_OCTETS] if response is not None else b"",
            trailing=trailing(response) if response is not None else b"",
            sent=begun,
            answered=time.monotonic(),
            caller=client.caller,
            purpose=client.recorder.purpose,
            note=note,
            size=len(response.content) if response is not None else 0,
        )
