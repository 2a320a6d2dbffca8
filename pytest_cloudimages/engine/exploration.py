"""Exploration: what follows from the seed is drawn anew and looked at, until time is over or something is found."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.areas.tags import probes, workloads
from pytest_cloudimages.areas.tags.negative import NegativeRequests
from pytest_cloudimages.areas.tags.race_workloads import Races
from pytest_cloudimages.areas.tags.representations import Representations
from pytest_cloudimages.engine.concurrent import worker_pool
from pytest_cloudimages.engine.observations import Steps
from pytest_cloudimages.spec.marks import ids_of
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pytest

    from pytest_cloudimages.engine.concurrent import WorkerPool
    from pytest_cloudimages.engine.run import Run
    from pytest_cloudimages.reporting.results import CheckResult

DRAWN: dict[str, Callable[[Run], Any]] = {
    "plain_tags": lambda run: workloads.plain_tags(run, run.number("plain")),
    "unusual_tags": lambda run: workloads.unusual_tags(run, run.number("unusual")),
    # Of the special tags, those that are written out were asked about before; no seed makes others of them.
    "special_tags": lambda run: workloads.carpet_lives(run, run.number("special")),
    "every_length": lambda run: workloads.every_length(run, run.number("lengths")),
    "sequences": lambda run: workloads.sequences(run, run.number("sequences")),
    "confusable_sequences": lambda run: workloads.confusable_sequences(run, run.number("related sequences")),
    "read_path_checks": lambda run: workloads.read_path_checks(run, run.number("walks")),
}
"""The fixtures that follow from the seed, and how each is made; races are one more."""
SETTLED: dict[str, Callable[[Run], Any]] = {
    "cloudimages_run": lambda run: run,
    "cloudimages_client": lambda run: run.client,
    "fresh_image": lambda run: run.fresh_image,
    "anonymous": lambda run: run.client.calling("nobody", lambda: None),
    "specification": lambda run: run.settings.specification,
    # These do not follow from the seed: they were looked at before, and a check finds nothing new in them.
    "confusable_tags": lambda _: Steps([]),
    "boundary_tags": lambda _: Steps([]),
    "absent_tags": lambda _: Steps([]),
    "image_states": lambda _: Steps([]),
    "image_at_tag_limit": lambda _: Steps([]),
    "representations": lambda _: Representations([]),
    "negative_requests": lambda _: NegativeRequests([]),
    "other_images": lambda _: [],
}
"""The fixtures that are the same for every seed, and what a check is handed for each of them."""
IMAGES = ("image", "working_image")
EVERY = 10.0
"""Seconds between two lines of progress, at least."""
REPLAYED = 20
"""Examples of earlier runs at most that are tried first, the newest before older ones."""
STRIDE = 0x9E3779B1
"""Leads from one seed to the next, so that runs with neighbouring seeds do not try the same."""


@dataclass(frozen=True)
class Examples:
    """Seeds that found something, shared by all runs that name the same folder: one JSON file for each."""

    folder: Path

    def seeds(self) -> list[int]:
        """Give the seeds, the newest first; a file that is none of ours is let be."""
        found: list[int] = []
        files = sorted(self.folder.glob("seed-*.json"), key=lambda one: one.stat().st_mtime, reverse=True)
        for file in files:
            try:
                seed = json.loads(file.read_text(encoding="utf-8"))["seed"]
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if isinstance(seed, int):
                found.append(seed)
        return found[:REPLAYED]

    def keep(self, seed: int, records: Sequence[CheckResult], endpoint: str) -> Path:
        """Write down what a seed found, and give the file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        data = {
            "seed": seed,
            "endpoint": endpoint,
            "found": {one.id: one.explanation for one in records},
            "witnesses": [witness for one in records for witness in one.witnesses],
        }
        name = hashlib.sha256(endpoint.encode()).hexdigest()[:6]
        path = self.folder / f"seed-{seed}-{name}.json"
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        return path


