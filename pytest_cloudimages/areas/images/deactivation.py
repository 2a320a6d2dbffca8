"""An image that an administrator deactivates and reactivates, and what can be done with it meanwhile."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import pytest

from pytest_cloudimages.areas.common.administrators import needs_no_administrator
from pytest_cloudimages.areas.common.offers import made_visible
from pytest_cloudimages.areas.common.paging import holds
from pytest_cloudimages.areas.images.patch_model import add, replaced
from pytest_cloudimages.areas.images.states import give_data, let_go, once_active, once_deleted, protection, state_of
from pytest_cloudimages.areas.images.tried_patches import Attributes, attributes_of
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

GLANCE = {
    ("queued", "saving"),
    ("queued", "uploading"),
    ("queued", "importing"),
    ("queued", "active"),
    ("saving", "active"),
    ("saving", "killed"),
    ("saving", "queued"),
    ("uploading", "importing"),
    ("uploading", "queued"),
    ("importing", "active"),
    ("importing", "queued"),
    ("active", "pending_delete"),
    ("active", "deactivated"),
    ("deactivated", "active"),
    ("pending_delete", "active"),
    *((status, "deleted") for status in ("queued", "saving", "uploading", "importing", "active", "killed")),
    ("deactivated", "deleted"),
    ("pending_delete", "deleted"),
}
"""The transitions between statuses that Glance has."""

OWN = ("cloudimages_own", "cloudimages_meanwhile")
"""Attributes of one's own that the image has."""
MEANWHILE: Mapping[str, tuple[str, object]] = {
    "change": ("min_ram", 64),
    "change of its own": ("cloudimages_meanwhile", "while it is deactivated"),
}
"""What is changed of it while it is deactivated: an attribute, and its value."""


@dataclass(frozen=True, repr=False)
class Deactivated(Collection):
    """What was answered about an image while it was deactivated, and the statuses that it went through."""

    answers: Mapping[str, Answer] = field(default_factory=dict)
    statuses: tuple[tuple[str, Answer], ...] = ()
    """Each with the answer that showed it."""
    image: str = ""
    """The id of the image."""

    @cases
    def while_deactivated(self, *what: str) -> Iterator[Case[tuple[str, Answer]]]:
        """Return what was tried meanwhile, each with its answer."""
        for name in what or self.answers:
            if name in self.answers:
                yield Case((name, self.answers[name]), [self.answers[name].exchange])

    @cases
    def changed(self) -> Iterator[Case[tuple[Answer, str, object]]]:
        """Return the image as it was after its changes, each attribute that was set meanwhile, and its value."""
        after = self.answers.get("changed")
        for what, (name, value) in MEANWHILE.items():
            if after and what in self.answers:
                yield Case((after, name, value), [self.answers[what].exchange, after.exchange])

    @cases
    def data_again(self) -> Iterator[Case[tuple[Answer, Answer]]]:
        """Return the data of the image before it was deactivated, and once it was reactivated."""
        before, after = self.answers.get("data before"), self.answers.get("data again")
        if before and after and before.ok:
            yield Case((before, after), [before.exchange, after.exchange])

    @cases
    def since(self, what: str) -> Iterator[Case[tuple[Attributes, Answer]]]:
        """Return the image as it was before it was deactivated, and an answer that shows it later."""
        before, after = self.answers.get("before"), self.answers.get(what)
        if before and after and before.ok and after.ok:
            yield Case((attributes_of(before), after), [before.exchange, after.exchange])

    @cases
    def images(self) -> Iterator[Case[Attributes]]:
        """Return the image as it was shown to its owner by itself."""
        for name in ("before", "show", *MEANWHILE, "changed"):
            answer = self.answers.get(name)
            if answer and answer.ok and isinstance(answer.data, dict):
                yield Case(answer.data, [answer.exchange])

    @cases
    def transitions(self) -> Iterator[Case[tuple[str, str]]]:
        """Return each status with the one that followed it."""
        for (before, shown), (after, then) in zip(self.statuses, self.statuses[1:], strict=False):
            if before != after:
                yield Case((before, after), [shown.exchange, then.exchange])


