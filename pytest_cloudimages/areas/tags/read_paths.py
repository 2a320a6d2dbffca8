"""Plans that change tags through every write path and compare every read path with what has to be there."""

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from hypothesis import strategies as st

from pytest_cloudimages.areas.tags.resource import set_tags
from pytest_cloudimages.areas.tags.strategies import PLAIN, without_confusables
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.images import MANY, Image, pages_of_many
from pytest_cloudimages.client.session import segment
from pytest_cloudimages.engine.drawing import Sample, merged
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.shown_strings import shown_strings
from pytest_cloudimages.spec.verdicts import Blocked

Seen = TypeVar("Seen")
Open = Callable[..., AbstractContextManager[Image]]


class ReadPath(enum.StrEnum):
    """A way to change tags, or to see them."""

    ADD = "PUT of a tag"
    DELETE = "DELETE of a tag"
    REPLACE = "PATCH of the tags"
    READ = "the image"
    LIST = "the list of images"
    FILTER = "the list of the images that carry a tag"


@dataclass(frozen=True, slots=True)
class ReadPathStep:
    """A change or a look; ``tags`` is the tag that is named, or all that a PATCH sets."""

    path: ReadPath
    tags: tuple[str, ...] = ()
    image: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a read path had to show, and what it showed."""

    read_path: ReadPath
    expected: tuple[str, ...]
    shown: tuple[str, ...]
    exchanges: tuple[Exchange, ...]

    def expect(self) -> None:
        """Raise ``Mismatch`` unless just what was to be seen was shown."""
        __tracebackhide__ = True
        expect(self.shown, self.expected, f"what {self.read_path} shows")

    def __str__(self) -> str:
        return f"{self.read_path} shows {[*self.shown]!a}, and {[*self.expected]!a} is what is there"


@dataclass(frozen=True, repr=False)
class Comparisons(Collection):
    """Every read path at every moment, compared with what had to be there."""

    comparisons: list[Comparison]

    @cases
    def at(self, *read_paths: ReadPath) -> Iterator[Case[Comparison]]:
        """Return the comparisons of some read paths; each one yielded is a case."""
        for comparison in self.comparisons:
            if comparison.read_path in read_paths:
                yield Case(comparison, comparison.exchanges, "sequence of views")

    @property
    def sound(self) -> bool:
        """Whether every image showed the tags that were to be there."""
        own = [comparison for comparison in self.comparisons if comparison.read_path is ReadPath.READ]
        return all(comparison.shown == comparison.expected for comparison in own)


@st.composite
def read_path_plans(draw: st.DrawFn) -> list[ReadPathStep]:
    """Draw a plan on two images: a few plain tags come and go at once, and are looked at after every change."""
    drawn = draw(st.lists(PLAIN["letters and digits"].filter(lambda tag: len(tag) > WORD), min_size=5, max_size=9))
    found = [sample.tag for sample in without_confusables(Sample(tag, "view") for tag in drawn)]
    spare = [f"another-{place}-{draw(st.integers(0, 10**9))}" for place in range(5)]
    first, second, third, fourth, fifth = [*found, *spare][:5]

    def life(tag: str, image: int) -> list[ReadPathStep]:
        looked = [ReadPathStep(ReadPath.FILTER, (tag,)), ReadPathStep(ReadPath.LIST, (), image)]
        turns = [ReadPath.ADD, ReadPath.DELETE, ReadPath.ADD]
        return [
            step for turn in turns for step in (ReadPathStep(turn, (tag,), image), looked[turn is ReadPath.DELETE])
        ] + looked[1:]

    patched = [
        ReadPathStep(ReadPath.ADD, (second,)),
        ReadPathStep(ReadPath.ADD, (third,)),
        ReadPathStep(ReadPath.ADD, (fifth,)),
        ReadPathStep(ReadPath.REPLACE, (third, fourth)),
        ReadPathStep(ReadPath.FILTER, (second,)),
        ReadPathStep(ReadPath.FILTER, (fourth,)),
        ReadPathStep(ReadPath.DELETE, (fourth,)),
        ReadPathStep(ReadPath.ADD, (second,)),
        ReadPathStep(ReadPath.READ),
        ReadPathStep(ReadPath.REPLACE, (second, fourth)),
        ReadPathStep(ReadPath.LIST),
    ]
    return draw(merged([life(first, 0), life(first, 1), patched]))


def by_address(plan: Sequence[ReadPathStep]) -> list[ReadPathStep]:
    """Return the same plan with every PATCH replaced by the additions and deletions that lead to the same tags."""
    steps: list[ReadPathStep] = []
    carried: dict[int, set[str]] = {}
    for step in plan:
        there = carried.setdefault(step.image, set())
        match step.path:
            case ReadPath.REPLACE:
                steps += [
                    ReadPathStep(ReadPath.DELETE, (tag,), step.image) for tag in sorted(there.difference(step.tags))
                ]
                steps += [ReadPathStep(ReadPath.ADD, (tag,), step.image) for tag in step.tags if tag not in there]
                steps.append(ReadPathStep(ReadPath.READ, (), step.image))
                carried[step.image] = {*step.tags}
                continue
            case ReadPath.ADD:
                there.update(step.tags)
            case ReadPath.DELETE:
                there.difference_update(step.tags)
        steps.append(step)
    return steps


WORD = 7
"""Characters at least, less one, of a tag that no image of anybody else may carry."""


@dataclass
class _ReadPathCheck:
    images: list[Image]
    carried: list[set[str]]
    sent: list[Exchange]
    """What was sent since the last comparison: a scope's list."""
    comparisons: list[Comparison] = field(default_factory=list)

    def take(self, step: ReadPathStep) -> None:
        """Change tags, or look at them, as a step says."""
        image, carried = self.images[step.image], self.carried[step.image]
        match step.path:
            case ReadPath.ADD:
                if image.add_tag(step.tags[0]).ok:
                    carried.add(step.tags[0])
            case ReadPath.DELETE:
                if image.delete_tag(step.tags[0]).ok:
                    carried.discard(step.tags[0])
            case ReadPath.REPLACE:
                answer = set_tags(image, step.tags)
                if answer.ok:
                    self.carried[step.image] = {*step.tags}
                    self.read(step.image, ReadPath.REPLACE)
            case ReadPath.LIST:
                self.listed(step.image)
            case ReadPath.FILTER:
                self.filtered(step.tags[0])
            case ReadPath.READ:
                self.read(step.image, ReadPath.READ)

    def read(self, number: int, read_path: ReadPath) -> None:
        """Look at the image itself; from here on, what it shows is what is there."""
        shown = self.images[number].eventual_tags(self.carried[number])
        self.compare(read_path, self.carried[number], shown)
        self.carried[number] = {*shown}

    def listed(self, number: int) -> None:
        """Look at the list; what is there is what the image itself shows, where the two differ."""
        image = self.images[number]
        try:
            shown = _texts(image.listed())
        except Blocked:
            # Whether there is a list at all is asked elsewhere.
            return
        if shown != sorted(self.carried[number]):
            self.read(number, ReadPath.READ)
            shown = self.patiently(shown, lambda: _texts(image.listed()), sorted(self.carried[number]))
        self.compare(ReadPath.LIST, self.carried[number], shown)

    def filtered(self, tag: str) -> None:
        """Look for a tag among all images; of others than ours nothing is expected."""

        def found() -> list[str] | None:
            ids = self.ids_on_pages(f"/images?tag={segment(tag)}&{MANY}")
            if ids is None:
                return None
            return [f"image {place}" for place, image in enumerate(self.images) if image.id in ids]

        def expected() -> list[str]:
            return [f"image {place}" for place, carried in enumerate(self.carried) if tag in carried]

        shown = found()
        if shown is not None and shown != expected():
            for number in range(len(self.images)):
                self.read(number, ReadPath.READ)
            wanted = expected()
            shown = self.patiently(shown, lambda: found() or [], wanted)
        # Whether the list can be filtered at all is asked elsewhere.
        if shown is not None:
            self.compare(ReadPath.FILTER, expected(), shown)

    def ids_on_pages(self, target: str) -> set[object] | None:
        """Return the ids on the pages of a list; ``None`` where its first page is none."""
        ids: set[object] | None = None
        for answer in pages_of_many(self.images[0].client, target):
            entries = answer.data.get("images") if isinstance(answer.data, dict) else None
            if not isinstance(entries, list):
                break
            ids = (ids or set()) | {entry.get("id") for entry in entries if isinstance(entry, dict)}
        return ids

    def patiently(self, shown: Seen, again: Callable[[], Seen], wanted: list[str]) -> Seen:
        """Return what is shown once it is as wanted, or as it is when the time to wait is over."""
        patience = self.images[0].patience
        return patience.until(shown, again, lambda seen: seen == wanted) if patience else shown

    def compare(self, read_path: ReadPath, expected: Iterable[str], shown: Iterable[str]) -> None:
        """Write down what was seen, with all that was sent since the last comparison."""
        self.comparisons.append(Comparison(read_path, tuple(sorted(expected)), tuple(sorted(shown)), tuple(self.sent)))
        self.sent.clear()


