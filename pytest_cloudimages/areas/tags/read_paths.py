"""Sequences in which tags are changed in every way, and looked at through every window that shows them."""

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

from pytest_cloudimages.areas.tags.strategies import PLAIN, without_confusables
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.drawing import Sample, merged
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.spec.mismatch import Allowed, expect
from pytest_cloudimages.spec.verdicts import Blocked

Seen = TypeVar("Seen")
Open = Callable[..., AbstractContextManager[Image]]


class ReadPath(enum.StrEnum):
    """What is done to tags, or how they are looked at."""

    ADD = "PUT of a tag"
    DELETE = "DELETE of a tag"
    REPLACE = "PATCH of the tags"
    READ = "the image"
    LIST = "the list of images"
    FILTER = "the list of the images that carry a tag"


@dataclass(frozen=True, slots=True)
class ReadPathStep:
    """One thing to do; ``tags`` is the one named, or all that a PATCH sets."""

    view: ReadPath
    tags: tuple[str, ...] = ()
    image: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was to be seen through a window, and what was."""

    view: ReadPath
    expected: tuple[str, ...]
    shown: tuple[str, ...]
    exchanges: tuple[Exchange, ...]

    def expect(self) -> None:
        """Raise ``Mismatch`` unless just what was to be seen was shown."""
        __tracebackhide__ = True
        expect(self.shown, self.expected, f"what {self.view} shows")

    def __str__(self) -> str:
        return f"{self.view} shows {[*self.shown]!a}, and {[*self.expected]!a} is what is there"


@dataclass(frozen=True)
class Comparisons(Collection):
    """Everything that was looked at."""

    looks: list[Comparison]

    @cases
    def at(self, *views: ReadPath) -> Iterator[Case[Comparison]]:
        """Return the comparisons of some read paths; each one yielded is a case."""
        for look in self.looks:
            if look.view in views:
                yield Case(look, look.exchanges, "sequence of views")

    @property
    def sound(self) -> bool:
        """Whether every image showed the tags that were to be there."""
        return all(look.shown == look.expected for look in self.looks if look.view is ReadPath.READ)


@st.composite
def read_path_plans(draw: st.DrawFn) -> list[ReadPathStep]:
    """Plan a walk on two images: lives of a few plain tags at the same time, with a look after every turn."""
    drawn = draw(st.lists(PLAIN["letters and digits"].filter(lambda tag: len(tag) > WORD), min_size=5, max_size=9))
    found = [one.tag for one in without_confusables(Sample(tag, "view") for tag in drawn)]
    spare = [f"another-{place}-{draw(st.integers(0, 10**9))}" for place in range(5)]
    one, two, three, four, five = [*found, *spare][:5]

    def life(tag: str, image: int) -> list[ReadPathStep]:
        looked = [ReadPathStep(ReadPath.FILTER, (tag,)), ReadPathStep(ReadPath.LIST, (), image)]
        turns = [ReadPath.ADD, ReadPath.DELETE, ReadPath.ADD]
        return [
            step for turn in turns for step in (ReadPathStep(turn, (tag,), image), looked[turn is ReadPath.DELETE])
        ] + looked[1:]

    patched = [
        ReadPathStep(ReadPath.ADD, (two,)),
        ReadPathStep(ReadPath.ADD, (three,)),
        ReadPathStep(ReadPath.ADD, (five,)),
        ReadPathStep(ReadPath.REPLACE, (three, four)),
        ReadPathStep(ReadPath.FILTER, (two,)),
        ReadPathStep(ReadPath.FILTER, (four,)),
        ReadPathStep(ReadPath.DELETE, (four,)),
        ReadPathStep(ReadPath.ADD, (two,)),
        ReadPathStep(ReadPath.READ),
        ReadPathStep(ReadPath.REPLACE, (two, four)),
        ReadPathStep(ReadPath.LIST),
    ]
    return draw(merged([life(one, 0), life(one, 1), patched]))


def by_address(plan: Sequence[ReadPathStep]) -> list[ReadPathStep]:
    """Give the same walk with every PATCH replaced by the additions and deletions that lead to the same tags."""
    steps: list[ReadPathStep] = []
    carried: dict[int, set[str]] = {}
    for step in plan:
        there = carried.setdefault(step.image, set())
        match step.view:
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
    looks: list[Comparison] = field(default_factory=list)

    def take(self, step: ReadPathStep) -> None:
        image, carried = self.images[step.image], self.carried[step.image]
        match step.view:
            case ReadPath.ADD:
                if image.add_tag(step.tags[0]).ok:
                    carried.add(step.tags[0])
            case ReadPath.DELETE:
                if image.delete_tag(step.tags[0]).ok:
                    carried.discard(step.tags[0])
            case ReadPath.REPLACE:
                answer = image.client.patch(image.id, {"op": "replace", "path": "/tags", "value": [*step.tags]})
                if answer.ok:
                    self.carried[step.image] = {*step.tags}
                    self.read(step.image, ReadPath.REPLACE)
            case ReadPath.LIST:
                self.listed(step.image)
            case ReadPath.FILTER:
                self.filtered(step.tags[0])
            case ReadPath.READ:
                self.read(step.image, ReadPath.READ)

    def read(self, number: int, view: ReadPath) -> None:
        """Look at the image itself; from here on, what it shows is what is there."""
        shown = self.images[number].eventual_tags(self.carried[number])
        self.look(view, self.carried[number], shown)
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
        self.look(ReadPath.LIST, self.carried[number], shown)

    def filtered(self, tag: str) -> None:
        """Look for a tag among all images; of others than ours nothing is expected."""

        def found() -> list[str] | None:
            answer = self.images[0].client.list(tag=tag, limit="100")
            entries = answer.data.get("images") if isinstance(answer.data, dict) else None
            if not isinstance(entries, list):
                return None
            ids = {one.get("id") for one in entries if isinstance(one, dict)}
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
            self.look(ReadPath.FILTER, expected(), shown)

    def patiently(self, shown: Seen, again: Callable[[], Seen], wanted: list[str]) -> Seen:
        """Give what is shown once it is as wanted, or as it is when patience ends."""
        patience = self.images[0].patience
        return patience.until(shown, again, lambda seen: seen == wanted) if patience else shown

    def look(self, view: ReadPath, expected: Iterable[str], shown: Iterable[str]) -> None:
        """Write down what was seen, with all that was sent since the last look."""
        self.looks.append(Comparison(view, tuple(sorted(expected)), tuple(sorted(shown)), tuple(self.sent)))
        self.sent.clear()


def _texts(data: dict[str, Any]) -> list[str]:
    """Give the tags of an entry in their order; what is no text is shown as what it is."""
    tags = data.get("tags")
    return (
        sorted(one if isinstance(one, str) else repr(one) for one in tags) if isinstance(tags, list) else [repr(tags)]
    )


def check_read_paths(fresh_image: Open, plans: Iterable[Sequence[ReadPathStep]], *, single: bool) -> Comparisons:
    """Take walks, each on two images of its own, or on the one that was lent. Raises ``Blocked`` where it cannot."""
    looks: list[Comparison] = []
    for plan in plans:
        with ExitStack() as stack:
            images = [stack.enter_context(fresh_image()) for _ in range(1 if single else 2)]
            sent = stack.enter_context(images[0].client.recorder.scope())
            taken = _ReadPathCheck(images, [set() for _ in images], sent)
            # Where an image cannot be read, the walk ends; that it cannot is asked elsewhere.
            with suppress(Blocked):
                for step in [*plan, *(ReadPathStep(ReadPath.READ, image=number) for number in range(2))]:
                    if step.image < len(images):
                        taken.take(step)
        looks += taken.looks
    return Comparisons(looks)


def expect_filtered(image: Image, tags: Sequence[str], expected: Sequence[str]) -> None:
    """Raise ``Mismatch`` unless the images that carry all these tags come to be those, by their ids."""
    __tracebackhide__ = True

    def found() -> list[str]:
        answer = image.client.list(tag=tags)
        expect(answer.status, 200, f"status of {answer}")
        images = answer.data.get("images") if isinstance(answer.data, dict) else None
        expect(images, A_LIST, f"images of {answer}")
        return sorted(str(entry.get("id")) for entry in images or () if isinstance(entry, dict))

    wanted = [*expected]
    expect(image.eventually(found, wanted.__eq__), wanted, f"images filtered by {[*tags]!a}")


A_LIST = Allowed("a list", lambda data: isinstance(data, list))
