"""Lists of images: filtered, sorted, and read page by page, each asked for once and judged by a model of the images."""

import time
import uuid
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest

from pytest_cloudimages.areas.common.followed_links import leads_to
from pytest_cloudimages.areas.common.forms import is_whole
from pytest_cloudimages.areas.common.offers import require_offered
from pytest_cloudimages.areas.common.paging import Query, query_of, read_pages
from pytest_cloudimages.areas.images.asked_lists import Asked, Aspect, Lists
from pytest_cloudimages.areas.images.changed_lists import sort_by_the_last_change
from pytest_cloudimages.areas.images.list_reader import ListReader
from pytest_cloudimages.areas.images.listed_images import OWN, created, deleted_before, names_of, set_apart
from pytest_cloudimages.areas.images.marked_lists import fits, start_after_markers
from pytest_cloudimages.areas.images.moving_lists import TAGGED, read_while_moving, tagged
from pytest_cloudimages.areas.images.states import OCTETS, once_settled
from pytest_cloudimages.areas.images.tried_patches import attributes_of
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

SORT_KEYS = ("name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at")
LARGE = "1000"
"""A limit above what is usual, which a service may have for its own or bring down to it."""
BEYOND_32_BITS = str(2**32 + 1)
"""A limit that is cut to 1, or overflows, where it is kept in 32 bits."""
OF_LARGE_IMAGES = ((BEYOND_32_BITS, ""), ("", str(2**32)))
"""Bounds as of an image of 4 GiB: in 32 bits the first is 1, and the other 0."""

WAYS_OF_FALSE = ("false", "False", "0")
"""How what is not true may be written in a query."""


@workload(empty=lambda: Lists([]), requests=(175, 223, 223, 223))
def image_lists(run: Run) -> Lists:
    """Create a few images, and ask for lists of them: filtered, sorted, page by page, and in ways that are refused."""
    mark = f"l{uuid.uuid4().hex[1:]}"
    lists = ListReader(run)
    require_offered(run.client.list(limit="1"), "the list of images")
    run.require_own()
    with ExitStack() as stack:
        images = created(run, stack, mark)
        with run.recorder.of(Purpose.PREPARING):
            set_apart(images, whole=bool(run.rounds))
            changed = time.monotonic()
            lists.gone = deleted_before(run, mark) if run.rounds else ""
        lists.known = {image.id: attributes_of(once_settled(image)) for image in images}
        lists.image = images[0]
        lists.by(Aspect.LARGE, ("limit", LARGE), ("name", mark), name=mark)
        if lists.asked[-1].listed.status == 400:  # noqa: PLR2004 - as HTTP has it
            lists.wide = ()
        elif run.rounds:
            lists.by(Aspect.LARGE, ("limit", BEYOND_32_BITS), ("name", mark), name=mark)
        lists.have_asked(mark, _filter, _filter_by_values, _sort)
        lists.have_asked(mark, _read_by_page, _ask_wrongly, _ask_as_another)
        if run.rounds:
            sort_by_the_last_change(lists, mark, images, changed)
        dated = "created_at" in lists.sorted_by
        moving = read_while_moving(run, mark, images, lists.known, stack, dated=dated)
        lists.asked += [Asked(Aspect.MOVING, *moved) for moved in moving]
    return Lists(lists.asked, lists.gone)


def _filter(lists: ListReader, mark: str) -> None:
    known = lists.known
    _ask_for_all(lists)
    shown = [str(data["name"]) for data in known.values() if data.get("name")]
    for name in dict.fromkeys([*names_of(mark), *shown]):
        lists.by(Aspect.NAME, ("name", name), name=name)
    # No part of a name is one, and no letter of it stands for others.
    for name in (mark[:-1], f"_{mark[1:]}", f"{mark[:-1]}%", f"{mark[:-1]}*", f".{mark[1:]}"):
        lists.ask(Aspect.NAME, ("name", name), expected=[])
    # Nor is what stands beside a colon, but where that is refused: some lists have operators there, and not these.
    for name in (f"cloudimages:{mark}", f"{mark}:cloudimages") if lists.run.rounds else ():
        lists.ask(Aspect.NAME, ("name", name), expected=[])
    # What consumers decide on are images of others. (Rulings, 23.)
    for status in ("pending", "rejected", "accepted"):
        lists.by(Aspect.DECIDED, ("member_status", status), ("name", mark), name=mark)
    shared = {"visibility": "shared", "name": mark}
    lists.by(Aspect.DECIDED, ("visibility", "shared"), ("member_status", "rejected"), ("name", mark), **shared)
    for visibility in ("private", "shared", "public"):
        lists.by(Aspect.VISIBILITY, ("visibility", visibility), *lists.wide, visibility=visibility)
    owner = next((data["owner"] for data in known.values() if isinstance(data.get("owner"), str)), None)
    if owner:
        lists.by(Aspect.OWNER, ("owner", owner), ("name", mark), owner=owner, name=mark)
        lists.ask(Aspect.OWNER, ("owner", uuid.uuid4().hex), ("name", mark), expected=[])
    for status in ("queued", "active", "saving", "killed", "deleted", "pending_delete", "deactivated"):
        lists.by(Aspect.STATUS, ("status", status), ("name", mark), status=status, name=mark)


