"""What an administrator's change of tags leaves of an image of another project."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from pytest_cloudimages.areas.images import states
from pytest_cloudimages.areas.tags.other_attributes import expect_attributes_kept
from pytest_cloudimages.areas.tags.representations import shown_to
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.exchange import Exchange, Purpose
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


@dataclass(frozen=True)
class Administered:
    """What came of an administrator's operations on the tags of another project's image."""

    spans: Sequence[Span] = ()
    """What the owner of the image was shown around each of them."""
    shown: tuple[str, ...] | None = None
    """The tags that the administrator was shown in between; ``None`` where there were none, or no list of strings."""
    listed: Sequence[str] | None = None
    """Those that the list showed to the administrator then."""
    exchanges: tuple[Exchange, ...] = ()


@workload(empty=Administered, requests=(0, 7, 7, 7))
def administered_image(run: Run) -> Administered:
    """Have an administrator add a tag to an image of another project and delete it, and show what both see of it."""
    # An administrator who is not let in, or a project that may create no image, is no reason to blame anybody.
    with suppress(Blocked):
        asked = run.rounds and not run.settings.image
        administrator, other = (run.caller("ADMIN"), run.able("ALT")) if asked else (None, None)
        if administrator and other:
            attributes = states.ATTRIBUTES if run.takes_attributes else {}
            with temporary_image(other, run.name, run.patience, **attributes) as image:
                spans = _spans(image, image.seen_by(administrator))
                added = [*islice(spans, 1)]
                tags = sorted(added[0].after.values or ()) if added else []
                shown, listed, sent = shown_to(image.seen_by(administrator), tags, listing=bool(tags))
                return Administered([*added, *spans], shown.values, listed, tuple(sent))
    return Administered()


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


def expect_listed_to_administrator(administered: Administered) -> None:
    """Raise ``Mismatch`` where the list shows an administrator other tags of the image than the image itself shows."""
    __tracebackhide__ = True
    if administered.shown is not None and administered.listed is not None:
        current_check().aside(administered.exchanges)
        what = "tags in the list to an administrator, of an image of another project"
        expect({*administered.listed}, {*administered.shown}, what)


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
