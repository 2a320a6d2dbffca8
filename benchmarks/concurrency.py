"""Measure what a run takes when its workloads are made at once, on a service that is far away.

Usage: python benchmarks/concurrency.py [--profile P] [--latency MS …] [--concurrency N …] [--seed N …]. Serves the
embedded server in a process of its own behind a proxy that lets every octet arrive half of MS later, has the suite
judge it, and prints as a Markdown table the seconds that each run took, by its own account, and how many requests it
sent. The status is 1 where a run came to other verdicts or other numbers of cases than the first one of its seed.
"""

import argparse
import asyncio
import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import serving

OCTETS = 65536
USERS = {"": "tester", "ALT_": "other", "READER_": "reader", "CREATOR_": "creator", "ADMIN_": "admin"}


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="standard")
    parser.add_argument("--latency", type=float, nargs="+", default=[0, 20, 50, 100], metavar="MS")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 4, 16, 32], metavar="N")
    parser.add_argument("--seed", type=int, nargs="+", default=[1], metavar="N")
    chosen = parser.parse_args()
    print(f"| latency, seed | {' | '.join(f'{number} at once' for number in chosen.concurrency)} |")
    print(f"| --- |{' ---: |' * len(chosen.concurrency)}")
    first, status = dict[int, Any](), 0
    for latency, seed in itertools.product(chosen.latency, chosen.seed):
        cells = []
        for number in chosen.concurrency:
            data = judged(latency, number, chosen.profile, seed)
            found = {entry["id"]: (entry["verdict"], entry["cases"]) for entry in data["requirements"]}
            expected = first.setdefault(seed, found)
            differing = sorted(identifier for identifier in expected if expected[identifier] != found[identifier])
            if differing:
                print(f"{latency:g} ms, {number} at once: other verdicts or cases of {differing}", file=sys.stderr)
                status = 1
            cells.append(f"{data['seconds']:.1f} s, {sum(data['requests'].values()):,} requests")
        print(f"| {latency:g} ms, {seed} | {' | '.join(cells)} |", flush=True)
    return status


def judged(latency: float, concurrency: int, profile: str, seed: int = 1) -> dict[str, Any]:
    """Have a run judge the embedded server, and return its results."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(sender,), daemon=True)
    server.start()
    port, tokens = receiver.recv()
    try:
        with tempfile.TemporaryDirectory() as folder, delaying(port, latency / 2000) as nearer:
            environ = {
                name: value for name, value in os.environ.items() if not name.startswith(("OS_", "CLOUDIMAGES_"))
            }
            environ |= tokens | {"CLOUDIMAGES_ENDPOINT": f"http://127.0.0.1:{nearer}", "CLOUDIMAGES_LEDGER": folder}
            command = [sys.executable, "-m", "pytest_cloudimages", "run", "--profile", profile, "--seed", str(seed)]
            command += ["--concurrency", str(concurrency), "--reports", folder]
            subprocess.run(command, env=environ, cwd=folder, stdout=subprocess.DEVNULL, check=False)
            results: dict[str, Any] = json.loads(Path(folder, "conformance.json").read_text(encoding="utf-8"))
            return results
    finally:
        server.kill()


def _serve(sender: Any) -> None:
    app = App()
    with serving(app) as server:
        identity = app.identity
        tokens = {f"CLOUDIMAGES_{who}TOKEN": identity.issue(name).value for who, name in USERS.items()}
        tokens["CLOUDIMAGES_EXPIRED_TOKEN"] = identity.issue("tester", timedelta(seconds=-1)).value
        sender.send((int(server.url.rpartition(":")[2]), tokens))
        threading.Event().wait()


@contextmanager
def delaying(port: int, seconds: float) -> Iterator[int]:
    """Pass octets on to a local port, each so many seconds after it came, and yield the port that takes them."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(_listen(port, seconds))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _listen(port: int, seconds: float) -> asyncio.Server:
    async def accept(near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        far, to_far = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pass_on(near, to_far, seconds), _pass_on(far, to_near, seconds))

    return await asyncio.start_server(accept, "127.0.0.1", 0, backlog=256)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    while octets := await _read(reader):
        if seconds:
            loop.call_later(seconds, writer.write, octets)
        else:
            writer.write(octets)
    loop.call_later(seconds, writer.close)


async def _read(reader: asyncio.StreamReader) -> bytes:
    with suppress(OSError):
        return await reader.read(OCTETS)
    return b""


if __name__ == "__main__":
    raise SystemExit(main())
