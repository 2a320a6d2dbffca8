"""What became of a requirement: the words, their order, and the rule that finds the word."""

import enum
from collections.abc import Iterable, Iterator


class Verdict(enum.IntEnum):
    """The verdicts of a requirement, ordered: of several, the worst counts."""

    PASS = 0
    UNTESTED = 1
    NOTED = 2
    ADVISORY = 3
    FAIL = 4
    UNSTABLE = 5
    BLOCKED = 6
    ERROR = 7

    def __str__(self) -> str:
        return self.name.lower()

    @property
    def finding(self) -> bool:
        """Whether it says something against the service."""
        return self in (Verdict.ADVISORY, Verdict.FAIL)


class Blocked(Exception):  # noqa: N818 - a state of affairs, not an error of the program
    """The ground for a question was missing: the service could not be asked."""


class TokenEnded(Blocked):
    """A token ran out, and there is no new one; what it was shown with has not been done."""


class Trouble(Blocked):
    """The way to the service was in trouble, or the service out of breath: its answers say nothing of the request."""


class LostAnswer(Trouble):
    """A request may have been carried out or not: its answer was lost, and its repetition cannot tell."""


class Flaky(Blocked):
    """The same input was answered differently when it was asked again."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Give the verdict that counts of several; *untested* where there is none."""
    return max(verdicts, default=Verdict.UNTESTED)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Walk the errors inside nested groups; Hypothesis groups distinct failures."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def judge(missed: Verdict, phase: str, error: BaseException | None, *, cases: int, noted: bool = False) -> Verdict:
    """Turn what happened in one phase of a check into a verdict.

    ``missed`` is what a departure from the requirement amounts to (fail, advisory or noted: ``Requirement.missed``),
    ``phase`` is pytest's *setup*, *call* or *teardown*, ``cases`` counts the cases that reached the question,
    ``noted`` says that something was observed where nothing is required. An
    ``AssertionError`` of the call is the service's, a ``Blocked`` anywhere is a missing ground, anything else is ours.
    """
    if error is None:
        if phase == "call" and not cases:
            return Verdict.BLOCKED
        return Verdict.NOTED if noted and missed is Verdict.NOTED else Verdict.PASS
    found = list(leaves(error))
    if any(not isinstance(one, AssertionError | Blocked) for one in found):
        return Verdict.ERROR
    # Hypothesis calls a group so whose case ended otherwise when it was tried again; it need not be loaded to be asked.
    flaky = any(kind.__name__ == "Flaky" for kind in type(error).__mro__)
    if flaky or any(isinstance(one, Flaky) for one in found):
        return Verdict.UNSTABLE
    if all(isinstance(one, AssertionError) for one in found):
        # An assertion of a fixture or a clean-up asked for the ground; it did not ask the question.
        return missed if phase == "call" else Verdict.BLOCKED
    # A departure that was seen stands, whatever kept other cases from being asked.
    return missed if phase == "call" and any(isinstance(one, AssertionError) for one in found) else Verdict.BLOCKED
