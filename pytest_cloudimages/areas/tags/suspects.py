"""In which way an operation on a tag went wrong, and what is to be asked to see it again. No I/O."""

import json
import re
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.diagnosis.symptoms import Symptom, of_answer, of_readings
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.steps import Step
from pytest_cloudimages.spec.limits import LONGEST

LISTED = re.compile(r"/images(\?.*)?$")
TARGET = re.compile(r"/images/([^/?#]+)(?:/tags/([^/?#]+))?$")
METHODS = {"PUT": Kind.ADD, "DELETE": Kind.DELETE}


@dataclass(frozen=True)
class Suspect:
    """One operation that went wrong in a finding's decisive case."""

    symptom: Symptom
    kind: Kind
    tag: str
    carried: bool | None
    """Whether the image had the tag before; ``None`` where that is not known."""
    before: tuple[str, ...] = ()
    """The tags of the image before."""
    lost: tuple[str, ...] = ()
    """Other tags that went missing."""
    of_history: bool = False
    """Whether it was one step of many."""

    @property
    def partners(self) -> list[str]:
        """The other tags that may have to do with it, the likeliest first."""
        return list(dict.fromkeys([*self.lost, *(one for one in self.before if one != self.tag)]))


def of_step(step: Step, *, answer_only: bool = False) -> Suspect | None:
    """Give the operation of a step, if the step shows it to have gone wrong.

    Where it is the answer's form that is judged (``answer_only``), a refusal may be lawful; a failure never is.
    """
    kind, tag, status = step.operation.kind, step.tag, step.answer.status
    before, after = step.before or (), step.after or ()
    carried = None if step.before is None else tag in before
    told = of_answer(kind, tag, status, carried=carried)
    # A step that was vouched for was not read around by itself.
    read = step.known and not step.inferred and not answer_only
    shown = of_readings(kind, tag, status, before, after) if read else None
    symptom = told if told is Symptom.FAILED else shown or (None if answer_only else told)
    lost = tuple((Counter(before) - Counter(after) - Counter([tag])).keys()) if step.known else ()
    return Suspect(symptom, kind, tag, carried, tuple(before), lost, of_history=True) if symptom else None


@dataclass(frozen=True)
class _Done:
    kind: Kind
    tag: str
    status: int
    carried: bool | None

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of codes


@dataclass
class _Trail:
    """What is known of one image while its exchanges are walked through."""

    base: list[str] | None = None
    """The tags before the operations in hand; ``None`` where they were not read."""
    tags: list[str] = field(default_factory=list)
    """The tags that the acknowledged operations leave, as far as they are known."""
    done: list[_Done] = field(default_factory=list)
    seen: list[str] | None = None
    """The tags that were read after them."""
    shown: list[Suspect] = field(default_factory=list)
    """What the last reading has shown of them."""


def suspect(exchanges: Iterable[Exchange]) -> Suspect | None:
    """Give the operation that a case's exchanges show to have gone wrong; ``None`` where they show none for certain.

    An operation whose tag was not written as usual, that had a body, or that overlapped with others in time, shows
    nothing about the tag's text; nor does a case that ends with a look at a list.
    """
    exchanges = sorted(exchanges, key=lambda one: one.sent)
    if exchanges and LISTED.search(exchanges[-1].target):
        return None  # the list, or a filter of it, was the question: another way to go wrong than what was added
    order = [one for one in exchanges if TARGET.search(one.target)]
    if any(later.sent < earlier.answered for earlier, later in pairwise(order)):
        return None
    trails: dict[str, _Trail] = {}
    answered: list[Suspect | None] = []
    shown: list[Suspect] = []
    for one in order:
        match = TARGET.search(one.target)
        image, written = match.groups() if match else ("", None)
        trail = trails.setdefault(image, _Trail())
        tag = decoded(written) if written else None
        if written is None and one.method == "GET":
            _read(trail, _tags(one))
        elif one.method in ("GET", "HEAD"):
            continue
        elif tag is None or one.body or one.caller != "tester" or one.method not in METHODS:
            # Whatever this was about, it was not the text of a tag.
            shown += trails.pop(image).shown
            answered.append(None)
        else:
            if trail.seen is not None:
                shown += trail.shown
                trails[image] = trail = _Trail(trail.seen, [*trail.seen])
            answered.append(_take(trail, METHODS[one.method], tag, one.status))
    return _weightiest(answered, [*shown, *(each for trail in trails.values() for each in trail.shown)])


