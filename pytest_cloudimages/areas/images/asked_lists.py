"""Lists of images that were asked for, as many checks look at them."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_cloudimages.areas.common.paging import Page, PagedList, Query
from pytest_cloudimages.areas.images.patch_model import alike
from pytest_cloudimages.areas.images.tried_patches import Attributes
from pytest_cloudimages.engine.recording import Case, Collection, cases


class Aspect(enum.StrEnum):
    """What a list was asked for."""

    WHOLE = "without any parameter"
    COUNTED = "with a limit of one more than there are without"
    NAME = "by name"
    VISIBILITY = "by visibility"
    OWNER = "by owner"
    DECIDED = "by what consumers have decided, asked by the owner"
    STATUS = "by status"
    SIZE = "by size"
    ATTRIBUTE = "by an attribute"
    NOTHING = "by a value that is nothing in some languages"
    TOGETHER = "by many at once"
    LINK = "by a link"
    SORTED = "sorted"
    TOWARDS = "sorted in the direction that nobody asked for"
    FOREIGN = "by another project that does not see our images"
    UNSORTED = "in the order that nobody asked for"
    HALF = "in an order of which nobody asked for one half"
    KEYS = "sorted by two keys"
    LIMITED = "page by page"
    MOVING = "page by page while images come and go"
    FIRST = "led back to by first"
    AFTER = "after a marker"
    PASSED = "after an image that it has not to hold"
    BEYOND = "after the last image"
    WRONG_MARKER = "after what is no image"
    HIDDEN_MARKER = "by another project, after an image that it does not see"
    WRONG_LIMIT = "with a limit that is none"
    NO_LIMIT = "with the limit 0"
    LARGE = "with a limit that few services have"
    OFFSET = "with an offset"
    WRONG_VALUE = "with a value that there is not"


ALONE = {
    "name": Aspect.NAME,
    "owner": Aspect.OWNER,
    "visibility": Aspect.VISIBILITY,
    "status": Aspect.STATUS,
    "size_min": Aspect.SIZE,
}
"""The lists by which a filter is asked for alone."""


COMPARED = frozenset({"name", "owner", "visibility", "protected", "min_ram", "min_disk", "size", "checksum", "status"})
COMPARED |= {"disk_format", "container_format", "os_distro", "cloudimages_own"}
"""What a list shows of an image as the image shows it itself, if at all; times and tags are the concern of others."""


OF_MOST = frozenset({"disk_format", "container_format", "os_distro", "min_ram", "min_disk", "protected"})
"""Attributes of every image by which a list may be filtered or not: most of them are enough."""
OWN_FILTERS = frozenset({"cloudimages_own"})
"""Filters by attributes of one's own, which are not among those that every image has."""


