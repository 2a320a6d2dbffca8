"""Tags that mean something to the image itself: its id, its name, its owner, names of attributes."""

from contextlib import nullcontext

from pytest_cloudimages.areas.images import states
from pytest_cloudimages.areas.tags.corpus import plain
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.areas.tags.tag_limit import steps_of
from pytest_cloudimages.engine import sequential
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.operations import READ
from pytest_cloudimages.history.sequential_plans import add_delete
from pytest_cloudimages.spec.limits import LONGEST

OWN = ("id", "name", "owner")
NAMES = ("cloudimages_note", "min_disk", "protected")
"""Attributes of which the name is a tag too: one that anybody may set, a number, and one that is true or false."""


@workload(empty=lambda: steps_of([]), requests=(0, 17, 17, 17))
def own_words(run: Run) -> Steps:
    """Add and delete tags that are what an image says of itself: id, name, owner and names of attributes."""
    if not run.rounds:
        return steps_of([])
    with states.with_attributes(run) as image:
        image.given_tags("of-no-meaning")  # that the last tag can be deleted is another question
        shown = image.show().data
        said = [shown.get(name) for name in OWN] if isinstance(shown, dict) else []
        said += [name for name in NAMES if name in (shown or {})]
        words = dict.fromkeys(
            word for word in said if isinstance(word, str) and plain(word) and 0 < len(word) <= LONGEST
        )
        plan = [READ, *add_delete([(word, "word of its own") for word in words])]
        return steps_of(
            [sequential.execute(plan, TAGS, lambda: nullcontext(image), single=True, empty=False)] if words else []
        )
