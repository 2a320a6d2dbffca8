"""The rules of the object store that images are imported from and exported to: some of Swift's. No HTTP."""

from threading import RLock

from .images import Caller
from .refusals import Conflict, Forbidden, Invalid, NotFound

NAME_LENGTH = 256  # octets of a container's name, Swift's default


class ObjectStore:
    """The containers of every project, and the objects in them; every method is one step."""

    def __init__(self) -> None:
        self.lock = RLock()
        self._containers: dict[str, dict[str, dict[str, bytes]]] = {}

    def containers(self, project: str) -> dict[str, dict[str, bytes]]:
        """Return the containers of a project by name, and the objects of each by theirs."""
        return self._containers.setdefault(project, {})

    def container(self, project: str, name: str) -> dict[str, bytes]:
        """Return the objects of a container by name, or raise NotFound."""
        try:
            return self.containers(project)[name]
        except KeyError:
            raise NotFound(f"There is no container {name}.") from None

    def get(self, project: str, container: str, name: str) -> bytes:
        """Return an object, or raise NotFound."""
        try:
            return self.container(project, container)[name]
        except KeyError:
            raise NotFound(f"There is no object {container}/{name}.") from None

    def create_container(self, caller: Caller, name: str) -> bool:
        """Create a container; return whether there was none of this name."""
        _check(caller)
        if not name or "/" in name or len(name.encode()) > NAME_LENGTH:
            raise Invalid(f"The name of a container has 1 to {NAME_LENGTH} octets and no slash.")
        with self.lock:
            new = name not in self.containers(caller.project)
            self.containers(caller.project).setdefault(name, {})
            return new

    def delete_container(self, caller: Caller, name: str) -> None:
        """Delete an empty container, or raise Conflict where it has objects."""
        _check(caller)
        with self.lock:
            if self.container(caller.project, name):
                raise Conflict(f"The container {name} is not empty.")
            del self.containers(caller.project)[name]

    def put(self, caller: Caller, container: str, name: str, octets: bytes) -> None:
        """Write an object in place of any of this name."""
        _check(caller)
        with self.lock:
            self.container(caller.project, container)[name] = octets

    def delete(self, caller: Caller, container: str, name: str) -> None:
        """Delete an object."""
        _check(caller)
        with self.lock:
            self.get(caller.project, container, name)
            del self.container(caller.project, container)[name]


def _check(caller: Caller) -> None:
    if not caller.writes:
        raise Forbidden("Your role may not write to the object store.")
