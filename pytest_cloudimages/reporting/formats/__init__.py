"""Forms of the results for other programs: CI systems, dashboards, monitors.

Each is a pure function of the data of conformance.json. A new one is a module here, and a row of ``FORMATS``.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Format:
    """A form of the results."""

    file: str
    """The name of the file among the reports, where nothing else is said."""
    maker: str
    """The module and the function that makes it of the data of conformance.json, loaded when it is wanted."""
    help: str
    located: bool = False
    """Whether the function is also given the file in the user's repository that findings point at."""
    needs: str = ""
    """The module of a library that makes it and is not installed with the suite; its name is that of the extra, too."""


FORMATS = {
    "junit": Format("junit.xml", "junit:render", "JUnit XML, one case for each requirement: GitLab, Jenkins"),
    "sarif": Format(
        "conformance.sarif", "sarif:render", "SARIF 2.1.0: every requirement, what is accepted suppressed", located=True
    ),
    "sarif-github": Format(
        "github.sarif", "sarif:for_github", "SARIF 2.1.0 as code scanning of GitHub takes it", located=True
    ),
    "ctrf": Format("ctrf.json", "ctrf:render", "Common Test Report Format"),
    "codequality": Format("gl-code-quality-report.json", "codequality:render", "GitLab Code Quality", located=True),
    "github": Format("annotations.txt", "github:render", "annotations of GitHub Actions, to be printed by a step"),
    "markdown": Format("conformance.md", "markdown:render", "Markdown: the summary of a job, a comment"),
    "badge": Format("badge.svg", "badge:render", "a badge, as SVG"),
    "badge-json": Format("badge.json", "badge:as_endpoint", "the same for the endpoint badge of shields.io"),
    "subunit": Format("conformance.subunit", "subunit:render", "subunit v2, for stestr and Zuul", needs="subunit"),
    "lines": Format("lines.txt", "monitor:render", "ID: PASS, FAIL or ABORT, one a line: monitors such as that of SCS"),
}
"""The forms, by the name that the command has for them."""
STANDARD_OUTPUT = "-"
"""The file of a wish that is to be printed."""
LOCATION = "deviations.toml"
"""The file that findings point at, where a format wants one and the run was given no deviations."""


def location_of(data: Mapping[str, Any]) -> str:
    """Return the file in the user's repository that findings point at: that of the run's deviations, if it is there."""
    named = str(data["settings"].get("deviations") or "")
    inside = named and not named.startswith(("/", "..", "~")) and "://" not in named
    return named if inside else LOCATION


def rendered(name: str, data: Mapping[str, Any], location: str = "") -> bytes:
    """Return the results in a form, as octets; raise ``ValueError`` where a library that it needs is not installed."""
    expect_library(name)
    module, _, function = FORMATS[name].maker.partition(":")
    render = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    made = render(data, location or location_of(data)) if FORMATS[name].located else render(data)
    return made if isinstance(made, bytes) else made.encode()


def split(wish: str) -> tuple[str, str]:
    """Return the form and the file of a wish such as ``sarif=out/cloud.sarif``; ``-`` is standard output.

    Raise ``ValueError`` with what is allowed where there is no such form, or with what is to be installed.
    """
    name, equals, file = wish.partition("=")
    if name not in FORMATS or (equals and not file.strip()):
        raise ValueError(f"expected one of {', '.join(FORMATS)}, with =FILE or without, got {wish!r}")
    expect_library(name)
    return name, file or FORMATS[name].file


def expect_library(name: str) -> None:
    """Raise ``ValueError`` with what to do where the library is not installed that a form needs."""
    needed = FORMATS[name].needs
    if needed and importlib.util.find_spec(needed) is None:
        raise ValueError(f"{name} needs a library that is not installed: pip install 'pytest-cloudimages[{needed}]'")
