"""What became of patches that were tried on an image, as many checks look at it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest

from pytest_cloudimages.areas.common.forms import is_whole
from pytest_cloudimages.areas.images.patch_model import (
    alike,
    applied,
    attribute_of,
    in_the_new_form,
    named_by,
)
from pytest_cloudimages.areas.images.patches import (
    CARRIED_OUT,
    OLD_TYPE,
    VALID,
    Aim,
    Wanted,
)
from pytest_cloudimages.areas.images.states import OF_DATA, OF_IMAGES
from pytest_cloudimages.areas.images.unreadable import Unread
from pytest_cloudimages.areas.images.values import LONG, NEAR
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.spec.statuses import OVER_LIMIT
from pytest_cloudimages.spec.verdicts import Blocked

Attributes = Mapping[str, Any]
FULL = "no more attributes are taken (413), or none of one's own (403)"
MOVING = frozenset({"updated_at"})
"""What a service may change with any request."""
OF_VALUES = (Aim.VALUE, Aim.ALIKE, Aim.ODD, Aim.NEARLY)
"""The aims of patches by what they name and set alone: whoever cannot show it may show all the rest."""
BOUNDS = ("minimum", "maximum", "multipleOf")
"""What a schema says of the numbers that it allows."""
NONE_TAKEN = frozenset({403, OVER_LIMIT})
"""How a service says that it takes no attributes of one's own: a policy protects them, or the quota is used up."""
MISSED = {"remove": Aim.NOT_THERE_REMOVED, "replace": Aim.NOT_THERE_REPLACED}
"""The aims that ask alone for an operation on what is not there."""


def attributes_of(answer: Answer) -> Attributes:
    """Return the attributes that an answer shows. Raise ``Blocked`` where it shows no image."""
    data = answer.data if answer.ok else None
    if not isinstance(data, dict):
        raise Blocked(f"The image cannot be read: {answer.exchange}")
    return data


def differing(
    shown: Attributes, expected: Attributes, *, only: set[str] | None = None, moving: frozenset[str] = MOVING
) -> list[str]:
    """Return the names of attributes that are not as expected, in their order; those that may move never are."""
    names = ({*shown, *expected} if only is None else only) - moving
    missing = object()
    return sorted(
        name
        for name in names
        # An attribute of the schema that has no value may be shown as null, or left out. (IMG-ENT-02.)
        if not alike(name, shown.get(name, missing), expected.get(name, missing))
        and not (shown.get(name) is None and expected.get(name) is None)
    )


def out_of_bounds(number: int, described: Attributes) -> bool:
    """Return whether a number is none of those that a schema allows: what it says of them is a number, or nothing."""
    least, most, step = (each if is_whole(each) else None for each in map(described.get, BOUNDS))
    return (
        (least is not None and number < least) or (most is not None and number > most) or bool(step and number % step)
    )


def has_tags(shown: Attributes, given: Attributes) -> bool:
    """Return whether an image has the tags that it was given; others may have been added by whomever."""
    has, wanted = ({*map(str, tags)} if isinstance(tags := each.get("tags"), list) else None for each in (shown, given))
    return has is not None and wanted is not None and has >= wanted


def added_tags(shown: Attributes, before: Attributes) -> set[str]:
    """Return the tags that an image has and had not before."""
    now, then = (each.get("tags") for each in (shown, before))
    return {*map(str, now if isinstance(now, list) else ())} - {*map(str, then if isinstance(then, list) else ())}


