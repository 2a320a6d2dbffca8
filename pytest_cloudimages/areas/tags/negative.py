"""Negative requests: sent once, to be refused, and looked at by many checks."""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from pytest_cloudimages.areas.common.followed_links import named_image
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.identifiers import UUID
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient, segment
from pytest_cloudimages.engine.recording import Case, Collection, anything, cases, current_check
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.limits import LONGEST
from pytest_cloudimages.spec.mismatch import expect
from pytest_cloudimages.spec.statuses import REFUSED
from pytest_cloudimages.spec.verdicts import Blocked, LostAnswer


@dataclass(frozen=True)
class IdWrittenOtherwise:
    """A request with the id of an image written otherwise, and whether the image shows that it was done."""

    answer: Answer
    done: bool
    how: str


@dataclass(frozen=True, repr=False)
class NegativeRequests(Collection):
    """The answers to requests that are well-formed and cannot succeed."""

    given: Sequence[Answer]
    reached: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The tags that an image got or lost by requests of a method that named it by an id that is almost its own."""
    written_otherwise: Sequence[IdWrittenOtherwise] = ()
    """Requests that named an image by its id written otherwise, which a service may take for the same."""

    def __iter__(self) -> Iterator[Answer]:
        """Yield the answers; each is a case of the check in hand."""
        return iter(self.answers())

    @cases
    def answers(self, *, where: Callable[[Answer], bool] = anything) -> Iterator[Case[Answer]]:
        """Return the answers; ``where`` is what has to be so for an answer to be asked about."""
        for answer in self.given:
            if where(answer):
                yield Case(answer, [answer.exchange])

    @cases
    def by_another_spelling(self) -> Iterator[Case[IdWrittenOtherwise]]:
        """Return the requests that named an image by its id written otherwise."""
        return (Case(each, [each.answer.exchange]) for each in self.written_otherwise)


@workload(empty=lambda: NegativeRequests([]), requests=(11, 43, 43, 43))
def negative_requests(run: Run) -> NegativeRequests:
    """Return the answers for tags too long or absent, images that are not there, other methods, and no token."""
    with run.fresh_image() as image:
        answers: list[Answer] = []
        for send in _refused(image, run.client, thorough=run.settings.profile != "quick"):
            # Each stands for itself: one whose answer was lost says nothing, and keeps no other from being sent.
            with suppress(LostAnswer):
                answers.append(send())
            run.show(partial(NegativeRequests, answers))
        moved: set[str] = set()
        spelled: list[IdWrittenOtherwise] = []
        # Where an image can carry no tag, nothing shows what such requests do to one.
        with suppress(Blocked):
            if run.rounds:
                image.given_tags_at_once(THERE, *(f"{TAKEN}-{how}" for how in OTHERWISE))
                for answer in _of_odd_ids(image):
                    answers.append(answer)
                    run.show(partial(NegativeRequests, answers))
                changes = [*_by_its_id_written_otherwise(image)]
                answers += [answer for _, _, answer in changes if not answer.ok]
                came = {tag for tag, _, answer in changes if answer.ok is (answer.exchange.method == "PUT")}
                shown = {*image.eventual_tags({THERE, *came})}
                for tag, how, answer in changes:
                    done = (tag in shown) is (answer.exchange.method == "PUT")
                    spelled.append(IdWrittenOtherwise(answer, done, how))
                moved = shown ^ {THERE}
        reached = {"PUT": sorted(tag for tag in moved if tag.startswith(f"{STRAY}-")), "DELETE": [*moved & {THERE}]}
        told = [each for each in spelled if each.answer.ok or each.answer.refused]
        return NegativeRequests(answers, reached, told)


FAILURE = 500
TOLD = "é漢😀 100%s {0}"
"""A tag of which a message can be made in as many ways as can go wrong."""
THERE, STRAY = "there", "stray"
CAME, TAKEN = "came", "taken"
"""What is added to, and deleted from, the image by its id written otherwise."""
OTHERWISE = {"upper": "in upper case", "blank": "with a blank at its end"}
"""How an id is written that a service may take for the same: databases compare so, and the form is not defined."""
ODD_IDS = ("%00", "%2E%2E", "i" * 2_000)
"""Ids that no image has."""
NO_UUIDS = ("no-uuid", "%00", "i" * 2_000)
"""Those that are no UUIDs, whatever is made of them."""
ALMOST = ("{id}%00", "{id}0", "{beginning}", "{end}", "{digit}")
"""Ids that no image has, although a service may take them for the id of one: it is a part of them, or a part is its."""


def almost(image_id: str) -> dict[str, str]:
    """Return ids that no image has, of the same form as one: with its beginning, its end, and all but one digit."""
    other = str(uuid.uuid4())
    if not re.fullmatch(UUID, image_id):
        return dict.fromkeys(("beginning", "end", "digit"), other)
    half, middle = len(image_id) // 2, image_id.rindex("-") + 1
    digit = "0" if image_id[middle] != "0" else "1"
    return {
        "beginning": image_id[:half] + other[half:],
        "end": other[:half] + image_id[half:],
        "digit": image_id[:middle] + digit + image_id[middle + 1 :],
    }


def on_no_image(answer: Answer) -> bool:
    """Return whether a request named an image by an odd id, or an odd tag of none."""
    named = re.search(rf"(/|%2F)({STRAY}-\d+|{THERE})$", answer.exchange.target)
    return bool(named) or answer.exchange.target.endswith(segment(TOLD))


UNKNOWN = re.compile(f"/images/({UUID})/tags/{STRAY}$")
"""A plain tag of an image that is not there."""


def of_an_unknown_image(requests: NegativeRequests, method: str) -> dict[str, Answer]:
    """Return what was answered where an image was named by an id that none has, by that id: a side question."""
    answers = requests.aside().answers(where=lambda answer: unknown_image(answer, method))
    return {found[1]: answer for answer in answers if (found := UNKNOWN.search(answer.exchange.target))}


def of_no_uuid(answer: Answer) -> bool:
    """Return whether an addition named an image by what is no UUID."""
    return answer.exchange.method == "PUT" and named_image(answer) in NO_UUIDS


def overlong_deletion(answer: Answer) -> bool:
    """Return whether a tag was to be deleted that is longer than any."""
    return answer.exchange.method == "DELETE" and re.search("/tags/x{256,}$", answer.exchange.target) is not None


def of_another_method(answer: Answer) -> bool:
    """Return whether a request named a plain tag of an image by a method that a tag does not have."""
    exchange = answer.exchange
    return exchange.method in ("GET", "POST", "PATCH") and exchange.target.endswith("/tags/nobody")


def unknown_image(answer: Answer, method: str) -> bool:
    """Return whether a request of a method named a plain tag of an image that is not there."""
    return answer.exchange.method == method and UNKNOWN.search(answer.exchange.target) is not None


def expect_none_reached(requests: NegativeRequests, method: str) -> None:
    """Raise ``Mismatch`` where an image got, or lost, a tag by an id that is almost its own."""
    __tracebackhide__ = True
    for _ in requests.aside().answers(where=on_no_image):
        did = "came" if method == "PUT" else "went"
        expect(requests.reached.get(method, []), [], f"tags that {did} by ids that are almost an image's")


def expect_no_tag_of_none_deleted(requests: NegativeRequests, run: Run) -> None:
    """Raise ``Mismatch`` where the deletion of an odd tag, or of one of an odd id, of no image is not refused.

    Where it fails as well on an image that is there, that is due to the tag: what a failure says is TAG-RESP-09's.
    """
    __tracebackhide__ = True
    for answer in requests.aside().answers(where=on_no_image):
        if answer.exchange.method != "DELETE":
            continue
        if answer.status >= FAILURE and answer.exchange.target.endswith(segment(TOLD)):
            with suppress(Blocked), run.recorder.apart(), run.fresh_image() as image:
                if image.delete_tag(TOLD).status == answer.status:
                    continue
        expect(answer.status, REFUSED, f"status of {answer}")


def _of_odd_ids(image: Image) -> Iterator[Answer]:
    near = almost(image.id) | {"id": image.id}
    forms = [*ODD_IDS, *(form.format_map(near) for form in ALMOST)]
    # An encoded slash separates nothing, so that no path leads from one image to another.
    forms.append(f"{uuid.uuid4()}/tags/..%2F..%2F{image.id}%2Ftags%2F")
    for place, form in enumerate(forms):
        address = f"/images/{form}" if form.endswith("%2F") else f"/images/{form}/tags/"
        yield image.client.send("PUT", f"{address}{STRAY}-{place}")
        if place == 0 or form not in ODD_IDS:
            yield image.client.send("DELETE", f"{address}{THERE}")


def _by_its_id_written_otherwise(image: Image) -> Iterator[tuple[str, str, Answer]]:
    for how, written in (("upper", image.id.upper()), ("blank", f"{image.id}%20")):
        for method, named in (("PUT", CAME), ("DELETE", TAKEN)):
            tag = f"{named}-{how}"
            yield tag, OTHERWISE[how], image.client.send(method, f"/images/{written}/tags/{tag}")


def expect_done_as_answered(requests: NegativeRequests, method: str, *, acknowledged: bool) -> None:
    """Raise ``Mismatch`` where the image's id written otherwise was taken for another than the answer has it.

    Whether it is the same is not defined (TAG-ADD-17, TAG-URI-22). Where it is, what was acknowledged is done; else it
    is the id of no image, and nothing is.
    """
    __tracebackhide__ = True
    for each in requests.written_otherwise:
        answer = each.answer
        if answer.exchange.method == method and answer.ok is acknowledged:
            current_check().aside([answer.exchange])
            expect(each.done, acknowledged, f"whether {answer}, its id {each.how}, was done to the image")


def _refused(image: Image, client: ImagesClient, *, thorough: bool) -> Iterator[Callable[[], Answer]]:
    nobody = client.calling("nobody", lambda: None)
    for method in ("PUT", "DELETE"):
        yield partial(nobody.send, method, f"/images/{image.id}/tags/nobody")
        # Each of an image of its own, lest one makes what another is to miss; no service is to take one for the other.
        unknown = almost(image.id)["beginning"] if method == "PUT" else uuid.uuid4()
        yield partial(client.send, method, f"/images/{unknown}/tags/{STRAY}")
    yield partial(image.add_tag, "x" * (LONGEST + 1))
    yield partial(image.send, "PUT", "/tags/")
    yield partial(image.delete_tag, "absent")
    yield partial(image.send, "GET", "/tags/nobody")
    if thorough:
        yield partial(image.send, "POST", "/tags/nobody")
        yield partial(image.send, "PATCH", "/tags/nobody")
        yield partial(image.send, "DELETE", "/tags/")
        for length in (LONGEST + 1, 1_000):
            yield partial(image.delete_tag, "x" * length)
        yield partial(client.send, "PUT", "/images/no-uuid/tags/stray")
        for change in (client.add_tag, client.delete_tag):
            yield partial(change, str(uuid.uuid4()), TOLD)
        stranger = image.seen_by(client.calling("an invalid token", lambda: "no-such-token"))
        yield partial(stranger.add_tag, "nobody")


def note_hidden(answer: Answer) -> None:
    """Note a 404 where 403 is expected: the image can be seen (ruling Q-13)."""
    if answer.status == 404:  # noqa: PLR2004 - as HTTP has it
        current_check().note(f"{answer.exchange.method} on an image that can be seen is answered 404.")
