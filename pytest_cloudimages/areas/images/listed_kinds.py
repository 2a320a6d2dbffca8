"""An image that becomes of one kind after another, and the lists that have to hold it whatever kind it is of."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations
from typing import Any

import pytest

from pytest_cloudimages.areas.common.offers import NO_LOOK, made_visible
from pytest_cloudimages.areas.common.paging import PagedList, Query, read_pages
from pytest_cloudimages.areas.common.parties import KNOWN_AS, Party
from pytest_cloudimages.areas.images import states
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.images.states import ACCEPTED, once_active, protection, state_of
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange, Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked


class Kind(enum.StrEnum):
    """What the image is like, when lists are asked for."""

    PLAIN = "as it was created"
    TAGGED = "of many tags"
    EMPTY = "of no octet of data"
    PROTECTED = "protected"
    COMMUNITY = "of the community"
    PUBLIC = "public"
    ACCEPTED = "shared, which the other project has accepted,"
    HIDDEN = "hidden"
    NAMELESS = "without a name"


READER = KNOWN_AS[Party.READER]
TAGS = (200, 100, 30)
"""How many tags an image is given, or as many as the service takes."""
PAGE: Query = (("limit", "100"),)
"""The first page of the list of all images; the newest come first."""
TO_BE_ASKED_FOR: Mapping[tuple[str, object], tuple[Kind, tuple[str, str]]] = {
    ("os_hidden", True): (Kind.HIDDEN, ("os_hidden", "true")),
    ("visibility", "community"): (Kind.COMMUNITY, ("visibility", "community")),
}
"""Values by which images may have to be asked for: they need not be in other lists. (Rulings, 23.)"""
LISTED = ("queued", "active")
"""The statuses that images of whatever kind have here; what is of another may have to be asked for by that."""


@dataclass(frozen=True)
class Sought:
    """An image that was looked for in lists: first by all that it may have to be asked for, then without that."""

    kind: Kind
    party: Party
    form: Query
    """How the list was asked for, besides."""
    lists: Sequence[PagedList]
    holds: bool
    told: bool
    """Whether what they do not hold is not there: a page that others follow says nothing of what it lacks."""

    def __str__(self) -> str:
        return f"{' and '.join(map(str, self.lists))} of {self.party}, an image {self.kind} being there"

    @property
    def exchanges(self) -> list[Exchange]:
        """What was sent for it."""
        return [exchange for each in self.lists for exchange in each.exchanges]


@dataclass(frozen=True)
class Shown:
    """What somebody was answered who asked for the image by its id."""

    kind: Kind
    party: Party
    answer: Answer

    def __str__(self) -> str:
        return f"{self.answer}, an image {self.kind} being there"


@dataclass(frozen=True, repr=False)
class ListedKinds(Collection):
    """An image of each kind, looked for in lists by its owner and by others."""

    sought: Sequence[Sought] = field(default_factory=list)
    shown: Sequence[Shown] = field(default_factory=list)

    @cases
    def of_who_see_it(self) -> Iterator[Case[Shown]]:
        """Return what was answered to a reader that was shown the plain image, and to whoever an image is open to."""
        reads = any(each.kind is Kind.PLAIN and each.answer.ok for each in self.shown)
        for each in self.shown:
            if each.party is Party.OTHER_PROJECT or (reads and each.party is Party.READER):
                yield Case(each, [each.answer.exchange])

    @cases
    def of_the_project(self) -> Iterator[Case[Sought]]:
        """Return what the owner, and a reader of its project, have looked for where they had found the plain image."""
        found = {(each.party, each.form) for each in self.sought if each.kind is Kind.PLAIN and each.holds}
        for each in self.sought:
            if (each.party, each.form) in found and each.told:
                yield Case(each, each.exchanges)

    @cases
    def of_others(self, *kinds: Kind, asked: bool = False) -> Iterator[Case[Sought]]:
        """Return what another project has looked for, and ``asked`` for by its visibility or not.

        What the owner does not find by the same list either, is left to those who look at its own.
        """
        lost = {(each.kind, each.form) for each in self.sought if each.party is Party.OWNER and not each.holds}
        for each in self.sought:
            theirs = each.party is Party.OTHER_PROJECT and each.told and (each.kind, each.form) not in lost
            if theirs and each.kind in kinds and asked is (each.form[0][0] == "visibility"):
                yield Case(each, each.exchanges)


class _Looker:
    """Has the image looked for by each of those who ask."""

    def __init__(self, run: Run, image: Image) -> None:
        self.run, self.image, self.sought, self.shown = run, image, list[Sought](), list[Shown]()
        self.name: Query = (("name", image.name),)
        self.forms = (self.name, PAGE)
        self.kind, self.now = Kind.PLAIN, image.show().document
        """The kind that was looked for last, and the image as it showed itself then."""
        self.accepted = False
        """Whether the other project has accepted the image."""
        self.askers = {Party.OWNER: image.client}
        with suppress(Blocked):
            # That it is of the project, it shows by finding the plain image, which nobody else sees.
            if (reader := run.caller(READER)) and not run.is_named_administrator(READER):
                self.askers[Party.READER] = reader
        with suppress(Blocked):
            if other := run.of_another_project(able=True):
                self.askers[Party.OTHER_PROJECT] = other

    def look(self, kind: Kind, *forms: Query) -> None:
        """Have the owner look for the image in some forms of lists, and a reader of its project in the first."""
        self.seek(kind, Party.OWNER, *forms)
        self.seek(kind, Party.READER, *forms[:1])
        self.show(kind, Party.READER)

    def look_as_another(self, kind: Kind, visibility: str) -> None:
        """Have another project look for an image that everybody may see; where it is in vain, its owner as well."""
        form = (("visibility", visibility), *self.name)
        self.seek(kind, Party.OTHER_PROJECT, form)
        if self.sought and self.sought[-1].party is Party.OTHER_PROJECT and not self.sought[-1].holds:
            self.seek(kind, Party.OWNER, form)
        self.show(kind, Party.OTHER_PROJECT)
        if kind is Kind.PUBLIC:
            self.seek(kind, Party.OTHER_PROJECT, self.name)

    def shared(self) -> bool:
        """Share the image with the other project, and return whether that has accepted it."""
        if other := self.askers.get(Party.OTHER_PROJECT):
            with suppress(Blocked, pytest.skip.Exception), self.run.recorder.of(Purpose.PREPARING):
                project = self.run.owner_of(other)
                states.shared(self.image, project)
                answer = other.send("PUT", f"/images/{self.image.id}/members/{project}", json={"status": ACCEPTED})
                self.accepted = answer.ok
        return self.accepted

    def _is_accepted(self) -> bool:
        other = self.askers[Party.OTHER_PROJECT]
        with self.run.recorder.of(Purpose.PREPARING):
            member = other.send("GET", f"/images/{self.image.id}/members/{self.run.owner_of(other)}")
        return bool(member.document.get("status") == ACCEPTED)

    def show(self, kind: Kind, party: Party) -> None:
        """Have somebody look at the image itself, by its id."""
        if party in self.askers:
            shown = self.image.eventually(partial(self.askers[party].show, self.image.id), lambda answer: answer.ok)
            self.shown.append(Shown(kind, party, shown))

    def seek(self, kind: Kind, party: Party, *forms: Query) -> None:
        """Have somebody look for the image, until it is found or patience ends."""
        if kind is not self.kind:
            self.kind, self.now = kind, self.image.show().document
        for form in forms if party in self.askers and self.now.get("status") in LISTED else ():
            look = partial(self._looked, kind, party, form)
            sought = self.image.eventually(look, lambda sought: sought.holds or not sought.told)
            if party is Party.OTHER_PROJECT and not sought.holds and self.accepted:
                # What it has not accepted any more is in no list of its own; that it is asked again is another matter.
                self.accepted = self._is_accepted()
                sought = replace(sought, told=sought.told and self.accepted)
            self.sought.append(sought)
            self.run.show(partial(ListedKinds, self.sought, self.shown))

    def _ways(self, kind: Kind, form: Query) -> Iterator[Query]:
        """Yield the ways to ask for the image as what it is, or was to become: by all of that, by less, and without."""
        more = [
            pair
            for (name, value), (due, pair) in TO_BE_ASKED_FOR.items()
            if (kind is due or self.now.get(name) == value) and pair not in form
        ]
        for count in range(len(more), -1, -1):
            for some in combinations(more, count):
                yield (*some, *form)

    def _looked(self, kind: Kind, party: Party, form: Query) -> Sought:
        read: list[PagedList] = []
        for query in self._ways(kind, form):
            read.append(read_pages(self.askers[party], "/images", query, most=1 if form == PAGE else 12))
            if read[-1].ids([self.image.id]):
                return Sought(kind, party, form, read, holds=True, told=True)
        # What cannot be asked for so, is to be shown to who does not ask for it so; but not where nobody may ask.
        told = read[-1].readable and all(each.ended if each.readable else each.status not in NO_LOOK for each in read)
        return Sought(kind, party, form, read, holds=False, told=told)


@workload(empty=ListedKinds, requests=(0, 72, 72, 72))
def listed_kinds(run: Run) -> ListedKinds:
    """Have an image become protected, public, hidden, nameless and so on, and look for it in lists each time."""
    if not run.rounds:
        return ListedKinds()
    with run.fresh_image(own=True) as image:
        looker = _Looker(run, image)
        looker.look(Kind.PLAIN, *looker.forms)
        looker.seek(Kind.PLAIN, Party.READER, PAGE)
        if _patched(image, "tags", *([f"kind-{number}" for number in range(count)] for count in TAGS)):
            looker.look(Kind.TAGGED, *looker.forms)
        if _has_no_octet(image):
            looker.look(Kind.EMPTY, *looker.forms)
        with protection(image) as protected:
            if protected:
                looker.look(Kind.PROTECTED, *looker.forms)
        _seen_by_others(run, looker)
        if _patched(image, "os_hidden", True):
            looker.look(Kind.HIDDEN, *looker.forms)
            if looker.accepted:
                looker.show(Kind.HIDDEN, Party.OTHER_PROJECT)
            _patched(image, "os_hidden", False)
        if _patched(image, "name", None):
            looker.look(Kind.NAMELESS, PAGE)
            if looker.accepted:
                looker.seek(Kind.NAMELESS, Party.OTHER_PROJECT, PAGE)
            _patched(image, "name", image.name)
    return ListedKinds(looker.sought, looker.shown)


def _seen_by_others(run: Run, looker: _Looker) -> None:
    """Have the image become of the community and public, and be shared in the end."""
    callers = [run.client, *filter(None, [run.able("ADMIN")])]
    for kind, visibility in ((Kind.COMMUNITY, "community"), (Kind.PUBLIC, "public")):
        if not made_visible(looker.image, visibility, *callers):
            looker.look(kind, *looker.forms)
            looker.look_as_another(kind, visibility)
    if not made_visible(looker.image, "shared", *callers) and looker.shared():
        looker.look(Kind.ACCEPTED, *looker.forms)
        looker.seek(Kind.ACCEPTED, Party.OTHER_PROJECT, looker.name)


def _patched(image: Image, name: str, *values: Any) -> bool:
    """Return whether an attribute was given one of some values, which are tried in turn."""
    with image.client.recorder.of(Purpose.PREPARING):
        return any(image.client.patch(image.id, replaced(f"/{name}", value)).ok for value in values)


def _has_no_octet(image: Image) -> bool:
    """Return whether the image is active, and was given data of no octet."""
    with suppress(Blocked, pytest.skip.Exception), image.client.recorder.of(Purpose.PREPARING):
        return image.upload(b"").ok and state_of(once_active(image)) == "active"
    return False
