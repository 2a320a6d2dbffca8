"""Suspects: which operation of a finding went wrong, and in which way. No I/O."""

import re
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.exchange import TESTER, Exchange
from pytest_cloudimages.client.json_documents import clearly
from pytest_cloudimages.client.session import segment
from pytest_cloudimages.diagnosis.symptoms import Symptom, of_answer, of_readings
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.steps import Step
from pytest_cloudimages.spec.limits import LONGEST

LISTED = re.compile(r"/images(\?.*)?$")
TARGET = re.compile(r"/images/([^/?#]+)(?:/tags/([^/?#]+))?$")
WHOLE = "100"
"""The limit of a list that is asked for whole."""
METHODS = {"PUT": Kind.ADD, "DELETE": Kind.DELETE}


@dataclass(frozen=True)
class Suspect:
    """The operation that went wrong in the decisive case of a finding."""

    symptom: Symptom
    kind: Kind
    tag: str
    carried: bool | None
    """Whether the image had the tag before; ``None`` if that is not known."""
    before: tuple[str, ...] = ()
    """The tags of the image before."""
    lost: tuple[str, ...] = ()
    """Other tags that went missing."""
    of_history: bool = False
    """Whether it was a step of a history, so that others came before it."""

    @property
    def partners(self) -> list[str]:
        """The other tags of the image that may be part of the cause, the likeliest first."""
        return list(dict.fromkeys([*self.lost, *(tag for tag in self.before if tag != self.tag)]))


def of_step(step: Step, *, answer_only: bool = False) -> Suspect | None:
    """Return the operation of a step if the step shows it to have gone wrong, or else ``None``.

    A step of another resource is none that tags explain. With ``answer_only`` it is the form of the answer that was
    judged: then a refusal may be right, a 5xx never is.
    """
    if step.resource is not TAGS:
        return None
    kind, tag, status = step.operation.kind, step.tag, step.answer.status
    before, after = step.before or (), step.after or ()
    carried = None if step.before is None else tag in before
    by_status = of_answer(kind, tag, status, carried=carried)
    # Around a step that was inferred, the tags were not read.
    read = step.known and not step.inferred and not answer_only
    shown = of_readings(kind, tag, status, before, after) if read else None
    symptom = by_status if by_status is Symptom.FAILED else shown or (None if answer_only else by_status)
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
    """What is known of one image while its exchanges are looked at in their order."""

    base: list[str] | None = None
    """The tags before the operations in ``done``; ``None`` if they were not read."""
    tags: list[str] = field(default_factory=list)
    """The tags that the acknowledged operations leave, as far as they are known."""
    done: list[_Done] = field(default_factory=list)
    seen: list[str] | None = None
    """The tags that were read after them."""
    shown: list[Suspect] = field(default_factory=list)
    """What the last read has shown of the operations."""


def suspect(exchanges: Iterable[Exchange]) -> Suspect | None:
    """Return the operation that the exchanges of a case show for certain to have gone wrong, or ``None``.

    An operation whose tag was not encoded as usual, that had a body, or that overlapped with others in time, shows
    nothing about the text of the tag; nor does a case that ends with a request for a list.
    """
    exchanges = sorted(exchanges, key=lambda exchange: exchange.sent)
    if exchanges and LISTED.search(exchanges[-1].target):
        return _of_list(exchanges)  # the list, or a filter of it: that goes wrong for other reasons than an operation
    order = [exchange for exchange in exchanges if TARGET.search(exchange.target)]
    if any(later.sent < earlier.answered for earlier, later in pairwise(order)):
        return None
    trails: dict[str, _Trail] = {}
    answered: list[Suspect | None] = []
    shown: list[Suspect] = []
    for exchange in order:
        match = TARGET.search(exchange.target)
        image, written = match.groups() if match else ("", None)
        trail = trails.setdefault(image, _Trail())
        tag = decoded(written) if written else None
        if written is None and exchange.method == "GET":
            _read(trail, _tags(exchange))
        elif exchange.method in ("GET", "HEAD"):
            continue
        elif tag is None or exchange.body or exchange.caller != TESTER or exchange.method not in METHODS:
            # Whatever went wrong here, the text of a tag was not the reason.
            shown += trails.pop(image).shown
            answered.append(None)
        else:
            if trail.seen is not None:
                shown += trail.shown
                trails[image] = trail = _Trail(trail.seen, [*trail.seen])
            answered.append(_take(trail, METHODS[exchange.method], tag, exchange.status))
    return _weightiest(answered, [*shown, *(shown_last for trail in trails.values() for shown_last in trail.shown)])


def _weightiest(answered: Sequence[Suspect | None], shown: Sequence[Suspect]) -> Suspect | None:
    """Return a 5xx, or else what was read last, or else the last wrong answer; other refusals may be right."""
    failed = [suspect for suspect in answered if suspect and suspect.symptom is Symptom.FAILED]
    strange = [
        suspect for suspect in answered if suspect and suspect.symptom not in (Symptom.REFUSED, Symptom.OTHER_2XX)
    ]
    return next(iter([*failed, *shown[::-1], *strange[::-1], *answered[-1:]]), None)


