"""Additions and a deletion whose answers alone are of interest: without a body, and on connections of their own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pytest_cloudimages.areas.tags.corpus import ENDS_A_HEADER, TAKES_ANY_CODING
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.images import require_ok
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

BARE = "bare"


@dataclass(frozen=True, repr=False)
class BareAnswers(Collection):
    """What was answered."""

    plain: Sequence[Answer] = ()
    """To additions without a body, the first of which says that it has a length of 0."""
    apart: Sequence[Answer] = ()
    """To what was sent on connections of its own, where whatever else is sent is seen."""
    problems: Mapping[str, Blocked] = field(default_factory=dict)
    """Why there is no answer to a method of these, with a plain tag."""

    @cases
    def without_a_body(self) -> Iterator[Case[Answer]]:
        """Return the answers to additions without a body."""
        for answer in self.plain:
            yield Case(answer, [answer.exchange])

    @cases
    def on_its_own(self, method: str) -> Iterator[Case[Answer]]:
        """Return what was answered on a connection of its own. Raise ``Blocked`` where a plain tag was not."""
        if problem := self.problems.get(method):
            raise problem
        for answer in self.apart:
            asked = answer.exchange.method == method
            if asked and answer.exchange.target.endswith(f"/{BARE}"):
                require_ok(answer)
            if asked and answer.ok:
                yield Case(answer, [answer.exchange])


@workload(empty=BareAnswers, requests=(7, 7, 7, 7))
def bare_answers(run: Run) -> BareAnswers:
    """Add tags without a body, and add and delete one on connections of their own, for the sake of the answers."""
    apart: list[Answer] = []
    problems: dict[str, Blocked] = {}
    with run.fresh_image() as image:
        plain = [
            image.add_tag(tag, length=length)
            for tag, length in (("with-content-length-0", True), ("without-content-length", False))
        ]
        run.show(partial(BareAnswers, plain))
        # A proxy would have a connection of its own.
        tags = () if image.client.transport.proxied else (("PUT", BARE), ("PUT", ENDS_A_HEADER), ("DELETE", BARE))
        for method, tag in tags:
            headers = TAKES_ANY_CODING if tag == BARE else {}
            try:
                apart.append(image.client.raw(method, f"/images/{image.id}/tags/{tag}", headers=headers))
            except Blocked as why:
                # What ends the header of an answer ends none as a part of a tag, which may be refused.
                problems |= {method: why} if tag == BARE else {}
    return BareAnswers(plain, apart, problems)