@workload(empty=Deactivated, requests=(21, 35, 35, 35))
def deactivated_image(run: Run) -> Deactivated:
    """Have an administrator deactivate an image, read it, change it and share it, ask for its data."""
    administrator = run.able("ADMIN")
    if administrator is None:
        pytest.skip("needs an administrator, who deactivates an image")
    statuses: list[tuple[str, Answer]] = []

    def noted(image: Image) -> Answer:
        answer = image.show()
        statuses.append((str(answer.document.get("status")), answer))
        return answer

    with run.fresh_image(own=True) as image:
        # A service may have images that are private until it is told otherwise: such have no members. (Rulings, 6.)
        visibility = attributes_of(noted(image)).get("visibility")
        shareable = visibility in (None, "shared") or not made_visible(image, "shared")
        give_data(image)
        once_active(image, lambda: noted(image))
        seen = image.seen_by(administrator)
        other = None
        with suppress(Blocked):
            other = run.of_another_project()
        hidden = other is not None and other.show(image.id).refused
        with run.recorder.of(Purpose.PREPARING):
            image.client.patch(image.id, *(add(f"/{name}", "of an active image") for name in OWN))
            # What a service remembers of the data must not outlast the deactivation.
            answers = {"data before": image.send("GET", "/file")} if run.rounds else {}
        before = image.show()
        _act(run, seen, "deactivate")
        asked: dict[str, Callable[[], Answer]] = {
            what: partial(image.client.patch, image.id, replaced(f"/{name}", value))
            for what, (name, value) in [*MEANWHILE.items()][: 2 if run.rounds else 1]
        }
        try:
            answers |= {
                "before": before,
                "show": image.eventually(lambda: noted(image), lambda _: statuses[-1][0] == "deactivated"),
                "list": run.client.list(name=image.name),
                **{what: change() for what, change in asked.items()},
                "changed": image.show(),
                "data": image.send("GET", "/file"),
            }
            answers |= _by_status(run, image) if run.rounds and statuses[-1][0] == "deactivated" else {}
            with suppress(Blocked, pytest.skip.Exception):
                if other is not None:
                    member = {"member": run.owner_of(other)}
                    asked |= {"share": lambda: image.send("POST", "/members", json=member)} if shareable else {}
                    theirs = _by_another(image.seen_by(other), asked.get("share"), hidden=hidden, whole=run.rounds > 0)
                    answers.update(theirs)  # as far as they come
            answers |= _protected(run, image)
        finally:
            with run.recorder.of(Purpose.CLEANING), suppress(Blocked, pytest.skip.Exception):
                _act(run, seen, "reactivate")
        _afterwards(run, image, answers, asked, lambda: noted(image))
        with suppress(Blocked, pytest.skip.Exception):
            answers |= _deleted(run, image, seen) if run.rounds else {}
    return Deactivated(answers, tuple(statuses), image.id)


def _afterwards(
    run: Run,
    image: Image,
    answers: dict[str, Answer],
    asked: Mapping[str, Callable[[], Answer]],
    look: Callable[[], Answer],
) -> None:
    """Look at an image that was reactivated, and leave out what is answered alike then: it comes of something else."""
    if "deletion" in answers and answers["deletion"].ok:
        return
    shown = once_active(image, look)
    if state_of(shown) == "active" and run.rounds:
        answers |= {"active again": _of_status(run, image, "active", held=True), "shown again": shown}
        answers["data again"] = image.eventually(partial(image.send, "GET", "/file"), lambda answer: answer.ok)
    for what, ask in asked.items():
        met = answers.get(what)
        if met and not met.ok and ask().status == met.status:
            del answers[what]
    # That nobody else is given the data then, an administrator cannot say.
    if answers["data"].ok and needs_no_administrator(run):
        del answers["data"]


def _protected(run: Run, image: Image) -> dict[str, Answer]:
    """Return what the deletion of the image is answered while it is protected, where it can be."""
    if not run.rounds:
        return {}
    with protection(image) as protected:
        return {"deletion": image.client.delete(image.id)} if protected else {}


def _deleted(run: Run, image: Image, seen: Image) -> dict[str, Answer]:
    """Return what the deletion of the image is answered while it is deactivated, and, if that is done, a look then."""
    _act(run, seen, "deactivate")
    deletion = let_go(image)
    return {"its end": deletion} | ({"gone": once_deleted(image)} if deletion.ok else {})


def _by_another(
    image: Image, share: Callable[[], Answer] | None, *, hidden: bool, whole: bool
) -> Iterator[tuple[str, Answer]]:
    """Have another project, which did not see the image if it is ``hidden``, ask for it, and for its data once shared.

    Who it is shared with may use it by its id, whatever it has decided (MEM-UPD-08).
    """
    if hidden:
        yield "foreign", image.show()
    if share:
        shared = share()
        yield "share", shared
        if hidden and shared.ok and whole:
            yield "consumer's data", image.send("GET", "/file")


def _by_status(run: Run, image: Image) -> dict[str, Answer]:
    """Return the lists of images that are deactivated, and that are active, while the image is the former."""
    statuses = ("deactivated", "active")
    return {f"{each} ones": _of_status(run, image, each, held=each == "deactivated") for each in statuses}


def _of_status(run: Run, image: Image, status: str, *, held: bool) -> Answer:
    """Return the list of images of a status, asked for until it holds the image or not, as it has to be."""
    return image.eventually(
        lambda: run.client.list(name=image.name, status=status), lambda answer: holds(answer, image.id) is held
    )


def _act(run: Run, image: Image, action: str) -> None:
    """Have an administrator deactivate or reactivate an image; *untested* where that is refused."""
    with run.recorder.of(Purpose.PREPARING):
        answer = image.send("POST", f"/actions/{action}")
    if not answer.ok:
        pytest.skip(f"needs an image that is deactivated: {answer.exchange}")
