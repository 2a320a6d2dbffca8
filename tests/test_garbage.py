"""Whatever a service answers, no check breaks off with an error of ours."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from faults.lawful_networks import Garbage
from faults.trial import judged

EVERY = range(2, 51) if os.environ.get("CHAOS") else (3, 11)
"""Every how many answers one is garbage; all of them in ``tox run -e chaos``."""


@pytest.mark.parametrize("every", EVERY)
def test_garbage_in_place_of_every_so_many_answers_breaks_no_check(every: int, tmp_path: Path) -> None:
    """No body is used before it is looked at: what cannot be read is the service's, or blocks the question."""

    def app() -> Garbage:
        made = Garbage()
        made.every = every
        return made

    outcome = judged(app, tmp_path)

    explained = {identifier: outcome.explanations[identifier] for identifier in outcome.which("error")}
    assert not explained
    assert outcome.verdicts, outcome.output
