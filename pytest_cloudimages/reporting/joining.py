"""The results of a run that asked again what was not fine in those of an earlier one, and the rest of these. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_cloudimages.reporting.merging import seen_together
from pytest_cloudimages.reporting.plans import asked_by
from pytest_cloudimages.reporting.verification import DIGEST, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FINE = ("pass", "noted")
NOT_JUDGED = ("blocked", "untested")
"""Verdicts that say nothing about a service: what was found before stands beside them."""
KEPT_OF_A_RUN = ("started", "seconds", "ended", "requests", DIGEST)


def not_fine(data: Mapping[str, Any]) -> list[str]:
    """Return the requirements that results have not as fine: findings, what could not be judged, what was left out.

    What nobody had asked for is not among them.
    """
    return [
        entry["id"]
        for entry in data["requirements"]
        if entry["verdict"] not in FINE and (entry["verdict"] != "untested" or "unaffordable" in entry)
    ]


def asked_beside(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is asked again beside those, for the sake of what is sent then: a finding may rest on that."""
    for identifier, entry in ((entry["id"], entry) for entry in data["requirements"] if "identity" in entry):
        yield from asked_by(entry["replay"]).get("asks", {}).get("beside", identifier).split(",")


def problems(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield why results cannot be asked again, each in a few words."""
    if DIGEST not in data or data[DIGEST] != digest_of(data):
        yield "changed since the run wrote them: their digest does not fit"
    if "shard" in data:
        yield "those of one shard; put all of them together with cloudimages merge first"
    if data["settings"].get("minutes") is not None:
        yield "those of an exploration, which draws anew each time"


def another_service(old: Mapping[str, Any] | None, endpoint: str, *, reference: bool) -> str:
    """Return why a run would ask another service than some results are of; empty where it would not."""
    # The embedded server listens elsewhere in every run.
    if old is None or (reference and old["settings"].get("reference")) or old["service"]["endpoint"] == endpoint:
        return ""
    return (
        f"expected the service of the results, {old['service']['endpoint']}, got {endpoint}. Name that service with"
        " --endpoint or --cloud, or judge this one anew."
    )


def joined(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole: what was asked again as the new run has it, everything else as the old results have it.

    A finding that could not be judged again stands.
    """
    asked = {*not_fine(old)}
    before = {entry["id"]: entry for entry in old["requirements"]}
    anew = {
        entry["id"]
        for entry in new["requirements"]
        if entry["id"] in asked and not (entry["verdict"] in NOT_JUDGED and "identity" in before[entry["id"]])
    }
    chosen = [entry if entry["id"] in anew else before[entry["id"]] for entry in new["requirements"]]
    kept = {name: value for name, value in old.items() if name not in (DIGEST, "baseline", "deviations")}
    return kept | {
        **{name: new[name] for name in ("ended", "interrupted", "problem", "left_behind", "suite", "software")},
        "service": new["service"]
        | {
            "created": old["service"]["created"] + new["service"]["created"],
            "claims": old["service"].get("claims", {}),
            "lag": max(old["service"]["lag"], new["service"]["lag"]),
        },
        "settings": new["settings"],
        "seconds": round(old["seconds"] + new["seconds"], 3),
        "requests": {name: number + new["requests"].get(name, 0) for name, number in old["requests"].items()},
        **seen_together((old, new), chosen),
        "runs": [*_runs_before(old, anew), _run(new, [entry["id"] for entry in chosen if entry["id"] in anew])],
    }


def told(data: Mapping[str, Any]) -> list[str]:
    """Return which runs results were joined from, each in one line; none where they are of one run."""
    runs = data.get("runs", ())
    return [
        f"{'begun' if not place else 'asked again'} {run['started']}: {len(run['requirements'])} of"
        f" {len(data['requirements'])} requirements as that run has them"
        for place, run in enumerate(runs)
    ]


def asked_in(data: Mapping[str, Any]) -> dict[str, str]:
    """Return when the run began that has asked each requirement, where that is not the first one."""
    return {identifier: run["started"] for run in data.get("runs", ())[1:] for identifier in run["requirements"]}


def _runs_before(old: Mapping[str, Any], anew: set[str]) -> Iterator[dict[str, Any]]:
    """Yield the runs that the old results are of, without what another one has asked since."""
    runs = old.get("runs") or [_run(old, [entry["id"] for entry in old["requirements"]])]
    for run in runs:
        yield {**run, "requirements": [identifier for identifier in run["requirements"] if identifier not in anew]}


def _run(data: Mapping[str, Any], requirements: list[str]) -> dict[str, Any]:
    return {name: data[name] for name in KEPT_OF_A_RUN if name in data} | {"requirements": requirements}
