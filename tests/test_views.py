"""Walks: tags changed in every way, and looked at through every window."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.areas.tags.read_paths import Comparison, ReadPath, check_read_paths, read_path_plans
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.drawing import draw
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_cloudimages.client.transport import Transport

sys.path.insert(0, str(Path(__file__).parent))

from faults import lawful, sequences


@pytest.fixture
def walking(open_wire: Callable[..., Transport]) -> Iterator[Callable[..., list[Comparison]]]:
    """Take a walk against an app."""
    with ExitStack() as stack:

        def walked(app: App, number: int = 1, *, single: bool = False) -> list[Comparison]:
            server = stack.enter_context(serving(app))
            token, recorder = app.identity.issue("tester").value, Recorder()
            client = ImagesClient(f"{server.url}/v2", open_wire(server.url), recorder, lambda: token)
            opened = partial(temporary_image, client, "test", Eventually(0.3, recorder))
            return check_read_paths(
                opened, draw(read_path_plans(), number), single=single, show=lambda _: None
            ).comparisons

        yield walked


def wrong(looks: list[Comparison]) -> set[ReadPath]:
    """Return the windows that show what is not there."""
    return {look.read_path for look in looks if look.shown != look.expected}


def test_a_walk_follows_from_its_number() -> None:
    """Equal numbers draw equal walks, others draw others."""
    assert draw(read_path_plans(), 1) == draw(read_path_plans(), 1) != draw(read_path_plans(), 2)


def test_a_walk_looks_through_every_window(walking: Callable[..., list[Comparison]]) -> None:
    """An honest service shows through each what is there."""
    looks = walking(App())

    assert {look.read_path for look in looks} == {ReadPath.LIST, ReadPath.FILTER, ReadPath.REPLACE, ReadPath.READ}
    assert wrong(looks) == set()
    assert all(look.exchanges for look in looks)


def test_one_image_will_do(walking: Callable[..., list[Comparison]]) -> None:
    """What concerns a second one is left out."""
    assert wrong(walking(App(), single=True)) == set()


def test_a_late_service_is_waited_for(walking: Callable[..., list[Comparison]]) -> None:
    """A delay is no difference."""
    assert wrong(walking(lawful.ShowsChangesLate())) == set()


@pytest.mark.parametrize(
    ("app", "view"),
    [
        (sequences.ListsNoSecondLife, ReadPath.LIST),
        (sequences.IndexesNoPatch, ReadPath.FILTER),
        (sequences.IndexesNoSecondLife, ReadPath.FILTER),
        (sequences.PatchesAroundDeletions, ReadPath.REPLACE),
        (sequences.GoesBackBehindAPatch, ReadPath.READ),
    ],
)
@pytest.mark.parametrize("number", range(3))
def test_a_window_that_shows_what_is_not_there_is_found(
    walking: Callable[..., list[Comparison]], app: type[App], view: ReadPath, number: int
) -> None:
    """That window, and no other."""
    assert wrong(walking(app(), number)) == {view}
