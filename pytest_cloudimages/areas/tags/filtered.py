"""Lists filtered by tags: whose images they hold, page by page, and what they show of them."""

import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from pytest_cloudimages.areas.common.offers import made_visible
from pytest_cloudimages.areas.common.paging import Query, limit_of, target_of
from pytest_cloudimages.areas.images.life import Life
from pytest_cloudimages.areas.images.states import first_taken, shared
from pytest_cloudimages.areas.tags.corpus import FILTERED, NEAR, SAME_TO_PROGRAMS, TOLD_APART, WORDS_FILTERED
from pytest_cloudimages.areas.tags.resource import set_tags, sorted_strings
from pytest_cloudimages.areas.tags.selections import Known, Listed, Selection, Selections
from pytest_cloudimages.areas.tags.tag_limit import how_to_state_it
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

MOST_PAGES = 8
"""Pages of one filtered list that are followed: a service that takes no notice of the filter has no end."""
BY_FIREWALLS = (403, 406)
ORDINARY = re.compile(r"[A-Za-z0-9 ._-]*")

THE_TAG = "one tag"
SPECIAL = "a special tag"
DELETED = "a tag that was deleted"
EMPTIED = "a tag that a PATCH has taken off with all others"
SEVERAL = "several tags"
PAGED = ("", "&x=1+%2B#z")
"""What stands around the mark in the tag of several images that is looked for page by page."""
SORTED_BY = ("created_at", "updated_at", "status", "size")
"""Keys that lists by a tag are sorted by, besides those by which they are also read page by page."""
AMONG = tuple(f"among-{place}" for place in range(60))
"""Tags that nobody looks for, so that the one that is stands at the end of many."""
TOGETHER_WITH = "together with"
TOGETHER = f"a tag {TOGETHER_WITH}"
ANOTHER_PROJECT = "to another project"
LABELS = ("the first image", "the image whose tags are close to it", "the second image", "the third image")
STRANGE = "a private image of another project"


@dataclass
class _Filtering:
    run: Run
    known: list[Known] = field(default_factory=list)
    found: list[Selection] = field(default_factory=list)
    details: list[Answer] = field(default_factory=list)
    """What images of the run have shown of themselves."""

    def shown(self, label: str, image: Image) -> Known:
        """Return an image of the run as it shows itself."""
        answer = image.show()
        self.details.append(answer)
        return Known(label, image, answer.document)

    def compare(
        self, asked: str, client: ImagesClient, tag: str, narrowing: Query, *, besides: Sequence[str] | None = None
    ) -> None:
        """Ask for a list with a tag and without: it holds the images that carry the tag of those it holds anyway.

        Where it is asked for by the tag alone, ``besides`` are the further images that carry it and are held anyway.

        Whether others than the owner are shown the tags is not defined (TAG-VIS-09), nor then what they find by them.
        """
        query = (("tag", tag), *(narrowing if besides is None else ()))

        def look() -> Selection | None:
            # Either list may be late: where they differ, both are asked for again.
            anyway = self._anyway(client, tag, narrowing)
            return None if anyway is None else self._once(asked, query, client, [*anyway, *(besides or ())])

        found = self.known[0].image.eventually(look, lambda selection: selection is None or _good(selection))
        if found:
            self.keep(found)

    def _anyway(self, client: ImagesClient, tag: str, narrowing: Query) -> list[str] | None:
        """Return the images with a tag that a caller is shown anyway; ``None`` where it is not shown all their tags."""
        anyway = self.pages(client, narrowing)
        if anyway.status != 200 or anyway.problem or anyway.blocked:  # noqa: PLR2004 - as HTTP has it
            return None
        held = [known for known in self.known if known.label in anyway.labels]
        for known in held:
            if sorted(self.shown(known.label, known.image.seen_by(client)).tags) != sorted(known.tags):
                return None
        return [known.label for known in held if tag in known.tags]

    def ask(
        self,
        asked: str,
        query: Query,
        *,
        client: ImagesClient | None = None,
        expected: Sequence[str] | None = None,
    ) -> Selection:
        """Ask for a filtered list, and again while it is not as it has to be and there is patience.

        What the images showed of themselves may have been late as well, so that they are looked at again too.
        """
        client = client or self.run.client
        looks = 0

        def look() -> Selection:
            nonlocal looks
            looks += 1
            if looks > 1:
                by_now = [self.shown(known.label, known.image) if known.seen else known for known in self.known]
                self.known = [now if now.data else known for now, known in zip(by_now, self.known, strict=True)]
            satisfying = [known.label for known in self.known if known.satisfies(query)]
            return self._once(asked, query, client, satisfying if expected is None else expected)

        return self.known[0].image.eventually(look, _good)

    def _once(self, asked: str, query: Query, client: ImagesClient, expected: Sequence[str]) -> Selection:
        carried = {known.label: known.tags for known in self.known}
        with client.recorder.scope() as sent:
            listed = self.pages(client, query)
        return Selection(asked, query, (*expected,), listed, carried, tuple(sent))

    def pages(self, client: ImagesClient, query: Query) -> Listed:
        """Return what the list shows of the images that are known, all its pages together."""
        labels: list[str] = []
        tags: dict[str, object] = {}
        seen: set[str] = set()
        limit = limit_of(query) or 0
        target = target_of("/images", query)
        status, problem, blocked = 200, "", ""
        by_id = {known.image.id: known.label for known in self.known}
        while target and len(seen) < MOST_PAGES and not problem:
            seen.add(target)
            answer = client.send("GET", target)
            status, entries = answer.status, _entries(answer)
            if entries is None:
                problem = "" if answer.status != 200 else "there is no list of images"  # noqa: PLR2004 - as HTTP has it
                break
            problem = f"limit is {limit}, and a page has {len(entries)} images" if 0 < limit < len(entries) else ""
            for entry in entries:
                if label := by_id.get(str(entry.get("id"))):
                    labels.append(label)
                    tags[label] = entry.get("tags")
            try:
                target = client.following(target, answer.data)
            except Blocked as refusal:
                target, blocked = "", str(refusal)
            if target in seen:
                problem = f"they go in a circle: {target} was read before"
        return Listed(tuple(labels), tags, status, problem, blocked)

    def keep(self, *selections: Selection) -> None:
        """Take lists to what checks look at, but for those that a service may refuse."""
        self.found += [selection for selection in selections if not _may_refuse(selection)]
        self.run.show(lambda: Selections(self.found, details=self.details))


