"""What a report says of an error: its words, what it carries as data, and the class of input that it is about."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.areas.tags.suspects import Suspect, of_step, suspect
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.spec.mismatch import Mismatch
from pytest_cloudimages.spec.verdicts import leaves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_cloudimages.areas.tags.explainer import Explained
    from pytest_cloudimages.engine import recording
    from pytest_cloudimages.engine.run import Run
    from pytest_cloudimages.reporting.results import CheckResult

#: Lines of an assertion that tell a tester nothing.
IDLE = re.compile(r"assert (not )?(True|False)$|Use -v to get|\+ +where |Explanation:|You can reproduce this example")


def explain(error: BaseException) -> str:
    """Return the words of an error, and of the case in which Hypothesis found it."""
    parts: list[str] = []
    for leaf in leaves(error):
        parts += [*(str(leaf).strip() or type(leaf).__name__).splitlines(), *getattr(leaf, "__notes__", ())]
    told = [line.strip() for line in parts if line.strip() and not IDLE.match(line.strip())]
    return "\n".join(dict.fromkeys(told))


def first_line(error: BaseException | None) -> str:
    """Return the first line of an error's words."""
    return explain(error).partition("\n")[0] if error else ""


def mismatch_of(error: BaseException | None) -> dict[str, Any] | None:
    """Return what was expected and what came as data, where an error carries it."""
    found = (leaf.as_data() for leaf in leaves(error) if isinstance(leaf, Mismatch)) if error else iter(())
    return next(found, None)


def suspect_of(mine: recording.CheckRecord) -> Suspect | None:
    """Return the operation on a tag that a finding's last case shows to have gone wrong."""
    if mine.step is not None:
        return of_step(mine.step, answer_only=mine.answer_only)
    return suspect(exchange for exchange in mine.exchanges if exchange.purpose in (Purpose.JUDGING, Purpose.PREPARING))


def with_extents(
    run: Run, records: Sequence[CheckResult], suspects: Mapping[tuple[str, str], Suspect]
) -> list[CheckResult]:
    """Return the results of checks with the class of input that each finding is about, where that is found out.

    Nothing of it changes a verdict. An interruption ends it, and nothing else: by now everything is judged.
    """
    from pytest_cloudimages.areas.tags.explainer import Explainer

    explainer = Explainer(run)
    suspected = [record for record in records if (record.id, record.test) in suspects]
    found: dict[tuple[str, str], Explained] = {}
    try:
        for record in sorted(suspected, key=lambda record: -record.verdict):
            found[record.id, record.test] = explainer.explained(suspects[record.id, record.test])
    except KeyboardInterrupt:
        pass
    return [_with_extent(record, found.get((record.id, record.test))) for record in records]


def _with_extent(record: CheckResult, explained: Explained | None) -> CheckResult:
    if explained is None:
        return record
    return replace(record, extent=explained.sentence, input_class=explained.input_class)
