"""Explains the findings of a run by trying tags close to the one that went wrong."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from pytest_cloudimages.areas.tags.corpus import BEYOND
from pytest_cloudimages.areas.tags.prober import ALONE, Prober, Question, Scenario
from pytest_cloudimages.areas.tags.strategies import RELATED, skeleton
from pytest_cloudimages.areas.tags.suspects import Suspect
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.diagnosis import pair_relations, string_classes, wording
from pytest_cloudimages.diagnosis.discriminate import Hypothesis, Spent, Trials
from pytest_cloudimages.diagnosis.pair_relations import Pair
from pytest_cloudimages.diagnosis.symptoms import OF_LISTS, Symptom
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.spec.limits import LONGEST
from pytest_cloudimages.spec.verdicts import Blocked

PER_FINDING = 70
"""Requests for one finding, at most."""
PER_FINDING_OF_LISTS = 100
"""The same, for one about a list: each trial takes a request more."""
PER_RUN = 200
"""Requests for all findings of a run, at most."""
MIN_REQUESTS = 12
"""Requests that must be left for an explanation to be begun."""
MAX_PARTNERS = 3
"""Other tags of the image that are tried together with the one that went wrong, at most."""
MAX_TAGS = 12
"""Tags that are added to an image to see whether their number matters, at most."""
TOO_LONG = f"tags of more than {LONGEST} characters"
NONE_LEFT = f"not looked for: no requests were left of the {PER_RUN} that a run has for classes of input"
"""What is said of a finding whose class was not found out for want of requests."""
OTHER_TAG = "company"
"""The tag that an image has before in trials beside another tag."""

AGAIN = Scenario("++", "when it is added again")
BACK = Scenario("+-+", "when it comes back after its deletion")
GONE = Scenario("+-")
GONE_AGAIN = Scenario("+-+-", "when it is deleted a second time, having come back")
TWICE_GONE = Scenario("++-", "when it was added twice")
NEVER = Scenario("-", "when the one to delete is not there")
MISSED = Scenario("+--", "when it was deleted before")
#: The scenarios that an operation may be part of, by its kind and by whether the image had the tag.
SCENARIOS = {
    (Kind.ADD, False): (ALONE, BACK),
    (Kind.ADD, True): (AGAIN, ALONE, BACK),
    (Kind.ADD, None): (ALONE, AGAIN, BACK),
    (Kind.DELETE, True): (GONE, GONE_AGAIN, TWICE_GONE),
    (Kind.DELETE, False): (NEVER, MISSED),
    (Kind.DELETE, None): (GONE, GONE_AGAIN, TWICE_GONE, NEVER, MISSED),
}


@dataclass(frozen=True)
class Explained:
    """What is known of the input that a finding is about."""

    sentence: str = ""
    """The class, with neighbours on either side; or what was seen, where there is no class."""
    input_class: str = ""
    """The class alone: the same in every run, whichever member of it was met."""


@dataclass(frozen=True)
class _Known:
    """An explanation, and the suspects that it is about."""

    like: Suspect
    explained: Explained
    is_about: Callable[[Suspect], bool]
    by_itself: bool = True
    """Whether the tag goes wrong by itself, whatever the image had and whatever came before."""

    def covers(self, suspect: Suspect, *, by_itself: bool) -> bool:
        """Return whether this explains another suspect, which goes wrong by itself or does not."""
        same = (self.like.symptom, self.like.kind, self.like.carried) == (
            suspect.symptom,
            suspect.kind,
            suspect.carried,
        )
        return same and self.by_itself is by_itself and self.is_about(suspect)


@dataclass
class Explainer:
    """Explains findings one after the other; those of the same class share their explanation."""

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
        """Return the input class that a finding is about, as a sentence; ``""`` if nothing can be said."""
        return self.explained(suspect).sentence

    def explained(self, suspect: Suspect) -> Explained:
        """Return what is known of the input that a finding is about; nothing if nothing can be said."""
        if shared := self._shared(suspect, by_itself=True):
            return shared.explained
        most = PER_FINDING_OF_LISTS if suspect.symptom in OF_LISTS else PER_FINDING
        limit = min(self._begun + PER_RUN, self._spent + most)
        if self.over or not string_classes.safe(suspect.tag):
            return Explained()
        if limit - self._spent < MIN_REQUESTS:
            return Explained(NONE_LEFT)
        try:
            with self.run.recorder.of(Purpose.EXPLAINING), ExitStack() as stack:
                found = self._found(suspect, Prober(self.run, limit, stack))
        except Blocked:
            # The service stopped answering: what goes wrong from now on is not due to the tag.
            self.over = True
            return Explained()
        self.known.append(found)
        return found.explained

    def _shared(self, suspect: Suspect, *, by_itself: bool) -> _Known | None:
        return next(
            (explanation for explanation in self.known if explanation.covers(suspect, by_itself=by_itself)), None
        )

    def _found(self, suspect: Suspect, prober: Prober) -> _Known:
        try:
            if suspect.symptom is Symptom.ACCEPTED:
                explained = Explained(_beyond(suspect, prober), TOO_LONG)
                return _Known(suspect, explained, lambda other: len(other.tag) > LONGEST)
            if suspect.symptom is Symptom.SELECTED_FOR_ANOTHER:
                return _by_pair(suspect, prober) or _this_suspect(suspect, "")
            if suspect.symptom in OF_LISTS:
                return _by_tag(suspect, prober, ALONE, by_itself=True) or _this_suspect(suspect, "")
            usual, *others = SCENARIOS[suspect.kind, suspect.carried]
            return (
                _by_tag(suspect, prober, usual, by_itself=True)
                or self._shared(suspect, by_itself=False)
                or (_by_pair(suspect, prober) if suspect.lost else None)
                or next(
                    filter(None, (_by_tag(suspect, prober, scenario, by_itself=False) for scenario in others)), None
                )
                or (_by_pair(suspect, prober) if not suspect.lost else None)
                or _by_number(suspect, prober)
                or _this_suspect(suspect, _elsewhere(suspect))
            )
        except Spent:
            return _this_suspect(suspect, NONE_LEFT)


def _this_suspect(suspect: Suspect, sentence: str) -> _Known:
    return _Known(suspect, Explained(sentence), lambda other: other == suspect)


def _elsewhere(suspect: Suspect) -> str:
    """Return a sentence on a tag that goes well by itself; ``""`` outside histories, where nothing came before."""
    if not suspect.of_history:
        return ""
    return f"not this tag alone, {string_classes.shown(suspect.tag)}: it depends on what came before, or comes and goes"


def _beyond(suspect: Suspect, prober: Prober) -> str:
    """Return a sentence on the length up to which tags are accepted that are too long."""
    trials = Question(prober, suspect.symptom, ALONE).about_tags
    if not trials("a" * (LONGEST + 1)):
        return (
            f"not every tag that is too long: a×{LONGEST + 1} is refused, {string_classes.shown(suspect.tag)} was not"
        )
    return wording.beyond(trials, (LONGEST + 1, *BEYOND))


def _by_tag(suspect: Suspect, prober: Prober, scenario: Scenario, *, by_itself: bool) -> _Known | None:
    """Return an explanation by the tag alone, or by the tag beside any other; ``None`` if it goes well."""
    for other_tag in ("", OTHER_TAG):
        question = Question(prober, suspect.symptom, scenario, other_tag)
        trials = question.about_tags
        prober.clear()
        if not trials(suspect.tag):
            return None
        found = string_classes.class_of(suspect.tag, trials)
        if found is None:
            sentence = wording.unclaimed(suspect.tag, trials, suspect.symptom, scenario.when, string_classes.shown)
            return _Known(suspect, Explained(sentence), lambda other: other.tag == suspect.tag, by_itself=by_itself)
        only_tag = (
            found.everything
            and not other_tag
            and not Question(prober, suspect.symptom, scenario, OTHER_TAG).of_tag("plain")
        )
        if only_tag and suspect.partners:
            # Any tag goes wrong that is the only one of its image, and this one was not the only one.
            continue
        when = " and ".join(filter(None, [scenario.when, "when the image has no other" if only_tag else ""]))
        sentence = wording.claimed(found, trials, suspect.symptom, when, string_classes.shown)
        explained = Explained(sentence, wording.claim(found, when))
        return _Known(suspect, explained, _about_tags(found, only_tag=only_tag), by_itself=by_itself)
    return None


def _about_tags(found: Hypothesis[str], *, only_tag: bool) -> Callable[[Suspect], bool]:
    return lambda suspect: found.holds(suspect.tag) and not (only_tag and suspect.partners)


def _by_pair(suspect: Suspect, prober: Prober) -> _Known | None:
    """Return an explanation by another tag of the image that the service takes for this one, or ``None``."""
    likely = [
        partner
        for partner in suspect.partners
        if partner in suspect.lost or pair_relations.related(partner, suspect.tag)
    ]
    # What is alike in every other way comes before what one merely begins with.
    likely.sort(key=lambda partner: skeleton(partner) != skeleton(suspect.tag))
    scenario = ALONE if suspect.kind is Kind.ADD else NEVER if suspect.carried is False else GONE
    trials = Trials(Question(prober, suspect.symptom, scenario).of_pair)
    pair = next(
        (candidate for candidate in ((partner, suspect.tag) for partner in likely[:MAX_PARTNERS]) if trials(candidate)),
        None,
    )
    if pair is None:
        return None
    known = [pair for pairs in RELATED.values() for pair in pairs]
    found = pair_relations.class_of(pair, known, trials)
    if found is None:
        sentence = wording.unclaimed(pair, trials, suspect.symptom, scenario.when, wording.both)
        return _this_suspect(suspect, sentence)
    sentence = wording.claimed(found, trials, suspect.symptom, scenario.when, wording.both)
    explained = Explained(sentence, wording.claim(found, scenario.when))
    return _Known(suspect, explained, _about_pairs(found), by_itself=False)


def _about_pairs(found: Hypothesis[Pair]) -> Callable[[Suspect], bool]:
    return lambda suspect: any(found.holds((partner, suspect.tag)) for partner in suspect.lost or suspect.before)


def _by_number(suspect: Suspect, prober: Prober) -> _Known | None:
    """Return an explanation by the number of tags of the image, or of additions to it; ``None`` if neither matters."""
    if suspect.kind is not Kind.ADD:
        return None
    # A tag that was read some operations after its addition may have been removed by these.
    later = (Symptom.REMOVES_OTHERS,) if suspect.symptom is Symptom.UNFAITHFUL else ()
    question = Question(prober, suspect.symptom, ALONE, also=later)
    place = _place(question, min(MAX_TAGS, len(suspect.before) + 2) if suspect.before else MAX_TAGS)
    if place is None or place < 2:  # noqa: PLR2004 - the first tag of an image is beside no other
        return None
    seen = prober.shown if prober.shown in later else suspect.symptom
    if _counts_additions(question, place):
        claim, well = f"any tag, at addition {place} to an image", "before it"
    else:
        claim, well = f"any tag added to an image that already has {place - 1} tags", f"with {place - 2}"
    explained = Explained(f"{claim} ({seen}; {well}: correct)", claim)
    return _Known(suspect, explained, lambda other: len(other.before) >= place - 1, by_itself=False)


def _place(question: Question, most: int) -> int | None:
    """Return the number of the first addition that goes wrong, counted from 1; ``None`` if none of ``most`` does."""
    image = question.prober.fresh()
    return next((number for number in range(1, most + 1) if question.ends_wrong(image, f"tag-{number}")), None)


def _counts_additions(question: Question, place: int) -> bool:
    """Return whether addition ``place`` goes wrong as well if every tag is deleted before the next is added."""
    prober = question.prober
    image = prober.fresh()
    for number in range(1, place):
        if not all(prober.do(sign, image, f"tag-{number}").ok for sign in "+-"):
            return False
    return question.ends_wrong(image, f"tag-{place}")
