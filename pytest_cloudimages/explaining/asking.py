"""Asks a service about the neighbours of what went wrong, and puts into a sentence what it answers."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pytest_cloudimages.client import Answer, Image, Patience
from pytest_cloudimages.exchanges import Purpose
from pytest_cloudimages.explaining import relations, telling, texts
from pytest_cloudimages.explaining.procedure import Hypothesis, Spent, Trials
from pytest_cloudimages.explaining.relations import Pair
from pytest_cloudimages.explaining.symptoms import Suspect, Symptom, of_answer, of_readings
from pytest_cloudimages.ground import Ground
from pytest_cloudimages.plans import LONGEST, Kind
from pytest_cloudimages.strategies import BEYOND, RELATED, skeleton
from pytest_cloudimages.verdicts import Blocked

PER_FINDING = 60
"""Requests that are spent on one finding at most."""
PER_RUN = 240
"""Requests that are spent on all of them."""
ON_AN_IMAGE = 6
"""Tags that are tried one after the other on one image."""
TOGETHER = 12
"""Tags that are tried together on one image."""
PARTNERS = 4
"""Other tags of the image that are tried in company with the one that went wrong."""
CROWD = 12
"""Tags that an image is given to see whether their number matters."""

Value = TypeVar("Value", str, Pair)


@dataclass(frozen=True)
class Manner:
    """How an operation on a tag comes about: the operations on it, of which the last is in question."""

    operations: str
    when: str = ""


WHATEVER = (Symptom.STORED, Symptom.COSTLY, Symptom.FRUITFUL)
"""What may go wrong beside a refusal."""
ALONE = Manner("+"), Manner("+-")
MANNERS = {
    (Kind.ADD, False): (ALONE[0], Manner("+-+", "when it comes back after its deletion")),
    (Kind.ADD, True): (
        Manner("++", "when it is added again"),
        ALONE[0],
        Manner("+-+", "when it comes back after its deletion"),
    ),
    (Kind.DELETE, True): (
        ALONE[1],
        Manner("+-+-", "when it is deleted a second time, having come back"),
        Manner("++-", "when it was added twice"),
    ),
    (Kind.DELETE, False): (Manner("-", "when it is not there"), Manner("+--", "when it was deleted before")),
}
KINDS = {"+": Kind.ADD, "-": Kind.DELETE}


@dataclass
class Bench:
    """Where tags are tried: an image, kept as long as what was tried on it meddles with nothing."""

    ground: Ground
    limit: int
    stack: ExitStack
    image: Image | None = None
    tags: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    shown: Symptom | None = None
    """What the last reading has shown to be wrong."""

    def spend(self, requests: int = 1) -> None:
        """Raise ``Spent`` where so many requests are too many."""
        if self.ground.transcript.counts[Purpose.EXPLAINING] + requests > self.limit:
            raise Spent

    def fresh(self) -> Image:
        """Give an image without tags."""
        self.spend(3)
        self.clear()
        self.image = self.stack.enter_context(self.ground.fresh_image())
        return self.image

    def clear(self) -> None:
        """Put the image away."""
        self.stack.close()
        self.image, self.tags, self.tried = None, [], []

    def suited(self, *tags: str) -> Image:
        """Give an image that has seen nothing like these tags."""
        bones = [skeleton(tag) for tag in tags]
        like = any(one.startswith(other) or other.startswith(one) for one in bones for other in self.tried)
        image = self.fresh() if self.image is None or like or len(self.tried) >= ON_AN_IMAGE else self.image
        self.tried += bones
        return image

    def do(self, sign: str, image: Image, tag: str) -> Answer:
        """Add (+) or delete (-) a tag."""
        self.spend()
        return image.add_tag(tag) if sign == "+" else image.delete_tag(tag)

    def read(self, image: Image, satisfied: Callable[[list[str]], bool]) -> list[str]:
        """Read the tags, a little longer than the service was ever late. Raises ``Blocked`` where there are none."""
        self.spend()
        late = self.ground.transcript.lag
        patient = replace(image, patience=Patience(3 * late, self.ground.transcript) if late else None)
        self.tags = patient.read(satisfied)
        return self.tags


@dataclass(frozen=True)
class Question:
    """What is asked again and again: whether an operation that comes about so goes wrong in this way."""

    bench: Bench
    symptom: Symptom
    manner: Manner
    company: str = ""
    """A tag that the image has beside."""
    also: tuple[Symptom, ...] = ()
    """Other ways that count too."""

    def of_tag(self, tag: str) -> bool:
        """Tell whether it goes wrong with this tag."""
        bench = self.bench
        if self.company:
            image = bench.fresh()
            if not bench.do("+", image, self.company).ok:
                return False
            bench.tags = [self.company]
        else:
            image = bench.suited(tag)
        return self.ends_wrong(image, tag)

    def of_pair(self, pair: Pair) -> bool:
        """Tell whether it goes wrong with the second of these, where the image has the first."""
        bench = self.bench
        image = bench.fresh()
        if not bench.do("+", image, pair[0]).ok:
            return False
        bench.tags = [pair[0]]
        return self.ends_wrong(image, pair[1])

    def ends_wrong(self, image: Image, tag: str) -> bool:
        """Carry the operations out, and tell whether the last goes wrong in this way."""
        bench, *earlier = self.bench, *self.manner.operations[:-1]
        before = [*bench.tags]
        for sign in earlier:
            if not bench.do(sign, image, tag).ok:
                return False
            before = [one for one in before if one != tag] + [tag] * (sign == "+")
        last = KINDS[self.manner.operations[-1]]
        if last is Kind.DELETE and tag in before:
            expected = sorted(before)
            before = bench.read(image, lambda seen: sorted(seen) == expected)
            if tag not in before:
                return False
        answer = bench.do(self.manner.operations[-1], image, tag)
        told = of_answer(last, tag, answer.status, carried=tag in before)
        if self.symptom.told_by_status:
            if told is None and last is Kind.ADD:
                bench.tags = [one for one in before if one != tag] + [tag]
            elif last is Kind.DELETE and told is not None:
                bench.clear()
            else:
                bench.tags = [one for one in before if one != tag or not answer.ok]
            return told is self.symptom
        if told is Symptom.FAILED or (not answer.ok and self.symptom not in WHATEVER):
            bench.clear()
            return False
        after = bench.read(image, lambda seen: of_readings(last, tag, answer.status, before, seen) is None)
        shown = of_readings(last, tag, answer.status, before, after)
        if shown is not None and last is Kind.DELETE:
            bench.clear()
        bench.shown = shown
        return shown is self.symptom or shown in self.also

    def of_many(self, tags: Sequence[str]) -> Mapping[str, bool]:
        """Tell of each tag whether it is altered or lost, with one reading for many."""
        found: dict[str, bool] = {}
        for begin in range(0, len(tags), TOGETHER):
            some = tags[begin : begin + TOGETHER]
            self.bench.spend(len(some) + 3)
            image = self.bench.fresh()
            added = [one for one in some if self.bench.do("+", image, one).ok]
            seen = self.bench.read(image, lambda tags, added=added: {*added} <= {*tags})  # type: ignore[misc]
            found |= {one: one in added and one not in seen for one in some}
        self.bench.clear()
        return found

    @property
    def about_tags(self) -> Trials[str]:
        """Trials of single tags."""
        together = self.symptom is Symptom.UNFAITHFUL and self.manner == ALONE[0]
        return Trials(self.of_tag, at_once=self.of_many if together else None)


@dataclass(frozen=True)
class _Known:
    """A sentence, and the suspects it speaks of."""

    symptom: Symptom
    kind: Kind
    sentence: str
    speaks_of: Callable[[Suspect], bool]


@dataclass
class Explainer:
    """Explains the findings of a run, one after the other; like ones share their explanation."""

    ground: Ground
    known: list[_Known] = field(default_factory=list)
    over: bool = False

    def explain(self, suspect: Suspect) -> str:
        """Give the class of input that a finding is about, as a sentence; nothing where nothing can be said."""
        for one in self.known:
            if (one.symptom, one.kind) == (suspect.symptom, suspect.kind) and one.speaks_of(suspect):
                return one.sentence
        spent = self.ground.transcript.counts[Purpose.EXPLAINING]
        if self.over or spent + PER_FINDING // 4 > PER_RUN or not texts.safe(suspect.tag):
            return ""
        limit = min(PER_RUN, spent + PER_FINDING)
        try:
            with self.ground.transcript.of(Purpose.EXPLAINING), self._bench(limit) as bench:
                known = self._found(suspect, bench)
        except Blocked:
            # The service stopped answering: whatever would be said now, it would not be about the tag.
            self.over = True
            return ""
        self.known.append(known)
        return known.sentence

    @contextmanager
    def _bench(self, limit: int) -> Iterator[Bench]:
        with ExitStack() as stack:
            yield Bench(self.ground, limit, stack)

    def _found(self, suspect: Suspect, bench: Bench) -> _Known:
        try:
            for search in (self._by_tag, self._by_pair, self._by_number):
                if found := search(suspect, bench):
                    return found
        except Spent:
            return _this_one(suspect, "")
        return _this_one(
            suspect, f"not with this tag alone, {texts.shown(suspect.tag)}: it depends on what came before"
        )

    def _by_tag(self, suspect: Suspect, bench: Bench) -> _Known | None:
        if suspect.symptom is Symptom.ACCEPTED:
            return _this_one(suspect, self._beyond(suspect, bench), longer=True)
        for manner in MANNERS[suspect.kind, suspect.carried]:
            question = Question(bench, suspect.symptom, manner)
            trials = question.about_tags
            if not trials(suspect.tag):
                bench.clear()
                continue
            found = texts.explained(suspect.tag, trials)
            if found is None:
                return _this_one(
                    suspect, telling.unclaimed(suspect.tag, trials, suspect.symptom, manner.when, texts.shown)
                )
            when = manner.when
            if found.everything:
                when = " and ".join(filter(None, [when, self._lonely(suspect, bench, manner)]))
            sentence = telling.claimed(found, trials, suspect.symptom, when, texts.shown)
            return _Known(suspect.symptom, suspect.kind, sentence, _speaking_of_tags(found))
        return None

    def _lonely(self, suspect: Suspect, bench: Bench, manner: Manner) -> str:
        """Say that a tag has to be the only one of its image, where that is so."""
        question = Question(bench, suspect.symptom, manner, company="company")
        try:
            return "" if question.of_tag("plain") else "when the image has no other"
        except Spent:
            return ""

    def _beyond(self, suspect: Suspect, bench: Bench) -> str:
        """Say up to which length tags are taken that are too long."""
        trials = Question(bench, suspect.symptom, ALONE[0]).about_tags
        if not trials("a" * (LONGEST + 1)):
            return f"not every tag that is too long: a×{LONGEST + 1} is refused, {texts.shown(suspect.tag)} was not"
        return telling.beyond(trials, (LONGEST + 1, *BEYOND))

    def _by_pair(self, suspect: Suspect, bench: Bench) -> _Known | None:
        related = [one for one in suspect.partners if one in suspect.lost or relations.related(one, suspect.tag)]
        operations = {Kind.ADD: "+", Kind.DELETE: "+-" if suspect.carried else "-"}[suspect.kind]
        question = Question(bench, suspect.symptom, Manner(operations))
        trials = Trials(question.of_pair)
        for partner in related[:PARTNERS]:
            pair = (partner, suspect.tag)
            if not trials(pair):
                continue
            known = [one for pairs in RELATED.values() for one in pairs]
            found = relations.explained(pair, known, trials)
            if found is None:
                return _this_one(suspect, telling.unclaimed(pair, trials, suspect.symptom, "", telling.both))
            sentence = telling.claimed(found, trials, suspect.symptom, "", telling.both)
            return _Known(suspect.symptom, suspect.kind, sentence, _speaking_of_pairs(found))
        return None

    def _by_number(self, suspect: Suspect, bench: Bench) -> _Known | None:
        """Give plain tags to an image until it goes wrong."""
        if suspect.kind is not Kind.ADD:
            return None
        # A tag that was read later than it was added may have been lost to those that came after it.
        later = (Symptom.COSTLY,) if suspect.symptom is Symptom.UNFAITHFUL else ()
        question = Question(bench, suspect.symptom, ALONE[0], also=later)
        most = min(CROWD, len(suspect.before) + 2) if suspect.before else CROWD
        place = self._place(question, most, "+")
        if place is None:
            return None
        seen = bench.shown if bench.shown in later else suspect.symptom
        if self._place(question, place, "+-") == place:
            sentence = f"any tag, at addition {place} to an image: {seen}; before it all is well"
        else:
            sentence = (
                f"any tag added to an image that has {place - 1} others: {seen}; with {place - 2} or fewer all is well"
            )
        return _Known(suspect.symptom, suspect.kind, sentence, lambda one: len(one.before) >= place - 1)

    def _place(self, question: Question, most: int, operations: str) -> int | None:
        bench = question.bench
        image = bench.fresh()
        for number in range(1, most + 1):
            tag = f"tag-{number}"
            if question.ends_wrong(image, tag):
                return number
            if operations == "+-" and not bench.do("-", image, tag).ok:
                return None
            bench.tags = [] if operations == "+-" else bench.tags
        return None


def _this_one(suspect: Suspect, sentence: str, *, longer: bool = False) -> _Known:
    return _Known(
        suspect.symptom,
        suspect.kind,
        sentence,
        lambda one: one.tag == suspect.tag or (longer and len(one.tag) > LONGEST),
    )


def _speaking_of_tags(found: Hypothesis[str]) -> Callable[[Suspect], bool]:
    return lambda one: found.holds(one.tag)


def _speaking_of_pairs(found: Hypothesis[Pair]) -> Callable[[Suspect], bool]:
    return lambda one: any(found.holds((partner, one.tag)) for partner in one.lost or one.before)


def explain_all(ground: Ground, suspects: Iterable[Suspect]) -> list[str]:
    """Explain what findings rest on, in this order; an empty sentence where nothing can be said."""
    explainer = Explainer(ground)
    return [explainer.explain(one) for one in suspects]
