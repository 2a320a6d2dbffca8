"""Services that let in whom they should not, or turn away in the wrong way."""

from http import HTTPStatus

from pytest_cloudimages.reference.app import NO_CONTENT, App, Reply, Request
from pytest_cloudimages.reference.images import Caller
from pytest_cloudimages.reference.refusals import Forbidden, NotFound, Unauthorized

from .kinds import Kind
from .registry import breaks

KIND = Kind.AUTHORISATION


class _LetsIn(App):
    def trusts(self, request: Request) -> bool:
        raise NotImplementedError

    def authenticate(self, request: Request) -> Caller:
        try:
            return super().authenticate(request)
        except Unauthorized:
            if "/tags" in request.target and self.trusts(request):
                return Caller(self.identity.users["tester"].project.id)
            raise


@breaks("TAG-AUTH-01", "TAG-AUTH-12", profile="standard")
class LetsNobodyIn(_LetsIn):
    """Asks for no token to change tags, where none is shown."""

    def trusts(self, request: Request) -> bool:
        return "X-Auth-Token" not in request.headers


@breaks("TAG-AUTH-02")
class LetsAnyTokenIn(_LetsIn):
    """Takes any token for the tester's."""

    def trusts(self, request: Request) -> bool:
        return "X-Auth-Token" in request.headers


@breaks("TAG-AUTH-02")
class TrustsWhatLooksLikeFernet(_LetsIn):
    """Takes any token that looks like a Fernet token for the tester's."""

    def trusts(self, request: Request) -> bool:
        return request.headers.get("X-Auth-Token", "").startswith("gAAAA")


@breaks("TAG-AUTH-01", "TAG-AUTH-02", "TAG-AUTH-12", profile="standard")
class LetsAllAdd(_LetsIn):
    """Asks for no token to add tags."""

    def trusts(self, request: Request) -> bool:
        return request.method == "PUT"


@breaks("TAG-AUTH-01", "TAG-AUTH-02", "TAG-AUTH-12", profile="standard")
class LetsAllDelete(_LetsIn):
    """Asks for no token to delete tags."""

    def trusts(self, request: Request) -> bool:
        return request.method == "DELETE"


class _TurnsAway(App):
    def unauthorized(self, request: Request) -> Reply:
        if "/tags" not in request.target:
            return super().unauthorized(request)
        return self.turn_away(request)

    def turn_away(self, request: Request) -> Reply:
        raise NotImplementedError


@breaks("TAG-AUTH-01", "TAG-AUTH-02", "TAG-AUTH-12", profile="standard")
class AnswersNobodyWith403(_TurnsAway):
    """Answers 403 where 401 is due."""

    def turn_away(self, request: Request) -> Reply:
        return self.error(request, HTTPStatus.FORBIDDEN, "No.")


@breaks("TAG-AUTH-01", "TAG-AUTH-02", "TAG-AUTH-12", profile="standard")
class SendsNobodyToTheDoor(_TurnsAway):
    """Redirects to a page for signing in where 401 is due."""

    def turn_away(self, request: Request) -> Reply:  # noqa: ARG002 - all alike
        return Reply(HTTPStatus.FOUND, b"", (("Location", "/login"),))


@breaks("TAG-AUTH-03")
class ChallengesNobody(_TurnsAway):
    """Sends a 401 without a challenge."""

    def turn_away(self, request: Request) -> Reply:
        return self.error(request, HTTPStatus.UNAUTHORIZED, "No.")


@breaks("TAG-AUTH-03")
class ChallengesWithNothing(_TurnsAway):
    """Sends a 401 with an empty challenge."""

    def turn_away(self, request: Request) -> Reply:
        return self.error(request, HTTPStatus.UNAUTHORIZED, "No.", (("WWW-Authenticate", ""),))


class _ActsFirst(App):
    def unauthorized(self, request: Request) -> Reply:
        _, _, rest = request.target.partition("/images/")
        image_id, _, tag = rest.partition("/tags/")
        tags = next((image.tags for image in self.images.all() if image.id == image_id), [])
        self.act(request.method, tags, tag)
        return super().unauthorized(request)

    def act(self, method: str, tags: list[str], tag: str) -> None:
        raise NotImplementedError


