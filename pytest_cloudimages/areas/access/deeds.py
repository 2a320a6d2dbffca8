"""What is tried with an image, by whom, and what came of it: the table of callers and operations as data."""

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.images.patch_model import add, remove, replaced
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.engine.provisioning import EXPIRES
from pytest_cloudimages.engine.recording import Case, Collection, anything, cases

TAG, NEW_TAG = "there-before", "of-somebody-else"
"""The tag of the image, and one that others try to add."""
TURNED_AWAY = frozenset({401, 403, 404})
"""How a service says that somebody may not do it."""
READING = (Party.READER, Party.OBSERVER)
CREATING = (
    Party.CREATOR,
    Party.IMAGES_ADMINISTRATOR,
    Party.ACCOUNT_ADMINISTRATOR,
    Party.TWO_ROLES,
    Party.OWNER,
)
ROLES: Mapping[Party, tuple[frozenset[str], ...]] = {
    Party.READER: (frozenset({"cloudimages:observer", "observer", "reader"}),),
    Party.OBSERVER: (frozenset({"observer"}),),
    Party.CREATOR: (frozenset({"cloudimages:creator", "creator"}),),
    Party.IMAGES_ADMINISTRATOR: (frozenset({"cloudimages:admin"}),),
    Party.ACCOUNT_ADMINISTRATOR: (frozenset({"admin"}),),
    Party.TWO_ROLES: (
        frozenset({"cloudimages:observer", "observer"}),
        frozenset({"cloudimages:admin", "admin"}),
    ),
    Party.OWNER: (frozenset({"identity:user-admin"}),),
}
"""What the roles of each may be called: one of each set, and no other. Case does not count."""


RIGHTS: Mapping[Party, str] = dict.fromkeys(READING, "r") | {
    party: "cru" if party is Party.CREATOR else "crud" for party in CREATING
}
"""What each may do: create, read, update, delete."""


def has_roles(names: Sequence[str], party: Party) -> bool:
    """Return whether roles are those of a party, and no others."""
    known, wanted = {name.lower() for name in names}, ROLES[party]
    return all(known & each for each in wanted) and known <= frozenset().union(*wanted)


class Deed(enum.Enum):
    """What is tried: the method, what follows the endpoint, and what it changes."""

    LIST = "GET", "/images?limit=1", ""
    SHOW = "GET", "/images/{image}", ""
    MEMBERS = "GET", "/images/{image}/members", ""
    MEMBER = "GET", "/images/{image}/members/{member}", ""
    TASKS = "GET", "/tasks", ""
    TASK_SCHEMA = "GET", "/schemas/tasks", ""
    DATA = "GET", "/images/{image}/file", ""
    LIST_OF_PUBLIC = "GET", "/images?visibility=public&limit=1", ""
    LIST_OF_COMMUNITY = "GET", "/images?visibility=community&limit=1", ""
    CREATE = "POST", "/images", "created"
    UPDATE = "PATCH", "/images/{image}", "name"
    UPDATE_BY_THE_OLD_FORM = "PATCH", "/images/{image}", "min_ram"
    """The body as version 2.0 of the API has it, which may be a handler of its own."""
    ADD_PROPERTY = "PATCH", "/images/{image}", "property"
    REMOVE_PROPERTY = "PATCH", "/images/{image}", EXPIRES
    """Of what every image of a run is created with; where the service takes none, there is nothing to remove."""
    REPLACE_TAGS = "PATCH", "/images/{image}", "tags"
    PROTECT = "PATCH", "/images/{image}", "protected"
    MAKE_PRIVATE = "PATCH", "/images/{image}", "visibility"
    UPLOAD = "PUT", "/images/{image}/file", "status"
    """Where data is no matter of the service, it is not offered."""
    ADD_MEMBER = "POST", "/images/{image}/members", "members"
    SET_STATUS = "PUT", "/images/{image}/members/{member}", "members"
    REMOVE_MEMBER = "DELETE", "/images/{image}/members/{member}", "members"
    ADD_TAG = "PUT", f"/images/{{image}}/tags/{NEW_TAG}", "tags"
    DELETE_TAG = "DELETE", f"/images/{{image}}/tags/{TAG}", "tags"
    CREATE_TASK = "POST", "/tasks", "tasks"
    CREATE_EXPORT = "POST", "/tasks", "exports"
    DELETE = "DELETE", "/images/{image}", "there"

    @property
    def method(self) -> str:
        """The method."""
        return self.value[0]

    def target(self, image: str, member: str = "") -> str:
        """Return what follows the endpoint."""
        return str(self.value[1]).format(image=image, member=member)

    @property
    def right(self) -> str:
        """The right that it takes, as RBAC-08 derives it from the method."""
        return {"GET": "r", "POST": "c", "DELETE": "d"}.get(self.method, "u")

    @property
    def part(self) -> str:
        """What of an image it changes, as ``_look`` names it; nothing where it reads."""
        return self.value[2]

    def __str__(self) -> str:
        return self.name.lower().replace("_", " ")


