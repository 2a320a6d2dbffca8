"""How many findings are replayed by their files, and with how many requests.

`python benchmarks/replays.py [NAME…]` judges each fault of tests/faults, replays every finding against the faulty
server and against the honest one, and prints what came. `--keep DIR` keeps the reports, and takes those that are there.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from faults import FAULTS
from faults.beside import beside
from faults.trial import _identities, judged

from pytest_cloudimages.app.cli.main import main as command
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import serving

EXPECTED = (1, 0)
"""The exit statuses of a replay against the faulty server and the honest one."""


def replayed(file: Path, app: App) -> tuple[int, str]:
    """Replay a finding against an app in this process, and return the exit status and what was said."""
    said = io.StringIO()
    with serving(app) as server, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        os.environ.update(_identities(server))
        status = command(["replay", str(file), "--patience", "0.3", "--ledger", str(file.parent / "ledger")])
        left = len([*app.images.all()])
    return status, said.getvalue() + (f"images left: {left}\n" if left else "")


def main() -> None:
    """Measure, and print what came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--keep", type=Path, metavar="DIR")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every N-th fault, without names")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        counted: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        requests: dict[bool, list[int]] = {True: [], False: []}
        for name in chosen.names or list(FAULTS)[1 :: chosen.every]:
            fault, reports = FAULTS[name], folder / name
            if not (reports / "conformance.json").exists():
                reports.mkdir(parents=True, exist_ok=True)
                judged(fault, reports, profile=fault.profile, select=beside(fault))
            for file in sorted((reports / "findings").glob("*.json")):
                finding = json.loads(file.read_text("utf-8"))
                counted["findings"] += 1
                few = finding["plan"] is not None
                reasons[re.sub(r"['/\d].*", "", "a few requests" if few else finding["reason"])] += 1
                (there, said), (gone, told) = replayed(file, fault()), replayed(file, App())
                if (there, gone) == EXPECTED:
                    counted["replayed"] += 1
                    by_few = few and "whole requirement" not in said
                    counted["reproduced by a few requests" if by_few else "reproduced by the whole requirement"] += 1
                    requests[by_few] += [int(found[1]) for found in [re.search(r"with (\d+) requests?", said)] if found]
                else:
                    counted[f"{there} on the faulty, {gone} on the honest service"] += 1
                    print(f"{name} {finding['id']}: faulty {there}, honest {gone}\n{said}{told}", flush=True)
        print(dict(counted))
        for reason, number in reasons.most_common():
            print(f"{number:5} {reason}")
        for by_few, numbers in requests.items():
            if numbers:
                what = "a few requests" if by_few else "the whole requirement"
                print(f"requests of {what}: median {statistics.median(numbers):g}, most {max(numbers)}")


if __name__ == "__main__":
    main()