@dataclass(frozen=True)
class Attempt:
    """A patch that was sent, and the image before and after it."""

    wanted: Wanted
    answer: Answer
    before: Attributes
    after: Attributes
    looked: Exchange
    """The look at the image after it."""
    moving: frozenset[str] = MOVING
    """The attributes that change whatever is done."""

    def __str__(self) -> str:
        return self.wanted.in_words

    @property
    def escaped(self) -> bool:
        """Whether a path of the patch has escapes."""
        return isinstance(self.wanted.body, list) and any("~" in str(each) for each in self.wanted.body)

    @property
    def long_name(self) -> int:
        """How many characters the name has that is set, where its length is what it is about."""
        first = self.wanted.body[0] if self.wanted.aim is Aim.VALUE else {}
        long = self.wanted.kind == LONG and first.get("path") == "/name"
        return len(first["value"]) if long else 0

    @property
    def of_minima(self) -> bool:
        """Whether it sets what an image needs at least, and nothing else."""
        return self.wanted.aim in (Aim.STANDARD, Aim.WITH_DATA) and self.named <= {"min_disk", "min_ram"}

    @property
    def adds(self) -> bool:
        """Whether it adds an attribute that the image does not have."""
        return not {*self.before} >= {attribute_of(each["path"]) for each in self.wanted.body if each["op"] == "add"}

    @cached_property
    def expected(self) -> dict[str, Any]:
        """The attributes that the image has to have, once the patch is carried out."""
        return applied(self.before, in_the_new_form(self.wanted.body))

    @cached_property
    def named(self) -> set[str]:
        """The attributes that the patch names."""
        return named_by(in_the_new_form(self.wanted.body))

    @property
    def undone(self) -> dict[str, str]:
        """The attributes that several of its operations name and that are not as it says, each with the one not done.

        What is lacking was not added, or not for good; what is there is as the last of them says.
        """
        names = [attribute_of(each["path"]) for each in self.wanted.body]
        last = {name: each["op"] for name, each in zip(names, self.wanted.body, strict=True)}
        return {name: last[name] if name in self.after else "add" for name in self.wrong if names.count(name) > 1}

    @cached_property
    def wrong(self) -> list[str]:
        """The attributes that it names and that are not as it says."""
        return self._but_of_others(differing(self.after, self.expected, only=self.named), self.expected)

    @cached_property
    def strayed(self) -> list[str]:
        """The attributes that it does not name and that have changed."""
        return [name for name in self.changed if name not in self.named]

    @property
    def not_replaced(self) -> list[str]:
        """The attributes that are not set to what is nearly what they were, though that was kept as it was set."""
        return [name for name in self.wrong if name in NEAR and self.before.get(name) == NEAR[name][0]]

    @property
    def half_done(self) -> list[str]:
        """The attributes that it names and has left as they were, where it has changed others as it says."""
        moved = {*differing(self.after, self.before, only=self.named)}
        return sorted({*self.wrong} - moved) if moved - {*self.wrong} else []

    @cached_property
    def changed(self) -> list[str]:
        """The attributes that have changed."""
        changed = self._but_late(differing(self.after, self.before, moving=self.moving), self.before)
        return self._but_of_others(changed, self.before)

    @property
    def told(self) -> Attributes:
        """The attributes that the answer shows; none where it shows no image."""
        return self.answer.document

    @cached_property
    def told_otherwise(self) -> list[str]:
        """The attributes that the answer shows, and the image has not so."""
        told = attributes_of(self.answer)
        return self._but_of_others(self._but_late(differing(told, self.after, moving=self.moving), told), told)

    def _but_of_others(self, names: list[str], due: Attributes) -> list[str]:
        """Return the attributes but for tags, where all that are due are there, and more that others have added."""
        more = added_tags(self.after, due)
        text, before = str(self.wanted.body), {*map(str, self.before.get("tags") or ())}
        of_others = has_tags(self.after, due) and more.isdisjoint(before) and not any(tag in text for tag in more)
        return [name for name in names if name != "tags" or not of_others]

    def _but_late(self, names: list[str], before: Attributes) -> list[str]:
        """Return the attributes but for what is found in data a while after it has come, and no patch speaks of."""
        late = OF_DATA if self.after.get("status") not in (None, "queued") else frozenset[str]()
        text = str(self.wanted.body)
        return [name for name in names if not (name in late and before.get(name) is None and f"/{name}" not in text)]


@dataclass(frozen=True)
class Beside:
    """An image that no patch was about: as it was before any, or as one is created, and as it is after all of them."""

    before: Attributes
    after: Attributes
    names: set[str]
    """The attributes that patches of the other image named."""
    looked: Exchange
    tags: frozenset[str] = frozenset()
    """The tags that they set there."""

    @property
    def touched(self) -> list[str]:
        """Those of them that have changed; a tag that no patch has set, somebody else has added."""
        touched = differing(self.after, self.before, only=self.names)
        others = has_tags(self.after, self.before) and self.tags.isdisjoint(added_tags(self.after, self.before))
        return [name for name in touched if name != "tags" or not others]


