"""What answers have in common, whatever is asked: each of several operations is asked for once, and links followed."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle

import pytest

from pytest_cloudimages.areas.common.followed_links import leads_to
from pytest_cloudimages.areas.common.imports import NOWHERE, import_from
from pytest_cloudimages.areas.common.paging import entries_of
from pytest_cloudimages.areas.images.patch_model import add, replaced
from pytest_cloudimages.areas.images.values import OF_LATIN_1, VALUES
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.provisioning import claimed_name
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

FORMATS = ("text/html", "application/xml", "text/plain")
FURTHER: tuple[dict[str, str | None], ...] = (
    {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language": "de, en;q=0.5"},
    {"Accept-Encoding": "gzip, deflate", "Origin": "https://console.cloud.example"},
    {"Accept": "text/plain;q=0.5, application/json", "Accept-Charset": "iso-8859-1, utf-8;q=0.7"},
)
"""Header fields that a service may answer otherwise to, or not at all; what it answers is what it says it is."""


@dataclass(frozen=True, repr=False)
class CommonAnswers(Collection):
    """Answers of several operations, and of methods that a resource does not have."""

    answers: Sequence[Answer]
    links: Sequence[tuple[str, str, Answer | None]]
    """The links that were shown: the name, the link, and the answer to its target, where it leads into the service."""
    refused: Sequence[Answer]
    """The answers to methods that a resource does not have."""
    of_other_types: Sequence[Answer]
    """The answers to bodies of a media type that is not supported."""
    plain: Sequence[Answer]
    """The answers to requests that ask for no format."""
    spelled: Sequence[Answer] = ()
    """The answers that show an image once an attribute has letters beyond ASCII: some in one octet of Latin-1 each."""
    broken: Sequence[Answer] = ()
    """The answers to bodies that end in mid-document."""
    compressed: Sequence[Answer] = ()
    """The answer with a long document, to who takes it compressed."""
    changed: Sequence[Answer] = ()
    """The answers to changes of a new image."""
    negotiated: Sequence[Answer] = ()
    """The answers to requests that ask for other formats, or for JSON among others, and say what else browsers say."""
    safe: Sequence[Answer] = ()
    """The answers to methods by which a resource is asked about, and nothing is done."""

    @cases
    def of(self, kind: str) -> Iterator[Case[Answer]]:
        """Return the answers of a kind, which is the name of a field."""
        for answer in getattr(self, kind):
            yield Case(answer, [answer.exchange])

    @cases
    def followed(self) -> Iterator[Case[tuple[str, str, Answer | None]]]:
        """Return the links that were shown and followed; whether a page has a next one is up to other images."""
        for name, link, answer in self.links:
            yield Case((name, link, answer), [answer.exchange] if answer else [], aside=name == "next")


@workload(empty=lambda: CommonAnswers((), (), (), (), ()), requests=(28, 64, 64, 64))
def common_answers(run: Run) -> CommonAnswers:
    """Show an image and the list, follow their links, and send what the resources do not have."""
    client = run.client
    compressed: list[Answer] = []
    with run.fresh_image() as image:
        listed, shown = client.list(limit="1"), image.show()
        links = [*_followed(client, "/images", listed, ("first", "next", "schema"))]
        links += _followed(client, f"/images/{image.id}", shown, ("self", "schema", "file"))
        further = {path: client.send("GET", path) for path in (f"/images/{image.id}/members", "/tasks")}
        offered = [path for path, answer in further.items() if answer.ok]
        refused = [
            *(client.send("PUT", path) for path in offered),
            client.send("DELETE", "/images"),
            client.send("POST", f"/images/{image.id}"),
            client.send("PUT", f"/images/{image.id}"),
            client.send("DELETE", "/schemas/image"),
        ]
        others = [] if run.settings.image else [*_of_other_types(run, image, tasks="/tasks" in offered)]
        targets = ("/images", f"/images/{image.id}", *offered)
        plain = [client.send("GET", target, headers={"Accept": None}) for target in targets]
        negotiated, safe = list[Answer](), list[Answer]()
        if run.rounds:
            refused += [client.send("PUT", "/images"), client.send("POST", "/schemas/images")]
            plain += [client.send("GET", target, headers={"Accept": "*/*"}) for target in targets[:2]]
            negotiated += _negotiated(client, [*targets, "/schemas/image"])
            asked = [*targets, f"/images/{image.id}/file", "/schemas/images"]
            safe += [client.send(method, target) for target in asked for method in ("OPTIONS", "HEAD")]
        changed = [] if run.settings.image else [*_changed(image)]
        plain += changed[1:2]
        broken = [] if run.settings.image or not run.rounds else [*_broken(image, tasks="/tasks" in offered)]
        if run.rounds:
            new = [*_new_task(run)] if "/tasks" in offered else []
            plain += new
            # What is done to a task, nobody has to offer.
            refused += [client.send(method, _place(answer)) for answer in new[1:] for method in ("PUT", "POST")]
            compressed = [client.send("GET", "/schemas/images", headers=COMPRESSED)]
    answers = [listed, shown, *further.values(), *changed[:1], *refused]
    of_headers = (broken, compressed, changed[:2], negotiated, safe)
    return CommonAnswers(answers, links, refused, others, plain, changed[2:], *of_headers)


BROKEN = b'{"type": "import", "input": {'
COMPRESSED = {"Accept-Encoding": "gzip, deflate"}


def _broken(image: Image, *, tasks: bool) -> Iterator[Answer]:
    """Send bodies that are no JSON, because they end too early."""
    kind = {"Content-Type": "application/json"}
    yield image.send("PATCH", "", body=BROKEN, headers={"Content-Type": PATCH_TYPE})
    yield image.send("POST", "/members", body=BROKEN, headers=kind)
    if tasks:
        yield image.client.send("POST", "/tasks", body=BROKEN, headers=kind)


def _new_task(run: Run) -> Iterator[Answer]:
    """Ask for an import of what is not there, and look at it, and name no format in either request."""
    plain = {"Accept": None}
    with claimed_name(run.client, run.name) as name:
        answer = run.client.send("POST", "/tasks", json=import_from(NOWHERE, name), headers=plain)
        yield answer
        location = answer.document.get("id")
        if is_fit(location):
            yield run.client.send("GET", f"/tasks/{location}", headers=plain)


def _place(answer: Answer) -> str:
    """Return what follows the endpoint in the target of an answer that shows a task."""
    return f"/tasks/{answer.exchange.target.rpartition('/')[2]}"


def _negotiated(client: ImagesClient, targets: Sequence[str]) -> Iterator[Answer]:
    """Ask for each target in other formats than JSON, then for all of them as browsers and their scripts ask."""
    for target, accept in zip(targets, cycle(FORMATS), strict=False):
        yield client.send("GET", target, headers={"Accept": accept})
    for target, headers in zip(targets, cycle(FURTHER), strict=False):
        yield client.send("GET", target, headers=headers)


def _changed(image: Image) -> Iterator[Answer]:
    """Change an image, and once more without asking for a format; and show it, if it has taken what is no ASCII."""
    words = add("/cloudimages_words", VALUES[OF_LATIN_1])
    for headers in ({"Content-Type": PATCH_TYPE}, {"Content-Type": PATCH_TYPE, "Accept": None}):
        answer = image.send("PATCH", "", json=[words], headers=headers)
        if not answer.ok:
            answer = image.send("PATCH", "", json=[replaced("/min_ram", 64)], headers=headers)
        yield answer
    if answer.ok:
        yield image.show()


def _followed(
    client: ImagesClient, target: str, answer: Answer, names: Sequence[str]
) -> Iterator[tuple[str, str, Answer | None]]:
    data = answer.document
    for name in names:
        link = data.get(name)
        if isinstance(link, str):
            led = leads_to(client, link, target)
            found = client.send("GET", led) if led.startswith("/") else None
            if not (name == "next" and found and found.refused and _ends_with_what_is_gone(client, target, answer)):
                yield name, link, found


def _ends_with_what_is_gone(client: ImagesClient, target: str, answer: Answer) -> bool:
    """Return whether the last image of a page, which the next one is to start after, was deleted meanwhile."""
    ids = [entry.get("id") for entry in entries_of(answer, target)][-1:]
    return all(is_fit(each) and client.show(each).status == 404 for each in ids)  # noqa: PLR2004 - as HTTP has it


def _of_other_types(run: Run, image: Image, *, tasks: bool) -> Iterator[Answer]:
    text = {"Content-Type": "text/plain"}
    project = uuid.uuid4().hex
    with suppress(Blocked, pytest.skip.Exception):
        # One that there is not may be refused for that.
        other = run.caller("ALT")
        project = run.owner_of(other) if other else project
    yield image.send("PATCH", "", json=[{"op": "replace", "path": "/min_ram", "value": 0}], headers=text)
    yield image.send("POST", "/members", json={"member": project}, headers=text)
    if run.rounds:
        yield image.send("POST", "/members", json={"member": project}, headers={"Content-Type": None})
    if tasks:
        yield run.client.send("POST", "/tasks", json=import_from(NOWHERE, run.name), headers=text)
