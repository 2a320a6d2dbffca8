"""Lists: queries, and the pages of images, or of anything else with an id, that they select."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from .images import Caller, Image, MemberStatus, Status, Visibility, owns, sees
from .refusals import Invalid

PAGE = 25  # items on a page, unless fewer are asked for


class Listed(Protocol):
    """What lists hold: it has an id, and was created at some time."""

    id: str
    created_at: datetime


Item = TypeVar("Item", bound=Listed)
SortKeys = Mapping[str, Callable[[Item], object]]

SORT_KEYS: SortKeys[Image] = {
    "name": lambda image: image.name,
    "status": lambda image: image.status,
    "container_format": lambda image: image.container_format,
    "disk_format": lambda image: image.disk_format,
    "size": lambda image: image.size,
    "id": lambda image: image.id,
    "created_at": lambda image: image.created_at,
    "updated_at": lambda image: image.updated_at,
}

LINKS = frozenset({"self", "file", "schema"})
PAGING = frozenset({"limit", "marker", "sort_key", "sort_dir", "sort"})
DIRECTIONS = {"asc": False, "desc": True}


@dataclass(frozen=True, slots=True)
class Query:
    """The query of a list: decoded pairs in the order of the target."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, query: str) -> "Query":
        """Return the decoded query of a target, or raise Invalid if its octets are not UTF-8."""
        try:
            return cls(tuple(parse_qsl(query, keep_blank_values=True, errors="strict")))
        except ValueError as error:
            raise Invalid(f"The query cannot be read: {error}.") from None

    def all(self, name: str) -> list[str]:
        """Return every value of a parameter."""
        return [value for key, value in self.pairs if key == name]

    def last(self, name: str) -> str | None:
        """Return the last value of a parameter."""
        return next(reversed(self.all(name)), None)

    def one_of(self, name: str, allowed: Iterable[str], default: str) -> str:
        """Return the value of a parameter that has a few allowed values, or raise Invalid."""
        value = self.last(name)
        choices = list(allowed)
        if value is None:
            return default
        if value not in choices:
            raise Invalid(f"{name} is one of {', '.join(choices)}, not {value!r}.")
        return value

    def number(self, name: str) -> int | None:
        """Return the value of a parameter as a whole number not below 0, or raise Invalid."""
        value = self.last(name)
        if value is None:
            return None
        if not re.fullmatch(r"[0-9]{1,18}", value):
            raise Invalid(f"{name} is a whole number not below 0, not {value!r}.")
        return int(value)

    def link(self, path: str, marker: str | None = None) -> str:
        """Return the query percent-encoded, without a marker or with this one."""
        pairs = [(key, value) for key, value in self.pairs if key != "marker"]
        if marker is not None:
            pairs.append(("marker", marker))
        return f"{path}?{urlencode(pairs, quote_via=quote, safe='')}" if pairs else path


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A page: some of the items that a query selects, and whether there are more."""

    items: list[Item]
    more: bool


def document(name: str, query: Query, page: Page[Item], represent: Callable[[Item], object]) -> dict[str, object]:
    """Return the document of a page of the list with this name, with its links."""
    path = f"/v2/{name}"
    shown: dict[str, object] = {
        name: [represent(item) for item in page.items],
        "first": query.link(path),
        "schema": f"/v2/schemas/{name}",
    }
    if page.more:
        shown["next"] = query.link(path, marker=page.items[-1].id)
    return shown


def page(
    images: Iterable[Image], caller: Caller, query: Query, represent: Callable[[Image], Mapping[str, object]]
) -> Page[Image]:
    """Return the page of images that a query selects.

    `represent` gives the attributes by which the images are filtered. Raises Invalid for a value that no image can
    have, for an unknown key of order, and for a marker that is no image the caller sees.
    """
    known = [image for image in images if sees(caller, image)]
    accepted = _filters(caller, query, represent)
    return cut(known, [image for image in known if all(accept(image) for accept in accepted)], query, SORT_KEYS)


def cut(known: list[Item], chosen: list[Item], query: Query, keys: SortKeys[Item]) -> Page[Item]:
    """Return the page of the chosen items that a query asks for, in its order; a marker is any of the known ones.

    Raises Invalid for an unknown key of order, and for a marker that is not known.
    """
    size = query.number("limit")
    size = PAGE if size is None else min(size, PAGE)
    marker_id = query.last("marker")
    if marker_id is not None:
        marker = next((item for item in known if item.id == marker_id), None)
        if marker is None:
            raise Invalid(f"There is nothing with the id {marker_id} to start after.")
        if marker not in chosen:
            chosen = [*chosen, marker]
    chosen = _sorted(chosen, query, keys)
    if marker_id is not None:
        chosen = chosen[[item.id for item in chosen].index(marker_id) + 1 :]
    return Page(chosen[:size], more=0 < size < len(chosen))


def _sorted(items: list[Item], query: Query, keys: SortKeys[Item]) -> list[Item]:
    orders = _orders(query, keys)
    newest_first = orders[0][1]
    found = sorted(items, key=lambda item: (item.created_at, item.id), reverse=newest_first)
    for value, descending in reversed(orders):
        found.sort(key=lambda item, value=value: _sortable(value(item)), reverse=descending)  # type: ignore[misc]
    return found


def _sortable(value: object) -> tuple[bool, object]:
    return (value is not None, value)


def _orders(query: Query, known: SortKeys[Item]) -> list[tuple[Callable[[Item], object], bool]]:
    keys, directions = query.all("sort_key"), query.all("sort_dir")
    sort = query.last("sort")
    if sort is not None:
        if keys or directions:
            raise Invalid("sort does not go together with sort_key and sort_dir.")
        parts = [part.partition(":") for part in sort.split(",")]
        keys, directions = [part[0] for part in parts], [part[2] or "desc" for part in parts]
    keys = keys or ["created_at"]
    if len(directions) > 1 and len(directions) != len(keys):
        raise Invalid("There are not as many sort_dir as sort_key.")
    if len(directions) <= 1:
        directions = (directions or ["desc"]) * len(keys)
    for name, values, allowed in (("sort_key", keys, known), ("sort_dir", directions, DIRECTIONS)):
        for value in values:
            if value not in allowed:
                raise Invalid(f"{name} is one of {', '.join(allowed)}, not {value!r}.")
    return [(known[key], DIRECTIONS[way]) for key, way in zip(keys, directions, strict=True)]


def _filters(
    caller: Caller, query: Query, represent: Callable[[Image], Mapping[str, object]]
) -> list[Callable[[Image], bool]]:
    visibility = query.one_of("visibility", [*Visibility, "all"], "")
    status = query.one_of("member_status", [*MemberStatus, "all"], MemberStatus.ACCEPTED)
    hidden = query.one_of("os_hidden", ["true", "false", "True", "False"], "false").lower() == "true"
    query.one_of("status", Status, "")
    smallest, largest = query.number("size_min"), query.number("size_max")
    wanted = set(query.all("tag"))

    filters: list[Callable[[Image], bool]] = [
        lambda image: image.os_hidden == hidden,
        lambda image: _listed(caller, image, visibility, status),
    ]
    if wanted:
        filters.append(lambda image: wanted.issubset(image.tags))
    if smallest is not None:
        filters.append(lambda image: image.size is not None and image.size >= smallest)
    if largest is not None:
        filters.append(lambda image: image.size is not None and image.size <= largest)
    special = PAGING | {"visibility", "member_status", "os_hidden", "tag", "size_min", "size_max"}
    others = [(key, value) for key, value in query.pairs if key not in special]
    if others:
        filters.append(lambda image: all(_carries(represent(image), key, value) for key, value in others))
    return filters


def _listed(caller: Caller, image: Image, visibility: str, status: str) -> bool:
    own = image.owner == caller.project
    if visibility not in ("", "all", image.visibility):
        return False
    match image.visibility:
        case Visibility.PUBLIC:
            return True
        case Visibility.COMMUNITY:
            # "Community" images of other projects are listed only if the query names this visibility.
            return own or visibility != ""
        case Visibility.PRIVATE:
            return owns(caller, image)
        case Visibility.SHARED:
            member = image.members.get(caller.project)
            return owns(caller, image) or (member is not None and status in ("all", member.status))


def _carries(document: Mapping[str, object], key: str, value: str) -> bool:
    held = document.get(key)
    if held is None or key in LINKS:
        return False
    if isinstance(held, bool):
        return value.lower() == str(held).lower()
    if value.startswith("in:"):
        return str(held) in value.removeprefix("in:").split(",")
    return str(held) == value
