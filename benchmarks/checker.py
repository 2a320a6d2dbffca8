"""Time the checker of concurrent histories.

Usage: python benchmarks/checker.py [RUNS]. Each history is that of a simulated service, correct or losing additions,
and is checked RUNS times; prints the median of the processor seconds, which a busy machine hardly changes. The first
row is the one that should stay below a second.
"""

import random
import statistics
import sys
import time
from dataclasses import dataclass

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.history.checkers.check import check
from pytest_cloudimages.history.events import ConcurrentHistory, Event
from pytest_cloudimages.history.operations import Kind


@dataclass(frozen=True)
class Load:
    """The size of a history to check."""

    operations: int = 10_000
    tags: int = 50
    clients: int = 8
    reads: float = 0.2
    unknown: float = 0.0
    lost: float = 0.0

    def __str__(self) -> str:
        return " | ".join(
            str(count) for count in (self.operations, self.tags, self.clients, self.reads, self.unknown, self.lost)
        )


LOADS = [
    Load(),
    Load(clients=2),
    Load(clients=16),
    Load(reads=0.5),
    Load(unknown=0.01),
    Load(clients=16, unknown=0.05),
    Load(tags=1, clients=16, reads=0.1),
    Load(tags=1, clients=16, reads=0.1, unknown=0.01),
    Load(lost=0.001),
    Load(lost=0.02, clients=16),
]


def simulated(load: Load, seed: int = 1) -> ConcurrentHistory:
    """Let every client send one operation after the other; each takes effect at a moment of its own time."""
    rng = random.Random(seed)  # noqa: S311 - the same load every time
    drawn = []
    clocks = [rng.random() for _ in range(load.clients)]
    for number in range(load.operations):
        client = number % load.clients
        sent = clocks[client] + rng.random() * 0.1
        answered = clocks[client] = sent + rng.uniform(0.5, 1.5)
        unknown = rng.random() < load.unknown
        moment = sent + rng.random() * 20 if unknown else rng.uniform(sent, answered)
        drawn.append((moment, client, sent, answered, unknown))
    tags: set[str] = set()
    events = []
    for _, client, sent, answered, unknown in sorted(drawn):
        if rng.random() < load.reads and not unknown:
            events.append(Event(Kind.READ, 0, client, sent, answered, 200, values=tuple(tags)))
            continue
        kind, tag = rng.choice((Kind.ADD, Kind.DELETE)), f"tag{rng.randrange(load.tags)}"
        status = 404 if kind is Kind.DELETE and tag not in tags else 204
        if kind is Kind.DELETE:
            tags.discard(tag)
        elif rng.random() >= load.lost:
            tags.add(tag)
        events.append(Event(kind, 0, client, sent, None if unknown else answered, 0 if unknown else status, tag))
    return ConcurrentHistory(tuple(events), {})


def main() -> None:
    """Check every load and print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print("| operations | tags | clients | reads | unknown | lost | anomalies | seconds |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for load in LOADS:
        history = simulated(load)
        seconds, found = [], 0
        for _ in range(runs):
            begun = time.process_time()
            found = len(check(history, TAGS))
            seconds.append(time.process_time() - begun)
        print(f"| {load} | {found} | {statistics.median(seconds):.2f} |", flush=True)


if __name__ == "__main__":
    main()
