"""What stands between a tester and a correct service: front servers, gateways, clusters. None of it breaks anything."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from random import Random

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Image
from pytest_cloudimages.reference.refusals import NotFound

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.STATUS

LENT = "5e2d7a10-1c1f-4a6e-9d3b-0123456789ab"
TEN = 10

PAGE_OF_A_FRONT_SERVER = (
    b"<html>\r\n<head><title>%d</title></head>\r\n<body><center>nginx</center></body>\r\n</html>\r\n"
)


def front(status: int, *headers: tuple[str, str]) -> Reply:
    """Answer as a front server does that knows nothing of the API."""
    return Reply(status, PAGE_OF_A_FRONT_SERVER % status, (("Content-Type", "text/html"), *headers))


# Front servers that take no more than so much


class _Limits(App):
    """Lets so many requests a second pass, as nginx's limit_req does: a bucket that leaks."""

    rate, burst = 40.0, 0.0
    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self) -> None:
        super().__init__()
        self.excess, self.last, self.gate = 0.0, 0.0, threading.Lock()

    def passes(self) -> bool:
        """Count a request, unless there is no room for it."""
        with self.gate:
            now = time.monotonic()
            excess = max(0.0, self.excess - self.rate * (now - self.last)) + 1 if self.last else 0.0
            if excess > self.burst + 1e-9 and self.last:
                return False
            self.excess, self.last = excess, now
            return True

    def handle(self, request: Request) -> Reply:
        return super().handle(request) if self.passes() else front(self.status)


@breaks()
class LetsFortyASecondPass(_Limits):
    """Stands behind nginx with limit_req rate=40r/s, which answers 503 to whatever is more, and no Retry-After."""

    burst = 20.0


@breaks()
class LetsOneIn25MillisecondsPass(_Limits):
    """Stands behind nginx with limit_req rate=40r/s without a burst: 503 for what comes within 25 ms."""

    burst = 1.0


@breaks(profile="standard")
class LetsAHundredASecondPass(_Limits):
    """Stands behind nginx with limit_req rate=100r/s, which answers 503 to whatever is more, and no Retry-After."""

    rate, burst = 100.0, 20.0


@breaks()
class LetsFortyASecondPassWith429(_Limits):
    """Answers 429 without Retry-After to more than forty requests a second."""

    burst, status = 20.0, HTTPStatus.TOO_MANY_REQUESTS


# Gateways that fail now and then


class _Stumbles(App):
    """Fails now and then, before what was asked for is done or after it."""

    status: int = HTTPStatus.BAD_GATEWAY
    done_first = False
    every = 0
    chance = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.turn, self.gate, self.random = 0, threading.Lock(), Random(8)  # noqa: S311 - a stumble is no secret

    def stumbles(self) -> bool:
        """Return whether this request is one that the gateway fails at."""
        with self.gate:
            self.turn += 1
            return self.turn % self.every == 0 if self.every else self.random.random() < self.chance

    def handle(self, request: Request) -> Reply:
        if not self.stumbles():
            return super().handle(request)
        if self.done_first:
            super().handle(request)
        return front(self.status)


@breaks()
class StumblesAtEverySeventh(_Stumbles):
    """Stands behind a gateway that answers every seventh request 502 and does not hand it on."""

    every = 7


@breaks()
class StumblesAtEveryThirteenthOnceDone(_Stumbles):
    """Stands behind a gateway that answers every thirteenth request 504, when it has been carried out."""

    every, status, done_first = 13, HTTPStatus.GATEWAY_TIMEOUT, True


@breaks(words=selecting("IMG-UPD"))
class StumblesAtEveryNinthPatchOnceDone(_Stumbles):
    """Stands behind a gateway that answers every ninth patch 504, when it has been carried out; all is asked yet."""

    every, status, done_first, never_blocked = 9, HTTPStatus.GATEWAY_TIMEOUT, True, True

    def handle(self, request: Request) -> Reply:
        return super().handle(request) if request.method == "PATCH" else App.handle(self, request)


@breaks(profile="standard")
class StumblesAtOneInFifty(_Stumbles):
    """Stands behind a gateway that answers one request in fifty 502 and does not hand it on."""

    chance = 0.02