@dataclass(frozen=True, repr=False)
class Updates(Collection):
    """The patches that were tried on one image."""

    tried: Sequence[Attempt]
    others: Sequence[Beside] = ()
    unread: Sequence[Unread] = ()
    described: Mapping[str, Any] = field(default_factory=dict)
    """The attributes by the live schema; looked up where a long name was refused, or a format."""

    @property
    def longest_name(self) -> int:
        """How long a name may be by the live schema, where one was refused that is long."""
        longest = self._described_as("name").get("maxLength")
        return longest if isinstance(longest, int) else 0

    def _described_as(self, name: str) -> Mapping[str, Any]:
        described = self.described.get(name)
        return described if isinstance(described, dict) else {}

    def is_no_format(self, attempt: Attempt) -> bool:
        """Return whether a format was refused that the live schema does not list: which there are is configured."""
        if attempt.wanted.aim is not Aim.FORMAT or not attempt.answer.refused:
            return False
        for each in attempt.wanted.body:
            listed = self._described_as(attribute_of(each["path"])).get("enum")
            if not isinstance(listed, list) or each["value"] not in listed:
                return True
        return False

    def takes_its_values(self, attempt: Attempt) -> bool:
        """Return whether a patch sets nothing to an empty text, or that is taken where it is what a patch is about."""
        empty = [each for each in self.tried if each.wanted.aim is Aim.VALUE and each.wanted.body[0]["value"] == ""]
        return all(each.get("value") != "" for each in attempt.wanted.body) or any(each.answer.ok for each in empty)

    def is_no_minimum(self, attempt: Attempt) -> bool:
        """Return whether a minimum was refused that the live schema does not allow, or that says nothing.

        A service may have a least one, and new images that.
        """
        return (
            attempt.of_minima
            and attempt.answer.refused
            and any(
                each["value"] == 0 or out_of_bounds(each["value"], self._described_as(attribute_of(each["path"])))
                for each in attempt.wanted.body
            )
        )

    @property
    def work_singly(self) -> bool:
        """Whether every kind of operation is carried out where a patch has one alone."""
        singly = (Aim.NAME, Aim.ADDED, Aim.REPLACED, Aim.REMOVED, Aim.STANDARD)
        return all(attempt.answer.ok and not attempt.wrong for attempt in self.tried if attempt.wanted.aim in singly)

    @property
    def work_together(self) -> bool:
        """Whether what patches of a few operations say is there once they were acknowledged."""
        few = [attempt for attempt in self.tried if attempt.wanted.aim is Aim.TOGETHER and attempt.answer.ok]
        return not any(attempt.wrong for attempt in few)

    @property
    def kept_singly(self) -> bool:
        """Whether whatever was acknowledged where a patch has one operation alone is there as it says."""
        singly = (Aim.NAME, Aim.ADDED, Aim.REPLACED, Aim.REMOVED, Aim.BACK, Aim.REPEATED)
        return not any(each.wrong for each in self.tried if each.answer.ok and each.wanted.aim in singly)

    def revived(self, attempt: Attempt) -> set[str]:
        """Return the attributes that are there again, after they were removed before, and that a patch does not name.

        Whoever was seen to lack them lacks them until somebody adds them.
        """
        shown, gone = {*attempt.strayed} & {*attempt.after}, set[str]()
        # The more was tried, the longer takes what follows.
        for earlier in self.tried[: self.tried.index(attempt)] if shown else ():
            removing = (*CARRIED_OUT, Aim.NOT_THERE_REMOVED)
            if earlier.after.get("id") == attempt.after.get("id") and earlier.wanted.aim in removing:
                there = {*earlier.after}
                gone = (gone | (earlier.named & {*earlier.before} if earlier.answer.ok else set())) - there
        return gone & shown

    def strayed(self, attempt: Attempt) -> list[str]:
        """Return the attributes that have changed by a patch that does not name them, but for what is revived."""
        revived = self.revived(attempt)
        return [name for name in attempt.strayed if name not in revived]

    @property
    def carries_out(self) -> bool:
        """Whether what has a plain name is replaced and removed, alone and together with others."""
        aims = (Aim.REPLACED, Aim.REMOVED, Aim.TOGETHER)
        return all(each.answer.ok and not each.wrong for each in self.tried if each.wanted.aim in aims)

    def never_there(self, attempt: Attempt) -> bool:
        """Return whether the image does not show what a patch names, nor was it acknowledged, and not removed since.

        A service that keeps attributes and does not show them is accused by those who ask for what it shows.
        """
        kept = set[str]()
        for earlier in self.tried[: self.tried.index(attempt)]:
            for each in earlier.wanted.body if earlier.answer.ok and earlier.wanted.aim in VALID else ():
                names = {attribute_of(each["path"])}
                kept = kept - names if each["op"] == "remove" else kept | names
        return attempt.named.isdisjoint({*attempt.before, *kept})

    def escapes_work(self, attempt: Attempt) -> bool:
        """Return whether a patch has no escapes, or such as are undone where they are what a patch is about."""
        escaped = [each for each in self.tried if each.wanted.aim is Aim.ESCAPED]
        return not attempt.escaped or all(each.answer.ok and not each.wrong for each in escaped)

    def taken_alone(self, attempt: Attempt) -> bool:
        """Return whether the last operation of a patch, or one that is as wrong, was taken where it was by itself.

        What is acknowledged in the old form by itself, and not done, is not done among others either.
        """
        old = [each for each in self.tried if each.wanted.aim is Aim.OLD_FORM and each.answer.ok]
        if attempt.wanted.media_type == OLD_TYPE and any(each.wrong for each in old):
            return True
        last = in_the_new_form(attempt.wanted.body)[-1:]
        missing = attribute_of(last[0]["path"]) not in attempt.before
        alike = MISSED.get(last[0]["op"]) if missing else None
        return any(other.answer.ok and (other.wanted.body == last or other.wanted.aim is alike) for other in self.tried)

    @cases
    def unreadable(self) -> Iterator[Case[Unread]]:
        """Return the looks at the image that show none, once an attribute was set that the service took."""
        for unread in self.unread:
            yield Case(unread, [unread.looked.exchange], unread.wanted.kind)

    @cases
    def beside(self) -> Iterator[Case[Beside]]:
        """Return the images that no patch was about."""
        for image in self.others:
            yield Case(image, [image.looked])

    @cases
    def images(self) -> Iterator[Case[Attributes]]:
        """Return the image as it was shown after each patch."""
        for attempt in self.tried:
            yield Case(attempt.after, [attempt.answer.exchange, attempt.looked])

    def require_working(self) -> None:
        """Raise ``Blocked`` where the service does not even change a name: then nothing else tells anything."""
        first = next((attempt for attempt in self.tried if attempt.wanted.aim is Aim.NAME), None)
        if first is not None and not first.answer.ok:
            raise Blocked(f"Nothing can be said of patches where this one was refused: {first.answer.exchange}")

    def is_full(self, attempt: Attempt) -> bool:
        """Return whether one more attribute was refused by 413, and another taken before, or none ever: a quota.

        By 403 whoever may set no attribute of one's own is told so, whichever it is: a policy protects them.
        """
        if self.take_none and attempt.answer.status in NONE_TAKEN:
            return attempt.adds
        earlier = self.tried[: self.tried.index(attempt)]
        taken = (each for each in earlier if each.answer.ok and each.wanted.aim in VALID and each.adds)
        return attempt.answer.status == OVER_LIMIT and any(taken)

    @property
    def take_none(self) -> bool:
        """Whether what adds an attribute of one's own was always refused so, and no image got any."""
        answers = {each.answer.status for each in self.tried if each.wanted.aim is Aim.ADDED}
        own = ({*each.after} - {*each.before} - OF_IMAGES for each in self.tried)
        return len(answers) == 1 and answers <= NONE_TAKEN and not any(own)

    @cases
    def attempts(self, *aims: Aim) -> Iterator[Case[Attempt]]:
        """Return the patches of some aims, or all; but for that of a name, only where that one works."""
        if aims != (Aim.NAME,):
            self.require_working()
        found = [
            attempt
            for attempt in self.tried
            if (not aims or attempt.wanted.aim in aims)
            and (not attempt.wanted.needs or attempt.wanted.needs in attempt.before)
        ]
        if not found and self.take_none:
            pytest.skip(FULL)
        for attempt in found:
            yield Case(attempt, [attempt.answer.exchange, attempt.looked], attempt.wanted.kind or None)
