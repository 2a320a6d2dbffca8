"""What a run says on the terminal."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections import Counter
from pathlib import PurePath
from shlex import quote
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.showing import in_one_line
from pytest_cloudimages.reporting import OF_OTHERS, WRITERS, compared, joining
from pytest_cloudimages.reporting.closing import count
from pytest_cloudimages.reporting.disturbances import in_words
from pytest_cloudimages.reporting.findings import causes, obstacles
from pytest_cloudimages.reporting.results import DEVIATES, shown_verdict, verdict_of
from pytest_cloudimages.spec.catalogue import VERSION
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pytest

    from pytest_cloudimages.reporting.results import Results, RunFacts

COLOURS = {
    Verdict.PASS: "green",
    Verdict.NOTED: "cyan",
    Verdict.ADVISORY: "yellow",
    Verdict.FAIL: "red",
    Verdict.UNSTABLE: "purple",
    Verdict.BLOCKED: "purple",
    Verdict.ERROR: "red",
}
PROVENANCES = {
    "http": " (a rule of HTTP itself, which the documentation does not repeat: at most advisory)",
    "de-facto": " (what Glance does, which no documentation asks for: at most advisory)",
}
"""What a provenance says where a reader may wonder at a MUST that is advisory."""
WHOLE = ("  replay:", "  finding:", "  script:")
"""Lines that are copied, and so are not broken."""
NARROWEST = 40
LOOK_CLOSER = "`cloudimages doctor` takes the same options, and looks closer at what is in the way"
REASONS = 4
"""Reasons why requirements were not asked that are told, at most."""
LONGEST = 300
MOST_NAMED = 12
"""Ids of requirements that one thing is in the way of, at most."""


def header(facts: RunFacts) -> list[str]:
    """Return the lines that stand above the progress."""
    region = f", region {facts.region}" if facts.region else ""
    image = f"lent: {', '.join(facts.lent)}" if facts.lent else "created and deleted"
    if facts.instead_of:
        return [f"dry run: nothing is sent to {facts.instead_of}; the embedded server is asked in its place"]
    profile, seed = facts.settings["profile"], facts.settings["seed"]
    lines = [
        f"service: {facts.endpoint} ({facts.named}{region})" if facts.endpoint else "service: not found yet",
        f"credentials: {facts.credentials}",
        f"image: {image}",
        f"profile: {profile}, seed: {seed}, specification: version {VERSION}",
    ]
    if facts.problem:
        lines += [
            f"PROBLEM: {facts.problem}",
            "`cloudimages doctor` takes the same options, and looks closer at what is in the way",
        ]
    return [in_one_line(line) for line in lines]


def table(results: Results) -> list[str]:
    """Return the table of groups and verdicts; groups without any test of this run are one line."""
    rows: dict[str, Counter[str]] = {}
    for entry in results.entries:
        rows.setdefault(entry["id"].rpartition("-")[0] or entry["id"], Counter())[shown_verdict(entry)] += 1
    shown = {group: counts for group, counts in rows.items() if set(counts) != {"untested"}}
    rest = sum(sum(counts.values()) for group, counts in rows.items() if group not in shown)
    every = [*map(str, Verdict), DEVIATES]
    verdicts = [verdict for verdict in every if any(counts[verdict] for counts in shown.values())]
    width = max([len("requirements"), *map(len, shown)])
    lines = ["  ".join(["requirements".ljust(width), *(verdict.rjust(8) for verdict in verdicts)])]
    lines += [
        "  ".join([group.ljust(width), *(str(counts[verdict] or "·").rjust(8) for verdict in verdicts)])
        for group, counts in shown.items()
    ]
    return [*lines, f"{rest} requirements of other groups are untested."] if rest else lines


def finding(entry: Mapping[str, Any], others: Sequence[Mapping[str, Any]] = (), *, folder: str = "") -> list[str]:
    """Return a finding in a few lines: what was asked, what came, for which input, and the command that replays it.

    ``others`` are the findings that have the same cause; ``folder`` is that of the reports.
    """
    asked = [f"{sent['method']} {sent['target']} → {sent['status'] or 'no answer'}" for sent in entry["exchanges"]]
    rows = [("asked", _short("; ".join(asked[-3:])) or "nothing could be asked")]
    known = [sent["request_id"] for sent in entry["exchanges"] if sent.get("request_id")]
    rows += [("request", _short(known[-1]))] if known else []
    rows += [(label, _short(text)) for label, text in differences(entry)]
    rows += _came(entry)
    rows += [("class", _short(entry["class"]))] if "class" in entry else []
    rows += [("trouble", entry["disturbed"])] if "disturbed" in entry else []
    binding = f"{entry['level']}, {entry['provenance']}{PROVENANCES.get(entry['provenance'], '')}"
    rows += [("source", f"{binding}: {entry['source']}"), ("replay", entry["replay"])]
    rows += [("race", "clients meet by chance: the replay races until it is found again, ten times at most")] * (
        "--tries " in entry["replay"] and "rate" in entry
    )
    for label, key, command in (("finding", "finding", "cloudimages replay"), ("script", "repro", "sh")):
        if key in entry:
            # Copied as it stands, into the shell in which the run was started; elsewhere nobody knows the folder.
            here = f"{command} {quote(str(PurePath(folder, entry[key])))}"
            rows.append((label, here if folder else f"{entry[key]}, in the folder of the reports, for {command}"))
    for place, other in enumerate(others):
        rows += [("" if place else "also", f"{other['verdict'].upper()} {other['id']}: {other['statement']}")]
    width = max(len(label) for label, _ in rows) + 1
    return [
        f"{entry['verdict'].upper()} {entry['id']}: {entry['statement']}",
        *(f"  {(label and label + ':').ljust(width)} {in_one_line(text)}" for label, text in rows),
    ]


def together(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what one thing has kept from being judged, with what was tried and what came."""
    if len(entries) == 1:
        return finding(entries[0])
    ids = [entry["id"] for entry in entries]
    rest = len(ids) - MOST_NAMED
    named = ", ".join(ids[:MOST_NAMED]) + (f" and {rest} more, which conformance.json names" if rest > 0 else "")
    shown = next((entry for entry in entries if entry["exchanges"]), entries[0])
    replay = " ".join([entries[0]["replay"], *(f"--select {each}" for each in ids[1:MOST_NAMED])])
    rows = [line for line in finding({**shown, "replay": replay})[1:] if not line.startswith("  source:")]
    return [f"BLOCKED {len(ids)} requirements, by one cause: {named}", *rows]


