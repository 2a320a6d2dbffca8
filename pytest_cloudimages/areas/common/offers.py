"""What a service does not offer: found out once, with the answer that says so, and held against nobody."""

from collections.abc import Callable

import pytest

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.trouble import TROUBLE
from pytest_cloudimages.engine.provisioning import REFUSED_FOR_GOOD
from pytest_cloudimages.spec.verdicts import Blocked

NOT_OFFERED = frozenset({404, 405, 501})
"""How a service says that it does not have an operation, where what the operation is for is there."""
NOT_DONE_FOR_ANYBODY = NOT_OFFERED | TROUBLE | {403}
"""Answers that say nothing of the form of a request: whoever may not do it, or meets trouble, is told nothing else."""

NO_LOOK = TROUBLE | {403}
"""Answers to a look that show nothing of what is looked at, not even that it is not there."""


def require_offered(answer: Answer, what: str) -> None:
    """Skip the check, or the workload, where an operation is not offered; the answer is the reason."""
    if answer.status in NOT_OFFERED:
        pytest.skip(f"needs {what}, which the service does not offer: {answer.exchange}")


def require_look(answer: Answer) -> None:
    """Raise ``Blocked`` where a look at what came of it is forbidden, or meets trouble: that says nothing."""
    if answer.status in NO_LOOK:
        raise Blocked(f"What came of it cannot be read: {answer.exchange}")


def require_once(recorder: Recorder, what: str, look: Callable[[], str]) -> None:
    """Look once in a run whether a service offers something, and skip the check or the workload where it does not.

    ``look`` returns the answers that say so, and nothing where it is offered.
    """
    lacks(recorder, what, look)
    skip_where_lacking(recorder, what)


def lacks(recorder: Recorder, what: str, look: Callable[[], str]) -> str:
    """Return the answers by which a service says that it does not offer something; it is looked at once in a run."""
    with recorder.looking:
        if what not in recorder.lacking:
            with recorder.of(Purpose.PREPARING):
                recorder.lacking[what] = look()
        return recorder.lacking[what]


def skip_where_lacking(recorder: Recorder, what: str) -> None:
    """Skip the check or the workload where a service was found not to offer something."""
    if why := recorder.lacking.get(what):
        pytest.skip(f"needs {what}, which the service does not offer: {why}")


def made_visible(image: Image, visibility: str, *callers: ImagesClient) -> str:
    """Have an image seen by more than its project, as the first of the callers who may; return why none may.

    Who was refused it once is not asked again.
    """
    change = {"op": "replace", "path": "/visibility", "value": visibility}
    why = "no caller was given"
    for client in callers or (image.client,):
        recorder = client.recorder
        what = f"{visibility} images by {client.caller}"
        if why := recorder.lacking.get(what, ""):
            continue
        with recorder.of(Purpose.PREPARING):
            answer = client.patch(image.id, change)
        if answer.ok:
            return ""
        why = str(answer.exchange)
        if answer.status in REFUSED_FOR_GOOD:
            recorder.lacking[what] = why
    return why
