"""`cloudimages requirements`: list the requirements, or explain some."""

from __future__ import annotations

import json
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.app.cli.exit_status import USAGE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pytest_cloudimages.spec.requirements import Requirement


def requirements(chosen: argparse.Namespace) -> int:
    """List the requirements or explain those that were named, and return the exit status."""
    from pytest_cloudimages.spec.catalogue import load
    from pytest_cloudimages.spec.requirements import selected

    catalogue = load()
    try:
        ids = selected(catalogue, chosen.id) if chosen.id else {*catalogue}
    except ValueError as problem:
        print(f"cloudimages requirements: {problem}", file=sys.stderr)
        return USAGE
    tested = tested_ids()
    entries = [as_data(catalogue[name], name in tested) for name in catalogue if name in ids]
    if chosen.json:
        print(json.dumps({"requirements": entries}, indent=1))
    elif chosen.markdown:
        print("\n".join(markdown_table(entries)))
    elif chosen.id and len(entries) == 1:
        print("\n".join(explanation(catalogue[entries[0]["id"]], entries[0])))
    else:
        for entry in entries:
            state = "tested" if entry["tested"] else "untested"
            print(f"{entry['id']:<14} {entry['level']:<7} {entry['provenance']:<11} {state:<9} {entry['statement']}")
        count = sum(entry["tested"] for entry in entries)
        print(f"{len(entries)} requirements, {count} of them tested.")
    return 0


def as_data(requirement: Requirement, tested: bool) -> dict[str, Any]:
    """Return a requirement as JSON data."""
    return {
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
        "observe": requirement.observe,
        "tested": tested,
        "reason": "" if tested else requirement.untested,
    }


def markdown_table(entries: Sequence[dict[str, Any]]) -> list[str]:
    """Return requirements as the lines of a Markdown table."""

    def cell(text: str) -> str:
        return text.replace("|", "\\|").replace("<", "&lt;")

    lines = ["| id | level | provenance | statement | source | tested |", "| --- | --- | --- | --- | --- | --- |"]
    for entry in entries:
        state = "yes" if entry["tested"] else f"no: {cell(entry['reason'])}"
        source = f"[{cell(entry['source'])}]({cell(entry['url'])})" if entry["url"] else cell(entry["source"])
        texts = (entry["id"], entry["level"], entry["provenance"], cell(entry["statement"]), source, state)
        lines.append(f"| {' | '.join(texts)} |")
    return lines


def explanation(requirement: Requirement, entry: dict[str, Any]) -> list[str]:
    """Return all that is known of a requirement, as the lines of a terminal."""
    rows = {
        "level": f"{requirement.level}, {requirement.provenance}; a departure is: {requirement.missed}",
        "operation": requirement.operation,
        "source": requirement.source,
        "url": requirement.url or "no public address is known",
        "observe": requirement.observe,
        "tested": "yes" if entry["tested"] else f"no: {requirement.untested}",
        "run": f"cloudimages run --select {requirement.id} …",
    }
    lines = [f"{requirement.id}: {requirement.statement}", ""]
    for name, text in rows.items():
        # An address that is cut cannot be followed.
        lines += textwrap.wrap(
            text,
            100,
            initial_indent=f"{name + ':':<11} ",
            subsequent_indent=" " * 12,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def tested_ids() -> set[str]:
    """Return the ids that the suite's tests are bound to, read off their decorators."""
    import ast

    from pytest_cloudimages.app import suite

    found: set[str] = set()
    for file in suite.folder().glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for call in getattr(node, "decorator_list", ()):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "requirement":
                    found |= {str(name.value) for name in call.args if isinstance(name, ast.Constant)}
    return found
