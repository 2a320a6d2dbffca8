"""Tags as other clients write them: the same operations with the header fields and the framing of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.areas.tags.tag_limit import steps_of
from pytest_cloudimages.client.exchange import Request
from pytest_cloudimages.engine import sequential
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.engine.watching import showing
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.resource import SetResource
from pytest_cloudimages.history.sequential_plans import in_groups


@dataclass(frozen=True)
class RequestStyle:
    """How a client writes a request without a body."""

    headers: Mapping[str, str | None]
    """What it sends, or with ``None`` does not send."""
    spelled: Callable[[str], str] = str
    chunked: bool = False
    length: bool = True
    deletion: Mapping[str, str] = field(default_factory=dict)
    """What it sends besides where it deletes."""

    def write(self, request: Request) -> Request:
        """Return a request as this client writes it."""
        headers = {**self.headers, **(self.deletion if request.method == "DELETE" else {})}
        return replace(
            request, headers=headers, spelled=self.spelled, chunked=self.chunked, length=self.length or self.chunked
        )


BROWSER = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "de-DE,de;q=0.9,en;q=0.5",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Cookie": "session=none; theme=dark",
    "Cache-Control": "no-cache",
    "Origin": "https://images.example.org",
    "Referer": "https://images.example.org/images?tag=new",
    "Sec-Fetch-Mode": "cors",
}

TRACED = dict.fromkeys(("X-OpenStack-Request-ID", "X-Request-ID"), "req-3f0b7d52-6a0c-4f0e-9d55-1f6f0d6d8c11")
"""What those who act for one another put into each of their requests, so that they are found together in logs."""

COMMON: dict[str, RequestStyle] = {
    "openstacksdk": RequestStyle(
        {
            "Accept": "",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": "openstacksdk/4.0.1 keystoneauth1/5.8.0 python-requests/2.32.3 CPython/3.12.3",
            "Connection": "keep-alive",
            **TRACED,
        },
        deletion={"Content-Length": "0"},
    ),
    "gophercloud": RequestStyle(
        {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "gophercloud/v2.4.0"}
    ),
    "curl": RequestStyle({"Accept": "*/*", "Accept-Encoding": None, "User-Agent": "curl/8.5.0"}, length=False),
    "curl-compressed": RequestStyle({"Accept": "*/*", "Accept-Encoding": "deflate, gzip, br, zstd"}, length=False),
    "browser": RequestStyle(BROWSER, spelled=str.lower),
    "bare": RequestStyle({"Accept": None, "Accept-Encoding": None, "User-Agent": None}, spelled=str.upper),
    "leaving": RequestStyle(
        {"Accept": "text/plain, */*;q=0.1", "Accept-Encoding": "*", "User-Agent": "x", "Connection": "close"}
    ),
    "long-winded": RequestStyle(
        {"Accept": "text/plain", "X-Note": "long " * 200, "Via": "1.1 proxy", "X-Forwarded-For": "192.0.2.7", **TRACED}
    ),
}
"""Requests as they reach a service every day, by a tag of their own: none may be answered otherwise than another."""

DEMANDING: dict[str, RequestStyle] = {
    "octets": RequestStyle(
        {
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": "python-glanceclient",
            "Content-Type": "application/octet-stream",
        }
    ),
    "json-of-nothing": RequestStyle({"Accept": "application/json", "Content-Type": "application/json"}),
    "empty-chunks": RequestStyle({}, chunked=True),
    "picky": RequestStyle({"Accept": "image/png", "Accept-Encoding": "identity;q=0, br"}),
    "expecting": RequestStyle({"Expect": "100-continue", "Accept-Encoding": "*;q=0"}),
}
"""Requests that a service may refuse for what they bring or ask for, by a tag of their own: not carry out by halves."""
NAMES_A_TYPE = {tag: named for tag, style in DEMANDING.items() if (named := style.headers.get("Content-Type"))}
"""The media types that such requests name, though they have no body."""


SAYS_NO_LENGTH = frozenset(tag for tag, style in COMMON.items() if not style.length)
"""The clients that do not say that there is no body."""


def wanting_a_length(clients: Steps) -> frozenset[str]:
    """Return the clients that were refused because they do not say how long nothing is, which TAG-ADD-07 asks.

    None where others are refused too, or one of them is not, or each is answered something else.
    """
    refused = {step.tag: step.answer.status for step in clients.aside().additions(known=False) if step.answer.refused}
    alike = {*refused} == SAYS_NO_LENGTH and len({*refused.values()}) == 1
    return SAYS_NO_LENGTH if alike else frozenset()


def written_by(styles: Mapping[str, RequestStyle]) -> SetResource:
    """Return the tags as a resource whose operations are written in the style that belongs to the tag."""
    common = RequestStyle({"Accept-Encoding": "gzip, deflate"})
    return replace(
        TAGS,
        add=lambda image, tag: styles.get(tag, common).write(TAGS.add(image, tag)),
        delete=lambda image, tag: styles.get(tag, common).write(TAGS.delete(image, tag)),
        read=lambda image: common.write(TAGS.read(image)),
    )


@workload(empty=lambda: steps_of([]), requests=(0, 37, 37, 37))
def common_clients(run: Run) -> Steps:
    """Add and delete tags twice each, back to back, as the clients in common use write it."""
    if not run.rounds:
        return steps_of([])
    return _twice(run, COMMON, "as another client writes it")


@workload(empty=lambda: steps_of([]), requests=(0, 15, 15, 15))
def demanding_clients(run: Run) -> Steps:
    """Add and delete tags in styles that a service may refuse."""
    if not run.rounds:
        return steps_of([])
    tags = [(tag, "as a demanding client writes it") for tag in ("stays", *DEMANDING)]
    plan = in_groups([(Kind.ADD, tags), (Kind.DELETE, tags[1:])])
    return _shown(run, plan, DEMANDING)


def _twice(run: Run, styles: Mapping[str, RequestStyle], input_class: str) -> Steps:
    """Return what an image shows of tags that are added and deleted twice, the second time right after the first."""
    twice = [(tag, input_class) for tag in styles for _ in range(2)]
    plan = in_groups([(Kind.ADD, [("stays", input_class), *twice]), (Kind.DELETE, twice)])
    return _shown(run, plan, styles)


def _shown(run: Run, plan: Sequence[Operation], styles: Mapping[str, RequestStyle]) -> Steps:
    resource, show = written_by(styles), showing(run, steps_of)
    return steps_of([sequential.execute(plan, resource, run.fresh_image, single=True, show=show)])
