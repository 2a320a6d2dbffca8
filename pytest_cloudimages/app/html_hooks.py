"""What a run puts on the page of pytest-html; registered only if that is there: pytest does not know these hooks."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Protocol

from pytest_cloudimages.app.records import brief, results_of
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.reporting import html as page
from pytest_cloudimages.reporting.results import entry_of

if TYPE_CHECKING:
    import pytest

    from pytest_cloudimages.app.allowance import Allowance
    from pytest_cloudimages.app.selection import Selection
    from pytest_cloudimages.reporting.results import Results, RunFacts


class Known(Protocol):
    """What the page needs to know of a run."""

    @property
    def selection(self) -> Selection:
        """The requirements and their tests."""

    @property
    def facts(self) -> RunFacts:
        """The facts that are known before anything is judged."""

    @property
    def allowance(self) -> Allowance:
        """What is accepted of the service."""

    @property
    def results(self) -> Results | None:
        """What the run has shown, when all images are gone."""


class HtmlHooks:
    """The hooks that pytest-html calls while it makes its page."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self._of_a_row: tuple[pytest.TestReport | None, list[dict[str, Any]]] = None, []
        """The report whose row was asked for last, with its entries: what the row unfolds to is asked for next."""

    def pytest_html_report_title(self, report: Any) -> None:
        """Title the page."""
        report.title = page.TITLE

    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Put the verdicts by group above the table."""
        if self.known.results is not None:
            prefix.append(page.summary(self.known.results))

    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Add the columns of a requirement."""
        cells[1:1] = page.HEADER

    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """Fill the columns of a requirement."""
        cells[1:1] = page.row(self._entries(report))
        cells[1 + len(page.HEADER)] = f'<td class="col-testId">{html.escape(brief(report.nodeid))}</td>'

    def pytest_html_results_table_html(self, report: pytest.TestReport, data: list[str]) -> None:
        """Show the exchanges of a check."""
        if entries := self._entries(report):
            data[:] = [page.details(entries)]

    def _entries(self, report: pytest.TestReport) -> list[dict[str, Any]]:
        """Return the entries of the requirements that a check has judged, as far as it alone has."""
        if self._of_a_row[0] is not report:
            self._of_a_row = report, self._made_of(report)
        return self._of_a_row[1]

    def _made_of(self, report: pytest.TestReport) -> list[dict[str, Any]]:
        catalogue = self.known.selection.catalogue
        entries = [entry_of(catalogue[result.id], self.known.facts, [result]) for result in results_of(report)]
        shown = self.known.allowance.on_the_page(entries, self.known.facts.endpoint) if entries else []
        # These do not pass through the results, which hide what is in them.
        return [SECRETS.hidden(entry) for entry in shown]
