# which texts are tags, and how they are written

import uuid
from functools import partial
from itertools import chain
from urllib.parse import unquote

import pytest

from pytest_cloudimages import Blocked, expect, note, requirement
from pytest_cloudimages.areas.common.checks import led_to_without_a_slash
from pytest_cloudimages.areas.images.states import first_taken
from pytest_cloudimages.areas.tags.checks import (
    ADD,
    LONGEST,
    NOT_OK,
    NOT_REDIRECTED,
    OK,
    REFUSED,
    WITHOUT_A_TAG,
    Answer,
    Basics,
    FreshImage,
    Image,
    NegativeRequests,
    Prior,
    Run,
    Step,
    Steps,
    StrayRequests,
    anything_but,
    controlled,
    expect_among,
    expect_exact_effect,
    expect_stored_or_refused,
    expect_tags,
    others_removed,
    plain,
    require_ok,
    sorted_strings,
)
from pytest_cloudimages.areas.tags.corpus import (
    NAMED_ELSEWHERE,
    NAMED_EVERYWHERE,
    NO_UTF8,
    RESERVED,
    REWRITING,
    SPECIAL,
    UNRESERVED,
)
from pytest_cloudimages.areas.tags.fixtures import *
from pytest_cloudimages.areas.tags.workloads import OF_SEVERAL_KINDS


# "PUT /images/{image_id}/tags/{tag}" "DELETE /images/{image_id}/tags/{tag}"
@requirement("TAG-URI-01")
def test_the_tag_operations_are_addressed_below_the_image(plain_tags: Steps) -> None:
    for step in plain_tags.additions(past=[Prior.NEVER]):
        expect(step.answer.status, anything_but(404, 405, 410, 501), "status of", step.answer)
        expect(step.answer.status, NOT_REDIRECTED, "status of", step.answer)
    # A 404 may speak of the tag: the service may have lost it, which TAG-ADD-03 asks.
    for step in plain_tags.deletions(past=[Prior.PRESENT]):
        expect(step.answer.status, anything_but(405, 410, 501), "status of", step.answer)
        expect(step.answer.status, NOT_REDIRECTED, "status of", step.answer)


# "{image_id}: Image ID stored through the image API, typically a UUID."
@requirement("TAG-URI-02")
def test_the_id_of_the_list_addresses_the_image(fresh_image: FreshImage, cloudimages_run: Run) -> None:
    # By an id that no random numbers make, where the service takes one: a UUID is made of a name too. (RFC 9562, 5.5.)
    own = str(uuid.uuid5(uuid.NAMESPACE_URL, str(uuid.uuid4())))
    asks = cloudimages_run.rounds and not cloudimages_run.settings.image
    with first_taken(*([partial(fresh_image, id=own)] if asks else []), fresh_image) as image:
        chosen = image.id == own
        entry = image.listed()
        listed = str(entry["id"])
        # A service may give new images tags of its own.
        carried = sorted_strings(entry.get("tags") or []) or []
        change = image.client.add_tag(listed, "by-id")
        expect_one_that_was_chosen(change, cloudimages_run, chosen=chosen)
        expect_tags(image, [*carried, "by-id"], f"after {require_ok(change)}")
        if chosen:
            change = image.client.delete_tag(listed, "by-id")
            expect_one_that_was_chosen(change, cloudimages_run, chosen=chosen)


def expect_one_that_was_chosen(change: Answer, run: Run, *, chosen: bool) -> None:
    """Raise ``Mismatch`` where a change of tags is refused for an id that the service has taken from a tester."""
    __tracebackhide__ = True
    if chosen and change.status in REFUSED_FOR_AN_ID:
        with controlled(run):
            expect(change.status, OK, f"status of {change}")


REFUSED_FOR_AN_ID = (400, 404, 409, 422)


# "{tag}: String: Image tag (may be up to 255 characters in length)."
@requirement("TAG-URI-03")
def test_the_segment_carries_a_string_of_up_to_255_characters(
    boundary_tags: Steps, every_length: Steps, own_words: Steps, basics: Basics, cloudimages_run: Run
) -> None:
    with controlled(cloudimages_run):
        # What counts as a character is asked by TAG-ADD-11 and TAG-ADD-14.
        at_the_limit = boundary_tags.additions(
            past=[Prior.NEVER],
            where=lambda step: "composing" not in step.operation.input_class and not step.tag.endswith(" "),
        )
        lengths = every_length.additions(input_classes=["every length", "word or number"])
        # What the image says of itself can be a tag of it; whether a deletion takes it off is asked by
        # TAG-DEL-03.
        for step in own_words.aside().steps(
            where=lambda step: step.operation.kind is ADD or (basics.deletes and step.tag in (step.before or ()))
        ):
            step.expect(status=OK, present=step.operation.kind is ADD or None)

        for step in chain(at_the_limit, lengths):
            if len(step.tag) > LONGEST:
                step.expect(present=False)
                expect(others_removed(step), [], f"other tags removed by {step}")
            else:
                step.expect(status=OK)
                expect_exact_effect(step)