def decoded(written: str) -> str | None:
    """Return the tag that a path segment stands for; ``None`` unless it is encoded as every client encodes it."""
    try:
        tag = urllib.parse.unquote(written, errors="strict")
    except UnicodeDecodeError:
        return None
    usual = (segment(tag), urllib.parse.quote(tag, safe="+", errors="surrogatepass"))
    return tag if written in usual else None


def _of_list(exchanges: Sequence[Exchange]) -> Suspect | None:
    """Return the tag with which the list, or a filter of it by nothing but that tag, may have gone wrong."""
    last = exchanges[-1]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(last.target).query, keep_blank_values=True)
    entries = _entries(last)
    if last.method != "GET" or query.keys() - {"tag", "limit"} or query.get("limit", [WHOLE]) != [WHOLE]:
        return None
    tags = {*query.get("tag", ())}
    if len(tags) == 1:
        tag = tags.pop()
        if last.status != 200:  # noqa: PLR2004 - as HTTP has it
            failed = last.status == 0 or last.status >= 500  # noqa: PLR2004 - the class of codes
            return Suspect(Symptom.FILTER_FAILED if failed else Symptom.FILTER_REFUSED, Kind.ADD, tag, carried=False)
        others = next((carried for carried in entries.values() if tag not in carried), None)
        if others is not None:
            return Suspect(Symptom.SELECTED_FOR_ANOTHER, Kind.ADD, tag, carried=False, before=tuple(others))
        return Suspect(Symptom.UNSELECTED, Kind.ADD, tag, carried=False)
    for exchange in reversed(exchanges[:-1]) if not tags else ():
        match = TARGET.search(exchange.target)
        if match and match[1] in entries and exchange.method == "GET":
            missing = [tag for tag in _tags(exchange) or () if tag not in entries[match[1]]]
            return Suspect(Symptom.LISTED_OTHERWISE, Kind.ADD, missing[0], carried=False) if missing else None
    return None


def _entries(exchange: Exchange) -> dict[str, list[str]]:
    """Return the tags that a list shows, by the ids of the images."""
    data = clearly(exchange.answer)
    entries = data.get("images") if isinstance(data, dict) else None
    return {
        str(entry.get("id")): [*map(str, tags)] if isinstance(tags := entry.get("tags"), list) else []
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    }


def _tags(exchange: Exchange) -> list[str] | None:
    data = clearly(exchange.answer)
    tags = data.get("tags") if isinstance(data, dict) else None
    return tags if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags) else None


def _take(trail: _Trail, kind: Kind, tag: str, status: int) -> Suspect | None:
    """Add an operation to a trail, and return what its answer alone shows to be wrong, or ``None``."""
    before = tuple(trail.tags)
    # Of the tags that were not read, only those are known that this case added itself.
    done = _Done(kind, tag, status, True if tag in before else None if trail.base is None else False)
    trail.done.append(done)
    if done.good:
        trail.tags = [other for other in before if other != tag] + [tag] * (kind is Kind.ADD)
    symptom = of_answer(kind, tag, status, carried=done.carried)
    return Suspect(symptom, kind, tag, done.carried, before) if symptom else None


def _read(trail: _Trail, seen: list[str] | None) -> None:
    """Compare a read with what was known before it; of several reads in a row, the last counts."""
    if seen is None:
        return
    trail.seen = seen
    if len(trail.done) == 1 and trail.base is not None:
        done = trail.done[0]
        symptom = of_readings(done.kind, done.tag, done.status, trail.base, seen)
        lost = tuple((Counter(trail.base) - Counter(seen) - Counter([done.tag])).keys())
        trail.shown = [Suspect(symptom, done.kind, done.tag, done.carried, tuple(trail.base), lost)] if symptom else []
    else:
        trail.shown = [*_several(trail, seen)]


def _several(trail: _Trail, seen: Sequence[str]) -> Iterator[Suspect]:
    """Yield those of several operations that a read contradicts."""
    carried = [*(trail.base or [])]
    for done in trail.done:
        symptom = None
        if done.kind is Kind.ADD and done.good and done.tag in trail.tags and len(done.tag) <= LONGEST:
            symptom = (
                Symptom.UNFAITHFUL if done.tag not in seen else Symptom.TWICE if seen.count(done.tag) > 1 else None
            )
        elif done.kind is Kind.DELETE and done.tag in seen and done.tag not in trail.tags:
            # A tag that is there after its deletion was refused was there before: the refusal was wrong.
            symptom = Symptom.NOT_DELETED if done.good else Symptom.UNDELETABLE if done.status < 500 else None  # noqa: PLR2004
        if symptom:
            yield Suspect(symptom, done.kind, done.tag, done.carried, tuple(carried))
        if done.kind is Kind.ADD and done.good and done.tag not in carried:
            carried.append(done.tag)