def wrapped(line: str, width: int) -> list[str]:
    """Return a line of a finding as lines that fit a width, set in as its text is."""
    if len(line) <= max(width, NARROWEST) or not width or line.startswith(WHOLE):
        return [line]
    begin = len(line) - len(re.sub(r"^  ([a-z ]+:)? *", "", line))
    return textwrap.wrap(
        line,
        max(width, NARROWEST),
        subsequent_indent=" " * begin,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=True,
    )


def differences(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what was compared, expected and found, each with its label; nothing where that is not known."""
    if "expected" not in entry:
        return []
    expected, actual = entry["expected"], entry["actual"]
    single = isinstance(expected, list) and not isinstance(actual, list)
    rows = [("looked at", entry["what"])]
    rows += [("before", _values(entry["before"]))] if "before" in entry else []
    rows += [("expected", _values(expected, " or " if single else ", ")), ("actual", _values(actual))]
    return rows + [(name, _values(entry[name])) for name in ("missing", "unexpected") if name in entry]


def _values(value: object, between: str = ", ") -> str:
    if isinstance(value, list):
        return between.join(map(ascii, value)) or "none"
    return "nothing" if value is None else ascii(value)


def _came(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what came: on one line, without the middle of a long one, but a witness whole and line by line.

    A witness is the proof of a race, and small: what it leaves out makes no difference to it.
    """
    label, told = "came", entry["explanation"].splitlines()
    if "expected" in entry:
        # The first line says what the differences say; what follows it is the case in which they were met.
        label, told = "with", told[1:]
        if not told:
            return []
    for witness in entry.get("witnesses", ()):
        first, *others = witness["text"].splitlines()
        place = next((place for place, line in enumerate(told) if line.endswith(first)), None)
        if place is not None:
            # The explanation has the witness's lines too, without what sets them in.
            shown = {line.strip() for line in others}
            after = [line for line in told[place + 1 :] if line.strip() not in shown]
            lines = [_folded(told[:place]), told[place], *others, _folded(after)]
            break
    else:
        lines = [_folded(told)]
    visible = [in_one_line(line) for line in lines if line]
    return [("" if place else label, line) for place, line in enumerate(visible or [""])]


def _folded(lines: Iterable[str]) -> str:
    return _short(" ".join(" ".join(lines).split()))


def _short(text: str) -> str:
    text = in_one_line(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"


def rehearsed(results: Results) -> list[str]:
    """Return what a run would create and send, as its rehearsal has shown."""
    data = results.data
    images, requests = data["service"]["image"], data["requests"]
    created = data["service"]["created"]
    what = (
        f"would create: {count(created, 'image')}, most named pytest-cloudimages-…, each deleted when its check is done"
    )
    judged = sum(1 for entry in results.entries if entry["cases"])
    return [
        what if images == "created" else f"would borrow: {', '.join(images)}; their tags are put back as they were",
        f"would send:   {_counted(requests)} requests; more where the service departs from the specification",
        f"would judge:  {judged} requirements",
        *_reasons(results),
    ]


def _reasons(results: Results) -> list[str]:
    """Return what else would have to be given, for how many requirements."""
    reasons = Counter(
        entry["explanation"]
        for entry in results.entries
        if verdict_of(entry) is Verdict.UNTESTED and "needs" in entry["explanation"]
    )
    return [f"not asked:    {count(each, 'requirement')}: {_short(reason)}" for reason, each in reasons.items()]


def _counted(requests: Mapping[str, int]) -> str:
    purposes = ", ".join(f"{each} {purpose}" for purpose, each in requests.items())
    return f"{sum(requests.values())} ({purposes})"


def summary(results: Results, out: pytest.TerminalReporter, *, written: bool = True) -> None:
    """Print the verdicts by group, every finding, and what the run cost; name the reports if they were ``written``."""
    data = results.data
    if data["settings"]["dry_run"]:
        out.section("dry run")
        for line in rehearsed(results):
            out.write_line(line)
        return
    out.section("conformance")
    for line in [*table(results), *joining.told(data)]:
        out.write_line(line)
    _findings(results, out)
    _allowed(results, out)
    _costs(results, out, written=written)


def _findings(results: Results, out: pytest.TerminalReporter) -> None:
    # Where nobody knows how wide it is, as in the log of a CI, lines are whole.
    width = shutil.get_terminal_size((0, 0)).columns
    folder = results.data["settings"]["reports"] or ""
    bad = {entry["id"]: entry for entry in results.findings if "deviates" not in entry}
    # Where one cause stands behind many, it is told once.
    groups = {
        identifier: group["requirements"]
        for group in [*causes(results.entries), *obstacles(results.entries)]
        for identifier in group["requirements"]
    }
    told: set[str] = set()
    for identifier, entry in bad.items():
        if identifier in told:
            continue
        others = [bad[other] for other in groups.get(identifier, ()) if other in bad and other != identifier]
        told |= {other["id"] for other in others}
        verdict = verdict_of(entry)
        first, *rest = (
            together([entry, *others]) if verdict is Verdict.BLOCKED else finding(entry, others, folder=folder)
        )
        out.write_line("")
        out.write_line("\n".join(wrapped(first, width)), **{COLOURS.get(verdict, "white"): True, "bold": True})
        for line in rest:
            out.write_line("\n".join(wrapped(line, width)))


def _allowed(results: Results, out: pytest.TerminalReporter) -> None:
    """Print what is accepted, what is wrong with it, and what is new since the baseline."""
    if results.deviating:
        out.write_line("")
    for entry in results.deviating:
        out.write_line(accepted(entry), cyan=True)
    for problem in results.trouble:
        out.write_line(f"DEVIATIONS: {in_one_line(problem['text'])}.", red=True, bold=True)
    if others := results.data.get("deviations", {}).get("of_other_services"):
        out.write_line("")
        out.write_line(in_one_line(left_aside(others, results.data)))
    if results.comparison is not None:
        out.section("against the baseline")
        for line in compared.lines(results.comparison):
            out.write_line(line)


def left_aside(number: int, data: Mapping[str, Any]) -> str:
    """Return that deviations are of other services, and how this one would be named: a typing error is such a name."""
    names = [data["service"]["endpoint"], data["settings"].get("cloud")]
    known = " or ".join(repr(name) for name in names if name) or "not found"
    left = "is left aside, as its `service` is" if number == 1 else "are left aside, as their `service` is"
    return f"{count(number, 'deviation')} {left} another one; this one is {known}"


def accepted(entry: Mapping[str, Any]) -> str:
    """Return a finding that somebody has accepted, in one line."""
    why = entry["deviates"]
    link = f", {why['link']}" if "link" in why else ""
    told = f"{why['reason']} ({why['owner']}, until {why['expires']}{link})"
    return in_one_line(f"{DEVIATES.upper()} {entry['id']}: {entry['statement']} {told}")


def _costs(results: Results, out: pytest.TerminalReporter, *, written: bool) -> None:
    data = results.data
    out.write_line("")
    numbers = {str(verdict): results.not_accepted(verdict) for verdict in Verdict}
    numbers[DEVIATES] = len(results.deviating)
    counts = ", ".join(f"{number} {verdict}" for verdict, number in numbers.items() if number)
    requests: Mapping[str, int] = data["requests"]
    out.write_line(f"verdicts: {counts}")
    for line in untested(results):
        out.write_line(line)
    out.write_line(f"requests: {_counted(requests)} in {data['seconds']:.1f} s")
    if disturbed := in_words(data.get("disturbances")):
        out.write_line(f"trouble:  {disturbed}")
    if noted := results.count(Verdict.NOTED):
        out.write_line(f"noted:    {count(noted, 'observation')} where the specification is silent (see index.html)")
    for line in _aftermath(data, written=written):
        out.write_line(line, red=True)
    if data["settings"]["reports"] and written:
        out.write_line(f"reports:  {data['settings']['reports']} ({', '.join([*WRITERS, *OF_OTHERS])})")


def untested(results: Results) -> list[str]:
    """Return why requirements were not asked, the commonest reasons first."""
    reasons = Counter(
        re.sub(r"; the (area \w+ follows|others follow)\.$", "", entry["explanation"])
        for entry in results.entries
        if verdict_of(entry) is Verdict.UNTESTED
    )
    told = [f"{each} ({_short(reason)})" for reason, each in reasons.most_common(REASONS)]
    rest = sum(reasons.values()) - sum(each for _, each in reasons.most_common(REASONS))
    told += [f"{rest} (other reasons, which conformance.json names)"] if rest else []
    return [f"{'untested:' if place == 0 else '':<9} {text}" for place, text in enumerate(told)]


def _aftermath(data: Mapping[str, Any], *, written: bool) -> Sequence[str]:
    lines = [in_one_line(f"LEFT BEHIND: {image}") for image in data["left_behind"]]
    if data["interrupted"]:
        tidy = "; what it had created is gone, what it had borrowed is as it was" if not lines else ""
        lines.append(f"The run was interrupted{tidy}.")
        again = "shard" not in data and not data["settings"].get("minutes")
        if (folder := data["settings"]["reports"]) and written and again:
            lines.append(f"The rest is asked, and what was judged kept, by: cloudimages run --again {quote(folder)}")
    return lines
