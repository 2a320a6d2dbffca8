"""docs/detection.md: nothing but the register of faults and what was measured on them, as text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from textwrap import wrap
from typing import Any

from .kinds import Kind, kind_of
from .registry import Fault
from .score import ASSERTIONS, OURS, PAGE, README, Measured, Row
from .score import PEERS as OTHERS

PEERS = {"schemathesis": "Schemathesis", "tempest": "Tempest's tests"}
NOT_MEASURED = "not measured"
LONGEST = 100
"""What is shown of an assertion."""
MARKED = re.compile(r"(?<=<!-- score -->)\n.*?\n(?=<!-- end of score -->)", re.DOTALL)
"""Where the README has the score."""


@dataclass(frozen=True)
class Faults:
    """Some faults, and what was measured on all."""

    chosen: Mapping[str, Fault]
    ours: Mapping[str, Row]
    peers: Mapping[str, Row]

    def of(self, *, lawful: bool) -> "Faults":
        """Choose what breaks nothing, or what breaks something."""
        chosen = {name: fault for name, fault in self.chosen.items() if (kind_of(fault) is Kind.LAWFUL) is lawful}
        return Faults(chosen, self.ours, self.peers)

    def of_kind(self, kind: Kind) -> "Faults":
        """Choose a class."""
        return Faults({n: f for n, f in self.chosen.items() if kind_of(f) is kind}, self.ours, self.peers)

    def rows(self, suite: str) -> dict[str, Row]:
        """Return what a suite has made of the chosen ones that it was shown."""
        rows = self.ours if suite == "ours" else {n: row[suite] for n, row in self.peers.items() if suite in row}
        return {name: rows[name] for name in self.chosen if name in rows}

    def caught(self, suite: str) -> str:
        """Count those that a suite catches: with how many it was shown, unless that is all."""
        rows = self.rows(suite)
        if not rows:
            return NOT_MEASURED
        count = sum(map(_catches, rows.values()))
        return str(count) if len(rows) == len(self.chosen) else f"{count} of the {len(rows)} it was shown"

    def requests(self, suite: str) -> str:
        """Return the median of the requests that a suite sends."""
        return _median(row["requests"] for row in self.rows(suite).values())


def publish(register: Mapping[str, Fault]) -> None:
    """Write docs/detection.md, and the score into the README, from what was measured last."""
    ours, peers = Measured.load(OURS), Measured.load(OTHERS)
    PAGE.write_text(render(register, ours, peers, Measured.load(ASSERTIONS)), encoding="utf-8")
    parts = MARKED.split(README.read_text(encoding="utf-8"), maxsplit=1)
    README.write_text(f"\n{score(register, ours, peers)}\n".join(parts), encoding="utf-8")


def render(register: Mapping[str, Fault], ours: Measured, peers: Measured, assertions: Measured) -> str:
    """Return the whole page."""
    every = Faults(register, ours.faults, peers.faults)
    faults, lawful = every.of(lawful=False), every.of(lawful=True)
    return "\n".join(
        [
            "# What is detected",
            "",
            score(register, ours, peers),
            "",
            *_method(faults, peers),
            "",
            "## By class",
            "",
            *_classes(faults),
            *(line for kind in Kind for line in _class(kind, faults.of_kind(kind))),
            "",
            f"## {Kind.LAWFUL.capitalize()}",
            "",
            "Services that are unlike the embedded one and break nothing. Whoever reports anything here accuses a service",
            "that is right.",
            "",
            *_lawful(lawful),
            "",
            "## What each assertion is for",
            "",
            *_assertions(assertions),
            "",
        ]
    )


def score(register: Mapping[str, Fault], ours: Measured, peers: Measured) -> str:
    """Say in two sentences who found how many; the README says it too."""
    faults = Faults(register, ours.faults, peers.faults).of(lawful=False)

    def says(suite: str) -> str:
        requests = faults.requests(suite)
        return f"**{faults.caught(suite)}**" + (f" ({requests} requests)" if requests else "")

    schemathesis = f"Schemathesis {_about(peers, 'schemathesis').get('release', '')}".strip()
    return "\n".join(
        _filled(
            f"Of {len(faults.chosen)} faults, this suite finds {says('ours')}, {schemathesis} {says('schemathesis')}, "
            f"Tempest's three tests of tags {says('tempest')}. Requests are medians of whole runs."
        )
    )


def _method(faults: Faults, peers: Measured) -> Iterator[str]:
    efforts = []
    for profile in ("quick", "standard"):
        requests = [row["requests"] for row in faults.rows("ours").values() if row["profile"] == profile]
        efforts.append(f"{len(requests)} with profile {profile} (median {_median(requests) or 'of no'} requests)")
    about = _about(peers, "schemathesis")
    honest = ", ".join(f"`{fault}`" for fault in about.get("honest", ())) or "nothing"
    yield from _filled(
        "Every fault is the embedded server with one rule spoiled (`tests/faults/`). Each suite judges each fault once, "
        "on a freshly started server and with seed 1 where it draws lots; every request that reaches the server is "
        "counted, those that prepare and clean up included."
    )
    yield ""
    yield from _filled(
        f"- **This suite** judges a fault with the least profile that is certain to meet it: {' and '.join(efforts)}. "
        "*Caught: yes* means that it finds broken just what the fault breaks and the profile asks for, and no other; "
        "`tests/test_faults.py` asserts that of every fault. Who wrote the suite wrote the faults too: the table shows "
        "that each of its requirements can fail, and not that there is nothing beyond them."
    )
    yield from _filled(
        "- **Schemathesis** runs all its phases and all its checks as they are by default, with 50 examples an operation "
        "(a fault then takes about ten seconds) and without shrinking, which finds nothing. Its "
        "[openapi.yaml](../benchmarks/peers/openapi.yaml) documents status codes, headers and schemas, and links by which "
        "it can create an image, add a tag, add it again, show, list, delete the tag, and delete it again. It is not told "
        "to try QUERY, a method that it wants to be answered otherwise than with 501 "
        "([schemathesis.toml](../benchmarks/peers/schemathesis.toml)). *Yes* means a failure, named by operation and "
        f"code, that it does not report of the honest server in any of {about.get('honest_runs', 'several')} runs; "
        f"of that it reports {honest}."
    )
    yield from _filled(
        "- **Tempest's tests** of tags are three. They were [rewritten](../benchmarks/peers/tempest_tags.py) from what "
        "they are described to do. *Yes* means that one of them fails. They send ten requests where all is well."
    )
    yield ""
    yield from _filled(
        "A schema cannot say what the tags have to be after three operations, and three tests ask three questions. "
        "Neither was made for what is asked here; they are what there was to compare with."
    )
    yield ""
    yield from _filled(
        "Written by `tox run -e faults -- --write` from [detection.json](detection.json), and from "
        "[results.json](../benchmarks/peers/results.json), which `tox run -e peers` measures. A test keeps it current."
    )


def _classes(faults: Faults) -> Iterator[str]:
    yield from _head("class", "faults:", "this suite:", *(f"{name}:" for name in PEERS.values()))
    for kind in Kind:
        some = faults.of_kind(kind)
        if some.chosen:
            link = f"[{kind}](#{kind.replace(' ', '-')})"
            yield _line(link, len(some.chosen), *(some.caught(suite) for suite in ("ours", *PEERS)))
    yield _line("**all**", len(faults.chosen), *(f"**{faults.caught(suite)}**" for suite in ("ours", *PEERS)))


def _class(kind: Kind, faults: Faults) -> Iterator[str]:
    if not faults.chosen:
        return
    yield from ("", f"## {kind.capitalize()}", "")
    yield from _head("fault", "what it does", "breaks", "caught", "cases:", "requests:", *PEERS.values())
    for name, fault in sorted(faults.chosen.items()):
        ours = faults.ours.get(name)
        row = (_ours(ours), ours["cases"], ours["requests"]) if ours else (NOT_MEASURED, "", "")
        others = [_theirs(faults.peers.get(name, {}).get(suite), "yes", "no") for suite in PEERS]
        broken = ", ".join(sorted(fault.broken)) or "by chance: " + ", ".join(sorted(fault.perhaps))
        yield _line(name, _sentence(fault), broken, *row, *others)


def _lawful(faults: Faults) -> Iterator[str]:
    yield from _head("service", "what it does", "accused", "cases:", "requests:", *PEERS.values())
    for name, fault in sorted(faults.chosen.items()):
        ours = faults.ours.get(name)
        accused = f"**by {', '.join(ours['found'])}**" if ours and ours["found"] else "no"
        row = (accused, ours["cases"], ours["requests"]) if ours else (NOT_MEASURED, "", "")
        others = [_theirs(faults.peers.get(name, {}).get(suite), "accused", "no") for suite in PEERS]
        yield _line(name, _sentence(fault), *row, *others)


def _assertions(measured: Measured) -> Iterator[str]:
    if not measured.faults:
        yield NOT_MEASURED
        return
    judging = [assertion for row in measured.faults.values() for assertion in row["assertions"]]
    alone = sum(1 for _, fault in judging if fault)
    silent = sum(1 for row in measured.faults.values() if not row["fault"])
    yield from _filled(
        f"Can a check be emptied and nobody notices? All assertions were taken out of each of the {len(measured.faults)} "
        "checks that can be a finding, one check at a time; what they look at was still asked for. *Noticed by* is a "
        "fault that the same command, with the requirement selected, finds with the suite as it is and no longer finds then"
        + (f"; {silent} checks have none." if silent else ": every check has one.")
    )
    yield ""
    yield from _filled(
        f"Of the {len(judging)} assertions, {alone} were noticed when they alone were taken out. The others are listed: "
        "what they would say is said by another assertion of the check as well, or by none of the faults that were "
        f"tried. Measured with `{measured.about['command']}` on {measured.about['date']}, with seed "
        f"{measured.about['seed']}; the data are in [assertions.json](assertions.json)."
    )
    yield ""
    yield from _head("requirement", "check", "noticed by", "assertions:", "not noticed alone")
    for row in measured.faults.values():
        others = [f"`{_short(text)}`" for text, fault in row["assertions"] if not fault]
        name = row["check"].removeprefix("test_").replace("_", " ")
        how = row["profile"] if row["select"] else f"{row['profile']}, nothing selected"
        noticed = f"{row['fault']} ({how})" if row["fault"] else "**nobody**"
        yield _line(row["requirement"], name, noticed, len(row["assertions"]), ", ".join(others))


def _short(text: str) -> str:
    words = " ".join(text.split()).replace("`", "'")
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def _catches(row: Row) -> bool:
    """Return whether what was found is what is broken; what a peer finds is told in words of its own."""
    declared = {*row.get("breaks", row["found"]), *row.get("perhaps", ())}
    return not declared.isdisjoint(row["found"])


def _ours(row: Row) -> str:
    violations = [
        f"**{word}** {', '.join(row[key])}" for key, word in (("missed", "not"), ("blamed", "also")) if row[key]
    ]
    return "; ".join(violations) or "yes"


def _theirs(row: Row | None, yes: str, no: str) -> str:
    return NOT_MEASURED if row is None else f"{yes if row['found'] else no}, {row['requests']}"


def _about(measured: Measured, suite: str) -> Mapping[str, Any]:
    about = measured.about.get(suite, {})
    return about if isinstance(about, dict) else {}


def _sentence(fault: Fault) -> str:
    return " ".join((fault.__doc__ or "").split())


def _filled(text: str) -> list[str]:
    indent = "  " if text.startswith("- ") else ""
    return wrap(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _median(numbers: Iterable[int]) -> str:
    counted = list(numbers)
    return f"{median(counted):.0f}" if counted else ""


def _head(*titles: str) -> Iterator[str]:
    yield _line(*(title.rstrip(":") for title in titles))
    yield "|" + "|".join(" ---: " if title.endswith(":") else " --- " for title in titles) + "|"


def _line(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
