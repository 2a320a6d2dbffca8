"""Who asks on which image: the table, the tokens that open nothing, and what a change that was done is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.common.tokens import odd_tokens, token_elsewhere, unknown_tokens
from pytest_cloudimages.areas.tags.access import AccessAttempts, access_attempts
from pytest_cloudimages.areas.tags.callers import ABSENT, COLUMNS, PRESENT, Change, State, cells
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.engine import preflight
from pytest_cloudimages.engine.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_cloudimages.engine.run import Run


@pytest.fixture
def run() -> Iterator[Run]:
    """Return a run on the embedded server, with every caller."""
    end = SECRETS.begin()
    opened = preflight.prepare(Settings(reference=True), (TAGS,))
    yield opened
    opened.close()
    end()


def test_the_whole_table_is_asked_in_thorough() -> None:
    """Every caller, image and change: the owner's own requests apart, which every other check is about."""
    asked = {(cell.party, cell.state, cell.change) for row in cells("thorough").values() for cell in row}

    others = {(party, state, change) for party in COLUMNS for state in State for change in Change}
    assert {cell for cell in asked if cell[0] is not Party.OWNER} == {
        cell for cell in others if cell[0] is not Party.OWNER
    }
    assert [*cells("thorough")] == [*State]


def test_another_project_tries_to_change_every_image_in_standard() -> None:
    """Adding and deleting are tried in every state, all other changes in some; the others meet most of them."""
    rows = cells("standard")
    tried = {state: {cell.change for cell in row if cell.party is Party.OTHER_PROJECT} for state, row in rows.items()}

    assert [*rows] == [*State]
    assert all({Change.ADD, Change.DELETE} <= tried[state] for state in PRESENT)
    assert all(tried[state] for state in ABSENT)
    for party in (Party.OTHER_PROJECT, Party.READER):
        assert {cell.change for row in rows.values() for cell in row if cell.party is party} == {*Change}
    assert all(any(cell.party is Party.ANONYMOUS for cell in rows[state]) for state in (State.PUBLIC, State.COMMUNITY))


def test_quick_asks_no_more_than_standard() -> None:
    """What a run of seconds asks is a part of what a longer one asks."""
    assert [*cells("quick")] == [State.PRIVATE]
    assert {*cells("quick")[State.PRIVATE]} <= {*cells("standard")[State.PRIVATE]} | {*cells("thorough")[State.PRIVATE]}


def test_no_token_that_is_tried_is_the_testers_own(run: Run) -> None:
    """Nor is one shown in a repr, as hardly any of it is missing."""
    own = run.client.token()
    assert own
    askers = [*unknown_tokens(run.client), *odd_tokens(run.client)]

    assert own not in [asker.client.token() for asker in askers]
    assert own not in [value for asker in askers for value in asker.headers.values()]
    assert not any(own[: len(own) // 2] in repr(asker) for asker in [*askers, *token_elsewhere(run.client)])


def test_what_is_sent_is_written_down_without_a_token(run: Run) -> None:
    """Not even the one that stands in a query, or in two fields of different spelling."""
    own = run.client.token() or "nothing"
    for asker in (*odd_tokens(run.client), *token_elsewhere(run.client)):
        exchange = asker.ask("GET", "/images").exchange

        written = f"{exchange} {exchange.as_data('http://image.example')}"
        assert own[: len(own) // 2] not in written
        assert own[len(own) // 2 :] not in written


def test_everybody_is_asked_and_nobody_gets_in(run: Run) -> None:
    """On the embedded server no cell is left out, and the callers with a right to it alone change anything.

    The owner has no cells in standard: what it does on images in every state is looked at elsewhere.
    """
    tried: AccessAttempts = access_attempts(run)

    assert tried.unasked == {}
    assert {attempt.cell.party for attempt in tried.attempts} == {*COLUMNS} - {Party.OWNER}
    assert {attempt.cell.party for attempt in tried.attempts if attempt.changed} == {
        Party.CREATOR,
        Party.ADMINISTRATOR,
    }
    assert run.recorder.traces.left_behind == []


def test_a_further_token_can_be_ended(run: Run) -> None:
    """It opens the service until then; one for no project opens nobody's images."""
    further = run.owner.further()
    assert further
    value, unscoped = further.value, further.unscoped()
    assert unscoped
    caller = run.client.calling("a further token", lambda: value)
    nobody = run.client.calling("a token without a project", lambda: unscoped)

    with run.fresh_image() as image:
        assert image.seen_by(caller).show().status == 200
        assert nobody.add_tag(image.id, "new").status in (403, 404)
        assert further.revoke()
        assert image.seen_by(caller).show().status == 401
    assert run.client.list().status == 200
