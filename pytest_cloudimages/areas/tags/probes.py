"""A probe of the basics: whether plain tags can be added, repeated, deleted and re-added at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_cloudimages.client.exchange import Exchange, Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine import recording
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.steps import Prior
from pytest_cloudimages.spec.verdicts import Blocked, LostAnswer


@dataclass(frozen=True)
class Attempt:
    """What was tried with plain tags, and what was seen."""

    works: bool
    told: str
    exchanges: Sequence[Exchange] = field(default=(), repr=False)


@dataclass(frozen=True)
class Basics:
    """What works with plain tags: a precondition for findings about special ones."""

    adds: bool
    repeats: bool
    deletes: bool
    returns: bool = True
    """Whether a deleted tag can be re-added and deleted again."""
    attempts: Mapping[str, Attempt] = field(default_factory=dict, repr=False)
    """What showed that something does not work, by the name of that."""

    @property
    def addable(self) -> list[Prior]:
        """What may have become of a tag whose addition is asked about: one is added again only where that works."""
        return [Prior.NEVER, Prior.PRESENT] if self.repeats else [Prior.NEVER]

    def require_additions(self) -> None:
        """Raise ``Blocked`` if plain tags cannot be added."""
        self._require("adds", "plain tags cannot be added; see TAG-ADD-*")

    def require_second_lives(self) -> None:
        """Raise ``Blocked`` if plain tags cannot be repeated, deleted, or re-added after they were deleted."""
        self.require_deletions()
        self._require("repeats", "a plain tag cannot be added again; see TAG-ADD-05 and TAG-ADD-06")
        self._require("returns", "a plain tag cannot be re-added after it was deleted; see TAG-HIST-01")

    def require_deletions(self) -> None:
        """Raise ``Blocked`` if plain tags cannot be deleted."""
        self._require("deletes", "plain tags cannot be deleted; see TAG-DEL-*")

    def _require(self, name: str, otherwise: str) -> None:
        """Raise ``Blocked`` where something does not work, with what was tried and seen."""
        if getattr(self, name):
            return
        told = ""
        if attempt := self.attempts.get(name):
            recording.current_check().show(attempt.exchanges)
            told = f" {attempt.told}"
        raise Blocked(f"Precondition failed: {otherwise}.{told}")


@workload(requests=(14, 14, 14, 14))
def basics(run: Run) -> Basics:
    """Return what works with a few plain tags: in one go, and step by step on another image where that did not do."""
    with run.recorder.of(Purpose.PREPARING):
        everything = Basics(adds=True, repeats=True, deletes=True)
        return everything if _in_one_go(run) else _step_by_step(run)


def _deleted(image: Image, tag: str) -> bool:
    """Return whether a deletion was acknowledged, or carried out though its answer was lost."""
    try:
        return image.delete_tag(tag).ok
    except LostAnswer:
        return True


def _in_one_go(run: Run) -> bool:
    # One is a prefix, one a suffix of another: telling these apart is a precondition of everything else.
    tags = ["control", "controls", "uncontrol"]
    with run.fresh_image() as image:
        added = [image.add_tag(tag).ok for tag in (*tags, "control")]
        if not all(added) or sorted(image.eventual_tags(tags)) != tags:
            return False
        # A tag that comes back when another one is added would show as well.
        changed = [_deleted(image, "control"), _deleted(image, "uncontrol"), image.add_tag("control").ok]
        if not all(changed) or sorted(image.eventual_tags(tags[:2])) != tags[:2]:
            return False
        return all(_deleted(image, tag) for tag in tags[:2]) and not image.eventual_tags([])


def _step_by_step(run: Run) -> Basics:
    """Return what works, each on tags of its own: what goes wrong with one must not be said of another."""
    tags, left = ["control", "controls", "third", "uncontrol"], ["controls", "later", "uncontrol"]
    with run.fresh_image() as image:
        added = _attempt(run, image, [(Kind.ADD, tag) for tag in tags], tags)
        steps = [(Kind.DELETE, "control"), (Kind.DELETE, "third"), (Kind.ADD, "later")]
        deleted = _attempt(run, image, steps, left) if added.works else added
        if deleted.works:
            deleted = _attempt(run, image, [(Kind.DELETE, tag) for tag in left], [])
        returned = _attempt(run, image, [(Kind.ADD, "later")], ["later"]) if deleted.works else deleted
        if returned.works:
            returned = _attempt(run, image, [(Kind.DELETE, "later")], [])
        # The last, so that whatever comes of it is in the way of nothing else.
        repeated, before = added, list[str]()
        if added.works:
            before = [*image.eventual_tags([])] if not returned.works else []
            steps = [(Kind.ADD, "beside"), (Kind.ADD, "again"), (Kind.ADD, "again")]
            repeated = _attempt(run, image, steps, sorted([*before, "again", "beside"]))
        if repeated.works and deleted.works:
            repeated = _attempt(run, image, [(Kind.DELETE, "again")], sorted([*before, "beside"]))
    attempts = {"adds": added, "repeats": repeated, "deletes": deleted, "returns": returned}
    return Basics(**{name: attempt.works for name, attempt in attempts.items()}, attempts=attempts)


def _attempt(run: Run, image: Image, steps: Sequence[tuple[Kind, str]], expected: Sequence[str]) -> Attempt:
    """Add and delete tags, and look whether just the expected ones are there then."""
    told, acknowledged = [], True
    with run.recorder.scope() as sent:
        for kind, tag in steps:
            method = "PUT" if kind is Kind.ADD else "DELETE"
            try:
                answer = image.add_tag(tag) if kind is Kind.ADD else image.delete_tag(tag)
            except LostAnswer:
                if kind is Kind.ADD:
                    raise
                told.append(f"{method} {tag!a} → no answer")
                continue
            acknowledged = acknowledged and answer.ok
            told.append(f"{method} {tag!a} → {answer.status}")
        shown = sorted(image.eventual_tags(expected))
    works = acknowledged and shown == [*expected]
    tried = f"Tried: {', '.join(told)}; expected the tags {[*expected]!a} then, and came {shown!a}."
    return Attempt(works, tried, tuple(sent))
