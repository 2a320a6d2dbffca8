# GET /v2/images: filters and order

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_cloudimages import expect, note, requirement
from pytest_cloudimages.areas.common.checks import (
    AN_ARRAY,
    ImagesClient,
    documented_codes,
    expect_among,
    expect_interpreted,
    or_skip,
)
from pytest_cloudimages.areas.common.followed_links import leads_to
from pytest_cloudimages.areas.common.forms import is_whole
from pytest_cloudimages.areas.common.paging import holds, query_of
from pytest_cloudimages.areas.images.asked_lists import Asked, Aspect, Lists
from pytest_cloudimages.areas.images.deactivation import Deactivated
from pytest_cloudimages.areas.images.fixtures import *
from pytest_cloudimages.areas.images.life_answers import LifeAnswers, Question
from pytest_cloudimages.areas.images.listed_kinds import Kind, ListedKinds
from pytest_cloudimages.areas.images.lists import SORT_KEYS
from pytest_cloudimages.areas.images.meetings import Meeting, Meetings
from pytest_cloudimages.areas.images.offered_lists import OfferedImages
from pytest_cloudimages.areas.images.orders import (
    MANY,
    TOO_FEW_ORDERS,
    are_times_in_order,
    in_order,
    is_created_in_order,
    is_turned,
    orders_of_one_time,
)
from pytest_cloudimages.areas.images.states import ACCEPTED, PENDING, REJECTED


def having(name: str, value: str) -> Callable[[Any], bool]:
    """Return the condition that an entry has this value of an attribute."""
    return lambda entry: str(entry.get(name)) == value


def holds_what_fits(asked: Asked, fits: Callable[[Any], bool] = lambda _: True) -> None:
    """Expect a list to hold those of our images that it has to hold, and no entry that does not fit."""
    __tracebackhide__ = True
    # What comes after a marker of the same time, is left open for another question. (Rulings, 24.)
    times = [asked.known.get(each, {}).get("created_at") for each in (asked.value("marker"), *asked.wanted) if each]
    if asked.is_cut_off or (asked.value("marker") and len({*times}) < len(times)):
        expect(sorted({*asked.held} - {*asked.wanted}), [], f"our images in {asked} that do not fit")
    else:
        expect(asked.listed.status, 200, f"status of {asked}")
        expect(sorted({*asked.held}), sorted(asked.wanted), f"our images in {asked}")
    expect(
        [entry.get("id") for entry in asked.listed.entries if not fits(entry)],
        [],
        f"entries that {asked} is not to hold",
    )


def _refused_for_its_signs(asked: Asked) -> bool:
    signs = re.fullmatch(r"[\w .-]*", str(asked.value("name")), re.ASCII) is None
    return signs and asked.listed.status in (400, 403, 406)


def keeps_its_query(asked: Asked) -> bool:
    """Return whether what leads from page to page has all that was asked for."""
    return all({*asked.query} <= {*query_of(link)} for link in asked.listed.links)


