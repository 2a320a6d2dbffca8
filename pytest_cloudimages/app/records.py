"""What a check has left: its evidence becomes the results of the requirements it asks for, and its report says them."""

from __future__ import annotations

import re
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app.explanations import explain, first_line, mismatch_of, suspect_of
from pytest_cloudimages.app.stash import RUN, OwnFailure
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.showing import harmless, in_one_line
from pytest_cloudimages.engine import recording
from pytest_cloudimages.history.steps import Prior
from pytest_cloudimages.reporting.anomalies import as_data
from pytest_cloudimages.reporting.power import power_of
from pytest_cloudimages.reporting.results import DEVIATES, CheckResult
from pytest_cloudimages.spec.verdicts import Blocked, Flaky, Unaffordable, Verdict, judge, leaves, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_cloudimages.app.allowance import Allowance
    from pytest_cloudimages.app.first_look import Seen
    from pytest_cloudimages.app.selection import Selection
    from pytest_cloudimages.areas.tags.suspects import Suspect
    from pytest_cloudimages.client.exchange import Exchange
    from pytest_cloudimages.client.recorder import Recorder
    from pytest_cloudimages.engine.recording import CheckRecord

SHOWN_EXCHANGES = 12
SHOWN_OF_OWN = 5
"""Exchanges that are shown of a test that asks for no requirement."""
ASKED = "requests (cloudimages)"
"""What the section of a report is called that shows them."""
IMAGE = re.compile(r"/images/([^/?]+)")
AGAIN = "there again"
"""What had become of a value that had been deleted and added once more."""
FAILING = (Verdict.FAIL, Verdict.UNSTABLE, Verdict.BLOCKED, Verdict.ERROR)


def count_sent(mine: CheckRecord, sent: Sequence[Exchange]) -> None:
    """Count what a check has sent itself."""
    if mine.cases or mine.main is not None:
        mine.attach(exchange for exchange in sent if not mine.holds(exchange))
    elif sent:
        # A check without a collection asks with what it sends itself.
        mine.case(sent)


def raise_if_flaky(check: Callable[[], object], mine: CheckRecord, error: Exception, recorder: Recorder) -> None:
    """Raise ``Flaky`` where the service failed at a request of a check that finds nothing when it is asked again."""
    accused = all(isinstance(leaf, AssertionError) for leaf in leaves(error))
    if not accused or not any(exchange.broken for exchange in mine.exchanges):
        return
    # What it looks at now is evidence of nothing: that of the first finding stays as it is.
    recording.collect(recording.CheckRecord())
    try:
        with recorder.apart():
            check()
    except Exception:  # noqa: BLE001 - it went wrong again: the first finding stands
        return
    finally:
        recording.collect(mine)
    raise Flaky(f"{first_line(error)}; asked again, all was well.") from error


