"""The rules of the image service: what an image is, who may see it, who may change it. No HTTP."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from threading import RLock
from uuid import uuid4

from . import attributes
from .attributes import PROPERTY_QUOTA, TAG_QUOTA, Status, Visibility
from .patching import Change, Op
from .refusals import Conflict, Forbidden, Invalid, NotFound, OverLimit

__all__ = [
    "Caller",
    "Conflict",
    "Forbidden",
    "Image",
    "Images",
    "Invalid",
    "Member",
    "MemberStatus",
    "NotFound",
    "OverLimit",
    "Status",
    "Visibility",
]

MEMBER_QUOTA = 128  # projects an image may be shared with, Glance's image_member_quota


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller: a project, and what its role allows."""

    project: str
    writes: bool = True
    deletes: bool = True
    """Whether its role may delete images; to delete a tag is to update an image."""
    admin: bool = False


class MemberStatus(StrEnum):
    """Whether a member has accepted the image that is shared with it."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Member:
    """A project that an image is shared with."""

    image_id: str
    project: str
    status: MemberStatus = MemberStatus.PENDING
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)


@dataclass(slots=True)
class Image:
    """An image: its tags are in the order of their arrival and never twice the same."""

    id: str
    owner: str
    name: str | None = None
    visibility: Visibility = Visibility.SHARED
    status: Status = Status.QUEUED
    tags: list[str] = field(default_factory=list)
    protected: bool = False
    os_hidden: bool = False
    container_format: str | None = None
    disk_format: str | None = None
    min_disk: int = 0  # GB
    min_ram: int = 0  # MB
    size: int | None = None  # octets
    checksum: str | None = None  # MD5
    os_hash_value: str | None = None  # SHA-512
    data: bytes | None = field(default=None, repr=False)
    properties: dict[str, str | None] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    def touch(self) -> None:
        """Set the time of the last update to now."""
        self.updated_at = max(self.updated_at, now())


class Images:
    """All images of the service.

    Every method is one step: it holds `lock` from its first look to its last change. Hold it yourself to make one
    step of several, or to read an image while others change it.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self._images: dict[str, Image] = {}

    # Finding

    def get(self, image_id: str) -> Image:
        """Return an image whoever the caller is, or raise NotFound."""
        try:
            return self._images[image_id]
        except KeyError:
            raise NotFound(f"There is no image {image_id}.") from None

    def all(self) -> list[Image]:
        """Return every image whoever the caller is, the oldest first."""
        with self.lock:
            return list(self._images.values())

    def show(self, caller: Caller, image_id: str) -> Image:
        """Return an image that the caller may see, or raise NotFound."""
        image = self.get(image_id)
        if not sees(caller, image):
            raise NotFound(f"There is no image {image_id}.")
        return image

    def open(self, caller: Caller, image_id: str) -> Image:
        """Return an image that the caller may change, or raise NotFound or Forbidden."""
        image = self.show(caller, image_id)
        if not changes(caller, image):
            raise Forbidden(f"You may not change image {image_id}.")
        return image

    # Images

    def create(self, caller: Caller, wanted: Mapping[str, object]) -> Image:
        """Create an image with these attributes, and return it; without an id among them, it gets a random one.

        Raises Invalid, Forbidden, OverLimit, or Conflict when the id is taken.
        """
        if not caller.writes:
            raise Forbidden("Your role may not create images.")
        rest = dict(wanted)
        image_id = rest.pop("id", None) or str(uuid4())
        if not isinstance(image_id, str) or not attributes.UUID.fullmatch(image_id):
            raise Invalid(f"The id of an image is a UUID, not {image_id!r}.")
        created_at = now()
        image = Image(image_id, caller.project, created_at=created_at, updated_at=created_at)
        for name, value in rest.items():
            _set(caller, image, name, value)
        with self.lock:
            if image_id in self._images:
                raise Conflict(f"There is an image {image_id} already.")
            self._images[image_id] = image
        return image

    def update(self, caller: Caller, image_id: str, patch: Sequence[Change]) -> Image:
        """Apply a patch, all of it or nothing.

        Raises Invalid, Forbidden, NotFound, OverLimit, or Conflict when the attribute to change is not there.
        """
        with self.lock:
            image = self.open(caller, image_id)
            draft = replace(image, tags=list(image.tags), properties=dict(image.properties))
            for change in patch:
                _apply(caller, draft, change)
            if patch:
                draft.touch()
            self._images[image_id] = draft
            return draft

    def delete(self, caller: Caller, image_id: str) -> None:
        """Delete an image, or raise Forbidden if it is protected."""
        with self.lock:
            image = self.open(caller, image_id)
            if not caller.deletes:
                raise Forbidden("This role does not delete images.")
            if image.protected:
                raise Forbidden(f"Image {image_id} is protected and cannot be deleted.")
            del self._images[image_id]

    # Tags

    def add_tag(self, caller: Caller, image_id: str, tag: str) -> None:
        """Add a tag to an image; adding it again changes nothing but the time of the update.

        Raises Invalid past 255 characters, OverLimit past 128 tags, NotFound or Forbidden.
        """
        attributes.tag(tag)
        with self.lock:
            image = self.open(caller, image_id)
            if tag not in image.tags:
                if len(image.tags) >= TAG_QUOTA:
                    raise OverLimit(f"An image carries at most {TAG_QUOTA} tags.")
                image.tags.append(tag)
            image.touch()

    def delete_tag(self, caller: Caller, image_id: str, tag: str) -> None:
        """Delete a tag of an image, or raise NotFound if the image does not have it."""
        with self.lock:
            image = self.open(caller, image_id)
            if tag not in image.tags:
                raise NotFound(f"Image {image_id} has no such tag.")
            image.tags.remove(tag)
            image.touch()

    # Data and status

    def upload(self, caller: Caller, image_id: str, data: bytes) -> None:
        """Store the data of a queued image, which makes it active.

        Raises Conflict when it has data already, Invalid when its formats are not known yet.
        """
        with self.lock:
            image = self.open(caller, image_id)
            if image.status is not Status.QUEUED:
                raise Conflict(f"Image {image_id} is {image.status}, not {Status.QUEUED}.")
            if image.container_format is None or image.disk_format is None:
                raise Invalid("container_format and disk_format must be set before the data.")
            image.data = data
            image.size = len(data)
            image.checksum = hashlib.md5(data, usedforsecurity=False).hexdigest()
            image.os_hash_value = hashlib.sha512(data).hexdigest()
            image.status = Status.ACTIVE
            image.touch()

    def download(self, caller: Caller, image_id: str) -> bytes | None:
        """Return the data of an image, None if it has none, or raise Forbidden if it is deactivated."""
        with self.lock:
            image = self.show(caller, image_id)
            if image.status is Status.DEACTIVATED and not caller.admin:
                raise Forbidden(f"Image {image_id} is deactivated.")
            return image.data

    def deactivate(self, caller: Caller, image_id: str) -> None:
        """Make the data of an active image unavailable; for administrators."""
        self._switch(caller, image_id, Status.DEACTIVATED)

    def reactivate(self, caller: Caller, image_id: str) -> None:
        """Make the data of a deactivated image available again; for administrators."""
        self._switch(caller, image_id, Status.ACTIVE)

    def _switch(self, caller: Caller, image_id: str, status: Status) -> None:
        with self.lock:
            image = self.show(caller, image_id)
            if not caller.admin:
                raise Forbidden("Only an administrator may do this.")
            if image.status not in (Status.ACTIVE, Status.DEACTIVATED):
                raise Forbidden(f"Image {image_id} is {image.status}.")
            if image.status is not status:
                image.status = status
                image.touch()

    # Members

    def list_members(self, caller: Caller, image_id: str) -> list[Member]:
        """Return all members to the owner, and to a member its own entry."""
        with self.lock:
            image = self.show(caller, image_id)
            if owns(caller, image):
                return list(image.members.values())
            return [_member(image, caller.project)]

    def show_member(self, caller: Caller, image_id: str, project: str) -> Member:
        """Return a member to the owner or to the member itself, or raise NotFound."""
        with self.lock:
            image = self.show(caller, image_id)
            if not owns(caller, image) and project != caller.project:
                raise NotFound(f"Image {image_id} has no member {project}.")
            return _member(image, project)

    def create_member(self, caller: Caller, image_id: str, project: object) -> Member:
        """Share an image with a project.

        "A user who is not the owner of the image gets a 404" (Sharing page): Glance says 403 to its members.
        """
        with self.lock:
            image = self.show(caller, image_id)
            if not owns(caller, image):
                raise NotFound(f"There is no image {image_id} of yours.")
            self.open(caller, image_id)
            checked = attributes.text(project)
            if not checked:
                raise Invalid("The project to share with is missing.")
            if image.visibility is not Visibility.SHARED:
                raise Forbidden(f"Image {image_id} is {image.visibility}, only shared images have members.")
            if checked in image.members:
                raise Conflict(f"Image {image_id} is shared with {checked} already.")
            if len(image.members) >= MEMBER_QUOTA:
                raise OverLimit(f"An image has at most {MEMBER_QUOTA} members.")
            member = image.members[checked] = Member(image_id, checked)
            return member

    def update_member(self, caller: Caller, image_id: str, project: str, status: object) -> Member:
        """Set whether a member has accepted an image, or raise Forbidden if the caller is another project."""
        with self.lock:
            image = self.show(caller, image_id)
            if not caller.admin and image.owner == caller.project:
                raise Forbidden("Only the member may change its status.")
            member = self.show_member(caller, image_id, project)
            if not caller.writes:
                raise Forbidden("Your role may not change a membership.")
            chosen = next((each for each in MemberStatus if each == status), None)
            if chosen is None:
                raise Invalid(f"The status is one of {', '.join(MemberStatus)}, not {status!r}.")
            member.status = chosen
            member.updated_at = max(member.updated_at, now())
            return member

    def delete_member(self, caller: Caller, image_id: str, project: str) -> None:
        """Stop sharing an image with a project."""
        with self.lock:
            image = self.open(caller, image_id)
            _member(image, project)
            del image.members[project]


