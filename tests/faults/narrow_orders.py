"""Services whose lists compare, sort or filter otherwise for few values, changes and members, and lawful ones like them."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from itertools import count
from typing import Any
from uuid import uuid4

from pytest_cloudimages.reference import listing
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image, Member, MemberStatus, sees
from pytest_cloudimages.reference.refusals import Invalid

from .kinds import Kind
from .listing import link, pairs_of, sending
from .narrow_lists import _has
from .registry import registrar, selecting

KIND = Kind.LISTS

faulty = registrar(__name__, profile="standard")
"""Registers a service that has some methods of its own."""


# After a marker


def _by_name(sorted_as: Callable[[str], str], compared_as: Callable[[str], str]) -> Callable[[App, Request], Reply]:
    """Return what sorts whole lists by names in a way of its own, and compares what comes after a marker in another."""

    def list_images(self: App, request: Request) -> Reply:
        pairs = pairs_of(request)
        if [value for name, value in pairs if name == "sort_key"] != ["name"]:
            return App.list_images(self, request)
        limit, backward = int(_has(pairs, "limit") or 0), _has(pairs, "sort_dir") != "asc"
        rest = listing.Query(tuple(pair for pair in pairs if pair[0] not in ("marker", "limit")))
        found = listing.page(self.images.all(), request.caller, rest, self.represent).items
        found.sort(key=lambda image: _place(image, sorted_as), reverse=backward)
        if marker := _has(pairs, "marker"):
            begin = next((image for image in found if image.id == marker), None)
            if begin is None:
                raise Invalid(f"There is no image {marker}.")
            place = _place(begin, compared_as)
            places = ((image, _place(image, compared_as)) for image in found)
            found = [image for image, own in places if own != place and (own < place) is backward]
        page = listing.Page(found[:limit] if limit else found, more=bool(limit) and len(found) > limit)
        return Reply.of_json(listing.document("images", listing.Query(tuple(pairs)), page, self.represent))

    return list_images


def _place(image: Image, written: Callable[[str], str]) -> tuple[str, datetime, str]:
    return written(image.name or ""), image.created_at, image.id


faulty(
    "GoesOnWithoutRegardToCase",
    "Sorts names by their letters, and goes on after a marker by what they are without regard to case.",
    "PAGE-04",
    words=selecting("PAGE-04", "IMG-LIST-09"),
    list_images=_by_name(str, str.casefold),
)
faulty(
    "SortsNamesWithoutRegardToCase",
    "Sorts names without regard to case, before a marker and after it.",
    words=selecting("PAGE", "IMG-LIST"),
    list_images=_by_name(str.casefold, str.casefold),
)


def _of_others(status: MemberStatus | None) -> Callable[[App, Request], Reply]:
    """Return what starts no list after an image of others, unless the caller's membership has this status."""

    def list_images(self: App, request: Request) -> Reply:
        marker, project = _has(pairs_of(request), "marker"), request.caller.project
        found = next((image for image in self.images.all() if image.id == marker), None)
        member = found.members.get(project) if found else None
        if member and member.status is not status:
            raise Invalid(f"There is no image {marker}.")
        return App.list_images(self, request)

    return list_images


for _name, _sentence, _status in (
    ("StartsAfterOwnImagesAlone", "Starts no list after an image that others share with the caller.", None),
    ("StartsAfterWhatIsOffered", "Starts no list after an image that the caller has accepted.", MemberStatus.PENDING),
):
    faulty(_name, _sentence, "PAGE-04", words=selecting("PAGE-04"), list_images=_of_others(_status))


# When images were changed, and created


def _unmoved(method: str, *, forgets: bool) -> dict[str, object]:
    """Return methods of a service whose lists are sorted by a time that one kind of change does not move.

    ``forgets``: nor does the image show that the change has moved it, so that the list is right by what it shows.
    """

    def change(self: App, request: Request, image_id: str, *more: str) -> Reply:
        before = {image.id: image.updated_at for image in self.images.all()}
        reply: Reply = getattr(App, method)(self, request, image_id, *more)
        image = self.images.get(image_id)
        if forgets:
            image.updated_at = before[image_id]
        moved: dict[str, Any] = self.__dict__.setdefault("moved", {})
        known, changed = moved.get(image_id, (None, None))
        moved[image_id] = (known if changed == before[image_id] else before[image_id], image.updated_at)
        return reply

    def list_images(self: App, request: Request) -> Reply:
        moved: dict[str, Any] = self.__dict__.setdefault("moved", {})
        kept = dict(listing.SORT_KEYS)

        def time_of(image: Image) -> object:
            known, changed = moved.get(image.id, (image.updated_at, image.updated_at))
            return known if changed == image.updated_at else image.updated_at

        with self.images.lock:
            listing.SORT_KEYS["updated_at"] = time_of  # type: ignore[index]
            try:
                return App.list_images(self, request)
            finally:
                listing.SORT_KEYS["updated_at"] = kept["updated_at"]  # type: ignore[index]

    return {method: change, "list_images": list_images}


for _name, _sentence, _method in (
    ("SortsByOtherTimesThanOfLostTags", "Sorts by changes as though no tag had ever been taken off.", "delete_tag"),
    ("SortsByOtherTimesThanOfNewTags", "Sorts by changes as though no tag had ever been put on.", "add_tag"),
    ("SortsByOtherTimesThanOfPatches", "Sorts by changes as though no patch had ever been sent.", "update_image"),
):
    faulty(_name, _sentence, "IMG-LIST-09", words=selecting("IMG-LIST-09"), **_unmoved(_method, forgets=False))
