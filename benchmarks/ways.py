"""Prove that a run comes to the same in whatever way it is carried out.

Usage: python benchmarks/ways.py [--seed N …] [--profile P] [--way NAME …] [--fault NAME]. Judges the embedded server,
or a faulty one, one after another, 16 at once, in four shards that are put together, and in four shards on Dask
clusters of this machine with 1, 2 and 4 workers (the extra dask). Prints as a Markdown table the requests and seconds
of each, and the requirements at which verdict, number of cases, class of input, symptom or identity of a finding differ
from what one after another comes to. The status is 1 where there are any, or where an image is left.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from faults import FAULTS
from shards import differing, measured, results, surroundings
from test_many import entry

from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import serving

ALONE = "one after another"
WAYS: dict[str, tuple[list[str], int]] = {
    "16 at once": (["--concurrency", "16"], 0),
    "4 shards": (["--shards", "4"], 0),
    **{f"4 shards, Dask with {number}": (["--shards", "4"], number) for number in (1, 2, 4)},
}
"""The words of the command for each, and how many workers a cluster has."""
CALLERS = ("other", "reader", "creator", "admin")
"""The users of the embedded server that are further identities; options are called after them."""


def main() -> int:
    """Judge in each way, compare, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--profile", default="standard")
    parser.add_argument("--way", nargs="+", default=[*WAYS], choices=[*WAYS])
    parser.add_argument("--fault", choices=[*FAULTS])
    chosen = parser.parse_args()
    app = FAULTS[chosen.fault] if chosen.fault else App
    print("| seed | way | requests, seconds | otherwise |\n| ---: | --- | ---: | --- |")
    status = 0
    for seed in chosen.seed:
        words = ["--profile", chosen.profile, "--seed", str(seed)]
        alone = judged(app(), words)
        print(f"| {seed} | {ALONE} | {measured(alone)} | |", flush=True)
        for way in chosen.way:
            further, workers = WAYS[way]
            found = judged(app(), [*words, *further], workers=workers)
            other = differing(alone, found)
            status = 1 if other else status
            print(f"| {seed} | {way} | {measured(found)} | {', '.join(other) or 'nothing'} |", flush=True)
    return status


def judged(app: App, words: list[str], *, workers: int = 0) -> dict[str, Any]:
    """Have a command judge an app that clouds.yaml names, on a cluster where it asks for one; return its results."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(serving(app))
        clouds = {name: entry(server, name) for name in ("tester", *CALLERS)}
        (folder / "clouds.yaml").write_text(json.dumps({"clouds": clouds}), encoding="utf-8")
        environ = surroundings(folder) | {"OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml")}
        if workers:
            from test_dask import Cluster

            words = [*words, "--dask", Cluster(folder, stack, environ).start(workers=workers).address]
        callers = [word for option in CALLERS for word in (f"--{option}-cloud", option)]
        return results(app, environ, folder, "--cloud", "tester", *callers, *words)


if __name__ == "__main__":
    raise SystemExit(main())