def owns(caller: Caller, image: Image) -> bool:
    """Return whether the image is the caller's own; to an administrator, every image is."""
    return caller.admin or image.owner == caller.project


def sees(caller: Caller, image: Image) -> bool:
    """Return whether the caller may know of the image."""
    match image.visibility:
        case Visibility.PUBLIC | Visibility.COMMUNITY:
            return True
        case Visibility.SHARED:
            return owns(caller, image) or caller.project in image.members
        case Visibility.PRIVATE:
            return owns(caller, image)


def changes(caller: Caller, image: Image) -> bool:
    """Return whether the caller may change the image."""
    return caller.writes and owns(caller, image)


def _member(image: Image, project: str) -> Member:
    try:
        return image.members[project]
    except KeyError:
        raise NotFound(f"Image {image.id} has no member {project}.") from None


def _apply(caller: Caller, image: Image, change: Change) -> None:
    name = change.name
    standard = name in attributes.WRITABLE or name in attributes.READ_ONLY or name == "owner"
    present = standard or name in image.properties
    if change.op is Op.ADD and change.creates and present:
        raise Conflict(f"There is an attribute {name} already.")
    if change.op is not Op.ADD and not present:
        raise Conflict(f"There is no attribute {name}.")
    if change.op is not Op.REMOVE:
        _set(caller, image, name, change.value)
    elif standard or name.startswith(attributes.RESERVED_PREFIXES):
        raise Forbidden(f"The attribute {name} cannot be removed.")
    else:
        del image.properties[name]


def _set(caller: Caller, image: Image, name: str, value: object) -> None:
    if name in attributes.READ_ONLY or name.startswith(attributes.RESERVED_PREFIXES):
        raise Forbidden(f"The attribute {name} is not yours to set.")
    if name == "owner":
        if not caller.admin and value != image.owner:
            raise Forbidden("Only an administrator gives an image to another project.")
        image.owner = attributes.text(value)
        return
    if name in attributes.WRITABLE:
        checked = attributes.WRITABLE[name](value)
        if checked is Visibility.PUBLIC and image.visibility is not checked and not caller.admin:
            raise Forbidden("Only an administrator makes an image public.")
        setattr(image, name, checked)
        return
    check = attributes.PROPERTIES.get(name, attributes.text)
    image.properties[attributes.text(name)] = check(value)
    if len(image.properties) > PROPERTY_QUOTA:
        raise OverLimit(f"An image has at most {PROPERTY_QUOTA} properties.")
