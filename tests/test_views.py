"""Walks: tags changed in every way, and looked at through every window."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.areas.tags.read_paths import Look, View, walk, walks
from pytest_cloudimages.client.polling import Patience
from pytest_cloudimages.client.recorder import Transcript
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.drawing import draw
from pytest_cloudimages.engine.provisioning import created
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_cloudimages.client.transport import Wire

sys.path.insert(0, str(Path(__file__).parent))

from faults import lawful, sequences


@pytest.fixture
def walking(open_wire: Callable[..., Wire]) -> Iterator[Callable[..., list[Look]]]:
    """Take a walk against an app."""
    with ExitStack() as stack:

        def walked(app: App, number: int = 1, *, single: bool = False) -> list[Look]:
            server = stack.enter_context(serving(app))
            token, transcript = app.identity.issue("tester").value, Transcript()
            client = ImagesClient(f"{server.url}/v2", open_wire(server.url), transcript, lambda: token)
            opened = partial(created, client, "test", Patience(0.3, transcript))
            return walk(opened, draw(walks(), number), single=single).looks

        yield walked


def wrong(looks: list[Look]) -> set[View]:
    """Give the windows that show what is not there."""
    return {look.view for look in looks if look.shown != look.expected}


def test_a_walk_follows_from_its_number() -> None:
    """Equal numbers draw equal walks, others draw others."""
    assert draw(walks(), 1) == draw(walks(), 1) != draw(walks(), 2)


def test_a_walk_looks_through_every_window(walking: Callable[..., list[Look]]) -> None:
    """An honest service shows through each what is there."""
    looks = walking(App())

    assert {look.view for look in looks} == {View.LIST, View.FILTER, View.REPLACE, View.READ}
    assert wrong(looks) == set()
    assert all(look.exchanges for look in looks)


def test_one_image_will_do(walking: Callable[..., list[Look]]) -> None:
    """What concerns a second one is left out."""
    assert wrong(walking(App(), single=True)) == set()


def test_a_late_service_is_waited_for(walking: Callable[..., list[Look]]) -> None:
    """A delay is no difference."""
    assert wrong(walking(lawful.ShowsChangesLate())) == set()


@pytest.mark.parametrize(
    ("app", "view"),
    [
        (sequences.ListsNoSecondLife, View.LIST),
        (sequences.IndexesNoPatch, View.FILTER),
        (sequences.IndexesNoSecondLife, View.FILTER),
        (sequences.PatchesAroundDeletions, View.REPLACE),
        (sequences.GoesBackBehindAPatch, View.READ),
    ],
)
@pytest.mark.parametrize("number", range(3))
def test_a_window_that_shows_what_is_not_there_is_found(
    walking: Callable[..., list[Look]], app: type[App], view: View, number: int
) -> None:
    """That window, and no other."""
    assert wrong(walking(app(), number)) == {view}
