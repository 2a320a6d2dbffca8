# the pages of a list

from pytest_cloudimages import expect, note, requirement
from pytest_cloudimages.areas.common.checks import expect_among, or_skip
from pytest_cloudimages.areas.common.paging import asked_by, limit_of
from pytest_cloudimages.areas.images.asked_lists import Asked, Aspect, Lists
from pytest_cloudimages.areas.images.fixtures import *
from pytest_cloudimages.areas.images.offered_lists import OfferedImages

DEFAULTS = {
    "limit": None,
    "member_status": {"accepted"},
    "os_hidden": {"false", "False"},
    "sort_dir": {"desc"},
    "sort_key": {"created_at", "id"},
}
"""What applies where nothing is asked for, which a link may write out; any limit may be that of the service."""


def read_to_its_end(asked: Asked) -> bool:
    return asked.expected is not None and asked.listed.status == 200


def is_written_out(asked: Asked, name: str, value: str) -> bool:
    """Return whether a parameter of a link was not asked for, and says what applies without it."""
    values = DEFAULTS.get(name, set())
    return not asked.value(name) and (values is None or value in values)


def _in_one_case(pair: tuple[str, str]) -> tuple[str, str]:
    name, value = pair
    return (name, value.lower()) if value.lower() in ("true", "false") else pair


def starts_after_what_may_be_gone(asked: Asked, place: int) -> bool:
    """Return whether a page of a list starts after an image of others, which may be deleted meanwhile."""
    ids = asked.listed.pages[place - 1].ids if place else []
    return bool(ids) and ids[-1] not in asked.known


# "a limit above the configured one"
@requirement("PAGE-02")
def test_a_large_limit_is_brought_down(image_lists: Lists) -> None:
    for asked in image_lists.of(Aspect.LARGE):
        expect(asked.listed.status, 200, f"status of {asked}: a limit too large is brought down, and not refused")
        for other in image_lists.aside().of(Aspect.LARGE):
            found = len(other.listed.first.entries)
            expect(len(asked.listed.first.entries), found, f"number of images on the page of {asked}, as in {other}")


# "limit"
@requirement("PAGE-03")
def test_a_page_holds_no_more_than_its_limit(image_lists: Lists) -> None:
    for asked in image_lists.of(Aspect.LIMITED, Aspect.MOVING).where(image_lists.is_filtered):
        limit = limit_of(asked.query) or 0
        for place, page in enumerate(asked.listed.pages):
            if page.answer.status in (400, 404) and starts_after_what_may_be_gone(asked, place):
                continue
            expect(page.answer.status, 200, "status of", page.answer)
            expect(len(page.entries) <= limit, True, f"whether {page.answer} holds at most {limit} images")
    for asked in image_lists.aside().of(Aspect.NO_LIMIT):
        expect(asked.listed.first.answer.status, {200, 400}, f"status of {asked}")
        expect(len(asked.listed.first.entries), 0, f"number of images in {asked}")


# "marker: the ID of the last image seen"
@requirement("PAGE-04")
def test_a_page_starts_after_its_marker(image_lists: Lists, offered_images: OfferedImages) -> None:
    for asked in image_lists.of(Aspect.AFTER):
        expect(asked.listed.status, 200, f"status of {asked}")
        # What comes twice is PAGE-08's to say.
        expect([*dict.fromkeys(asked.held)], asked.wanted, f"our images in {asked}")
    # Nor does it start anew where its image is left out itself, as one is that was changed meanwhile. What is not
    # filtered at all, leaves nothing out.
    filtered = image_lists.filters_by("visibility")
    for asked in image_lists.aside().of(Aspect.PASSED).where(lambda _: filtered):
        expect(asked.listed.status, 200, f"status of {asked}, which it does not hold itself")
        expect(sorted({*asked.held} - {*asked.wanted}), [], f"our images in {asked} that come before its marker")
    # Nor does what others share with the caller begin it, which has just been the last image seen.
    for offered in offered_images.aside().starting_after():
        # Any other error is one of what it asks for besides. (IMG-LIST-05)
        unknown = offered.listed.status == 400
        expect(unknown, False, f"whether {offered} takes the image that such a list has just held for none")
        expect(offered.holds, False, f"whether {offered} holds the image that it starts after")


# "next: … absent from the last page"
@requirement("PAGE-05")
def test_pages_lead_to_an_end(image_lists: Lists) -> None:
    # Above the configured limit this one applies, and no page holds more than it. (PAGE-02)
    configured = max((len(page.entries) for asked in image_lists.asked for page in asked.listed.pages), default=0)
    for asked in image_lists.of(Aspect.LIMITED).where(read_to_its_end).where(image_lists.is_filtered):
        # What next has lost of the query is PAGE-06's: where it leads then is another list.
        kept = all({*asked.query} <= {*asked_by(asked.query, link, asked.listed.first)} for link in asked.listed.links)
        if kept:
            expect(asked.listed.problem, "", f"what is wrong with the pages of {asked}")
            expect(asked.listed.ended, True, f"whether {asked} comes to an end within {len(asked.listed.pages)} pages")
        # Under equal keys it is how they are told apart that is wrong.
        if kept and not asked.value("sort_key"):
            expect_among(asked.held, asked.wanted, f"our images in {asked}, to its last page")
        limit = min(limit_of(asked.query) or 0, configured)
        for page in asked.listed.pages:
            if len(page.entries) < limit:
                expect(page.data.get("next"), None, f"next of {page.answer}, which holds fewer than {limit} images")
    for whole, counted in image_lists.aside().whole_and_counted():
        beyond = [{*more.shows_more_than(each)} for each in whole for more in counted]
        expect(sorted(set.intersection(*beyond)), [], f"images that {whole[-1]} lacks, which has no next page")


