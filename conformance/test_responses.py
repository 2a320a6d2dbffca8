# what every answer has in common

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from itertools import chain

from pytest_cloudimages import evidence, requirement
from pytest_cloudimages.client import Answer, Image, ImagesClient
from pytest_cloudimages.histories import Answered
from pytest_cloudimages.judging import Histories

IMF_FIXDATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)


def refusals(image: Image, anonymous: ImagesClient) -> Iterator[Answer]:
    for method in ("PUT", "DELETE"):
        yield image.send(method, f"/tags/{'x' * 256}")
        yield image.send(method, "/tags/")
        yield anonymous.send(method, f"/images/{image.id}/tags/nobody")
    yield image.send("GET", "/tags/nobody")
    yield image.delete_tag("absent")


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
def test_a_204_has_no_length(plain_lives: Histories) -> None:
    for answer in plain_lives.answers():
        if answer.status == 204:
            assert "Content-Length" not in answer.headers, answer
            assert "Transfer-Encoding" not in answer.headers, answer


# "An origin server with a clock MUST generate a Date header field in all 2xx
# (Successful), 3xx (Redirection), and 4xx (Client Error) responses"
@requirement("TAG-RESP-02")
def test_an_answer_has_a_date(plain_lives: Histories, image: Image, anonymous: ImagesClient) -> None:
    answers: Iterator[Answered] = chain(plain_lives.answers(), refusals(image, anonymous))
    for answer in answers:
        if 200 <= answer.status < 500:
            assert is_date(answer.headers.get("Date", "none")), answer


# "Retry-After = HTTP-date / delay-seconds"
@requirement("TAG-RESP-07")
def test_a_retry_after_is_a_date_or_a_number(plain_lives: Histories, image: Image, anonymous: ImagesClient) -> None:
    seen = [0, 0]
    answers: Iterator[Answered] = chain(plain_lives.answers(), refusals(image, anonymous))
    for answer in answers:
        field = answer.headers.get("Retry-After")
        seen[field is not None] += 1
        assert field is None or re.fullmatch("[0-9]+", field) or is_date(field), answer
    evidence.current().note(f"{seen[True]} of {sum(seen)} answers carried Retry-After.")
