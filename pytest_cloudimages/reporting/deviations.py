"""Deviations: departures that somebody has accepted, for a reason and for a time. No I/O."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.showing import in_one_line
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MANDATORY = ("requirement", "service", "reason", "owner", "expires")
OPTIONAL = ("class", "link")
HINTS = {
    "requirement": "the id of a requirement, such as TAG-ADD-05",
    "service": "the address of the service, the name of its cloud, or a pattern such as https://*.example/*",
    "reason": "why the departure is accepted",
    "owner": "who answers for it",
    "expires": "the last day on which it is accepted, such as 2027-01-31",
    "class": "the class of input that is accepted, as in input_class of conformance.json",
    "link": "where more can be read",
}


@dataclass(frozen=True)
class Deviation:
    """A departure that is accepted."""

    requirement: str
    service: str
    reason: str
    owner: str
    expires: dt.date
    input_class: str | None = None
    """The class of input for which it is accepted; ``None`` for any."""
    link: str = ""

    def is_of(self, service: Mapping[str, Any], cloud: str | None) -> bool:
        """Return whether it is about a service: by its address, or by the name of its entry in clouds.yaml."""
        names = [name for name in (service["endpoint"], cloud) if name]
        # Brackets mean themselves: an address of IPv6 has some.
        pattern = ".*".join(map(re.escape, self.service.split("*")))
        return any(re.fullmatch(pattern, name, re.DOTALL) for name in names)

    def as_data(self) -> dict[str, str]:
        """Return what a report says of it, as JSON data."""
        data = {"reason": self.reason, "owner": self.owner, "expires": self.expires.isoformat()}
        return data | ({"link": self.link} if self.link else {})


def parse(text: str) -> list[Deviation]:
    """Return the deviations of a TOML text; raise ``ValueError`` with one line on what is wrong, and where."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ValueError(f"no TOML: {problem}") from None
    except RecursionError:
        raise ValueError("no TOML that anybody wrote: it is nested too deeply") from None
    tables = data.get("deviations", [])
    if unknown := sorted({*data} - {"deviations"}):
        raise ValueError(f"{_named(unknown)}: unknown; expected nothing but tables headed [[deviations]]")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError("deviations: expected tables headed [[deviations]]")
    found = [_deviation(table, number) for number, table in enumerate(tables, 1)]
    seen: set[tuple[str, str | None, str]] = set()
    for number, deviation in enumerate(found, 1):
        key = (deviation.requirement, deviation.input_class, deviation.service)
        if key in seen:
            raise ValueError(f"deviation {number} ({deviation.requirement}): said twice; leave one of the two out")
        seen.add(key)
    return found


def _deviation(table: Mapping[str, Any], number: int) -> Deviation:
    place = f"deviation {number} ({in_one_line(str(table.get('requirement', 'without a requirement')))[:40]})"
    if unknown := sorted({*table} - {*MANDATORY, *OPTIONAL}):
        raise ValueError(f"{place}: {_named(unknown)}: unknown; expected {', '.join([*MANDATORY, *OPTIONAL])}")
    for name in MANDATORY:
        if table.get(name) in (None, ""):
            raise ValueError(f"{place}: {name} is not filled in; expected {HINTS[name]}")
    for name in {*MANDATORY, *OPTIONAL} & {*table}:
        value = table[name]
        if name != "expires" and not (isinstance(value, str) and value.strip()):
            raise ValueError(f"{place}: {name}: expected {HINTS[name]}")
    return Deviation(
        requirement=table["requirement"],
        service=table["service"],
        reason=table["reason"],
        owner=table["owner"],
        expires=_date(table["expires"], place),
        input_class=table.get("class"),
        link=table.get("link", ""),
    )


def _date(value: object, place: str) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(
            f"{place}: expires: expected {HINTS['expires']}, got {in_one_line(str(value))[:40]!r}"
        ) from None


def _named(names: Iterable[str]) -> str:
    return ", ".join(in_one_line(name)[:40] for name in names)