class Records:
    """The results of all checks of a run."""

    def __init__(self, config: pytest.Config, selection: Selection, allowance: Allowance) -> None:
        self.config, self.selection, self.allowance = config, selection, allowance
        self.results: list[CheckResult] = []
        self.seen: Mapping[str, Seen] = {}
        """What was seen not to be met before anything was judged, by the test."""
        self.suspects: dict[tuple[str, str], Suspect] = {}
        """The operation that a finding is about, by its id and test."""
        self._extended: dict[int, CheckResult] = {}
        """What has become of each result, by the identity of the earlier one."""
        self._earlier: list[CheckResult] = []
        """Held, so that no other gets the identity of one that is gone."""

    def judged(
        self, item: pytest.Item, report: pytest.TestReport, error: BaseException | None, mine: CheckRecord
    ) -> list[CheckResult]:
        """Return what a check has shown of each requirement that it asks for."""
        if mine.silent and error is None:
            return []
        return [self._judged(identifier, item, report, error, mine) for identifier in self.selection.ids_of(item)]

    def _judged(
        self,
        identifier: str,
        item: pytest.Item,
        report: pytest.TestReport,
        error: BaseException | None,
        mine: CheckRecord,
    ) -> CheckResult:
        missed, phase = self.selection.catalogue[identifier].missed, report.when or "call"
        unaffordable = _is_unaffordable(error)
        if isinstance(error, pytest.skip.Exception):
            verdict, explanation = Verdict.UNTESTED, str(error.msg)
        else:
            verdict = judge(missed, phase, error, cases=mine.cases, noted=bool(mine.notes))
            explanation = ""
            if error is not None:
                explanation = report.longreprtext if verdict is Verdict.ERROR else explain(error)
            elif verdict is Verdict.PASS and mine.rate:
                # That nothing was seen says as much as there was to be seen.
                explanation = f"{mine.rate}."
            elif verdict is Verdict.BLOCKED:
                explanation = _without_a_case(mine)
        found = suspect_of(mine) if verdict.finding else None
        if found:
            self.suspects[identifier, brief(item.nodeid)] = found
        return CheckResult(
            id=identifier,
            verdict=verdict,
            test=brief(item.nodeid),
            cases=mine.cases,
            requests=mine.requests,
            seconds=report.duration,
            kinds=dict(mine.kinds),
            notes=tuple(mine.notes),
            explanation=SECRETS.hide(explanation),
            mismatch=SECRETS.hidden(mismatch_of(error)) if verdict >= Verdict.NOTED else None,
            exchanges=self._shown(mine) if verdict > Verdict.UNTESTED else (),
            witnesses=tuple(SECRETS.hidden(as_data(anomaly)) for anomaly in mine.witnesses) if error else (),
            rate=asdict(mine.rate) if mine.rate else None,
            power=_power(mine) if verdict is Verdict.PASS else (),
            race={"of": mine.race[0], **mine.race[1].as_data()} if mine.race and verdict.finding else None,
            symptom=str(found.symptom) if found else "",
            led_up=self._led_up(mine) if verdict.finding else {},
            replay=self._asked_otherwise(identifier, mine) if verdict.finding else "",
            **self._known(item, verdict),
            unaffordable=unaffordable,
        )

    def _asked_otherwise(self, identifier: str, mine: CheckRecord) -> str:
        """Return the command that asks for a finding again, where it is another one than that of its requirement."""
        ids = self.selection.as_asked(identifier)
        if mine.rate:
            return self.selection.settings.replay(ids, raced=True)
        if not mine.sakes:
            return ""
        # What was met in passing is met again where what was sent then is sent.
        return self.selection.settings.replay((*dict.fromkeys((*ids, self.selection.asks_for(mine.sakes[0]))),))

    def _known(self, item: pytest.Item, verdict: Verdict) -> dict[str, Any]:
        """Return when a verdict was known: a finding may have been seen at the first look."""
        seen = self.seen.get(item.nodeid) if verdict.finding else None
        if seen:
            return {"sent_before": seen.requests, "known_at": seen.at}
        return {"sent_before": sum(self.config.stash[RUN].recorder.counts.values()), "known_at": time.time()}

    def _led_up(self, mine: CheckRecord) -> dict[str, Any]:
        """Return what is to be known of a finding's image besides its exchanges, so that these can be sent again."""
        known = {*self.config.stash[RUN].recorder.traces.created, *self.selection.settings.image}
        asked = {found[1] for exchange in mine.exchanges if (found := IMAGE.search(exchange.target))}
        told: dict[str, Any] = {"absent": True} if asked and asked.isdisjoint(known) else {}
        if (step := mine.step) is not None and not mine.answer_only:
            told["prior"] = AGAIN if step.re_added and step.prior is Prior.PRESENT else str(step.prior)
        return told

    def _shown(self, mine: CheckRecord) -> tuple[dict[str, object], ...]:
        """Return the exchanges that a report shows: the last ones, without those that tidy up."""
        run = self.config.stash[RUN]
        if run.problem:
            return ()
        judged = [exchange for exchange in mine.exchanges if exchange.purpose is not Purpose.CLEANING]
        return tuple(
            exchange.as_data(run.transport.origin) for exchange in (judged or mine.exchanges)[-SHOWN_EXCHANGES:]
        )

    def show(
        self, item: pytest.Item, report: pytest.TestReport, results: list[CheckResult], error: BaseException | None
    ) -> None:
        """Put the verdict on the report of a check."""
        verdict = worst(result.verdict for result in results)
        explanations = "\n".join(result.explanation for result in results)
        if error is not None and not isinstance(error, pytest.skip.Exception):
            report.longrepr = harmless(explanations or str(error))
        if self.accepts(results):
            _accept(report, results)
        elif verdict in FAILING or (verdict is Verdict.ADVISORY and self.selection.settings.strict):
            report.outcome = "failed"
            report.longrepr = report.longrepr or harmless(explanations)
        elif verdict is Verdict.UNTESTED and _is_unaffordable(error):
            report.outcome, report.longrepr = "skipped", (str(item.path), item.location[1] or 0, explanations)
        elif verdict is Verdict.ADVISORY:
            report.outcome = "skipped"
            report.wasxfail = in_one_line(f"{verdict}: {first_line(error)}")
        elif verdict is Verdict.NOTED:
            report.outcome = "passed"
        for result in results:
            requirement = self.selection.catalogue[result.id]
            # --junit-xml takes them from the report of the teardown, which pytest makes of what the item has.
            item.user_properties += [
                ("requirement", result.id),
                ("level", str(requirement.level)),
                ("provenance", str(requirement.provenance)),
                ("verdict", str(result.verdict)),
                ("cases", str(result.cases)),
                ("requests", str(result.requests)),
            ]
        report.user_properties = [*item.user_properties]
        report.cloudimages = results  # type: ignore[attr-defined]  # reports go from hook to hook

    def accepts(self, results: Sequence[CheckResult]) -> bool:
        """Return whether all that a check has found is accepted, as far as its class of input is known yet."""
        bad = [result for result in results if result.verdict > Verdict.NOTED]
        if not bad or RUN not in self.config.stash:
            return False
        endpoint = self.config.stash[RUN].service.endpoint
        return all(
            result.verdict.finding and self.allowance.accepted(endpoint, result.id, result.input_class)
            for result in bad
        )

    def extend(self, results: list[CheckResult]) -> None:
        """Put results in the place of those there are: the same, each with the class of input that it is about."""
        self._extended = {id(old): new for old, new in zip(self.results, results, strict=True)}
        self._earlier, self.results = self.results, results

    def complete(self, report: pytest.TestReport) -> None:
        """Make of a report what is known of it when all is judged: a finding of an accepted class deviates."""
        results = [self._extended.get(id(result), result) for result in results_of(report)]
        if not results:
            return
        report.cloudimages = results  # type: ignore[attr-defined]  # as above
        if self.accepts(results):
            _accept(report, results)


