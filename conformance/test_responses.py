# what every answer has in common

from itertools import chain

from pytest_cloudimages import expect, note, requirement
from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.tags.checks import (
    A_DATE,
    A_DATE_OR_SECONDS,
    A_WAIT,
    SOMETHING,
    AccessAttempts,
    Answered,
    ConcurrentRuns,
    ImagesClient,
    LongLife,
    NegativeRequests,
    Run,
    Steps,
    StrayRequests,
    anything_but,
    expect_no_failure_after_refusals,
    fitting_schemas,
    indiscretions,
    met_in_passing,
    misnamed,
    note_waits,
    or_skip,
    retry_after,
    told_to_wait,
)
from pytest_cloudimages.areas.tags.fixtures import *


# "A server MUST NOT send a Content-Length header field in any response with a
# status code of 1xx (Informational) or 204 (No Content)."
@requirement("TAG-RESP-01")
def test_a_204_has_no_length(plain_tags: Steps, common_clients: Steps, demanding_clients: Steps) -> None:
    for answer in (plain_tags + common_clients + demanding_clients).answers(where=lambda answer: answer.status == 204):
        for name in ("Content-Length", "Transfer-Encoding"):
            expect(answer.headers.get(name), None, f"{name} of", answer)


# "An origin server with a clock MUST generate a Date header field in all 2xx
# (Successful), 3xx (Redirection), and 4xx (Client Error) responses"
@requirement("TAG-RESP-02")
def test_an_answer_has_a_date(
    plain_tags: Steps,
    negative_requests: NegativeRequests,
    common_clients: Steps,
    demanding_clients: Steps,
    access_attempts: AccessAttempts,
) -> None:
    def dated(answer: Answered) -> bool:
        return 200 <= answer.status < 500

    # Each part of a service that answers may write a date of its own.
    clients = (common_clients + demanding_clients).aside().answers(where=dated)
    callers = (attempt.answer for attempt in access_attempts.aside().by(*Party) if dated(attempt.answer))
    for answer in chain(plain_tags.answers(where=dated), negative_requests.answers(where=dated), clients, callers):
        expect(answer.headers.get("Date"), A_DATE, "Date of", answer)


# "the server SHOULD send a representation containing an explanation of the
# error situation"
@requirement("TAG-RESP-03")
def test_an_error_is_explained(
    negative_requests: NegativeRequests,
    stray_requests: StrayRequests,
    plain_tags: Steps,
    absent_tags: Steps,
    access_attempts: AccessAttempts,
    cloudimages_client: ImagesClient,
) -> None:
    # No explanation are the inside of the service, the caller's token, and what misleads a reader of the answer.
    token = cloudimages_client.token() or ""
    sent = (tried.answer for tried in stray_requests.aside().requests())
    for said in chain(sent, plain_tags.aside().answers(), negative_requests.aside().answers()):
        expect(indiscretions(said, token), [], "what is not to be in", said)

    # It is as long as it says, whatever it repeats of the request.
    for answer in absent_tags.aside().answers(where=lambda answer: answer.status >= 400):
        expect(answer.trailing, b"", "octets after the end of", answer)
    # Each way to a refusal may have words of its own: a tag that was never there, one that is gone, a caller.
    callers = (attempt.answer for attempt in access_attempts.aside().by(*Party))
    for refused in chain((plain_tags + absent_tags).aside().answers(), callers):
        if refused.status in (401, 403, 404, 405):
            expect(refused.body, SOMETHING, "body of", refused)

    # Whoever takes no JSON is told as well.
    for tried in stray_requests.aside().requests("GET", where=lambda tried: tried.answer.status >= 400):
        expect(tried.answer.body, SOMETHING, "body of", tried.answer)
    for answer in negative_requests.answers(where=lambda answer: answer.status >= 400):
        expect(answer.body, SOMETHING, "body of", answer)


# "A sender that generates a message containing content SHOULD generate a
# Content-Type header field in that message"
@requirement("TAG-RESP-04")
def test_content_has_a_type(
    plain_tags: Steps, negative_requests: NegativeRequests, stray_requests: StrayRequests
) -> None:
    # The type that is named is the content's.
    sent = (tried.answer for tried in stray_requests.aside().requests())
    for named in chain(sent, plain_tags.aside().answers(), negative_requests.aside().answers()):
        expect(misnamed(named), "", "what is wrong with the Content-Type of", named)

    def has_content(answer: Answered) -> bool:
        return bool(answer.body)

    answers = chain(plain_tags.answers(where=has_content), negative_requests.answers(where=has_content))
    for answer in or_skip(answers, "no answer had content"):
        expect(answer.headers.get("Content-Type"), SOMETHING, "Content-Type of", answer)


