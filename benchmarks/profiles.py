"""Time whole runs on the embedded server, start-up included, profile beside profile.

Usage: python benchmarks/profiles.py [RUNS]. Prints the median and the spread in seconds, requests, and the ratio of
each profile to `cloudimages requirements`, which is start-up alone. The runs alternate, so that a machine that slows
down slows all of them.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMANDS = {
    "start-up": ["requirements", "--json"],
    "quick": ["run", "--reference", "--profile", "quick", "--seed", "1"],
    "standard": ["run", "--reference", "--profile", "standard", "--seed", "1"],
}


def timed(words: list[str], folder: str) -> float:
    """Run the command once in the folder, and return its time in seconds. Raise ``CalledProcessError`` if it fails."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "pytest_cloudimages.app.cli.main", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    """Time every command in turn and print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    requests: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for words in COMMANDS.values():
            timed(words, folder)
        for _ in range(runs):
            for name, words in COMMANDS.items():
                seconds[name].append(timed(words, folder))
                if words[0] == "run":
                    data = json.loads(Path(folder, "reports", "conformance.json").read_text(encoding="utf-8"))
                    requests[name] = sum(data["requests"].values())
    base = statistics.median(seconds["start-up"])
    print("| run | median s | min | max | to start-up | requests |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, taken in seconds.items():
        median = statistics.median(taken)
        print(
            f"| {name} | {median:.2f} | {min(taken):.2f} | {max(taken):.2f} | {median / base:.1f} |"
            f" {requests.get(name, '')} |"
        )


if __name__ == "__main__":
    main()
