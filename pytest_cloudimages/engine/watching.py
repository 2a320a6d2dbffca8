"""Who is shown plans while they are executed, and what else happens to their images and is seen of them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from pytest_cloudimages.client.images import Image
from pytest_cloudimages.history.steps import SequentialHistory

Open = Callable[..., AbstractContextManager[Image]]


class Show(Protocol):
    """Is shown histories while the last of them is executed, after each reading: between two steps."""

    def __call__(self, histories: list[SequentialHistory], *, due: bool = False) -> None:
        """Look at histories; ``due`` where something is amiss that was not before."""


def unwatched(histories: list[SequentialHistory], *, due: bool = False) -> None:
    """Show histories to nobody while they are executed."""


class Life(Protocol):
    """What else happens to the images of a plan, and what else there is to be seen of them."""

    def happen(self, image: Image, event: str) -> Mapping[str, object] | None:
        """Bring an event about, and return the attributes that it gives; ``None`` where the service does not."""
        ...

    def beside(self, image: Image) -> Mapping[str, object]:
        """Return what is to be seen of an image besides its attributes, by its name."""
        ...