# "next … preserves the query parameters"
@requirement("PAGE-06")
def test_next_keeps_the_query(image_lists: Lists) -> None:
    followed = image_lists.of(Aspect.LIMITED).where(lambda asked: bool(asked.listed.first.data.get("next")))
    for asked in or_skip(followed, "no list had a next page"):
        # Of whichever page, and wherever it leads, which is PAGE-05's.
        for page in (page for page in asked.listed.pages if page.data.get("next")):
            link = str(page.data["next"])
            query = asked_by(asked.query, link, page)
            kept = [pair for pair in query if pair[0] != "marker" and not is_written_out(asked, *pair)]
            # By what images of equal keys are told apart, it may say after what was asked for.
            for name in ("sort_key", "sort_dir"):
                wanted = [pair for pair in asked.query if pair[0] == name]
                shown = [pair for pair in kept if pair[0] == name]
                if wanted and shown[: len(wanted)] == wanted:
                    kept = [pair for pair in kept if pair[0] != name] + wanted
            wanted = [*asked.query]
            # What is true and what is not may be written in capitals or not.
            if {*map(_in_one_case, kept)} == {*map(_in_one_case, wanted)}:
                kept, wanted = [*map(_in_one_case, kept)], [*map(_in_one_case, wanted)]
            expect(sorted(kept), sorted(wanted), f"parameters of {link!a}, but for its marker")
            expect_among([key for key, _ in query], ["marker"], f"parameters of {link!a}")


# "first"
@requirement("PAGE-07")
def test_first_leads_back(image_lists: Lists) -> None:
    led = image_lists.of(Aspect.FIRST)
    for asked in or_skip(led, "no page has first"):
        expect(asked.listed.first.answer.status, 200, f"status of {asked}")
        expect(asked.listed.first.ids, asked.wanted, f"images in {asked}")


# each image once, under equal keys and while others come and go
@requirement("PAGE-08")
def test_pages_hold_each_image_once(image_lists: Lists) -> None:
    for asked in image_lists.of(Aspect.LIMITED, Aspect.MOVING).where(read_to_its_end).where(image_lists.is_filtered):
        if asked.listed.ended and not asked.listed.problem:
            twice = sorted(each for each in {*asked.held} if asked.held.count(each) > 1)
            expect(twice, [], f"our images that {asked} holds more than once")
            if asked.value("sort_key"):
                expect_among(asked.held, asked.wanted, f"our images in {asked}, to its last page")
    # Where next leads elsewhere, it is the link that is wrong.
    of_moving = image_lists.aside().of(Aspect.MOVING).where(image_lists.is_filtered)
    for asked in of_moving.where(lambda asked: not asked.listed.problem):
        expect_among(asked.held, asked.wanted, f"our images in {asked}")


# "offset", mentioned once
@requirement("PAGE-09")
def test_an_offset_is_noted(image_lists: Lists) -> None:
    for asked in image_lists.of(Aspect.OFFSET):
        note(f"offset=1: {asked.listed.status}, {len(asked.listed.entries)} images.")


# beyond the end
@requirement("PAGE-10")
def test_nothing_comes_after_the_last(image_lists: Lists) -> None:
    for asked in image_lists.of(Aspect.BEYOND):
        expect(asked.listed.status, 200, f"status of {asked}")
        # What others have made meanwhile comes after the last that there was, if anywhere.
        expect(asked.held, [], f"images of ours in {asked}")


# what is no image to start after
@requirement("PAGE-11")
def test_an_unknown_marker_is_answered_400(image_lists: Lists) -> None:
    for asked in image_lists.of(Aspect.WRONG_MARKER):
        expect(asked.listed.status, 400, f"status of {asked}")
    # What somebody does not see is to them no image either; Glance, whose source it is, forbids it.
    for asked in image_lists.aside().of(Aspect.HIDDEN_MARKER):
        if asked.listed.status in (403, 404):
            note(f"A marker that is not seen is answered {asked.listed.status}, and one that there is not 400.")
        expect(asked.listed.status, {400, 403, 404}, f"status of {asked}")


# a limit that is none
@requirement("PAGE-12")
def test_a_limit_that_is_none_is_answered_400(image_lists: Lists) -> None:
    for asked in image_lists.of(Aspect.WRONG_LIMIT):
        expect(asked.listed.status, 400, f"status of {asked}")


# undocumented
@requirement("PAGE-13")
def test_the_limit_0_is_noted(image_lists: Lists) -> None:
    for asked in image_lists.of(Aspect.NO_LIMIT):
        note(f"limit=0: {asked.listed.status}, {len(asked.listed.entries)} images.")
