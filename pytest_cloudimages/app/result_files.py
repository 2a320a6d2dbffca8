"""conformance.json of another run: read, and refused in one line where it is not what it should be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.showing import in_one_line
from pytest_cloudimages.reporting.deviations import Deviation, parse
from pytest_cloudimages.reporting.plans import FOLDER as FINDINGS
from pytest_cloudimages.reporting.results import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RESULTS = "conformance.json"
LARGEST = 64 * 1024 * 1024
"""Octets of a file that is read; a full run has five million at most."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How a file in UTF-16 begins."""
LARGEST_DEVIATIONS = 1024 * 1024
LONGEST_PROBLEM = 200
REPORTS = "reports"
"""Where a run leaves its reports unless it is told otherwise."""
MOST_NAMED = 4


def results_at(path: Path) -> dict[str, Any]:
    """Return the results in a file, or in a folder of reports.

    Raise ``ValueError`` with one line that names the file, says what was expected, and what to do.
    """
    file = path / RESULTS if path.is_dir() else path
    try:
        data = json.loads(_text(file, LARGEST))
    except (json.JSONDecodeError, RecursionError) as problem:
        raise ValueError(f"{file}: expected {RESULTS} of a run, got {_no_json(problem)}") from None
    except ValueError as problem:
        raise ValueError(f"{file}: {_brief(problem)}") from None
    if not isinstance(data, dict) or "format" not in data:
        raise ValueError(f"{file}: expected {RESULTS} of a run, got other JSON")
    if data["format"] != FORMAT:
        raise ValueError(
            f"{file}: expected form {FORMAT} of {RESULTS}, got form {_brief(data['format'])}; make it anew with this"
            " version of cloudimages"
        )
    if wrong := next(_problems(data), ""):
        raise ValueError(f"{file}: expected {RESULTS} of a run; {wrong}; make it anew with this version")
    return data


def _no_json(problem: json.JSONDecodeError | RecursionError) -> str:
    """Return what is there instead of JSON: nothing, a part of it, or something else."""
    if isinstance(problem, json.JSONDecodeError):
        if not problem.doc.strip():
            return "an empty file; was a run killed, or a disk full, as it was written?"
        # What a string begins in is told by its beginning, what is missing by where that was to come.
        if problem.msg.startswith("Unterminated string") or problem.pos >= len(problem.doc.rstrip()):
            return f"a part of one, cut off behind {len(problem.doc)} characters; take the whole file"
    return f"no JSON: {_brief(problem)}"


def finding_at(file: Path) -> dict[str, Any]:
    """Return the finding in a file; raise ``ValueError`` with one line that names it and says what is wrong."""
    if file.is_dir() or not file.exists():
        raise ValueError(f"{file}: {_instead(file)}")
    try:
        data = json.loads(_text(file, LARGEST_DEVIATIONS))
        wrong = next(_against("finding.json", data), "")
    except (json.JSONDecodeError, RecursionError) as problem:
        raise ValueError(f"{file}: expected a finding of a run, got {_no_json(problem)}") from None
    except ValueError as problem:
        raise ValueError(f"{file}: {_brief(problem)}") from None
    if wrong:
        raise ValueError(f"{file}: expected a finding of a run, a file below {FINDINGS}/ of its reports; {wrong}")
    return dict(data)


def _instead(file: Path) -> str:
    """Return what is to be named instead of a folder, or of a file that there is not."""
    folder = file if file.is_dir() else file.parent
    for place in (folder, folder / FINDINGS, folder / REPORTS / FINDINGS):
        # Whoever names an id, as the terminal does, means the reports of the last run.
        if (near := place / f"{file.name.removesuffix('.json')}.json") != file and near.is_file():
            return f"there is no such file; {near} is one"
    found = sorted(each for place in (folder, folder / FINDINGS) for each in place.glob("*-*.json"))
    named = f"; there: {', '.join(map(str, found[:MOST_NAMED]))}" if found else ""
    what = "is a folder" if file.is_dir() else "there is no such file"
    return f"{what}. Name a file below {FINDINGS}/ of a run's reports{named}{' and others' * (len(found) > MOST_NAMED)}"


def deviations_at(path: Path) -> list[Deviation]:
    """Return the deviations in a file; raise ``ValueError`` with one line that names it and says what is wrong."""
    try:
        return parse(_text(path, LARGEST_DEVIATIONS))
    except ValueError as problem:
        raise ValueError(f"{path}: {_brief(problem)}") from None


def _text(file: Path, largest: int) -> str:
    try:
        with file.open("rb") as opened:
            octets = opened.read(largest + 1)
    except OSError as problem:
        raise ValueError(f"cannot be read: {problem.strerror}") from None
    if len(octets) > largest:
        raise ValueError(f"expected at most {largest // 1024 // 1024} MiB, got more")
    try:
        # Editors of Windows begin a file with a byte order mark, and end its lines with two octets.
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        told = ", UTF-16 as it seems, which PowerShell writes for `>`" if octets[:2] in UTF_16 else ""
        raise ValueError(f"expected UTF-8, got other octets{told}") from None


def _problems(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the schema of the results has against some, and what no schema says."""
    yield from _against(RESULTS, data)
    ids = [entry["id"] for entry in data["requirements"]]
    if len({*ids}) < len(ids):
        yield "a requirement has more than one entry"
    for entry in data["requirements"]:
        if "rate" in entry and entry["rate"]["violations"] > entry["rate"]["of"]:
            yield f"the rate of {entry['id']} is more than all"


def _against(name: str, data: object) -> Iterator[str]:
    """Yield what a schema has against some data."""
    from importlib import resources

    import jsonschema

    schema = json.loads((resources.files("pytest_cloudimages.reporting.schemas") / name).read_text("utf-8"))
    for error in jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).iter_errors(data):
        yield f"{_brief(error.json_path)}: {_brief(error.message)}"


def _brief(problem: object) -> str:
    text = in_one_line(" ".join(str(problem).split()))
    return text if len(text) <= LONGEST_PROBLEM else f"{text[:LONGEST_PROBLEM]}…"
