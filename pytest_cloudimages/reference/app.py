"""The service as an application: requests in, replies out; no sockets.

Every operation is a method, and so is every step on the way to it.
"""

import re
import time
from collections.abc import Sequence
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from itertools import count
from urllib.parse import unquote, unquote_to_bytes
from uuid import uuid4

from . import bodies, documents, listing, patching, routes
from .identity import Identity, Role
from .identity_operations import IdentityOperations
from .images import Caller, Image, Images, Member
from .messages import Headers, Reply, Request
from .object_store import ObjectStore
from .refusals import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OverLimit,
    Refusal,
    Unauthorized,
    UnsupportedMediaType,
)
from .schemas import SCHEMAS
from .store_operations import StoreOperations
from .task_operations import TaskOperations
from .tasks import Tasks

__all__ = ["App", "Headers", "Reply", "Request"]

# RFC 9112, section 3.2: visible ASCII, and every percent sign begins two hex digits. Characters that RFC 3986 wants
# encoded, such as a quote, are accepted, as by most servers; a fragment is not part of a target.
TARGET = re.compile(r"""/(?:[!"$&-~]|%[0-9A-Fa-f]{2})*""")


STATUSES: dict[type[Refusal], HTTPStatus] = {
    Invalid: HTTPStatus.BAD_REQUEST,
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    OverLimit: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}

NO_CONTENT = Reply(HTTPStatus.NO_CONTENT)
WITH_A_TOKEN = frozenset({"v2", "object-store"})
"""What the paths begin with that are answered to callers with a token alone."""


