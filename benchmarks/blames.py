"""After how many requests a run first blames a fault for what it breaks.

Usage: python -m benchmarks.blames [--every N] [--file FILE] [NAME…]. Judges every Nth of the faults in the order of
their names (8th), or those that are named, in runs of profile standard over all areas, whatever their own tests ask
for; each run ends with its first right blame. Prints the median, and by workload how many faults were blamed while it
was made, and how many requests were sent until it began; keeps all in FILE, as JSON.

The module is also the plugin of pytest that ends those runs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_cloudimages.app.judge import Judge
from pytest_cloudimages.app.records import Records
from pytest_cloudimages.app.stash import RUN
from pytest_cloudimages.engine.registry import Workloads
from pytest_cloudimages.spec.marks import ids_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pytest

    from pytest_cloudimages.engine.registry import Workload

    Blames = dict[str, dict[str, Any]]

BROKEN = "FAULT_BREAKS"
"""The variable that names what a fault breaks, as JSON."""
BLAME = "blame.json"
PROFILE = "standard"


class Stopwatch:
    """The plugin: it notes which workloads are begun when, and ends the run with the first right blame."""

    def __init__(self, broken: Iterable[str]) -> None:
        self.broken = {*broken}
        self.begun: list[tuple[str, int]] = []
        self.started = time.time()

    def watch(self) -> None:
        """Take the place of what tells of findings, and of what makes workloads."""
        tell, known, make = Judge._tell_of_first_look, Records._known, Workloads._make  # noqa: SLF001 - there is no other way

        def told(judge: Judge, sent: int, ids: Iterable[str]) -> None:
            found = [*ids]
            tell(judge, sent, found)
            self.end_with(found, sent)

        def judged(records: Records, item: pytest.Item, verdict: Any) -> dict[str, Any]:
            when = known(records, item, verdict)
            if verdict.finding:
                self.end_with(ids_of(item), when["sent_before"])
            return when

        def made(workloads: Workloads, declared: Workload) -> Any:
            self.begun.append((declared.name, sum(workloads._run.recorder.counts.values())))  # noqa: SLF001 - as above
            return make(workloads, declared)

        Judge._tell_of_first_look, Records._known, Workloads._make = told, judged, made  # type: ignore[method-assign,assignment]  # noqa: SLF001 - as above

    def end_with(self, ids: Iterable[str], sent: int) -> None:
        """End the run where one of these requirements is broken indeed. What is left behind goes with the server."""
        if right := sorted(self.broken.intersection(ids)):
            self._end({"requests": sent, "seconds": time.time() - self.started, "ids": right, "begun": self.begun})

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Write what a run took that blames nobody."""
        sent = sum(config.stash[RUN].recorder.counts.values()) if RUN in config.stash else 0
        self._end({"requests": sent, "seconds": time.time() - self.started, "ids": [], "begun": self.begun})

    def _end(self, blame: Mapping[str, Any]) -> NoReturn:
        Path(BLAME).write_text(json.dumps(blame), encoding="utf-8")
        sys.stdout.flush()
        os._exit(0)


def pytest_configure(config: pytest.Config) -> None:
    """Watch the run."""
    stopwatch = Stopwatch(json.loads(os.environ[BROKEN]))
    stopwatch.watch()
    config.pluginmanager.register(stopwatch)


def measured(names: Sequence[str], profile: str = PROFILE) -> Blames:
    """Return when each of these faults is blamed."""
    from faults import FAULTS
    from faults.sampling import Widely
    from faults.trial import judged

    found: Blames = {}
    for place, name in enumerate(names, 1):
        fault = FAULTS[name]
        os.environ[BROKEN] = json.dumps(sorted(fault.broken))
        most = fault.profile if fault.profile == "thorough" else profile
        with tempfile.TemporaryDirectory() as folder:
            with suppress(RuntimeError):  # it ends before there are any results
                judged(Widely(fault), Path(folder), profile=most, select=(), pytest=("-p", "benchmarks.blames"))
            found[name] = json.loads(Path(folder, BLAME).read_text(encoding="utf-8"))
        when = found[name]
        print(f"{place} of {len(names)}: {name}: {when['requests']:,}, {', '.join(when['ids'])}", file=sys.stderr)
    return found


def median(found: Blames) -> float:
    """Return after how many requests half of the faults are blamed; one that is not takes longer than all others."""
    return statistics.median(each["requests"] if each["ids"] else float("inf") for each in found.values())


def table(found: Blames) -> Iterable[str]:
    """Yield by workload how many faults are blamed while it is made, and after how many requests it began."""
    during: dict[str, list[int]] = {}
    for each in found.values():
        name, begun = each["begun"][-1] if each["begun"] else ("", 0)
        during.setdefault(name, []).append(begun)
    yield "| while this is made, or until the next | begun after | faults blamed |\n| --- | ---: | ---: |"
    for name, begun in sorted(during.items(), key=lambda item: statistics.median(item[1])):
        yield f"| {name} | {statistics.median(begun):,.0f} | {len(begun)} |"


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*")
    parser.add_argument("--every", type=int, default=8, metavar="N")
    parser.add_argument("--file", type=Path)
    chosen = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from faults.sampling import sample

    found = measured(chosen.name or sample(chosen.every))
    if chosen.file:
        chosen.file.write_text(json.dumps(found), encoding="utf-8")
    print(*table(found), sep="\n")
    blamed = [each for each in found.values() if each["ids"]]
    print(f"\n{len(blamed)} of {len(found)} are blamed; half of all after {median(found):,.0f} requests.")


if __name__ == "__main__":
    main()
