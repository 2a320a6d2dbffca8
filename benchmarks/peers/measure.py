"""Measures each peer on each fault, one at a time, and keeps what it found."""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from faults import FAULTS
from faults.score import PEERS as RESULTS
from faults.score import Measured
from faults.trial import Meter

from pytest_cloudimages.reference.server import serving

from .judges import PEERS, CannotJudge, Peer

HONEST_RUNS = 3
"""What a peer reports of the honest app in any of these runs is its opinion of it, and no fault found."""


@dataclass(frozen=True)
class Judgement:
    """What a peer reported of one app, and what it took."""

    reported: frozenset[str]
    requests: int
    seconds: float


def judgement(peer: Peer, name: str) -> Judgement:
    """Serve the app of this name, and have a peer judge it."""
    app = FAULTS[name]()
    meter = Meter(app)
    with serving(app) as server:
        token = app.identity.issue("tester").value
        begun = time.monotonic()
        reported = peer.judge(f"{server.url}/v2", token)
        return Judgement(reported, meter.requests, time.monotonic() - begun)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing; the status is 1 where a peer came to no result."""
    parser = argparse.ArgumentParser(prog="python benchmarks/peers", description=__doc__)
    parser.add_argument("name", nargs="*", help="of a fault, or what names begin with; all without")
    parser.add_argument("--again", action="store_true", help="measure also what has been measured already")
    parser.add_argument("--peer", choices=PEERS, action="append", help="only this one; may be repeated")
    chosen = parser.parse_args(arguments)
    # In no order, so that what is there of a run that was stopped is a fair sample of the whole.
    names = [name for name in shuffled(FAULTS) if not chosen.name or name.startswith(tuple(chosen.name))]
    if not names:
        parser.error("no fault is called so")
    results = Measured.load(RESULTS)
    results.faults = {name: row for name, row in results.faults.items() if name in FAULTS}
    try:
        failed = [_measure(results, peer, names, again=chosen.again) for peer in chosen.peer or PEERS]
    except CannotJudge as error:
        parser.exit(1, f"The honest app could not be judged, and so no fault: {error}\n")
    print(f"{RESULTS.name} is written; python tests/faults --write makes docs/detection.md of it.")
    return int(any(failed))


def shuffled(names: Iterable[str]) -> list[str]:
    """Mix names, always in the same way."""
    return sorted(names, key=lambda name: sha256(name.encode()).digest())


def _measure(results: Measured, name: str, faults: Iterable[str], *, again: bool) -> list[str]:
    peer, failed = PEERS[name], []
    about: dict[str, Any] | None = results.about.get(name)
    if about is None or about["release"] != peer.release():
        # What another release found is not what this one finds.
        results.faults = {fault: {k: v for k, v in row.items() if k != name} for fault, row in results.faults.items()}
        about = _opinion(name)
        results.about[name] = about
    for fault in faults:
        row = results.faults.get(fault, {})
        if name in row and not again:
            continue
        try:
            judged = judgement(peer, fault)
        except CannotJudge as error:
            print(f"{name}: {fault}: {error}", file=sys.stderr, flush=True)
            failed.append(fault)
            continue
        found = sorted(judged.reported.difference(about["honest"]))
        results.faults[fault] = {**row, name: {"found": found, "requests": judged.requests}}
        results.save(RESULTS)
        print(f"{name}: {fault}: {found or 'nothing'}, {judged.requests} requests, {judged.seconds:.1f} s", flush=True)
    return failed


def _opinion(name: str) -> dict[str, Any]:
    """What a peer reports of the honest app, where nothing is wrong: that counts for no fault."""
    runs = [judgement(PEERS[name], "Honest") for _ in range(HONEST_RUNS)]
    reported = sorted(frozenset().union(*(run.reported for run in runs)))
    print(f"{name} reports of the honest app: {reported}", flush=True)
    return {"release": PEERS[name].release(), "honest": reported, "honest_runs": HONEST_RUNS}
