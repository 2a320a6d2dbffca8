"""Services that are wrong in two ways: neither hides the other."""

from . import adding, answering, attributes, deleting, isolation, showing
from .kinds import Kind
from .registry import FAULTS, breaks

KIND = Kind.SEVERAL


def _broken(*names: str) -> list[str]:
    return sorted(frozenset().union(*(FAULTS[name].broken for name in names)))


@breaks(*_broken("AnswersARepetitionWith409", "ForgivesASecondDelete"), profile="standard")
class MindsTheWrongRepetitions(adding.AnswersARepetitionWith409, deleting.ForgivesASecondDelete):
    """Answers 409 to a repeated addition, and 204 to a repeated deletion."""


@breaks(*_broken("SendsALengthWith204", "RenamesTheImage"))
class SendsALengthAndRenames(answering.SendsALengthWith204, attributes.RenamesTheImage):
    """Sends Content-Length with 204, and names the image after the tag."""


@breaks(*_broken("HasNoLimit", "ListsThreeTags"), profile="standard")
class KnowsTheWrongLimits(adding.HasNoLimit, showing.ListsThreeTags):
    """Stores tags of any length, and lists three of them."""


@breaks(*_broken("DeletesFromNamesakes", "SendsNoDate", "AcknowledgesATagOnNoImage"), profile="standard")
class IsWrongInThreeWays(answering.SendsNoDate, isolation.DeletesFromNamesakes, adding.AcknowledgesATagOnNoImage):
    """Deletes from namesakes, sends no Date, and tags images that are not there."""
