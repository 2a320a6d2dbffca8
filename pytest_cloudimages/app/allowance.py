"""What a run is allowed: departures that are accepted, and those that an earlier run has already."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_cloudimages.engine.settings import Settings
    from pytest_cloudimages.reporting.deviations import Deviation
    from pytest_cloudimages.reporting.results import Results


@dataclass(frozen=True)
class Allowance:
    """The deviations and the baseline that a tester has given."""

    deviations: Sequence[Deviation] | None = None
    baseline: Mapping[str, Any] | None = None
    cloud: str | None = None
    earlier: Mapping[str, Any] | None = None
    """The results of a run that is asked again."""

    @classmethod
    def of(cls, settings: Settings) -> Allowance:
        """Read the files that the settings name; raise ``ValueError`` with one line for what cannot be used."""
        # Reading checks form and content, and loads what that takes.
        from pytest_cloudimages.app.result_files import deviations_at, results_at

        if settings.dry_run:
            return cls()
        return cls(
            deviations_at(Path(settings.deviations)) if settings.deviations else None,
            results_at(Path(settings.baseline)) if settings.baseline else None,
            settings.cloud,
            settings.earlier,
        )

    def of_results(self, results: Results) -> Results:
        """Return the results beside those that were asked again, with what is accepted, compared with a baseline."""
        from pytest_cloudimages.reporting.joining import joined

        if self.earlier is not None:
            results = replace(results, data=joined(self.earlier, results.data))
        if self.deviations is not None:
            results = results.accepting(self.deviations)
        return results if self.baseline is None else results.against(self.baseline)

    def accepted(self, endpoint: str, identifier: str, input_class: str) -> Deviation | None:
        """Return the deviation that accepts a finding today; the class of input is empty where it is not known."""
        today = dt.datetime.now(dt.UTC).date()
        holding = (
            deviation
            for deviation in self.deviations or ()
            if deviation.requirement == identifier
            and deviation.input_class in (None, input_class)
            and deviation.expires >= today
            and deviation.is_of({"endpoint": endpoint}, self.cloud)
        )
        return next(holding, None)

    def on_the_page(self, entries: Sequence[dict[str, Any]], endpoint: str) -> list[dict[str, Any]]:
        """Return the entries of one check, in which what is accepted says so."""
        return [self._with_acceptance(entry, endpoint) for entry in entries]

    def _with_acceptance(self, entry: dict[str, Any], endpoint: str) -> dict[str, Any]:
        if "identity" not in entry:
            return entry
        deviation = self.accepted(endpoint, entry["id"], entry["input_class"])
        return {**entry, "deviates": deviation.as_data()} if deviation else entry