def _good(selection: Selection) -> bool:
    alike = sorted(selection.listed.labels) == sorted(selection.expected)
    return alike and all(
        sorted_strings(tags) == sorted(selection.carried[label]) for label, tags in selection.listed.tags.items()
    )


def _may_refuse(selection: Selection) -> bool:
    """Return whether a list was refused for what is no tag, or for a tag that is no printable text.

    A firewall may forbid what it takes for code.
    """
    if selection.listed.status in BY_FIREWALLS and not all(map(ORDINARY.fullmatch, selection.tags)):
        return True
    if not 400 <= selection.listed.status < 500:  # noqa: PLR2004 - the class of codes
        return False
    plain = all(key in ("tag", "limit") for key, _ in selection.query)
    return not plain or not all(tag.isprintable() for tag in selection.tags)


@workload(empty=lambda: Selections([]), requests=(0, 129, 129, 129))
def filtered_lists(run: Run) -> Selections:
    """Filter the list of images by tags, alone and with all else that lists can be asked for, page by page."""
    if not run.rounds:
        return Selections([])
    if run.single:
        return Selections([], untested="needs a second image: lend another with a further --image ID")
    mark = f"f{uuid.uuid4().hex[1:]}"
    other, third = f"{mark}-other", f"{mark}-third"
    special = [*(_around(mark, ends) for ends in FILTERED), *WORDS_FILTERED]
    filtering = _Filtering(run)
    with ExitStack() as stack:
        first = stack.enter_context(run.fresh_image())
        # No more than an image may carry.
        limit = run.settings.tag_limit
        tags = [other, third, _around(mark, PAGED), *special][: limit - 1 if limit else None]
        _give(first, [*tags, mark], among=() if limit else AMONG)
        # Neither the newest nor the oldest: a further page that forgets the filter shows it.
        near = stack.enter_context(_called_as_the_filter(run, mark))
        close = [*(_around(mark, ends) for ends in NEAR), *SAME_TO_PROGRAMS]
        _give(near, [other, mark.upper(), mark[:-1], mark[1:], "y", *close][:limit])
        further: list[Image] = []
        # There may be no more images than were lent.
        with suppress(Blocked):
            for tags in ([mark, other, _around(mark, PAGED)][:limit], [mark]):
                further.append(stack.enter_context(run.fresh_image()))
                _give(further[-1], tags)
        _tried_by_a_reader(run, [first, near, *further][-1], mark)
        labelled = zip(LABELS, [first, near, *further], strict=False)
        filtering.known += [filtering.shown(label, image) for label, image in labelled]
        stranger = _stranger(run, stack, filtering, [mark, other])
        if mark not in filtering.known[0].tags:
            stated = how_to_state_it(run.settings)
            why = f"The image does not carry the tag that was to be looked for: {mark}.{stated}"
            return Selections([], blocked=why)
        _ask_all(filtering, mark, other, third, [tag for tag in special if tag in filtering.known[0].tags])
        if stranger:
            _ask_as(run, stranger, filtering, mark)
        _ask_when_deleted(filtering, mark)
        _ask_when_emptied(filtering, other)
        _ask_in_other_states(run, filtering, mark)
        if stranger:
            _ask_of_the_community(stranger, filtering, mark)
    return Selections(filtering.found, details=filtering.details)


