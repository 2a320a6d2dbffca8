"""Asks for lists of images, each once, and again where it is late."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from pytest_cloudimages.areas.common.paging import Query, read_pages
from pytest_cloudimages.areas.images.asked_lists import Asked, Aspect, Lists
from pytest_cloudimages.areas.images.patch_model import alike
from pytest_cloudimages.areas.images.tried_patches import Attributes, attributes_of
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked


@dataclass
class ListReader:
    """Asks for lists of images, and knows which of our images each has to hold."""

    run: Run
    known: dict[str, Attributes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    image: Image | None = None
    gone: str = ""
    differs: bool = False
    """Whether a list went on showing an image otherwise than it shows itself: no further one is waited for."""
    wide: Query = (("limit", "100"),)
    """How many are asked for on a page of many; nothing where the service refuses such a limit."""

    def ask(
        self, aspect: Aspect, *query: tuple[str, str], expected: Sequence[str] | None = None, most: int = 12
    ) -> Asked:
        """Ask for a list, and again while it is not as it has to be and there is patience."""

        def look() -> Asked:
            listed = read_pages(self.run.client, "/images", query, most=most)
            return Asked(aspect, query, listed, expected, self.known)

        def good(asked: Asked) -> bool:
            if expected is not None and (sorted(asked.held) != sorted(expected) or listed_by_name(asked)):
                return False
            return self.differs or not any(asked.shown_otherwise())

        def listed_by_name(asked: Asked) -> bool:
            return aspect is Aspect.LARGE and bool(self.gone) and bool(asked.listed.ids([self.gone]))

        found = self.image.eventually(look, good) if self.image else look()
        found = replace(found, known=self._known_now(found))
        self.differs = self.differs or any(found.shown_otherwise())
        self.asked.append(found)
        self.run.show(lambda: Lists(self.asked, self.gone))
        return found

    def _known_now(self, asked: Asked) -> dict[str, Attributes]:
        """Return our images as they show themselves now, where a list shows one so: somebody else has changed it."""
        for _, entry, names in [] if self.differs else [*asked.shown_otherwise()]:
            with suppress(Blocked):
                shown = attributes_of(self.run.client.show(str(entry["id"])))
                if all(alike(name, entry[name], shown.get(name)) for name in names):
                    self.known = self.known | {str(entry["id"]): shown}
        return self.known

    @property
    def sorted_by(self) -> set[str]:
        """The keys by which lists were sorted, or not asked to be: those that were refused alone are left out."""
        asked = [each for each in self.asked if each.aspect is Aspect.SORTED]
        return {each.value("sort_key") for each in asked if each.listed.first.answer.ok}

    def by(self, aspect: Aspect, *query: tuple[str, str], **values: object) -> None:
        """Ask for a list of which those of our images have to be that have these values."""
        fitting = [
            each for each, data in self.known.items() if all(data.get(key) == value for key, value in values.items())
        ]
        self.ask(aspect, *query, expected=fitting)

    def have_asked(self, mark: str, *tasks: "Callable[[ListReader, str], None]") -> None:
        """Have lists asked for that do not rest on each other: beside each other where a pool may do that."""
        if self.run.pool is None:
            for task in tasks:
                task(self, mark)
            return
        before = len(self.asked)
        readers = [replace(self, asked=[*self.asked]) for _ in tasks]
        self.run.pool.execute([partial(task, reader, mark) for task, reader in zip(tasks, readers, strict=True)])
        self.asked += [asked for reader in readers for asked in reader.asked[before:]]
