"""What another project tries with images that are not its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import pytest

from pytest_cloudimages.areas.common.offers import made_visible
from pytest_cloudimages.areas.images.patch_model import Patch, add, in_the_new_form, named_by, remove, replaced
from pytest_cloudimages.areas.images.patches import OLD_TYPE
from pytest_cloudimages.areas.images.states import (
    ATTRIBUTES,
    of_the_service,
    restless_attributes,
    shared,
    with_attributes,
)
from pytest_cloudimages.areas.images.tried_patches import MOVING, Attributes, attributes_of, differing
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE, Exchange, Purpose
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked


@dataclass(frozen=True)
class Foreign:
    """What another project was answered about an image that is not its own, and what became of the image."""

    what: str
    """What the image is to it."""
    hidden: bool
    """Whether it is neither public nor shared with it."""
    answer: Answer
    before: Attributes
    after: Attributes
    looked: Exchange
    moving: frozenset[str] = MOVING
    """The attributes that change whatever is done."""
    may_be_unknown: bool = False
    """Whether it is a patch that a service may know from nobody."""

    @property
    def changed(self) -> list[str]:
        """The attributes that have changed."""
        return differing(self.after, self.before, moving=self.moving | of_the_service(self.before, self.after))


@dataclass(frozen=True)
class SeenAgain:
    """What another project is shown of an image that it has looked at before, and that was changed since."""

    what: str
    """What the image is to it."""
    wanted: Attributes
    """What its owner has set, and sees."""
    answer: Answer

    @property
    def late(self) -> list[str]:
        """The attributes that it is shown otherwise; of what others have set it may be shown less."""
        shown = attributes_of(self.answer)
        return differing(shown, self.wanted, only={name for name in self.wanted if shown.get(name) is not None})

    def __str__(self) -> str:
        return f"{self.answer} by another project, of an image {self.what}"


@dataclass(frozen=True, repr=False)
class ForeignAttempts(Collection):
    """What another project tried on images that are not its own."""

    tried: Mapping[str, list[Foreign]]
    again: Sequence[SeenAgain] = ()

    @cases
    def seen_again(self) -> Iterator[Case[SeenAgain]]:
        """Return what it is shown of images that it has looked at before, and that were changed since."""
        for seen in self.again:
            yield Case(seen, [seen.answer.exchange])

    @cases
    def attempts(self, method: str, *, hidden: bool | None = None) -> Iterator[Case[Foreign]]:
        """Return the attempts by a method, of images that it can see, or cannot, or both."""
        for attempt in self.tried.get(method, ()):
            if hidden in (None, attempt.hidden):
                yield Case(attempt, [attempt.answer.exchange, attempt.looked])

    @cases
    def images(self) -> Iterator[Case[Attributes]]:
        """Return the images as another project was shown them."""
        for attempt in self.tried.get("GET", ()):
            if attempt.answer.ok and isinstance(attempt.answer.data, dict):
                yield Case(attempt.answer.data, [attempt.answer.exchange])


@workload(empty=lambda: ForeignAttempts({}), requests=(52, 110, 110, 110))
def foreign_attempts(run: Run) -> ForeignAttempts:
    """Have another project read, update and delete an image that it does not see, and one that is shared with it."""
    other = run.of_another_project()
    if other is None:
        pytest.skip(run.no_other_project)
    tried: dict[str, list[Foreign]] = {}
    again: list[SeenAgain] = []
    with with_attributes(run, own=True) as image:
        _try_all(image, other, "neither public nor shared", tried, hidden=True)
        with suppress(Blocked, pytest.skip.Exception), run.recorder.of(Purpose.PREPARING):
            project = run.owner_of(other)
            shared(image, project)
            _try_all(image, other, "shared with it", tried, hidden=False)
            require_ok(other.send("PUT", f"/images/{image.id}/members/{project}", json={"status": "accepted"}))
            _try_all(image, other, "shared with it, which it has accepted", tried, hidden=False)
            again += _seen_again(run, image, other, "that is shared with it")
            with with_attributes(run, own=True) as further:
                _try_all(further, other, "not shared with it, while another one is", tried, hidden=True)
    if run.rounds:
        again += _try_those_for_all(run, other, tried)
        _try_as_an_administrator(run, other, tried)
    if any(attempt.changed for attempts in tried.values() for attempt in attempts):
        moving = MOVING | restless_attributes(run)
        tried = {method: [replace(each, moving=moving) for each in attempts] for method, attempts in tried.items()}
    return ForeignAttempts(tried, again)


def _seen_again(run: Run, image: Image, other: ImagesClient, what: str) -> Iterator[SeenAgain]:
    """Have another project look at an image between two changes of it, which one second may hold, and after them."""
    if not run.rounds:
        return
    for value in (128, 256):
        wanted: dict[str, object] = {"min_ram": value}
        wanted |= {"cloudimages_note": f"changed to {value}"} if run.takes_attributes else {}
        with run.recorder.of(Purpose.PREPARING):
            if not image.client.patch(image.id, *(replaced(f"/{name}", each) for name, each in wanted.items())).ok:
                return
        look = partial(_as_another_sees, image, other, what, wanted)
        seen = image.eventually(look, lambda seen: not seen.late)
        if seen.late and differing(attributes_of(image.show()), wanted, only={*wanted}):
            return  # what its owner does not see either, was not set
        yield seen


def _as_another_sees(image: Image, other: ImagesClient, what: str, wanted: Attributes) -> SeenAgain:
    return SeenAgain(what, wanted, other.show(image.id))


def _try_those_for_all(run: Run, other: ImagesClient, tried: dict[str, list[Foreign]]) -> list[SeenAgain]:
    """Have another project try to change images that it sees because everybody does, as far as there are such."""
    again: list[SeenAgain] = []
    with suppress(Blocked):
        administrator = run.able("ADMIN")
        for visibility in ("community", "public"):
            with with_attributes(run, own=True) as image:
                callers = (run.client, administrator) if administrator else (run.client,)
                if not made_visible(image, visibility, *callers):
                    _try_all(image, other, f"of the visibility {visibility}", tried, hidden=False)
                    again += _seen_again(run, image, other, "that everybody sees") if not again else ()
                    _try_once_hidden(image, other, f"that was of the visibility {visibility} before", tried)
    return again


def _try_once_hidden(image: Image, other: ImagesClient, what: str, tried: dict[str, list[Foreign]]) -> None:
    """Have another project read an image that everybody saw, and that its owner has made private since."""
    with image.client.recorder.of(Purpose.PREPARING):
        if not image.client.patch(image.id, replaced("/visibility", "private")).ok:
            return
        looked = image.eventually(image.show, lambda shown: attributes_of(shown).get("visibility") == "private")
    shown = attributes_of(looked)
    if shown.get("visibility") == "private":
        answer = image.eventually(partial(other.show, image.id), lambda seen: seen.refused)
        tried["GET"].append(Foreign(what, True, answer, shown, shown, looked.exchange))


def _try_as_an_administrator(run: Run, other: ImagesClient, tried: dict[str, list[Foreign]]) -> None:
    """Have the administrator of an account, which is not the operator's, try an image of another (rulings, 18).

    Elsewhere than with the vendor, an administrator is one of all projects.
    """
    if not run.of_the_vendor:
        return
    with suppress(Blocked, pytest.skip.Exception), run.recorder.of(Purpose.PREPARING):
        administrator = run.caller("ACCOUNT_ADMIN")
        if administrator and run.owner_of(administrator) == run.owner_of(run.client):
            with temporary_image(other, run.name, run.patience) as image:
                _try_all(
                    image, administrator, "of another account, for an administrator of an account", tried, hidden=True
                )


def _try_all(image: Image, other: ImagesClient, what: str, tried: dict[str, list[Foreign]], *, hidden: bool) -> None:
    before = attributes_of(image.show())

    def ask(send: Callable[[], Answer]) -> Answer:
        with image.client.recorder.of(Purpose.JUDGING):
            return send()

    def look() -> tuple[Attributes, Exchange]:
        looked = image.show()
        return looked.document, looked.exchange

    def noted(method: str, answer: Answer) -> None:
        tried.setdefault(method, []).append(Foreign(what, hidden, answer, before, *look()))

    noted("GET", ask(partial(other.show, image.id)))
    waiting: list[tuple[Patch, Answer]] = []
    patches = _patches(before, hidden=hidden)
    for patch in patches:
        waiting.append((patch, ask(partial(_sent, other, image.id, patch))))
        if waiting[-1][1].ok or patch is patches[-1]:
            after, looked = look()
            tried.setdefault("PATCH", []).extend(
                Foreign(what, hidden, answer, before, shown, looked, may_be_unknown=_may_be_unknown(each))
                for each, answer, shown in _told_apart(waiting, before, after)
            )
            before, waiting = after or before, []
    noted("DELETE", ask(partial(other.delete, image.id)))


def _patches(shown: Attributes, *, hidden: bool) -> Sequence[Patch]:
    """Return what another project tries to change of an image: every operation, of attributes of every kind."""
    own = [name for name in ATTRIBUTES if "cloudimages" in name and name in shown]
    return (
        [replaced("/name", "cloudimages of another")],
        [add("/cloudimages_of_another", "of another")],
        *([replaced(f"/{name}", "of another")] for name in own[:1]),
        *([remove(f"/{name}")] for name in own[1:2]),
        [{"replace": "/min_ram", "value": 5}],
        # Who does not see an image does not change its tags either.
        *([] if hidden else [[replaced("/tags", ["of another"])]]),
    )


def _is_old(patch: Patch) -> bool:
    return all("op" not in operation for operation in patch)


def _may_be_unknown(patch: Patch) -> bool:
    """Return whether a service may refuse such a patch for what it names, or for its old form.

    A service may show to nobody else what somebody has added, and may know the tags from nobody.
    """
    changes = any(operation.get("op") in ("replace", "remove") for operation in patch)
    hidden = changes and any("cloudimages" in name for name in _named(patch))
    return _is_old(patch) or hidden or "tags" in _named(patch)


def _sent(client: ImagesClient, image: str, patch: Patch) -> Answer:
    kind = OLD_TYPE if _is_old(patch) else PATCH_TYPE
    return client.send("PATCH", f"/images/{image}", json=patch, headers={"Content-Type": kind})


def _told_apart(
    sent: Sequence[tuple[Patch, Answer]], before: Attributes, after: Attributes
) -> Iterator[tuple[Patch, Answer, Attributes]]:
    """Yield each of some patches with its answer and the image after it: what one names changes by it, if at all.

    What none of them names, the last has changed: it is the one that the look at the image follows.
    """
    for patch, answer in sent:
        others = set[str]().union(*(_named(each) for each, _ in sent if each is not patch)) - _named(patch)
        kept = others if patch is sent[-1][0] else {*before, *after} - _named(patch)
        shown = {name: value for name, value in after.items() if name not in kept}
        yield patch, answer, shown | {name: value for name, value in before.items() if name in kept}


def _named(patch: Patch) -> set[str]:
    return named_by(in_the_new_form([*patch]))
