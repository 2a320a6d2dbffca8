# PUT /v2/images/{image_id}/tags/{tag}

import re
import uuid
from functools import partial
from itertools import chain

import pytest

from pytest_cloudimages import Blocked, expect, note, requirement
from pytest_cloudimages.areas.common.checks import GOING
from pytest_cloudimages.areas.common.followed_links import named_image
from pytest_cloudimages.areas.common.offers import require_look
from pytest_cloudimages.areas.common.paging import entries_of
from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.images.states import kept_out_by_policy, state_of
from pytest_cloudimages.areas.tags.callers import ABSENT, ORDINARY, OTHERS, PRESENT, Change
from pytest_cloudimages.areas.tags.checks import (
    ADD,
    LONGEST,
    NOT_OK,
    NOT_ONCE,
    OK,
    REFUSED,
    SOMETHING,
    UNITS,
    AccessAttempts,
    Administered,
    Allowed,
    Answer,
    AtALimit,
    BareAnswers,
    Basics,
    Comparisons,
    ConcurrentRuns,
    FreshImage,
    Image,
    ImagesClient,
    LongLife,
    ManySteps,
    NegativeRequests,
    Pattern,
    Prior,
    ReadPath,
    Repetitions,
    Representations,
    Run,
    Step,
    Steps,
    StrayRequests,
    alone,
    among_others,
    answers_to,
    anything_but,
    controlled,
    deletable,
    documented_codes,
    expect_among,
    expect_attributes_kept,
    expect_interpreted,
    expect_none_lost,
    expect_nothing_astray,
    expect_others_kept,
    expect_owner_kept,
    expect_sound,
    expect_tags,
    expect_unlike_ones_kept,
    in_ordinary_state,
    inconsistent_without_patch,
    known_tag_limit,
    limit_of,
    lost_additions,
    met_in_passing,
    not_once,
    or_skip,
    others_added,
    past_the_limit,
    protected_otherwise_alike,
    refused_as_one_more,
    refused_in_the_room,
    refused_itself,
    require_ok,
    set_tags,
    unambiguous,
)
from pytest_cloudimages.areas.tags.clients import NAMES_A_TYPE, wanting_a_length
from pytest_cloudimages.areas.tags.corpus import (
    ANNOUNCED,
    BODIES_OF_ADDITIONS,
    FURTHER_BODIES_OF_ADDITIONS,
    NOT_MET,
)
from pytest_cloudimages.areas.tags.fixtures import *
from pytest_cloudimages.areas.tags.negative import (
    expect_done_as_answered,
    expect_none_reached,
    of_an_unknown_image,
    of_no_uuid,
    on_no_image,
    unknown_image,
)

PLAIN_WORD = re.compile(r"(?!(?:con|nul|aux|prn)$)[a-z0-9][a-z0-9-]*", re.IGNORECASE)
"""Letters, digits and hyphens, as names have them everywhere, and no device's name, which some servers keep away."""


def is_a_plain_word(step: Step) -> bool:
    return PLAIN_WORD.fullmatch(step.tag) is not None


# "204 Success: Request succeeded."
@requirement("TAG-ADD-01")
def test_adding_a_tag_succeeds_with_204(
    plain_tags: Steps,
    image_states: Steps,
    common_clients: Steps,
    access_attempts: AccessAttempts,
    every_length: Steps,
    cloudimages_run: Run,
) -> None:
    for attempt in access_attempts.aside().by(Party.OWNER, states=ORDINARY, changes=[Change.ADD]):
        if kept_out_by_policy(attempt.answer, cloudimages_run):
            continue
        expect(attempt.answer.status, {204, 201}, f"status of {attempt}")
    # Whoever was refused it before.
    for answer in access_attempts.aside().added_by_the_owner():
        expect(answer.status, {204, 201}, f"status of {answer}, of what others had been refused to add")
    # Whatever a word means to the service, as a part of a path does, or to a program.
    words = every_length.aside().additions(input_classes=["word or number"], past=[Prior.NEVER], where=is_a_plain_word)
    with controlled(cloudimages_run):
        for step in words:
            if not kept_out_by_policy(step.answer, cloudimages_run):
                step.expect(status={204, 201})

    in_any_state = image_states.additions(past=[Prior.NEVER], where=in_ordinary_state)
    clients = common_clients.additions(
        past=[Prior.NEVER], where=lambda step: step.tag not in wanting_a_length(common_clients)
    )
    for step in chain(plain_tags.additions(past=[Prior.NEVER]), clients, in_any_state):
        if kept_out_by_policy(step.answer, cloudimages_run):
            continue
        # 201 is undocumented, yet what HTTP asks of a PUT that creates. (Ruling Q-05.)
        step.expect(status={204, 201})


