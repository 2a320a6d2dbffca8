"""The reports: each a pure function of the results. A new one is a module here, and a row of ``WRITERS``.

What makes them is loaded when they are written: whoever only wants to know their names pays for nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_cloudimages.reporting.results import Results


def _json(made: Results) -> str:
    from pytest_cloudimages.reporting.results import as_json

    return as_json(made)


def _page(made: Results) -> str:
    from pytest_cloudimages.reporting.index_page import as_page

    return as_page(made)


def _junit(made: Results) -> str:
    from pytest_cloudimages.reporting.formats.junit import render

    return render(made.data)


WRITERS: dict[str, Callable[[Results], str]] = {
    "conformance.json": _json,
    "index.html": _page,
    "junit.xml": _junit,
}
"""The files that a run writes itself into the folder of its reports, and what makes the text of each."""
OF_OTHERS = ("conformance.html",)
"""The files that others write there: pytest-html."""
