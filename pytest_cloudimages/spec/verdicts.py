"""The verdicts on a requirement, their order, and the rule that decides between them."""

import enum
from collections.abc import Iterable, Iterator


class Verdict(enum.IntEnum):
    """The verdicts on a requirement in their order: of several, the worst counts."""

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
        """Whether it says that the service does not meet the requirement."""
        return self in (Verdict.ADVISORY, Verdict.FAIL)


class Blocked(Exception):  # noqa: N818 - a state of affairs, not an error of the program
    """A precondition failed, so the requirement could not be tested."""


class NoEffect(Blocked):
    """A request has had no effect: nobody was let in with it, or it was not sent at all."""


class GivenUp(NoEffect):
    """The service was waited for in vain, and is sent nothing more."""


class ShutOut(NoEffect):
    """A caller is refused everything from some moment on."""


class TokenEnded(NoEffect):
    """A token expired and cannot be renewed; the request that was sent with it has had no effect."""


class Unaffordable(NoEffect):
    """A request was not sent, since the run has spent what it may take: the question is left untested."""


class Trouble(Blocked):
    """The way to the service was in trouble, or the service out of breath: its answers say nothing of the request."""


class LostAnswer(Trouble):
    """A request may have been carried out or not: its answer was lost, and its repetition cannot tell."""


class NoRoom(Blocked):
    """One more image was refused, and others had been created: a quota, or a name that is taken."""


class Flaky(Blocked):
    """The same input had another result when it was tried again."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict that counts of several; *untested* if there are none."""
    return max(verdicts, default=Verdict.UNTESTED)


def of_several(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on what several checks ask for: what one has found stands, though another is blocked."""
    found = [*verdicts]
    if any(verdict.finding for verdict in found):
        found = [verdict for verdict in found if verdict is not Verdict.BLOCKED]
    return worst(found)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors inside nested groups, in which Hypothesis raises distinct failures."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def judge(  # noqa: PLR0911 - a verdict for each thing that may have happened
    missed: Verdict, phase: str, error: BaseException | None, *, cases: int, noted: bool = False
) -> Verdict:
    """Return the verdict on what happened in one phase of a check.

    ``missed`` is the verdict if the requirement is not met (fail, advisory or noted: ``Requirement.missed``), ``phase``
    is pytest's *setup*, *call* or *teardown*, ``cases`` counts the cases that reached an assertion on the requirement,
    ``noted`` is whether something was observed about which nothing is required. An ``AssertionError`` of the call is
    a fault of the service, an ``Unaffordable`` leaves it untested, another ``Blocked`` anywhere is a failed
    precondition, anything else an error of the suite.
    """
    if error is None:
        if phase == "call" and not cases:
            return Verdict.BLOCKED
        return Verdict.NOTED if noted and missed is Verdict.NOTED else Verdict.PASS
    found = list(leaves(error))
    if any(not isinstance(cause, AssertionError | Blocked) for cause in found):
        return Verdict.ERROR
    if all(isinstance(cause, Unaffordable) for cause in found):
        return Verdict.UNTESTED
    # Hypothesis raises a group of this name if an example ended otherwise when it was run again. Its name is compared,
    # as Hypothesis need not be imported for that.
    flaky = any(base.__name__ == "Flaky" for base in type(error).__mro__)
    if flaky or any(isinstance(cause, Flaky) for cause in found):
        return Verdict.UNSTABLE
    if all(isinstance(cause, AssertionError) for cause in found):
        # An assertion of a fixture or a clean-up is about a precondition, not about the requirement.
        return missed if phase == "call" else Verdict.BLOCKED
    # A failure that was seen stands, whatever kept other cases from being tried.
    return missed if phase == "call" and any(isinstance(cause, AssertionError) for cause in found) else Verdict.BLOCKED