# "This operation does not return a response body."
@requirement("TAG-ADD-02")
def test_the_answer_to_an_addition_has_no_body(
    plain_tags: Steps,
    image_states: Steps,
    special_tags: Steps,
    every_length: Steps,
    common_clients: Steps,
    demanding_clients: Steps,
    access_attempts: AccessAttempts,
    bare_answers: BareAnswers,
) -> None:
    for step in (plain_tags + common_clients + demanding_clients).additions(acknowledged=True, known=False):
        expect(step.answer.body + step.answer.trailing, b"", f"body after {step.answered}")

    # Whichever tag it is, in whichever state of the image, and whoever asks. What says no more than that it was not
    # done is an error, whatever its status.
    for step in (image_states + special_tags + every_length).aside().additions(acknowledged=True):
        if step.tag in (step.after or ()):
            expect(step.answer.body + step.answer.trailing, b"", f"body after {step.answered}")
    for attempt in access_attempts.aside().by(*Party, states=PRESENT, changes=[Change.ADD]):
        if attempt.answer.ok and attempt.changed:
            expect(attempt.answer.body + attempt.answer.trailing, b"", f"body of {attempt}")

    # On a connection of its own, whatever else is sent must be seen.
    for answer in bare_answers.aside().on_its_own("PUT"):
        expect(answer.body, b"", f"body of {answer}")


# "This operation adds the specified tag to the specified image."
@requirement("TAG-ADD-03")
def test_an_added_tag_is_listed(
    plain_tags: Steps,
    image_states: Steps,
    common_clients: Steps,
    demanding_clients: Steps,
    representations: Representations,
    access_attempts: AccessAttempts,
) -> None:
    steps = plain_tags + image_states + common_clients + demanding_clients
    for step in steps.additions(acknowledged=True, past=[Prior.NEVER]):
        step.expect(present=True)

    # A reader of the project sees it too.
    for state in representations.aside():
        if state.in_image_for_reader is not None:
            expect_among(state.in_image_for_reader, state.in_image, f"tags shown to a reader, where {state}")

    # So does another project, where all may see the image.
    for shown in access_attempts.aside().to_others():
        expect_among(shown.tags, shown.due, f"tags shown to another project, as in {shown.answer}")

    # So it is if an administrator has added it: nobody is told so of what is not done.
    by_administrators = access_attempts.aside().by(Party.ADMINISTRATOR, states=ORDINARY, changes=[Change.ADD])
    for attempt in by_administrators.where(lambda attempt: attempt.answer.ok):
        expect(attempt.changed, True, f"effect of {attempt}")

    # Nor is a client told that nothing has changed.
    for answer in representations.aside().conditional("PUT"):
        expect(answer.status, anything_but(304), f"status of {answer}, where tags were added")


# "This operation adds the specified tag to the specified image."
@requirement("TAG-ADD-04")
def test_adding_a_tag_leaves_the_others(
    plain_tags: Steps,
    boundary_tags: Steps,
    image_states: Steps,
    common_clients: Steps,
    demanding_clients: Steps,
    stray_requests: StrayRequests,
    confusable_tags: Steps,
) -> None:
    expect_nothing_astray(stray_requests, "PUT")
    named = confusable_tags.aside().additions(acknowledged=True, where=lambda step: unambiguous(step.tag))
    expect_unlike_ones_kept(named)

    steps = plain_tags + boundary_tags + image_states + common_clients + demanding_clients
    additions = steps.additions(acknowledged=True)
    # Where there is no other tag, none can be seen to stay; yet none may come.
    for step in chain(additions.where(among_others), additions.where(alone).aside()):
        expect_others_kept(step)


