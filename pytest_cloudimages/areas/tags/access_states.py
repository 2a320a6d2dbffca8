"""One image on its way from state to state: private, shared, public and so on, as far as the service has them."""

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from pytest_cloudimages.areas.common.offers import made_visible
from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.common.tokens import Asker
from pytest_cloudimages.areas.images import states
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.tags.callers import State
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked


class Stage:
    """The image, and who there is to bring it into a state. A state that cannot be had raises ``Blocked``."""

    def __init__(self, run: Run, image: Image, askers: dict[Party, list[Asker]], unasked: dict[str, str]) -> None:
        self.run, self.image, self.askers = run, image, askers
        self.unasked = unasked
        """Why a caller is missing."""
        self.has_data = False

    def client_of(self, party: Party) -> ImagesClient:
        """Return the client of a caller that a state needs."""
        if not self.askers.get(party):
            raise Blocked(f"needs {party}: {self.unasked.get(party)}")
        return self.askers[party][0].client

    @functools.cached_property
    def project(self) -> str:
        """The id of the other project."""
        return self.run.owner_of(self.client_of(Party.OTHER_PROJECT))

    def patched(self, name: str, value: object) -> None:
        """Set an attribute of the image."""
        with self.run.recorder.of(Purpose.PREPARING):
            answer = self.image.client.patch(self.image.id, replaced(f"/{name}", value))
        if not answer.ok:
            raise Blocked(f"no image can be had whose {name} is {value}: {answer.exchange}")

    def give_data(self) -> None:
        """Fill the image with its data, which can be done once."""
        if not self.has_data:
            states.give_data(self.image)
            self.has_data = True

    def made_visible(self, visibility: str, *callers: ImagesClient) -> None:
        """Have the image seen by more than its project, as the first of the callers that may."""
        if why := made_visible(self.image, visibility, *callers):
            raise Blocked(f"no image can be had whose visibility is {visibility}: {why}")


@contextmanager
def _hidden(stage: Stage) -> Iterator[None]:
    stage.patched("os_hidden", value=True)
    yield


@contextmanager
def _visible(stage: Stage, visibility: str) -> Iterator[None]:
    stage.made_visible(visibility)
    yield


@contextmanager
def _pending(stage: Stage) -> Iterator[None]:
    project = stage.project
    with stage.run.recorder.of(Purpose.PREPARING):
        states.shared(stage.image, project)
    yield


@contextmanager
def _answered(stage: Stage, status: str) -> Iterator[None]:
    member = stage.image.seen_by(stage.client_of(Party.OTHER_PROJECT))
    with stage.run.recorder.of(Purpose.PREPARING):
        require_ok(member.send("PUT", f"/members/{stage.project}", json={"status": status}))
    yield


@contextmanager
def _public(stage: Stage) -> Iterator[None]:
    stage.made_visible("public", *_those_who_may(stage))
    yield


@contextmanager
def _protected(stage: Stage) -> Iterator[None]:
    stage.patched("protected", value=True)
    try:
        yield
    finally:
        stage.patched("protected", value=False)


@contextmanager
def _active(stage: Stage) -> Iterator[None]:
    stage.give_data()
    yield


@contextmanager
def _deactivated(stage: Stage) -> Iterator[None]:
    image = stage.image.seen_by(stage.client_of(Party.ADMINISTRATOR))
    with stage.run.recorder.of(Purpose.PREPARING):
        stage.give_data()
        require_ok(image.send("POST", "/actions/deactivate"))
    try:
        yield
    finally:
        # Glance keeps the data of an image that is deleted while it is deactivated.
        with stage.run.recorder.of(Purpose.CLEANING):
            image.send("POST", "/actions/reactivate")


def _those_who_may(stage: Stage) -> list[ImagesClient]:
    """Return who may publish an image: the owner at some services, the administrator at others."""
    return [stage.askers[party][0].client for party in (Party.OWNER, Party.ADMINISTRATOR) if stage.askers.get(party)]


STATES: Mapping[State, Callable[[Stage], AbstractContextManager[None]]] = {
    State.SHARED: functools.partial(_visible, visibility="shared"),
    State.PENDING: _pending,
    State.ACCEPTED: functools.partial(_answered, status="accepted"),
    State.REJECTED: functools.partial(_answered, status="rejected"),
    State.COMMUNITY: functools.partial(_visible, visibility="community"),
    State.PUBLIC: _public,
    State.HIDDEN: _hidden,
    State.PROTECTED: _protected,
    State.ACTIVE: _active,
    State.DEACTIVATED: _deactivated,
}
"""What brings the image into each state."""