def _called_as_the_filter(run: Run, mark: str) -> AbstractContextManager[Image]:
    """Open an image without tags, with a property that is called as the filter is, and has what is looked for."""
    named = [partial(run.fresh_image, tag=mark)] if run.takes_attributes and not run.settings.image else []
    return first_taken(*named, run.fresh_image)


def _ask_all(filtering: _Filtering, mark: str, other: str, third: str, special: Sequence[str]) -> None:
    by_mark = ("tag", mark)
    whole = filtering.ask(THE_TAG, (by_mark,))
    filtering.keep(whole, filtering.ask("the same tag twice", (by_mark, by_mark)))
    for tags in ((mark, other), (other, mark, third), (third, mark), (mark, f"{mark}-nowhere")):
        filtering.keep(filtering.ask(SEVERAL, tuple(("tag", tag) for tag in tags)))
    pages: tuple[Query, ...] = (
        (("limit", "1"),),
        (("limit", "2"),),
        (("sort_key", "name"), ("sort_dir", "desc")),
        (("limit", "1"), ("sort_key", "name"), ("sort_dir", "asc")),
        # In one of both orders an image that carries only one of the tags comes after the first that carries both.
        *((("tag", other), ("sort_key", "id"), ("sort_dir", way), ("limit", "1")) for way in ("asc", "desc")),
        # What is sorted otherwise may be read elsewhere: from an index, or a table of times.
        *((("sort_key", key),) for key in SORTED_BY),
    )
    for narrowing in (*pages, *_narrowings(filtering.known)):
        filtering.keep(filtering.ask(f"{TOGETHER} {_keys(narrowing)}", (by_mark, *narrowing)))
    if len(whole.listed.labels) > 1 and _good(whole):
        # Whatever the order is: after the first of the list comes the rest of it.
        begin = next(known.image.id for known in filtering.known if known.label == whole.listed.labels[0])
        filtering.keep(
            filtering.ask(f"{TOGETHER} marker", (by_mark, ("marker", begin)), expected=whole.listed.labels[1:])
        )
    for tag in special:
        filtering.keep(filtering.ask(SPECIAL, (("tag", tag),)))
    # What answers by what was asked before may take one address for another that it is folded, cut or decoded to.
    for tag in [_around(mark, ends) for ends in TOLD_APART]:
        if any(tag in known.tags for known in filtering.known):
            filtering.keep(filtering.ask(SPECIAL, (("tag", tag),)))
    paged = _around(mark, PAGED)
    if sum(paged in known.tags for known in filtering.known) > 1:
        filtering.keep(filtering.ask(f"{SPECIAL} {TOGETHER_WITH} limit", (("tag", paged), ("limit", "1"))))


def _narrowings(known: Sequence[Known]) -> Iterator[Query]:
    """Yield what else a list is filtered by, as the images themselves say it of them."""
    first = known[0].data
    others = {"status": ("active", "queued"), "visibility": ("public", "private")}
    for key in ("name", "status", "visibility"):
        value = first.get(key)
        if isinstance(value, str) and value:
            yield ((key, value),)
            yield from (((key, another),) for another in others.get(key, ()) if another != value)
    last = [image.data.get("name") for image in known if image.seen][-1]
    if isinstance(last, str) and last and last != first.get("name"):
        yield (("name", last), ("limit", "1"))


def _ask_in_other_states(run: Run, filtering: _Filtering, mark: str) -> None:
    """Ask for an image that is hidden, and then deactivated: it carries its tags all the same."""
    life, images = Life(run), [known.image for known in filtering.known if known.seen][2:]
    if run.settings.image or not images:
        return
    image, client = images[0], run.client
    narrowing: Query = (("name", image.name),)
    with suppress(pytest.skip.Exception):
        if life.happen(image, "hidden"):
            narrowing = (*narrowing, ("os_hidden", "true"))
            filtering.compare(f"{TOGETHER} os_hidden", client, mark, narrowing)
        if life.happen(image, "active") and life.happen(image, "deactivated"):
            try:
                filtering.compare("a tag of a deactivated image", client, mark, narrowing)
            finally:
                # Glance keeps the data of an image that is deleted while it is deactivated.
                life.happen(image, "reactivated")