# "Multiple attempts to tag an image with the same string will result in a
# single instance of that string being added to the image's tags list."
@requirement("TAG-ADD-05")
def test_a_tag_added_again_is_listed_once(
    plain_tags: Steps,
    unusual_tags: Steps,
    boundary_tags: Steps,
    common_clients: Steps,
    image_states: Steps,
    repetitions: Repetitions,
) -> None:
    for repetition in repetitions.aside().additions():
        expect(repetition.after.get(repetition.tag, 0), 1, f"instances of the tag after {repetition}")

    steps = plain_tags + unusual_tags + boundary_tags + common_clients + image_states
    for step in steps.additions(past=[Prior.PRESENT], printable=True):
        step.expect(count=1)


# "An image can only be tagged once with a specific string. Multiple attempts …"
@requirement("TAG-ADD-06")
def test_adding_a_tag_again_is_answered_204_again(
    plain_tags: Steps,
    unusual_tags: Steps,
    boundary_tags: Steps,
    common_clients: Steps,
    image_states: Steps,
    repetitions: Repetitions,
) -> None:
    for repetition in repetitions.aside().additions(where=lambda each: each.due):
        expect(repetition.answer.status, 204, f"status of {repetition}")

    steps = plain_tags + unusual_tags + boundary_tags + common_clients
    in_any_state = image_states.additions(past=[Prior.PRESENT], where=in_ordinary_state)
    for step in chain(steps.additions(past=[Prior.PRESENT], printable=True), in_any_state):
        step.expect(status=204)


# "This operation does not accept a request body."
@requirement("TAG-ADD-07")
def test_a_request_without_a_body_is_accepted(bare_answers: BareAnswers, cloudimages_run: Run) -> None:
    with controlled(cloudimages_run):
        for answer in bare_answers.without_a_body():
            expect(answer.status, OK, f"status of {answer}")


# "The request body is ignored."
@requirement("TAG-ADD-08")
def test_a_body_is_ignored(working_image: Image, specification: str) -> None:
    added = []
    for number, (media, body) in enumerate(BODIES_OF_ADDITIONS):
        for form, chunked in (("whole", False), ("chunked", True)):
            headers = {"Content-Type": media}
            answer = working_image.add_tag(f"{form}-{number}", body=body, headers=headers, chunked=chunked)

            # "415 Bad Media Type": any other than JSON may be one, as TAG-ADD-23 has it.
            unsuitable = Allowed("415", lambda status: status == 415)
            allowed = OK if media == "application/json" else OK | unsuitable
            expect_interpreted(specification, answer.status, f"status of {answer}", cloud_images=allowed, glance=400)
            added += [f"{form}-{number}"] if answer.ok else []
    media, body = BODIES_OF_ADDITIONS[0]
    answer = working_image.add_tag("announced", body=body, headers={"Content-Type": media, **ANNOUNCED})
    if answer.status == NOT_MET:
        answer = working_image.add_tag("announced", body=body, headers={"Content-Type": media})
    expect_interpreted(specification, answer.status, f"status of {answer}", cloud_images=OK, glance=400)
    added += ["announced"] if answer.ok else []
    # One may be lost for any reason; all of them, for the body.
    tags = working_image.read(lambda found: {*added} <= {*found})
    kept = [tag for tag in added if tag in tags]
    if added:
        expect(kept, SOMETHING, "tags that are there after they were added with a body")


