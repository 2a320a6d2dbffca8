"""Which operation a method and a path name: one table.

The last segment of a tag's path stays as it came, so that the one who decodes it is the application.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
"""The methods that the service knows, whether or not a resource has them: those of RFC 9110, section 9, and PATCH."""


@dataclass(frozen=True, slots=True)
class Route:
    """A resource: its path, the names of its variable segments in braces, and its operations by method."""

    segments: tuple[str, ...]
    operations: Mapping[str, str]

    def match(self, segments: Sequence[str]) -> dict[str, str] | None:
        """Return the variable segments, still encoded, or None if the path is another."""
        values: dict[str, str] = {}
        for pattern, segment in zip(self.segments, segments, strict=True):
            if pattern[:1] == "{":
                if not segment:
                    return None
                values[pattern[1:-1]] = segment
            elif segment != pattern and unquote(segment) != pattern:
                return None
        return values


def _route(path: str, **operations: str) -> Route:
    return Route(tuple(path.split("/")[1:]), operations)


ROUTES = (
    _route("/v2/images/{image_id}/tags/{tag}", PUT="add_tag", DELETE="delete_tag"),
    _route("/v2/images/{image_id}", GET="show_image", PATCH="update_image", DELETE="delete_image"),
    _route("/v2/images", GET="list_images", POST="create_image"),
    _route("/v2/images/{image_id}/file", GET="download", PUT="upload"),
    _route("/v2/images/{image_id}/actions/deactivate", POST="deactivate"),
    _route("/v2/images/{image_id}/actions/reactivate", POST="reactivate"),
    _route("/v2/images/{image_id}/members", GET="list_members", POST="create_member"),
    _route("/v2/images/{image_id}/members/{member_id}", GET="show_member", PUT="update_member", DELETE="delete_member"),
    _route("/v2/tasks", GET="list_tasks", POST="create_task"),
    _route("/v2/tasks/{task_id}", GET="show_task"),
    _route("/v2/schemas/{name}", GET="schema"),
    _route(
        "/object-store/v1/{account}/{container}", GET="list_objects", PUT="create_container", DELETE="delete_container"
    ),
    _route(
        "/object-store/v1/{account}/{container}/{object}",
        GET="read_object",
        PUT="write_object",
        DELETE="delete_object",
    ),
    _route("/", GET="versions", HEAD="versions"),
    _route("/versions", GET="versions", HEAD="versions"),
    _route("/identity", GET="identity_versions", HEAD="identity_versions"),
    _route("/identity/", GET="identity_versions", HEAD="identity_versions"),
    _route("/identity/v2.0", GET="identity_v2", HEAD="identity_v2"),
    _route("/identity/v2.0/", GET="identity_v2", HEAD="identity_v2"),
    _route("/identity/v2.0/tokens", POST="issue_access", DELETE="revoke_access"),
    _route("/identity/v3", GET="identity_version", HEAD="identity_version"),
    _route("/identity/v3/", GET="identity_version", HEAD="identity_version"),
    _route(
        "/identity/v3/auth/tokens",
        POST="issue_token",
        GET="validate_token",
        HEAD="validate_token",
        DELETE="revoke_token",
    ),
    _route("/identity/v3/auth/projects", GET="projects_of_token", HEAD="projects_of_token"),
)


def find(path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the resource of a raw path with its variable segments, or None if there is none."""
    # Splitting comes before decoding, so that %2F is data (RFC 3986, 2.2).
    segments = path.split("/")[1:]
    for route in _BY_LENGTH.get(len(segments), ()):
        values = route.match(segments)
        if values is not None:
            return route, values
    return None


_BY_LENGTH: dict[int, list[Route]] = {}
for _each in ROUTES:
    _BY_LENGTH.setdefault(len(_each.segments), []).append(_each)
