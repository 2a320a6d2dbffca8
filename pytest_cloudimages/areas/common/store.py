"""The tester's account in an object store: containers of our own, which are emptied and deleted in the end."""

import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import require_ok
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.session import ImagesClient, segment
from pytest_cloudimages.client.transport import Transport
from pytest_cloudimages.engine.provisioning import fresh_name
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

NOT_FOUND, NOT_EMPTY = 404, 409


@dataclass
class Store:
    """An account in an object store as Swift has it."""

    client: ImagesClient
    run: str
    patience: Eventually
    containers: list[str] = field(default_factory=list)
    """Those that were created here."""

    def container(self, suffix: str = "", base: str = "") -> str:
        """Create a container that was not there before, and return its name. Raise ``Blocked`` where that fails.

        Its name begins with the ``base``, if one is given.
        """
        name = f"{base or fresh_name(self.run)}{suffix}"
        with self.client.recorder.of(Purpose.PREPARING):
            require_ok(self.client.send("PUT", f"/{segment(name)}"))
        self.containers.append(name)
        return name

    def put(self, container: str, name: str, octets: bytes) -> Answer:
        """Write an object into a container of ours."""
        kind = {"Content-Type": "application/octet-stream"}
        with self.client.recorder.of(Purpose.PREPARING):
            return self.client.send("PUT", f"/{segment(container)}/{segment(name)}", body=octets, headers=kind)

    def get(self, container: str, name: str) -> Answer:
        """Read an object."""
        return self.client.send("GET", f"/{segment(container)}/{segment(name)}")

    def once_there(self, container: str, name: str) -> Answer:
        """Read an object, and again while it is not there and there is patience."""
        look = partial(self.get, container, name)
        return self.patience.until(look(), look, lambda answer: answer.status != NOT_FOUND, about="objects")

    def delete(self, container: str, name: str) -> None:
        """Delete an object."""
        self.client.send("DELETE", f"/{segment(container)}/{segment(name)}")

    def names(self, container: str) -> tuple[list[str] | None, Answer]:
        """Return the names of the objects in a container, ``None`` where they cannot be read, and the answer."""
        answer = self.client.send("GET", f"/{segment(container)}?format=json")
        if answer.status == 204:  # noqa: PLR2004 - as HTTP has it
            return [], answer
        data = answer.data if answer.ok else None
        if not isinstance(data, list):
            return None, answer
        return [str(entry.get("name")) for entry in data if isinstance(entry, dict)], answer

    def clear(self) -> None:
        """Empty the containers that were created here, and delete them; what stays is named."""
        with self.client.recorder.of(Purpose.CLEANING):
            for container in self.containers:
                with suppress(Blocked):
                    # What was written a moment ago, a list of objects may not have yet.
                    empty = partial(self._delete, container)
                    answer = self.patience.until(empty(), empty, _is_over, about="containers")
                    if answer.ok or answer.status == 404:  # noqa: PLR2004 - as HTTP has it
                        continue
                self.client.recorder.traces.left_behind.append(f"the container {container} in the object store")

    def _delete(self, container: str) -> Answer:
        """Delete a container, and what it is seen to hold before."""
        for name in self.names(container)[0] or []:
            self.delete(container, name)
        return self.client.send("DELETE", f"/{segment(container)}")


def _is_over(answer: Answer) -> bool:
    return answer.status != NOT_EMPTY


@contextmanager
def object_store(run: Run) -> Iterator[Store | None]:
    """Open the tester's account in the object store for a block; ``None`` where no address is known."""
    address = run.service.object_store
    if not address:
        yield None
        return
    split = urllib.parse.urlsplit(address)
    transport = Transport(
        f"{split.scheme}://{split.netloc}",
        timeout=run.settings.timeout,
        verify=run.service.verify,
        cert=run.service.cert,
        most=run.settings.max_body,
    )
    # What one service answers says nothing of the other; both are paid for out of one budget.
    way, known = transport.way, run.transport.way
    way.budget, way.pace, way.stopping = known.budget, known.pace, known.stopping
    store = Store(replace(run.client, endpoint=address, transport=transport), run.name, run.patience)
    try:
        yield store
    finally:
        store.clear()
        transport.close()