# "The request body is ignored."
@requirement("TAG-ADD-09")
def test_a_body_adds_no_tag(working_image: Image, basics: Basics) -> None:
    working_image.given_tags("stays")
    bodies = BODIES_OF_ADDITIONS + FURTHER_BODIES_OF_ADDITIONS
    for number, (media, body) in enumerate(bodies):
        headers = {"Content-Type": media} if media else {}
        # Few tags, again and again: their number is asked with --tag-limit, repetitions by TAG-ADD-05.
        tag = f"asked-{number % 3 if basics.repeats else number}"
        working_image.add_tag(tag, body=body, headers=headers, chunked=number % 2 == 1)
    # What a body leaves on the connection must not reach the next request.
    working_image.add_tag("asked-after")
    asked = {f"asked-{number}" for number in range(len(bodies))} | {"asked-after"}
    tags = working_image.read(lambda found: {"stays", "asked-after"} <= {*found})

    expect({*tags} - asked, {"stays"}, "tags beside those that a path named")


# "{tag}: Image tag (may be up to 255 characters in length)."
@requirement("TAG-ADD-10")
def test_a_tag_of_255_characters_is_stored_whole(boundary_tags: Steps, cloudimages_run: Run) -> None:
    additions = boundary_tags.additions(input_classes=["boundary"], past=[Prior.NEVER])
    with controlled(cloudimages_run):
        for step in additions.where(lambda step: len(step.tag) == LONGEST):
            step.expect(status=OK, count=1)


# "{tag}: Image tag (may be up to 255 characters in length)."
@requirement("TAG-ADD-11")
def test_a_tag_of_more_than_255_characters_is_refused_and_not_stored(
    boundary_tags: Steps, repetitions: Repetitions
) -> None:
    # Whoever asks for it.
    for answer, stored in repetitions.aside().overlong():
        expect(answer.status, REFUSED, f"status of {answer}")
        expect(stored, [], f"tags too long after {answer}")

    for step in boundary_tags.additions(input_classes=["past the limit"], where=past_the_limit):
        step.expect(status=REFUSED)
        expect(others_added(step, but=()), [], f"tags that came with {step}")


# maxLength 255 in the image schema
@requirement("TAG-ADD-12")
def test_an_overlong_tag_is_answered_400(boundary_tags: Steps) -> None:
    for step in boundary_tags.additions(input_classes=["past the limit"], where=past_the_limit):
        if step.answer.status in (413, 414, 422):
            note(f"{len(step.tag)} characters are answered {step.answer.status}.")

        # What has a blank at its end may be refused for that, whatever its length. (TAG-URI-21)
        plain = step.tag == step.tag.strip()
        step.expect(status={400, 413, 414, 422} if plain else REFUSED)


# "{tag}: Image tag (may be up to 255 characters in length)."
@requirement("TAG-ADD-13")
def test_a_tag_of_one_character_is_accepted(boundary_tags: Steps, basics: Basics, cloudimages_run: Run) -> None:
    with controlled(cloudimages_run):
        for step in boundary_tags.additions(input_classes=["one character"], past=[Prior.NEVER]):
            step.expect(status=OK, present=True if basics.adds else None)


WHOLE = Allowed(
    f"one tag of no fewer than {LONGEST} characters", lambda lengths: len(lengths) == 1 and lengths[0] >= LONGEST
)


# "up to 255 characters in length"
@requirement("TAG-ADD-14")
@pytest.mark.parametrize("unit", [UNITS[2], UNITS[3], UNITS[4]], ids=["2 octets", "3 octets", "4 octets"])
def test_the_limit_counts_characters(working_image: Image, unit: str) -> None:
    def limit() -> str:
        return limit_of(working_image, unit)

    longest = working_image.add_tag(unit * LONGEST)
    if longest.refused:
        with working_image.client.recorder.apart():
            alone_too = working_image.add_tag(unit).refused
        if alone_too:
            pytest.skip("the service refuses such characters whatever their number (ruling Q-07)")
    expect(longest.status, OK, f"status of {longest}", limit=limit)
    # Which characters are shown is asked by TAG-URI-11; that none of them is lost, here.
    shown = working_image.read(lambda found: WHOLE.holds([*map(len, found)]))
    expect([*map(len, shown)], WHOLE, f"lengths of the tags after {longest}", limit=limit)
    longer = working_image.add_tag(unit * (LONGEST + 1))
    expect(longer.status, REFUSED, f"status of {longer}", limit=limit)
    expect_tags(working_image, shown, f"after {longer}")


