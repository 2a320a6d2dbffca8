"""How things are shown that hold a whole run between them."""

from typing import Any


class Short:
    """Shown in one short line also by Hypothesis, which else writes down every field of a dataclass."""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - as Hypothesis and IPython call it
        printer.text(repr(self))