def _ask_when_deleted(filtering: _Filtering, mark: str) -> None:
    first = filtering.known[0]
    first.image.delete_tag(mark)
    if mark not in first.image.read(lambda found: mark not in found):
        # As all of them are by then: a deletion that took the tag off others too is another requirement's.
        seen = [filtering.shown(known.label, known.image) if known.seen else known for known in filtering.known]
        filtering.known = seen
        filtering.keep(filtering.ask(DELETED, (("tag", mark),)))


def _ask_when_emptied(filtering: _Filtering, other: str) -> None:
    """Ask for a tag that an image carried until a PATCH has left it without any."""
    near = filtering.known[1]
    with near.image.client.recorder.of(Purpose.PREPARING):
        emptied = set_tags(near.image, []).document if other in near.tags else {}
    if emptied.get("tags") == []:
        filtering.known[1] = Known(near.label, near.image, emptied)
        filtering.keep(filtering.ask(EMPTIED, (("tag", other),)))


def _tried_by_a_reader(run: Run, image: Image, tag: str) -> None:
    """Have who may only read try to delete a tag that is looked for later: what is refused is found as before."""
    with suppress(Blocked), run.recorder.of(Purpose.PREPARING):
        if reader := run.caller("READER"):
            image.seen_by(reader).delete_tag(tag)


def _stranger(run: Run, stack: ExitStack, filtering: _Filtering, tags: list[str]) -> ImagesClient | None:
    """Return another project with an image of the same tags that the tester cannot see; ``None`` if there is none."""
    other = None if run.settings.image else run.of_another_project(able=True)
    if other is None:
        return None
    with suppress(Blocked):
        image = stack.enter_context(temporary_image(other, run.name, run.patience))
        _give(image, tags)
        if image.seen_by(run.client).show().status in (403, 404):
            # What the tester cannot see satisfies nothing.
            filtering.known.append(Known(STRANGE, image, {"tags": image.tags()}, seen=False))
            return other
    return None


def _ask_as(run: Run, other: ImagesClient, filtering: _Filtering, mark: str) -> None:
    """Ask as another project: of images that it sees not, or only later, it is shown what the list shows it anyway."""
    own = [known.image for known in filtering.known if known.seen]
    if own[0].seen_by(other).show().status in (403, 404):
        filtering.keep(filtering.ask(ANOTHER_PROJECT, (("tag", mark),), client=other, expected=[STRANGE]))
    image = own[-1]
    named: Query = (("name", image.name),)
    with suppress(Blocked, pytest.skip.Exception), run.recorder.of(Purpose.PREPARING):
        project = run.owner_of(other)
        shared(image, project)
        # A further member makes no difference, whoever it is; a service need not take one that it does not know.
        image.send("POST", "/members", json={"member": uuid.uuid4().hex})
        filtering.compare(f"{ANOTHER_PROJECT}, offered", other, mark, named, besides=[STRANGE])
        if other.send("PUT", f"/images/{image.id}/members/{project}", json={"status": "accepted"}).ok:
            filtering.compare(f"{ANOTHER_PROJECT}, shared", other, mark, named)
            # Nor does it find by a tag what does not carry it, because it is shared.
            nowhere = filtering.ask(ANOTHER_PROJECT, (("tag", f"{mark}-nowhere"),), client=other, expected=[])
            filtering.keep(nowhere)


def _ask_of_the_community(other: ImagesClient, filtering: _Filtering, mark: str) -> None:
    """Have another project ask for an image of the community; in the end, since no other list need hold it any more."""
    image = [known.image for known in filtering.known if known.seen][-1]
    with suppress(Blocked, pytest.skip.Exception):
        if not made_visible(image, "community"):
            query = (("name", image.name), ("visibility", "community"))
            filtering.compare(f"{ANOTHER_PROJECT}, of the community", other, mark, query)


def _give(image: Image, tags: Sequence[str], *, among: Sequence[str] = ()) -> None:
    """Put tags on an image, at once if it can be, or one by one those that the service takes.

    ``among`` are others, of no meaning, that come before them where the service takes so many.
    """
    with image.client.recorder.of(Purpose.PREPARING):
        for given in ([*among, *tags], tags) if among else (tags,):
            if set_tags(image, given).ok and {*image.eventual_tags(given)} == {*given}:
                return
        missing = [tag for tag in tags if tag not in image.tags()]
        added = [tag for tag in missing if image.add_tag(tag).ok]
        image.read(lambda found: {*added} <= {*found})


def _around(mark: str, ends: tuple[str, str]) -> str:
    return mark.join(ends)


def _keys(query: Query) -> str:
    return ", ".join(dict.fromkeys(key for key, _ in query))


def _entries(answer: Answer) -> list[dict[str, Any]] | None:
    entries = answer.document.get("images") if answer.status == 200 else None  # noqa: PLR2004 - as HTTP has it
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else None
