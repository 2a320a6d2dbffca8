"""Who asks on which image: doors that are open in one place of the matrix, and lawful services that keep theirs otherwise."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

from pytest_cloudimages.reference.app import NO_CONTENT, App, Reply, Request
from pytest_cloudimages.reference.identity import Token
from pytest_cloudimages.reference.images import Caller, Image, MemberStatus, Status, Visibility
from pytest_cloudimages.reference.refusals import Forbidden, NotFound, Unauthorized

from .kinds import Kind
from .registry import breaks

KIND = Kind.AUTHORISATION

ACCESS = ("--select", "TAG-AUTH")
"""The group in which each of these shows, and its lawful look-alikes would."""
STANDARD = {"profile": "standard", "words": ACCESS}


class _ChecksFirst(App):
    """Looks at an image before a tag of it is added or deleted."""

    def check(self, request: Request, image_id: str) -> None:
        raise NotImplementedError

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.check(request, image_id)
        return super().add_tag(request, image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.check(request, image_id)
        return super().delete_tag(request, image_id, tag)


# The other project, a reader, a creator: each lets a caller in on some images, or out


def _lets_in(name: str, doc: str, *ids: str, let_in: Callable[[Caller, Image], bool], also_patch: bool = False) -> None:
    """Register a service that takes a caller for the owner where ``let_in`` holds."""

    def as_owner(self: App, request: Request, image_id: str) -> Request:
        image = next((image for image in self.images.all() if image.id == image_id), None)
        return request.sent_by(Caller(image.owner)) if image and let_in(request.caller, image) else request

    def add_tag(self: App, request: Request, image_id: str, tag: str) -> Reply:
        return App.add_tag(self, as_owner(self, request, image_id), image_id, tag)

    def delete_tag(self: App, request: Request, image_id: str, tag: str) -> Reply:
        return App.delete_tag(self, as_owner(self, request, image_id), image_id, tag)

    def update_image(self: App, request: Request, image_id: str) -> Reply:
        of_tags = b"/tags" in request.body
        return App.update_image(self, as_owner(self, request, image_id) if of_tags else request, image_id)

    methods = {"update_image": update_image} if also_patch else {"add_tag": add_tag, "delete_tag": delete_tag}
    breaks(*ids, **STANDARD)(type(name, (App,), {**methods, "__doc__": doc, "__module__": __name__}))  # type: ignore[arg-type]


def _foreign(caller: Caller, image: Image) -> bool:
    return caller.project != image.owner and not caller.admin


def _member(caller: Caller, image: Image, status: MemberStatus) -> bool:
    return caller.project in image.members and image.members[caller.project].status is status


STRANGE = "TAG-AUTH-07"
MEMBERS = (STRANGE, "TAG-AUTH-11")

_lets_in(
    "LetsAllTagCommunityImages",
    "Lets every project change the tags of community images.",
    "TAG-AUTH-05",
    STRANGE,
    let_in=lambda caller, image: _foreign(caller, image) and image.visibility is Visibility.COMMUNITY,
)
_lets_in(
    "LetsPendingMembersChange",
    "Lets members change tags who have not answered yet.",
    *MEMBERS,
    let_in=lambda caller, image: _member(caller, image, MemberStatus.PENDING),
)
_lets_in(
    "LetsAcceptedMembersChange",
    "Lets members change tags who have accepted the image.",
    "TAG-AUTH-05",
    *MEMBERS,
    let_in=lambda caller, image: (
        _member(caller, image, MemberStatus.ACCEPTED) and image.visibility is Visibility.SHARED
    ),
)
_lets_in(
    "LetsRejectedMembersChange",
    "Lets members change tags who have rejected the image.",
    *MEMBERS,
    let_in=lambda caller, image: (
        _member(caller, image, MemberStatus.REJECTED) and image.visibility is Visibility.SHARED
    ),
)
_lets_in(
    "LetsAllTagSharedImages",
    "Lets every project change the tags of images that are shared with nobody yet.",
    "TAG-AUTH-07",
    let_in=lambda caller, image: (
        _foreign(caller, image) and image.visibility is Visibility.SHARED and not image.members
    ),
)
_lets_in(
    "LetsAllTagHiddenImages",
    "Lets every project change the tags of hidden images.",
    STRANGE,
    let_in=lambda caller, image: _foreign(caller, image) and image.os_hidden and not image.protected,
)
_lets_in(
    "LetsAllTagProtectedImages",
    "Asks whether an image is protected, and not whose it is.",
    STRANGE,
    let_in=lambda caller, image: _foreign(caller, image) and image.protected,
)
_lets_in(
    "LetsAllTagDeactivatedImages",
    "Lets every project change the tags of deactivated images.",
    STRANGE,
    let_in=lambda caller, image: _foreign(caller, image) and image.status is Status.DEACTIVATED,
)
_lets_in(
    "LetsAllPatchTagsOfPublicImages",
    "Lets every project change the tags of public images by PATCH.",
    STRANGE,
    let_in=lambda caller, image: _foreign(caller, image) and image.visibility is Visibility.PUBLIC,
    also_patch=True,
)
_lets_in(
    "LetsReadersPatchTags",
    "Lets readers of the project change tags by PATCH.",
    "TAG-AUTH-08",
    let_in=lambda caller, image: not caller.writes and caller.project == image.owner,
    also_patch=True,
)
_lets_in(
    "LetsReadersTagDeactivatedImages",
    "Lets readers of the project change the tags of deactivated images.",
    "TAG-AUTH-08",
    let_in=lambda caller, image: (
        not caller.writes and caller.project == image.owner and image.status is Status.DEACTIVATED
    ),
)


@breaks("TAG-AUTH-09", **STANDARD)  # type: ignore[arg-type]
class KeepsCreatorsOutOfSharedImages(App):
    """Forbids creators to add tags to images that have members."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.show(request.caller, image_id)
        if not request.caller.deletes and image.members and image.visibility is Visibility.SHARED:
            raise Forbidden("Only the owner changes what others use.")
        return super().add_tag(request, image_id, tag)