def _filter_by_values(lists: ListReader, mark: str) -> None:
    _filter_by_size(lists)
    _filter_by_attributes(lists, mark)
    if lists.run.rounds:
        _filter_by_nothing(lists, mark)
        _filter_together(lists, mark)
    for name in ("self", "file", "schema"):
        led = next(iter(lists.known.values())).get(name)
        lists.ask(Aspect.LINK, (name, str(led)))


def _ask_for_all(lists: ListReader) -> None:
    """Ask for the list without parameters, and for one more than it has shown where it says that there are no more."""
    whole = lists.ask(Aspect.WHOLE)
    if not (whole.listed.readable and whole.listed.ended):
        return
    own = [*lists.known]
    if sorted(whole.held) == sorted(own):
        lists.asked[-1] = replace(whole, expected=own)
    else:
        whole = lists.ask(Aspect.WHOLE, expected=own)
    if len(whole.listed.pages) == 1:
        limit = ("limit", str(len(whole.listed.entries) + 1))
        lists.asked[-1] = more = replace(lists.ask(Aspect.COUNTED, limit), aside=True)
        if more.shows_more_than(whole):
            # What has come meanwhile is on both lists then.
            lists.asked[-1] = replace(lists.ask(Aspect.WHOLE), aside=True)
            lists.asked[-1] = replace(lists.ask(Aspect.COUNTED, limit), aside=True)


def _filter_by_size(lists: ListReader) -> None:
    smallest, middle = str(len(OCTETS)), str(2 * len(OCTETS))
    for least, most in (
        ("1", ""),
        (f"{len(OCTETS) + 1}", ""),
        ("", smallest),
        ("0", "9"),
        ("", "0"),
        (middle, middle),
        *(OF_LARGE_IMAGES if lists.run.rounds else ()),
    ):
        query = [(key, value) for key, value in (("size_min", least), ("size_max", most)) if value]
        fitting = [
            each
            for each, data in lists.known.items()
            if is_whole(size := data.get("size")) and int(least or 0) <= size <= int(most or size)
        ]
        lists.ask(Aspect.SIZE, *query, *lists.wide, expected=fitting, most=4)


def _filter_by_attributes(lists: ListReader, mark: str) -> None:
    wanted = {"disk_format": "qcow2", "container_format": "ovf", "os_distro": "debian", "min_ram": 64}
    for name, value in wanted.items():
        lists.by(Aspect.ATTRIBUTE, (name, str(value)), ("name", mark), **{name: value, "name": mark})
    lists.by(Aspect.ATTRIBUTE, ("cloudimages_own", OWN), cloudimages_own=OWN)
    # Of several, all have to fit.
    for several in (
        {"os_distro": "debian", "disk_format": "qcow2"},
        {"os_distro": "debian", "container_format": "ovf"},
    ):
        lists.by(Aspect.ATTRIBUTE, *several.items(), *lists.wide, **several)


def _filter_by_nothing(lists: ListReader, mark: str) -> None:
    """Filter by values that are nothing in some languages, or that are not where they are text.

    How a list is asked for what is not true, no sentence says: the next way is tried where nothing was found.
    """
    for name, spelled in (("min_ram", ("0",)), ("protected", WAYS_OF_FALSE), ("os_hidden", WAYS_OF_FALSE)):
        named = {each: data.get(name) for each, data in lists.known.items() if data.get("name") == mark}
        fitting = [each for each, value in named.items() if value in (0, False)]
        for value in spelled if fitting else ():
            lists.ask(Aspect.NOTHING, (name, value), ("name", mark), expected=fitting)
            if sorted(lists.asked[-1].held) == sorted(fitting):
                break