@breaks(profile="standard")
class StumblesAtOneInFiftyOnceDone(_Stumbles):
    """Stands behind a gateway that answers one request in fifty 504, when it has been carried out."""

    chance, status, done_first = 0.02, HTTPStatus.GATEWAY_TIMEOUT, True


@breaks(profile="standard")
class IsUnavailableToOneInThirty(_Stumbles):
    """Answers one request in thirty 503, without Retry-After, and does not carry it out."""

    chance, status = 1 / 30, HTTPStatus.SERVICE_UNAVAILABLE


@breaks()
class MisdirectsEveryEleventh(_Stumbles):
    """Stands behind a front server that answers every eleventh request 421, as when a connection leads elsewhere."""

    every, status = 11, HTTPStatus.MISDIRECTED_REQUEST


_AHEAD = selecting("IMG-LIST", "IMG-DEL", "MEM-UPD")


@breaks(words=_AHEAD)
class IsReachedTooEarly(_Stumbles):
    """Stands behind a front server that answers every eleventh request 425, as to early data (RFC 8470)."""

    every, status = 11, HTTPStatus.TOO_EARLY


@breaks(words=_AHEAD)
class IsReachedThroughADeliveryNetwork(_Stumbles):
    """Stands behind a content delivery network that answers every eleventh request 520, 522, 524 or 530."""

    every = 11

    @property
    def status(self) -> int:  # type: ignore[override]  # one after another
        return (520, 522, 524, 530)[self.turn // self.every % 4]


@breaks()
class CutsEveryNinthAnswerShort(_Stumbles):
    """Stands behind a gateway that cuts the body of every ninth answer short."""

    every = 9

    def handle(self, request: Request) -> Reply:
        reply = App.handle(self, request)
        if not reply.body or not self.stumbles():
            return reply
        half = reply.body[: len(reply.body) // 2]
        return Reply(
            reply.status, b"%x\r\n%s\r\ncut\r\n" % (len(half), half), (*reply.headers, ("Transfer-Encoding", "chunked"))
        )


@breaks()
class HangsUpOnEveryNinth(_Stumbles):
    """Stands behind a gateway that hangs up on every ninth request when it has been carried out."""

    every = 9

    def handle(self, request: Request) -> Reply:
        reply = App.handle(self, request)
        if self.stumbles():
            raise ConnectionResetError
        return reply


@breaks(profile="standard")
class RestsForASecond(App):
    """Is restarted in mid-run: for one second every request is answered 502."""

    turn, since = 0, 0.0

    def handle(self, request: Request) -> Reply:
        self.turn += 1
        if self.turn == 400:
            self.since = time.monotonic()
        if self.since and time.monotonic() - self.since < 1:
            return front(HTTPStatus.BAD_GATEWAY)
        return super().handle(request)


# Services with ways of their own


class _Marks(App):
    """Puts tags of its own on every new image."""

    def marks(self, image: Image) -> list[str]:
        """Return the tags that a new image is given."""
        raise NotImplementedError

    def create_image(self, request: Request) -> Reply:
        with self.images.lock:
            reply = super().create_image(request)
            if reply.status != HTTPStatus.CREATED:
                return reply
            image = self.images.get(json.loads(reply.body)["id"])
            image.tags[:] = [*dict.fromkeys([*image.tags, *self.marks(image)])]
            return Reply.of_json(self.represent(image), HTTPStatus.CREATED)


@breaks(profile="standard")
class MarksNewImages(_Marks):
    """Puts two tags of its own on every new image."""

    def marks(self, image: Image) -> list[str]:  # noqa: ARG002 - the same on all
        return ["unverified", "new-here"]


@breaks(profile="standard")
class NumbersNewImages(_Marks):
    """Puts a tag of its own on every new image, another one each time."""

    def marks(self, image: Image) -> list[str]:
        return [f"made-{image.id[:8]}"]


@breaks(profile="standard")
class KnowsNoTagsInPatch(App):
    """Refuses a PATCH of the tags with 400: they have operations of their own."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        if b'"/tags' in request.body:
            return self.error(request, HTTPStatus.BAD_REQUEST, "The attribute tags cannot be changed by PATCH.")
        return super().update_image(request, image_id)


@breaks(profile="standard", words=("--tag-limit", str(TEN)))
class CarriesTenTags(App):
    """Lets an image carry ten tags, as its operator says; answers 413 to one more."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            tags = self.images.open(request.caller, image_id).tags
            if len(tags) >= TEN and tag not in tags:
                return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"An image carries {TEN} tags.")
            return super().add_tag(request, image_id, tag)

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            before = [*self.images.open(request.caller, image_id).tags]
            reply = super().update_image(request, image_id)
            image = self.images.get(image_id)
            if len(image.tags) > TEN:
                image.tags[:] = before
                return self.error(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"An image carries {TEN} tags.")
            return reply


@breaks(profile="standard", words=("--image", LENT))
class HasSevenHundredNewer(App):
    """Lends an image that seven hundred newer ones stand before in every list."""

    name: str | None = "golden"

    def __init__(self) -> None:
        super().__init__()
        mine = Caller(self.identity.users["tester"].project.id)
        self.images.create(mine, {"id": LENT, "name": self.name, "disk_format": "raw", "container_format": "bare"})
        for number in range(700):
            self.images.create(mine, {"name": f"newer-{number}"})


@breaks(profile="standard", words=("--image", LENT))
class HasSevenHundredNewerAndNoName(HasSevenHundredNewer):
    """Lends an image without a name that seven hundred newer ones stand before in every list."""

    name = None


@breaks()
class LivesBelowAPrefix(App):
    """Is served below /v2cloud/image, so that its addresses hold /v2 twice."""

    prefix = "/v2cloud/image"

    def handle(self, request: Request) -> Reply:
        if not request.target.startswith(f"{self.prefix}/"):
            return front(HTTPStatus.NOT_FOUND)
        inner = Request(request.method, request.target.removeprefix(self.prefix), request.headers, request.body)
        reply = super().handle(inner)
        body = reply.body
        for resource in (b'"/v2/images', b'"/v2/schemas'):
            body = body.replace(resource, b'"' + self.prefix.encode() + resource[1:])
        return Reply(reply.status, body, reply.headers)


@breaks()
class LinksByQueryAlone(App):
    """Writes the link to the next page as a relative reference: a query, and no more."""

    def list_images(self, request: Request) -> Reply:
        document = super().list_images(request).json()
        if isinstance(document, dict) and "next" in document:
            document["next"] = "?" + str(document["next"]).partition("?")[2]
        return Reply.of_json(document)


@breaks()
class LinksWithItsWholeAddress(App):
    """Writes the link to the next page with scheme and host."""

    def list_images(self, request: Request) -> Reply:
        document = super().list_images(request).json()
        if isinstance(document, dict) and "next" in document:
            document["next"] = self.url + str(document["next"])
        return Reply.of_json(document)


# Clusters of which a part is behind


class _Cluster(App):
    """Several nodes that are read in turn; one of them shows what was so a while ago."""

    nodes, lag = 3, 0.06

    def __init__(self) -> None:
        super().__init__()
        self.turn, self.gate = 0, threading.Lock()
        self.past: dict[str, deque[tuple[float, dict[str, object] | None]]] = {}

    def written(self) -> None:
        """Note how every image is now, for the node that hears of it late."""
        now = time.monotonic()
        with self.images.lock:
            every = {image.id: self.represent(image) for image in self.images.all()}
            for image_id in {*every, *self.past}:
                states = self.past.setdefault(image_id, deque([(0.0, None)]))
                if states[-1][1] != every.get(image_id):
                    states.append((now, every.get(image_id)))
                while len(states) > 1 and states[1][0] < now - self.lag:
                    states.popleft()

    def behind(self) -> bool:
        """Return whether the node whose turn it is is the one that is behind."""
        with self.gate:
            self.turn += 1
            return self.turn % self.nodes == 0

    def seen(self, image_id: str) -> dict[str, object] | None:
        """Return an image as the node that is behind has it."""
        states = [*self.past.get(image_id, ())]
        return next((state for when, state in reversed(states) if when < time.monotonic() - self.lag), None)

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        if request.method not in ("GET", "HEAD"):
            self.written()
        return reply

    def late(self, request: Request, image_id: str) -> Reply:
        """Show an image as the node that is behind has it."""
        with self.images.lock:
            state = self.seen(image_id)
            if state is None:
                raise NotFound(f"There is no image {image_id}.")
            if image_id in {image.id for image in self.images.all()}:
                self.images.show(request.caller, image_id)
            return Reply.of_json(state)


@breaks(profile="standard")
class HasANodeThatIsBehind(_Cluster):
    """Shows an image from three nodes in turn, of which one is 60 ms behind."""

    def show_image(self, request: Request, image_id: str) -> Reply:
        return self.late(request, image_id) if self.behind() else super().show_image(request, image_id)


@breaks(profile="standard")
class ListsFromANodeThatIsBehind(_Cluster):
    """Shows images and lists from three nodes in turn, of which one is 60 ms behind with the tags."""

    def represent(self, image: Image) -> dict[str, object]:
        data = super().represent(image)
        if getattr(self, "looking", False) and (state := self.seen(image.id)) is not None:
            return data | {"tags": state["tags"]}
        return data

    def route(self, request: Request) -> Reply:
        if request.method != "GET" or not self.behind():
            return super().route(request)
        with self.images.lock:
            self.looking = True
            try:
                return super().route(request)
            finally:
                self.looking = False


@breaks(profile="standard")
class IsBehindNowAndThen(_Cluster):
    """Shows an image from many nodes, of which one in forty is 60 ms behind."""

    nodes = 40

    def show_image(self, request: Request, image_id: str) -> Reply:
        return self.late(request, image_id) if self.behind() else super().show_image(request, image_id)


GARBAGE: tuple[Callable[[], Reply], ...] = (
    lambda: front(HTTPStatus.BAD_GATEWAY),
    lambda: Reply(HTTPStatus.OK, b"null", (("Content-Type", "application/json"),)),
    lambda: Reply(HTTPStatus.OK, b'{"images": 5, "tags": "none", "id": 7}', (("Content-Type", "application/json"),)),
    lambda: Reply(
        HTTPStatus.OK, b'{"images": [null, 3, "x"], "tags": [1, {}]}', (("Content-Type", "application/json"),)
    ),
    lambda: Reply(HTTPStatus.OK, b"\xff\xfe<html>", (("Content-Type", "text/html; charset=nonsense"),)),
    lambda: Reply(HTTPStatus.OK, b"[[[[[", (("Content-Type", "application/json"), ("Retry-After", "x"))),
    lambda: Reply(HTTPStatus.NO_CONTENT),
    lambda: Reply(299, b"[1]", (("Content-Type", "application/json"),)),
    lambda: Reply(
        HTTPStatus.NOT_FOUND, b'{"message": {"a": []}, "code": null}', (("Content-Type", "application/json"),)
    ),
    lambda: Reply(HTTPStatus.UNAUTHORIZED, b"who?"),
)


class Garbage(App):
    """Answers every so many requests with something that has nothing to do with them; no fault, but no ground either."""

    every = 5

    def __init__(self) -> None:
        super().__init__()
        self.turn, self.gate = 0, threading.Lock()

    def handle(self, request: Request) -> Reply:
        with self.gate:
            self.turn += 1
            turn = self.turn
        if turn % self.every:
            return super().handle(request)
        return GARBAGE[turn // self.every % len(GARBAGE)]()


@breaks(profile="standard", words=("--select", "TAG-AUTH-02", "--select", "TAG-RESP-03"))
class GivesEarlyHints(App):
    """Sends an answer of 103, which says nothing of what is to come, before every answer that has a body."""

    def handle(self, request: Request) -> Reply:
        reply = super().handle(request)
        if reply.status == HTTPStatus.NO_CONTENT:
            return reply
        hint = "</v2/schemas/image>; rel=preload"
        final = f"{hint}\r\n\r\nHTTP/1.1 {int(reply.status)} {HTTPStatus(reply.status).phrase}"
        return Reply(HTTPStatus.EARLY_HINTS, reply.body, (("Link", final), *reply.headers))
