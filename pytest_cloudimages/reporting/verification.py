"""Whether results are what a run leaves: complete, consistent, and unchanged since. No I/O.

Everything that follows from something else is worked out once more: totals from entries, a finding's verdict from its
requirement, its identity from its class and symptom, what is missing from what was expected and what came. What was
measured follows from nothing; that it is as it was written says the digest. Whoever changes results can make a new
digest: only a signature tells who made them.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.reporting import power
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_cloudimages.spec.requirements import Requirement

DIGEST = "digest"
"""The field that holds the digest of all others."""
STATED = (
    "level",
    "provenance",
    "area",
    "group",
    "operation",
    "statement",
    "source",
    "document",
    "section",
    "url",
)
"""What an entry says of its requirement, and the catalogue as well."""


def digest_of(data: Mapping[str, Any]) -> str:
    """Return the SHA-256 of results, without their digest: of their JSON with sorted keys and no blanks, in hex."""
    rest = {name: value for name, value in data.items() if name != DIGEST}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def with_digest(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return results with their digest."""
    # As they will be read: a tuple is a list by then.
    plain = json.loads(json.dumps({name: value for name, value in data.items() if name != DIGEST}))
    return {**plain, DIGEST: digest_of(plain)}


def problems(data: Mapping[str, Any], catalogue: Mapping[str, Requirement]) -> Iterator[str]:
    """Yield what is wrong with results, each in one line; what their schema forbids is taken for granted."""
    yield from _of_the_catalogue(data, catalogue)
    for entry in data["requirements"]:
        if entry["id"] in catalogue:
            for problem in _of_an_entry(entry, catalogue[entry["id"]]):
                yield f"{entry['id']}: {problem}"
    yield from _of_the_whole(data)
    if DIGEST not in data:
        yield "there is no digest: whether anything was changed since the run cannot be told"
    elif data[DIGEST] != digest_of(data):
        yield "the digest does not fit: something was changed since the run wrote it"


def _of_the_catalogue(data: Mapping[str, Any], catalogue: Mapping[str, Requirement]) -> Iterator[str]:
    """Yield where the entries are not those of the catalogue, each once."""
    found = Counter(entry["id"] for entry in data["requirements"])
    yield from (f"{identifier}: no entry, a hole" for identifier in catalogue if identifier not in found)
    for identifier, number in found.items():
        if identifier not in catalogue:
            yield f"{identifier}: not in the catalogue; name further catalogues with --catalogue"
        elif number > 1:
            yield f"{identifier}: {number} entries, expected one"
    said, there = data["catalogue"]["requirements"], sum(found.values())
    if said != there:
        yield f"the catalogue is said to have {said} requirements, not {there}"


def _of_an_entry(entry: Mapping[str, Any], requirement: Requirement) -> Iterator[str]:
    for name in STATED:
        if entry[name] != str(getattr(requirement, name)):
            yield f"{name} is not as in the catalogue: {entry[name]!r}"
    verdict = Verdict[entry["verdict"].upper()]
    if verdict.finding and verdict is not requirement.missed:
        yield f"{verdict} is said, and a departure from it is {requirement.missed}"
    if verdict is Verdict.NOTED and requirement.missed is not Verdict.NOTED:
        yield f"noted is said of what a service has to meet ({requirement.missed})"
    if verdict is Verdict.UNTESTED and (entry["cases"] or entry["requests"] or "exchanges" in entry):
        yield "untested is said, and cases, requests or exchanges are there"
    if verdict is Verdict.UNTESTED and not entry["explanation"]:
        yield "untested without a reason"
    if verdict.finding and not (entry["explanation"] or "expected" in entry):
        yield f"{verdict} without what was expected and what came"
    yield from _of_a_power(entry)
    yield from _of_an_identity(entry)
    yield from _of_a_difference(entry)
    for witness in entry.get("witnesses", ()):
        yield from _of_a_witness(witness)


def _of_a_power(entry: Mapping[str, Any]) -> Iterator[str]:
    if "power" in entry and entry["verdict"] != str(Verdict.PASS):
        yield f"{entry['verdict']} is said, and what a pass would have seen"
    for bound in entry.get("power", ()):
        yield from power.problems(bound)


def _of_an_identity(entry: Mapping[str, Any]) -> Iterator[str]:
    if "identity" not in entry:
        return
    parts = (entry["id"], entry.get("input_class") or "any input", entry.get("symptom") or "not as required")
    if entry["identity"] != " | ".join(parts):
        yield f"the identity does not follow from class and symptom: {entry['identity']!r}"


def _of_a_difference(entry: Mapping[str, Any]) -> Iterator[str]:
    if "expected" not in entry:
        return
    expected, actual = entry["expected"], entry["actual"]
    if isinstance(expected, list) and not isinstance(actual, list):
        if actual in expected:
            yield f"what came, {actual!r}, was expected"
    elif expected == actual and not ("missing" in entry or "unexpected" in entry):
        yield "what came is what was expected"
    if isinstance(expected, list) and isinstance(actual, list):
        for name, those, others in (("missing", expected, actual), ("unexpected", actual, expected)):
            wrong = [value for value in entry.get(name, ()) if those.count(value) <= others.count(value)]
            if wrong:
                yield f"said to be {name}, and it is not: {wrong[0]!r}"


def _of_a_witness(witness: Mapping[str, Any]) -> Iterator[str]:
    events, place = witness["events"], witness["impossible"]
    if any(event["answered"] is not None and event["answered"] < event["sent"] for event in events):
        yield "an event of the witness was answered before it was sent"
    if place is not None and not 0 <= place < len(events):
        yield "the witness has no such event as is said to be impossible"


def _of_the_whole(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield where what is said of the run does not follow from its entries."""
    from pytest_cloudimages.reporting import findings

    entries = data["requirements"]
    counted = Counter(entry["verdict"] for entry in entries)
    for verdict, number in data["totals"].items():
        if counted[verdict] != number:
            yield f"totals: {number} {verdict} are said, {counted[verdict]} are there"
    if missing := sorted({*map(str, Verdict)} - {*data["totals"]}):
        yield f"totals: {', '.join(missing)} is not counted"
    if data["causes"] != findings.causes(entries):
        yield "causes: not those of the findings"
    if data["obstacles"] != findings.obstacles(entries):
        yield "obstacles: not those of what is blocked"
    yield from _of_the_way(data)
    if data["seed"] != data["settings"]["seed"]:
        yield f"the seed is {data['seed']}, and {data['settings']['seed']} among the settings"
    if data["interrupted"] != (data["ended"] != "whole"):
        yield f"interrupted is {data['interrupted']}, and it ended {data['ended']}"
    for name in ("url", "cloud", "tag_limit", "profile"):
        if name not in data["settings"]:
            yield f"settings: {name} is not there"


def _of_the_way(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield where what is said of trouble on the way cannot be, and of the runs that have asked."""
    from pytest_cloudimages.reporting.disturbances import in_words

    disturbances = data.get("disturbances")
    if disturbances and sum(disturbances["kinds"].values()) > disturbances["answers"]:
        yield "disturbances: more trouble than answers"
    asked = [identifier for run in data.get("runs", ()) for identifier in run["requirements"]]
    if "runs" in data and sorted(asked) != sorted(entry["id"] for entry in data["requirements"]):
        yield "runs: the requirements are not each of one of them"
    for entry in data["requirements"]:
        if "disturbed" in entry and entry["disturbed"] != in_words(disturbances):
            yield f"{entry['id']}: disturbed is not what the run has met: {entry['disturbed']!r}"
