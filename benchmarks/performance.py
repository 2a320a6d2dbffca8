"""Measure what the suite costs, side by side with what it is built on, and write docs/performance.md anew.

Usage: python benchmarks/performance.py [--rounds N] [--requests N] [--blames FILE] [--write]. All runs alternate, so
that a machine that slows down slows all of them; medians and ratios are what counts. The embedded server runs in a
process of its own. Measured is the CPU that

- one request takes, of the suite's client, of requests, of urllib3 and of http.client;
- a whole run of profile standard takes, beside a loop of requests over what that run sends;
- the plugin takes where nobody asks for it, and a run until its first request;
- each part of a run takes, by looks every two milliseconds of CPU (benchmarks/shares.py);

and, from FILE, after how many requests a fault is first blamed for what it breaks: `python -m benchmarks.blames --file
FILE` measures that, in minutes. Prints the table; `--write` writes it to docs/performance.md, all numbers to
docs/performance.json, and docs/performance.svg, for which matplotlib has to be there
(`pip install pytest-cloudimages[plots]`).
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import pickle
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
import urllib3

from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.transport import Transport
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pytest_cloudimages.reference.messages import Reply, Request

DOCS = Path(__file__).parents[1] / "docs"
BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"
PARTS_BEGIN, PARTS_END = "<!-- parts -->", "<!-- end of parts -->"
SHARES = Path(__file__).with_name("shares.py")
GOALS = {
    "requests": ("a `Session` of requests without its look at the environment", 0.55),
    "urllib3": ("urllib3's pool", 1.35),
    "http.client": ("http.client", None),
}
LOOP = """
import pickle, sys, requests
session, server = requests.Session(), sys.argv[2]
session.trust_env = False
for method, target, headers, body in pickle.load(open(sys.argv[1], "rb")):
    session.request(method, server + target, headers=headers, data=body, allow_redirects=False)
"""
FIRST = """
import os, sys, time
from pytest_cloudimages.app.cli import main
from pytest_cloudimages.client.transport import Transport
def send(*_, **how):
    os.write(2, f"{time.process_time()}".encode())
    os._exit(0)
Transport.send = send
main.main(sys.argv[1:])
"""


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


class Taped(App):
    """An app that keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.tape: list[tuple[str, str, dict[str, str], bytes]] = []

    def handle(self, request: Request) -> Reply:
        """Keep a request, and answer it."""
        kept = {
            name: value for name, value in request.headers.items() if name.lower() not in ("host", "content-length")
        }
        self.tape.append((request.method, request.target, kept, request.body))
        return super().handle(request)


def _serve(line: Any) -> None:
    app = Taped()
    with serving(app) as server:
        line.send((server.url, app.identity.issue("tester").value))
        while (path := line.recv()) is not None:
            Path(path).write_bytes(pickle.dumps(app.tape))
            line.send(len(app.tape))
            app.tape = []


@contextmanager
def served() -> Iterator[tuple[str, str, Any]]:
    """Serve the app in a process of its own; yield its address, a token, and a line on which it is told to write."""
    line, end = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(end,), daemon=True)
    process.start()
    url, token = line.recv()
    try:
        yield url, token, line
    finally:
        line.send(None)
        process.join()


def per_request(rounds: int, number: int) -> dict[str, float]:
    """Return the microseconds of CPU that a request takes, of every client."""
    with served() as (url, token, _):
        transport = Transport(url, timeout=10)
        ours = ImagesClient(f"{url}/v2", transport, Recorder(), partial(str, token))
        image = ours.create(name="measured").data["id"]
        asked = [("PUT", f"/v2/images/{image}/tags/a"), ("GET", f"/v2/images/{image}")]
        asked.append(("DELETE", asked[0][1]))
        fields = {"X-Auth-Token": token, "Accept": "application/json", "Accept-Encoding": "identity"}
        session = requests.Session()
        session.trust_env = False
        pool, connection = urllib3.PoolManager(), http.client.HTTPConnection(url.partition("://")[2])

        def plainly(method: str, target: str) -> None:
            connection.request(method, target, headers=fields)
            connection.getresponse().read()

        clients: dict[str, Callable[[str, str], object]] = {
            "ours": lambda method, target: ours.send(method, target.removeprefix("/v2")),
            "requests": lambda method, target: session.request(method, url + target, headers=fields),
            "urllib3": lambda method, target: pool.request(method, url + target, headers=fields),
            "http.client": plainly,
        }
        taken: dict[str, list[float]] = {name: [] for name in clients}
        for _ in range(rounds):
            for name, send in clients.items():
                begun = time.process_time()
                for place in range(number):
                    send(*asked[place % len(asked)])
                taken[name].append((time.process_time() - begun) / number * 1e6)
        ours.delete(image)
        transport.close()
    return {name: median(seconds) for name, seconds in taken.items()}