@dataclass
class Exploration:
    """Rounds of what follows from a seed, each with a seed of its own."""

    run: Run
    items: Sequence[pytest.Item]
    """The checks that are asked again: those that found nothing so far."""
    judge: Callable[[pytest.Item, Mapping[str, Any], int], list[CheckResult]]
    """Asks one check with these arguments, and gives what it has shown of a seed."""
    say: Callable[[str], None]
    minutes: float
    examples: Examples
    begun: float
    clock: Callable[[], float] = time.monotonic
    rounds: int = 0
    cases: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    _said: float = 0.0

    @property
    def left(self) -> float:
        """How many seconds there are left."""
        return self.minutes * 60 - (self.clock() - self.begun)

    def seeds(self) -> Iterator[int]:
        """Give the seeds: those that found something once, then ever new ones."""
        yield from self.examples.seeds()
        seed = self.run.settings.seed
        while True:
            seed = (seed + STRIDE) % 2**32
            yield seed

    def explore(self) -> None:
        """Try seed after seed until time is over or something is found."""
        if not self.items:
            self.say("explored: nothing, since no check that passed follows from the seed")
            return
        self.say("")
        with worker_pool() as members:
            for seed in self.seeds():
                if self.left <= 0:
                    break
                found = self.round(seed, members)
                self.progress(last=bool(found))
                if found:
                    path = self.examples.keep(seed, found, self.run.service.endpoint)
                    self.say(f"explored: seed {seed} found {', '.join(one.id for one in found)}, kept in {path}")
                    return
        self.progress(last=True)

    def round(self, seed: int, members: WorkerPool) -> list[CheckResult]:
        """Ask every check once with a seed, and give what is found."""
        run = self.run.with_seed(seed)
        made: dict[str, Any] = {name: make(run) for name, make in SETTLED.items()}
        try:
            # Asked anew: what a service does with plain tags may have changed since the last round.
            made["basics"] = basics = probes.basics(run)
        except Blocked:
            return []
        made["races"] = Races(run, run.number("races"), basics, members)
        found: list[CheckResult] = []
        for item in self.items:
            if self.left <= 0:
                break
            for record in self.asked(item, run, made):
                self.cases += record.cases
                self.kinds.update(record.kinds or {})
                found += [record] if record.verdict.finding else []
            self.progress()
        self.rounds += 1
        return found

    def asked(self, item: pytest.Item, run: Run, made: dict[str, Any]) -> list[CheckResult]:
        """Ask one check; what it looks at is made where no check of this round has asked for it before."""
        arguments: dict[str, Any] = {}
        try:
            with ExitStack() as stack:
                for name in arguments_of(item):
                    if name in IMAGES:
                        arguments[name] = stack.enter_context(run.fresh_image())
                    elif name in DRAWN and name not in made:
                        made[name] = DRAWN[name](run)
                    if name in made:
                        arguments[name] = made[name]
                return self.judge(item, arguments, run.settings.seed)
        except Blocked:
            # Where the ground is missing there is nothing to find; the next round may have more luck.
            return []

    def progress(self, *, last: bool = False) -> None:
        """Say how far it has come, now and then."""
        now = self.clock()
        if last or now - self._said >= EVERY:
            self._said = now
            requests = sum(self.run.recorder.counts.values())
            self.say(
                f"explored: {self.rounds} rounds, {self.cases} cases, {requests} requests, {len(self.kinds)} classes,"
                f" {max(self.left, 0):.0f} s left"
            )


def arguments_of(item: pytest.Item) -> tuple[str, ...]:
    """Give the names of what a check asks for, without its parameters."""
    callspec = getattr(item, "callspec", None)
    names: tuple[str, ...] = item._fixtureinfo.argnames  # type: ignore[attr-defined]  # noqa: SLF001 - as pytest does
    return tuple(one for one in names if callspec is None or one not in callspec.params)


def follows_from_the_seed(item: pytest.Item) -> bool:
    """Tell whether a check can be asked again with another seed, and whether that asks anything new."""
    if not ids_of(item) or not hasattr(item, "_fixtureinfo") or hasattr(getattr(item, "function", None), "hypothesis"):
        return False
    names = {*arguments_of(item)}
    anew, at_hand = {*DRAWN, "races"}, {*SETTLED, *IMAGES, "basics"}
    return bool(names & anew) and names <= anew | at_hand
