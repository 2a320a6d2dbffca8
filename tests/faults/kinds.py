"""The classes of faults: each module says by ``KIND`` what it holds, and faults that stand apart are named here."""

import sys
from enum import StrEnum

from .registry import Fault


class Kind(StrEnum):
    """What a fault spoils, in the order of docs/detection.md."""

    ADDITION = "addition"
    IDEMPOTENCY = "idempotency"
    DELETION = "deletion"
    BOUNDARY = "boundary"
    ENCODING = "encoding"
    STATUS = "status codes"
    AUTHORISATION = "authorisation"
    ISOLATION = "isolation"
    VISIBILITY = "visibility"
    FILTER = "filter"
    SCHEMA = "schema and shape"
    QUOTA = "quota and rate"
    RARE = "rare data"
    SEQUENCE = "sequence-triggered"
    CONCURRENCY = "concurrency"
    ODD = "5xx on odd input"
    MESSAGES = "messages and headers"
    CARRIED = "methods and bodies"
    SHARING = "image sharing"
    ATTRIBUTES = "attributes and life of an image"
    IMAGES = "images"
    UPDATES = "updates of images"
    LISTS = "lists of images"
    DECISIONS = "memberships and their statuses"
    SIGN_IN = "sign-in to Identity"
    ROLES = "tokens and roles"
    TASKS = "tasks"
    DESCRIPTIONS = "versions, schemas and what answers have in common"
    PASSING = "met in passing"
    SEVERAL = "several at once"
    LAWFUL = "lawful variants"


APART = {
    Kind.IDEMPOTENCY: """
        ListsATagTwice DeletesOneOfTwo ListsTheThirdAdditionToo TakesARepeatedTagAway KeepsOnlyARepeatedTag
        AnswersARepetitionWith200 AnswersARepetitionWith201 AnswersARepetitionWith400 AnswersARepetitionWith409
        AnswersARepetitionWith500 RemembersDeletions ForgivesASecondDelete ForgetsTheOldestOnRepetition
        """,
    Kind.BOUNDARY: """
        AllowsTags254Long AllowsTags128Long AllowsTags64Long AllowsTags256Long RefusesTags128Long LosesTags254Long
        LimitsTheTarget HasNoLimit CutsLongTagsTo255 CutsLongTagsTo64 CutsTagsTo64 AcknowledgesLongTags
        RefusesLongTagsAndStoresThem RefusesLongTagsAndStoresAPart AnswersLongTagsWith500 AnswersLongTagsWith413
        RefusesOneCharacter LimitsOctets LimitsUtf16 FindsTargetsTooLong ShowsAnEllipsis ListsLongerTags
        """,
    Kind.STATUS: """
        AnswersAnAdditionWith200 AnswersAnAdditionWith202 AnswersAnAdditionWithTheImage AnswersADeletionWith200
        AnswersADeletionWith202 AnswersADeletionWithTheImage AnswersAnAbsentTagWith400 AnswersAnAbsentTagWith409
        AnswersAnAbsentTagWith410 AnswersAnAbsentTagWith500 DeletesAndDenies ForgivesAnUnknownImage
        ForbidsAnUnknownImage AcknowledgesATagOnNoImage KnowsNoDeletion RedirectsAdditions
        """,
    Kind.FILTER: "FiltersByAny FiltersByTheLast FiltersByPrefix FiltersInAnyCase FiltersNothing",
    Kind.SCHEMA: """
        DeclaresNoLimit DeclaresNoTags ShowsNullForNone ShowsTagsAsText ShowsTagsAsAnObject ShowsTagsAsObjects
        ShowsAnObjectForNone ShowsNoEmptyList ListsTagsAsText
        """,
    Kind.QUOTA: "LimitsDeletions",
    Kind.RARE: """
        RefusesDigits RefusesDates RefusesNull RefusesWordsOfPaths ReadsDates KeepsIdsInHex ReadsNullAsNothing
        RefusesUuids RefusesATilde ReadsNumbers ReplacesTheOddOnes DropsInvisible KeepsThreeOctets ShowsJsonNumbers
        ShowsJsonValues
        """,
    Kind.CONCURRENCY: "LooksBeforeItAdds LosesConcurrentAdditions",
    Kind.ODD: "FailsOnEmoji FailsOnNul FailsOnAQuote FailsOnAPercent FailsOnBadOctets FailsOnUnknownMethods",
    Kind.MESSAGES: "SaysNoMoreThanTheStatus",
    Kind.CARRIED: """
        AddsByPost AddsByAnyMethod KnowsMethodsInAnyCase KnowsCapitalisedMethods RefusesAMethodAndObeys
        RefusesPatchAndDeletes AddsWhatTheBodyNames AddsWhatAHeaderNames AddsWhatTheQueryNames DeletesWhatTheQueryNames
        DeletesWhatTheBodyNames RefusesABodyWith400 RefusesABodyWith415 RefusesABodyOnDelete AsksForALength
        """,
    Kind.ATTRIBUTES: "ProtectsTags KeepsTwoLists PatchesByAdding DeletesOnlyItsOwnTags",
}
NAMED = {name: kind for kind, names in APART.items() for name in names.split()}


def kind_of(fault: Fault) -> Kind:
    """Return the class of a fault; what breaks nothing is lawful, wherever it stands."""
    if not fault.broken and not fault.perhaps:
        return Kind.LAWFUL
    kind = NAMED.get(fault.__name__) or getattr(sys.modules.get(fault.__module__), "KIND", None)
    if kind is None:
        raise LookupError(f"{fault.__name__} is of no class: give its module a KIND of tests/faults/kinds.py.")
    return kind
