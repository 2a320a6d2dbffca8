"""Tags that mean something to the image itself: its id, its name, its owner."""

from contextlib import nullcontext

from pytest_cloudimages.areas.tags.corpus import plain
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.areas.tags.tag_limit import steps_of
from pytest_cloudimages.engine import sequential
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.sequential_plans import add_delete
from pytest_cloudimages.spec.limits import LONGEST

OWN = ("id", "name", "owner")


@workload(empty=lambda: steps_of([]), requests=(0, 10, 10, 10))
def own_words(run: Run) -> Steps:
    """Add and delete tags that are what an image says of itself: its id, its name and its owner."""
    if not run.rounds:
        return steps_of([])
    with run.fresh_image() as image:
        image.given_tags("of-no-meaning")  # that the last tag can be deleted is another question
        shown = image.show().data
        said = [shown.get(name) for name in OWN] if isinstance(shown, dict) else []
        words = dict.fromkeys(
            word for word in said if isinstance(word, str) and plain(word) and 0 < len(word) <= LONGEST
        )
        plan = add_delete([(word, "word of its own") for word in words])
        return steps_of(
            [sequential.execute(plan, TAGS, lambda: nullcontext(image), single=True, empty=False)] if words else []
        )