@breaks("TAG-AUTH-09", **STANDARD)  # type: ignore[arg-type]
class KeepsCreatorsOutOfActiveImages(_ChecksFirst):
    """Forbids creators to change the tags of images that have data."""

    def check(self, request: Request, image_id: str) -> None:
        if self.images.show(request.caller, image_id).status is Status.ACTIVE and not request.caller.deletes:
            raise Forbidden("Your role ends where the data begins.")


@breaks("TAG-ADD-01", "TAG-DEL-01", profile="standard", words=("--select", "TAG-ADD-01", "--select", "TAG-DEL-01"))
class KeepsOwnersOutOfCommunityImages(_ChecksFirst):
    """Forbids the owner to change the tags of a community image."""

    def check(self, request: Request, image_id: str) -> None:
        image = self.images.show(request.caller, image_id)
        if image.visibility is Visibility.COMMUNITY and not request.caller.admin:
            raise Forbidden("It belongs to the community.")


# Forms of a token


def _reads_a_token(name: str, doc: str, *ids: str, read: Callable[[Request], str]) -> None:
    """Register a service that looks for the token of a tag operation otherwise than in the header as it is."""

    def authenticate(self: App, request: Request) -> Caller:
        try:
            return App.authenticate(self, request)
        except Unauthorized:
            if "/tags/" not in request.path:
                raise
            known = [*self.identity._tokens.values()]  # noqa: SLF001 - behind the honest door
            given = read(request)
            fitting = [token for token in known if given and given in (token.value, token.value.lower())]
            if not fitting or fitting[0].expires_at <= datetime.now(UTC):
                raise
            return Caller(fitting[0].user.project.id)

    breaks(*ids, **STANDARD)(type(name, (App,), {"authenticate": authenticate, "__doc__": doc, "__module__": __name__}))  # type: ignore[arg-type]


def _header(request: Request) -> str:
    return request.headers.get("X-Auth-Token", "")


