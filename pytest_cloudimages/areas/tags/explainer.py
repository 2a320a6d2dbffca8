"""Explains the findings of a run by asking the service about the neighbours of what went wrong."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from pytest_cloudimages.areas.tags.corpus import BEYOND
from pytest_cloudimages.areas.tags.prober import ALONE, Prober, Question, Scenario
from pytest_cloudimages.areas.tags.strategies import RELATED
from pytest_cloudimages.areas.tags.suspects import Suspect
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.diagnosis import pair_relations, string_classes, wording
from pytest_cloudimages.diagnosis.discriminate import Hypothesis, Spent, Trials
from pytest_cloudimages.diagnosis.pair_relations import Pair
from pytest_cloudimages.diagnosis.symptoms import Symptom
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.spec.limits import LONGEST
from pytest_cloudimages.spec.verdicts import Blocked

PER_FINDING = 70
"""Requests that are spent on one finding at most."""
PER_RUN = 200
"""Requests that are spent on all of them."""
LEAST = 12
"""Requests without which it is not worth beginning."""
PARTNERS = 3
"""Other tags of the image that are tried in company with the one that went wrong."""
CROWD = 12
"""Tags that an image is given to see whether their number matters."""
COMPANY = "company"

AGAIN = Scenario("++", "when it is added again")
BACK = Scenario("+-+", "when it comes back after its deletion")
GONE = Scenario("+-")
GONE_AGAIN = Scenario("+-+-", "when it is deleted a second time, having come back")
TWICE_GONE = Scenario("++-", "when it was added twice")
NEVER = Scenario("-", "when the one to delete is not there")
MISSED = Scenario("+--", "when it was deleted before")
#: The ways in which an operation may have come about; by what it does, and whether the tag was there.
MANNERS = {
    (Kind.ADD, False): (ALONE, BACK),
    (Kind.ADD, True): (AGAIN, ALONE, BACK),
    (Kind.ADD, None): (ALONE, AGAIN, BACK),
    (Kind.DELETE, True): (GONE, GONE_AGAIN, TWICE_GONE),
    (Kind.DELETE, False): (NEVER, MISSED),
    (Kind.DELETE, None): (GONE, GONE_AGAIN, TWICE_GONE, NEVER, MISSED),
}


@dataclass(frozen=True)
class _Known:
    """A sentence, and the suspects it speaks of."""

    like: Suspect
    sentence: str
    speaks_of: Callable[[Suspect], bool]
    by_itself: bool = True
    """Whether the tag goes wrong by itself, whatever was there and came before."""

    def covers(self, suspect: Suspect, *, by_itself: bool) -> bool:
        """Whether this is the explanation of another suspect, which goes wrong by itself or does not."""
        same = (self.like.symptom, self.like.kind, self.like.carried) == (
            suspect.symptom,
            suspect.kind,
            suspect.carried,
        )
        return same and self.by_itself is by_itself and self.speaks_of(suspect)


@dataclass
class Explainer:
    """Explains findings one after the other; like ones share their explanation."""

    run: Run
    known: list[_Known] = field(default_factory=list)
    over: bool = False
    """Whether the service stopped answering."""
    _begun: int = 0

    def __post_init__(self) -> None:
        self._begun = self._spent

    @property
    def _spent(self) -> int:
        return self.run.recorder.counts[Purpose.EXPLAINING]

    def explain(self, suspect: Suspect) -> str:
        """Give the class of input that a finding is about, as a sentence; nothing where nothing can be said."""
        if shared := self._shared(suspect, by_itself=True):
            return shared.sentence
        limit = min(self._begun + PER_RUN, self._spent + PER_FINDING)
        if self.over or limit - self._spent < LEAST or not string_classes.safe(suspect.tag):
            return ""
        try:
            with self.run.recorder.of(Purpose.EXPLAINING), ExitStack() as stack:
                found = self._found(suspect, Prober(self.run, limit, stack))
        except Blocked:
            # The service stopped answering: whatever would be said now, it would not be about the tag.
            self.over = True
            return ""
        self.known.append(found)
        return found.sentence

    def _shared(self, suspect: Suspect, *, by_itself: bool) -> _Known | None:
        return next((one for one in self.known if one.covers(suspect, by_itself=by_itself)), None)

    def _found(self, suspect: Suspect, bench: Prober) -> _Known:
        try:
            if suspect.symptom is Symptom.ACCEPTED:
                return _Known(suspect, _beyond(suspect, bench), lambda one: len(one.tag) > LONGEST)
            usual, *others = MANNERS[suspect.kind, suspect.carried]
            return (
                _by_tag(suspect, bench, usual, by_itself=True)
                or self._shared(suspect, by_itself=False)
                or (_by_pair(suspect, bench) if suspect.lost else None)
                or next(filter(None, (_by_tag(suspect, bench, manner, by_itself=False) for manner in others)), None)
                or (_by_pair(suspect, bench) if not suspect.lost else None)
                or _by_number(suspect, bench)
                or _this_one(suspect, _elsewhere(suspect))
            )
        except Spent:
            return _this_one(suspect, "")


def _this_one(suspect: Suspect, sentence: str) -> _Known:
    return _Known(suspect, sentence, lambda one: one == suspect)


def _elsewhere(suspect: Suspect) -> str:
    """Say that a tag goes well by itself; only in a history did anything come before."""
    if not suspect.of_history:
        return ""
    return f"not this tag alone, {string_classes.shown(suspect.tag)}: it depends on what came before, or comes and goes"


def _beyond(suspect: Suspect, bench: Prober) -> str:
    """Say up to which length tags are taken that are too long."""
    trials = Question(bench, suspect.symptom, ALONE).about_tags
    if not trials("a" * (LONGEST + 1)):
        return (
            f"not every tag that is too long: a×{LONGEST + 1} is refused, {string_classes.shown(suspect.tag)} was not"
        )
    return wording.beyond(trials, (LONGEST + 1, *BEYOND))


def _by_tag(suspect: Suspect, bench: Prober, manner: Scenario, *, by_itself: bool) -> _Known | None:
    """Explain it by the tag alone, or by the tag beside any other."""
    for company in ("", COMPANY):
        question = Question(bench, suspect.symptom, manner, company)
        trials = question.about_tags
        bench.clear()
        if not trials(suspect.tag):
            return None
        found = string_classes.explained(suspect.tag, trials)
        if found is None:
            sentence = wording.unclaimed(suspect.tag, trials, suspect.symptom, manner.when, string_classes.shown)
            return _Known(suspect, sentence, lambda one: one.tag == suspect.tag, by_itself=by_itself)
        lonely = (
            found.everything and not company and not Question(bench, suspect.symptom, manner, COMPANY).of_tag("plain")
        )
        if lonely and suspect.partners:
            # Any tag that is the only one goes wrong; this one was not the only one.
            continue
        when = " and ".join(filter(None, [manner.when, "when the image has no other" if lonely else ""]))
        sentence = wording.claimed(found, trials, suspect.symptom, when, string_classes.shown)
        return _Known(suspect, sentence, _speaking_of_tags(found, lonely=lonely), by_itself=by_itself)
    return None


def _speaking_of_tags(found: Hypothesis[str], *, lonely: bool) -> Callable[[Suspect], bool]:
    return lambda one: found.holds(one.tag) and not (lonely and one.partners)


def _by_pair(suspect: Suspect, bench: Prober) -> _Known | None:
    """Explain it by another tag of the image, for which this one is taken."""
    likely = [one for one in suspect.partners if one in suspect.lost or pair_relations.related(one, suspect.tag)]
    manner = ALONE if suspect.kind is Kind.ADD else NEVER if suspect.carried is False else GONE
    trials = Trials(Question(bench, suspect.symptom, manner).of_pair)
    pair = next((one for one in ((partner, suspect.tag) for partner in likely[:PARTNERS]) if trials(one)), None)
    if pair is None:
        return None
    known = [one for pairs in RELATED.values() for one in pairs]
    found = pair_relations.explained(pair, known, trials)
    if found is None:
        sentence = wording.unclaimed(pair, trials, suspect.symptom, manner.when, wording.both)
        return _this_one(suspect, sentence)
    sentence = wording.claimed(found, trials, suspect.symptom, manner.when, wording.both)
    return _Known(suspect, sentence, _speaking_of_pairs(found), by_itself=False)


def _speaking_of_pairs(found: Hypothesis[Pair]) -> Callable[[Suspect], bool]:
    return lambda one: any(found.holds((partner, one.tag)) for partner in one.lost or one.before)


def _by_number(suspect: Suspect, bench: Prober) -> _Known | None:
    """Explain it by the number of tags that the image has, or of additions to it: give plain tags to an image."""
    if suspect.kind is not Kind.ADD:
        return None
    # A tag that was read later than it was added may have been lost to those that came after it.
    later = (Symptom.REMOVES_OTHERS,) if suspect.symptom is Symptom.UNFAITHFUL else ()
    question = Question(bench, suspect.symptom, ALONE, also=later)
    place = _place(question, min(CROWD, len(suspect.before) + 2) if suspect.before else CROWD)
    if place is None or place < 2:  # noqa: PLR2004 - the first tag of an image has no company
        return None
    seen = bench.shown if bench.shown in later else suspect.symptom
    if _counts_additions(question, place):
        sentence = f"any tag, at addition {place} to an image ({seen}; before it all is well)"
    else:
        sentence = f"any tag added to an image that has {place - 1} others ({seen}; with {place - 2} all is well)"
    return _Known(suspect, sentence, lambda one: len(one.before) >= place - 1, by_itself=False)


def _place(question: Question, most: int) -> int | None:
    """Give the number of the first addition that goes wrong."""
    image = question.bench.fresh()
    return next((number for number in range(1, most + 1) if question.ends_wrong(image, f"tag-{number}")), None)


def _counts_additions(question: Question, place: int) -> bool:
    """Tell whether so many additions go wrong, where every tag is deleted before the next comes."""
    bench = question.bench
    image = bench.fresh()
    for number in range(1, place):
        if not all(bench.do(sign, image, f"tag-{number}").ok for sign in "+-"):
            return False
    return question.ends_wrong(image, f"tag-{place}")