def surroundings() -> dict[str, str]:
    """Return the environment of who has run the suite before: what was compiled then is kept."""
    unset = ("OS_", "CLOUDIMAGES_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(unset)}


def cpu_of(words: Sequence[str], folder: Path, **environ: str) -> float:
    """Return the seconds of CPU that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], cwd=folder, env=surroundings() | environ, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def whole_run(rounds: int, profile: str) -> dict[str, float]:
    """Return the seconds of CPU of a run, of a loop over what it sends, and of a start that sends nothing."""
    taken: dict[str, list[float]] = {"run": [], "loop": [], "start": []}
    with served() as (url, token, line), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = ["-m", "pytest_cloudimages", "run", "--endpoint", f"{url}/v2", "--profile", profile, "--seed", "1"]
        tape, sent = folder / "tape", 0
        for _ in range(rounds):
            taken["run"].append(cpu_of(words, folder, CLOUDIMAGES_TOKEN=token))
            line.send(str(tape))
            sent = line.recv()
            taken["loop"].append(cpu_of(["-c", LOOP, str(tape), url], folder))
            taken["start"].append(cpu_of(["-m", "pytest_cloudimages", "requirements", "--json"], folder))
            line.send(str(folder / "of the loop"))
            line.recv()
    return {name: median(seconds) for name, seconds in taken.items()} | {"requests": sent}


def shares(profile: str) -> dict[str, float]:
    """Return which part of a run's CPU goes where, the largest first."""
    with served() as (url, token, _), tempfile.TemporaryDirectory() as name:
        file = Path(name, "shares.json")
        words = [str(SHARES), str(file), "--endpoint", f"{url}/v2", "--profile", profile, "--seed", "1"]
        cpu_of(words, Path(name), CLOUDIMAGES_TOKEN=token)
        looks: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
    return {part: met / sum(looks.values()) for part, met in looks.items()}


def start_up(rounds: int) -> dict[str, float]:
    """Return the seconds of CPU that the plugin takes asleep, and those of a run until its first request."""
    taken: dict[str, list[float]] = {"with": [], "without": [], "awake": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_unrelated.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
        collect = ["-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
        run = ["run", "--endpoint", "http://127.0.0.1:9/v2", "--reports", str(folder / "reports")]
        cpu_of(collect, folder)
        for _ in range(rounds):
            taken["with"].append(cpu_of(collect, folder))
            taken["without"].append(cpu_of([*collect, "-p", "no:cloudimages"], folder))
            first = subprocess.run(
                [sys.executable, "-c", FIRST, *run],
                cwd=folder,
                env=surroundings() | {"CLOUDIMAGES_TOKEN": "a-token-of-nobody"},
                capture_output=True,
                text=True,
                check=True,
            )
            taken["awake"].append(float(first.stderr.split()[-1]))
    # A few milliseconds of many hundred: what else the machine has to do is within the medians.
    asleep = min(taken["with"]) - min(taken["without"])
    return {"asleep": asleep, "awake": median(taken["awake"]), "pytest": min(taken["without"])}


def first_blame(file: Path | None) -> dict[str, Any]:
    """Return after how many requests faults are first blamed rightly, as benchmarks/blames.py has measured it."""
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file else {}
    blamed = {name: {"requests": each["requests"]} for name, each in known.items() if each["ids"]}
    return {"of": len(known), "faults": blamed}


def table(measured: Mapping[str, Any]) -> str:
    """Return what was measured as Markdown."""
    client, run, start, blame = (measured[name] for name in ("client", "run", "start", "blame"))
    lines = ["| what | measured | goal |", "| --- | --- | ---: |"]
    for name, (words, goal) in GOALS.items():
        ratio = client["ours"] / client[name]
        lines.append(
            f"| CPU of a request, beside {words} | {client['ours']:.0f} µs, {client[name]:.0f} µs: **{ratio:.2f} ×** |"
            f" {f'{goal:g} ×' if goal else ''} |"
        )
    whole = f"{run['run']:.2f} s, {run['loop']:.2f} s: **{run['run'] / run['loop']:.2f} ×**"
    asleep = f"**{1000 * start['asleep']:.0f} ms** beside {1000 * start['pytest']:.0f} ms of pytest"
    sent = f"({run['requests']:,} requests)"
    lines += [
        f"| CPU of a whole run {sent}, beside a loop of requests that sends the same | {whole} | 1.6 × |",
        f"| CPU of the plugin asleep, `pytest --collect-only` | {asleep} | 5 ms |",
        f"| CPU of a run until its first request | **{start['awake']:.2f} s** | 0.8 s |",
    ]
    if blame["faults"]:
        asked = [known["requests"] for known in blame["faults"].values()]
        unblamed = [float("inf")] * (blame["of"] - len(asked))
        lines.append(
            f"| requests until a fault is first blamed rightly, median of {blame['of']} faults |"
            f" **{median([*asked, *unblamed]):,.0f}** | 60 |"
        )
    return "\n".join(lines)


def table_of_parts(found: Mapping[str, float]) -> str:
    """Return where the CPU of a run goes, as Markdown."""
    lines = ["| what a run does | of its CPU |", "| --- | ---: |"]
    return "\n".join([*lines, *(f"| {part} | {share:.0%} |" for part, share in found.items())])


def plot(measured: Mapping[str, Any], file: Path) -> bool:
    """Draw the CPU of a request and of a run's parts, and when faults are blamed; say whether that was done."""
    try:
        import matplotlib as mpl
    except ImportError:
        return False
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "cloudimages"
    from matplotlib import pyplot as plt

    figure, ((left, right), (below, nothing)) = plt.subplots(2, 2, figsize=(10, 6))
    parts = dict(reversed(measured["shares"].items()))
    below.barh([*parts], [100 * share for share in parts.values()])
    below.set_xlabel("% of the CPU of a run")
    nothing.axis("off")
    client = dict(sorted(measured["client"].items(), key=lambda item: -item[1]))
    left.barh([*client], [*client.values()])
    left.set_xlabel("µs of CPU for a request")
    known = sorted(each["requests"] for each in measured["blame"]["faults"].values())
    every = measured["blame"]["of"]
    right.step(known, [100 * (place + 1) / every for place in range(len(known))], where="post")
    right.set_xlabel("requests")
    right.set_ylabel("% of the faults blamed")
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
    return True


def write(measured: Mapping[str, Any], folder: Path) -> None:
    """Write the numbers, the picture, and the table into performance.md."""
    (folder / "performance.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    page = folder / "performance.md"
    text = page.read_text(encoding="utf-8")
    picture = "\n\n![CPU of a request, and faults blamed by requests](performance.svg)"
    drawn = plot(measured, folder / "performance.svg") or (folder / "performance.svg").exists()
    made = f"{BEGIN}\n{table(measured)}{picture if drawn else ''}\n{END}"
    text = re.sub(f"{BEGIN}.*?{END}", lambda _: made, text, flags=re.DOTALL)
    made_parts = f"{PARTS_BEGIN}\n{table_of_parts(measured['shares'])}\n{PARTS_END}"
    page.write_text(
        re.sub(f"{PARTS_BEGIN}.*?{PARTS_END}", lambda _: made_parts, text, flags=re.DOTALL), encoding="utf-8"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="how often each is measured (7)")
    parser.add_argument("--requests", type=int, default=600, metavar="N", help="of each client in a round (600)")
    parser.add_argument("--blames", type=Path, metavar="FILE", help="what benchmarks/blames.py has written")
    parser.add_argument("--profile", default="standard", help="of the whole run (standard)")
    parser.add_argument("--write", type=Path, nargs="?", const=DOCS, metavar="FOLDER", help="write the page (docs)")
    chosen = parser.parse_args(arguments)
    measured = {
        "client": per_request(chosen.rounds, chosen.requests),
        "run": whole_run(chosen.rounds, chosen.profile),
        "shares": shares(chosen.profile),
        "start": start_up(chosen.rounds),
        "blame": first_blame(chosen.blames),
    }
    print(table(measured), table_of_parts(measured["shares"]), sep="\n\n")
    if chosen.write:
        write(measured, chosen.write)


if __name__ == "__main__":
    main()
