"""The table of faults: what each does, what it breaks, and whether the suite finds just that."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from . import FAULTS
from .page import publish
from .registry import Fault
from .score import OURS, PAGE, Measured, Row
from .trial import SEED, Outcome, judged

AT_A_TIME = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as Markdown; the status is 1 where the suite and a fault disagree."""
    parser = argparse.ArgumentParser(prog="python tests/faults", description=__doc__)
    parser.add_argument("name", nargs="*", help="of a fault, or what names begin with; all without")
    parser.add_argument("--profile", help="how much to try; by default what each fault asks for")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--seeds", type=int, metavar="N", help="judge each with the seeds 1 to N, and say what differs")
    parser.add_argument("--concurrency", type=int, default=1, metavar="N", help="make up to N workloads at once")
    parser.add_argument(
        "--everything", action="store_true", help="ask for every area, unless a fault names what to ask"
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="write docs/detection.md anew; without a name, only what is new or has changed is measured",
    )
    parser.add_argument("--again", action="store_true", help="with --write: measure all")
    chosen = parser.parse_args(arguments)
    names = [fault for fault in FAULTS if not chosen.name or fault.startswith(tuple(chosen.name))]
    if not names:
        parser.error("no fault is called so")
    if chosen.seeds:
        return _print_seeds(names, chosen.profile, chosen.seeds)
    if chosen.write:
        if chosen.profile or chosen.seed != SEED or chosen.concurrency > 1 or chosen.everything:
            parser.error("--write asks as each fault does: in its profile, by the usual seed, and for what is near")
        return _write(names if chosen.name or chosen.again else stale(Measured.load(OURS)))
    if chosen.again:
        parser.error("--again goes with --write; without, all are measured anyway")
    further = ["--concurrency", str(chosen.concurrency)] if chosen.concurrency > 1 else []
    select = () if chosen.everything else None
    return _print(names, chosen.profile, chosen.seed, further=further, select=select)


def declared(fault: Fault) -> dict[str, object]:
    """Return what a fault says of itself; what was measured of another is of no use."""
    return {"breaks": sorted(fault.broken), "perhaps": sorted(fault.perhaps), "profile": fault.profile}


def stale(measured: Measured) -> list[str]:
    """Name the faults that were not measured as they are now."""
    return [
        name
        for name, fault in FAULTS.items()
        if {key: measured.faults.get(name, {}).get(key) for key in declared(fault)} != declared(fault)
    ]


def _write(names: Sequence[str]) -> int:
    ours = Measured.load(OURS)
    ours.faults = {name: row for name, row in ours.faults.items() if name in FAULTS}
    ours.about = {"release": version("pytest-cloudimages"), "seed": SEED}

    def keep(name: str, outcome: Outcome) -> None:
        ours.faults[name] = _row(FAULTS[name], outcome)
        ours.save(OURS)

    status = _print(names, None, SEED, keep) if names else 0
    ours.save(OURS)
    publish(FAULTS)
    print(f"{PAGE.name} is written; {len(names)} of {len(FAULTS)} were measured for it.")
    return status


def _row(fault: Fault, outcome: Outcome) -> Row:
    broken = outcome.asked & fault.broken
    return {
        **declared(fault),
        "found": sorted(outcome.found),
        "missed": sorted(broken - outcome.found),
        "blamed": sorted(outcome.found - broken - fault.perhaps),
        "cases": outcome.cases,
        "requests": outcome.sent,
    }


def _nothing(name: str, outcome: Outcome) -> None:
    """Keep nothing of it."""


def _print(
    names: Sequence[str],
    profile: str | None,
    seed: int,
    keep: Callable[[str, Outcome], None] = _nothing,
    further: Sequence[str] = (),
    select: Iterable[str] | None = None,
) -> int:
    begun = time.monotonic()
    print("| fault | what it does | breaks | found | cases | requests |", "|---|---|---|---|---:|---:|", sep="\n")
    quarrels = {}
    for name, outcome in _outcomes(names, profile, seed, further, select):
        fault = FAULTS[name]
        keep(name, outcome)
        quarrels[name] = quarrel = outcome.quarrel(fault.broken, fault.perhaps)
        broken = ", ".join(sorted(fault.broken)) or "nothing"
        what = " ".join((fault.__doc__ or "").split()).replace("|", "\\|")
        found = "**no**" if quarrel else "yes"
        print(f"| {name} | {what} | {broken} | {found} | {outcome.cases} | {outcome.requests} |", flush=True)
    wrong = {name: quarrel for name, quarrel in quarrels.items() if quarrel}
    print(f"\n{len(names) - len(wrong)} of {len(names)} as expected, in {time.monotonic() - begun:.0f} s.")
    for name, quarrel in wrong.items():
        print(f"\n{name}:\n{quarrel}", file=sys.stderr)
    return bool(wrong)


def _print_seeds(names: Sequence[str], profile: str | None, seeds: int) -> int:
    """Say of each fault with how many seeds it is judged as expected, and how it is not; the status is 1 there."""
    begun, wrong, sent = time.monotonic(), 0, 0
    for name in names:
        fault, quarrels = FAULTS[name], {}
        for seed, outcome in _judged((name, profile, seed) for seed in range(1, seeds + 1)):
            sent += outcome.sent
            if quarrel := outcome.quarrel(fault.broken, fault.perhaps):
                quarrels[seed] = quarrel
        wrong += len(quarrels)
        print(f"{name}: as expected with {seeds - len(quarrels)} of {seeds} seeds", flush=True)
        for seed, quarrel in quarrels.items():
            print(f"seed {seed}:\n{quarrel}", file=sys.stderr, flush=True)
    runs = len(names) * seeds
    print(f"\n{runs - wrong} of {runs} runs as expected; {sent:,} requests in {time.monotonic() - begun:.0f} s.")
    return bool(wrong)


def _outcomes(
    names: Sequence[str], profile: str | None, seed: int, further: Sequence[str], select: Iterable[str] | None
) -> Iterator[tuple[str, Outcome]]:
    runs = ((name, profile, seed) for name in names)
    for name, (_, outcome) in zip(names, _judged(runs, further, select), strict=True):
        yield name, outcome


def _judged(
    runs: Iterable[tuple[str, str | None, int]], further: Sequence[str] = (), select: Iterable[str] | None = None
) -> Iterator[tuple[int, Outcome]]:
    """Judge faults, each in a profile or its own and with a seed; yield the seeds and outcomes in the same order."""

    def judge(run: tuple[str, str | None, int]) -> tuple[int, Outcome]:
        name, profile, seed = run
        with tempfile.TemporaryDirectory() as folder:
            profile = profile or FAULTS[name].profile
            outcome = judged(FAULTS[name], Path(folder), profile=profile, seed=seed, further=further, select=select)
            return seed, outcome

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield from pool.map(judge, runs)
