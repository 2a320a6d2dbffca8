"""What is denied once may have been sent twice by somebody on the way; what is denied each time is the service's."""

from collections.abc import Collection
from dataclasses import replace
from itertools import count

import pytest
from test_trials import LIFE, Small

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.denials import CERTAIN, MORE, OFTEN, Denials
from pytest_cloudimages.client.exchange import TESTER, Exchange
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.sequential import execute
from pytest_cloudimages.history.checkers.check import check
from pytest_cloudimages.history.events import ConcurrentHistory, Event
from pytest_cloudimages.history.operations import Kind

CLOCK = count()
IMAGE = "/v2/images/0c3a5a0e-0000-4000-8000-000000000000"


def told(denials: Denials, method: str, target: str, status: int, body: bytes = b"", caller: str = TESTER) -> Exchange:
    """Return a request that the run has heard the answer to."""
    now = float(next(CLOCK))
    exchange = Exchange(method, target, (), b"", status, (), body, b"", now, now, caller=caller)
    denials.look(Answer(status, {}, body, b"", exchange), "sake")
    return exchange


class Denying(Small):
    """A service some of whose deletions are answered 404, by their number."""

    deletions = 0
    denied: Collection[int] = (3,)

    def delete(self, image: int, tag: str) -> int:
        """Delete a tag."""
        status = super().delete(image, tag)
        self.deletions += status == 204
        return 404 if status == 204 and self.deletions in self.denied else status


@pytest.mark.parametrize("denied", [(3,), (3, 11), range(2, 100, 7)])
def test_what_is_denied_now_and_then_is_no_step(denied: Collection[int]) -> None:
    """The rest is judged as ever."""
    service = Denying()
    service.denied = denied

    history = execute(LIFE, TAGS, service.fresh)

    assert Steps([history]).sound
    assert all(step.answer.ok for step in history.steps if step.operation.value in (step.before or ()))


def test_what_is_denied_each_time_is_found_where_it_happens() -> None:
    """As a deletion that was answered 404, and carried out."""
    service = Denying()
    service.denied = range(1000)

    history = execute(LIFE, TAGS, service.fresh)

    found = [step for step in history.steps if step.operation.kind is Kind.DELETE and step.value in (step.before or ())]
    assert found
    assert all(step.answer.status == 404 and step.value not in (step.after or ()) for step in found)


def test_a_tag_that_is_there_still_was_not_deleted() -> None:
    """A refusal is no denial."""
    denials = Denials()
    told(denials, "PUT", f"{IMAGE}/tags/a", 204)
    told(denials, "DELETE", f"{IMAGE}/tags/a", 404)
    assert len(denials.since(0)) == 1

    told(denials, "GET", IMAGE, 200, b'{"tags": ["a"]}')

    assert denials.since(0) == []


def test_others_are_believed_to_have_deleted_only_what_is_gone() -> None:
    """Who may not delete is answered 404 as well."""
    denials = Denials()
    told(denials, "PUT", f"{IMAGE}/tags/a", 204)
    told(denials, "DELETE", f"{IMAGE}/tags/a", 404, caller="another project")
    assert denials.since(0) == []

    told(denials, "GET", IMAGE, 200, b'{"tags": []}')

    assert [each.value for each in denials.since(0)] == ["a"]


def test_what_was_not_there_is_not_denied() -> None:
    """Neither a tag that was deleted before, nor one that nobody has added."""
    denials = Denials()
    told(denials, "PUT", f"{IMAGE}/tags/a", 204)
    told(denials, "DELETE", f"{IMAGE}/tags/a", 204)
    told(denials, "DELETE", f"{IMAGE}/tags/a", 404)
    told(denials, "DELETE", f"{IMAGE}/tags/b", 404)

    assert denials.since(0) == []


def test_the_tester_hears_of_what_has_passed() -> None:
    """Once, with the first."""
    denials = Denials()
    assert [*denials.summary()] == []
    told(denials, "PUT", f"{IMAGE}/tags/a", 204)
    denials.let_pass([told(denials, "DELETE", f"{IMAGE}/tags/a", 404)])

    (line,) = denials.summary()
    assert "answered 404 though it was carried out" in line
    assert "may have sent it twice" in line
    assert denials.since(0) == []


def test_the_bar_rises_where_some_are_sent_twice() -> None:
    """And falls where all that were denied once were denied each time; never below what has passed."""
    denials = Denials()
    assert denials.often == OFTEN

    for _ in range(CERTAIN):
        denials.stands()
    assert denials.often == 1

    for number in range(MORE + 1):
        told(denials, "PUT", f"{IMAGE}/tags/a", 204)
        denials.let_pass([told(denials, "DELETE", f"{IMAGE}/tags/a", 404)])
        assert denials.often == OFTEN + min(number + 1, MORE)


ADDED = Event(Kind.ADD, 0, 1, 0.0, 1.0, 204, "a")
NOT_FOUND = Event(Kind.DELETE, 0, 2, 2.0, 3.0, 404, "a")
MISSED = Event(Kind.READ, 0, 0, 4.0, 5.0, 200, "", ())
LISTED = replace(MISSED, values=("a",))


def test_a_deletion_that_was_sent_twice_explains_what_is_gone() -> None:
    """And nothing else does."""
    assert check(ConcurrentHistory((ADDED, NOT_FOUND, MISSED), {}), TAGS)
    assert not check(ConcurrentHistory((ADDED, replace(NOT_FOUND, repeated=True), MISSED), {}), TAGS)


def test_a_deletion_that_was_sent_twice_explains_nothing_that_stays() -> None:
    """What was carried out is gone."""
    assert check(ConcurrentHistory((ADDED, replace(NOT_FOUND, repeated=True), LISTED), {}), TAGS)


def test_a_deletion_that_was_sent_twice_may_have_found_nothing() -> None:
    """It was a denial that is true, then."""
    nothing = ConcurrentHistory((replace(NOT_FOUND, repeated=True), MISSED), {})
    assert not check(nothing, TAGS)
