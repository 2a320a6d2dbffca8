"""JUnit XML: one case for each requirement, the same on every machine and with every Python.

Valid under junit-10.xsd of Jenkins' xUnit plugin, so a case has no ``file`` and no properties; what a reader needs is
the content of its element, which is what GitLab shows.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from pytest_cloudimages.client.showing import harmless
from pytest_cloudimages.reporting.formats.entries import details, headline, reason, shown
from pytest_cloudimages.reporting.results import DEVIATES
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""
ELEMENTS = {
    str(Verdict.FAIL): "failure",
    str(Verdict.ERROR): "error",
    str(Verdict.BLOCKED): "error",
    str(Verdict.UNSTABLE): "flakyFailure",
    str(Verdict.ADVISORY): "skipped",
    DEVIATES: "skipped",
    str(Verdict.UNTESTED): "skipped",
}
"""What a case holds by its verdict. What could not be judged is no success; an advisory is no failure."""


def render(data: Mapping[str, Any]) -> str:
    """Return the results as JUnit XML."""
    strict = bool(data["settings"]["strict"])
    root = ET.Element("testsuites")
    suite = ET.SubElement(root, "testsuite", name="cloudimages")
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(data).items():
        ET.SubElement(properties, "property", name=name, value=_text(value))
    kinds: Counter[str] = Counter()
    for verdict, entry in shown(data):
        element = "failure" if strict and verdict == str(Verdict.ADVISORY) else ELEMENTS.get(verdict, "")
        kinds[element] += 1
        case = ET.SubElement(
            suite,
            "testcase",
            classname=f"cloudimages.{entry['group']}",
            name=_text(headline(entry)),
            time=f"{entry['seconds']:.3f}",
        )
        content = _text("\n".join(details(verdict, entry)))
        if element:
            told = ET.SubElement(case, element, type=verdict, message=_text(reason(verdict, entry)))
            told.text = content
        elif content:
            ET.SubElement(case, "system-out").text = content
    totals = {
        "tests": sum(kinds.values()),
        "failures": kinds["failure"],
        "errors": kinds["error"],
        "skipped": kinds["skipped"],
    }
    time, timestamp = f"{data['seconds']:.3f}", str(data["started"]).partition("+")[0]
    suite.attrib |= {**{name: str(number) for name, number in totals.items()}, "time": time, "timestamp": timestamp}
    root.attrib |= {**{name: str(number) for name, number in totals.items() if name != "skipped"}, "time": time}
    ET.indent(root, " ")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _properties(data: Mapping[str, Any]) -> dict[str, str]:
    return {
        "service": data["service"]["endpoint"],
        "suite": f"{data['suite']['name']} {data['suite']['version']}",
        "catalogue": data["catalogue"]["version"],
        "specification": data["settings"]["specification"],
        "profile": data["settings"]["profile"],
        "seed": str(data["seed"]),
        "ended": data["ended"],
    }


def _text(text: str) -> str:
    return _NO_XML.sub(lambda match: ascii(match.group())[1:-1], harmless(text))