def _texts(data: dict[str, Any]) -> list[str]:
    """Return the tags of an entry, sorted; what is no string is shown as what it is, but for none in another form."""
    tags = [] if shown_strings(data, "tags") == () else data.get("tags")
    return (
        sorted(tag if isinstance(tag, str) else repr(tag) for tag in tags) if isinstance(tags, list) else [repr(tags)]
    )


def check_read_paths(
    fresh_image: Open,
    plans: Iterable[Sequence[ReadPathStep]],
    *,
    single: bool,
    show: Callable[[Callable[[], Comparisons]], None],
) -> Comparisons:
    """Execute plans, each on two images of its own, or on the one that was lent. Raise ``Blocked`` if there is none.

    ``show`` lets whoever watches look at what there is so far.
    """
    comparisons: list[Comparison] = []
    for plan in plans:
        with ExitStack() as stack:
            images = [stack.enter_context(fresh_image()) for _ in range(1 if single else 2)]
            sent = stack.enter_context(images[0].client.recorder.scope())
            check = _ReadPathCheck(images, [set() for _ in images], sent)
            # Where an image cannot be read, the plan ends; that it cannot is asked elsewhere.
            with suppress(Blocked):
                for step in [*plan, *(ReadPathStep(ReadPath.READ, image=number) for number in range(2))]:
                    if step.image < len(images):
                        check.take(step)
                        show(partial(Comparisons, comparisons + check.comparisons))
        comparisons += check.comparisons
    return Comparisons(comparisons)