# "Include the tag you want to add in the request URI {tag} path segment of the URI."
@requirement("TAG-URI-04")
def test_nothing_but_the_path_selects_the_tag(working_image: Image, basics: Basics) -> None:
    image = working_image
    image.given_tags("other")
    for number, elsewhere in enumerate(NAMED_ELSEWHERE):
        image.send("PUT", f"/tags/path-{number}", **elsewhere)
    image.send("PUT", "/tags/path-query?tag=other&name=other")
    tags = image.read(lambda found: "other" in found)
    expect([tag for tag in tags if not tag.startswith("path")], ["other"], "tags beside those that a path named")
    if not basics.deletes:
        return

    for number, elsewhere in enumerate(NAMED_ELSEWHERE):
        if f"path-{number}" in tags:
            image.send("DELETE", f"/tags/path-{number}", **elsewhere)
    if "path-query" in tags:
        image.send("DELETE", "/tags/path-query?tag=other&name=other")
    expect_among(image.read(lambda found: "other" in found), ["other"], "tags after others were deleted")

    require_ok(image.delete_tag("other"))
    rewritten = dict.fromkeys(REWRITING, f"{image.client.base}/images/{image.id}/tags/other")
    everywhere = NAMED_EVERYWHERE | {"headers": NAMED_EVERYWHERE["headers"] | rewritten}
    image.send("PUT", "/tags/path-again?tag=other&name=other", **everywhere)
    tags = image.read(lambda found: "other" not in found)
    expect([tag for tag in tags if not tag.startswith("path")], [], "tags beside those that a path named")


# "URIs that differ in the replacement of an unreserved character with its
# corresponding percent-encoded US-ASCII octet are equivalent"
@requirement("TAG-URI-05")
def test_an_encoded_unreserved_character_is_that_character(
    working_image: Image, basics: Basics, cloudimages_run: Run
) -> None:
    every = "".join(character for character in UNRESERVED if not character.isupper())
    encoded = "".join(f"%{ord(character):02X}" for character in every)
    written = {"%6Diracle": "miracle", encoded: every}
    if cloudimages_run.rounds:
        written["las%74"] = "last"
    answers = {target: working_image.send("PUT", f"/tags/{target}") for target in written}
    # A firewall may refuse what nobody has to encode. Those that it lets pass tell of the rest.
    written = {target: tag for target, tag in written.items() if answers[target].status not in (403, 406)}
    for target in written or answers:
        require_ok(answers[target])
    with controlled(cloudimages_run):
        expect_tags(working_image, written.values(), "after their additions, percent-encoded")

        if basics.repeats:
            for tag in sorted(written.values()):
                require_ok(working_image.add_tag(tag))
            expect_tags(working_image, written.values(), "after their additions as they are")

        if basics.deletes:
            for target in written:
                answer = working_image.send("DELETE", f"/tags/{target}")
                expect(answer.status, OK, f"status of {answer}")
            expect_tags(working_image, [], "after their deletions, percent-encoded")


# "the hexadecimal digits 'A' through 'F' are equivalent to 'a' through 'f'"
@requirement("TAG-URI-06")
@pytest.mark.usefixtures("long_life")  # early, so that TAG-HIST-01 can look at it long after
def test_the_hex_digits_of_an_encoding_have_no_case(working_image: Image, basics: Basics, cloudimages_run: Run) -> None:
    # Each between letters of its own, so that one which is taken for a pattern fits no other.
    tried = ("a%6Ab", "c%5Fd", "i%C3%A9j", "e%3Ff", "g%7Ch")[: None if cloudimages_run.rounds else 3]
    stored = [target for target in tried if working_image.send("PUT", f"/tags/{target}").ok]
    # What a service makes of octets beyond ASCII is asked by TAG-URI-11; here the two spellings have to be one tag.
    shown = {*working_image.eventual_tags(map(unquote, stored))}
    if len(shown) != len(stored) or "ajb" not in shown:
        raise Blocked("The tags with an encoded character are not all listed.")
    if not basics.repeats:
        # A second spelling can be tried by repeating a tag, or by deleting it.
        basics.require_deletions()

    with controlled(cloudimages_run):
        if basics.repeats:
            for target in map(str.lower, stored):
                answer = working_image.send("PUT", f"/tags/{target}")
                expect(answer.status, OK, f"status of {answer}")
            expect_tags(working_image, shown, "after the same additions with digits in lower case")

        if basics.deletes:
            deleted = {target: working_image.send("DELETE", f"/tags/{target.lower()}") for target in stored}
            left = {target for target, answer in deleted.items() if answer.refused}
            # What can be deleted in neither spelling is asked by TAG-URI-08 and TAG-URI-11.
            in_neither = {target for target in left if working_image.send("DELETE", f"/tags/{target}").refused}
            for target in [target for target in stored if target not in in_neither]:
                expect(deleted[target].status, OK, f"status of {deleted[target]}")
            if not in_neither:
                expect_tags(working_image, [], "after deletions with digits in lower case")