def _sorted_by(key: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.value("sort_key") == key


def holds_every_kind(listed_kinds: ListedKinds, specification: str) -> None:
    """Expect a list to hold an image of whatever kind: its owner's, a reader's of its project, or everybody's."""
    __tracebackhide__ = True
    for sought in listed_kinds.aside().of_the_project():
        expect(sought.holds, True, f"whether the image is in {sought}")
    for sought in listed_kinds.aside().of_others(Kind.ACCEPTED, Kind.NAMELESS):
        expect(sought.holds, True, f"whether the image is in {sought}")
    # Not every public image is a standard one, which is what the vendor's lists hold of others.
    for sought in listed_kinds.aside().of_others(Kind.PUBLIC).where(lambda _: specification == "glance"):
        expect(sought.holds, True, f"whether the image is in {sought}")


# "images": an array, and "schema"
@requirement("IMG-LIST-01")
def test_a_list_has_images_and_a_schema(
    image_lists: Lists, cloudimages_client: ImagesClient, image_life: LifeAnswers
) -> None:
    for asked in image_lists.of(Aspect.WHOLE):
        expect(asked.listed.first.answer.status, 200, f"status of {asked}")
        expect(asked.listed.first.data.get("images"), AN_ARRAY, f"images in {asked}")
        schema = leads_to(cloudimages_client, asked.listed.first.data.get("schema"))
        expect(schema, "/schemas/images", f"where schema leads in {asked}")
    for answer in image_life.aside().answered(Question.LARGE):
        if "?" in answer.exchange.target:
            expect(answer.status, 200, f"status of {answer}, a list with an image of many attributes")


# "images that belong to you, images that have been shared with you"
@requirement("IMG-LIST-02")
def test_a_list_covers_own_images(
    image_lists: Lists,
    offered_images: OfferedImages,
    image_meetings: Meetings,
    listed_kinds: ListedKinds,
    image_life: LifeAnswers,
    specification: str,
) -> None:
    for asked in image_lists.of(Aspect.UNSORTED).where(lambda asked: asked.expected is not None):
        expect_among(asked.held, asked.wanted, f"our images in {asked}")
    for asked in image_lists.aside().of(Aspect.WHOLE).where(lambda asked: asked.expected is not None):
        expect_among(asked.held, asked.wanted, f"our images in {asked}, which has no next page")
    for asked in image_lists.aside().of(Aspect.FOREIGN):
        expect(asked.held, [], f"images that are neither public nor shared with who asks, in {asked}")
    accepted = offered_images.aside().of(statuses=[ACCEPTED], member_status="")
    for offered in accepted.where(lambda each: not each.asks_for("owner")):
        expect(offered.holds, True, f"whether the image is in {offered}")
    for offered in offered_images.aside().of_the_community():
        expect(offered.holds, False, f"whether an image of the community, which is not asked for, is in {offered}")
    holds_every_kind(listed_kinds, specification)
    for kind, answer, found in image_life.aside().listed_by_name():
        expect(found, True, f"whether an image {kind} is in {answer}")
    # Two who ask at once are answered what is theirs.
    for meeting in (Meeting.OWN_LIST, Meeting.LISTED):
        for met in image_meetings.aside().of(meeting):
            if met.answer.ok:
                expect(met.lists_it, meeting is Meeting.OWN_LIST, f"whether the image of the tester is in {met}")


# "name: filters by image name"
@requirement("IMG-LIST-03")
def test_a_list_is_filtered_by_name(image_lists: Lists) -> None:
    # A firewall may refuse what it takes for code; the lists that it lets pass tell of filters.
    for asked in image_lists.of(Aspect.NAME).where(lambda asked: not _refused_for_its_signs(asked)):
        holds_what_fits(asked, having("name", asked.value("name")))


# "visibility: public, private, shared"
@requirement("IMG-LIST-04")
def test_a_list_is_filtered_by_visibility(
    image_lists: Lists, offered_images: OfferedImages, listed_kinds: ListedKinds
) -> None:
    for asked in image_lists.of(Aspect.VISIBILITY):
        holds_what_fits(asked, having("visibility", asked.value("visibility")))
    for offered in offered_images.aside().of_other_visibilities():
        others = [entry for entry in offered.listed.entries if not having("visibility", offered.query[0][1])(entry)]
        expect([entry.get("id") for entry in others], [], f"images of another visibility in {offered}")
    for sought in listed_kinds.aside().of_others(Kind.PUBLIC, Kind.COMMUNITY, asked=True):
        expect(sought.holds, True, f"whether the image is in {sought}")


# "member_status: accepted, pending, rejected, all"
@requirement("IMG-LIST-05")
@pytest.mark.usefixtures("other_project")
def test_a_list_is_filtered_by_the_status_of_a_member(offered_images: OfferedImages, image_lists: Lists) -> None:
    for asked in (ACCEPTED, PENDING, REJECTED, "all"):
        for offered in offered_images.of(member_status=asked):
            expect(offered.listed.status, 200, f"status of {offered}")
            expect(offered.holds, asked in ("all", offered.status), f"whether the image is in {offered}")
    # What lists by an owner open to whomever, is for those who ask for own images to say. (IMG-LIST-02)
    by_owner = image_lists.aside().of(Aspect.FOREIGN).where(lambda asked: bool(asked.value("owner")))
    opened = any(asked.held for asked in by_owner)
    # What they leave out is for those who ask for them. (IMG-LIST-06)
    by_others = offered_images.of(member_status="").where(
        lambda each: not (each.asks_for("owner") and (opened or each.status == ACCEPTED))
    )
    for offered in by_others:
        expect(offered.holds, offered.status == ACCEPTED, f"whether the image is in {offered}")
    for decided in image_lists.aside().of(Aspect.DECIDED):
        expect(decided.listed.status, 200, f"status of {decided}")
        expect_among(decided.held, decided.wanted, f"our own images in {decided}")


# "owner", whose row is mixed up with that of tag
@requirement("IMG-LIST-06")
def test_a_list_is_filtered_by_owner(image_lists: Lists, offered_images: OfferedImages) -> None:
    asked_by_owner = image_lists.of(Aspect.OWNER)
    for asked in or_skip(asked_by_owner, "needs images that show their owner"):
        if not asked.wanted and asked.listed.status in (400, 403, 404):
            note(f"The filter by an owner that there is not is answered {asked.listed.status}.")
            continue
        holds_what_fits(asked, having("owner", asked.value("owner")))
    # It is one among all images that the caller sees, whoever owns them; whose may be asked for, a service may limit.
    for offered in offered_images.aside().by_owner():
        if offered.listed.status in (400, 403, 404):
            note(f"The filter by an owner that is another project is answered {offered.listed.status}.")
            continue
        expect(offered.holds, True, f"whether the image, which the list by its name holds, is in {offered}")


# "status: queued, saving, active, killed, deleted, pending_delete"
@requirement("IMG-LIST-07")
def test_a_list_is_filtered_by_status(image_lists: Lists, deactivated_image: Deactivated) -> None:
    for asked in image_lists.of(Aspect.STATUS):
        holds_what_fits(asked, having("status", asked.value("status")))
    # Nor does any page but the first hold others; where next has lost the filter, that is PAGE-06's to say.
    paged = image_lists.aside().of(Aspect.LIMITED).where(lambda asked: bool(asked.value("status")))
    for asked in paged.where(lambda asked: asked.listed.readable and keeps_its_query(asked)):
        expect(sorted({*asked.held} - {*asked.wanted}), [], f"our images in {asked} that do not fit")
    # What is deactivated is active no more, until it is reactivated.
    listed = deactivated_image.aside().while_deactivated("deactivated ones", "active ones", "active again")
    for what, answer in listed:
        expect(answer.status, 200, f"status of {answer}")
        held = holds(answer, deactivated_image.image)
        expect(held, what != "active ones", f"whether {answer} holds the image, when asked for {what}")


# "size_min", "size_max"; what has no size is left out
@requirement("IMG-LIST-08")
def test_a_list_is_filtered_by_size(image_lists: Lists) -> None:
    for asked in image_lists.of(Aspect.SIZE):
        least, most = asked.value("size_min"), asked.value("size_max")

        def within(entry: Any, least: str = least, most: str = most) -> bool:
            size = entry.get("size")
            return is_whole(size) and int(least or 0) <= size <= int(most or size)

        holds_what_fits(asked, within)


# "sort_key: … The default value is created_at."
@requirement("IMG-LIST-09")
def test_a_list_is_sorted_by_a_key(image_lists: Lists) -> None:
    for key in SORT_KEYS:
        for asked in image_lists.of(Aspect.SORTED).where(_sorted_by(key)):
            if not asked.is_cut_off:
                expect(asked.listed.status, 200, f"status of {asked}")
            # Where it is sorted the other way round, it is the direction that is wrong.
            either = in_order(asked, backward=True) or in_order(asked, backward=False)
            expect(either or has_own_order(image_lists, asked), True, f"whether {asked} is sorted")
    # Nor is what comes on several pages sorted on each of them alone: it is in the order of one.
    for asked in image_lists.aside().of(Aspect.LIMITED).where(keeps_its_query):
        for other in image_lists.aside().of(Aspect.SORTED).where(asked.is_longer_for):
            if sorted(asked.held) == sorted(other.held):
                what = f"values of {asked.value('sort_key')} in {asked}, in the order of {other}"
                expect(asked.keys, other.keys, what)
    expect_same_order(image_lists, "created_at", [(), (("sort_dir", "asc"),)])


def has_own_order(lists: Lists, asked: Asked) -> bool:
    """Return whether a list by ids is in the service's own order of them, by the same list the other way round."""
    turned = [
        other
        for other in lists.aside().of(Aspect.SORTED).where(_sorted_by("id"))
        if other.value("sort_dir") != asked.value("sort_dir")
    ]
    return asked.value("sort_key") == "id" and all(is_turned(asked, other) for other in turned)


def keeps_ties(lists: Lists, but: Asked) -> bool:
    """Return whether images of one time are in one order, however they are asked for: all other lists agree on it.

    No sentence says that they are: equal keys keep one order over the pages of a list. (Rulings, 24.)
    """
    others: dict[str, list[str]] = {}
    for asked in lists.aside().of(Aspect.WHOLE, Aspect.HALF):
        asked_for = asked.value("sort_key") + asked.value("sort_dir")
        if asked_for != but.value("sort_key") + but.value("sort_dir"):
            others[asked_for] = asked.held if asked.value("sort_dir") != "asc" else asked.held[::-1]
    first, *more = others.values() or [[]]
    if not more or orders_of_one_time(but) < TOO_FEW_ORDERS or any(each != first for each in more):
        return False
    # Two may agree by chance; those that were asked for by name, in each direction, agree with them too then.
    by_name = lists.aside().of(Aspect.SORTED).where(_sorted_by("created_at"))
    orders = [asked.held[::-1] if asked.value("sort_dir") == "asc" else asked.held for asked in by_name]
    return all(held == [each for each in first if each in held] for held in orders)


def both_orders(lists: Lists, key: str, asked: Asked) -> Iterator[tuple[list[str], list[str]]]:
    """Yield our images in the order of a list, and in that of each for which key and direction were asked."""
    for other in lists.aside().of(Aspect.SORTED):
        named = other.value("name") and other.value("sort_key") == key
        if named and other.value("sort_dir") == (asked.value("sort_dir") or "desc"):
            both = {*asked.held} & {*other.held}
            first, second = ([each for each in held if each in both] for held in (asked.held, other.held))
            yield first, second


def goes_upwards_unasked(lists: Lists) -> bool:
    """Return whether a list by the key that is the default is turned where no direction was asked for."""
    halves = [asked for asked in lists.aside().of(Aspect.HALF) if asked.value("sort_key")]
    orders = [order for asked in halves for order in both_orders(lists, "created_at", asked)]
    return any(first == second[::-1] != second for first, second in orders)


def expect_same_order(lists: Lists, key: str, queries: list[tuple[tuple[str, str], ...]]) -> None:
    """Expect lists for which no key, or no direction, was asked to be in the order of those for which it was.

    What was created at one time may be in the order of its ids there, and in that in which it came elsewhere.
    """
    __tracebackhide__ = True
    for query in queries:
        direction = dict(query).get("sort_dir", "desc")
        wanted = [*query]
        for asked in lists.aside().of(Aspect.WHOLE, Aspect.HALF):
            if [pair for pair in asked.query if pair[0] != "limit"] != wanted or is_created_in_order(asked, direction):
                continue
            if are_times_in_order(asked, direction) and not keeps_ties(lists, asked):
                continue
            for first, second in both_orders(lists, key, asked):
                if not query and first == second[::-1] and goes_upwards_unasked(lists):
                    continue  # it is the direction alone that is wrong (IMG-LIST-10)
                expect(first, second, f"our images in {asked}, in the order of the list by {key}, {direction}")


# "sort_dir: asc, desc. The default is desc."
@requirement("IMG-LIST-10")
def test_a_list_is_sorted_in_a_direction(image_lists: Lists) -> None:
    for asked in image_lists.of(Aspect.SORTED).where(lambda asked: asked.value("sort_key") in ("id", "name")):
        backward = asked.value("sort_dir") == "desc"
        # Few are sorted the wrong way round, by one way of comparing ids, where they are as they should be by another.
        told = len(asked.order) >= MANY and in_order(asked, backward=not backward)
        own = not told and has_own_order(image_lists, asked)
        expect(own or in_order(asked, backward=backward), True, f"whether {asked} is sorted in that direction")
    expect_same_order(image_lists, "created_at", [(("sort_key", "created_at"),)])
    for asked, other in image_lists.aside().both_ways():
        first, last = (each.begins_with_none for each in (asked, other))
        expect(first, not last, f"whether {asked} begins with what has no {asked.value('sort_key')}, as {other} ends")
    for asked in image_lists.aside().of(Aspect.TOWARDS):
        if asked.value("sort_key") == "id":  # of which it is known by the list that was asked for upwards
            orders = [each.order for each in image_lists.aside().of(Aspect.SORTED) if is_upwards_by_id(each)]
            upwards = len(asked.order) > 1 and asked.order in orders
        else:
            upwards = in_order(asked, backward=False) and not in_order(asked, backward=True)
        expect(upwards, False, f"whether {asked} is sorted upwards, which nobody asked for")


def is_upwards_by_id(asked: Asked) -> bool:
    return asked.value("sort_key") == "id" and asked.value("sort_dir") == "asc"


# "You can use most image attributes as filters"
@requirement("IMG-LIST-11")
def test_a_list_is_filtered_by_attributes(image_lists: Lists) -> None:
    works = image_lists.filters_by_most()
    for asked in image_lists.of(Aspect.ATTRIBUTE):
        # Most of them are enough, and those of one's own are none that every image has.
        if works and (asked.refuses_its_filter or not image_lists.is_filtered(asked)):
            note(f"There is no filter by what was asked for by {asked}: {asked.listed.status}.")
            continue
        for name, value in asked.query:
            if name not in ("name", "limit", "marker"):
                # A list may show less of an image than its details do.
                holds_what_fits(
                    asked,
                    lambda entry, name=name, value=value: name not in entry or having(name, value)(entry),  # type: ignore[misc]
                )
    # What is nothing in some languages is a value like others, however it is written.
    for asked in image_lists.aside().by_nothing():
        holds_what_fits(asked)
    # Of many at once all have to fit: what does not work alone is the concern of those who ask for it so.
    together = image_lists.aside().of(Aspect.TOGETHER).where(lambda asked: asked.listed.readable)
    for asked in together.where(lambda asked: image_lists.filters_by(asked.but)):
        strange = sorted({*asked.held} - {*asked.wanted})
        expect(strange, [], f"our images in {asked} that do not fit")


# "except the link attributes"
@requirement("IMG-LIST-12")
def test_a_list_is_not_filtered_by_links(image_lists: Lists) -> None:
    for asked in image_lists.of(Aspect.LINK):
        name, value = asked.query[0]
        # How it fails is left open: an empty list, all images, or 400.
        note(f"Filtered by {name}: {asked.listed.status}, {len(asked.listed.entries)} images.")
        linked = [each for each, data in asked.known.items() if data.get(name) == value]
        alone = len(linked) == 1 and asked.held == linked
        expect(alone, False, f"whether {asked} finds the image by its link")


# a value that there is not
@requirement("IMG-LIST-13")
def test_a_value_that_there_is_not_is_answered_400(image_lists: Lists) -> None:
    for asked in image_lists.of(Aspect.WRONG_VALUE):
        expect(asked.listed.status, 400, f"status of {asked}")


# the table of response codes
@requirement("IMG-LIST-14")
def test_a_list_is_answered_with_a_documented_code(image_lists: Lists, specification: str) -> None:
    for asked in image_lists.of():
        for page in asked.listed.pages:
            codes = documented_codes("IMG-LIST-14")
            expect_interpreted(specification, page.answer.status, "status of", page.answer, **codes)