OF_OPEN = (Deed.DATA, Deed.LIST_OF_PUBLIC, Deed.LIST_OF_COMMUNITY)
"""What is tried of images that everybody sees, and where the image has data, besides what is tried of any."""
READING_OPEN = (Deed.SHOW, Deed.MEMBERS, *OF_OPEN)
CHANGING_OPEN = (Deed.UPDATE, Deed.ADD_TAG, Deed.DELETE_TAG, Deed.DELETE)
READS = tuple(deed for deed in Deed if not deed.part and deed not in OF_OPEN)
CHANGES = tuple(deed for deed in Deed if deed.part)
OF_TASKS = (Deed.TASKS, Deed.CREATE_TASK, Deed.CREATE_EXPORT)
PROPERTY = "cloudimages_of_somebody_else"
"""A property of one's own, which the image does not have."""
CHANGE_OF: Mapping[Deed, Mapping[str, object]] = {
    Deed.ADD_PROPERTY: add(f"/{PROPERTY}", NEW_TAG),
    Deed.REMOVE_PROPERTY: remove(f"/{EXPIRES}"),
    Deed.REPLACE_TAGS: replaced("/tags", [TAG, f"{NEW_TAG}-too"]),
    Deed.PROTECT: replaced("/protected", True),
    Deed.MAKE_PRIVATE: replaced("/visibility", "private"),
}
"""Patches of one attribute other than the name: who may not send that one might be let through with these."""
OF_OUTSIDERS = tuple(
    deed for deed in Deed if deed not in (Deed.TASK_SCHEMA, Deed.CREATE_EXPORT, Deed.UPLOAD, *OF_OPEN, *CHANGE_OF)
)
"""What needs a token; a schema may be anybody's. Who is not let in is so whatever a task or a patch is to do."""
OF_MEMBERS = (Deed.MEMBERS, Deed.MEMBER, Deed.ADD_MEMBER, Deed.SET_STATUS, Deed.REMOVE_MEMBER)
OF_OBSERVERS = tuple(deed for deed in Deed if deed not in (Deed.TASKS, Deed.SET_STATUS, *OF_OPEN))
OF_READERS = tuple(deed for deed in OF_OBSERVERS if deed not in (Deed.CREATE_EXPORT, Deed.UPLOAD, *CHANGE_OF))
"""Who sees tasks is the operator's to say, and a status is set by who it is about: neither is a matter of this role."""


@dataclass(frozen=True)
class Attempt:
    """A cell of the table, and what came of it."""

    party: Party
    deed: Deed
    answer: Answer
    changed: bool
    """Whether the owner sees the change that was asked for."""
    looked: Sequence[Exchange] = ()
    owners: Mapping[str, object] = field(default_factory=dict)
    """What its owner sees of the image, where it is read."""

    @property
    def read_otherwise(self) -> list[str]:
        """What the answer shows otherwise than the owner sees it; nothing where it shows nothing at all."""
        return read_otherwise(self.deed, self.answer, self.owners)

    def __str__(self) -> str:
        return f"{self.answer}, where {self.party} tries to {self.deed}{', and it was done' if self.changed else ''}"


