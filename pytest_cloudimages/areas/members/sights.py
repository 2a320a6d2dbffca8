"""What the owner and a consumer see of an image and of its members: read once, and read by every table."""

from contextlib import suppress
from datetime import UTC
from functools import partial

import pytest

from pytest_cloudimages.areas.common.forms import OF_A_MEMBER
from pytest_cloudimages.areas.common.paging import MOST_PAGES, PagedList, Query, read_pages
from pytest_cloudimages.areas.images.states import ACCEPTED, PENDING, give_data
from pytest_cloudimages.areas.members.member_attempts import Members, Sight
from pytest_cloudimages.areas.members.resource import MEMBERS
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange, Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.moments import moment
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.spec.verdicts import Blocked


def members_in(answer: Answer) -> Members | None:
    """Return the members that an answer lists, by their projects; ``None`` where it lists none that can be read."""
    entries = answer.document.get("members")
    if not isinstance(entries, list):
        return None
    return {str(entry.get("member_id")): entry for entry in entries if isinstance(entry, dict)}


def members_of(image: Image) -> tuple[Members, Exchange]:
    """Return the members of an image as its owner sees them, by what is documented of a membership.

    What else a service says of it is its own matter, and may change at any time; times are written in a single form.
    Raises ``Blocked`` where they cannot be read.
    """
    answer = image.client.ask(MEMBERS.read(image.id))
    found = members_in(answer)
    if found is None:
        raise Blocked(f"The members cannot be read: {answer.exchange}")
    known = {
        name: {key: _plainly(key, entry[key]) for key in OF_A_MEMBER if key in entry} for name, entry in found.items()
    }
    return known, answer.exchange


def _plainly(name: str, value: object) -> object:
    """Return a value of a membership, a time without the zone that it may be written with."""
    if name not in ("created_at", "updated_at") or "T" not in str(value):
        return value
    found = moment(value)
    return found.astimezone(UTC).isoformat().replace("+00:00", "Z") if found else value


def lists_of_offers(image: Image, status: str) -> tuple[Query, Query]:
    """Return how a consumer asks for the images that it has accepted, and for those that it has not decided on.

    Who is no member, or no longer, asks for all that it is a member of, whatever it has decided.
    """
    # A lent image may have no name to look for; it is found where it is on the first page.
    names = (("name", image.name),) if image.name else ()
    return names, (("visibility", "shared"), ("member_status", PENDING if status else "all"), *names)


def sight_of(image: Image, consumer: ImagesClient, status: str, *, lists: bool = True) -> Sight:
    """Have a consumer look at an image while its membership has some status, or it has none (an empty one).

    ``lists``: and look for it in its lists, where those have to hold it by its status alone.
    """
    most = MOST_PAGES if image.name else 1
    expected = (bool(status), status == ACCEPTED, status == PENDING)

    def look() -> Sight:
        shown = consumer.show(image.id)
        if not lists:
            return Sight(status, shown, None, None, [shown.exchange])
        read = [read_pages(consumer, "/images", query, most=most) for query in lists_of_offers(image, status)]
        listed, offered = (holds(each, image, due=due) for each, due in zip(read, expected[1:], strict=True))
        exchanges = [shown.exchange, *(exchange for each in read for exchange in each.exchanges)]
        return Sight(status, shown, listed, offered, exchanges)

    return image.eventually(
        look,
        lambda sight: (
            (sight.shown.ok, sight.listed, sight.offered)[: 3 if lists else 1] == expected[: 3 if lists else 1]
        ),
    )


def holds(listed: PagedList, image: Image, *, due: bool) -> bool | None:
    """Return whether a list of a consumer has an image that it is due to have or not; ``None`` where nobody can say."""
    if listed.ids([image.id]):
        return True
    if not listed.readable:
        # What cannot be read lacks an image, unless the owner cannot read it either: that is not about members.
        return False if due and read_pages(image.client, "/images", listed.query, most=1).readable else None
    return False if listed.ended or listed.problem else None


def has_data(image: Image) -> bool:
    """Return whether the image was given data that its owner can read."""
    with suppress(Blocked, pytest.skip.Exception), image.client.recorder.of(Purpose.PREPARING):
        give_data(image)
        return image.eventually(partial(image.send, "GET", "/file"), lambda answer: answer.status == 200).ok  # noqa: PLR2004
    return False