@dataclass(frozen=True)
class Asked:
    """A list that was asked for, and what of our images it has to hold."""

    aspect: Aspect
    query: Query
    listed: PagedList
    expected: Sequence[str] | None = None
    """The ids of our images that it has to hold; ``None`` where nothing is expected."""
    known: Mapping[str, Attributes] = field(default_factory=dict)
    """Our images by their ids, as they show themselves."""
    but: str = ""
    """The one of its filters that fits none of our images, where all others do."""
    aside: bool = False
    """Whether it is no case of its own: it is asked for or not by how many images there are, of whomever."""

    def __str__(self) -> str:
        return f"{self.listed}, {self.aspect}"

    @property
    def wanted(self) -> list[str]:
        """The same, as a list."""
        return [*(self.expected or ())]

    @property
    def held(self) -> list[str]:
        """The ids of our images that it holds, in their order, each as often as it was shown.

        Where the name only narrows what else is asked for, what has another name is left to those who ask by name.
        """
        name = self.value("name") if self.aspect is not Aspect.NAME else ""
        return self.listed.ids([each for each, data in self.known.items() if not name or data.get("name") == name])

    @property
    def order(self) -> list[str]:
        """The ids of all images that it holds, in their order, whoever's they are."""
        return [identifier for page in self.listed.pages for identifier in page.ids]

    @property
    def keys(self) -> list[Any]:
        """What our images have of the key that they were to be sorted by, in their order."""
        return [self.known[each].get(self.value("sort_key")) for each in self.held]

    def is_longer_for(self, other: "Asked") -> bool:
        """Return whether it asks for what another list does, but for a limit."""
        return self.listed.readable and [pair for pair in self.query if pair[0] != "limit"] == [*other.query]

    @property
    def is_filtered(self) -> bool:
        """Whether its first page holds what was asked for alone, where not every service filters by that.

        Tags are filtered by where its developers wanted it, and attributes of one's own too. (C-04.)
        """
        if self._passes_over_its_filter:
            return False
        first = self.listed.first
        for name, value in self.query:
            if name == "tag":
                carried = [each["tags"] for each in first.entries if isinstance(each.get("tags"), list)]
                others = [tags for tags in carried if value not in tags]
            elif name not in OWN_FILTERS:
                continue
            else:
                strange = (each for each in first.entries if str(each.get("id")) not in self.wanted)
                others = [each.get("id") for each in strange if each.get(name) != value]
            if first.answer.status == 400 or others:  # noqa: PLR2004 - as HTTP has it
                return False
        return True

    @property
    def _passes_over_its_filter(self) -> bool:
        """Whether what it was asked for makes no difference, or is refused."""
        if len(self._filters) != 1 or self._filters[0] not in OF_MOST:
            return False
        named = self.value("name")
        ours = {each for each, data in self.known.items() if not named or data.get("name") == named}
        return self.listed.first.answer.status == 400 or {*self.wanted} < ours == {*self.held}  # noqa: PLR2004

    @property
    def is_cut_off(self) -> bool:
        """Whether a page after the first is refused, which starts after an image of others: that may be gone."""
        pages = self.listed.pages
        before = pages[-2].ids if len(pages) > 1 and pages[-1].answer.status in (400, 404) else []
        return bool(before) and before[-1] not in self.known

    @property
    def refuses_its_filter(self) -> bool:
        """Whether it is refused, and asks for no more than one attribute that not every list need be filtered by."""
        return self.listed.status == 400 and len(self._filters) == 1  # noqa: PLR2004

    @property
    def _filters(self) -> list[str]:
        """The attributes that it was filtered by, besides the name that all lists of a run are asked for by."""
        return [name for name, _ in self.query if name not in ("name", "marker", "limit")]

    @property
    def begins_with_none(self) -> bool | None:
        """Whether what has no value of the key stands before the rest; ``None`` where nothing, or all, has one."""
        key = self.value("sort_key")
        lack = [self.known[each].get(key) is None for each in self.held]
        groups = [lacks for place, lacks in enumerate(lack) if not place or lacks is not lack[place - 1]]
        return groups[0] if len(groups) == 2 else None  # noqa: PLR2004 - those that have one, and those that do not

    def shows_more_than(self, whole: "Asked") -> list[str]:
        """Return the ids of images that it shows and that another list, which says that it ends, does not."""
        held = {entry.get("id") for entry in whole.listed.entries}
        ended = self.listed.readable and whole.listed.readable and whole.listed.ended
        return sorted({str(entry.get("id")) for entry in self.listed.entries} - held) if ended else []

    def shown_otherwise(
        self, told: frozenset[str] | set[str] = frozenset()
    ) -> Iterator[tuple[Page, Mapping[str, Any], list[str]]]:
        """Yield our images as its pages show them that show themselves otherwise, and in which attributes.

        What it was asked for is left out, and what was ``told`` before.
        """
        names = COMPARED - told - {name for name, _ in self.query}
        for page in self.listed.pages:
            for entry in page.entries:
                known = self.known.get(str(entry.get("id")), {})
                # What is null is not shown; a checksum may come later than all else.
                both = {name for name in names & entry.keys() & known.keys() if None not in (entry[name], known[name])}
                if wrong := sorted(name for name in both if not alike(name, entry[name], known[name])):
                    yield page, entry, wrong

    def value(self, name: str) -> str:
        """Return the value of a parameter; nothing where it was not asked for."""
        return next((value for key, value in self.query if key == name), "")


