"""What is answered right after a refusal on the same connection, where a service failed now and then.

A transaction that an error has aborted, and that nobody rolls back, fails the next request of whoever shares it, once.
Asked again, that request is answered as it should be, so that a failure looks like one that passes.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from pytest_cloudimages.areas.common.checks import anything_but
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.recording import current_check
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.limits import LONGEST
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.verdicts import Blocked

FAILURE = 500
TIMES = 3
"""How often a failure has to come right after a refusal before it is put down to that."""
Ask = Callable[[Image], Answer]

REFUSED: tuple[Ask, ...] = (
    lambda image: image.delete_tag("absent"),
    lambda image: image.add_tag("x" * (LONGEST + 1)),
    lambda image: image.send("GET", "/tags/absent"),
)
ASKED: tuple[Ask, ...] = (
    lambda image: image.add_tag("there"),
    lambda image: image.delete_tag("absent"),
    lambda image: image.show(),
)
"""What is answered 204, 404 and 200, as often as it is asked."""


@dataclass(frozen=True)
class Pair:
    """A refusal, and what was answered right after it."""

    refusal: Answer
    answer: Answer


def expect_no_failure_after_refusals(run: Run) -> None:
    """Raise ``Mismatch`` where a request fails each time right after a refusal, and not when it is sent again."""
    __tracebackhide__ = True
    with suppress(Blocked), run.fresh_image() as image:
        for pair in _failing(image):
            current_check().aside([pair.refusal.exchange, pair.answer.exchange])
            expect(pair.answer.status, anything_but(FAILURE), f"status of {pair.answer}, right after {pair.refusal}")


def _failing(image: Image) -> Iterator[Pair]:
    for refuse in REFUSED:
        for ask in ASKED:
            pairs = []
            for _ in range(TIMES):
                pairs.append(Pair(refuse(image), ask(image)))
                if pairs[-1].answer.status != FAILURE or ask(image).status == FAILURE:
                    break
            else:
                yield pairs[-1]
