"""The table of faults: what each does, what it breaks, and whether the suite finds just that."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
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
    if chosen.write:
        if chosen.profile or chosen.seed != SEED:
            parser.error("--write takes the profile that each fault asks for, and the seed that it always takes")
        return _write(names if chosen.name or chosen.again else stale(Measured.load(OURS)))
    if chosen.again:
        parser.error("--again goes with --write; without, all are measured anyway")
    return _print(names, chosen.profile, chosen.seed)


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
    names: Sequence[str], profile: str | None, seed: int, keep: Callable[[str, Outcome], None] = _nothing
) -> int:
    begun = time.monotonic()
    print("| fault | what it does | breaks | found | cases | requests |", "|---|---|---|---|---:|---:|", sep="\n")
    quarrels = {}
    for name, outcome in _outcomes(names, profile, seed):
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


def _outcomes(names: Sequence[str], profile: str | None, seed: int) -> Iterator[tuple[str, Outcome]]:
    def judge(name: str) -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            return judged(FAULTS[name], Path(folder), profile=profile or FAULTS[name].profile, seed=seed)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield from zip(names, pool.map(judge, names), strict=True)