@dataclass(frozen=True, repr=False)
class Lists(Collection):
    """The lists of images that were asked for."""

    asked: Sequence[Asked]
    gone: str = ""
    """The id of an image that was deleted before any list was asked for, and that was much like ours."""

    def filters_by(self, name: str) -> bool:
        """Return whether a filter was seen to work where it was asked for with no more than a name."""
        found = [asked for asked in self.asked if asked.aspect is ALONE.get(name, Aspect.ATTRIBUTE)]
        return all(asked.listed.readable and sorted(asked.held) == sorted(asked.wanted) for asked in found)

    def is_filtered(self, asked: Asked) -> bool:
        """Return whether a list holds what was asked for alone, as far as not every service filters by that."""
        names = {name for name, _ in asked.query} & (OWN_FILTERS | OF_MOST)
        alone = [each for each in self.asked if each.aspect is Aspect.ATTRIBUTE and each.query[0][0] in names]
        return all(each.is_filtered for each in (asked, *alone))

    def passes_over(self, asked: Asked) -> bool:
        """Return whether a list passes over its filter, which was not seen to work by another value either."""
        ours = {each for each, data in asked.known.items() if data.get("name") == asked.value("name")}
        alone = [
            each for each in self.asked if each.aspect is Aspect.ATTRIBUTE and each.query[0][0] == asked.query[0][0]
        ]
        works = any(each.listed.readable and sorted(each.held) == sorted(each.wanted) for each in alone)
        return not works and {*asked.held} == ours

    def filters_by_most(self) -> bool:
        """Return whether more attributes were seen to work as filters than not."""
        asked = [each for each in self.asked if each.aspect is Aspect.ATTRIBUTE and not each.value("marker")]
        names = {name for each in asked for name, _ in each.query if name not in ("name", "limit")}
        lacking = {each.query[0][0] for each in asked if each.listed.status != 200 or not each.is_filtered}  # noqa: PLR2004
        return 2 * len(names & lacking) < len(names)

    @cases
    def by_nothing(self) -> Iterator[Case[Asked]]:
        """Return the lists by what is nothing in some languages, each in the way that was tried last.

        Where a way was refused, or one finds all that there is whatever it is asked for, there may be no such filter.
        """
        asked = [each for each in self.asked if each.aspect is Aspect.NOTHING]
        for name in dict.fromkeys(each.query[0][0] for each in asked):
            ways = [each for each in asked if each.query[0][0] == name]
            if all(each.listed.readable for each in ways) and not self.passes_over(ways[-1]):
                yield Case(ways[-1], [exchange for each in ways for exchange in each.listed.exchanges])

    @cases
    def both_ways(self) -> Iterator[Case[tuple[Asked, Asked]]]:
        """Return lists sorted by a key that some of our images lack, each with the same the other way round."""
        found = [each for each in self.asked if each.aspect is Aspect.SORTED and each.begins_with_none is not None]
        for asked in found:
            for other in found:
                same = all(asked.value(name) == other.value(name) for name in ("sort_key", "name"))
                if same and (asked.value("sort_dir"), other.value("sort_dir")) == ("asc", "desc"):
                    yield Case((asked, other), asked.listed.exchanges + other.listed.exchanges)

    @cases
    def whole_and_counted(self) -> Iterator[Case[tuple[Sequence[Asked], Sequence[Asked]]]]:
        """Return the lists without any parameter, and those that were asked for more than these have shown."""
        whole, counted = (
            [asked for asked in self.asked if asked.aspect is aspect] for aspect in (Aspect.WHOLE, Aspect.COUNTED)
        )
        if whole and counted:
            exchanges = [exchange for each in (*whole, *counted) for exchange in each.listed.exchanges]
            yield Case((whole, counted), exchanges)

    @cases
    def whether_gone(self) -> Iterator[Case[tuple[Asked, bool]]]:
        """Return the lists, and whether each holds the image that was deleted; what is deleted may be asked for."""
        for asked in self.asked if self.gone else ():
            if not asked.aside and not asked.value("status").endswith(("deleted", "delete")):
                yield Case((asked, bool(asked.listed.ids([self.gone]))), asked.listed.exchanges)

    @cases
    def of(self, *aspects: Aspect) -> Iterator[Case[Asked]]:
        """Return the lists of some aspects, or all."""
        for asked in self.asked:
            if not asked.aside and (not aspects or asked.aspect in aspects):
                yield Case(asked, asked.listed.exchanges)

    @cases
    def entries(self) -> Iterator[Case[Mapping[str, Any]]]:
        """Return our images as the pages of lists show them that were read one after another."""
        for asked in self.asked:
            if asked.aspect is Aspect.LIMITED:
                for page in asked.listed.pages:
                    for entry in page.entries:
                        if entry.get("id") in asked.known:
                            yield Case(entry, [page.answer.exchange])

    @cases
    def shown_twice(self) -> Iterator[Case[tuple[Mapping[str, Any], Attributes]]]:
        """Return our images as any page shows them, each with what it shows of itself."""
        for asked in self.asked:
            for page in asked.listed.pages:
                for entry in page.entries:
                    if (known := asked.known.get(str(entry.get("id")))) is not None:
                        yield Case((entry, known), [page.answer.exchange])

    @cases
    def shown_otherwise(self) -> Iterator[Case[tuple[Mapping[str, Any], Attributes, list[str]]]]:
        """Return our images as pages show them that show themselves otherwise, and in which attributes.

        What was asked for is left out, and whatever a list that was asked for a value of it shows otherwise.
        """
        told = {
            name
            for asked in self.asked
            for name, value in asked.query
            for entry in asked.listed.entries
            if entry.get("id") in asked.known and name in entry and str(entry[name]) != value
        }
        for asked in self.asked:
            for page, entry, wrong in asked.shown_otherwise(told):
                yield Case((entry, asked.known[str(entry["id"])], wrong), [page.answer.exchange])
