"""The lists of a consumer that an image is shared with, while it has decided on it and not."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import pytest

from pytest_cloudimages.areas.common.offers import made_visible, require_offered
from pytest_cloudimages.areas.common.paging import PagedList, Query, read_pages
from pytest_cloudimages.areas.images.states import ACCEPTED, PENDING, REJECTED, once_gone, shared
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked


@dataclass(frozen=True)
class Offered:
    """What the list of a consumer held of an image, by the status of its membership and the query."""

    status: str
    query: Query
    listed: PagedList
    holds: bool

    def __str__(self) -> str:
        return f"{self.listed} of a consumer whose membership is {self.status}"

    def asks_for(self, name: str) -> bool:
        """Return whether it was asked for by some parameter."""
        return any(key == name for key, _ in self.query)


@dataclass(frozen=True, repr=False)
class OfferedImages(Collection):
    """The lists of a consumer that an image was shared with."""

    seen: Sequence[Offered]
    left: Sequence[Offered] = ()
    """The list of a consumer that had accepted the image, once its owner has deleted it."""
    looked: Sequence[Answer] = ()
    """The answer to the consumer who asks for it then."""

    open_to_all: Sequence[Offered] = ()
    """Lists that do not ask for images of the community, by another project, while the image is one."""
    otherwise: Sequence[Offered] = ()
    """Lists of a consumer that has accepted the image, of other visibilities than the image has."""
    after: Sequence[Offered] = ()
    """Pages of a consumer that start after the image, which has just been listed."""

    @cases
    def of_other_visibilities(self) -> Iterator[Case[Offered]]:
        """Return the lists of a consumer that ask for other visibilities than the image has."""
        for offered in self.otherwise:
            yield Case(offered, offered.listed.exchanges)

    @cases
    def starting_after(self) -> Iterator[Case[Offered]]:
        """Return the pages that start after the image, of a consumer whose list has held it."""
        for offered in self.after:
            yield Case(offered, offered.listed.exchanges)

    @cases
    def of_the_community(self) -> Iterator[Case[Offered]]:
        """Return the lists of another project that have not to hold an image of the community."""
        for offered in self.open_to_all:
            yield Case(offered, offered.listed.exchanges)

    @cases
    def after_deletion(self) -> Iterator[Case[Offered]]:
        """Return the list of a consumer that had accepted an image which was deleted since."""
        for offered in self.left:
            yield Case(offered, offered.listed.exchanges)

    @cases
    def shown_after_deletion(self) -> Iterator[Case[Answer]]:
        """Return the answer to a consumer that asks for an image which was deleted since."""
        for answer in self.looked:
            yield Case(answer, [answer.exchange])

    @cases
    def by_owner(self) -> Iterator[Case[Offered]]:
        """Return the lists by the owner of the image that the consumer has accepted, if it is listed by its name."""
        accepted = [each for each in self.seen if each.status == ACCEPTED]
        named = [each for each in accepted if [key for key, _ in each.query] == ["name"] and each.holds]
        for offered in accepted if named else ():
            if offered.asks_for("owner"):
                yield Case(offered, named[0].listed.exchanges + offered.listed.exchanges)

    @cases
    def of(self, *, statuses: Sequence[str] = (), member_status: str | None = None) -> Iterator[Case[Offered]]:
        """Return the lists while the membership has some status; ``member_status`` is what was asked for."""
        for offered in self.seen:
            asked = next((value for key, value in offered.query if key == "member_status"), "")
            if (not statuses or offered.status in statuses) and member_status in (None, asked):
                yield Case(offered, offered.listed.exchanges)


@workload(empty=lambda: OfferedImages([]), requests=(28, 57, 57, 57))
def offered_images(run: Run) -> OfferedImages:
    """Share an image with a second project, which looks for it in its lists while it has decided on it and not."""
    other = run.of_another_project()
    if other is None:
        pytest.skip(run.no_other_project)
    seen: list[Offered] = []
    otherwise: list[Offered] = []
    after: list[Offered] = []
    community = _of_the_community(run, other) if run.rounds else []
    with run.fresh_image(own=True) as image:
        project = run.owner_of(other)
        with run.recorder.of(Purpose.PREPARING):
            shared(image, project)
            image.add_tag(TAG)
        name = ("name", image.name)
        to_go_on: tuple[Query, ...] = ((("visibility", "shared"), ("member_status", PENDING), name), (name,))
        for status in (PENDING, REJECTED, ACCEPTED):
            if status != PENDING:
                answer = other.send("PUT", f"/images/{image.id}/members/{project}", json={"status": status})
                require_offered(answer, "the decision of a consumer")
                if not answer.ok:
                    raise Blocked(f"The consumer cannot set its status: {answer.exchange}")
            for offered in _lists_of(run, image, other, status):
                seen.append(offered)
                run.show(partial(OfferedImages, seen))
                if run.rounds and offered.holds and offered.query in to_go_on:
                    after.append(_after(image, other, offered))
        if run.rounds:
            # Where there is no community, its name may be an unknown value of the filter like any other.
            for visibility in ("private", "public", *(["community"] if community else [])):
                query = (("visibility", visibility), ("name", image.name))
                otherwise.append(_list_of(image, other, status, query, due=False))
            with run.recorder.of(Purpose.PREPARING):
                other.show(image.id)  # what a service remembers of that must not outlast the image
    gone = not run.recorder.traces.stays(image.id) and seen[-1].status == ACCEPTED
    left = [_list_of(image, other, ACCEPTED, (("name", image.name),), due=False)] if gone else []
    looked = []
    if gone and run.rounds:
        looked = [once_gone(image, partial(other.show, image.id))]
    return OfferedImages(seen, left, looked, community, otherwise, after)


def _after(image: Image, other: ImagesClient, offered: Offered) -> Offered:
    """Ask for the page of a consumer that starts after the image, which was on the one before."""
    page: Query = (("limit", "1"), ("marker", image.id), *(pair for pair in offered.query if pair[0] != "name"))

    def look() -> Offered:
        listed = read_pages(other, "/images", page, most=1)
        return Offered(offered.status, page, listed, bool(listed.ids([image.id])))

    return image.eventually(look, lambda seen: seen.listed.readable and not seen.holds)


def _of_the_community(run: Run, other: ImagesClient) -> list[Offered]:
    """Return lists of another project while an image is everybody's who asks for such; none where there are no such.

    They are listed only where they are asked for by their visibility. (Rulings, 23.)
    """
    with suppress(Blocked), run.fresh_image(own=True) as image:
        if not made_visible(image, "community", run.client):
            name = ("name", image.name)
            queries: tuple[Query, ...] = ((name,), (name, ("visibility", "public")), (name, ("visibility", "shared")))
            return [_list_of(image, other, "none", query, due=False) for query in queries]
    return []


TAG = "offered"
"""A tag of the image: a list by it is a list like any other."""


def _lists_of(run: Run, image: Image, other: ImagesClient, status: str) -> Iterator[Offered]:
    name, common = ("name", image.name), ("visibility", "shared")
    queries: list[tuple[str, Query]] = [("", (name,))]
    # Who may find it by its tags is not defined, once it is there to be found.
    queries += [("", (("tag", TAG), name))] if status != ACCEPTED else []
    # Nor is what was not accepted found by another way than its name.
    queries += [("", (common, name))]
    shown = image.show().data if run.rounds else {}
    # What was, is found by its owner: that is what sets images of others apart.
    keys = ("id", "owner", "status") if status != ACCEPTED else ("owner",)
    for key in keys if isinstance(shown, dict) else ():
        queries += [("", ((key, str(shown[key])), name))] if shown.get(key) else []
    queries += [(asked, (common, ("member_status", asked), name)) for asked in (ACCEPTED, PENDING, REJECTED, "all")]
    # It is what was decided that is asked for, and no visibility has to be named with it.
    queries += [(asked, (("member_status", asked), name)) for asked in (status, "all")] if run.rounds else []
    for asked, query in queries:
        yield _list_of(image, other, status, query, due=asked == "all" or status == (asked or ACCEPTED))


def _list_of(image: Image, other: ImagesClient, status: str, query: Query, *, due: bool) -> Offered:
    """Ask for a list of a consumer, and again while it does not hold the image as it is due."""

    def look() -> Offered:
        listed = read_pages(other, "/images", query)
        holds = bool(listed.ids([image.id])) and not listed.shows_as_going(image.id)
        return Offered(status, query, listed, holds)

    return image.eventually(
        look, lambda seen: seen.holds is due, going_on=lambda seen: seen.listed.shows_as_going(image.id)
    )
