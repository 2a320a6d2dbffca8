"""Two runs compared, finding by finding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.reporting.rates import CHANCE, compared, told
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

KINDS = {
    "new": "was as required before, and is not now",
    "appeared": "is not as required, and was not judged before or may have gone unseen",
    "vanished": "was not as required, or was judged, and cannot be told now",
    "still": "is not as required, as before",
    "deviating": "is not as required, and accepted",
    "fixed": "was not as required before, and is now",
}
"""What can become of a finding, in the order in which it is told."""
AGAINST = ("new", "appeared")
"""Those that a gate holds against a service."""
JUDGED = frozenset(map(str, (Verdict.PASS, Verdict.NOTED, Verdict.ADVISORY, Verdict.FAIL)))


@dataclass(frozen=True)
class Change:
    """What became of a finding from one run to another."""

    kind: str
    id: str
    verdict: str
    """The verdict now; *untested* where the requirement is no longer there."""
    before: str
    statement: str
    identity: str = ""
    note: str = ""

    def as_data(self) -> dict[str, str]:
        """Return it as JSON data."""
        names = ("kind", "id", "before", "verdict", "identity", "statement", "note")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Comparison:
    """What became of every finding from one run to another."""

    changes: Sequence[Change]
    not_asked: int
    """Requirements that were judged before and not asked for now."""
    old: Mapping[str, Any] = field(repr=False)
    new: Mapping[str, Any] = field(repr=False)

    def of(self, kind: str) -> list[Change]:
        """Return the findings of which this became."""
        return [change for change in self.changes if change.kind == kind]

    def against(self, *, strict: bool) -> list[Change]:
        """Return what a gate holds against the service: what is new, as far as it fails or is to be taken for it."""
        counted = (str(Verdict.FAIL), str(Verdict.ADVISORY)) if strict else (str(Verdict.FAIL),)
        return [change for change in self.changes if change.kind in AGAINST and change.verdict in counted]

    @property
    def unjudged(self) -> list[str]:
        """What was asked for now and could not be judged, and was no such case before."""
        return self._newly(Verdict.BLOCKED, Verdict.UNSTABLE)

    @property
    def errors(self) -> list[str]:
        """What the suite failed at now, and did not before."""
        return self._newly(Verdict.ERROR)

    @property
    def trouble(self) -> list[str]:
        """What is wrong with the deviations that the later run was given."""
        return [trouble["text"] for trouble in self.new.get("deviations", {}).get("trouble", ())]

    @property
    def cut_short(self) -> str:
        """Why the later run says too little: it was interrupted, or judged nothing; empty where that is not so."""
        if self.new["interrupted"]:
            return "the later run was interrupted"
        return "" if any(entry["verdict"] in JUDGED for entry in self.new["requirements"]) else "nothing was judged"

    def _newly(self, *verdicts: Verdict) -> list[str]:
        words = {*map(str, verdicts)}
        before = {entry["id"] for entry in self.old["requirements"] if entry["verdict"] in words}
        return [
            entry["id"] for entry in self.new["requirements"] if entry["verdict"] in words and entry["id"] not in before
        ]

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            "old": _run_of(self.old),
            "new": _run_of(self.new),
            "counts": {kind: len(self.of(kind)) for kind in KINDS},
            "not_asked": self.not_asked,
            "changes": [change.as_data() for kind in KINDS for change in self.of(kind)],
        }


def _run_of(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "endpoint": data["service"]["endpoint"],
        "started": data["started"],
        "seed": data["seed"],
        "profile": data["settings"]["profile"],
        "specification": data["settings"]["specification"],
        "suite": data["suite"]["version"],
        "interrupted": data["interrupted"],
    }


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Comparison:
    """Return what became of every finding of two runs, given as the data of conformance.json."""
    before = {entry["id"]: entry for entry in old["requirements"]}
    now = {entry["id"]: entry for entry in new["requirements"]}
    changes: list[Change] = []
    not_asked = 0
    for identifier in dict.fromkeys([*before, *now]):
        first, second = before.get(identifier), now.get(identifier)
        found = [*_changes(first, second)]
        changes += found
        asked = second is not None and second["verdict"] != str(Verdict.UNTESTED)
        not_asked += first is not None and first["verdict"] in JUDGED and not asked
    return Comparison(changes, not_asked, old, new)


def _changes(first: Mapping[str, Any] | None, second: Mapping[str, Any] | None) -> Iterator[Change]:
    """Yield what became of the findings of one requirement."""
    if second is not None and "deviates" in second:
        yield _change("deviating", first, second, second["deviates"]["reason"])
    elif second is not None and "identity" in second:
        yield from _found_now(first, second)
    elif first is not None:
        yield from _not_found_now(first, second)


def _found_now(first: Mapping[str, Any] | None, second: Mapping[str, Any]) -> Iterator[Change]:
    if first is None or first["verdict"] not in JUDGED:
        state = "not in that catalogue" if first is None else f"it was {first['verdict']} before"
        yield _change("appeared", first, second, state)
    elif "identity" not in first:
        chance, words = _rates(first, second)
        # Where few have met it, that nobody met it before says little.
        yield _change("new" if chance < CHANCE else "appeared", first, second, words)
    elif not same(first, second):
        yield _change("new", first, second, "another finding of the same requirement")
        yield _change("vanished", first, second, "another one is found in its place", identity=first["identity"])
    else:
        worse = second["verdict"] == str(Verdict.FAIL) != first["verdict"]
        chance, words = _rates(first, second, otherwise=1.0)
        risen = chance < CHANCE and _share(second) > _share(first)
        yield _change("new" if worse or risen else "still", first, second, words)


def _not_found_now(first: Mapping[str, Any], second: Mapping[str, Any] | None) -> Iterator[Change]:
    now = second["verdict"] if second else str(Verdict.UNTESTED)
    if "identity" in first:
        if second is None or now not in JUDGED:
            reason = " ".join(second["explanation"].split()) if second else "not in this catalogue"
            yield _change("vanished", first, second, f"{now}: {reason}")
        else:
            chance, words = _rates(first, second)
            yield _change("fixed" if chance < CHANCE else "vanished", first, second, words)
    elif second is not None and first["verdict"] in JUDGED and now not in (*JUDGED, str(Verdict.UNTESTED)):
        yield _change("vanished", first, second, f"was {first['verdict']}: {' '.join(second['explanation'].split())}")


def _change(
    kind: str,
    first: Mapping[str, Any] | None,
    second: Mapping[str, Any] | None,
    note: str = "",
    *,
    identity: str | None = None,
) -> Change:
    known: Mapping[str, Any] = second or first or {}
    found = (second or {}).get("identity") or (first or {}).get("identity", "")
    return Change(
        kind=kind,
        id=known["id"],
        verdict=second["verdict"] if second else str(Verdict.UNTESTED),
        before=first["verdict"] if first else str(Verdict.UNTESTED),
        statement=known["statement"],
        identity=found if identity is None else identity,
        note=note,
    )


def same(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Return whether two findings of a requirement are one: what was not found out about one of them tells nothing."""
    return all(
        first[name] == second[name] or not first[name] or not second[name] for name in ("input_class", "symptom")
    )


def _rates(first: Mapping[str, Any], second: Mapping[str, Any], otherwise: float = 0.0) -> tuple[float, str]:
    """Return by which chance the rates of two runs differ, and both in words; ``otherwise`` where there are none."""
    if "rate" not in first or "rate" not in second:
        return otherwise, told(second["rate"]) if "rate" in second else ""
    return compared(first["rate"], second["rate"])


def _share(entry: Mapping[str, Any]) -> float:
    rate = entry["rate"]
    return float(rate["violations"] / rate["of"]) if rate["of"] else 0.0