# undocumented
@requirement("TAG-RESP-05")
def test_the_format_of_errors(negative_requests: NegativeRequests) -> None:
    for answer in negative_requests:
        form = "a JSON object of " + ", ".join(sorted(answer.data)) if isinstance(answer.data, dict) else "no JSON"
        kind = answer.headers.get("Content-Type", "without a type")
        schema = next((f"fits {name}.json" for name in fitting_schemas(answer)), "fits no known schema of errors")
        note(f"an error {answer.status} asked for as JSON is {form} ({kind}); it {schema}.")


# "The server MAY send a Retry-After header field"
@requirement("TAG-RESP-06", in_passing=True)
def test_a_503_may_tell_when_to_return(cloudimages_run: Run) -> None:
    note_waits(met_in_passing(cloudimages_run, 503), 503)


# "Retry-After = HTTP-date / delay-seconds"
@requirement("TAG-RESP-07", in_passing=True)
def test_a_retry_after_is_a_date_or_a_number(
    plain_tags: Steps, negative_requests: NegativeRequests, cloudimages_run: Run
) -> None:
    def carries(answer: Answered) -> bool:
        return "Retry-After" in answer.headers

    answers = chain(plain_tags.answers(where=carries), negative_requests.answers(where=carries))
    exchanges = chain((answer.exchange for answer in answers), told_to_wait(cloudimages_run))
    told = [*or_skip(exchanges, "no answer carried Retry-After, and none can be made to")]

    for exchange in told:
        expect(retry_after(exchange), A_DATE_OR_SECONDS, "Retry-After of", exchange)
    note(f"{len(told)} answers carried Retry-After.")


# "If the condition is temporary, the server SHOULD generate a Retry-After
# header field"
@requirement("TAG-RESP-08", in_passing=True)
def test_a_temporary_413_tells_when_to_return(cloudimages_run: Run) -> None:
    # What a DELETE is told to wait for cannot be a quota. (Ruling Q-04.)
    never = "no answer was a temporary 413, and none can be made to be"
    for exchange in met_in_passing(cloudimages_run, 413, "DELETE", skip=never):
        expect(retry_after(exchange), A_WAIT, "Retry-After of", exchange)


# "500 API Fault": not for a request that is well-formed
@requirement("TAG-RESP-09")
def test_a_well_formed_request_provokes_no_500(
    plain_tags: Steps,
    unusual_tags: Steps,
    special_tags: Steps,
    confusable_tags: Steps,
    every_length: Steps,
    boundary_tags: Steps,
    sequences: Steps,
    image_states: Steps,
    own_words: Steps,
    long_life: LongLife,
    many_tags: Steps,
    common_clients: Steps,
    demanding_clients: Steps,
    stray_requests: StrayRequests,
    races: ConcurrentRuns,
    negative_requests: NegativeRequests,
    cloudimages_run: Run,
) -> None:
    no_failure = anything_but(0, 500, 502, 504)
    written_otherwise = (common_clients, demanding_clients)
    spelled_otherwise = (boundary_tags, every_length, unusual_tags, special_tags, confusable_tags)
    lives = (image_states, own_words, long_life.steps, many_tags)
    everything = (plain_tags, sequences, *spelled_otherwise, *written_otherwise, *lives)
    for steps in everything:
        for answer in steps.answers():
            expect(answer.status, no_failure, "status of", answer)
        for reading in steps.aside().readings():
            expect(reading.answer.status, no_failure, "status of", reading.answer)
    # A failure that passes is one that comes again, where it comes with a refusal.
    if any([*steps.aside().failures_that_passed()] for steps in everything):
        expect_no_failure_after_refusals(cloudimages_run)
    for steps in everything:
        steps.steady()

    for run, each in races.answers():
        expect(each.event.status, no_failure, "status of", each.exchange, race=run.plan.name)

    for answer in negative_requests:
        expect(answer.status, no_failure, "status of", answer)
    for tried in stray_requests.aside().requests():
        # A connection may be cut before what is too long, and what is sent once meets any trouble on the way.
        allowed = anything_but(500) if tried.request.once else no_failure
        expect(tried.answer.status, allowed, "status of", tried.answer)


# "429 status code indicates that the user has sent too many requests"
@requirement("TAG-RESP-10", in_passing=True)
def test_rate_limits_may_be_signalled_by_429(cloudimages_run: Run) -> None:
    note_waits(met_in_passing(cloudimages_run, 429), 429)


# "431 … its header fields are too large"
@requirement("TAG-RESP-11", in_passing=True)
def test_large_header_fields_may_be_refused(cloudimages_run: Run) -> None:
    note_waits(met_in_passing(cloudimages_run, 431), 431)


# undocumented
@requirement("TAG-RESP-12")
def test_answers_may_carry_a_request_id(plain_tags: Steps) -> None:
    carried = ["x-openstack-request-id" in answer.headers for answer in plain_tags.answers()]
    note(f"{sum(carried)} of {len(carried)} answers carried x-openstack-request-id.")
