"""Lists of images: filtered, sorted, and read page by page, each asked for once and judged by a model of the images."""

import enum
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_cloudimages.areas.common.followed_links import leads_to
from pytest_cloudimages.areas.common.offers import require_offered
from pytest_cloudimages.areas.common.paging import PagedList, Query, query_of, read_pages
from pytest_cloudimages.areas.images.moving_lists import TAGGED, read_while_moving, tagged
from pytest_cloudimages.areas.images.patch_model import add, replaced
from pytest_cloudimages.areas.images.states import OCTETS
from pytest_cloudimages.areas.images.updates import Attributes, attributes_of
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked, NoRoom

SORT_KEYS = ("name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at")
LARGE = "1000"
"""A limit above what is usual, which a service may have for its own or bring down to it."""
IMAGES = 5
"""Images of our own that lists are asked for; three of them have one name, so that keys are equal."""


class Aspect(enum.StrEnum):
    """What a list was asked for."""

    WHOLE = "without any parameter"
    NAME = "by name"
    VISIBILITY = "by visibility"
    OWNER = "by owner"
    DECIDED = "by what consumers have decided, asked by the owner"
    STATUS = "by status"
    SIZE = "by size"
    ATTRIBUTE = "by an attribute"
    LINK = "by a link"
    SORTED = "sorted"
    TOWARDS = "sorted in the direction that nobody asked for"
    FOREIGN = "by another project that does not see our images"
    UNSORTED = "in the order that nobody asked for"
    LIMITED = "page by page"
    MOVING = "page by page while images come and go"
    FIRST = "led back to by first"
    AFTER = "after a marker"
    BEYOND = "after the last image"
    WRONG_MARKER = "after what is no image"
    WRONG_LIMIT = "with a limit that is none"
    NO_LIMIT = "with the limit 0"
    LARGE = "with a limit that few services have"
    OFFSET = "with an offset"
    WRONG_VALUE = "with a value that there is not"


@dataclass(frozen=True)
class Asked:
    """A list that was asked for, and what of our images it has to hold."""

    aspect: Aspect
    query: Query
    listed: PagedList
    expected: Sequence[str] | None = None
    """The ids of our images that it has to hold; ``None`` where nothing is expected."""
    known: Mapping[str, Attributes] = field(default_factory=dict)
    """Our images by their ids, as they show themselves."""

    def __str__(self) -> str:
        return f"{self.listed}, {self.aspect}"

    @property
    def wanted(self) -> list[str]:
        """The same, as a list."""
        return [*(self.expected or ())]

    @property
    def held(self) -> list[str]:
        """The ids of our images that it holds, in their order, each as often as it was shown.

        Where the name only narrows what else is asked for, what has another name is left to those who ask by name.
        """
        name = self.value("name") if self.aspect is not Aspect.NAME else ""
        return self.listed.ids([each for each, data in self.known.items() if not name or data.get("name") == name])

    def value(self, name: str) -> str:
        """Return the value of a parameter; nothing where it was not asked for."""
        return next((value for key, value in self.query if key == name), "")


@dataclass(frozen=True, repr=False)
class Lists(Collection):
    """The lists of images that were asked for."""

    asked: Sequence[Asked]

    @cases
    def of(self, *aspects: Aspect) -> Iterator[Case[Asked]]:
        """Return the lists of some aspects, or all."""
        for asked in self.asked:
            if not aspects or asked.aspect in aspects:
                yield Case(asked, asked.listed.exchanges)

    @cases
    def entries(self) -> Iterator[Case[Mapping[str, Any]]]:
        """Return our images as the pages of lists show them that were read one after another."""
        for asked in self.asked:
            if asked.aspect is Aspect.LIMITED:
                for page in asked.listed.pages:
                    for entry in page.entries:
                        if entry.get("id") in asked.known:
                            yield Case(entry, [page.answer.exchange])