def applied(data: Mapping[str, Any], deviations: Sequence[Deviation]) -> dict[str, Any]:
    """Return the results of a run in which the findings that are accepted say so, with what is wrong with the rest."""
    today = dt.datetime.fromisoformat(data["started"]).date()
    cloud = data["settings"].get("cloud")
    here = [deviation for deviation in deviations if deviation.is_of(data["service"], cloud)]
    entries = {entry["id"]: dict(entry) for entry in data["requirements"]}
    trouble: list[dict[str, str]] = []
    for deviation in here:
        entry = entries.get(deviation.requirement)
        problem = _problem(deviation, entry, today, entries)
        if problem:
            trouble.append({"requirement": deviation.requirement, "problem": problem[0], "text": problem[1]})
        elif entry is not None and _covers(deviation, entry):
            entry["deviates"] = deviation.as_data()
    told = {"given": len(deviations), "of_other_services": len(deviations) - len(here), "trouble": trouble}
    return {**data, "deviations": told, "requirements": [*entries.values()]}


def _covers(deviation: Deviation, entry: Mapping[str, Any]) -> bool:
    return "identity" in entry and deviation.input_class in (None, entry["input_class"])


def _problem(
    deviation: Deviation, entry: Mapping[str, Any] | None, today: dt.date, known: Mapping[str, Any]
) -> tuple[str, str] | None:
    """Return what is wrong with a deviation, as a word and as a sentence; ``None`` if nothing is."""
    name = deviation.requirement
    if entry is None:
        group = name.rpartition("-")[0]
        near = f"; {group} has {sum(known_id.startswith(f'{group}-') for known_id in known)} requirements"
        return "unknown", f"the deviation {in_one_line(name)[:40]} is unknown: no catalogue has this requirement{near}"
    if deviation.expires < today:
        return "expired", f"the deviation {name} expired on {deviation.expires} (owner: {in_one_line(deviation.owner)})"
    met = entry["verdict"] in (str(Verdict.PASS), str(Verdict.NOTED))
    if met and "rate" not in entry:  # that a race was not met this time is no proof
        return "no longer", f"{name} no longer deviates: it is {entry['verdict']} now; take the deviation out"
    if "identity" in entry and not _covers(deviation, entry):
        now = entry["input_class"]
        what = (
            f"it is about {in_one_line(now)!r} now" if now else "for which input it holds was not found out this time"
        )
        return (
            "another class",
            f"{name} deviates otherwise than accepted ({in_one_line(str(deviation.input_class))!r}): {what}",
        )
    return None


HEAD = """\
# Departures that are accepted. Fill in reason, owner and expires of each (a date, such as 2027-01-31), and take out
# what is to be mended instead. Leave class out to accept a departure whatever the input. A link may be added to each.
"""


def blank(data: Mapping[str, Any]) -> str:
    """Return a file of deviations to be filled in: one for each finding that is not accepted yet."""
    parts = [HEAD]
    for entry in data["requirements"]:
        if "identity" not in entry or "deviates" in entry:
            continue
        lines = ["", f"# {entry['verdict']}: {_comment(entry['statement'])}"]
        lines += [f"# {_comment(entry['class'])}"] if "class" in entry else []
        lines += ["[[deviations]]", f"requirement = {_quoted(entry['id'])}"]
        lines += [f"class = {_quoted(entry['input_class'])}"] if entry["input_class"] else []
        lines += [f"service = {_quoted(data['service']['endpoint'])}", 'reason = ""', 'owner = ""', 'expires = ""', ""]
        parts.append("\n".join(lines))
    return "".join(parts)


def _comment(text: str) -> str:
    return in_one_line(" ".join(text.split()))


def _quoted(text: str) -> str:
    """Return a text as a basic string of TOML."""
    letters = (
        f"\\{letter}"
        if letter in '"\\'
        else letter
        if letter.isprintable() and letter.isascii()
        else f"\\U{ord(letter):08x}"
        for letter in text.encode("utf-8", "backslashreplace").decode()
    )
    return f'"{"".join(letters)}"'
