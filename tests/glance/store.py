"""An object store beside a real Glance: the embedded server's, to whoever comes, since Keystone's tokens are strange to it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/object-store/v1/AUTH_"


@contextmanager
def object_store(project: str) -> Iterator[str]:
    """Serve an object store for one block; yield the address of a project's account."""
    from pytest_cloudimages.reference.app import App
    from pytest_cloudimages.reference.images import Caller
    from pytest_cloudimages.reference.messages import Request
    from pytest_cloudimages.reference.server import serving

    class Open(App):
        def authenticate(self, request: Request) -> Caller:
            return Caller(request.path.removeprefix(PATH).partition("/")[0])

    with serving(Open()) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}{PATH}{project}"