@dataclass
class _ListReader:
    run: Run
    known: dict[str, Attributes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    image: Image | None = None
    wide: Query = (("limit", "100"),)
    """How many are asked for on a page of many; nothing where the service refuses such a limit."""

    def ask(
        self, aspect: Aspect, *query: tuple[str, str], expected: Sequence[str] | None = None, most: int = 12
    ) -> Asked:
        """Ask for a list, and again while it is not as it has to be and there is patience."""

        def look() -> Asked:
            listed = read_pages(self.run.client, "/images", query, most=most)
            return Asked(aspect, query, listed, expected, self.known)

        def good(asked: Asked) -> bool:
            return expected is None or sorted(asked.held) == sorted(expected)

        found = self.image.eventually(look, good) if self.image and expected is not None else look()
        self.asked.append(found)
        self.run.show(lambda: Lists(self.asked))
        return found

    def by(self, aspect: Aspect, *query: tuple[str, str], **values: object) -> None:
        """Ask for a list of which those of our images have to be that have these values."""
        fitting = [
            each for each, data in self.known.items() if all(data.get(key) == value for key, value in values.items())
        ]
        self.ask(aspect, *query, expected=fitting)


@workload(empty=lambda: Lists([]), requests=(163, 163, 163, 163))
def image_lists(run: Run) -> Lists:
    """Create a few images, and ask for lists of them: filtered, sorted, page by page, and in ways that are refused."""
    mark = f"l{uuid.uuid4().hex[1:]}"
    lists = _ListReader(run)
    require_offered(run.client.list(limit="1"), "the list of images")
    run.require_own()
    with ExitStack() as stack:
        images = _created(run, stack, mark)
        with run.recorder.of(Purpose.PREPARING):
            _set_apart(images)
        lists.known = {image.id: attributes_of(image.show()) for image in images}
        lists.image = images[0]
        lists.by(Aspect.LARGE, ("limit", LARGE), ("name", mark), name=mark)
        if lists.asked[-1].listed.status == 400:  # noqa: PLR2004 - as HTTP has it
            lists.wide = ()
        _filter(lists, mark)
        _sort(lists, mark)
        _read_by_page(lists, mark)
        _ask_wrongly(lists, mark)
        _ask_as_another(lists, mark)
        lists.asked += [
            Asked(Aspect.MOVING, *moved) for moved in read_while_moving(run, mark, images, lists.known, stack)
        ]
    return Lists(lists.asked)


def _created(run: Run, stack: ExitStack, mark: str) -> list[Image]:
    """Create the images. Skip the workload where there is no room for so many, or no name is taken twice."""
    images: list[Image] = []
    for name in _names(mark):
        try:
            images.append(stack.enter_context(run.fresh_image(own=True, name=name)))
        except NoRoom as problem:
            if not images:
                raise
            pytest.skip(f"needs {IMAGES} images at a time, three of them of one name: {problem}")
    return images


def _names(mark: str) -> list[str]:
    """Return names: three times one, and two that a service could take for it."""
    return [mark, f"{mark}-b", mark, mark.upper(), mark]


def _set_apart(images: Sequence[Image]) -> None:
    """Set images apart by their attributes, as far as the service takes them."""
    changes: list[list[Mapping[str, Any]]] = [
        [replaced("/visibility", "private"), replaced("/min_ram", 64)],
        [replaced("/disk_format", "qcow2"), add("/os_distro", "debian")],
        [replaced("/container_format", "ovf"), add("/cloudimages_own", "a b")],
        [],
        [replaced("/min_ram", 64), add("/os_distro", "fedora"), add("/cloudimages_own", "a b")],
    ]
    for image, patch in zip(images, changes, strict=True):
        for change in patch:
            image.client.patch(image.id, change)
    # No list knows what an image was called before; what it is called now has more octets than letters.
    images[1].client.patch(images[1].id, replaced("/name", f"{images[0].name}-\u00fc\u6771\U0001f5bc 100%25+"))
    # Who is shared with several is listed once to its owner.
    for _ in range(2):
        images[2].send("POST", "/members", json={"member": uuid.uuid4().hex})
    # An image that carries several tags is one image all the same, to whoever counts and whoever joins.
    for place in (0, 2, 4):
        images[place].client.patch(images[place].id, replaced("/tags", [*TAGGED, f"lists-{place}"]))
    # Three sizes, which are sorted otherwise where they are taken for text.
    for place, times in ((4, 4), (2, 2), (1, 1)):
        images[place].upload(OCTETS * times)
    # What was created first was changed last: to be sorted by the one is not to be sorted by the other.
    images[0].client.patch(images[0].id, replaced("/min_disk", 1))


def _filter(lists: _ListReader, mark: str) -> None:
    known = lists.known
    lists.ask(Aspect.WHOLE)
    shown = [str(data["name"]) for data in known.values() if data.get("name")]
    for name in dict.fromkeys([*_names(mark), *shown]):
        lists.by(Aspect.NAME, ("name", name), name=name)
    # No part of a name is one, and no letter of it stands for others.
    for name in (mark[:-1], f"_{mark[1:]}", f"{mark[:-1]}%", f"{mark[:-1]}*", f".{mark[1:]}"):
        lists.ask(Aspect.NAME, ("name", name), expected=[])
    # What consumers decide on are images of others. (Rulings, 23.)
    for status in ("pending", "rejected", "accepted"):
        lists.by(Aspect.DECIDED, ("member_status", status), ("name", mark), name=mark)
    for visibility in ("private", "shared", "public"):
        lists.by(Aspect.VISIBILITY, ("visibility", visibility), *lists.wide, visibility=visibility)
    owner = next((data["owner"] for data in known.values() if isinstance(data.get("owner"), str)), None)
    if owner:
        lists.by(Aspect.OWNER, ("owner", owner), ("name", mark), owner=owner, name=mark)
        lists.ask(Aspect.OWNER, ("owner", uuid.uuid4().hex), ("name", mark), expected=[])
    for status in ("queued", "active", "saving", "killed", "deleted", "pending_delete", "deactivated"):
        lists.by(Aspect.STATUS, ("status", status), ("name", mark), status=status, name=mark)
    _filter_by_size(lists)
    _filter_by_attributes(lists, mark)
    for name in ("self", "file", "schema"):
        led = next(iter(known.values())).get(name)
        lists.ask(Aspect.LINK, (name, str(led)))


def _filter_by_size(lists: _ListReader) -> None:
    smallest = str(len(OCTETS))
    for least, most in (
        ("1", ""),
        (f"{len(OCTETS) + 1}", ""),
        ("", smallest),
        ("0", "9"),
        ("", "0"),
        (smallest, smallest),
    ):
        query = [(key, value) for key, value in (("size_min", least), ("size_max", most)) if value]
        fitting = [
            each
            for each, data in lists.known.items()
            if isinstance(size := data.get("size"), int) and int(least or 0) <= size <= int(most or size)
        ]
        lists.ask(Aspect.SIZE, *query, *lists.wide, expected=fitting, most=4)


def _filter_by_attributes(lists: _ListReader, mark: str) -> None:
    wanted = {"disk_format": "qcow2", "container_format": "ovf", "os_distro": "debian", "min_ram": 64}
    for name, value in wanted.items():
        lists.by(Aspect.ATTRIBUTE, (name, str(value)), ("name", mark), **{name: value, "name": mark})
    lists.by(Aspect.ATTRIBUTE, ("cloudimages_own", "a b"), cloudimages_own="a b")
    # Of several, all have to fit.
    for several in (
        {"os_distro": "debian", "disk_format": "qcow2"},
        {"os_distro": "debian", "container_format": "ovf"},
    ):
        lists.by(Aspect.ATTRIBUTE, *several.items(), *lists.wide, **several)


def _sort(lists: _ListReader, mark: str) -> None:
    for key in SORT_KEYS:
        for direction in ("asc", "desc"):
            query = (("sort_key", key), ("sort_dir", direction), ("name", mark))
            lists.by(Aspect.SORTED, *query, name=mark)
    for key, direction in (("name", "asc"), ("name", "desc"), ("size", "asc"), ("size", "desc")):
        lists.ask(
            Aspect.SORTED,
            ("sort_key", key),
            ("sort_dir", direction),
            *lists.wide,
            expected=[*lists.known],
            most=4,
        )
    lists.by(Aspect.TOWARDS, ("sort_key", "id"), ("name", mark), name=mark)
    for key in ("name", "size"):
        lists.ask(Aspect.TOWARDS, ("sort_key", key), *lists.wide, expected=[*lists.known], most=4)
    lists.by(Aspect.UNSORTED, ("name", mark), name=mark)
    lists.by(Aspect.UNSORTED, ("sort_dir", "asc"), ("name", mark), name=mark)
    lists.by(Aspect.UNSORTED, ("sort_key", "created_at"), ("name", mark), name=mark)


def _read_by_page(lists: _ListReader, mark: str) -> None:
    queries: tuple[Query, ...] = (
        (("limit", "1"),),
        (("limit", "2"),),
        (("limit", "3"),),
        (("limit", "1"), ("sort_key", "status"), ("sort_dir", "asc")),
        (("limit", "1"), ("sort_key", "name"), ("sort_dir", "desc")),
        (("limit", "2"), ("sort_key", "size"), ("sort_dir", "asc")),
    )
    for query in queries:
        lists.by(Aspect.LIMITED, *query, ("name", mark), name=mark)
    lists.by(Aspect.LIMITED, ("limit", "1"), ("cloudimages_own", "a b"), cloudimages_own="a b")
    if carry := tagged(lists.known):
        lists.ask(Aspect.LIMITED, ("limit", "2"), ("tag", TAGGED[0]), expected=carry)
    by_status = {asked.value("status"): asked for asked in lists.asked if asked.aspect is Aspect.STATUS}
    for status in ("active", "queued"):
        found = by_status[status]
        # What the filter does not find at all is not the concern of pages.
        lists.ask(Aspect.LIMITED, ("limit", "1"), ("status", status), ("name", mark), expected=found.held)
    _led_back(lists)
    lists.ask(Aspect.LIMITED, ("limit", "2"), most=2)
    whole = lists.ask(Aspect.UNSORTED, ("name", mark))
    for place, begin in enumerate(held := whole.held):
        aspect = Aspect.AFTER if place + 1 < len(held) else Aspect.BEYOND
        lists.ask(aspect, ("marker", begin), ("name", mark), expected=held[place + 1 :])


def _led_back(lists: _ListReader) -> None:
    """Follow first from the last page of a list that has several."""
    several = next((asked.listed for asked in reversed(lists.asked) if len(asked.listed.pages) > 1), None)
    if several is None:
        return
    pages = several.pages
    # A page whose own link has lost some of the query is another list's.
    kept = [page for page in pages if {*several.query} <= {*query_of(page.target)}]
    link = kept[-1].data.get("first")
    if isinstance(link, str):
        target = leads_to(lists.run.client, link, kept[-1].target)
        query = tuple(query_of(target)) if target.startswith("/images") else (("limit", "1"), ("led", target))
        lists.ask(Aspect.FIRST, *query, expected=pages[0].ids, most=1)


def _ask_wrongly(lists: _ListReader, mark: str) -> None:
    name = ("name", mark)
    for marker in (str(uuid.uuid4()), "cloudimages-no-id"):
        lists.ask(Aspect.WRONG_MARKER, ("marker", marker), name)
    for limit in ("-1", "abc", "1.5"):
        lists.ask(Aspect.WRONG_LIMIT, ("limit", limit), name)
    lists.ask(Aspect.NO_LIMIT, ("limit", "0"), name)
    lists.ask(Aspect.OFFSET, ("offset", "1"), name)
    wrong = {"sort_key": "bogus", "sort_dir": "up", "visibility": "bogus", "member_status": "bogus", "size_min": "few"}
    for key, value in [*wrong.items(), ("size_max", "many")]:
        lists.ask(Aspect.WRONG_VALUE, (key, value), name)


def _ask_as_another(lists: _ListReader, mark: str) -> None:
    """Have another project, which sees none of our images, look for them by all that lists are filtered by."""
    run = lists.run
    with suppress(Blocked, pytest.skip.Exception):
        other = run.of_another_project(able=True)
        if other is None:
            return
        hidden = {
            each: data for each, data in lists.known.items() if data.get("visibility") in (None, "private", "shared")
        }
        owner = next((data["owner"] for data in hidden.values() if isinstance(data.get("owner"), str)), "")
        of_owner = [("owner", owner)] if owner else []
        decided = [("visibility", "shared"), ("member_status", "all")]
        for more in (
            (),
            *([(pair,) for pair in of_owner]),
            (("visibility", "private"),),
            (("status", "queued"),),
            decided,
        ):
            query = (*more, ("name", mark))
            listed = read_pages(other, "/images", query)
            lists.asked.append(Asked(Aspect.FOREIGN, query, listed, [], hidden))