@breaks("TAG-AUTH-04", "TAG-AUTH-07")
class AddsBeforeItRefuses(_ActsFirst):
    """Adds a tag, then looks at the token and refuses."""

    def act(self, method: str, tags: list[str], tag: str) -> None:
        if method == "PUT" and tag and tag not in tags and len(tag) < 200:
            tags.append(tag)


@breaks("TAG-AUTH-04", "TAG-AUTH-07")
class DeletesBeforeItRefuses(_ActsFirst):
    """Deletes a tag, then looks at the token and refuses."""

    def act(self, method: str, tags: list[str], tag: str) -> None:
        if method == "DELETE" and tag in tags:
            tags.remove(tag)


@breaks("TAG-AUTH-07", "TAG-AUTH-08")
class AddsLaterWhatItRefused(App):
    """Adds what it refused to somebody with the next tag that is added to the image."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: dict[str, list[str]] = {}

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        try:
            reply = super().add_tag(request, image_id, tag)
        except Forbidden:
            self.refused.setdefault(image_id, []).append(tag)
            raise
        with self.images.lock:
            tags = self.images.get(image_id).tags
            tags += [late for late in dict.fromkeys(self.refused.pop(image_id, [])) if late not in tags]
        return reply


@breaks("TAG-AUTH-07", profile="standard", words=("--select", "TAG-AUTH"))
class TakesForDoneWhatItRefused(App):
    """Remembers a tag that it refused to somebody as there: the owner's addition of it is acknowledged, and not done."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[tuple[str, str]] = set()

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        try:
            self.images.open(request.caller, image_id)
        except (Forbidden, NotFound):
            self.known.add((image_id, tag))
            raise
        if (image_id, tag) in self.known:
            self.known.discard((image_id, tag))
            return NO_CONTENT
        return super().add_tag(request, image_id, tag)


class _LetsOthersChange(App):
    def stranger(self, request: Request, image_id: str) -> bool:
        raise NotImplementedError

    def _as_owner(self, request: Request, image_id: str) -> Request:
        if any(image.id == image_id for image in self.images.all()) and self.stranger(request, image_id):
            return request.sent_by(Caller(self.images.get(image_id).owner))
        return request

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return super().add_tag(self._as_owner(request, image_id), image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return super().delete_tag(self._as_owner(request, image_id), image_id, tag)


@breaks("TAG-AUTH-08", profile="standard")
class LetsReadersChange(_LetsOthersChange):
    """Lets a reader of the project change tags."""

    def stranger(self, request: Request, image_id: str) -> bool:
        return not request.caller.writes and request.caller.project == self.images.get(image_id).owner


@breaks("TAG-AUTH-05", "TAG-AUTH-07", "TAG-AUTH-11", profile="standard")
class LetsMembersChange(_LetsOthersChange):
    """Lets the members of a shared image change its tags."""

    def stranger(self, request: Request, image_id: str) -> bool:
        image = self.images.get(image_id)
        return request.caller.project != image.owner and bool(image.members)


@breaks(profile="standard")
class AnswersTheForbiddenWith404(App):
    """Answers 404 where a caller sees an image and may not change it."""

    def route(self, request: Request) -> Reply:
        try:
            return super().route(request)
        except Forbidden as problem:
            if "/tags" in request.target:
                raise NotFound(str(problem)) from None
            raise


@breaks("TAG-AUTH-07", profile="standard")
class ForbidsAndActs(App):
    """Adds a tag for another project, and answers 404."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        image = next((other_image for other_image in self.images.all() if other_image.id == image_id), None)
        if image and image.owner != request.caller.project and tag not in image.tags and not image.members:
            image.tags.append(tag)
        return super().add_tag(request, image_id, tag)


@breaks("TAG-AUTH-12", profile="standard")
class LooksForTheImageFirst(App):
    """Answers 404 to nobody's request for an unknown image."""

    def unauthorized(self, request: Request) -> Reply:
        image_id = request.target.partition("/images/")[2].partition("/")[0]
        if image_id and not any(image.id == image_id for image in self.images.all()):
            return self.error(request, HTTPStatus.NOT_FOUND, "There is no such image.")
        return super().unauthorized(request)
