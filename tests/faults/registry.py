"""The register of faults, and the words by which a fault says what it breaks."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import Any, Protocol, TypeVar, cast

from pytest_cloudimages.app.selection import Selection
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.requirements import selected

Subclass = TypeVar("Subclass", bound=type[App])


class Fault(Protocol):
    """What the register knows of a faulty app."""

    __name__: str
    __doc__: str | None
    broken: frozenset[str]
    """The requirements that the suite finds broken: these, and no others."""
    perhaps: frozenset[str]
    """Those it finds only where the tags it draws happen to meet the defect."""
    profile: str
    """The least effort that is certain to meet the defect."""
    words: tuple[str, ...]
    """What the command has to be told besides."""
    hurry: float
    """How many times faster its waits go by, where they are of minutes."""

    def __call__(self) -> App: ...


FAULTS: dict[str, Fault] = {}
"""Every faulty app by its name."""


def selecting(*names: str) -> tuple[str, ...]:
    """Return the words that ask for all of some groups, whatever the profile."""
    return tuple(word for identifier in sorted(selected(load(), names)) for word in ("--select", identifier))


def breaks(
    *ids: str, perhaps: Iterable[str] = (), profile: str = "quick", words: tuple[str, ...] = (), hurry: float = 1.0
) -> Callable[[Subclass], Subclass]:
    """Register a faulty app with the requirements that it breaks."""

    def register(app: Subclass) -> Subclass:
        fault = cast("Fault", app)
        fault.broken, fault.perhaps, fault.profile = frozenset(ids), frozenset(perhaps), profile
        fault.words, fault.hurry = words, hurry
        if app.__name__ in FAULTS or not app.__doc__:
            raise ValueError(f"A fault has a name of its own and one sentence: {app.__name__}.")
        FAULTS[app.__name__] = fault
        return app

    return register


def registrar(module: str, **common: Any) -> Callable[..., None]:
    """Return what registers an app of a module that has some methods of its own, as ``faulty`` is called below.

    ``common`` is what all of them have: methods, and what ``breaks`` takes besides the ids.
    """

    def faulty(
        name: str,
        sentence: str,
        *ids: str,
        words: tuple[str, ...] = (),
        profile: str = "quick",
        **methods: object,
    ) -> None:
        made = type(name, (App,), {"__doc__": sentence, "__module__": module, **methods})
        breaks(*ids, words=words, profile=profile)(made)

    return partial(faulty, **common)


def unasked(fault: Fault) -> list[str]:
    """Return the requirements that a fault names and that its run does not ask for.

    What is said of them is never compared with what is found.
    """
    names = tuple(word for option, word in pairwise(fault.words) if option == "--select")
    asked = Selection(load(), Settings(profile=fault.profile, select=names)).chosen
    return sorted((fault.broken | fault.perhaps) - asked)