_reads_a_token(
    "TakesBearerTokens",
    "Takes a token behind the word Bearer.",
    "TAG-AUTH-02",
    read=lambda request: _header(request).removeprefix("Bearer "),
)
_reads_a_token(
    "TakesQuotedTokens",
    "Takes a token in quotation marks.",
    "TAG-AUTH-02",
    read=lambda request: _header(request).strip('"'),
)
_reads_a_token(
    "TakesTheFirstOfTwoTokens",
    "Takes the first of two tokens with a comma between them.",
    "TAG-AUTH-02",
    read=lambda request: _header(request).partition(",")[0],
)
_reads_a_token(
    "JoinsTwoHeaders",
    "Puts the values of two headers together to a token.",
    "TAG-AUTH-02",
    read=lambda request: _header(request).replace(", ", ""),
)
_reads_a_token(
    "TakesTokensInAnyCase",
    "Compares tokens without regard to case.",
    "TAG-AUTH-02",
    read=lambda request: _header(request).swapcase(),
)
_reads_a_token(
    "CutsLongTokens",
    "Cuts a token after 43 characters, and takes what is left.",
    "TAG-AUTH-02",
    read=lambda request: _header(request)[:43] if len(_header(request)) > 4_000 else "",
)
_reads_a_token(
    "TakesTokensFromTheQuery",
    "Takes the token from the query where no header has one.",
    "TAG-AUTH-01",
    read=lambda request: request.query.partition("X-Auth-Token=")[2],
)


@breaks("TAG-AUTH-02", **STANDARD)  # type: ignore[arg-type]
class TakesAnEmptyTokenForTheTester(App):
    """Takes an empty header for the tester's token."""

    def authenticate(self, request: Request) -> Caller:
        if request.headers.get("X-Auth-Token") == "":
            return Caller(self.identity.users["tester"].project.id)
        return super().authenticate(request)


@breaks("TAG-AUTH-02", **STANDARD)  # type: ignore[arg-type]
class StumblesOverLongTokens(App):
    """Answers 500 to a token of more than 1,000 characters."""

    def authenticate(self, request: Request) -> Caller:
        if len(_header(request)) > 1_000:
            raise RuntimeError("value too long for type character varying(1000)")
        return super().authenticate(request)

    def answer(self, request: Request) -> Reply:
        try:
            return super().answer(request)
        except RuntimeError as problem:
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, str(problem))


class _RemembersTokens(App):
    """Asks Identity of a token once."""

    signs_in = True

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, Caller] = {}

    def authenticate(self, request: Request) -> Caller:
        value = _header(request)
        if value not in self.seen:
            self.seen[value] = super().authenticate(request)
        return self.seen[value]


@breaks("AUTH-02", "TAG-AUTH-02", words=(*ACCESS, "--select", "AUTH-02"))
class RemembersRevokedTokens(_RemembersTokens):
    """Remembers every token that it has seen to be valid, and asks Identity no more."""


class _RemembersTokensAtTags(_RemembersTokens):
    """Asks Identity of a token once where tags are changed, and always elsewhere."""

    def authenticate(self, request: Request) -> Caller:
        return super().authenticate(request) if "/tags/" in request.path else App.authenticate(self, request)


@breaks("TAG-AUTH-02", **STANDARD)  # type: ignore[arg-type]
class RemembersRevokedTokensAtTags(_RemembersTokensAtTags):
    """Remembers, where tags are changed and nowhere else, every token that it has seen to be valid."""


@breaks("TAG-AUTH-07", **STANDARD)  # type: ignore[arg-type]
class TakesTokensWithoutAProject(App):
    """Takes a token that is for no project for one of its user's usual project."""

    signs_in = True

    def authenticate(self, request: Request) -> Caller:
        token = self.identity.validate(request.headers.get("X-Auth-Token"))
        return super().authenticate(request) if token.scoped else Caller(token.user.project.id)


# Lawful


@breaks(words=ACCESS, profile="standard")
class ForbidsWhatStrangersDoNotSee(_ChecksFirst):
    """Answers 403 to other projects for a private image, whatever the tag."""

    def check(self, request: Request, image_id: str) -> None:
        if any(image.id == image_id for image in self.images.all()):
            try:
                self.images.open(request.caller, image_id)
            except NotFound:
                raise Forbidden("It is not yours.") from None


