"""A small probe of the basics: whether plain tags can be added, repeated and deleted at all."""

from dataclasses import dataclass

from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked


@dataclass(frozen=True)
class Basics:
    """Whether a service does with one plain tag what it should; else special tags teach nothing."""

    adds: bool
    repeats: bool
    deletes: bool
    returns: bool = True
    """Whether a deleted tag can be added and deleted again."""

    def require_additions(self) -> None:
        """Raise ``Blocked`` where plain tags cannot even be added."""
        if not self.adds:
            raise Blocked("The service does not even add plain tags.")

    def require_second_lives(self) -> None:
        """Raise ``Blocked`` where plain tags cannot be repeated, or do not come back when they were deleted."""
        self.require_deletions()
        if not self.repeats or not self.returns:
            raise Blocked("The service does not even keep plain tags apart from what was done to them before.")

    def require_deletions(self) -> None:
        """Raise ``Blocked`` where plain tags cannot even be deleted."""
        if not self.deletes:
            raise Blocked("The service does not even delete plain tags.")


@workload(requests=(22, 22, 22, 22))
def basics(run: Run) -> Basics:
    """Return whether plain tags can be added, repeated, deleted and added again at all."""
    with run.recorder.of(Purpose.PREPARING):
        first = _controlled(run)
        # Once more where that went wrong: a service may fail in passing.
        return first if first == Basics(adds=True, repeats=True, deletes=True) else _controlled(run)


def _controlled(run: Run) -> Basics:
    # One is the beginning, one the end of another: a service that cannot tell them apart cannot be asked about more.
    tags = ["control", "controls", "third", "uncontrol"]
    with run.fresh_image() as image:
        added = [image.add_tag(tag).ok for tag in tags]
        adds = all(added) and sorted(image.eventual_tags(tags)) == tags
        repeats = adds and image.add_tag("control").ok and sorted(image.eventual_tags(tags)) == tags
        gone = [image.delete_tag(tag).ok for tag in ("control", "third")]
        left = ["controls", "later", "uncontrol"]
        deletes = adds and all(gone) and image.add_tag("later").ok and sorted(image.eventual_tags(left)) == left
        deletes = deletes and all(image.delete_tag(tag).ok for tag in left) and not image.eventual_tags([])
        returns = deletes and image.add_tag("later").ok and image.eventual_tags(["later"]) == ["later"]
        returns = returns and image.delete_tag("later").ok and not image.eventual_tags([])
    return Basics(adds, repeats, deletes, returns)