@dataclass(frozen=True, repr=False)
class Rights(Collection):
    """What callers of every kind tried, and what came of it."""

    tried: Sequence[Attempt]
    unasked: Mapping[Party, str] = field(default_factory=dict)
    """Why nothing of a caller was tried."""
    let_off: Mapping[str, str] = field(default_factory=dict)
    """The tokens for which no 401 is owed, and why."""
    of_the_project: frozenset[Party] = frozenset()
    """The callers that are known to act for the tester's own project."""
    on_foreign: Sequence[Attempt] = ()
    """What callers of the tester's project were shown of another project's image, which the tester does not see."""

    @cases
    def of_foreign(self) -> Iterator[Case[Attempt]]:
        """Return what callers were answered who asked for another project's image."""
        for attempt in self.on_foreign:
            yield Case(attempt, [*attempt.looked, attempt.answer.exchange])

    @cases
    def answers(self) -> Iterator[Case[Answer]]:
        """Return what all of them were answered."""
        for attempt in self.tried:
            yield Case(attempt.answer, [attempt.answer.exchange])

    @cases
    def by(
        self, *parties: Party, deeds: Sequence[Deed] = tuple(Deed), where: Callable[[Attempt], bool] = anything
    ) -> Iterator[Case[Attempt]]:
        """Return what some callers tried; *untested* where there is none of them."""
        found = [attempt for attempt in self.tried if attempt.party in parties]
        if not found and self.unasked:
            pytest.skip("; ".join(self.unasked[party] for party in parties if party in self.unasked))
        for attempt in found:
            if attempt.deed in deeds and where(attempt):
                yield Case(attempt, [attempt.answer.exchange, *attempt.looked])


def asked_by(deed: Deed, before: Mapping[str, object], after: Mapping[str, object]) -> bool:
    """Return whether a change of some part is what a deed asks for: tags and members come, go and change by others."""
    old, new = before[deed.part], after[deed.part]
    if not after["there"] and deed.part not in ("there", "created"):
        return False  # what has gone with its image was taken by who deleted that
    if not isinstance(old, list) or not isinstance(new, list):
        return True
    came, went = [each for each in new if each not in old], [each for each in old if each not in new]
    match deed:
        case Deed.ADD_TAG | Deed.REPLACE_TAGS | Deed.ADD_MEMBER | Deed.CREATE:
            return any(
                str(each).partition(": ")[0] not in {str(other).partition(": ")[0] for other in old} for each in came
            )
        case Deed.SET_STATUS:
            return any(str(each).endswith(": accepted") for each in came)
        case _:
            names = {str(each).partition(": ")[0] for each in new}
            return any(str(each).partition(": ")[0] not in names for each in went)


def of_callers(tried: Sequence[Attempt]) -> list[Attempt]:
    """Leave out what was refused to the owner and to all others who have the right: it is forbidden whoever asks.

    That is for the requirements of the operation to say, and nothing of a role.
    """

    def has_the_right(attempt: Attempt) -> bool:
        return attempt.deed.right in RIGHTS[attempt.party]

    done = {attempt.deed for attempt in tried if has_the_right(attempt) and (attempt.answer.ok or attempt.changed)}
    forbidden = {attempt.deed for attempt in tried if attempt.party is Party.OWNER} - done
    return [attempt for attempt in tried if not (attempt.deed in forbidden and has_the_right(attempt))]


OF_AN_IMAGE = ("id", "name", "owner", "status", "visibility", "protected", "min_ram", "min_disk", "created_at")
"""What every caller of the owner's project sees alike; attributes of one's own may be kept from some roles."""


def members_in(members: object) -> list[str]:
    """Return the members that a list shows, each with its status, in an order of their own."""
    found = [member for member in (members if isinstance(members, list) else []) if isinstance(member, dict)]
    return sorted(f"{member.get('member_id')}: {member.get('status')}" for member in found)


def read_otherwise(deed: Deed, answer: Answer, owners: Mapping[str, object]) -> list[str]:
    """Return what an answer shows otherwise than the owner of an image has seen it.

    Who may read is no stranger: what is kept from strangers by an empty list is not kept from it. (Rulings, 22.)
    """
    data = answer.document
    if not data or not owners:
        return []
    if deed is Deed.SHOW:
        tags = data.get("tags")
        seen: dict[str, object] = {name: data[name] for name in OF_AN_IMAGE if name in data}
        seen["tags"] = sorted(map(str, tags)) if isinstance(tags, list) else []
        return sorted(name for name, value in seen.items() if name in owners and value != owners[name])
    if deed is Deed.MEMBERS and members_in(data.get("members")) != owners["members"]:
        return ["members"]
    if deed is Deed.LIST and data.get("images") == []:
        return ["images"]
    return []
