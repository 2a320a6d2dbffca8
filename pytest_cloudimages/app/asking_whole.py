"""Asks for the whole requirement that a finding is about, as the run asked that found it, in a run of its own.

This is for what no few requests show, and for what they do not show any more: that alone does not make it mended.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.app.option import TYPED
from pytest_cloudimages.app.options import OPTIONS
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.reporting import rates
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Blocked, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_cloudimages.engine.settings import Settings

MET = (Verdict.PASS, Verdict.NOTED)
NOT_MET = (Verdict.FAIL, Verdict.ADVISORY)
QUICKER = ("--", "-p", "no:html")
"""What spares a run the page that nobody reads."""


@dataclass(frozen=True)
class Asked:
    """What has become of a finding, when its whole requirement was asked again."""

    reproduced: bool
    told: str
    requests: int
    """Requests of the run that judge; preparing and cleaning are not among them."""


def can_be_asked(finding: Mapping[str, Any]) -> bool:
    """Return whether the suite itself asks for the requirement of a finding, and the finding says in which way."""
    return "asks" in finding and finding["id"] in load()


def ask(settings: Settings, finding: Mapping[str, Any], *, races: int = 0) -> Asked:
    """Ask for the requirement of a finding again, and return what came; raise ``Blocked`` where that cannot be told.

    ``races`` is how many have been run before that did not show it.
    """
    with tempfile.TemporaryDirectory(prefix="cloudimages-replay-") as folder:
        status, said = _run([*words(settings, finding), "--reports", folder, *QUICKER])
        entry, requests = _entry(Path(folder), finding["id"], status, said)
    verdict = next(verdict for verdict in Verdict if str(verdict) == entry["verdict"])
    if verdict in NOT_MET:
        return Asked(reproduced=True, told=_as_found(entry, finding), requests=requests)
    if verdict not in MET:
        raise Blocked(f"The whole requirement was asked again, and is {verdict}: {entry['explanation']}")
    if "rate" in finding:
        _see_that_it_is_no_chance(finding["rate"], entry.get("rate"), races)
    return Asked(reproduced=False, told=f"the whole requirement was asked again: {verdict}", requests=requests)


def words(settings: Settings, finding: Mapping[str, Any]) -> list[str]:
    """Return the words of a run that asks for the requirement of a finding on the service that settings name."""
    asks = {
        option.attribute: option.parse(finding["asks"][option.name])
        for option in OPTIONS
        if option.name in finding["asks"]
    }
    wanted = replace(settings, **asks)
    found = [sys.executable, "-m", "pytest_cloudimages", "run"]
    for option in OPTIONS:
        value = getattr(wanted, option.attribute)
        if (option.replayed and value != option.default) or option.attribute in asks:
            found += option.words(value)
    ids = [finding["id"], *({*finding["asks"].get("beside", "").split(",")} & load().keys())]
    return [*found, *(word for identifier in ids for word in (f"{TYPED}select", identifier))]


def _run(command: Sequence[str]) -> tuple[int, str]:
    """Run a command and return its status and what it said; an interrupt ends it as it ends any run, all cleaned up."""
    interrupted = False
    # In a session of its own it hears of Ctrl-C once, from here.
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output,
        subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True) as running,  # noqa: S603
    ):
        while True:
            try:
                status = running.wait()
                break
            except KeyboardInterrupt:
                interrupted = True
                running.send_signal(signal.SIGINT)
        if interrupted:
            raise KeyboardInterrupt
        output.seek(0)
        return status, output.read()


def _entry(folder: Path, identifier: str, status: int, said: str) -> tuple[Mapping[str, Any], int]:
    """Return what a run has left on a requirement, and its requests that judge."""
    from pytest_cloudimages.app.cli.exit_status import USAGE
    from pytest_cloudimages.app.result_files import results_at

    try:
        data = results_at(folder)
    except ValueError:
        told = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "nothing")
        told = next((line for line in said.splitlines() if line.startswith(("ERROR: ", "cloudimages run: "))), told)
        if status == USAGE:
            raise ConfigurationError(told.removeprefix("ERROR: ")) from None
        raise Blocked(f"The whole requirement was asked again, and the run ended with {status}: {told}") from None
    return next(entry for entry in data["requirements"] if entry["id"] == identifier), data["requests"]["judging"]


def _as_found(entry: Mapping[str, Any], finding: Mapping[str, Any]) -> str:
    """Return that a requirement is not met, and whether it is by the same finding."""
    if entry.get("identity") == finding["identity"]:
        return f"the whole requirement was asked again: {entry['verdict']}, as it was found: {entry['identity']}"
    return (
        f"the whole requirement was asked again: {entry['verdict']}, otherwise than it was found:"
        f" {entry.get('identity')}, and not {finding['identity']}"
    )


def _see_that_it_is_no_chance(before: Mapping[str, Any], now: Mapping[str, Any] | None, races: int) -> None:
    """Raise ``Blocked`` where what clients meet by chance may as well be there still."""
    now = now or {**before, "violations": 0, "of": 0}
    chance, told = rates.compared(before, {**now, "of": now["of"] + races})
    if chance >= rates.CHANCE:
        raise Blocked(f"It is met by chance, and was not met again; that says too little: {told}.")
