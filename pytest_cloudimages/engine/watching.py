"""Who is shown plans while they are executed, and what else happens to their images and is seen of them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Protocol

from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.history.steps import SequentialHistory

Open = Callable[..., AbstractContextManager[Image]]


class Show(Protocol):
    """Is shown histories while the last of them is executed, after each reading: between two steps."""

    def __call__(self, histories: list[SequentialHistory], *, due: bool = False) -> None:
        """Look at histories; ``due`` where something is amiss that was not before."""


def unwatched(histories: list[SequentialHistory], *, due: bool = False) -> None:
    """Show histories to nobody while they are executed."""


def showing(run: Run, make: Callable[[list[SequentialHistory]], Any]) -> Show:
    """Return what has histories looked at, as what is made of them, if anybody looks."""

    def show(histories: list[SequentialHistory], *, due: bool = False) -> None:
        run.show(partial(make, histories), due=due)

    return show if run.watched else unwatched


class Life(Protocol):
    """What else happens to the images of a plan, and what else there is to be seen of them."""

    def happen(self, image: Image, event: str) -> Mapping[str, object] | None:
        """Bring an event about, and return the attributes that it gives; ``None`` where the service does not."""
        ...

    def beside(self, image: Image) -> Mapping[str, object]:
        """Return what is to be seen of an image besides its attributes, by its name."""
        ...
