"""Probes for the diagnosis of tags: operations on images of the service that may go wrong in the same way again."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.areas.tags.strategies import skeleton
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import MANY, Image, page_of_many
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.session import segment
from pytest_cloudimages.diagnosis.discriminate import Spent, Trials
from pytest_cloudimages.diagnosis.pair_relations import Pair
from pytest_cloudimages.diagnosis.symptoms import OF_LISTS, Symptom, of_answer, of_readings
from pytest_cloudimages.engine.kept_values import set_values
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.operations import Kind

TAGS_PER_IMAGE = 6
"""Tags that are tried one after the other on one image, at most."""
TAGS_PER_READ = 12
"""Tags that are tried together with one read, at most."""
REQUESTS_PER_IMAGE = 3
"""Requests that an image costs at least, with a read."""
BESIDE_A_REFUSAL = (Symptom.STORED, Symptom.DELETED_DESPITE_REFUSAL, Symptom.REMOVES_OTHERS, Symptom.ADDS_OTHERS)
"""Symptoms that an operation which was refused can have."""
KINDS = {"+": Kind.ADD, "-": Kind.DELETE}


@dataclass(frozen=True)
class Scenario:
    """Operations on one tag: additions (+) and deletions (-); the last is the one that may go wrong."""

    operations: str
    when: str = ""


ALONE = Scenario("+")


@dataclass
class Prober:
    """Tries tags on an image, which is replaced before what was tried on it could affect what comes next."""

    run: Run
    limit: int
    stack: ExitStack
    image: Image | None = None
    tags: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    shown: Symptom | None = None
    """What the last read has shown to be wrong."""
    _last: Image | None = None

    def spend(self, requests: int = 1) -> None:
        """Raise ``Spent`` if so many requests more would exceed the limit."""
        if self.run.recorder.counts[Purpose.EXPLAINING] + requests > self.limit:
            raise Spent

    def fresh(self) -> Image:
        """Return an image without tags. One that was lent is emptied, and is given back at the end only."""
        self.spend(REQUESTS_PER_IMAGE)
        self.clear()
        if self._last is not None and self.run.settings.image:
            set_values(self._last, TAGS, [])
        else:
            self.stack.close()
            self._last = self.stack.enter_context(self.run.fresh_image())
        self.image = self._last
        return self.image

    def clear(self) -> None:
        """Forget the image in use, so that the next trial gets another."""
        self.image, self.tags, self.tried = None, [], []

    def suited(self, *tags: str) -> Image:
        """Return an image on which no confusable tag was tried; for two tags, none with a common prefix either."""
        skeletons = [skeleton(tag) for tag in tags]
        like = not {*skeletons}.isdisjoint(self.tried)
        if len(tags) > 1:
            like = like or any(
                tag.startswith(other) or other.startswith(tag) for tag in skeletons for other in self.tried
            )
        image = self.fresh() if self.image is None or like or len(self.tried) >= TAGS_PER_IMAGE else self.image
        self.tried += skeletons
        return image

    def do(self, sign: str, image: Image, tag: str) -> Answer:
        """Add (+) or delete (-) a tag."""
        self.spend()
        return image.add_tag(tag) if sign == "+" else image.delete_tag(tag)

    def read(self, image: Image, satisfied: Callable[[list[str]], bool]) -> list[str]:
        """Return the tags, read until they satisfy or three times the observed lag has passed.

        Raise ``Blocked`` if they cannot be read.
        """
        self.spend()
        self.tags = self._patient(image).read(satisfied)
        return self.tags

    def _patient(self, image: Image) -> Image:
        lag = self.run.recorder.lag
        return replace(image, patience=Eventually(3 * lag, self.run.recorder) if lag else None)

    def filtered(self, image: Image, tag: str, *, carried: bool) -> Symptom | None:
        """Return what a list that is filtered by a tag shows to be wrong, or ``None``."""
        self.spend()

        def look() -> Symptom | None:
            answer = page_of_many(image.client, f"/images?tag={segment(tag)}&{MANY}")
            if answer.status != 200:  # noqa: PLR2004 - as HTTP has it
                return Symptom.FILTER_REFUSED if answer.refused else Symptom.FILTER_FAILED
            entries = answer.document.get("images")
            ids = [entry.get("id") for entry in entries or () if isinstance(entry, dict)]
            if (image.id in ids) is carried:
                return None
            return Symptom.UNSELECTED if carried else Symptom.SELECTED_FOR_ANOTHER

        return self._patient(image).eventually(look, lambda found: found is None)

    def listed(self, image: Image, tag: str) -> Symptom | None:
        """Return whether the list shows the image without a tag. Raise ``Blocked`` if it cannot be read."""
        self.spend()

        def look() -> Symptom | None:
            tags = image.entry().get("tags")
            return None if isinstance(tags, list) and tag in tags else Symptom.LISTED_OTHERWISE

        return self._patient(image).eventually(look, lambda found: found is None)


@dataclass(frozen=True)
class Question:
    """Whether the last operation of a scenario goes wrong in this way: tried with one tag after the other."""

    prober: Prober
    symptom: Symptom
    scenario: Scenario
    other_tag: str = ""
    """A tag that the image has before."""
    also: tuple[Symptom, ...] = ()
    """Further symptoms that count as the same."""

    def of_tag(self, tag: str) -> bool:
        """Return whether it goes wrong with this tag."""
        prober = self.prober
        if self.other_tag:
            image = prober.fresh()
            if not prober.do("+", image, self.other_tag).ok:
                return False
            prober.tags = [self.other_tag]
        else:
            image = prober.suited(tag)
        return self.ends_wrong(image, tag)

    def of_pair(self, pair: Pair) -> bool:
        """Return whether it goes wrong with the second tag of a pair on an image that has the first."""
        prober = self.prober
        image = prober.suited(*pair)
        if not prober.do("+", image, pair[0]).ok:
            return False
        prober.tags = [*prober.tags, pair[0]]
        return self.ends_wrong(image, pair[1])

    def ends_wrong(self, image: Image, tag: str) -> bool:
        """Execute the scenario with a tag, and return whether the last operation goes wrong in this way."""
        how = self._ends_wrong_in_a_list if self.symptom in OF_LISTS else self._ends_wrong_by_itself
        return how(image, tag)

    def _ends_wrong_by_itself(self, image: Image, tag: str) -> bool:
        prober, *earlier = self.prober, *self.scenario.operations[:-1]
        before = [*prober.tags]
        for sign in earlier:
            if not prober.do(sign, image, tag).ok:
                return False
            before = [other for other in before if other != tag] + [tag] * (sign == "+")
        last = KINDS[self.scenario.operations[-1]]
        if last is Kind.DELETE and tag in before:
            expected = sorted(before)
            before = prober.read(image, lambda seen: sorted(seen) == expected)
            if tag not in before:
                return False
        answer = prober.do(self.scenario.operations[-1], image, tag)
        by_status = of_answer(last, tag, answer.status, carried=tag in before)
        if self.symptom.told_by_status:
            if by_status is None and last is Kind.ADD:
                prober.tags = [other for other in before if other != tag] + [tag]
            elif last is Kind.DELETE and by_status is not None:
                prober.clear()
            else:
                prober.tags = [other for other in before if other != tag or not answer.ok]
            return by_status is self.symptom
        if by_status is Symptom.FAILED or (not answer.ok and self.symptom not in BESIDE_A_REFUSAL):
            prober.clear()
            return False
        after = prober.read(image, lambda seen: of_readings(last, tag, answer.status, before, seen) is None)
        shown = of_readings(last, tag, answer.status, before, after)
        if shown is not None and last is Kind.DELETE:
            prober.clear()
        prober.shown = shown
        return shown is self.symptom or shown in self.also

    def _ends_wrong_in_a_list(self, image: Image, tag: str) -> bool:
        """Add a tag, unless it is to be one that is not there, and return whether a list goes wrong in this way."""
        prober = self.prober
        if self.symptom is Symptom.SELECTED_FOR_ANOTHER:
            return prober.filtered(image, tag, carried=False) is self.symptom
        if self.symptom in (Symptom.FILTER_FAILED, Symptom.FILTER_REFUSED):
            # That shows whether an image carries the tag or not.
            return prober.filtered(image, tag, carried=False) is self.symptom
        if not prober.do("+", image, tag).ok:
            return False
        look = prober.listed if self.symptom is Symptom.LISTED_OTHERWISE else partial(prober.filtered, carried=True)
        # Where the list is as it has to be, nothing more need be known.
        return look(image, tag) is self.symptom and tag in prober.read(image, lambda seen: tag in seen)

    def of_many(self, tags: Sequence[str]) -> Mapping[str, bool]:
        """Return for each tag whether it is altered or lost, with one read for many."""
        found: dict[str, bool] = {}
        for begin in range(0, len(tags), TAGS_PER_READ):
            batch = tags[begin : begin + TAGS_PER_READ]
            self.prober.spend(len(batch) + REQUESTS_PER_IMAGE)
            image = self.prober.fresh()
            added = [tag for tag in batch if self.prober.do("+", image, tag).ok]
            seen = self.prober.read(image, lambda tags, added=added: {*added} <= {*tags})  # type: ignore[misc]
            found |= {tag: tag in added and tag not in seen for tag in batch}
        self.prober.clear()
        return found

    @property
    def about_tags(self) -> Trials[str]:
        """Trials of single tags; many at once if a read can show all of them."""
        together = self.symptom is Symptom.UNFAITHFUL and self.scenario == ALONE and not self.other_tag
        return Trials(self.of_tag, at_once=self.of_many if together else None)