# "up to 255 characters in length": a letter and its accent are two
@requirement("TAG-ADD-14")
def test_the_limit_counts_no_letter_with_its_accents_as_one(boundary_tags: Steps) -> None:
    for step in boundary_tags.additions(input_classes=["past the limit, composing"]):
        # What a service stores in another form is asked by TAG-HIST-04.
        if not step.answer.refused:
            step.expect(present=False)


# "This operation adds the specified tag to the specified image."
@requirement("TAG-ADD-15")
def test_adding_a_tag_to_an_unknown_image_fails_and_creates_none(
    cloudimages_client: ImagesClient,
    gone_image: str,
    access_attempts: AccessAttempts,
    negative_requests: NegativeRequests,
    cloudimages_run: Run,
) -> None:
    by_others = access_attempts.aside().by(*OTHERS, states=ABSENT, changes=[Change.ADD, Change.ADD_PRESENT])
    for attempt in by_others:
        expect(attempt.answer.status, REFUSED, f"status of {attempt}")

    # What a failure says of the service is TAG-RESP-09's.
    for answer in negative_requests.aside().answers(where=on_no_image):
        if answer.exchange.method == "PUT":
            expect(answer.status, NOT_OK, f"status of {answer}")
    expect_none_reached(negative_requests, "PUT")
    expect_done_as_answered(negative_requests, "PUT", acknowledged=True)

    tried = of_an_unknown_image(negative_requests, "PUT")
    for unknown in (next(iter(tried), str(uuid.uuid4())), gone_image):
        answer = tried.get(unknown) or cloudimages_client.add_tag(unknown, "stray")
        look = partial(cloudimages_client.show, unknown)
        shown = cloudimages_run.patience.until(look(), look, lambda shown: not shown.ok, about="what was deleted")

        expect(answer.status, REFUSED, f"status of {answer}")
        # What is deleted may be shown, as such, to the end of its days. (IMG-STAT-05 and -06; IMG-DEL-04 is a SHOULD.)
        require_look(shown)
        if state_of(shown) not in GOING:
            expect(shown.status, {404, 410}, f"status of {shown}")
    if cloudimages_run.rounds and not cloudimages_run.settings.image:
        expect_not_listed(cloudimages_client, gone_image, cloudimages_run)


def expect_not_listed(client: ImagesClient, gone: str, run: Run) -> None:
    """Raise ``Mismatch`` where the list has an image that was not there, and that a tag was meant for.

    It may have one that was deleted, for a while or for other reasons: then one is asked for that never was.
    """
    __tracebackhide__ = True
    if gone not in ids_of(client.list()):
        return
    never = str(uuid.uuid4())
    added = client.add_tag(never, "stray")
    if added.refused:
        listed = run.patience.until(client.list(), client.list, lambda each: never not in ids_of(each), about="a list")
        expect(never in ids_of(listed), False, f"whether {listed} has the image of {added}")


def ids_of(listed: Answer) -> list[object]:
    """Return the ids of the images on a page of a list."""
    return [entry.get("id") for entry in entries_of(listed, "/images")]


# the image is not there
@requirement("TAG-ADD-16")
def test_adding_a_tag_to_an_unknown_image_is_answered_404(negative_requests: NegativeRequests) -> None:
    for answer in negative_requests.answers(where=lambda answer: unknown_image(answer, "PUT")):
        expect(answer.status, 404, f"status of {answer}")


# undocumented
@requirement("TAG-ADD-17")
def test_an_image_id_that_is_no_uuid(negative_requests: NegativeRequests) -> None:
    for answer in negative_requests.answers(where=of_no_uuid):
        note(f"{answer.exchange.method} on the image id {named_image(answer)[:8]!r}: {answer.status}.")

        expect(answer.status, {400, 404, 414}, f"status of {answer}")