def _weightiest(answered: Sequence[Suspect | None], shown: Sequence[Suspect]) -> Suspect | None:
    """Choose: a failure, or what was seen last, or the answer that the case ended with; other refusals are lawful."""
    failed = [one for one in answered if one and one.symptom is Symptom.FAILED]
    strange = [one for one in answered if one and one.symptom not in (Symptom.REFUSED, Symptom.ODD)]
    return next(iter([*failed, *shown[::-1], *strange[::-1], *answered[-1:]]), None)


def decoded(written: str) -> str | None:
    """Give the tag that a segment stands for, if it is written as every client writes it."""
    try:
        tag = urllib.parse.unquote(written, errors="strict")
    except UnicodeDecodeError:
        return None
    return tag if written in (urllib.parse.quote(tag, safe=""), urllib.parse.quote(tag, safe="+")) else None


def _tags(exchange: Exchange) -> list[str] | None:
    try:
        data = json.loads(exchange.answer)
    except ValueError:
        return None
    tags = data.get("tags") if isinstance(data, dict) else None
    return tags if isinstance(tags, list) and all(isinstance(one, str) for one in tags) else None


def _take(trail: _Trail, kind: Kind, tag: str, status: int) -> Suspect | None:
    """Take an operation into account, and give what its answer alone shows."""
    before = tuple(trail.tags)
    # What was not read, nobody knows, but for what this case added itself.
    done = _Done(kind, tag, status, True if tag in before else None if trail.base is None else False)
    trail.done.append(done)
    if done.good:
        trail.tags = [one for one in before if one != tag] + [tag] * (kind is Kind.ADD)
    symptom = of_answer(kind, tag, status, carried=done.carried)
    return Suspect(symptom, kind, tag, done.carried, before) if symptom else None


def _read(trail: _Trail, seen: list[str] | None) -> None:
    """Compare a reading with what was known before it; where it came again, the last one counts."""
    if seen is None:
        return
    trail.seen = seen
    if len(trail.done) == 1 and trail.base is not None:
        one = trail.done[0]
        symptom = of_readings(one.kind, one.tag, one.status, trail.base, seen)
        lost = tuple((Counter(trail.base) - Counter(seen) - Counter([one.tag])).keys())
        trail.shown = [Suspect(symptom, one.kind, one.tag, one.carried, tuple(trail.base), lost)] if symptom else []
    else:
        trail.shown = [*_several(trail, seen)]


def _several(trail: _Trail, seen: Sequence[str]) -> Iterator[Suspect]:
    """Give those of several operations that a reading contradicts."""
    carried = [*(trail.base or [])]
    for one in trail.done:
        symptom = None
        if one.kind is Kind.ADD and one.good and one.tag in trail.tags and len(one.tag) <= LONGEST:
            symptom = Symptom.UNFAITHFUL if one.tag not in seen else Symptom.TWICE if seen.count(one.tag) > 1 else None
        elif one.kind is Kind.DELETE and one.tag in seen and one.tag not in trail.tags:
            # A refusal of what is there afterwards was a refusal of what was there.
            symptom = Symptom.KEPT if one.good else Symptom.UNDELETABLE if one.status < 500 else None  # noqa: PLR2004
        if symptom:
            yield Suspect(symptom, one.kind, one.tag, one.carried, tuple(carried))
        if one.kind is Kind.ADD and one.good and one.tag not in carried:
            carried.append(one.tag)