faulty(
    "TakesTagsForNoChange",
    "Moves no time of the last change where a tag is put on, and sorts by what it shows.",
    words=selecting("IMG-LIST-09", "IMG-LIST-10"),
    **_unmoved("add_tag", forgets=True),
)


def _numbered_downwards(self: App, request: Request) -> Reply:
    numbers = self.__dict__.setdefault("numbers", count(0xFFFFFFFF, -1))
    try:
        wanted = json.loads(request.body)
    except ValueError:
        return App.create_image(self, request)
    if isinstance(wanted, dict) and "id" not in wanted:
        wanted["id"] = f"{next(numbers):08x}{str(uuid4())[8:]}"
    return App.create_image(self, replace(request, body=json.dumps(wanted).encode()))


def _by_ids(self: App, request: Request) -> Reply:
    pairs = pairs_of(request)
    by_id = _has(pairs, "sort_dir") and not _has(pairs, "sort_key")
    return App.list_images(self, sending(request, [*pairs, ("sort_key", "id")]) if by_id else request)


faulty(
    "SortsByIdsWhereNoKeyIsAsked",
    "Sorts by ids, the latest of which is the lowest, where a direction is asked for and no key.",
    "IMG-LIST-09",
    words=selecting("IMG-LIST-09", "IMG-LIST-10"),
    create_image=_numbered_downwards,
    list_images=_by_ids,
)


# What is nothing in some languages


def _passing_over(*pairs: tuple[str, str]) -> Callable[[App, Request], Reply]:
    """Return what takes no notice of some values of filters."""

    def list_images(self: App, request: Request) -> Reply:
        return App.list_images(self, sending(request, [pair for pair in pairs_of(request) if pair not in pairs]))

    return list_images


def _finding_none(*pairs: tuple[str, str]) -> Callable[[App, Request], Reply]:
    """Return what finds nothing by some values of filters."""

    def list_images(self: App, request: Request) -> Reply:
        asked = pairs_of(request)
        if not {*asked} & {*pairs}:
            return App.list_images(self, request)
        return Reply.of_json({"images": [], "first": link(asked), "schema": "/v2/schemas/images"})

    return list_images


def _refusing(name: str) -> Callable[[App, Request], Reply]:
    """Return what refuses a filter."""

    def list_images(self: App, request: Request) -> Reply:
        if _has(pairs_of(request), name):
            return self.error(request, HTTPStatus.BAD_REQUEST, f"There is no filter by {name}.")
        return App.list_images(self, request)

    return list_images


FILTERS = selecting("IMG-LIST-11", "IMG-LIST-13")
OF_FALSE = tuple(("os_hidden", value) for value in ("false", "False", "0"))
faulty(
    "TakesNoMemoryForAny",
    "Takes no notice of the filter by the least memory where that is 0.",
    "IMG-LIST-11",
    words=FILTERS,
    list_images=_passing_over(("min_ram", "0")),
)
faulty(
    "FindsNothingThatIsNotHidden",
    "Finds no image where those are asked for that are not hidden.",
    "IMG-LIST-11",
    words=FILTERS,
    list_images=_finding_none(*OF_FALSE),
)
faulty(
    "SpellsFalseAsPythonDoes",
    "Finds what is not protected where it is asked for False, and nothing where it is asked for false.",
    words=FILTERS,
    list_images=_finding_none(("protected", "false")),
)
faulty(
    "RefusesToFilterByProtection",
    "Refuses to filter by whether images are protected.",
    words=FILTERS,
    list_images=_refusing("protected"),
)


# Members


def _by_owner(self: App, request: Request) -> Reply:
    owner = _has(pairs_of(request), "owner")
    if not owner or owner == request.caller.project:
        return App.list_images(self, request)
    reply: Any = App.list_images(self, request).json()
    rejected: Any = App.list_images(self, sending(request, [*pairs_of(request), ("member_status", "rejected")])).json()
    held = [each["id"] for each in reply["images"]]
    more = [each for each in rejected["images"] if each["id"] not in held]
    return Reply.of_json(reply | {"images": [*reply["images"], *more]})


faulty(
    "ShowsWhatWasRejectedByItsOwner",
    "Lists what the caller has rejected where it asks for images of their owner.",
    "IMG-LIST-05",
    words=selecting("IMG-LIST-05", "IMG-LIST-02"),
    list_images=_by_owner,
)


def _removed(self: App, request: Request, image_id: str, member_id: str) -> Reply:
    reply = App.delete_member(self, request, image_id, member_id)
    self.__dict__.setdefault("former", set()).add((image_id, member_id))
    return reply


def _to_former_members(self: App, request: Request) -> Reply:
    reply = App.list_images(self, request)
    pairs, project = pairs_of(request), request.caller.project
    document: Any = reply.json()
    if _has(pairs, "member_status") == "all" and _has(pairs, "name"):
        former = self.__dict__.setdefault("former", set())
        for image in self.images.all():
            if (image.id, project) in former and image.name == _has(pairs, "name") and not sees(request.caller, image):
                document["images"].append(self.represent(replace(image, members={project: Member(image.id, project)})))
    return Reply.of_json(document, reply.status)


faulty(
    "ListsAllThatWasEverShared",
    "Lists to a former member what was shared with it, where it asks for whatever it has decided.",
    "MEM-DEL-04",
    words=selecting("MEM-DEL"),
    list_images=_to_former_members,
    delete_member=_removed,
)