# the table of response codes, and 404 (ruling Q-01)
@requirement("TAG-ADD-18")
def test_an_addition_is_answered_with_a_documented_code(
    plain_tags: Steps,
    unusual_tags: Steps,
    special_tags: Steps,
    confusable_tags: Steps,
    every_length: Steps,
    own_words: Steps,
    image_states: Steps,
    long_life: LongLife,
    common_clients: Steps,
    races: ConcurrentRuns,
    specification: str,
) -> None:
    codes = documented_codes("TAG-ADD-18")
    steps = plain_tags + unusual_tags + special_tags + confusable_tags + every_length + own_words
    for step in (steps + image_states + long_life.steps + common_clients).additions(known=False):
        expect_interpreted(specification, step.answer.status, "status of", step, **codes)
    for run, each in races.answers(Pattern.DISTINCT, Pattern.SAME).where(answers_to(ADD)):
        expect_interpreted(
            specification, each.event.status, f"status of {each.exchange}, one of {run.plan.name}", **codes
        )


# "413 Over Limit"
@requirement("TAG-ADD-19", in_passing=True)
@pytest.mark.usefixtures("image_at_tag_limit")
def test_an_addition_over_a_limit(cloudimages_run: Run) -> None:
    never = "no addition was answered 413; state the limit with --tag-limit N, or have --profile thorough find it"
    seen = met_in_passing(cloudimages_run, 413, "PUT", skip=never)
    note(f"{len(seen)} additions were answered 413.")


# image_tag_quota: the tags that an image may carry
@requirement("TAG-ADD-20")
def test_the_limit_of_tags_is_enforced_with_413(
    image_at_tag_limit: Steps, many_tags: ManySteps, cloudimages_run: Run
) -> None:
    # Whatever it is, it is that of one image.
    for answer in many_tags.aside().limited_elsewhere():
        expect(answer.status, OK, f"status of {answer}, the first tag of an image while another one has very many")
    # Nor does it stay reached once a tag is gone.
    for step in many_tags.aside().additions(where=refused_in_the_room):
        expect(step.answer.status, OK, f"status of {step.operation}, after another tag was deleted")

    limit = known_tag_limit(cloudimages_run, image_at_tag_limit)
    for step in image_at_tag_limit.aside().additions(input_classes=[AtALimit.UP_TO_IT]):
        step.expect(status=OK, present=True)
    past_it = image_at_tag_limit.additions(input_classes=[AtALimit.PAST_IT])
    for step in past_it.where(lambda step: len(step.before or ()) >= limit):
        step.expect(status=413, present=False)
    # A refused addition does not count, and a deletion makes room.
    for step in image_at_tag_limit.aside().additions(input_classes=[AtALimit.IN_THE_ROOM]):
        step.expect(status=OK, present=True)


# QuotaImageTagsProxy.add: a tag that is there adds nothing
@requirement("TAG-ADD-21")
def test_at_the_limit_a_carried_tag_can_be_added_again(
    image_at_tag_limit: Steps, many_tags: Steps, basics: Basics, cloudimages_run: Run
) -> None:
    # Whatever the limit is: where one is at work, and a few tags can be repeated, no carried tag is over it.
    if basics.repeats:
        for step in many_tags.aside().additions(where=refused_as_one_more):
            expect(step.answer.status, OK, f"status of {step.operation}, one of {len(step.before or ())} tags")

    known_tag_limit(cloudimages_run, image_at_tag_limit)
    for step in image_at_tag_limit.additions(input_classes=[AtALimit.AGAIN], past=[Prior.PRESENT]):
        step.expect(status=OK, after=step.before or ())


# "400 Error: A general error has occurred." and the codes that follow it
@requirement("TAG-ADD-22")
def test_a_refused_addition_changes_nothing(
    boundary_tags: Steps,
    plain_tags: Steps,
    unusual_tags: Steps,
    image_at_tag_limit: Steps,
    demanding_clients: Steps,
    stray_requests: StrayRequests,
    negative_requests: NegativeRequests,
    many_tags: ManySteps,
    cloudimages_run: Run,
) -> None:
    # What is one too many on an image that is full, whatever its limit is.
    for step in Steps(many_tags.histories).aside().additions(acknowledged=False):
        expect_others_kept(step, but=())
    for tried in stray_requests.aside().requests("PUT", "POST", "PATCH", where=refused_itself):
        expect(tried.changed, (), "tags that came or went with", tried.answer)
    expect_done_as_answered(negative_requests, "PUT", acknowledged=False)

    steps = boundary_tags + plain_tags + unusual_tags + image_at_tag_limit + demanding_clients
    for step in steps.additions(acknowledged=False):
        expect_others_kept(step, but=())

    expect_attributes_kept(steps.aside().spans(ADD, acknowledged=False), cloudimages_run)


