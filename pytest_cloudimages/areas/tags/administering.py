"""What an administrator's change of tags leaves of an image of another project."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from pytest_cloudimages.areas.images import states
from pytest_cloudimages.areas.tags.other_attributes import expect_attributes_kept
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.engine.recording import current_check
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.operations import Kind, Operation
from pytest_cloudimages.history.steps import Prior, Reading, Span, Step
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.verdicts import Blocked

TAG = "by-an-administrator"

Administered = Sequence[Span]
"""What the owner of an image was shown around each of an administrator's operations on its tags."""


@workload(empty=list, requests=(0, 5, 5, 5))
def administered_image(run: Run) -> Administered:
    """Have an administrator add a tag to an image of another project and delete it, and show what its owner sees."""
    # An administrator who is not let in, or a project that may create no image, is no reason to blame anybody.
    with suppress(Blocked):
        administrator, other = run.caller("ADMIN"), run.able("ALT")
        if administrator and other and run.rounds and not run.settings.image:
            attributes = states.ATTRIBUTES if run.takes_attributes else {}
            with temporary_image(other, run.name, run.patience, **attributes) as image:
                return [*_spans(image, image.seen_by(administrator))]
    return []


def _spans(image: Image, administered: Image) -> Iterator[Span]:
    """Yield what the owner is shown around the addition and the deletion, as long as it is shown anything."""
    before = _shown(image)
    for kind in (Kind.ADD, Kind.DELETE):
        answer = administered.add_tag(TAG) if kind is Kind.ADD else administered.delete_tag(TAG)
        after = _shown(image)
        yield Span(
            before,
            after,
            (
                Step(
                    Operation(kind, TAG, input_class="by an administrator"),
                    answer,
                    before.values,
                    after.values,
                    Prior.NEVER if kind is Kind.ADD else Prior.PRESENT,
                    re_added=False,
                    readings=(before, after),
                    resource=TAGS,
                    inferred=False,
                ),
            ),
        )
        if after.rest is None:
            # Whoever has become its owner may delete it, and the one who created it no more.
            with image.client.recorder.of(Purpose.CLEANING):
                administered.send("DELETE", "")
        if after.rest is None or not answer.ok:
            return
        before = after


def _shown(image: Image) -> Reading:
    return image.eventually(lambda: Reading(image.show(), TAGS), lambda reading: reading.rest is not None)


def expect_owner_kept(spans: Iterable[Span], kind: Kind, run: Run) -> None:
    """Raise ``Mismatch`` where an administrator's operation changed more of another project's image than its tags.

    It is a side question: whoever loses the image by it sees none of its attributes any more.
    """
    __tracebackhide__ = True
    for span in spans:
        if span.kind is kind and span.acknowledged and span.before.rest is not None:
            current_check().aside(span.exchanges)
            shown = span.after.answer
            expect(shown.status, 200, f"status of {shown}, to the owner of the image after an administrator's {span}")
            expect_attributes_kept([span], run)
