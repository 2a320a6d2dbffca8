"""The table of faults: what each does, what it breaks, and whether the suite finds just that."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import FAULTS
from .trial import SEED, Outcome, judged

AT_A_TIME = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as Markdown; the status is 1 where the suite and a fault disagree."""
    parser = argparse.ArgumentParser(prog="python tests/faults", description=__doc__)
    parser.add_argument("name", nargs="*", help="of a fault, or what names begin with; all without")
    parser.add_argument("--profile", help="how much to try; by default what each fault asks for")
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args(arguments)
    names = [one for one in FAULTS if not chosen.name or one.startswith(tuple(chosen.name))]
    if not names:
        parser.error("no fault is called so")

    begun = time.monotonic()
    print("| fault | what it does | breaks | found | cases | requests |", "|---|---|---|---|---:|---:|", sep="\n")
    quarrels = {}
    for name, outcome in _outcomes(names, chosen.profile, chosen.seed):
        fault = FAULTS[name]
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