# "pchar = unreserved / pct-encoded / sub-delims / ':' / '@'", and '+' is a sub-delim
@requirement("TAG-URI-07")
def test_a_plus_sign_is_no_space(working_image: Image, basics: Basics, cloudimages_run: Run) -> None:
    written = {"a+b": "a+b", "c%2Bd": "c+d", "a%20b": "a b", "e+f%20g": "e+f g"}
    answers = {target: working_image.send("PUT", f"/tags/{target}") for target in written}
    if answers["a+b"].refused and answers["c%2Bd"].refused:
        pytest.skip("the service refuses a plus sign")
    stored = {target: written[target] for target, answer in answers.items() if answer.ok}
    with controlled(cloudimages_run):
        expect_tags(working_image, stored.values(), "after their additions")

        if basics.deletes:
            for target in (target for target, tag in stored.items() if "+" in tag):
                answer = working_image.send("DELETE", f"/tags/{target}")
                expect(answer.status, OK, f"status of {answer}")
            expect_tags(
                working_image, [tag for tag in stored.values() if "+" not in tag], "after those with + were deleted"
            )


def printable_ascii(step: Step) -> bool:
    """Return whether a tag needs to be encoded, and holds printable ASCII alone: no slash, and no blank at an end."""
    return step.tag == step.tag.strip() and {*step.tag} <= {*UNRESERVED, *RESERVED} and not plain(step.tag)


# "{tag}: String": no alphabet is stated
@requirement("TAG-URI-08")
def test_printable_characters_are_accepted_when_encoded(
    special_tags: Steps, every_length: Steps, basics: Basics, cloudimages_run: Run
) -> None:
    basics.require_additions()
    with controlled(cloudimages_run):
        # Whatever they look like together: a command, markup, a query. How they are stored is asked by TAG-HIST-04.
        for step in every_length.aside().additions(input_classes=["looks like something else"], where=printable_ascii):
            # A firewall is no part of the service.
            expect(step.answer.status, anything_but(*{*range(400, 500)} - {403, 406}), "status of", step)
        for step in special_tags.additions(input_classes=["reserved character"]):
            step.expect(status=OK)
            expect_exact_effect(step)
        if basics.deletes:
            for step in special_tags.deletions(input_classes=["reserved character"], past=[Prior.PRESENT]):
                step.expect(status=OK)
                expect_exact_effect(step)
        # Up to 255 characters are, and not what they come to as an address has them. A front server may bound that.
        longest = every_length.aside().additions(input_classes=[OF_SEVERAL_KINDS], where=printable_ascii)
        for step in longest:
            expect(step.answer.status, anything_but(*{*range(400, 500)} - {403, 406, 414}), "status of", step)


# "{tag}: String": a percent-encoded slash is data
@requirement("TAG-URI-09")
def test_an_encoded_slash_is_stored_or_refused(working_image: Image, basics: Basics, cloudimages_run: Run) -> None:
    with controlled(cloudimages_run):
        written = {"a%2Fb": "a/b", "c%2fd": "c/d", "%2Fe": "/e", "f%2F": "f/"}
        kept: list[str] = []
        for target, tag in written.items():
            added = working_image.send("PUT", f"/tags/{target}")
            stored = [*kept, *([tag] if added.ok else [])]
            expect_tags(working_image, stored, f"after {added}")
            # Where plain tags are not deleted either, the next one joins them.
            kept = [] if added.ok and basics.deletes else stored
            if added.ok and basics.deletes:
                deleted = working_image.send("DELETE", f"/tags/{target}")
                expect(deleted.status, OK, f"status of {deleted}")
                expect_tags(working_image, [], f"after {deleted}")

        if basics.deletes:
            parts = ["a", "b", "c", "d", "e", "f"]
            working_image.given_tags_at_once(*parts)
            for target in written:
                working_image.send("DELETE", f"/tags/{target}")
            tags = working_image.read(lambda found: {*parts} <= {*found})
            expect_among(tags, parts, "tags after the deletion of what they are a part of")