# "415 Bad Media Type"
@requirement("TAG-ADD-23")
def test_a_body_of_an_unsuitable_media_type(image: Image) -> None:
    answer = image.add_tag("xml", body=b"<tag>other</tag>", headers={"Content-Type": "text/xml"})
    note(f"PUT with a text/xml body: {answer.status}.")

    expect(answer.status, {204, 201, 400, 415}, f"status of {answer}")


# undocumented
@requirement("TAG-ADD-24")
def test_a_media_type_without_a_body(demanding_clients: Steps) -> None:
    for step in demanding_clients.additions(known=False, where=lambda step: step.tag in NAMES_A_TYPE):
        note(f"PUT with Content-Type {NAMES_A_TYPE[step.tag]} and no body: {step.answer.status}.")


# "If the target resource does not have a current representation and the PUT
# successfully creates one, then the origin server MUST … 201 (Created)"
@requirement("TAG-ADD-25")
def test_the_code_of_a_first_addition(plain_tags: Steps) -> None:
    statuses = {step.answer.status for step in plain_tags.additions(past=[Prior.NEVER], known=False)}
    note(f"the first PUT of a tag: {', '.join(map(str, sorted(statuses)))}.")


# "This operation adds the specified tag to the specified image."
@requirement("TAG-ADD-26")
def test_adding_a_tag_changes_no_other_attribute(
    plain_tags: Steps,
    unusual_tags: Steps,
    boundary_tags: Steps,
    image_states: Steps,
    every_length: Steps,
    own_words: Steps,
    administered_image: Administered,
    long_life: LongLife,
    cloudimages_run: Run,
) -> None:
    expect_owner_kept(administered_image.spans, ADD, cloudimages_run)

    steps = plain_tags + unusual_tags + boundary_tags + image_states
    expect_attributes_kept(steps.spans(ADD, acknowledged=True), cloudimages_run)
    # Whatever a tag looks like: an assignment, a query, a command, the name of an attribute.
    expect_attributes_kept((every_length + own_words).aside().spans(ADD, acknowledged=True), cloudimages_run)
    # When it was changed is no earlier than before.
    for change in long_life.late_changes.aside().of(ADD):
        change.expect_time_to_go_on()
        change.expect_rest_kept(cloudimages_run)


# undocumented
@requirement("TAG-ADD-27")
def test_updated_at_after_an_addition(plain_tags: Steps) -> None:
    moved: dict[str, list[bool]] = {}
    for span in plain_tags.spans(ADD, acknowledged=True):
        moments = [reading.answer.data.get("updated_at") for reading in (span.before, span.after)]
        for prior in {step.prior for step in span.steps}:
            moved.setdefault(f"of tags {prior}", []).append(moments[0] != moments[1])
    for what, each in sorted(moved.items()):
        note(f"updated_at differed after {sum(each)} of {len(each)} groups of additions {what}.")


# undocumented
@requirement("TAG-ADD-28")
def test_how_soon_an_added_tag_is_seen(plain_tags: Steps, cloudimages_run: Run) -> None:
    count = sum(1 for _ in plain_tags.additions(acknowledged=True))
    lag = cloudimages_run.recorder.lag
    note(f"longest time until one of {count} changes was seen: {lag:.2f} s.")


# "adds the specified tag", "204 Success"
@requirement("TAG-ADD-29")
def test_tags_added_by_many_at_once_all_survive(races: ConcurrentRuns) -> None:
    shown = races.measured([Pattern.DISTINCT, Pattern.CALLERS], lost_additions)

    expect_none_lost(shown)
    shown.raise_if_blocked()


