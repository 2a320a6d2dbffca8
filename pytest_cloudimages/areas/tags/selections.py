"""What a list of images that was filtered by tags had to hold, and what it held."""

from collections.abc import Collection as Labels
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_cloudimages.areas.common.paging import Query
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.verdicts import Blocked

PAGING = ("limit", "marker", "sort_key", "sort_dir")
"""What cuts and sorts a list, and selects nothing."""


@dataclass(frozen=True)
class Known:
    """An image of the run, and what it shows itself."""

    label: str
    image: Image
    data: Mapping[str, Any]
    seen: bool = True
    """Whether the tester may see it."""

    @property
    def tags(self) -> list[str]:
        """The tags it shows; none where they are no list of strings."""
        tags = self.data.get("tags")
        return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []

    def satisfies(self, query: Query) -> bool:
        """Return whether it is what a query asks for, and the tester may see it."""
        return self.seen and all(
            value in self.tags if key == "tag" else key in PAGING or self.data.get(key) == value for key, value in query
        )


@dataclass(frozen=True)
class Listed:
    """What the pages of one list have shown of the images that are known."""

    labels: tuple[str, ...]
    """The images, in their order, each as often as it was shown."""
    tags: Mapping[str, object]
    """The tags that the list shows of each."""
    status: int
    problem: str = ""
    """What is wrong with the pages themselves."""
    blocked: str = ""
    """Why they could not be followed to the end."""


@dataclass(frozen=True)
class Selection:
    """A filtered list: what was asked for, what it has to hold, and what it held."""

    asked: str
    """The kind of question."""
    query: Query
    expected: tuple[str, ...]
    listed: Listed
    carried: Mapping[str, Sequence[str]]
    """The tags of each of the images, as they show them themselves."""
    exchanges: tuple[Exchange, ...]

    def __repr__(self) -> str:
        return f"the list of images filtered by {_worded(self.query)}"

    @property
    def tags(self) -> list[str]:
        """The tags it was filtered by."""
        return [value for key, value in self.query if key == "tag"]

    @property
    def is_sorted(self) -> bool:
        """Whether an order was asked for."""
        return any(key == "sort_key" for key, _ in self.query)

    @property
    def further_keys(self) -> set[str]:
        """What else it was asked for than by tags: the names of further parameters."""
        return {key for key, _ in self.query} - {"tag"}

    @property
    def astray(self) -> set[str]:
        """The images that it held and was not to hold."""
        return {*self.listed.labels} - {*self.expected}

    def expect(self, *, besides: Labels[str] = ()) -> None:
        """Raise ``Mismatch`` unless the list holds just the images that it has to hold, each once.

        Those ``besides`` it may hold, or lack, as well: what other lists have shown accounts for them.
        """
        __tracebackhide__ = True
        if self.listed.blocked:
            raise Blocked(self.listed.blocked)
        expect(self.listed.status, 200, f"status of {self!r}")
        expect(self.listed.problem, "", f"what is wrong with the pages of {self!r}")
        held, wanted = (
            [label for label in labels if label not in besides] for labels in (self.listed.labels, self.expected)
        )
        expect(sorted(held), sorted(wanted), f"images in {self!r}")

    def expect_tags(self) -> None:
        """Raise ``Mismatch`` unless it shows of each image what the image shows itself."""
        __tracebackhide__ = True
        for label, tags in self.listed.tags.items():
            shown = {*map(str, tags)} if isinstance(tags, list) else tags
            expect(shown, {*self.carried[label]}, f"tags of {label} in {self!r}")


@dataclass(frozen=True, repr=False)
class Selections(Collection):
    """Filtered lists, each asked for once."""

    selections: list[Selection]
    untested: str = ""
    """Why none was asked for, where that is so."""
    blocked: str = ""
    """Why none could be asked for, where that is so."""
    details: Sequence[Answer] = ()
    """What the images themselves have shown to those who asked for lists."""

    def require(self) -> None:
        """Leave the check *untested*, or blocked, where no list could be asked for."""
        if self.untested:
            pytest.skip(self.untested)
        if self.blocked:
            raise Blocked(self.blocked)

    def astray(self, several: Selection) -> set[str]:
        """Return the images that a list filtered by several tags may hold, or lack, since lists by one of these do.

        Where one that is sorted goes astray, the order is what makes it do so, whatever it is filtered by.
        """
        found: set[str] = set()
        for selection in self.selections:
            if {*selection.tags} < {*several.tags}:
                found |= {*selection.expected} - {*selection.listed.labels}
            if selection.astray and {*selection.tags} < {*several.tags}:
                alike = selection.is_sorted and several.is_sorted
                found |= {*several.listed.labels} if alike else selection.astray
        return found

    def astray_with_one(self, several: Selection) -> bool:
        """Return whether a list by one tag does not hold what it has to, that was cut, or sorted, in the same manner.

        What goes wrong there does so with several tags too, however they are combined.
        """
        return any(
            selection.listed.problem or sorted(selection.listed.labels) != sorted(selection.expected)
            for selection in self.selections
            if len({*selection.tags}) < 2 and selection.further_keys & several.further_keys  # noqa: PLR2004 - one tag, or none
        )

    @cases
    def of_images(self) -> Iterator[Case[Answer]]:
        """Return what the images themselves have shown, whoever asked."""
        return (Case(answer, [answer.exchange]) for answer in self.details)

    @cases
    def by(self, *, several: bool) -> Iterator[Case[Selection]]:
        """Return the lists that were filtered by several different tags, or by no more than one."""
        for selection in self.selections:
            if (len({*selection.tags}) > 1) is several:
                yield Case(selection, selection.exchanges, f"filter: {selection.asked}")


def _worded(query: Query) -> str:
    return "&".join(f"{key}={value!a}" for key, value in query)
