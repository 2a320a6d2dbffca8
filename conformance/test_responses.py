# what every answer has in common

import re
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime

import pytest

from pytest_cloudimages import requirement
from pytest_cloudimages.areas.tags.negative import NegativeRequests
from pytest_cloudimages.areas.tags.race_workloads import Races
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.steps import Answered
from pytest_cloudimages.spec import contracts

IMF_FIXDATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)


def is_date(text: str) -> bool:
    if not IMF_FIXDATE.fullmatch(text):
        return False
    try:
        return bool(parsedate_to_datetime(text))
    except ValueError:
        return False


# "A server MUST NOT send a Content-Length header field in any response with a
# status code of 1xx (Informational) or 204 (No Content)."
@requirement("TAG-RESP-01")
def test_a_204_has_no_length(plain_tags: Steps) -> None:
    for answer in plain_tags.answers(where=lambda answer: answer.status == 204):
        assert "Content-Length" not in answer.headers, answer
        assert "Transfer-Encoding" not in answer.headers, answer


# "An origin server with a clock MUST generate a Date header field in all 2xx
# (Successful), 3xx (Redirection), and 4xx (Client Error) responses"
@requirement("TAG-RESP-02")
def test_an_answer_has_a_date(plain_tags: Steps, negative_requests: NegativeRequests) -> None:
    for answer in of_both(plain_tags, negative_requests, lambda answer: 200 <= answer.status < 500):
        assert is_date(answer.headers.get("Date", "none")), answer


def of_both(lives: Steps, negative_requests: NegativeRequests, where: Callable[[Answered], bool]) -> Iterator[Answered]:
    yield from lives.answers(where=where)
    yield from negative_requests.answers(where=where)


# "Retry-After = HTTP-date / delay-seconds"
@requirement("TAG-RESP-07")
def test_a_retry_after_is_a_date_or_a_number(
    plain_tags: Steps, negative_requests: NegativeRequests, cloudimages_run: Run
) -> None:
    told = of_both(plain_tags, negative_requests, lambda answer: "Retry-After" in answer.headers)
    fields = [(answer.headers["Retry-After"], answer.exchange) for answer in told]
    for exchange in cloudimages_run.recorder.remarkable:
        for value in [value for name, value in exchange.answer_headers if name.lower() == "retry-after"][:1]:
            recording.current_check().case([exchange])
            fields.append((value, exchange))
    if not fields:
        pytest.skip("no answer carried Retry-After, and none can be made to")

    for field, exchange in fields:
        assert re.fullmatch("[0-9]+", field) or is_date(field), exchange
    recording.current_check().note(f"{len(fields)} answers carried Retry-After.")


# "the server SHOULD send a representation containing an explanation of the
# error situation"
@requirement("TAG-RESP-03")
def test_an_error_is_explained(negative_requests: NegativeRequests) -> None:
    for answer in negative_requests.answers(where=lambda answer: answer.status >= 400):
        assert answer.body, answer


# "A sender that generates a message containing content SHOULD generate a
# Content-Type header field in that message"
@requirement("TAG-RESP-04")
def test_content_has_a_type(plain_tags: Steps, negative_requests: NegativeRequests) -> None:
    if not [*of_both(plain_tags.aside(), negative_requests.aside(), has_content)]:
        pytest.skip("no answer had content")

    for answer in of_both(plain_tags, negative_requests, has_content):
        assert answer.headers.get("Content-Type"), answer


def has_content(answer: Answered) -> bool:
    return bool(answer.body)


# undocumented
@requirement("TAG-RESP-05")
def test_the_format_of_errors(negative_requests: NegativeRequests) -> None:
    for answer in negative_requests:
        form = "a JSON object of " + ", ".join(sorted(answer.data)) if isinstance(answer.data, dict) else "no JSON"
        kind = answer.headers.get("Content-Type", "without a type")
        fits = [name for name in ("error-glance", "error-fault") if not contracts.problems(name, answer.data)]
        schema = f"fits {fits[0]}.json" if fits else "fits no known schema of errors"
        recording.current_check().note(f"an error {answer.status} asked for as JSON is {form} ({kind}); it {schema}.")


# "The server MAY send a Retry-After header field"
@requirement("TAG-RESP-06")
def test_a_503_may_tell_when_to_return(cloudimages_run: Run) -> None:
    when_seen(cloudimages_run, 503)


# "If the condition is temporary, the server SHOULD generate a Retry-After
# header field"
@requirement("TAG-RESP-08")
def test_a_temporary_413_tells_when_to_return(cloudimages_run: Run) -> None:
    # What a DELETE is told to wait for cannot be a quota. (Ruling Q-04.)
    seen = [one for one in cloudimages_run.recorder.remarkable if one.status == 413 and one.method == "DELETE"]
    if not seen:
        pytest.skip("no answer was a temporary 413, and none can be made to be")
    recording.current_check().case(seen)
    assert [one for one in seen if "retry-after" not in {name.lower() for name, _ in one.answer_headers}] == []


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
    races: Races,
    negative_requests: NegativeRequests,
) -> None:
    for histories in (plain_tags, sequences, boundary_tags, every_length, unusual_tags, special_tags, confusable_tags):
        for answer in histories.answers():
            assert answer.status not in (0, 500, 502, 504), answer
        for reading in histories.aside().readings():
            assert reading.answer.status not in (0, 500, 502, 504), reading.answer
        histories.steady()

    for heat in races.asked():
        for done in heat.done:
            # A connection may be cut on purpose here, so that only an answer counts; what passed is no finding.
            if not done.passing:
                assert done.event.status not in (500, 502, 504), f"{done.exchange} ({heat.race.name})"

    for answer in negative_requests:
        assert answer.status not in (0, 500, 502, 504), answer


# "429 status code indicates that the user has sent too many requests"
@requirement("TAG-RESP-10")
def test_rate_limits_may_be_signalled_by_429(cloudimages_run: Run) -> None:
    when_seen(cloudimages_run, 429)


# "431 … its header fields are too large"
@requirement("TAG-RESP-11")
def test_large_header_fields_may_be_refused(cloudimages_run: Run) -> None:
    when_seen(cloudimages_run, 431)


def when_seen(run: Run, status: int) -> None:
    seen = [one for one in run.recorder.remarkable if one.status == status]
    if not seen:
        pytest.skip(f"no answer was {status}, and none can be made to be")
    recording.current_check().case(seen)
    waits = {value for one in seen for name, value in one.answer_headers if name.lower() == "retry-after"}
    recording.current_check().note(
        f"{len(seen)} answers were {status}; Retry-After: {', '.join(sorted(waits)) or 'none'}."
    )


# undocumented
@requirement("TAG-RESP-12")
def test_answers_may_carry_a_request_id(plain_tags: Steps) -> None:
    carried = [sum("x-openstack-request-id" in one.headers for one in [answer]) for answer in plain_tags.answers()]
    recording.current_check().note(f"{sum(carried)} of {len(carried)} answers carried x-openstack-request-id.")
