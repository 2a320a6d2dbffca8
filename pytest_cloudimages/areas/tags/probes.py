"""A probe of the basics: whether plain tags can be added, repeated, deleted and re-added at all."""

from dataclasses import dataclass

from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked, LostAnswer


@dataclass(frozen=True)
class Basics:
    """What works with plain tags: a precondition for findings about special ones."""

    adds: bool
    repeats: bool
    deletes: bool
    returns: bool = True
    """Whether a deleted tag can be re-added and deleted again."""

    def require_additions(self) -> None:
        """Raise ``Blocked`` if plain tags cannot be added."""
        if not self.adds:
            raise Blocked("Precondition failed: plain tags cannot be added; see TAG-ADD-*.")

    def require_second_lives(self) -> None:
        """Raise ``Blocked`` if plain tags cannot be repeated, deleted, or re-added after they were deleted."""
        self.require_deletions()
        if not self.repeats or not self.returns:
            raise Blocked("Precondition failed: a plain tag cannot be repeated, or not re-added after it was deleted.")

    def require_deletions(self) -> None:
        """Raise ``Blocked`` if plain tags cannot be deleted."""
        if not self.deletes:
            raise Blocked("Precondition failed: plain tags cannot be deleted; see TAG-DEL-*.")


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
    tags = ["control", "controls", "third", "uncontrol"]
    with run.fresh_image() as image:
        added = [image.add_tag(tag).ok for tag in tags]
        adds = all(added) and sorted(image.eventual_tags(tags)) == tags
        repeats = adds and image.add_tag("control").ok and sorted(image.eventual_tags(tags)) == tags
        gone = [_deleted(image, tag) for tag in ("control", "third")]
        left = ["controls", "later", "uncontrol"]
        deletes = adds and all(gone) and image.add_tag("later").ok and sorted(image.eventual_tags(left)) == left
        deletes = deletes and all(_deleted(image, tag) for tag in left) and not image.eventual_tags([])
        returns = deletes and image.add_tag("later").ok and image.eventual_tags(["later"]) == ["later"]
        returns = returns and _deleted(image, "later") and not image.eventual_tags([])
    return Basics(adds, repeats, deletes, returns)
