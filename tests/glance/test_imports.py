"""Images that came by import, and the tasks that brought them: what a run says of a service that has them."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.glance.conftest import Cloud

OCTETS = b"what is imported" * 64
FORMATS = {"disk_format": "raw", "container_format": "bare"}
LONGEST = 60.0
"""Seconds that an import may take."""
KNOWN = {"GEN-04", "IMG-UPD-09"}
"""What Glance does not meet of images, members, tasks, lists, schemas and roles (docs/glance.md)."""
AREAS = ("AUTH", "RBAC", "TASK", "IMG", "PAGE", "SCHEMA", "VER", "GEN")


class _Downloaded(BaseHTTPRequestHandler):
    """Hands out what web-download fetches."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(OCTETS)))
        self.end_headers()
        self.wfile.write(OCTETS)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def imported(cloud: Cloud, method: dict[str, str]) -> str:
    """Import an image in one of Glance's ways, and return its id once it is active."""
    glance, images = cloud.client().session, f"{cloud.glance}/v2/images"
    image = f"{images}/{glance.post(images, json={'name': method['name'], **FORMATS}).json()['id']}"
    if method["name"] == "glance-direct":
        glance.put(f"{image}/stage", data=OCTETS, headers={"Content-Type": "application/octet-stream"})
    glance.post(f"{image}/import", json={"method": method})
    end = time.monotonic() + LONGEST
    while (shown := glance.get(image).json())["status"] != "active":
        assert time.monotonic() < end, shown
        time.sleep(0.2)
    assert glance.get(f"{image}/file").content == OCTETS
    return str(shown["id"])


@pytest.fixture(scope="module")
def imports(vendors_cloud: Cloud) -> list[str]:
    """Images that were imported, by both of Glance's ways for users."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Downloaded) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            return [
                imported(vendors_cloud, {"name": "glance-direct"}),
                imported(vendors_cloud, {"name": "web-download", "uri": f"http://127.0.0.1:{server.server_port}/disk"}),
            ]
        finally:
            server.shutdown()
            thread.join()


def test_nothing_else_is_held_against_a_service_with_tasks(vendors_cloud: Cloud, imports: list[str]) -> None:
    """Tasks that imports have left, roles of the vendor and an object store: only what is known is found."""
    tasks = vendors_cloud.client().session.get(f"{vendors_cloud.glance}/v2/tasks").json()["tasks"]
    assert [task["type"] for task in tasks] == ["api_image_import"] * len(imports)

    run = vendors_cloud.run(vendors_cloud.environment, "--seed", "7", *(f"--select={area}" for area in AREAS))

    found = {identifier for identifier, verdict in run.verdicts.items() if verdict not in ("pass", "noted", "untested")}
    assert found == KNOWN, run.out
    assert run.verdicts["TASK-LIST-02"] == run.verdicts["RBAC-01"] == run.verdicts["RBAC-07"] == "pass", run.out


def test_imported_images_are_lent(vendors_cloud: Cloud, imports: list[str]) -> None:
    """An image that was imported is like any other."""
    lent = [word for image in imports for word in ("--image", image)]

    run = vendors_cloud.run(vendors_cloud.environment, "--seed", "7", *lent, *(f"--select={area}" for area in AREAS))

    found = {identifier for identifier, verdict in run.verdicts.items() if verdict not in ("pass", "noted", "untested")}
    assert found <= KNOWN, run.out
