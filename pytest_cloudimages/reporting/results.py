"""The results of a run, made of facts and of what its checks have shown: the one source of every report."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.showing import as_json_text
from pytest_cloudimages.reporting import disturbances, findings, plans, power
from pytest_cloudimages.reporting.comparison import Comparison, compare
from pytest_cloudimages.reporting.deviations import Deviation, applied
from pytest_cloudimages.reporting.reproduction import has_script
from pytest_cloudimages.reporting.verification import with_digest
from pytest_cloudimages.spec import catalogue as catalogue_package
from pytest_cloudimages.spec.requirements import Level
from pytest_cloudimages.spec.verdicts import Verdict, of_several, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_cloudimages.spec.requirements import Requirement

DEVIATES = "deviates"
"""What is shown in place of the verdict of a finding that is accepted."""
SCRIPTS = "repro"
"""The folder below that of the reports in which a script for each finding lies."""
UNDECIDED = (Verdict.BLOCKED, Verdict.UNSTABLE)
"""Verdicts that trouble on the way may be the reason of."""
FORMAT = 1
"""Version of the form of conformance.json."""
SPECIFICATIONS = {
    "cloud-images": "the Cloud Images 2.0 API reference",
    "glance": "the Image API v2 reference of OpenStack Glance",
}
"""Whose specification judges, by the value of ``--specification``."""


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
    mismatch: Mapping[str, Any] | None = None
    """What was expected and what came, as data, where the check says so: see ``spec.mismatch``."""
    exchanges: tuple[dict[str, Any], ...] = ()
    witnesses: tuple[dict[str, Any], ...] = ()
    seed: int | None = None
    """The seed of the round, if it is not the run's."""
    replay: str = ""
    """The command that asks for just this again, if it is not the run's own."""
    extent: str = ""
    """The class of input that a finding is about, with what was tried of it, if it is known."""
    input_class: str = ""
    """That class alone."""
    symptom: str = ""
    """In which way an operation on a tag went wrong, if it was one that did."""
    rate: Mapping[str, Any] | None = None
    """How often concurrent clients met what the check is about."""
    power: Sequence[Mapping[str, Any]] = ()
    """What a pass that rests on chance would have seen."""
    led_up: Mapping[str, Any] = field(default_factory=dict)
    """What had become of the value before a finding's step (``prior``), and if its image never was (``absent``)."""
    race: Mapping[str, Any] | None = None
    """What the clients of a race did that has shown a finding."""
    sent_before: int = 0
    """How many requests the run had sent, for whatever purpose, when this was known."""
    known_at: float = 0.0
    """When it was, in seconds of the epoch."""
    unaffordable: bool = False
    """Whether it was left untested for lack of budget."""


