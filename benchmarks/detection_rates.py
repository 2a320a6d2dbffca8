"""Measure how often the suite finds faults in histories, and how often it reports one that is not there.

Usage: python benchmarks/detection_rates.py [--runs N] [--alarms ROUNDS] [NAME…]. Judges every fault of racing.py and
sequences.py, or those whose names begin so, with as many seeds, in profile standard, asking for what it breaks and for
what races ask; prints as a Markdown table how often the verdicts were as expected and how many requests a run took.
`--alarms` runs so many races on honest services instead, with delays, late readers and clients that hang up, and prints
how many were called inexplicable: there must be none.
"""

import argparse
import statistics
import sys
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from faults import FAULTS, lawful
from faults.trial import judged

from pytest_cloudimages.areas.tags import races
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.transport import Transport
from pytest_cloudimages.engine.concurrent import execute, worker_pool
from pytest_cloudimages.engine.provisioning import temporary_image
from pytest_cloudimages.reference.server import serving

ROOMS = ("racing", "sequences")
RACED = ("TAG-HIST-02", "TAG-ADD-29", "TAG-ADD-30", "TAG-DEL-17")
CLIENTS = (2, 4, 8, 16)


def rates(names: list[str], runs: int) -> None:
    """Print how often each fault is found."""
    print("| fault | breaks | found | requests |\n| --- | --- | ---: | ---: |")
    for name in names:
        fault, found, requests = FAULTS[name], 0, []
        for seed in range(1, runs + 1):
            with tempfile.TemporaryDirectory() as folder:
                select = sorted(
                    {*fault.broken, *fault.perhaps, *(RACED if fault.__module__.endswith("racing") else ())}
                )
                outcome = judged(fault, Path(folder), profile="standard", seed=seed, select=select)
            quarrel = outcome.quarrel(fault.broken, fault.perhaps)
            found += not quarrel
            requests.append(outcome.requests)
            if quarrel:
                print(f"{name}, seed {seed}: {quarrel}", file=sys.stderr)
        median = statistics.median(requests)
        print(f"| {name} | {', '.join(sorted(fault.broken))} | {found} of {runs} | {median:.0f} |", flush=True)


def alarms(rounds: int) -> None:
    """Print how many races on correct services were reported as anomalies."""
    print("| service | races | operations | without an order |\n| --- | ---: | ---: | ---: |")
    for app in lawful.HONEST:
        count: Counter[str] = Counter()
        with serving(app()) as server, worker_pool() as members:
            token, recorder = server.app.identity.issue("tester").value, Recorder()
            client = ImagesClient(f"{server.url}/v2", Transport(server.url, timeout=10), recorder, partial(str, token))
            opened, patience = partial(temporary_image, client, "rates"), Eventually(1.0, recorder)
            seed = 0
            while count["races"] < rounds / len(lawful.HONEST):
                seed += 1
                for pattern in races.Pattern:
                    for plan in races.plans_of(pattern, seed, CLIENTS, 1):
                        concurrent_run = execute(plan, TAGS, opened, members, patience=patience, late=0.0)
                        count["races"] += 1
                        count["operations"] += len(concurrent_run.completed)
                        if concurrent_run.anomalies:
                            count["alarms"] += 1
                            print(f"{app.__name__}, seed {seed}: {concurrent_run.anomalies[0]}", file=sys.stderr)
        print(f"| {app.__name__} | {count['races']} | {count['operations']} | {count['alarms']} |", flush=True)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="*")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--alarms", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.alarms:
        alarms(chosen.alarms)
        return
    names = [name for name, fault in FAULTS.items() if fault.__module__.endswith(ROOMS) and fault.broken]
    rates([name for name in names if not chosen.name or name.startswith(tuple(chosen.name))], chosen.runs)


if __name__ == "__main__":
    main()