def _sort(lists: ListReader, mark: str) -> None:
    for key in SORT_KEYS:
        for direction in ("asc", "desc"):
            query = (("sort_key", key), ("sort_dir", direction))
            if key == "id":  # of as many as there are: in which order ids are, is the service's
                lists.ask(Aspect.SORTED, *query, *lists.wide, most=4)
            else:
                lists.by(Aspect.SORTED, *query, ("name", mark), name=mark)
    for key, direction in (("name", "asc"), ("name", "desc"), ("size", "asc"), ("size", "desc")):
        lists.ask(
            Aspect.SORTED,
            ("sort_key", key),
            ("sort_dir", direction),
            *lists.wide,
            expected=[*lists.known],
            most=4,
        )
    lists.ask(Aspect.TOWARDS, ("sort_key", "id"), *lists.wide, most=4)
    for key in ("name", "size"):
        lists.ask(Aspect.TOWARDS, ("sort_key", key), *lists.wide, expected=[*lists.known], most=4)
    lists.by(Aspect.UNSORTED, ("sort_dir", "asc"), ("name", mark), name=mark)
    for half in (("sort_dir", "asc"), ("sort_key", "created_at")):
        lists.ask(Aspect.HALF, half, *lists.wide, most=4)


def _filter_together(lists: ListReader, mark: str) -> None:
    """Filter by many at once: all of them have to fit, and where any one does not, nothing does."""
    several = [(each, data) for each, data in lists.known.items() if data.get("cloudimages_own") == OWN]
    data = several[-1][1] if several else {}
    values = {"name": mark, "os_distro": data.get("os_distro"), "cloudimages_own": OWN, "owner": data.get("owner")}
    values |= {"visibility": data.get("visibility"), "status": data.get("status"), "size_min": data.get("size")}
    values = {name: int(value) if is_whole(value) else value for name, value in values.items()}
    fitting = {name: str(value) for name, value in values.items() if value is not None}
    whole = [each for each, other in several if all(fits(other, name, value) for name, value in fitting.items())]
    lists.ask(Aspect.TOGETHER, *fitting.items(), expected=whole)
    others = {"name": f"{mark}-b", "os_distro": "ubuntu", "cloudimages_own": "a b", "owner": uuid.uuid4().hex}
    # A new image may be private, and given data a while before it is active.
    others |= {"visibility": "private" if data.get("visibility") != "private" else "public"}
    others |= {"status": "saving" if data.get("status") != "saving" else "queued", "size_min": str(10**9)}
    for name in fitting if whole and lists.asked[-1].listed.readable else ():
        asked = lists.ask(Aspect.TOGETHER, *(fitting | {name: others[name]}).items(), expected=[])
        lists.asked[-1] = replace(asked, but=name)


def _read_by_page(lists: ListReader, mark: str) -> None:
    queries: tuple[Query, ...] = (
        (("limit", "1"),),
        (("limit", "2"),),
        (("limit", "3"),),
        (("limit", "1"), ("sort_key", "status"), ("sort_dir", "asc")),
        (("limit", "1"), ("sort_key", "name"), ("sort_dir", "desc")),
        # One of them has no size: it is before or after all others, and what follows it, or leads to it, is not lost.
        (("limit", "1"), ("sort_key", "size"), ("sort_dir", "asc")),
        (("limit", "1"), ("sort_key", "size"), ("sort_dir", "desc")),
        # Several were changed in the same second: none of them is passed over.
        *([(("limit", "1"), ("sort_key", "updated_at"), ("sort_dir", "desc"))] if lists.run.rounds else []),
    )
    for query in queries:
        # By what no list is sorted at all, none is sorted page by page.
        if all(key != "sort_key" or value in lists.sorted_by for key, value in query):
            lists.by(Aspect.LIMITED, *query, ("name", mark), name=mark)
    # What is asked for twice is asked for twice of the next page.
    keys = (("sort_key", "status"), ("sort_key", "name"), ("sort_dir", "asc"), ("sort_dir", "asc"))
    whole = lists.ask(Aspect.KEYS, *keys, ("name", mark))
    if whole.listed.readable:
        lists.ask(Aspect.LIMITED, ("limit", "1"), *keys, ("name", mark), expected=whole.held)
    lists.by(Aspect.LIMITED, ("limit", "1"), ("cloudimages_own", OWN), cloudimages_own=OWN)
    _read_by_page_together(lists, mark)
    if lists.run.rounds:
        _read_by_page_of_nothing(lists, mark)
    if carry := tagged(lists.known):
        lists.ask(Aspect.LIMITED, ("limit", "2"), ("tag", TAGGED[0]), expected=carry)
    by_status = {asked.value("status"): asked for asked in lists.asked if asked.aspect is Aspect.STATUS}
    for status in ("active", "queued"):
        found = by_status[status]
        # What the filter does not find at all is not the concern of pages.
        lists.ask(Aspect.LIMITED, ("limit", "1"), ("status", status), ("name", mark), expected=found.held)
    _led_back(lists)
    lists.ask(Aspect.LIMITED, ("limit", "2"), most=2)
    start_after_markers(lists, mark)


