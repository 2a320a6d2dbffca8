"""Who asks for what on which image: the matrix of callers, images and changes, as data.

Every cell is sent once. ``QUICK`` and ``STANDARD`` say which cells these profiles send; the others send all of them.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_cloudimages.areas.common.parties import Party


class State(enum.StrEnum):
    """Which image is asked about; one goes through these states in this order, but for the one that was given."""

    PRIVATE = "private"
    SHARED = "shared, without members"
    PENDING = "shared, the other project a pending member"
    ACCEPTED = "shared, the other project an accepted member"
    REJECTED = "shared, the other project a rejected member"
    COMMUNITY = "community"
    PUBLIC = "public"
    HIDDEN = "hidden"
    PROTECTED = "protected"
    ACTIVE = "active, with data"
    DEACTIVATED = "deactivated"
    GIVEN = "the other project's before"
    DELETED = "deleted"
    UNKNOWN = "unknown"


class Change(enum.StrEnum):
    """What is asked for; the values are the letters of the tables."""

    READ = "s"
    ADD = "A"
    DELETE = "D"
    ADD_PRESENT = "a"
    DELETE_ABSENT = "d"
    ADD_ENCODED = "e"
    """An addition whose address is written otherwise: a door that looks at the path alone may be left open for it."""
    PATCH_ADD = "+"
    PATCH_REPLACE = "="
    PATCH_REMOVE = "-"

    @property
    def words(self) -> str:
        """What is asked for, in words."""
        return WORDS[self]


WORDS = {
    Change.READ: "GET",
    Change.ADD: "PUT",
    Change.DELETE: "DELETE",
    Change.ADD_PRESENT: "PUT of a tag that is there",
    Change.DELETE_ABSENT: "DELETE of a tag that is not there",
    Change.ADD_ENCODED: "PUT, its address written otherwise",
    Change.PATCH_ADD: "PATCH that adds tags",
    Change.PATCH_REPLACE: "PATCH that replaces the tags",
    Change.PATCH_REMOVE: "PATCH that removes the tags",
}
PATCHES = {Change.PATCH_ADD: "add", Change.PATCH_REPLACE: "replace", Change.PATCH_REMOVE: "remove"}
"""The operation of each PATCH, by its name in JSON."""

STRANGERS = (Party.UNSCOPED, Party.OTHER_PROJECT)
"""Valid tokens of neither the owner's project nor the administrator: no change of theirs is ever carried out."""
OTHERS = (Party.READER, Party.OTHER_PROJECT, Party.CREATOR, Party.ADMINISTRATOR)
"""Valid tokens for a project that are not the owner's."""
ON_TAGS = (Change.ADD, Change.DELETE, Change.ADD_PRESENT, Change.DELETE_ABSENT, Change.ADD_ENCODED)
"""The operations on a tag: what a PATCH of the image is answered, where it knows no tags, is another question."""
ENTITLED = (Party.CREATOR, Party.ADMINISTRATOR, Party.OWNER)
"""The owner, and who may change the tags of its images too, as far as the service's policy has it so."""
UNAUTHENTICATED = (Party.ANONYMOUS, Party.INVALID, Party.ENDED)
MEMBER_STATES = (State.PENDING, State.ACCEPTED, State.REJECTED)
ABSENT = (State.DELETED, State.UNKNOWN)
"""There is no image to change."""
PRESENT = tuple(state for state in State if state not in ABSENT)
ORDINARY = tuple(state for state in PRESENT if state not in (State.PROTECTED, State.DEACTIVATED))
"""Those in which an image surely takes tags: of the two others, the specification says it with a SHOULD."""

COLUMNS = (
    Party.ANONYMOUS,
    Party.INVALID,
    Party.ENDED,
    Party.UNSCOPED,
    Party.READER,
    Party.OTHER_PROJECT,
    Party.CREATOR,
    Party.ADMINISTRATOR,
    Party.OWNER,
)

QUICK = """
PRIVATE     | ADea | AD | AD | A  | sADae    | sAD     | A   | .   | .
"""

STANDARD = """
PRIVATE     | ADea | AD | AD | AD | sADade=  | sADad=  | ADa | ADa | .
SHARED      | .    | .  | .  | .  | .        | AD+     | .   | .   | .
PENDING     | .    | .  | .  | .  | .        | AD      | A   | .   | .
ACCEPTED    | .    | .  | .  | .  | A        | sADad-  | .   | .   | .
REJECTED    | .    | .  | .  | .  | .        | AD      | .   | .   | .
COMMUNITY   | D    | .  | .  | .  | D        | sAD=    | A   | .   | .
PUBLIC      | A    | .  | .  | .  | A+       | sADade+ | .   | A   | .
HIDDEN      | .    | .  | .  | .  | .        | AD      | .   | .   | .
PROTECTED   | A    | .  | .  | .  | D-       | AD      | .   | .   | .
ACTIVE      | .    | .  | .  | .  | A        | AD      | A   | .   | .
DEACTIVATED | D    | .  | .  | .  | A        | AD      | .   | .   | .
GIVEN       | .    | .  | .  | .  | .        | AD      | .   | .   | .
DELETED     | .    | .  | .  | .  | .        | D       | .   | A   | .
UNKNOWN     | .    | .  | .  | .  | .        | A       | .   | .   | .
"""


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix."""

    party: Party
    state: State
    change: Change


def cells(profile: str) -> dict[State, list[Cell]]:
    """Return the cells that a profile sends, by the state of the image, in the order in which they are sent."""
    table = {"quick": QUICK, "standard": STANDARD}.get(profile)
    found: dict[State, list[Cell]] = {}
    for cell in _every_cell() if table is None else _read(table):
        found.setdefault(cell.state, []).append(cell)
    return found


def _read(table: str) -> Iterator[Cell]:
    for line in table.split("\n")[1:-1]:
        name, *columns = (column.strip() for column in line.split("|"))
        for party, letters in zip(COLUMNS, columns, strict=True):
            for letter in letters.replace(".", ""):
                yield Cell(party, State[name], Change(letter))


def _every_cell() -> Iterator[Cell]:
    for state in State:
        for party in COLUMNS:
            for change in Change:
                # The owner's own requests are judged by what every other check asks; here it is the state that matters.
                if party is not Party.OWNER or (change in (Change.ADD, Change.DELETE) and state not in ABSENT):
                    yield Cell(party, state, change)
