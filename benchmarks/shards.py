"""Prove that the shards of a run, put together, show what one run shows.

Usage: python benchmarks/shards.py [--seed N …] [--shards N] [--profile P] [--fault NAME …]. Judges the embedded server
and faulty ones, once in one run and once by `--shards`, which is what `--shard` and `cloudimages merge` are, and prints
as a Markdown table the requests and seconds of both, and the requirements at which verdict, number of cases, class of
input or identity of a finding differ. The status is 1 where there are any.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from faults import FAULTS

from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import environment, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EVIDENCE = ("verdict", "cases", "input_class", "symptom", "identity")
"""What is said of a requirement, and depends on nothing that is measured."""
DEFAULT = ("ForgivesASecondDelete", "AnswersAnAdditionWith200", "FoldsCase")


def main() -> int:
    """Judge, compare, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--profile", default="standard")
    parser.add_argument("--fault", nargs="*", default=[name for name in DEFAULT if name in FAULTS], choices=[*FAULTS])
    chosen = parser.parse_args()
    print(f"| service | seed | one run | {chosen.shards} shards | otherwise |\n| --- | ---: | ---: | ---: | --- |")
    status = 0
    apps: dict[str, Callable[[], App]] = {"honest": App, **{name: FAULTS[name] for name in chosen.fault}}
    for name, app in apps.items():
        for seed in chosen.seed:
            words = ["--profile", chosen.profile, "--seed", str(seed)]
            whole = judged(app(), *words)
            merged = judged(app(), *words, "--shards", str(chosen.shards))
            found = differing(whole, merged)
            status = 1 if found else status
            cells = (measured(whole), measured(merged), ", ".join(found) or "nothing")
            print(f"| {name} | {seed} | {' | '.join(cells)} |", flush=True)
    return status


def judged(app: App, *words: str) -> dict[str, Any]:
    """Have a command judge an app, and return its results."""
    with serving(app) as server, tempfile.TemporaryDirectory() as folder:
        return results(app, surroundings(folder) | environment(server), folder, *words)


def surroundings(folder: str | Path) -> dict[str, str]:
    """Return the environment of who has no credentials, and keeps everything in a folder."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "CLOUDIMAGES_"))}
    return environ | {"XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}


def results(app: App, environ: Mapping[str, str], folder: str | Path, *words: str) -> dict[str, Any]:
    """Run the command in a folder, and return its results; end where it could not judge, or has left something."""
    command = [sys.executable, "-m", "pytest_cloudimages", "run", *words]
    run = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    if run.returncode not in (0, 1):
        raise SystemExit(run.stdout + run.stderr)
    if left := [image.id for image in app.images.all()]:
        raise SystemExit(f"left behind: {left}")
    reports = Path(folder, "reports")
    # Those of a service that was named among several stand in a folder of its own.
    written = next(chain(reports.glob("conformance.json"), reports.rglob("conformance.json")))
    found: dict[str, Any] = json.loads(written.read_text("utf-8"))
    return found


def differing(whole: Mapping[str, Any], merged: Mapping[str, Any]) -> list[str]:
    """Return the requirements of which the two do not say the same."""
    mine, theirs = ({entry["id"]: entry for entry in data["requirements"]} for data in (whole, merged))
    return [
        identifier
        for identifier in mine.keys() | theirs.keys()
        if any(mine.get(identifier, {}).get(field) != theirs.get(identifier, {}).get(field) for field in EVIDENCE)
    ]


def measured(data: Mapping[str, Any]) -> str:
    """Return what a run took, by its own account."""
    return f"{sum(data['requests'].values()):,} requests, {data['seconds']:.1f} s"


if __name__ == "__main__":
    raise SystemExit(main())
