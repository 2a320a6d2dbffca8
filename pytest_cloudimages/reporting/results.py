"""The results of a run: the one source of every report."""

from __future__ import annotations

import json
import platform
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.spec import catalogue as catalogue_package
from pytest_cloudimages.spec.verdicts import Verdict, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pytest_cloudimages.engine.run import Run
    from pytest_cloudimages.spec.requirements import Requirement

FORMAT = 1
"""Version of the form of conformance.json."""


@dataclass(frozen=True)
class CheckResult:
    """What one check has shown of one requirement."""

    id: str
    verdict: Verdict
    test: str
    cases: int = 0
    requests: int = 0
    seconds: float = 0.0
    kinds: Mapping[str, int] | None = None
    notes: tuple[str, ...] = ()
    explanation: str = ""
    exchanges: tuple[dict[str, Any], ...] = ()
    witnesses: tuple[dict[str, Any], ...] = ()
    seed: int | None = None
    """The seed of the round, where it is not the run's."""
    extent: str = ""
    """The class of input that a finding is about, where it was found out."""

    def as_data(self) -> dict[str, Any]:
        """Give the record as JSON data."""
        return asdict(self) | {"verdict": int(self.verdict)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CheckResult:
        """Read the record from its JSON data."""
        lists = {name: tuple(data[name]) for name in ("notes", "exchanges", "witnesses")}
        return cls(**{**data, "verdict": Verdict(data["verdict"]), **lists})


@dataclass(frozen=True)
class Results:
    """Everything that a run has shown, as JSON data."""

    data: Mapping[str, Any]

    @classmethod
    def gather(
        cls,
        run: Run,
        catalogue: Mapping[str, Requirement],
        chosen: Iterable[str],
        tested: Mapping[str, Sequence[str]],
        records: Sequence[CheckResult],
        interrupted: bool,
        begun: float,
    ) -> Results:
        """Gather the records of the checks, one entry for every requirement of the catalogue."""
        chosen = {*chosen}
        entries = [
            _entry(one, one.id in chosen, tested.get(one.id, ()), records, interrupted, run)
            for one in catalogue.values()
        ]
        totals = Counter(entry["verdict"] for entry in entries)
        data = {
            "format": FORMAT,
            "suite": {"name": "pytest-cloudimages", "version": metadata.version("pytest-cloudimages")},
            "catalogue": {"version": catalogue_package.VERSION, "requirements": len(catalogue)},
            "service": {
                "endpoint": run.service.endpoint,
                "region": run.service.region,
                "named": run.service.named,
                "credentials": run.owner.how,
                "image": list(run.settings.image) or "created",
                "created": run.recorder.created,
                "lag": round(run.recorder.lag, 3),
            },
            "settings": run.settings.as_data(),
            "seed": run.settings.seed,
            "started": datetime.fromtimestamp(begun, UTC).isoformat(timespec="seconds"),
            "seconds": round(time.time() - begun, 3),
            "interrupted": interrupted,
            "problem": str(run.problem or ""),
            "left_behind": list(run.recorder.traces.left_behind),
            "software": {"python": platform.python_version()}
            | {name: metadata.version(name) for name in ("pytest", "hypothesis", "requests", "urllib3")},
            "requests": {str(purpose): run.recorder.counts[purpose] for purpose in Purpose},
            "classes": dict(sorted(_classes(records).items())),
            "totals": {str(verdict): totals[str(verdict)] for verdict in Verdict},
            "requirements": entries,
        }
        return cls(SECRETS.hidden(data))

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The requirements, in the order of the catalogue."""
        return list(self.data["requirements"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The requirements that the service does not meet, or that could not be judged; the worst first."""
        bad = [one for one in self.entries if Verdict[one["verdict"].upper()] >= Verdict.ADVISORY]
        order = {Verdict.FAIL: 0, Verdict.ADVISORY: 1}
        return sorted(bad, key=lambda one: order.get(Verdict[one["verdict"].upper()], 2))

    def count(self, verdict: Verdict) -> int:
        """How many requirements came to a verdict."""
        return int(self.data["totals"][str(verdict)])

    def exit_status(self, *, strict: bool) -> int:
        """Give the status of `cloudimages run`: 0 no fail, 1 a fail, 3 not judged or not tidied, 4 an error of ours.

        A fail that was seen stands, whatever else went wrong; with ``strict``, an advisory is one.
        """
        if self.count(Verdict.FAIL) or (strict and self.count(Verdict.ADVISORY)):
            return 1
        if self.count(Verdict.ERROR):
            return 4
        judged = sum(self.count(one) for one in (Verdict.PASS, Verdict.NOTED, Verdict.ADVISORY))
        open_ends = self.count(Verdict.BLOCKED) or self.count(Verdict.UNSTABLE) or self.data.get("left_behind")
        return 3 if open_ends or not judged else 0


def _entry(
    requirement: Requirement,
    chosen: bool,
    tests: Sequence[str],
    records: Sequence[CheckResult],
    interrupted: bool,
    run: Run,
) -> dict[str, Any]:
    mine = [one for one in records if one.id == requirement.id]
    verdict, explanation = worst(one.verdict for one in mine), ""
    if not mine:
        verdict, explanation = _not_judged(requirement, chosen=chosen, tests=tests, interrupted=interrupted)
    elif len({one.test for one in mine}) < len(tests) and interrupted:
        verdict, explanation = worst([verdict, Verdict.BLOCKED]), "The run was interrupted before it was judged."
    decisive = [one for one in mine if one.verdict is verdict]
    finding = verdict >= Verdict.NOTED
    entry: dict[str, Any] = {
        "id": requirement.id,
        "level": str(requirement.level),
        "provenance": str(requirement.provenance),
        "area": requirement.area,
        "operation": requirement.operation,
        "statement": requirement.statement,
        "source": requirement.source,
        "document": requirement.document,
        "section": requirement.section,
        "url": requirement.url,
        "verdict": str(verdict),
        "cases": sum(one.cases for one in mine),
        "requests": sum(one.requests for one in mine),
        "seconds": round(sum(one.seconds for one in mine), 4),
        "notes": [note for one in mine for note in one.notes],
        "explanation": explanation or next((one.explanation for one in decisive if one.explanation), ""),
    }
    if finding:
        entry["exchanges"] = next((list(one.exchanges) for one in decisive if one.exchanges), [])
        if witnesses := [one for record in decisive for one in record.witnesses]:
            entry["witnesses"] = witnesses
        entry["replay"] = run.settings.replay((requirement.id,), next((one.seed for one in decisive), None))
    if verdict.finding and (extent := next((one.extent for one in decisive if one.extent), "")):
        entry["class"] = extent
    return entry


def _not_judged(
    requirement: Requirement, *, chosen: bool, tests: Sequence[str], interrupted: bool
) -> tuple[Verdict, str]:
    if not chosen:
        return Verdict.UNTESTED, "Not selected, or left to a profile that asks for more."
    if tests and interrupted:
        return Verdict.BLOCKED, "The run was interrupted before it was judged."
    return Verdict.UNTESTED, "Its test was left out of this run." if tests else requirement.untested


def _classes(records: Iterable[CheckResult]) -> Counter[str]:
    """Count the tags tried of each class: of all checks, the one that looked at most of them."""
    found: Counter[str] = Counter()
    for one in records:
        found |= Counter(one.kinds or {})
    return found


def write(results: Results, folder: Path) -> Path:
    """Write conformance.json into the folder, whole or not at all, and give its path."""
    path = folder / "conformance.json"
    unfinished = path.with_suffix(".json.part")
    unfinished.write_text(json.dumps(results.data, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
    unfinished.replace(path)
    return path
