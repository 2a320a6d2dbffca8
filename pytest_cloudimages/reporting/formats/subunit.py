"""subunit v2, for stestr and Zuul."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.reporting.formats.entries import OPEN, details, shown
from pytest_cloudimages.reporting.results import DEVIATES
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUSES = {
    str(Verdict.PASS): "success",
    str(Verdict.NOTED): "success",
    str(Verdict.ADVISORY): "success",
    DEVIATES: "xfail",
    str(Verdict.UNTESTED): "skip",
    **dict.fromkeys([str(Verdict.FAIL), *OPEN], "fail"),
}
ENDED = "uxsuccess"
"""The status of what is accepted and no longer deviates."""


def render(data: Mapping[str, Any]) -> bytes:
    """Return the results as a stream of subunit."""
    from subunit.v2 import StreamResultToBytes

    stream = io.BytesIO()
    out = StreamResultToBytes(stream)
    ended = {problem.get("requirement") for problem in data.get("deviations", {}).get("trouble", ())}
    now = datetime.fromisoformat(data["started"])
    for verdict, entry in shown(data):
        met = STATUSES[verdict] == "success" and entry["id"] in ended
        name = f"cloudimages.{entry['id']}"
        out.status(test_id=name, test_status="inprogress", timestamp=now)
        now += timedelta(seconds=entry["seconds"])
        text = "\n".join(details(verdict, entry)).encode()
        out.status(
            test_id=name,
            test_status=ENDED if met else STATUSES[verdict],
            test_tags={entry["level"], entry["provenance"], entry["area"], verdict},
            timestamp=now,
            file_name="details" if text else None,
            file_bytes=text or None,
            mime_type="text/plain;charset=utf8" if text else None,
            eof=True,
        )
    return stream.getvalue()
