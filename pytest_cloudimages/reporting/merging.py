"""The results of shards put together: what one run would have left. No I/O."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.reporting import findings
from pytest_cloudimages.reporting.disturbances import added_up, in_words
from pytest_cloudimages.reporting.verification import DIGEST, digest_of
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

OF_A_MACHINE = frozenset(
    {"shard", "reports", "export", "sign", "ledger", "concurrency", "max_rps", "strict", "identify"}
)
"""Settings that may differ: they decide nothing about what is asked."""
ENDINGS = ("whole", "stopped", "interrupted")
"""How a run may end, from good to bad."""


def problems(shards: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield why results, by the names of their files, are not the shards of one run, each in one line."""
    for name, data in shards.items():
        if "shard" not in data:
            yield f"{name}: expected results of a run with --shard, got those of a whole run"
        elif DIGEST not in data or data[DIGEST] != digest_of(data):
            yield f"{name}: changed since the run wrote it: its digest does not fit"
    parts = {name: data for name, data in shards.items() if "shard" in data}
    if len(parts) < len(shards) or not parts:
        return
    (first, of), *others = parts.items()
    for name, data in others:
        yield from (f"{name}: {what}" for what in _foreign(of, data, first))
    yield from _holes(parts)


def _foreign(first: Mapping[str, Any], data: Mapping[str, Any], name: str) -> Iterator[str]:
    """Yield where results are of another run than the first."""
    for what in ("suite", "catalogue"):
        if data[what] != first[what]:
            yield f"another {what} than in {name}: {_shown(data[what])}, not {_shown(first[what])}"
    if [entry["id"] for entry in data["requirements"]] != [entry["id"] for entry in first["requirements"]]:
        yield f"another catalogue than in {name}: other requirements"
    # The embedded server listens elsewhere in every run.
    for what in () if first["settings"].get("reference") else ("endpoint", "region"):
        if data["service"][what] != first["service"][what]:
            yield f"another service than in {name}: {what} {data['service'][what]}, not {first['service'][what]}"
    for setting in sorted({*data["settings"], *first["settings"]} - OF_A_MACHINE):
        mine, other = data["settings"].get(setting), first["settings"].get(setting)
        if mine != other:
            yield f"another setting than in {name}: {setting} {mine}, not {other}"
    if data["shard"]["of"] != first["shard"]["of"]:
        yield f"one of {data['shard']['of']} shards, and {name} is one of {first['shard']['of']}"


def _shown(value: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {each}" for name, each in value.items())


def _holes(shards: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield what is there twice, and what nobody has asked."""
    by_number: dict[int, list[str]] = {}
    for name, data in shards.items():
        by_number.setdefault(data["shard"]["number"], []).append(name)
    for number, names in sorted(by_number.items()):
        if len(names) > 1:
            yield f"shard {number} is there {len(names)} times: {', '.join(names)}"
    of = max(data["shard"]["of"] for data in shards.values())
    if missing := [str(number) for number in range(1, of + 1) if number not in by_number]:
        yield f"a hole: of {of} shards, {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not there"
        return
    asked = Counter(identifier for data in shards.values() for identifier in {*data["shard"]["requirements"]})
    if all(len(names) == 1 for names in by_number.values()):
        yield from (f"{each}: asked by {number} shards" for each, number in asked.items() if number > 1)
    left = {identifier: number for data in shards.values() for identifier, number in data["shard"]["left"].items()}
    for identifier, number in left.items():
        if identifier not in asked:
            yield f"{identifier}: a hole: left to shard {number}, which does not have it"


def merged(shards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the results of one run, made of those of its shards, between which there is no problem."""
    ordered = sorted(shards, key=lambda data: data["shard"]["number"])
    first = ordered[0]
    holder = {identifier: data for data in ordered for identifier in data["shard"]["requirements"]}
    ended = max((data["ended"] for data in ordered), key=ENDINGS.index)
    begun = min(ordered, key=_begun)
    result = {name: value for name, value in first.items() if name not in (DIGEST, "shard", "baseline", "deviations")}
    return result | {
        "service": first["service"]
        | {
            "created": sum(data["service"]["created"] for data in ordered),
            "lag": max(data["service"]["lag"] for data in ordered),
        },
        "settings": {**first["settings"], "shard": None},
        "started": begun["started"],
        "seconds": round(max(_begun(data) + data["seconds"] for data in ordered) - _begun(begun), 3),
        "ended": ended,
        "interrupted": ended != ENDINGS[0],
        "problem": " ".join(dict.fromkeys(data["problem"] for data in ordered if data["problem"])),
        "left_behind": [left for data in ordered for left in data["left_behind"]],
        "requests": {name: sum(data["requests"][name] for data in ordered) for name in first["requests"]},
        **seen_together(ordered, (_entry(entry, holder) for entry in first["requirements"])),
        "shards": [
            {
                "number": data["shard"]["number"],
                "requirements": data["shard"]["requirements"],
                **{name: data[name] for name in ("started", "seconds", "ended", "requests", DIGEST)},
            }
            for data in ordered
        ],
    }


def _begun(data: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(data["started"]).timestamp()


def _entry(entry: Mapping[str, Any], holder: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the entry of a requirement as the shard has it that has asked it; where none has, all have the same."""
    shard = holder.get(entry["id"])
    return entry if shard is None else next(each for each in shard["requirements"] if each["id"] == entry["id"])


def seen_together(runs: Sequence[Mapping[str, Any]], chosen: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what several runs have seen together, and what follows from the entries that were chosen among theirs.

    Trouble on the way is told as all of them have met it, and what is accepted is said anew.
    """
    disturbances = added_up([data["disturbances"] for data in runs if "disturbances" in data])
    disturbed = in_words(disturbances)
    entries = [
        {name: disturbed if name == "disturbed" else value for name, value in entry.items() if name != "deviates"}
        for entry in chosen
    ]
    totals = Counter(entry["verdict"] for entry in entries)
    return {
        "capabilities": _capabilities(each for data in runs for each in data.get("capabilities", ())),
        "disturbances": disturbances,
        "latencies": _latencies(each for data in runs for each in data["latencies"]),
        "classes": _most(data["classes"] for data in runs),
        "totals": {str(verdict): totals[str(verdict)] for verdict in Verdict},
        "causes": findings.causes(entries),
        "obstacles": findings.obstacles(entries),
        "requirements": entries,
    }


def _most(classes: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return how many of each class were tried: in one run, the check counts that looked at most of them."""
    found: Counter[str] = Counter()
    for each in classes:
        found |= Counter(each)
    return dict(sorted(found.items()))


def _capabilities(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what was seen of each ability: what one shard has seen done can be done."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        known = found.setdefault(row["name"], {**row})
        if row["can"] and not known["can"]:
            known.update(row)
    return [*found.values()]


def _latencies(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for each operation: counts are added up, of everything else the longest stands."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        known = found.setdefault(row["operation"], {**row, "count": 0})
        known["count"] += row["count"]
        known |= {name: max(known[name], row[name]) for name in ("p50", "p95", "max")}
    return sorted(found.values(), key=lambda row: (-row["count"], row["operation"]))
