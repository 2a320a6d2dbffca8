"""One run of the suite against one app, by its address, as any tester would run it."""

import gc
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from threading import Lock

from hypothesis_storage import STORAGE
from near import near

from pytest_cloudimages.app.cli import main
from pytest_cloudimages.client import polling
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.server import OTHERS, Server, environment, serving
from pytest_cloudimages.reporting import WRITERS

LONGEST = 600.0  # seconds; a hundredth of it on a machine with nothing else to do
SEED = 1
OUTPUT, RESULTS = "output.txt", "conformance.json"
SUITE = "pytest_cloudimages.conformance"
LIBRARIES = (
    "pytest",
    "requests",
    "hypothesis",
    "hypothesis.strategies._internal.random",
    "jsonschema",
    "platformdirs",
    "pytest_html.plugin",
    "sqlite3",
    "xdist.plugin",
    "xml.etree.ElementTree",
    "pytest_cloudimages.client.auth.accounts",
    "pytest_cloudimages.client.session",
    "openstack.config",
    "keystoneauth1.loading",
    "keystoneauth1.identity",
    "pytest_cloudimages.areas.members.fixtures",
    "pytest_cloudimages.areas.tags.fixtures",
    "pytest_cloudimages.areas.tasks.fixtures",
    "pytest_cloudimages.reporting.formats.junit",
    "pytest_cloudimages.reporting.index_page",
    "tests.read_sources",
)
"""What every run loads; not what has assertions that pytest is to rewrite."""
WARM = multiprocessing.get_context("forkserver")
WARM.set_forkserver_preload([*LIBRARIES])
STRANGE = ("OS_", "CLOUDIMAGES_", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class Outcome:
    """What a run has said: the verdict of each requirement, why, and what it took."""

    verdicts: dict[str, str]
    explanations: dict[str, str]
    cases: int
    requests: int
    """Those that judge; preparing and cleaning are not among them."""
    sent: int
    """All that reached the app."""
    output: str
    classes: dict[str, str]
    """For which class of input a finding holds, as far as that was found out."""
    known: dict[str, dict[str, float]]
    """After how many requests and seconds of the run each finding was first known."""

    def which(self, *verdicts: str) -> frozenset[str]:
        """Return the requirements of these verdicts."""
        return frozenset(identifier for identifier, verdict in self.verdicts.items() if verdict in verdicts)

    @property
    def found(self) -> frozenset[str]:
        """The requirements said to be broken."""
        return self.which("fail", "advisory")

    @property
    def asked(self) -> frozenset[str]:
        """The requirements that the profile asks for."""
        return frozenset(
            identifier for identifier, why in self.explanations.items() if not why.startswith("Not selected")
        )

    def quarrel(self, broken: Iterable[str], perhaps: Iterable[str] = ()) -> str:
        """Say where the run and the truth part; nothing where they agree, as far as the profile asks."""
        broken = self.asked.intersection(broken)
        missing, extra, errors = broken - self.found, self.found - broken - {*perhaps}, self.which("error")
        lines = [f"missed: {identifier}, which was {self.verdicts.get(identifier)}" for identifier in sorted(missing)]
        for word, ids in (("blamed without reason", extra), ("an error of ours", errors)):
            lines += [
                f"{word}: {each_identifier}: {self.explanations[each_identifier][:600]}"
                for each_identifier in sorted(ids)
            ]
        return "\n".join(lines)


class Meter:
    """Counts the requests that reach an app, whoever sends them."""

    def __init__(self, app: App) -> None:
        self.requests = 0
        self._lock, self._handle = Lock(), app.handle
        app.handle = self  # type: ignore[method-assign]

    def __call__(self, request: Request) -> Reply:
        with self._lock:
            self.requests += 1
        return self._handle(request)


def _identities(server: Server) -> dict[str, str]:
    """Return tokens for every caller. Names and passwords cost more, so few faults have ``signs_in``."""
    identity = server.app.identity
    users = {prefix.removeprefix("OS").removeprefix("_"): name for prefix, name in OTHERS.items()}
    users |= getattr(server.app, "mistaken", {})
    tokens = {f"CLOUDIMAGES_{who}{'_' if who else ''}TOKEN": identity.issue(name).value for who, name in users.items()}
    tokens["CLOUDIMAGES_EXPIRED_TOKEN"] = identity.issue("tester", timedelta(seconds=-1)).value
    tokens["CLOUDIMAGES_REVOKED_TOKEN"] = (revoked := identity.issue("tester")).value
    identity.revoke(revoked.value)
    endpoint = server.url + getattr(server.app, "prefix", "")
    project = identity.users["tester"].project.id
    tokens["CLOUDIMAGES_OBJECT_STORE"] = f"{server.url}/object-store/v1/AUTH_{project}"
    if getattr(server.app, "signs_in", False):
        return environment(server) | {"HYPOTHESIS_STORAGE_DIRECTORY": str(STORAGE)}
    return tokens | {"CLOUDIMAGES_ENDPOINT": endpoint, "HYPOTHESIS_STORAGE_DIRECTORY": str(STORAGE)}


class Instead(MetaPathFinder):
    """Finds a copy of the suite in place of the suite."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return where the copy is to be loaded from, and nothing for any other name."""
        del path, target
        if fullname != SUITE:
            return None
        return spec_from_file_location(
            fullname, Path(self.folder, "__init__.py"), submodule_search_locations=[self.folder]
        )


class Hurried:
    """A clock that goes faster, for waits of minutes; it takes the place of the module ``time`` where waits are made."""

    def __init__(self, times: float) -> None:
        self.times = times

    def monotonic(self) -> float:
        """Return the seconds that this clock has counted."""
        return time.monotonic() * self.times

    def sleep(self, seconds: float) -> None:
        """Wait until this clock has counted so many seconds more."""
        time.sleep(seconds / self.times)


def _run(
    words: list[str], environ: dict[str, str], folder: Path, suite: Path | None, hurry: float, *, pages: bool
) -> int | None:
    """Run the command in a process of its own, and give its exit status.

    The process is forked off one that has the libraries loaded already: two hundred runs need not load them each.
    """
    run = WARM.Process(target=_main, args=(words, environ, str(folder), str(suite or ""), hurry, pages))
    run.start()
    run.join(LONGEST)
    if run.is_alive():
        run.kill()
        run.join()
    return run.exitcode


def _main(
    words: list[str], environ: dict[str, str], folder: str, suite: str = "", hurry: float = 1.0, pages: bool = True
) -> None:
    gc.freeze()  # what all runs have in common need not be looked through in each
    if not pages:
        for name in {*WRITERS} - {RESULTS}:
            del WRITERS[name]
    if hurry != 1.0:
        vars(polling)["time"] = Hurried(hurry)  # as much of the module as is used there
    if suite:
        sys.meta_path.insert(0, Instead(suite))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    with Path(OUTPUT).open("w", encoding="utf-8") as output:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(output.fileno(), stream.fileno())
        sys.dont_write_bytecode = False
        status = main.main(words)
        sys.stdout.flush()
    raise SystemExit(status)


def judged(
    make: Callable[[], App],
    reports: Path,
    *,
    profile: str = "quick",
    seed: int = SEED,
    select: Iterable[str] | None = None,
    suite: Path | None = None,
    further: Sequence[str] = (),
    pytest: Sequence[str] = (),
    pages: bool = False,
) -> Outcome:
    """Serve an app, have the suite, or a copy of it, judge it in a process of its own, and read the results.

    Where nothing is said of what to ``select``, and the fault has no words of its own, it asks what is near; with nothing
    in it, every area. What is quick is not kept up by pages that nobody reads, unless ``pages`` asks for them. ``further``
    are words of the command, ``pytest`` those for pytest.
    """
    app = make()
    meter = Meter(app)
    with serving(app) as server:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(STRANGE)}
        words = ["run", "--profile", profile, "--seed", str(seed), "--patience", "0.3", "--reports", str(reports)]
        words += [*further, *getattr(make, "words", ())]
        words += near(words) if select is None else [word for each in select for word in ("--select", each)]
        pages = pages or profile != "quick" or bool(further)
        words += ["--", *pytest, *([] if pages else ["-p", "no:html"])]
        hurry = getattr(make, "hurry", 1.0)
        status = _run(words, environ | _identities(server), reports, suite, hurry, pages=pages)
    output = (reports / OUTPUT).read_text(encoding="utf-8", errors="replace")
    file = reports / RESULTS
    if not file.exists():
        raise RuntimeError(f"The run left no results, status {status}:\n{output}")
    data = json.loads(file.read_text(encoding="utf-8"))
    entries = data["requirements"]
    return Outcome(
        verdicts={entry["id"]: entry["verdict"] for entry in entries},
        explanations={entry["id"]: entry["explanation"] for entry in entries},
        cases=sum(entry["cases"] for entry in entries),
        requests=data["requests"]["judging"],
        sent=meter.requests,
        output=output,
        classes={entry["id"]: entry["class"] for entry in entries if "class" in entry},
        known={entry["id"]: entry["known"] for entry in entries if "known" in entry},
    )