def _is_unaffordable(error: BaseException | None) -> bool:
    """Return whether a check ended for nothing but lack of budget."""
    return error is not None and all(isinstance(leaf, Unaffordable) for leaf in leaves(error))


def _power(mine: CheckRecord) -> tuple[Mapping[str, Any], ...]:
    """Return what a check that has found nothing would have seen, as far as it rests on chance."""
    from pytest_cloudimages.areas.tags.strategies import DRAWN, IN_A_HISTORY

    drawn = {name: len(values) for name, values in mine.inputs.items() if name in DRAWN}
    return power_of(asdict(mine.rate) if mine.rate else None, mine.kinds[IN_A_HISTORY], drawn)


def _accept(report: pytest.TestReport, results: Sequence[CheckResult]) -> None:
    """Have a report say that what was found is accepted."""
    told = next((result.explanation for result in results if result.verdict.finding), "").partition("\n")[0]
    report.outcome = "skipped"
    report.wasxfail = in_one_line(f"{DEVIATES}: {told}")


def _without_a_case(mine: CheckRecord) -> str:
    """Return why a check has reached no case, and have it show what was tried."""
    tried, exchanges = mine.main.collection.led_up() if mine.main and mine.main.collection else ("", ())
    if exchanges:
        mine.show(exchanges)
    if mine.lacking and not exchanges:
        return mine.lacking[0]
    reason = "No case reached the question: the service refused, or broke, all that leads up to it."
    return f"{reason} {tried}".rstrip()


def results_of(report: pytest.TestReport) -> list[CheckResult]:
    """Return the results that a report carries."""
    return list(getattr(report, "cloudimages", ()))


def brief(nodeid: str) -> str:
    """Return a test's name without the folders of its file; a slash may stand in a parameter too."""
    path, colons, name = nodeid.partition("::")
    return f"{path.rpartition('/')[2]}{colons}{name}"


def _told_again(text: str, told: object) -> Any:
    """Return what pytest tells of a failure, in other words; its summary has the message alone, as it had."""
    from _pytest._code.code import ReprFileLocation, TerminalRepr

    crash = getattr(told, "reprcrash", None)
    if not isinstance(crash, ReprFileLocation):
        return text
    where = ReprFileLocation(crash.path, crash.lineno, harmless(SECRETS.hide(crash.message)))

    class Told(TerminalRepr):
        reprcrash = where

        def toterminal(self, tw: Any) -> None:
            tw.line(text)

    return Told()


def asked_last(sent: Sequence[Exchange]) -> str:
    """Return the last things that a test has asked, each with what came, a line each; not what tidied up."""
    asked = [str(exchange) for exchange in sent if exchange.purpose is not Purpose.CLEANING]
    return "\n".join(harmless(in_one_line(line)) for line in asked[-SHOWN_OF_OWN:])


def own_failure(report: pytest.TestReport, error: BaseException | None) -> OwnFailure:
    """Return what is told of a test that asks for no requirement, and has failed; its report is fit to be read."""
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = (crash.message if crash else report.longreprtext).strip().splitlines() or ["it failed"]
    # Of what pytest says of a fixture that there is not, the first line is where the test stands.
    told = next((line.removeprefix("E").strip() for line in lines if line.startswith("E ")), lines[0])
    blocked = error is not None and all(isinstance(leaf, Blocked) for leaf in leaves(error))
    where = f"{crash.path}:{crash.lineno}" if crash else ""
    asked = next((text for name, text in report.sections if ASKED in name), "")
    return OwnFailure(report.nodeid, "; ".join(asked.splitlines()), in_one_line(told), where, blocked)


def fit_to_be_read(report: pytest.TestReport) -> pytest.TestReport:
    """Return a report rid of every secret, and of what a terminal or a CI would obey, whatever text it came in."""
    if isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        report.longrepr = path, line, harmless(SECRETS.hide(reason))
    elif report.longrepr is not None:
        text = report.longreprtext
        if (shown := harmless(SECRETS.hide(text))) != text:
            report.longrepr = _told_again(shown, report.longrepr)
    report.sections = [(name, SECRETS.hide(text)) for name, text in report.sections]
    return report
