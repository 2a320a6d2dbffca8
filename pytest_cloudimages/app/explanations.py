"""What a report says of an error: its words, and the operation that went wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_cloudimages.areas.tags.suspects import Suspect, of_step, suspect
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.spec.verdicts import leaves

if TYPE_CHECKING:
    from pytest_cloudimages.engine import recording
#: Lines of an assertion that tell a tester nothing.
IDLE = re.compile(r"assert (not )?(True|False)$|Use -v to get|\+ +where |Explanation:|You can reproduce this example")


def _suspected(mine: recording.CheckRecord) -> Suspect | None:
    """Give the operation on a tag that a finding's last case shows to have gone wrong."""
    if mine.step is not None:
        return of_step(mine.step, answer_only=mine.answer_only)
    return suspect(one for one in mine.exchanges if one.purpose in (Purpose.JUDGING, Purpose.PREPARING))


def _explain(error: BaseException) -> str:
    """Give the words of an error, and of the case in which Hypothesis found it."""
    parts: list[str] = []
    for one in leaves(error):
        parts += [*(str(one).strip() or type(one).__name__).splitlines(), *getattr(one, "__notes__", ())]
    told = [line.strip() for line in parts if line.strip() and not IDLE.match(line.strip())]
    return "\n".join(dict.fromkeys(told))


def _first_line(error: BaseException | None) -> str:
    return _explain(error).partition("\n")[0] if error else ""