class App(TaskOperations, StoreOperations, IdentityOperations):
    """The image service with an identity service and an object store beside it; `url` is where it is served."""

    def __init__(self, images: Images | None = None, identity: Identity | None = None) -> None:
        self.images = images or Images()
        self.identity = identity or Identity()
        self.store = ObjectStore()
        self.tasks = Tasks(self.images, self.store)
        self.url = "http://127.0.0.1"
        self._serial = f"req-{str(uuid4())[:24]}"
        self._numbers = count()

    # From a request to its operation

    def handle(self, request: Request) -> Reply:
        """Return the reply to a request, with the header fields that all replies have in common."""
        reply = self.answer(request)
        common = (
            ("Date", _date(int(time.time()))),
            ("x-openstack-request-id", f"{self._serial}{next(self._numbers):012x}"),
        )
        return Reply(reply.status, reply.body, common + reply.headers)

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request: authenticate it first, then validate it, then carry it out."""
        self.tasks.work()
        try:
            if _first_segment(request.path) in WITH_A_TOKEN:
                request = request.sent_by(self.authenticate(request))
            if request.method not in routes.METHODS:
                return self.error(
                    request, HTTPStatus.NOT_IMPLEMENTED, f"The method {request.method} is not known here."
                )
            if not TARGET.fullmatch(request.target):
                raise Invalid("The request target is malformed.")
            return self.route(request)
        except Unauthorized:
            return self.unauthorized(request)
        except Refusal as refusal:
            return self.error(request, STATUSES[type(refusal)], str(refusal))

    def authenticate(self, request: Request) -> Caller:
        """Return the caller that the token of a request stands for, or raise Unauthorized."""
        token = self.identity.validate(request.headers.get("X-Auth-Token"))
        if not token.scoped:
            return Caller("", writes=False, deletes=False)
        user = token.user
        return Caller(
            user.project.id,
            writes=user.role is not Role.READER,
            deletes=user.role is not Role.CREATOR,
            admin=user.role is Role.ADMIN,
        )

    def route(self, request: Request) -> Reply:
        """Carry out the operation that the path and the method name."""
        found = routes.find(request.path)
        if found is None:
            raise NotFound("The resource could not be found.")
        resource, segments = found
        name = resource.operations.get(request.method)
        if name is None:
            return self.method_not_allowed(request, list(resource.operations))
        values = [self.decode_tag(raw) if key == "tag" else decode(raw) for key, raw in segments.items()]
        reply: Reply = getattr(self, name)(request, *values)
        return reply

    def decode_tag(self, raw: str) -> str:
        """Return the tag that a segment of a path stands for, or raise Invalid if its octets are not UTF-8."""
        return decode(raw)

    # What is not a success

    def error(
        self, request: Request, status: HTTPStatus, message: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> Reply:
        """Return a reply that explains an error: in JSON if the client accepts it, or else in plain text."""
        if _first_segment(request.path) == "identity":
            fault = {"code": status.value, "message": message, "title": status.phrase}
            return Reply.of_json({"error": fault}, status, headers)
        code = f"{status.value} {status.phrase}"
        if _takes_json(request.headers.get("Accept", "")):
            return Reply.of_json({"message": message, "code": code, "title": status.phrase}, status, headers)
        return Reply(
            status, f"{code}\n\n{message}\n".encode(), (("Content-Type", "text/plain; charset=utf-8"), *headers)
        )

    def unauthorized(self, request: Request) -> Reply:
        """Return a 401 that says where tokens are issued (RFC 9110, section 15.5.2)."""
        challenge = ("WWW-Authenticate", f'Keystone uri="{self.url}/identity"')
        message = "The request you have made requires authentication."
        return self.error(request, HTTPStatus.UNAUTHORIZED, message, (challenge,))

    def method_not_allowed(self, request: Request, allowed: Sequence[str]) -> Reply:
        """Return a 405 that names the methods of the resource (RFC 9110, section 15.5.6)."""
        message = f"The method {request.method} is not allowed for this resource."
        return self.error(request, HTTPStatus.METHOD_NOT_ALLOWED, message, (("Allow", ", ".join(allowed)),))

    # Tags

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        """PUT /v2/images/{image_id}/tags/{tag}."""
        self.images.add_tag(request.caller, image_id, tag)
        return NO_CONTENT

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        """DELETE /v2/images/{image_id}/tags/{tag}."""
        self.images.delete_tag(request.caller, image_id, tag)
        return NO_CONTENT

    # Images

    def represent(self, image: Image) -> dict[str, object]:
        """Return the representation of an image, which is the same in its details and in lists."""
        path = f"/v2/images/{image.id}"
        return {
            **image.properties,
            "id": image.id,
            "name": image.name,
            "owner": image.owner,
            "status": image.status,
            "visibility": image.visibility,
            "tags": list(image.tags),
            "protected": image.protected,
            "os_hidden": image.os_hidden,
            "container_format": image.container_format,
            "disk_format": image.disk_format,
            "min_disk": image.min_disk,
            "min_ram": image.min_ram,
            "size": image.size,
            "virtual_size": None,
            "checksum": image.checksum,
            "os_hash_algo": image.os_hash_value and "sha512",
            "os_hash_value": image.os_hash_value,
            "created_at": documents.time_of_day(image.created_at),
            "updated_at": documents.time_of_day(image.updated_at),
            "self": path,
            "file": f"{path}/file",
            "schema": "/v2/schemas/image",
        }

    def list_images(self, request: Request) -> Reply:
        """GET /v2/images."""
        query = listing.Query.read(request.query)
        with self.images.lock:
            page = listing.page(self.images.all(), request.caller, query, self.represent)
            document = listing.document("images", query, page, self.represent)
        return Reply.of_json(document)

    def show_image(self, request: Request, image_id: str) -> Reply:
        """GET /v2/images/{image_id}."""
        with self.images.lock:
            return Reply.of_json(self.represent(self.images.show(request.caller, image_id)))

    def create_image(self, request: Request) -> Reply:
        """POST /v2/images."""
        wanted = bodies.document(request)
        if not isinstance(wanted, dict):
            raise Invalid("An image is an object of attributes.")
        with self.images.lock:
            image = self.images.create(request.caller, wanted)
            location = ("Location", f"{self.url}/v2/images/{image.id}")
            return Reply.of_json(self.represent(image), HTTPStatus.CREATED, (location,))

    def update_image(self, request: Request, image_id: str) -> Reply:
        """PATCH /v2/images/{image_id}."""
        if request.media_type not in patching.MEDIA_TYPES:
            accepted = ("Accept-Patch", ", ".join(patching.MEDIA_TYPES))
            message = f"A patch is written as {accepted[1]}."
            return self.error(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, (accepted,))
        changes = patching.read(bodies.parsed(request.body), request.media_type)
        with self.images.lock:
            return Reply.of_json(self.represent(self.images.update(request.caller, image_id, changes)))

    def delete_image(self, request: Request, image_id: str) -> Reply:
        """DELETE /v2/images/{image_id}."""
        self.images.delete(request.caller, image_id)
        return NO_CONTENT

    def upload(self, request: Request, image_id: str) -> Reply:
        """PUT /v2/images/{image_id}/file."""
        if request.media_type != "application/octet-stream":
            raise UnsupportedMediaType("The data of an image is application/octet-stream.")
        self.images.upload(request.caller, image_id, request.body)
        return NO_CONTENT

    def download(self, request: Request, image_id: str) -> Reply:
        """GET /v2/images/{image_id}/file."""
        data = self.images.download(request.caller, image_id)
        if data is None:
            return NO_CONTENT
        return Reply(HTTPStatus.OK, data, (("Content-Type", "application/octet-stream"),))

    def deactivate(self, request: Request, image_id: str) -> Reply:
        """POST /v2/images/{image_id}/actions/deactivate."""
        self.images.deactivate(request.caller, image_id)
        return NO_CONTENT

    def reactivate(self, request: Request, image_id: str) -> Reply:
        """POST /v2/images/{image_id}/actions/reactivate."""
        self.images.reactivate(request.caller, image_id)
        return NO_CONTENT

    # Members

    def represent_member(self, member: Member) -> dict[str, object]:
        """Return the representation of a member."""
        return {
            "image_id": member.image_id,
            "member_id": member.project,
            "status": member.status,
            "created_at": documents.time_of_day(member.created_at),
            "updated_at": documents.time_of_day(member.updated_at),
            "schema": "/v2/schemas/member",
        }

    def list_members(self, request: Request, image_id: str) -> Reply:
        """GET /v2/images/{image_id}/members."""
        with self.images.lock:
            members = [self.represent_member(each) for each in self.images.list_members(request.caller, image_id)]
        return Reply.of_json({"members": members, "schema": "/v2/schemas/members"})

    def create_member(self, request: Request, image_id: str) -> Reply:
        """POST /v2/images/{image_id}/members."""
        project = bodies.member_of(request, "member")
        with self.images.lock:
            return Reply.of_json(self.represent_member(self.images.create_member(request.caller, image_id, project)))

    def show_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        """GET /v2/images/{image_id}/members/{member_id}."""
        with self.images.lock:
            return Reply.of_json(self.represent_member(self.images.show_member(request.caller, image_id, member_id)))

    def update_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        """PUT /v2/images/{image_id}/members/{member_id}."""
        status = bodies.member_of(request, "status")
        with self.images.lock:
            member = self.images.update_member(request.caller, image_id, member_id, status)
            return Reply.of_json(self.represent_member(member))

    def delete_member(self, request: Request, image_id: str, member_id: str) -> Reply:
        """DELETE /v2/images/{image_id}/members/{member_id}."""
        self.images.delete_member(request.caller, image_id, member_id)
        return NO_CONTENT

    # Schemas and versions

    def schema(self, request: Request, name: str) -> Reply:  # noqa: ARG002 - every operation is handed its request
        """GET /v2/schemas/{name}."""
        if name not in SCHEMAS:
            raise NotFound(f"There is no schema {name}.")
        return Reply.of_json(SCHEMAS[name])

    def versions(self, request: Request) -> Reply:
        """GET / answers with a choice, GET /versions with a list."""
        status = HTTPStatus.MULTIPLE_CHOICES if request.path == "/" else HTTPStatus.OK
        return Reply.of_json(documents.image_versions(self.url), status)


def decode(raw: str) -> str:
    """Return what a segment of a path stands for, or raise Invalid if its octets are not UTF-8."""
    if "%" not in raw:
        return raw
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise Invalid("The octets of the path are not UTF-8.") from None


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def _first_segment(path: str) -> str:
    return unquote(path[1:].partition("/")[0])


def _takes_json(accept: str) -> bool:
    if not accept:
        return True
    for part in accept.lower().split(","):
        media_range, *parameters = (piece.strip() for piece in part.split(";"))
        refused = any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
        # Not for */*: Glance answers that with HTML, and its own client, which sends it, cannot read the JSON.
        if media_range in ("application/json", "application/*") and not refused:
            return True
    return False
