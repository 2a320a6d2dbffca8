"""Where tags are tried: an image of the service, and the operations that are to go wrong on it once more."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from pytest_cloudimages.areas.tags.strategies import skeleton
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.session import Answer
from pytest_cloudimages.diagnosis.discriminate import Spent, Trials
from pytest_cloudimages.diagnosis.pair_relations import Pair
from pytest_cloudimages.diagnosis.symptoms import Symptom, of_answer, of_readings
from pytest_cloudimages.engine.provisioning import set_tags
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.operations import Kind

ON_AN_IMAGE = 6
"""Tags that are tried one after the other on one image."""
TOGETHER = 12
"""Tags that are tried together on one image."""
AN_IMAGE = 3
"""Requests that an image costs at least, with a reading."""
WHATEVER = (Symptom.STORED, Symptom.DELETED_DESPITE_REFUSAL, Symptom.REMOVES_OTHERS, Symptom.ADDS_OTHERS)
"""What may go wrong beside a refusal."""
KINDS = {"+": Kind.ADD, "-": Kind.DELETE}


@dataclass(frozen=True)
class Scenario:
    """How an operation on a tag comes about: additions (+) and deletions (-) of it; the last is in question."""

    operations: str
    when: str = ""


ALONE = Scenario("+")


@dataclass
class Prober:
    """Where tags are tried: an image, kept as long as what was tried on it meddles with nothing."""

    run: Run
    limit: int
    stack: ExitStack
    image: Image | None = None
    tags: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    shown: Symptom | None = None
    """What the last reading has shown to be wrong."""
    _last: Image | None = None

    def spend(self, requests: int = 1) -> None:
        """Raise ``Spent`` where so many requests are too many."""
        if self.run.recorder.counts[Purpose.EXPLAINING] + requests > self.limit:
            raise Spent

    def fresh(self) -> Image:
        """Give an image without tags. One that was lent is emptied, and given back in the end only."""
        self.spend(AN_IMAGE)
        self.clear()
        if self._last is not None and self.run.settings.image:
            set_tags(self._last, [])
        else:
            self.stack.close()
            self._last = self.stack.enter_context(self.run.fresh_image())
        self.image = self._last
        return self.image

    def clear(self) -> None:
        """Try nothing more on the image in hand."""
        self.image, self.tags, self.tried = None, [], []

    def suited(self, *tags: str) -> Image:
        """Give an image that has seen nothing like these tags; of two, nothing that begins alike either."""
        bones = [skeleton(tag) for tag in tags]
        like = not {*bones}.isdisjoint(self.tried)
        if len(tags) > 1:
            like = like or any(one.startswith(other) or other.startswith(one) for one in bones for other in self.tried)
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
        late = self.run.recorder.lag
        patient = replace(image, patience=Eventually(3 * late, self.run.recorder) if late else None)
        self.tags = patient.read(satisfied)
        return self.tags


@dataclass(frozen=True)
class Question:
    """What is asked again and again: whether an operation that comes about so goes wrong in this way."""

    bench: Prober
    symptom: Symptom
    manner: Scenario
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
        image = bench.suited(*pair)
        if not bench.do("+", image, pair[0]).ok:
            return False
        bench.tags = [*bench.tags, pair[0]]
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
            self.bench.spend(len(some) + AN_IMAGE)
            image = self.bench.fresh()
            added = [one for one in some if self.bench.do("+", image, one).ok]
            seen = self.bench.read(image, lambda tags, added=added: {*added} <= {*tags})  # type: ignore[misc]
            found |= {one: one in added and one not in seen for one in some}
        self.bench.clear()
        return found

    @property
    def about_tags(self) -> Trials[str]:
        """Trials of single tags."""
        together = self.symptom is Symptom.UNFAITHFUL and self.manner == ALONE and not self.company
        return Trials(self.of_tag, at_once=self.of_many if together else None)