def _read_by_page_together(lists: ListReader, mark: str) -> None:
    """Read what is asked for by all that lists are filtered by: none of it is lost on the way to the next page."""
    sized = [data for data in lists.known.values() if data.get("name") == mark and data.get("size")]
    data = sized[-1] if sized else {}
    names = ("owner", "visibility", "status", "cloudimages_own")
    query = tuple((name, str(data[name])) for name in names if data.get(name) is not None)
    query += (("size_min", "1"), ("size_max", LARGE), ("member_status", "all"), ("name", mark))
    whole = lists.ask(Aspect.KEYS, *query)
    if whole.listed.readable and whole.held:
        lists.ask(Aspect.LIMITED, ("limit", "1"), *query, expected=whole.held)


def _read_by_page_of_nothing(lists: ListReader, mark: str) -> None:
    """Read by what is nothing in some languages, which no next page forgets.

    What was created first has no size: who cuts pages before they are filtered leaves the first of them empty.
    """
    found = [each for each in lists.asked if each.aspect is Aspect.NOTHING and each.value("protected")]
    worked = [each for each in found if each.listed.readable and sorted(each.held) == sorted(each.wanted)]
    query = (("size_min", "0"), *(pair for each in worked[-1:] for pair in each.query if pair[0] == "protected"))
    query += (("sort_dir", "asc"), ("name", mark))
    whole = lists.ask(Aspect.KEYS, *query)
    if whole.listed.readable and len(whole.held) > 1:
        lists.ask(Aspect.LIMITED, ("limit", "1"), *query, expected=whole.held)


def _led_back(lists: ListReader) -> None:
    """Follow first from the last page of a list that has several; of others, where it is not what was asked for."""
    several = [asked.listed for asked in reversed(lists.asked) if len(asked.listed.pages) > 1]
    followed: list[frozenset[str]] = []
    for listed in several:
        # A page whose own link has lost some of the query is another list's.
        kept = [page for page in listed.pages if {*listed.query} <= {*query_of(page.target)}]
        link = kept[-1].data.get("first")
        if not isinstance(link, str):
            continue
        target = leads_to(lists.run.client, link, kept[-1].target)
        query = tuple(query_of(target)) if target.startswith("/images") else (("limit", "1"), ("led", target))
        keys = frozenset(key for key, _ in listed.query)
        if not followed or (sorted(query) != sorted(listed.query) and keys not in followed):
            followed.append(keys)
            lists.ask(Aspect.FIRST, *query, expected=listed.first.ids, most=1)


def _ask_wrongly(lists: ListReader, mark: str) -> None:
    name = ("name", mark)
    # What was deleted is none either, once it is not shown any more.
    gone = [lists.gone] if lists.gone and lists.run.client.show(lists.gone).status == 404 else []  # noqa: PLR2004
    nearly = [f"{next(iter(lists.known))[:-1]}g"] if lists.run.rounds else []
    unknown = str(uuid.uuid4())
    for marker in (unknown, "cloudimages-no-id", *gone, *nearly, *(nearly and [unknown])):
        lists.ask(Aspect.WRONG_MARKER, ("marker", marker), name)
    for limit in ("-1", "abc", "1.5"):
        lists.ask(Aspect.WRONG_LIMIT, ("limit", limit), name)
    lists.ask(Aspect.NO_LIMIT, ("limit", "0"), name)
    lists.ask(Aspect.OFFSET, ("offset", "1"), name)
    wrong = {"sort_key": "bogus", "sort_dir": "up", "visibility": "bogus", "member_status": "bogus", "size_min": "few"}
    for key, value in [*wrong.items(), ("size_max", "many")]:
        lists.ask(Aspect.WRONG_VALUE, (key, value), name)


def _ask_as_another(lists: ListReader, mark: str) -> None:
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
        image = next(iter(hidden), "")
        if run.rounds and image and other.show(image).refused:
            marked = (("marker", image),)
            lists.asked.append(Asked(Aspect.HIDDEN_MARKER, marked, read_pages(other, "/images", marked, most=1)))
