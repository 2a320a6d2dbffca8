"""The reports: each a pure function of the results. A new one is a module here, and a row of ``WRITERS``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_cloudimages.reporting import index_page, results
from pytest_cloudimages.reporting.formats import rendered

if TYPE_CHECKING:
    from collections.abc import Callable

WRITERS: dict[str, Callable[[results.Results], str]] = {
    "conformance.json": results.as_json,
    "index.html": index_page.as_page,
    "junit.xml": lambda made: rendered("junit", made.data).decode(),
}
"""The files that a run writes itself into the folder of its reports, and what makes the text of each."""
OF_OTHERS = ("conformance.html",)
"""The files that others write there: pytest-html."""
