"""Whether the tester is an administrator, who may do with images of others what their owners may not with their own."""

from contextlib import suppress

import pytest

from pytest_cloudimages.areas.common.offers import lacks
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

OPEN = frozenset({"public", "community"})


def administers(run: Run) -> str:
    """Return what shows that the tester is an administrator; empty where nothing does. It is looked at once in a run.

    Whoever is one is shown a private image of another project. Where there is no other, the roles of its token say so.
    """
    return lacks(run.recorder, "a tester who is no administrator", lambda: _seen_to_administer(run))


def _seen_to_administer(run: Run) -> str:
    other = run.of_another_project(able=True)
    if other is None:
        named = run.is_named_administrator("")
        return f"the roles of the token are {', '.join(run.owner.roles() or ())}" if named else ""
    with suppress(Blocked, pytest.skip.Exception), temporary_image(other, run.name, run.patience) as foreign:
        itself = foreign.show().data
        visibility = itself.get("visibility") if isinstance(itself, dict) else None
        answer = run.client.show(foreign.id)
        if answer.ok and visibility not in OPEN:
            return f"an image of another project is shown: {answer.exchange}"
    return ""


def needs_no_administrator(run: Run) -> str:
    """Return why what an administrator is let do is untested; empty where the tester is none."""
    shown = administers(run)
    return f"needs a tester who is no administrator, and {shown}" if shown else ""