# "Multiple attempts to tag an image with the same string will result in a
# single instance of that string being added to the image's tags list."
@requirement("TAG-ADD-30")
def test_a_tag_added_by_many_at_once_is_listed_once(races: ConcurrentRuns) -> None:
    shown = races.measured([Pattern.SAME, Pattern.CALLERS], not_once)

    expect_sound(shown, NOT_ONCE)
    shown.raise_if_blocked()


# protection is against the deletion of the image
@requirement("TAG-ADD-31")
def test_a_protected_image_can_be_tagged(image_states: Steps, basics: Basics) -> None:
    basics.require_additions()
    protected = image_states.additions(input_classes=protected_otherwise_alike(image_states), past=basics.addable)
    for step in or_skip(protected, "needs an image that can be protected"):
        step.expect(status=OK, present=True)


# "deactivated … setting metadata works"
@requirement("TAG-ADD-32")
def test_a_deactivated_image_can_be_tagged(
    image_states: Steps,
    administrator: ImagesClient,  # noqa: ARG001 - who else deactivates
    basics: Basics,
) -> None:
    basics.require_additions()
    deactivated = image_states.additions(input_classes=["deactivated"], past=basics.addable)
    for step in or_skip(deactivated, "needs an image of the run's own that can be deactivated"):
        step.expect(status=OK, present=True)
    if basics.deletes:
        deletions = image_states.deletions(input_classes=["deactivated"], past=[Prior.PRESENT])
        for step in deletions.where(deletable(image_states)):
            step.expect(status=OK, present=False)


# undocumented
@requirement("TAG-ADD-33")
def test_the_order_of_the_tags(plain_tags: Steps) -> None:
    added: list[str] = []
    shown: dict[frozenset[str], set[tuple[str, ...]]] = {}
    for span in plain_tags.spans(ADD, acknowledged=True):
        added = added or [step.tag for step in span.steps]
        tags = span.after.values or ()
        shown.setdefault(frozenset(tags), set()).add(tags)
    changes = any(len(orders) > 1 for orders in shown.values())
    first = [*next(iter(shown.get(frozenset(added), ())), ())]
    order = {tuple(added): "the order of addition", tuple(sorted(added)): "the order of the alphabet"}
    note(f"tags are shown in {'an order that changes' if changes else order.get(tuple(first), 'no evident order')}.")


# "Image tags … can also be changed by PATCH"
@requirement("TAG-ADD-34")
def test_tags_of_a_patch_and_of_this_operation_are_one_list(
    image: Image,
    fresh_image: FreshImage,
    cloudimages_run: Run,
    basics: Basics,
    sequences: Steps,
    read_path_checks: Comparisons,
) -> None:
    basics.require_additions()
    # Where tags go astray without any PATCH, what they do with one says nothing of it.
    suspicious = basics.deletes and not read_path_checks.sound and not sequences.sound
    astray = suspicious and inconsistent_without_patch(cloudimages_run)
    if basics.deletes and not astray:
        for comparison in read_path_checks.aside().at(ReadPath.READ):
            comparison.expect()

    patch = set_tags(image, ["patched", "both"])
    if patch.refused:
        # A service may know no more than the tags' addresses.
        pytest.skip(f"needs a PATCH that knows the tags of an image, which was answered {patch.status}")
    require_ok(patch)
    if sorted(image.eventual_tags(["both", "patched"])) != ["both", "patched"]:
        raise Blocked("PATCH does not set the tags.")
    require_ok(image.add_tag("put"))
    if basics.repeats:
        require_ok(image.add_tag("both"))
    expect_tags(image, ["both", "patched", "put"], "after a PATCH of two and a PUT of the third")

    if basics.repeats and not cloudimages_run.settings.image:
        with fresh_image(tags=["created", "also-created"]) as other:
            require_ok(other.add_tag("created"))
            expect_tags(other, ["also-created", "created"], "of an image created with them, after a PUT of one")

    if astray:
        raise Blocked("Tags go astray without a PATCH too, so that the sequences tell nothing of one.")