@dataclass(frozen=True)
class RunFacts:
    """What reports may know of a run besides its checks, as plain values."""

    endpoint: str
    named: str
    """How the service was named: --endpoint, OS_* variables, …"""
    credentials: str
    """Where the credentials came from, without any secret."""
    settings: Mapping[str, Any]
    replay: Mapping[str, str] = field(default_factory=dict)
    """The command that asks for a requirement again, by its id."""
    region: str | None = None
    problem: str = ""
    """Why nothing can be judged, if that is so."""
    instead_of: str = ""
    """The service that a dry run leaves alone."""
    suite: str = ""
    """The suite's version."""
    software: Mapping[str, str] = field(default_factory=dict)
    """The versions of what the suite runs on."""
    chosen: frozenset[str] = frozenset()
    """The ids of the requirements that the tester asks for."""
    tested: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The tests that ask for each id."""
    shard: tuple[int, int] | None = None
    """The number of this shard, and how many there are; ``None`` where the run is whole."""
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    """The number of the shard that asks for each id, where it is another one."""
    started: float = 0.0
    """When it began, in seconds of the epoch."""
    seconds: float = 0.0
    interrupted: bool = False
    """Whether checks are missing that were to run."""
    by_signal: bool = False
    """Whether somebody interrupted it, by Ctrl-C or a signal."""
    created: int = 0
    """How many images it created."""
    lag: float = 0.0
    """The longest time that an acknowledged change took to be seen."""
    claims: Mapping[str, str] = field(default_factory=dict)
    """The areas of the catalogue that the service says it has, with the document that says so."""
    left_behind: tuple[str, ...] = ()
    requests: Mapping[str, int] = field(default_factory=dict)
    """How many requests were sent for each purpose."""
    capabilities: Sequence[Mapping[str, Any]] = ()
    """What the service was seen to be able to do and not, each with its evidence."""
    disturbances: Mapping[str, Any] = field(default_factory=lambda: {"answers": 0, "kinds": {}, "repeated": 0})
    """What trouble there was on the way: answers that were waited for, trouble by kind, requests sent again."""
    latencies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """How long answers took, by operation: count, median, 95th percentile and maximum."""

    @property
    def lent(self) -> tuple[str, ...]:
        """The ids of the images that were lent; without any, images are created."""
        return tuple(self.settings["image"])


@dataclass(frozen=True)
class Results:
    """Everything that a run has shown, as JSON data."""

    data: Mapping[str, Any]
    comparison: Comparison | None = None
    """What became of the findings of an earlier run, if this one was compared with it."""

    @classmethod
    def of(cls, facts: RunFacts, catalogue: Mapping[str, Requirement], records: Sequence[CheckResult]) -> Results:
        """Return the results of a run, with one entry for every requirement of the catalogue."""
        by_id: dict[str, list[CheckResult]] = {}
        for record in records:
            by_id.setdefault(record.id, []).append(record)
        entries = [_judged(requirement, facts, by_id.get(requirement.id, [])) for requirement in catalogue.values()]
        totals = Counter(entry["verdict"] for entry in entries)
        data = {
            "format": FORMAT,
            "suite": {"name": "pytest-cloudimages", "version": facts.suite},
            "catalogue": {"version": catalogue_package.VERSION, "requirements": len(catalogue)},
            "service": {
                "endpoint": facts.endpoint,
                "region": facts.region,
                "named": facts.named,
                "credentials": facts.credentials,
                "image": list(facts.lent) or "created",
                "created": facts.created,
                "lag": round(facts.lag, 3),
                "claims": dict(facts.claims),
            },
            "settings": facts.settings,
            "seed": facts.settings["seed"],
            "started": datetime.fromtimestamp(facts.started, UTC).isoformat(timespec="seconds"),
            "seconds": round(facts.seconds, 3),
            "interrupted": facts.interrupted or facts.by_signal,
            "ended": "interrupted" if facts.by_signal else "stopped" if facts.interrupted else "whole",
            "problem": facts.problem,
            "left_behind": list(facts.left_behind),
            "software": facts.software,
            "requests": facts.requests,
            "capabilities": [dict(seen) for seen in facts.capabilities],
            "disturbances": facts.disturbances,
            "latencies": [{"operation": operation, **summary} for operation, summary in facts.latencies.items()],
            "classes": dict(sorted(_classes(records).items())),
            "totals": {str(verdict): totals[str(verdict)] for verdict in Verdict},
            "causes": findings.causes(entries),
            "obstacles": findings.obstacles(entries),
            "requirements": entries,
        }
        if facts.shard:
            number, of = facts.shard
            asked = [each for each in catalogue if each in facts.chosen and facts.tested.get(each)]
            here = [each for each in asked if each not in facts.elsewhere]
            data["shard"] = {"number": number, "of": of, "requirements": here, "left": dict(facts.elsewhere)}
        return cls(SECRETS.hidden(data))

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The requirements, in the order of the catalogue."""
        return list(self.data["requirements"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The requirements that the service does not meet, or that could not be judged; the worst first."""
        order = {Verdict.FAIL: 0, Verdict.ADVISORY: 1}
        bad = [entry for entry in self.entries if verdict_of(entry) >= Verdict.ADVISORY]
        return sorted(bad, key=lambda entry: order.get(verdict_of(entry), 2))

    def count(self, verdict: Verdict) -> int:
        """Return how many requirements came to a verdict."""
        return int(self.data["totals"][str(verdict)])

    @property
    def deviating(self) -> list[dict[str, Any]]:
        """The requirements that the service does not meet, and that somebody has accepted."""
        return [entry for entry in self.data.get("requirements", ()) if "deviates" in entry]

    @property
    def trouble(self) -> list[dict[str, Any]]:
        """What is wrong with the deviations that were given."""
        return list(self.data.get("deviations", {}).get("trouble", ()))

    def not_accepted(self, verdict: Verdict) -> int:
        """Return how many requirements came to a verdict and nobody has accepted it."""
        return self.count(verdict) - sum(verdict_of(entry) is verdict for entry in self.deviating)

    def accepting(self, deviations: Sequence[Deviation]) -> Results:
        """Return the results in which what is accepted says so."""
        return replace(self, data=applied(self.data, deviations))

    def against(self, baseline: Mapping[str, Any]) -> Results:
        """Return the results compared with those of an earlier run: only what is new counts then."""
        comparison = compare(baseline, self.data)
        return replace(self, data={**self.data, "baseline": comparison.as_data()}, comparison=comparison)

    def held_against(self, *, strict: bool) -> bool:
        """Return whether there is a finding that counts: none that is accepted, nor one that the baseline has."""
        if self.comparison is not None:
            return bool(self.comparison.against(strict=strict))
        return bool(self.not_accepted(Verdict.FAIL) or (strict and self.not_accepted(Verdict.ADVISORY)))

    def exit_status(self, *, strict: bool) -> int:
        """Return the status of `cloudimages run`; ``app.cli.exit_status`` has the table of what each says.

        A fail that was seen stands, whatever else went wrong; with ``strict``, an advisory is one.
        """
        if self.data.get("ended") == "interrupted":
            return 130
        if self.trouble or self.held_against(strict=strict):
            return 1
        if self.count(Verdict.ERROR):
            return 4
        judged = sum(self.count(verdict) for verdict in (Verdict.PASS, Verdict.NOTED, Verdict.ADVISORY, Verdict.FAIL))
        unjudged = self.comparison.unjudged if self.comparison is not None else self.unjudged
        return 3 if unjudged or self.musts_left_out or self.data.get("left_behind") or not judged else 0

    @property
    def left_out(self) -> list[dict[str, Any]]:
        """The requirements that there was no budget for."""
        return [entry for entry in self.data.get("requirements", ()) if "unaffordable" in entry]

    @property
    def musts_left_out(self) -> int:
        """How many of them a service has to meet."""
        return sum(entry["level"] == str(Level.MUST) for entry in self.left_out)

    @property
    def unjudged(self) -> int:
        """How many requirements could not be judged, although they were asked for."""
        return self.count(Verdict.BLOCKED) + self.count(Verdict.UNSTABLE)


def shown_verdict(entry: Mapping[str, Any]) -> str:
    """Return the verdict of an entry as readers see it: a finding that is accepted deviates."""
    return DEVIATES if "deviates" in entry else str(entry["verdict"])


def specification_of(settings: Mapping[str, Any]) -> str:
    """Return whose specification judges, in words."""
    return SPECIFICATIONS.get(settings["specification"], str(settings["specification"]))


def verdict_of(entry: Mapping[str, Any]) -> Verdict:
    """Return the verdict of an entry."""
    return Verdict[entry["verdict"].upper()]


def entry_of(requirement: Requirement, facts: RunFacts, records: Sequence[CheckResult]) -> dict[str, Any]:
    """Return the entry of a requirement that these checks have judged."""
    return _entry(requirement, facts, records, of_several(record.verdict for record in records), "")


def _judged(requirement: Requirement, facts: RunFacts, records: Sequence[CheckResult]) -> dict[str, Any]:
    """Return the entry of a requirement, judged or not."""
    tests = facts.tested.get(requirement.id, ())
    if not records:
        return _entry(requirement, facts, records, *_not_judged(requirement, facts))
    if len({record.test for record in records}) < len(tests) and facts.interrupted:
        verdict = worst([Verdict.BLOCKED, *(record.verdict for record in records)])
        return _entry(requirement, facts, records, verdict, "The run was interrupted before it was judged.")
    return entry_of(requirement, facts, records)


def _entry(
    requirement: Requirement, facts: RunFacts, records: Sequence[CheckResult], verdict: Verdict, explanation: str
) -> dict[str, Any]:
    decisive = [record for record in records if record.verdict is verdict]
    explained = next((record for record in decisive if record.explanation), None)
    entry: dict[str, Any] = {
        "id": requirement.id,
        "level": str(requirement.level),
        "provenance": str(requirement.provenance),
        "area": requirement.area,
        "group": requirement.group,
        "operation": requirement.operation,
        "statement": requirement.statement,
        "source": requirement.source,
        "document": requirement.document,
        "section": requirement.section,
        "url": requirement.url,
        "verdict": str(verdict),
        "cases": sum(record.cases for record in records),
        "requests": sum(record.requests for record in records),
        "seconds": round(sum(record.seconds for record in records), 4),
        "notes": [note for record in records for note in record.notes],
        "explanation": explanation or (explained.explanation if explained else ""),
    }
    if verdict is Verdict.UNTESTED and any(record.unaffordable for record in decisive):
        # What was looked at before the budget was spent is no judgement.
        entry |= {"cases": 0, "requests": 0, "unaffordable": True}
    if verdict >= Verdict.NOTED:
        entry["exchanges"] = next((list(record.exchanges) for record in decisive if record.exchanges), [])
        if witnesses := [witness for record in decisive for witness in record.witnesses]:
            entry["witnesses"] = witnesses
        if explained and explained.mismatch and not explanation:
            entry |= explained.mismatch
        entry["replay"] = (decisive[0].replay if decisive else "") or facts.replay[requirement.id]
    entry |= _disturbed(verdict, facts)
    if classes := _classes(records):
        entry["classes"] = dict(sorted(classes.items()))
    entry |= power.stated((record.rate for record in decisive), (record.power for record in decisive))
    if verdict.finding:
        extended = next((record for record in decisive if record.extent), None)
        if extended:
            entry["class"] = extended.extent
        entry |= findings.identified(entry, (extended or explained or decisive[0]) if decisive else None)
        entry |= _led_up(decisive)
        entry["finding"] = f"{plans.FOLDER}/{entry['id']}.json"
        entry |= _first_known(facts, decisive)
        if has_script(entry, facts.endpoint):
            entry["repro"] = f"{SCRIPTS}/{entry['id']}.sh"
    return entry


def _disturbed(verdict: Verdict, facts: RunFacts) -> dict[str, str]:
    told = disturbances.in_words(facts.disturbances) if verdict in UNDECIDED else ""
    return {"disturbed": told} if told else {}


def _first_known(facts: RunFacts, decisive: Sequence[CheckResult]) -> dict[str, Any]:
    """Return after how many requests and seconds of the run the first of these checks had said what it says."""
    if not decisive:
        return {}
    first = min(decisive, key=lambda record: record.sent_before)
    seconds = max(0.0, first.known_at - facts.started)
    return {"known": {"requests": first.sent_before, "seconds": round(seconds, 3)}}


def _led_up(decisive: Sequence[CheckResult]) -> dict[str, Any]:
    """Return what is to be known of a finding so that it can be asked again, besides its exchanges."""
    race = next((record.race for record in decisive if record.race), None)
    return {**({"race": dict(race)} if race else {}), **(decisive[0].led_up if decisive else {})}


def _not_judged(requirement: Requirement, facts: RunFacts) -> tuple[Verdict, str]:
    tests = facts.tested.get(requirement.id, ())
    if requirement.id not in facts.chosen:
        return Verdict.UNTESTED, "Not selected, or left to a profile that asks for more."
    if facts.shard and requirement.id in facts.elsewhere:
        return Verdict.UNTESTED, f"Left to shard {facts.elsewhere[requirement.id]} of {facts.shard[1]}."
    if tests and facts.interrupted:
        return Verdict.BLOCKED, "The run was interrupted before it was judged."
    return Verdict.UNTESTED, "Its test was left out of this run." if tests else requirement.untested


def _classes(records: Iterable[CheckResult]) -> Counter[str]:
    """Return how many tags of each class were tried: of all checks, by the one that looked at most of them."""
    found: Counter[str] = Counter()
    for record in records:
        found |= Counter(record.kinds or {})
    return found


def as_json(results: Results) -> str:
    """Return conformance.json."""
    return as_json_text(json.dumps(with_digest(results.data), indent=1, ensure_ascii=True)) + "\n"