# "The path is terminated by the first question mark, number sign, or the end", and '/' separates segments
@requirement("TAG-URI-10")
def test_a_raw_slash_addresses_another_resource(stray_requests: StrayRequests) -> None:
    for tried in stray_requests.requests("PUT", "DELETE", where=lambda tried: tried.request.leads_further):
        expect(tried.answer.status, NOT_OK, f"status of {tried.answer}")
        expect(tried.changed, (), f"tags that came or went with {tried.answer}")


def stored_and_deleted_or_refused(special_tags: Steps, basics: Basics, input_classes: list[str]) -> None:
    for step in special_tags.additions(input_classes=input_classes, known=False):
        expect_stored_or_refused(step)
    if basics.deletes:
        for step in special_tags.deletions(input_classes=input_classes, past=[Prior.PRESENT]):
            step.expect(status=OK)
            expect_exact_effect(step)


# "This operation adds the specified tag": that very one
@requirement("TAG-URI-11")
def test_a_tag_beyond_ascii_is_stored_or_refused(special_tags: Steps, basics: Basics, cloudimages_run: Run) -> None:
    basics.require_additions()
    with controlled(cloudimages_run):
        stored_and_deleted_or_refused(special_tags, basics, ["beyond ASCII"])


# "400 Error"
@requirement("TAG-URI-12")
def test_octets_that_are_no_utf8_are_refused(image: Image) -> None:
    image.given_tags("stays")
    # Added in every form, and deleted in one of each kind: one decoder reads what is in an address.
    asked = [("PUT", octets) for forms in NO_UTF8.values() for octets in forms]
    asked += [("DELETE", octets) for forms in NO_UTF8.values() for octets in forms[:1]]
    for method, octets in asked:
        answer = image.send(method, f"/tags/{octets}")

        expect(answer.status, REFUSED, f"status of {answer}")
    expect_tags(image, ["stays"], "after octets that are no UTF-8")


# "Recipients of an invalid request-line SHOULD respond with either a 400 (Bad
# Request) error or a 301 (Moved Permanently) redirect"
@requirement("TAG-URI-13")
def test_a_malformed_encoding_is_not_processed(image: Image) -> None:
    for target in ("%zz", "a%", "%4", "%%41", "a%g1b"):
        answer = image.send("PUT", f"/tags/{target}")

        expect(answer.status, {400, 301, 302, 307, 308}, f"status of {answer}")
    expect_tags(image, [], "after malformed targets")

    # A tag of these very characters, rightly written, is not what a malformed target speaks of.
    if image.add_tag("%zz").ok and image.eventual_tags(["%zz"]) == ["%zz"]:
        answer = image.send("DELETE", "/tags/%zz")
        expect(answer.status, NOT_OK, f"status of {answer}")
        expect_tags(image, ["%zz"], f"after {answer}")


# "PUT /images/{image_id}/tags/{tag}": the template asks for a tag
@requirement("TAG-URI-14")
def test_an_empty_segment_adds_no_empty_tag(stray_requests: StrayRequests, basics: Basics) -> None:
    # What changes nothing is told by an image that takes tags.
    basics.require_additions()
    for tried in stray_requests.requests("PUT", where=lambda tried: tried.request in WITHOUT_A_TAG):
        expect(tried.answer.status, NOT_OK, f"status of {tried.answer}")
        expect(tried.changed, (), f"tags that came or went with {tried.answer}")


# no route of the API ends behind /tags
@requirement("TAG-URI-15")
def test_a_missing_segment_is_answered_404(stray_requests: StrayRequests) -> None:
    for tried in stray_requests.requests("PUT", "DELETE", where=lambda tried: not tried.request.names_a_tag):
        if tried.answer.status in (400, 405):
            note(f"{tried.request.method} …{tried.request.target} is answered {tried.answer.status}.")

        if led_to_without_a_slash(tried.answer):
            note(f"{tried.request.method} of a path that ends in a slash leads to the one without.")
            continue
        # A body may be refused for what it is.
        allowed = {404, 400, 405, *((413, 415) if tried.request.how else ())}
        expect(tried.answer.status, allowed, f"status of {tried.answer}")