@breaks(words=ACCESS, profile="standard")
class HasTwoVisibilities(App):
    """Knows public and private images alone, and makes none public; an image without either is shared with members."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        if re.search(rb'"(community|public)"', request.body):
            return self.error(request, HTTPStatus.BAD_REQUEST, "There is no such visibility.")
        return super().update_image(request, image_id)


@breaks(words=(*ACCESS, "--select", "TAG-ADD-06", "--select", "TAG-DEL-05"), profile="standard")
class LetsOwnersAloneDelete(App):
    """Lets neither a creator nor the administrator delete tags, and the administrator add none."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if request.caller.admin:
            raise Forbidden("It is not the administrator's.")
        return super().add_tag(request, image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if request.caller.admin or (not request.caller.deletes and request.caller.writes):
            raise Forbidden("This role deletes nothing.")
        return super().delete_tag(request, image_id, tag)


@breaks("MEM-UPD-08", words=(*ACCESS, "--select", "MEM-UPD-08"), profile="standard")
class HidesFromWhoHasRejected(App):
    """Shows a shared image to nobody who has not accepted it."""

    def show_image(self, request: Request, image_id: str) -> Reply:
        image = self.images.show(request.caller, image_id)
        member = image.members.get(request.caller.project)
        if member and member.status is not MemberStatus.ACCEPTED:
            raise NotFound(f"There is no image {image_id}.")
        return super().show_image(request, image_id)


@breaks(words=ACCESS, profile="standard")
class TakesSmallHeaders(App):
    """Answers 431 to header fields of more than 1,000 octets."""

    def answer(self, request: Request) -> Reply:
        if any(len(value) > 1_000 for value in request.headers.values()):
            return self.error(request, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "Too large a header.")
        return super().answer(request)


@breaks(words=(*ACCESS, "--patience", "300"), hurry=1_000.0)
class RemembersTokensForMinutes(_RemembersTokens):
    """Remembers for minutes a token that it has seen to be valid, as its operator says, who has the patience for it."""

    def __init__(self) -> None:
        super().__init__()
        self.since: dict[str, float] = {}

    def authenticate(self, request: Request) -> Caller:
        value = _header(request)
        # A fifth of a second in so much of a hurry is more than three minutes.
        if self.since.setdefault(value, time.monotonic()) < time.monotonic() - 0.2:
            self.seen.pop(value, None)
            del self.since[value]
        return super().authenticate(request)


@breaks(words=ACCESS, profile="standard")
class HasAnIdentityThatReadsQuotedTokens(App):
    """Takes a token in quotation marks, as its Identity does, which passes over what base64 has no letter for."""

    signs_in = True

    def __init__(self) -> None:
        super().__init__()
        validate = self.identity.validate
        self.identity.validate = lambda value: validate((value or "").strip('"'))  # type: ignore[method-assign]


@breaks(words=ACCESS)
class HearsOfRevocationsLate(App):
    """Takes a token for 100 ms after it was revoked."""

    signs_in = True

    def __init__(self) -> None:
        super().__init__()
        self.revoked: dict[str, tuple[float, Token]] = {}
        revoke = self.identity.revoke

        def remember(value: str) -> None:
            self.revoked[value] = time.monotonic(), self.identity.validate(value)
            revoke(value)

        self.identity.revoke = remember  # type: ignore[method-assign]

    def authenticate(self, request: Request) -> Caller:
        when, token = self.revoked.get(_header(request), (0.0, None))
        if token and time.monotonic() < when + 0.1:
            return Caller(token.user.project.id)
        return super().authenticate(request)


@breaks(**STANDARD)  # type: ignore[arg-type]
class HearsOfRevocationsLateAtTags(HearsOfRevocationsLate):
    """Takes a token where tags are changed, and nowhere else, for 100 ms after it was revoked."""

    def authenticate(self, request: Request) -> Caller:
        return super().authenticate(request) if "/tags/" in request.path else App.authenticate(self, request)


@breaks("TAG-ADD-03", profile="standard")
class FeignsAdditionsByAdministrators(App):
    """Acknowledges the addition of a tag by an administrator, and stores nothing."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        there = tag in self.images.show(request.caller, image_id).tags
        reply = super().add_tag(request, image_id, tag)
        if request.caller.admin and not there:
            self.images.delete_tag(request.caller, image_id, tag)
        return reply


@breaks("TAG-DEL-03", profile="standard")
class FeignsDeletionsByOthers(App):
    """Acknowledges the deletion of a tag by a role that may not delete images, or by an administrator, and keeps it."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        caller, image = request.caller, self.images.show(request.caller, image_id)
        if (caller.admin or (caller.writes and not caller.deletes)) and tag in image.tags:
            return NO_CONTENT
        return super().delete_tag(request, image_id, tag)
