"""Stray requests: other methods, other addresses, bodies; none of them may touch a tag that it does not name."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import islice
from typing import Any

from pytest_cloudimages.areas.tags.corpus import BODIES_OF_METHODS, IN_OTHER_FORMS, OVERRIDING
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import segment
from pytest_cloudimages.engine.recording import Case, Collection, anything, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.resource import Answered
from pytest_cloudimages.spec import limits
from pytest_cloudimages.spec.verdicts import Blocked, LostAnswer

THERE = ("there", "a", "b", "other")
"""Tags that the image carries."""
OTHERS = ("GET", "POST", "PATCH")
"""Methods that a tag does not have."""
INJECTED = "X-Injected"
"""A header field that nobody sends but who takes a line break of an address for the end of a line."""
MARKUP = "<script>stray()</script>"
"""What is not to stand in a page as it is."""
EMPTY = ("/tags/", "/tags//")
"""What follows an image where the place of a tag is empty."""
IN_OTHER_CASE = ("put", "Delete", "Put", "delete")
"""Methods that a tag has, in other case."""
PAGE: Mapping[str, Any] = {"headers": {"Accept": "text/html"}}
PLAIN = re.compile("[a-z0-9-]+")
LONG, VERY_LONG = 8_000, 64_000
KIB = 1024

JSON_LIST: Mapping[str, Any] = {"json": ["posted", "other"]}
LARGE: Mapping[str, Any] = {"json": ["posted", "x" * 64 * KIB]}


@dataclass(frozen=True)
class StrayRequest:
    """A request to an image that carries ``THERE``."""

    method: str
    target: str
    """What follows the image."""
    how: Mapping[str, Any] = field(default_factory=dict)
    may: frozenset[str] = frozenset()
    """Tags that it may add or delete, where the service takes it for a request that it knows."""
    once: bool = False
    """Whether the connection may be cut instead of an answer."""

    @property
    def as_no_method(self) -> frozenset[int]:
        """What it may be answered where a tag does not have its method.

        405; but a gateway may look at a body first, and at its media type where no resource takes that one so. A
        firewall may let no header pass that names another method.
        """
        if not {"json", "body"} & {*self.how}:
            return frozenset({405})
        other_form, overrides = self.how in IN_OTHER_FORMS.values(), {*OVERRIDING} & {*self.how.get("headers", ())}
        return frozenset({405, 400, 413} | ({415} if other_form else set()) | ({403} if overrides else set()))

    @property
    def names_a_tag(self) -> bool:
        """Whether there is something behind ``/tags/``."""
        return self.target not in ("/tags", "/tags/")

    @property
    def names_one_tag(self) -> bool:
        """Whether a plain tag is named, which no service stores as another, and nothing that could be a resource."""
        named = self.target.rpartition("/")[2].partition("?")[0]
        plain = len(named) <= limits.LONGEST and PLAIN.fullmatch(named) is not None
        return self.names_a_tag and not self.leads_further and plain

    @property
    def has_an_end(self) -> bool:
        """Whether a tag is followed by a slash or a query, and by no further segment."""
        return bool(self.may) and ("?" in self.target or (self.names_a_tag and self.target.endswith("/")))

    @property
    def leads_further(self) -> bool:
        """Whether a tag is followed, or preceded, by further segments."""
        return self.target.count("/") > 2 and not self.may and self.target not in EMPTY  # noqa: PLR2004 - /tags/{tag}


@dataclass(frozen=True)
class Stray:
    """A stray request, and what came of it."""

    request: StrayRequest
    answer: Answer
    changed: tuple[str, ...]
    """The tags that came or went with it, but for those that it may change if it is acknowledged."""

    def __repr__(self) -> str:
        return f"{self.answer}{f', and changed {sorted(self.changed)!a}' if self.changed else ''}"


@dataclass(frozen=True, repr=False)
class StrayRequests(Collection):
    """What stray requests were answered, and what they did."""

    sent: Sequence[Stray]

    @cases
    def requests(self, *methods: str, where: Callable[[Stray], bool] = anything) -> Iterator[Case[Stray]]:
        """Return the requests of some methods, or all; ``where`` is what has to be so for one to be asked about."""
        for tried in self.sent:
            if tried.request.method in (methods or (tried.request.method,)) and where(tried):
                yield Case(tried, [tried.answer.exchange])


def _on_a_tag() -> Iterator[StrayRequest]:
    for method in OTHERS:
        for tag, bodies in (("there", BODIES_OF_METHODS), ("absent", IN_OTHER_FORMS)):
            # What a service says is asked for as a browser does, too.
            yield StrayRequest(method, f"/tags/{tag}", bodies.get(method, PAGE))
    yield StrayRequest("TRACE", "/tags/there")


def _on_the_collection() -> Iterator[StrayRequest]:
    for target in ("/tags", "/tags/"):
        for method in ("PUT", "DELETE"):
            yield StrayRequest(method, target)
    yield StrayRequest("GET", "/tags", PAGE)
    yield StrayRequest("PUT", "/tags", JSON_LIST)
    yield StrayRequest("DELETE", "/tags", {"json": ["other"]})
    yield StrayRequest("POST", "/tags", JSON_LIST, frozenset({"posted"}))
    patched = BODIES_OF_METHODS["PATCH"]
    # A service that has such an operation may carry it out.
    yield StrayRequest("PATCH", "/tags", patched, frozenset({"new-PATCH", *THERE}))
    yield StrayRequest("FOO", "/tags")


def _at_other_addresses() -> Iterator[StrayRequest]:
    for method in ("PUT", "DELETE"):
        tag = "there" if method == "DELETE" else "new"
        for target in ("/tags/a/b", f"/tags/{tag}/file", f"/tags/c/{tag}/d", f"/tags//{tag}"):
            yield StrayRequest(method, target)
        yield StrayRequest(method, f"/tags/{tag}/", may=frozenset({tag, f"{tag}/"}))
    yield StrayRequest("PUT", f"/tags/queried?{'q' * LONG}", may=frozenset({"queried"}), once=True)
    yield StrayRequest("PUT", f"/tags/{'y' * VERY_LONG}", once=True)
    yield StrayRequest("PUT", "/tags/large", LARGE, frozenset({"large"}), once=True)


def _that_would_be_repeated() -> Iterator[StrayRequest]:
    broken = f"c\r\n{INJECTED}: yes"
    yield StrayRequest("PUT", f"/tags/{segment(broken)}", may=frozenset({broken}))
    yield StrayRequest("DELETE", f"/tags/{segment(f'absent {broken}')}", PAGE)
    yield StrayRequest("DELETE", f"/tags/{segment(MARKUP)}", PAGE)
    yield StrayRequest("PUT", f"/tags/{segment(MARKUP * 20)}", PAGE)
    yield StrayRequest("PUT", f"/tags/{segment(MARKUP)}/more?q={segment(MARKUP + broken)}", PAGE)


def _in_other_case() -> Iterator[StrayRequest]:
    for method in IN_OTHER_CASE:
        yield StrayRequest(method, f"/tags/{'there' if method.lower() == 'delete' else 'new'}")


WITHOUT_A_TAG = tuple(StrayRequest("PUT", target) for target in EMPTY)
OF_MUSTS = (*WITHOUT_A_TAG, *islice(_in_other_case(), 2))
"""Those that MUSTs ask about."""
ALL = (*_on_a_tag(), *_on_the_collection(), *_at_other_addresses(), *_that_would_be_repeated(), *_in_other_case())
ALL += tuple(request for request in WITHOUT_A_TAG if request not in ALL)


@workload(empty=lambda: StrayRequests([]), requests=(9, 45, 45, 45))
def stray_requests(run: Run) -> StrayRequests:
    """Send requests that are near those of a tag to an image with tags: other methods, addresses and bodies."""
    wanted = ALL if run.rounds else OF_MUSTS
    together = _together(run, wanted)
    return StrayRequests(together if together is not None else [*_step_by_step(run, wanted)])


def _together(run: Run, wanted: Sequence[StrayRequest]) -> list[Stray] | None:
    """Return what became of all of them on one image; ``None`` where any has changed what it may not."""
    with run.fresh_image() as image:
        before = _given(image)
        answers: list[tuple[StrayRequest, Answer | None]] = []
        for request in wanted:
            answers.append((request, _sent(image, request)))
            run.show(partial(_answered, answers))
        may = frozenset(tag for request, answer in answers for tag in _allowed(request, answer))
        with suppress(Blocked):
            if before is not None and not _kept(before, may, image.read(partial(_kept, before, may))):
                return None
    return [*_answered(answers).sent]


def _answered(answers: Sequence[tuple[StrayRequest, Answer | None]]) -> StrayRequests:
    """Return requests and their answers, where none is known to have changed anything."""
    return StrayRequests([Stray(request, answer, ()) for request, answer in answers if answer])


def _given(image: Image) -> set[str] | None:
    """Return the tags that an image carries in the beginning; ``None`` where that cannot be read.

    Where it takes no tags, what other requests are answered is evidence all the same.
    """
    with suppress(Blocked):
        image.given_tags_at_once(*THERE)
        return {*THERE}
    with suppress(Blocked):
        return {*image.tags()}
    return None


def _allowed(request: StrayRequest, answer: Answer | None) -> frozenset[str]:
    """Return the tags that a request may have changed, as far as its answer tells: if it is refused, none."""
    return request.may if answer is None or answer.ok or answer.status == 0 else frozenset()


def _step_by_step(run: Run, wanted: Sequence[StrayRequest]) -> Iterator[Stray]:
    with run.fresh_image() as image:
        before = _given(image)
        for request in wanted:
            answer = _sent(image, request)
            may = _allowed(request, answer)
            after = before
            with suppress(Blocked):
                after = {*image.read(partial(_kept, before or set(), may))}
            changed = (before ^ after) - may if before is not None and after is not None else ()
            if answer:
                yield Stray(request, answer, (*sorted(changed),))
            before = after
            if after is None or not {*THERE} <= after:
                before = _given(image)


def _kept(before: set[str], may: frozenset[str], found: list[str]) -> bool:
    return not ({*found} ^ before) - may


def _sent(image: Image, request: StrayRequest) -> Answer | None:
    """Send a request; ``None`` where its answer was lost."""
    if request.once:
        return image.client.send_once(request.method, f"/images/{image.id}{request.target}", **request.how)
    with suppress(LostAnswer):
        return image.send(request.method, request.target, idle=not request.may, **request.how)
    return None


# What an answer says

TRACE = re.compile(
    r"Traceback \(most recent call|File \"[^\"\n]+\", line \d+|\bat [\w.$<>]+\([\w$]+\.\w+:\d+\)|goroutine \d+ \[|"
    r"SQLSTATE\[|\bORA-\d{5}|sqlalche\.me|\b(?:pymysql|sqlalchemy|psycopg2|sqlite3)\.\w|"
    r"\bSELECT .{1,200}\bFROM\b|\bUPDATE \w+ SET\b|\bINSERT INTO\b|\bDELETE FROM\b|(?:/usr|/opt|/var)/\w[\w./-]+"
)
"""What tells of the inside of a service: stack traces, files, queries."""


@lru_cache(4096)  # checks look at the same answers again and again, while more of them come
def _traced(text: str) -> str:
    found = TRACE.search(text)
    return found[0] if found else ""


def indiscretions(answer: Answered, token: str) -> list[str]:
    """Return what an answer says that is nobody's business, or repeats so that a reader is misled."""
    text = answer.body.decode("utf-8", "replace")
    fields = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
    found = []
    if traced := _traced(text) or _traced(fields):
        found.append(f"{traced!a}, which tells of its inside")
    if token and (token in text or token in fields):
        found.append("the caller's token")
    if MARKUP in text and "html" in answer.headers.get("Content-Type", "").lower():
        found.append(f"{MARKUP} as markup")
    if INJECTED.lower() in {name.lower() for name in answer.headers}:
        found.append(f"{INJECTED}, a header field out of the address")
    return found


def misnamed(answer: Answered) -> str:
    """Return why the body of an answer is not of the type that the answer names; empty where it may be."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not answer.body:
        return ""
    if (
        (kind == "application/json" or kind.endswith("+json"))
        and answer.data is None
        and answer.body.strip() != b"null"
    ):
        return f"{kind} that is no JSON"
    # Plain words are HTML as well, though without any markup.
    if kind in ("text/html", "application/xhtml+xml") and isinstance(answer.data, dict | list):
        return f"{kind} that is JSON"
    return ""
