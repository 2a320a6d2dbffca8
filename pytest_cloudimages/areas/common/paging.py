"""The pages of a list, whatever it is a list of: read one after another, and what their links say."""

import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_cloudimages.areas.common.followed_links import leads_to
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.images import GOING
from pytest_cloudimages.client.json_documents import LONGEST_NUMBER
from pytest_cloudimages.client.session import ImagesClient, segment

MOST_PAGES = 12
"""Pages of one list that are followed: a service that never comes to an end is not followed further."""
Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Page:
    """One page of a list."""

    target: str
    answer: Answer
    entries: Sequence[Mapping[str, Any]]

    @property
    def data(self) -> Mapping[str, Any]:
        """The document; empty where there is none."""
        return self.answer.data if isinstance(self.answer.data, dict) else {}

    @property
    def ids(self) -> list[str]:
        """The ids of the entries, in their order."""
        return [str(entry.get("id")) for entry in self.entries]


@dataclass(frozen=True)
class PagedList:
    """A list that was read page by page, to its end or until it could not be followed further."""

    query: Query
    pages: tuple[Page, ...]
    ended: bool
    """Whether the last page has no ``next``."""
    problem: str = ""
    """What is wrong with the way from page to page."""

    def __str__(self) -> str:
        return f"the list {self.pages[0].target}"

    @property
    def first(self) -> Page:
        """The first page."""
        return self.pages[0]

    @property
    def status(self) -> int:
        """The status of the first page that is none, or of the last."""
        return next((page.answer.status for page in self.pages if page.answer.status != 200), 200)  # noqa: PLR2004

    @property
    def readable(self) -> bool:
        """Whether each page was one."""
        return self.status == 200  # noqa: PLR2004 - as HTTP has it

    @property
    def entries(self) -> list[Mapping[str, Any]]:
        """The entries of all pages, in their order."""
        return [entry for page in self.pages for entry in page.entries]

    @property
    def exchanges(self) -> list[Exchange]:
        """What was sent for it."""
        return [page.answer.exchange for page in self.pages]

    @property
    def links(self) -> list[str]:
        """What leads from page to page: what was asked for, and what is called next."""
        nexts = (page.data.get("next") for page in self.pages)
        return [*(page.target for page in self.pages), *(link for link in nexts if isinstance(link, str))]

    def shows_as_going(self, identifier: str) -> bool:
        """Return whether it shows an image, and each time as one that is as good as deleted."""
        shown = [entry.get("status") for entry in self.entries if entry.get("id") == identifier]
        return bool(shown) and {*shown} <= {*GOING}

    def ids(self, known: Sequence[str]) -> list[str]:
        """Return the ids of its entries that are known, in their order, each as often as it was shown."""
        return [identifier for page in self.pages for identifier in page.ids if identifier in known]


def target_of(path: str, query: Query) -> str:
    """Return what is sent for a list and a query."""
    return path + ("?" + "&".join(f"{key}={segment(value)}" for key, value in query) if query else "")


def query_of(target: str) -> list[tuple[str, str]]:
    """Return the parameters of a target or a link, in their order."""
    return urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query, keep_blank_values=True)


def asked_by(query: Query, link: str, page: Page) -> list[tuple[str, str]]:
    """Return the parameters of a link that a page shows, in their order, as they were asked for.

    A limit that the service has brought down, so that the page holds no more, may be written as it applies.
    """
    limit = limit_of(query) or 0
    pairs = query_of(link)
    applies = limit_of(tuple(pairs)) or limit
    brought_down = applies < limit and len(page.entries) == applies
    return [(key, f"{limit}") if key == "limit" and brought_down else (key, value) for key, value in pairs]


def limit_of(query: Query) -> int | None:
    """Return the limit that a query asks for."""
    limits = (value for key, value in query if key == "limit" and value.isdecimal())
    return next((int(value) for value in limits if len(value) <= LONGEST_NUMBER), None)


def read_pages(
    client: ImagesClient,
    path: str,
    query: Query = (),
    *,
    most: int = MOST_PAGES,
    between: Callable[[int], object] = lambda _: None,
    headers: Mapping[str, str | None] | None = None,
) -> PagedList:
    """Read a list page by page; ``between`` is told the number of each page that was read, before the next one is.

    ``headers`` is what is sent besides, or instead of what is sent otherwise.
    """
    target, pages, problem, ended = target_of(path, query), list[Page](), "", False
    seen: set[str] = set()
    while len(pages) < most:
        seen.add(target)
        answer = client.send("GET", target, headers=headers)
        page = Page(target, answer, tuple(entries_of(answer, path)))
        pages.append(page)
        link = page.data.get("next")
        if answer.status != 200 or not link:  # noqa: PLR2004 - as HTTP has it
            ended = not link
            break
        target = leads_to(client, link, target)
        if not target.startswith(path):
            problem = f"next leads elsewhere: {target}"
            break
        if target in seen:
            problem = f"the pages go in a circle: {target} was read before"
            break
        between(len(pages))
    return PagedList(query, tuple(pages), ended, problem)


def entries_of(answer: Answer, path: str) -> Iterator[Mapping[str, Any]]:
    """Yield the entries of a page of the list at a path; what is no object is none."""
    entries = answer.document.get(path.rpartition("/")[2])
    yield from (entry for entry in (entries if isinstance(entries, list) else []) if isinstance(entry, dict))


def holds(answer: Answer, image: str) -> bool:
    """Return whether a list of images shows one, in whichever case its id is."""
    return any(str(entry.get("id")).lower() == image.lower() for entry in entries_of(answer, "/images"))
