"""Whatever happens on the way to a service, no correct one is accused, and no broken one passes."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from threading import Lock
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS
from faults.lawful_networks import front
from faults.trial import Outcome, judged

from pytest_cloudimages.reference.app import App, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUNS = int(os.environ.get("CHAOS", "0"))
"""How many runs there are; ``tox run -e chaos`` makes 200 of them, standard ones too."""
RATES = (0.005, 0.02, 0.1)
QUICKLY = [("quick", 0.1, 1), ("quick", 0.02, 2)]
HONEST = [
    (profile, RATES[number % 3], number)
    for number in range(RUNS)
    for profile in ("quick" if number % 4 else "standard",)
]
BROKEN = [
    "AnswersAnAbsentTagWith400",
    "LetsAnyTokenIn",
    "ChallengesWithNothing",
    "AnswersARepetitionWith400",
    "RefusesLongTagsAndStoresThem",
    "SendsALengthWith204",
    "LeavesOctetsBehindAnAddition",
    "SendsAnIsoDate",
    "ReturnsSoon",
    "KnowsCapitalisedMethods",
    "AddsWhatAHeaderNames",
    "RenamesTheImage",
    "TakesTheImageForNew",
    "ActivatesTheImage",
    "DropsPropertiesWhenDeleted",
    "ResetsSizesWhenRefused",
    "PutsBackWhenDeleted",
    "HidesTheImageWhenDeleted",
    "RefusesLongTagsAndStoresAPart",
    "FindsEveryDeletionTooLarge",
]
"""Some services that break something; behind chaos each is found, or blocked.

Only the first is judged by the default tests.
"""
FEWEST_QUESTIONS = 200
"""Requests that nothing happens to in a run that asks at all."""
STATUSES = (429, 502, 503, 504)


class Chaos:
    """Stands before an app: delays, cuts, resets and answers in its place, at a rate, as its seed has it."""

    def __init__(self, make: Callable[[], App], rate: float, seed: int) -> None:
        self.make, self.rate = make, rate
        self.words: tuple[str, ...] = getattr(make, "words", ())
        self.random, self.lock = Random(seed), Lock()  # noqa: S311 - chaos is no secret
        self.met: Counter[str] = Counter()
        self.app: App | None = None

    def __call__(self) -> App:
        """Make the app, with what stands before it."""
        self.app = app = self.make()
        self.handle, app.handle = app.handle, self.between  # type: ignore[method-assign]
        return app

    def between(self, request: Request) -> Reply:
        """Hand a request on, unless something happens to it before or afterwards."""
        with self.lock:
            kind = self.random.choice(("delay", "cut", "reset", "answer")) if self.random.random() < self.rate else ""
            first, status = self.random.random() < 0.5, self.random.choice(STATUSES)
            pause = self.random.uniform(0.01, 0.3)
            self.met[kind or "nothing"] += 1
        match kind:
            case "delay":
                time.sleep(pause)
            case "cut":
                return cut(self.handle(request))
            case "reset":
                if first:
                    self.handle(request)
                raise ConnectionResetError
            case "answer":
                # Who asks to come back later has done nothing.
                if first and status in (502, 504):
                    self.handle(request)
                return front(status)
        return self.handle(request)


def cut(reply: Reply) -> Reply:
    """Return half of an answer, whose end never comes; an answer without a body comes not at all."""
    if not reply.body:
        raise ConnectionResetError
    half = reply.body[: len(reply.body) // 2]
    broken = b"%x\r\n%s\r\ncut\r\n" % (len(half), half)
    return Reply(reply.status, broken, (*reply.headers, ("Transfer-Encoding", "chunked")))


@pytest.fixture
def told(record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]) -> Iterator[Counter[str]]:
    """Yield what is counted, and print it in the end."""
    counts: Counter[str] = Counter()
    yield counts
    for name, count in counts.items():
        record_property(name, count)
    with capsys.disabled():
        print(" ".join(f"{name}={count}" for name, count in counts.items()), flush=True)


def through(chaos: Chaos, folder: Path, counts: Counter[str], profile: str, seed: int) -> Outcome:
    """Judge an app behind chaos, and count what came of it."""
    outcome = judged(chaos, folder, profile=profile, seed=seed)
    assert chaos.app is not None
    counts.update(chaos.met)
    counts.update({verdict: len(outcome.which(verdict)) for verdict in ("fail", "advisory", "error", "blocked")})
    counts["left"] = len([*chaos.app.images.all()])
    return outcome


@pytest.mark.parametrize(("profile", "rate", "seed"), HONEST or QUICKLY)
def test_no_correct_service_is_accused_of_what_happens_on_the_way(
    profile: str, rate: float, seed: int, tmp_path: Path, told: Counter[str]
) -> None:
    """No finding, no error of ours, and no image is left."""
    outcome = through(Chaos(App, rate, seed), tmp_path, told, profile, seed)

    assert not outcome.quarrel(()), outcome.quarrel(())
    assert told["left"] == 0
    assert told["nothing"] > FEWEST_QUESTIONS
    # At the lowest rate a quick run may well meet nothing.
    assert rate < RATES[1] or sum(told[kind] for kind in ("delay", "cut", "reset", "answer")) > 0


@pytest.mark.parametrize("name", BROKEN if RUNS else BROKEN[:1])
def test_no_broken_service_passes_because_of_what_happens_on_the_way(
    name: str, tmp_path: Path, told: Counter[str]
) -> None:
    """What it breaks is found, or said to be blocked."""
    fault = FAULTS[name]

    outcome = through(Chaos(fault, 0.02, 1), tmp_path, told, fault.profile, 1)

    assert sorted(fault.broken - outcome.which("fail", "advisory", "blocked", "unstable")) == []
    assert sorted(outcome.found - fault.broken - fault.perhaps) == []