# "remove_dot_segments"
@requirement("TAG-URI-16")
def test_dot_segments(fresh_image: FreshImage, cloudimages_run: Run) -> None:
    if cloudimages_run.settings.image:
        pytest.skip("a proxy that removes dot segments would ask for the deletion of the lent image itself")
    # What removes two dots asks for the deletion of the image.
    for tags in ((".", ".."), ("%2E%2e",)):
        with fresh_image() as image:
            for tag in tags:
                added = image.send("PUT", f"/tags/{tag}")
                shown = ascii(image.tags())
                deleted = image.send("DELETE", f"/tags/{tag}")
                note(f"{tag}: PUT {added.status}, the image shows {shown}, DELETE {deleted.status}.")


# undocumented
@requirement("TAG-URI-17")
def test_a_query_or_a_trailing_slash(stray_requests: StrayRequests) -> None:
    for tried in stray_requests.requests("PUT", "DELETE", where=lambda tried: tried.request.has_an_end):
        note(f"{tried.request.method} …{tried.request.target[:20]}: {tried.answer.status}.")


# "It is RECOMMENDED that all senders and recipients support, at a minimum, URIs
# with lengths of 8000 octets in protocol elements."
@requirement("TAG-URI-18")
def test_a_long_target_is_handled(image: Image) -> None:
    for method in ("PUT", "DELETE"):
        answer = image.send(method, f"/tags/{'%F0%9F%98%80' * LONGEST}")

        expect(answer.status, anything_but(0, 414), f"status of {answer}")


# "The scheme and host are case-insensitive … The other generic syntax components
# are assumed to be case-sensitive"
@requirement("TAG-URI-19")
def test_letter_case_tells_tags_apart(confusable_tags: Steps, basics: Basics, cloudimages_run: Run) -> None:
    basics.require_deletions()
    with controlled(cloudimages_run):
        for step in confusable_tags.additions(input_classes=["letter case"], printable=True):
            expect_exact_effect(step)
        for step in confusable_tags.deletions(input_classes=["letter case"], printable=True):
            if step.prior is Prior.PRESENT:
                step.expect(status=OK)
            expect_exact_effect(step)


# "tag an image … with a specific string"
@requirement("TAG-URI-20")
def test_normalisation_forms_tell_tags_apart(confusable_tags: Steps, basics: Basics, cloudimages_run: Run) -> None:
    basics.require_additions()
    input_classes = ["normalisation form"]
    with controlled(cloudimages_run):
        tried = [*confusable_tags.aside().additions(input_classes=input_classes)]
        if tried and all(step.answer.refused for step in tried):
            pytest.skip("the service refuses such tags")

        # How a tag is shown is asked by TAG-URI-11; here it counts that two forms are shown as two tags.
        shown: dict[str, set[str]] = {}
        for step in confusable_tags.steps(input_classes=input_classes, acknowledged=True):
            if step.operation.kind is ADD:
                expect(len(step.came), 1, "number of tags that came with", step)
                expect(step.gone, set(), "tags gone with", step)
                shown[step.tag] = step.came
            elif basics.deletes:
                # Nothing is to go with a tag that was not there.
                expect(step.gone, shown.pop(step.tag, set()), "tags gone with", step)
                expect(step.came, set(), "tags that came with", step)


def blank_or_control(step: Step) -> bool:
    """Return whether a tag of ASCII has a control character, or a blank at an end."""
    return step.tag.isascii() and not (step.tag.isprintable() and step.tag == step.tag.strip())


AT_AN_END = ("blank at an end", "newline at an end", "NUL")
"""Pairs of tags of which one has a blank, or a control character, that the other has not."""


# "{tag}: String": no alphabet is stated
@requirement("TAG-URI-21")
def test_blanks_and_controls_are_stored_or_refused(
    special_tags: Steps, confusable_tags: Steps, basics: Basics, cloudimages_run: Run
) -> None:
    basics.require_additions()
    with controlled(cloudimages_run):
        stored_and_deleted_or_refused(special_tags, basics, [sort for sort in SPECIAL if "control" in sort])
        # Nor is one with a blank at an end taken for the tag without it, be it there or not.
        pairs = confusable_tags.aside().deletions(input_classes=AT_AN_END, where=blank_or_control)
        for step in pairs:
            expect_exact_effect(step)


# undocumented
@requirement("TAG-URI-22")
def test_an_image_id_written_otherwise(negative_requests: NegativeRequests) -> None:
    for asked in negative_requests.by_another_spelling():
        done = "done" if asked.done else "not done"
        note(f"{asked.answer.exchange.method} on the id {asked.how}: {asked.answer.status}, and {done}.")
