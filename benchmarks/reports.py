"""Time the reports of a large run: 5,000 cases, a third of what was asked not met, long answers.

Usage: python benchmarks/reports.py [CASES]. Prints, for each file that a run writes itself, the processor seconds that
its text takes (the median of five) and its size.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from pytest_cloudimages.reporting import WRITERS
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Verdict

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from sample_results import results

ANSWER = '{"tags": ["' + '", "'.join(f"tag-{number:04}" for number in range(150)) + '"]}'


def main(cases: int = 5_000) -> None:
    """Print a row for each file."""
    asked = [identifier for identifier in load() if identifier.startswith(("TAG-", "MEM-"))]
    verdicts = {
        identifier: Verdict.FAIL if number % 3 == 0 else Verdict.PASS for number, identifier in enumerate(asked)
    }
    run = results(verdicts, cases=-(-cases // len(asked)), exchanges=12, answer=ANSWER)
    for name, text_of in WRITERS.items():
        seconds = []
        text = ""
        for _ in range(5):
            begun = time.process_time()
            text = text_of(run)
            seconds.append(time.process_time() - begun)
        print(f"{name:18} {statistics.median(seconds):6.2f} s  {len(text.encode()):9,} octets")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
