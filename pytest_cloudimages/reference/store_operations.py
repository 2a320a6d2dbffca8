"""The operations of the object store, as Swift has them."""

from http import HTTPStatus

from .messages import Reply, Request
from .object_store import ObjectStore
from .refusals import NotFound

ACCOUNT = "AUTH_"
"""What the name of an account begins with; the id of its project follows."""
OCTETS = (("Content-Type", "application/octet-stream"),)


class StoreOperations:
    """Containers and objects; a caller has the account of its project alone."""

    store: ObjectStore

    def list_objects(self, request: Request, account: str, container: str) -> Reply:
        """GET /object-store/v1/{account}/{container}."""
        with self.store.lock:
            found = self.store.container(_project(request, account), container)
            listed = [{"name": name, "bytes": len(octets)} for name, octets in sorted(found.items())]
        if "application/json" in request.headers.get("Accept", "") or "format=json" in request.query:
            return Reply.of_json(listed)
        lines = "".join(f"{entry['name']}\n" for entry in listed)
        return Reply(HTTPStatus.OK, lines.encode(), (("Content-Type", "text/plain; charset=utf-8"),))

    def create_container(self, request: Request, account: str, container: str) -> Reply:
        """PUT /object-store/v1/{account}/{container}."""
        _project(request, account)
        new = self.store.create_container(request.caller, container)
        return Reply(HTTPStatus.CREATED if new else HTTPStatus.ACCEPTED)

    def delete_container(self, request: Request, account: str, container: str) -> Reply:
        """DELETE /object-store/v1/{account}/{container}."""
        _project(request, account)
        self.store.delete_container(request.caller, container)
        return Reply(HTTPStatus.NO_CONTENT)

    def read_object(self, request: Request, account: str, container: str, name: str) -> Reply:
        """GET /object-store/v1/{account}/{container}/{object}."""
        with self.store.lock:
            return Reply(HTTPStatus.OK, self.store.get(_project(request, account), container, name), OCTETS)

    def write_object(self, request: Request, account: str, container: str, name: str) -> Reply:
        """PUT /object-store/v1/{account}/{container}/{object}."""
        _project(request, account)
        self.store.put(request.caller, container, name, request.body)
        return Reply(HTTPStatus.CREATED)

    def delete_object(self, request: Request, account: str, container: str, name: str) -> Reply:
        """DELETE /object-store/v1/{account}/{container}/{object}."""
        _project(request, account)
        self.store.delete(request.caller, container, name)
        return Reply(HTTPStatus.NO_CONTENT)


def _project(request: Request, account: str) -> str:
    """Return the project of an account, or raise NotFound where it is not the caller's."""
    project = request.caller.project
    if account != f"{ACCOUNT}{project}":
        raise NotFound("There is no such account.")
    return project
