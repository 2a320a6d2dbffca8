"""The lists of versions at the root of a service, and where their links lead; each is asked for once."""

import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from pytest_cloudimages.areas.common.offers import NOT_OFFERED
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.versions import at_the_root, is_another, version_ids
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run

UNKNOWN_VERSION = "/v99/images"
TURNED_AWAY = frozenset({401, 403})
LEADING_ELSEWHERE = frozenset({301, 302, 303, 307, 308})
"""How a server that has something else at an address leads on to it."""
PLAIN = re.compile(r"(/[\w~-][\w.~-]*)+", re.ASCII)
"""A path that is sent as it is."""
NUMBER = re.compile(r"/v2\.\d+$")
"""How a path ends that names a lesser version."""
MOST_LED = 4
"""How many links that lead beside the service are followed."""


@dataclass(frozen=True, repr=False)
class Versions(Collection):
    """What the root of the service answers."""

    answers: Mapping[str, Answer]
    known: Mapping[str, Answer] = field(default_factory=dict)
    """Lists of versions that are shown to callers with a token, and to nobody else."""
    plain: Sequence[Answer] = ()
    """The answers where such a list is, to who asks for no format."""
    led: Sequence[tuple[Answer, str, Answer]] = ()
    """Lists with a link of theirs that leads beside the service, and what is answered below that."""

    @cases
    def at(self, path: str) -> Iterator[Case[Answer]]:
        """Return the answer at a path below the root; *untested* where the service has nothing there."""
        if path in self.answers:
            answer = self.answers[path]
            shown = self.known.get(path)
            if (answer.status in NOT_OFFERED | TURNED_AWAY or is_of_another_application(answer)) and shown is None:
                pytest.skip(f"needs a list of versions, which the service does not offer: {answer.exchange}")
            yield Case(answer, [each.exchange for each in (shown, answer) if each])

    @cases
    def asked_plainly(self, path: str) -> Iterator[Case[Answer]]:
        """Return the answer at a path below the root to who asks for no format, if a list of versions is there."""
        for answer in self.plain:
            if answer.exchange.target == self.answers[path].exchange.target:
                yield Case(answer, [self.answers[path].exchange, answer.exchange])

    @cases
    def beside(self) -> Iterator[Case[tuple[Answer, str, Answer]]]:
        """Return lists with a link of the second version that leads beside the service, and what is found there."""
        for listed, link, found in self.led:
            yield Case((listed, link, found), [listed.exchange, found.exchange])

    @cases
    def links(self) -> Iterator[Case[tuple[Answer, str, str]]]:
        """Return the links of each version in the lists that are shown, with the version."""
        for answer in self.answers.values():
            data = answer.data if is_another(answer.data) else {"versions": []}
            for entry in [each for each in data["versions"] if isinstance(each, dict)]:
                links = entry.get("links")
                for link in links if isinstance(links, list) else ():
                    if isinstance(link, dict) and isinstance(link.get("href"), str) and link.get("rel") == "self":
                        yield Case((answer, str(entry.get("id")), link["href"]), [answer.exchange])


def is_of_another_application(answer: Answer) -> bool:
    """Return whether a page, or the way to one, is what is at the root: a dashboard, which shares the host."""
    page = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/html"
    return page or answer.status in LEADING_ELSEWHERE


def major_versions(answer: Answer) -> list[str]:
    """Return the versions that an answer lists, as far as their first point: what stands in paths."""
    return sorted({text.partition(".")[0] for text in version_ids(answer.data)})


@workload(empty=lambda: Versions({}), requests=(3, 5, 5, 5))
def version_documents(run: Run) -> Versions:
    """Ask for the versions at the root of the service, without a token."""
    root = at_the_root(run.client.calling("nobody", lambda: None))
    answers = {path: root.send("GET", path) for path in ("/", "/versions", UNKNOWN_VERSION)}
    known: dict[str, Answer] = {}
    for path, answer in answers.items():
        if answer.status in TURNED_AWAY and path != UNKNOWN_VERSION:
            shown = replace(run.client, endpoint=root.endpoint).send("GET", path)
            known |= {path: shown} if is_another(shown.data) else {}
    found = Versions(answers, known)
    listing = [path for path, answer in answers.items() if is_another(answer.data)] if run.rounds else []
    plain = [root.send("GET", path, headers={"Accept": None}) for path in listing if path != UNKNOWN_VERSION]
    return replace(found, plain=plain, led=[*_led_beside(root, run.client.endpoint, found)])


def _led_beside(root: ImagesClient, endpoint: str, versions: Versions) -> Iterator[tuple[Answer, str, Answer]]:
    """Follow the links of the second version that lead to the same host, but beside the service.

    Another application may be there, so that no token is shown: who is asked for one has found a service. Where a link
    leads to another host, a front server may stand for it.
    """
    here = urllib.parse.urlsplit(endpoint)
    origin = replace(root, endpoint=f"{here.scheme}://{here.netloc}")
    beside: dict[tuple[str, str], tuple[Answer, str]] = {}
    for case in versions.links().find():
        listed, version, link = case.thing
        try:
            led = urllib.parse.urlsplit(urllib.parse.urljoin(f"{origin.endpoint}{listed.exchange.target}", link))
        except ValueError:
            continue
        path = led.path.rstrip("/")
        plain = led.netloc == here.netloc and PLAIN.fullmatch(path)
        if version.startswith("v2") and plain and NUMBER.sub("/v2", path) not in (here.path, "/v2"):
            beside.setdefault((listed.exchange.target, path), (listed, link))
    for (_, path), (listed, link) in [*beside.items()][:MOST_LED]:
        yield listed, link, origin.send("GET", f"{path}/images?limit=1")
