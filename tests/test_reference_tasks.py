"""The embedded service's tasks, over HTTP's values: what is imported and exported, and the object store beside it."""

import json
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest

from pytest_cloudimages.reference import vhd
from pytest_cloudimages.reference.app import App, Headers, Reply, Request
from pytest_cloudimages.reference.images import now
from pytest_cloudimages.reference.tasks import TaskStatus
from pytest_cloudimages.spec import contracts

DATA = b"some data"


class Service:
    """The app, asked by the users of its identity service."""

    def __init__(self) -> None:
        self.app = App()

    def ask(self, method: str, target: str, document: object = None, who: str = "tester", body: bytes = b"") -> Reply:
        """Send a request as a user, with a JSON document or other octets."""
        kind = "application/json" if document is not None else "application/octet-stream"
        token = self.app.identity.issue(who).value
        headers = Headers((("X-Auth-Token", token), ("Content-Type", kind), ("Accept", "application/json")))
        body = body if document is None else json.dumps(document).encode()
        return self.app.handle(Request(method, target, headers, body))

    def store(self, method: str, target: str, body: bytes = b"", who: str = "tester") -> Reply:
        """Send a request to the account of a user's project in the object store."""
        project = self.app.identity.users[who].project.id
        return self.ask(method, f"/object-store/v1/AUTH_{project}{target}", who=who, body=body)

    def image(self, who: str = "tester", data: bytes = DATA) -> str:
        """Return the id of a new image with data."""
        created: Any = self.ask(
            "POST", "/v2/images", {"name": "n", "container_format": "bare", "disk_format": "raw"}, who
        ).json()
        self.ask("PUT", f"/v2/images/{created['id']}/file", who=who, body=data)
        return str(created["id"])

    def started(self, kind: str, given: object, who: str = "tester") -> Any:
        """Return a new task."""
        reply = self.ask("POST", "/v2/tasks", {"type": kind, "input": given}, who)
        assert reply.status == HTTPStatus.CREATED, reply
        return reply.json()

    def statuses(self, task: Any) -> list[str]:
        """Return the statuses that a task goes through, from its creation to its end."""
        seen = [task["status"]]
        while seen[-1] in ("pending", "processing"):
            seen.append(self.show(task)["status"])
        return seen

    def show(self, task: Any) -> Any:
        """Return a task as it is now."""
        return self.ask("GET", f"/v2/tasks/{task['id']}").json()

    def ended(self, kind: str, given: object) -> Any:
        """Return a task that was carried out."""
        task = self.started(kind, given)
        self.statuses(task)
        return self.show(task)

    def export(self, image: str, container: str = "box") -> Any:
        """Return the task of an export that was carried out."""
        return self.ended("export", {"image_uuid": image, "receiving_swift_container": container})

    def load(self, source: str, **properties: str) -> Any:
        """Return the task of an import that was carried out."""
        return self.ended("import", {"image_properties": {"name": "imported", **properties}, "import_from": source})


@pytest.fixture
def service() -> Service:
    """Return a service with a container."""
    found = Service()
    assert found.store("PUT", "/box").status == HTTPStatus.CREATED
    return found


def test_an_image_is_exported_and_imported_again(service: Service) -> None:
    """An image goes to the object store as a VHD, and a new one is made of that."""
    image = service.image()
    exported = service.export(image)

    assert (exported["status"], exported["message"]) == ("success", "None")
    assert exported["result"] == {"export_location": f"box/{image}.vhd"}
    octets = service.store("GET", f"/box/{image}.vhd").body
    assert octets.startswith(DATA)
    assert vhd.read(octets).kind == vhd.FIXED
    imported = service.load(f"box/{image}.vhd")
    shown: Any = service.ask("GET", f"/v2/images/{imported['result']['image_id']}").json()
    assert (shown["name"], shown["status"], shown["size"]) == ("imported", "active", len(octets))
    assert shown["id"] != image


def test_a_task_goes_forward(service: Service) -> None:
    """It waits, is worked on, and ends; then it has a time to expire at, after which it is gone and its result stays."""
    image = service.image()
    task = service.started("export", {"image_uuid": image, "receiving_swift_container": "box"})

    assert "expires_at" not in task
    assert service.statuses(task) == ["pending", "processing", "success"]
    assert contracts.problems("contract-task", service.show(task)) == []
    [known] = service.app.tasks.all(service.app.tasks.show(_caller(service), task["id"]).caller)
    assert known.expires_at == known.updated_at + timedelta(hours=48)
    known.expires_at = now()
    assert service.ask("GET", f"/v2/tasks/{task['id']}").status == HTTPStatus.NOT_FOUND
    assert service.ask("GET", "/v2/tasks").json()["tasks"] == []  # type: ignore[index]
    assert service.store("GET", f"/box/{image}.vhd").status == HTTPStatus.OK


def _caller(service: Service) -> Any:
    request = Request("GET", "/", Headers((("X-Auth-Token", service.app.identity.issue("tester").value),)))
    return service.app.authenticate(request)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (None, {"image_uuid": "i", "receiving_swift_container": "box"}),
        ("export", None),
        ("export", {"image_uuid": "i"}),
        ("export", {"receiving_swift_container": "box"}),
        ("import", {"import_from": "a/b"}),
        ("import", {"image_properties": {}, "import_from": "a/b"}),
        ("import", {"image_properties": {"name": "n"}}),
        ("conversion", {}),
    ],
)
def test_what_a_task_needs_is_asked_for_at_once(service: Service, kind: object, given: object) -> None:
    """A task without one of these is refused, and there is none."""
    wanted = {name: value for name, value in (("type", kind), ("input", given)) if value is not None}

    assert service.ask("POST", "/v2/tasks", wanted).status == HTTPStatus.BAD_REQUEST
    assert service.ask("GET", "/v2/tasks").json()["tasks"] == []  # type: ignore[index]


@pytest.mark.parametrize("container", ["none", "box/inside", "box?", "box.vhds"])
def test_an_export_needs_a_fit_container(service: Service, container: str) -> None:
    """A container that is not there, or whose name has some characters, makes the task fail."""
    service.store("PUT", f"/{container.replace('?', '%3F').replace('/', '%2F')}")
    if container == "none":
        service.store("DELETE", "/none")

    task = service.export(service.image(), container)

    assert task["status"] == "failure"
    assert task["message"] not in ("", "None")
    assert "result" not in task
    assert task["expires_at"]


def test_an_export_never_overwrites(service: Service) -> None:
    """The second export of an image to one container fails, and leaves what is there."""
    image = service.image()
    service.export(image)
    before = service.store("GET", f"/box/{image}.vhd").body

    assert "already" in service.export(image)["message"]
    assert service.store("GET", f"/box/{image}.vhd").body == before


def test_an_export_is_for_the_owner_of_an_active_image(service: Service) -> None:
    """Neither an image of another project, shared or not, nor one without data or deactivated is exported."""
    foreign, mine = service.image("other"), service.image()
    empty: Any = service.ask("POST", "/v2/images", {"name": "n"}).json()
    service.ask("POST", f"/v2/images/{mine}/actions/deactivate", who="admin")

    failures = [
        service.export(foreign)["status"],
        service.export(empty["id"])["status"],
        service.export(mine)["status"],
    ]
    project = service.app.identity.projects["cloudimages"].id
    service.ask("POST", f"/v2/images/{foreign}/members", {"member": project}, "other")

    assert [*failures, service.export(foreign)["status"]] == ["failure"] * 4
    assert service.store("GET", "/box").json() == []


@pytest.mark.parametrize(
    ("octets", "number"),
    [
        (b"no disk" * 100, "396"),
        (b"", "396"),
        (vhd.fixed(b"x")[:-1] + b"\1", "396"),
    ],
)
def test_an_import_says_by_number_what_is_wrong(service: Service, octets: bytes, number: str) -> None:
    """What is no disk is not imported."""
    service.store("PUT", "/box/disk", octets)

    task = service.load("box/disk")

    assert (task["status"], task["message"][:3]) == ("failure", number)


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({11: 4}, "721"),
        ({11: 7}, "523"),
        ({13: b"\0" * 16}, "614"),
        ({9: 2**36}, "413"),
    ],
)
def test_an_import_looks_into_the_footer(service: Service, change: dict[int, Any], number: str) -> None:
    """A disk that is too large, has a parent, is of no known kind or has no id is not imported."""
    fields = [*vhd.FOOTER.unpack(vhd.fixed(b"x" * 512)[-512:])]
    for place, value in change.items():
        fields[place] = value
    fields[12] = 0
    fields[12] = ~sum(vhd.FOOTER.pack(*fields)) & 0xFFFFFFFF
    service.store("PUT", "/box/disk", b"x" * 512 + vhd.FOOTER.pack(*fields))

    assert service.load("box/disk")["message"][:3] == number


def test_an_import_takes_a_name_alone(service: Service) -> None:
    """A further property, or a place where nothing is, makes the task fail, and there is no image."""
    service.store("PUT", "/box/disk", vhd.fixed(b"x"))

    statuses = [
        service.load(source, **further)["status"]
        for source, further in (("box/disk", {"os_distro": "debian"}), ("box/none", {}), ("none/disk", {}), ("box", {}))
    ]

    assert statuses == ["failure"] * 4
    assert service.ask("GET", "/v2/images?name=imported").json()["images"] == []  # type: ignore[index]


def test_tasks_are_listed_page_by_page(service: Service) -> None:
    """The newest comes first, without input, message and result; filters and order are those of Glance."""
    image = service.image()
    tasks = [service.export(image)["id"], service.export(image)["id"], service.load("box/none")["id"]]

    def ids(query: str) -> list[str]:
        document: Any = service.ask("GET", f"/v2/tasks{query}").json()
        assert contracts.problems("contract-tasks", document) == []
        assert not {"input", "message", "result"} & {name for task in document["tasks"] for name in task}
        following = document.get("next")
        found = [task["id"] for task in document["tasks"]]
        return [*found, *ids(following.removeprefix("/v2/tasks"))] if following else found

    assert ids("") == ids("?limit=1") == ids("?limit=2") == tasks[::-1]
    assert ids("?sort_dir=asc") == tasks
    assert ids("?type=import") == [tasks[2]]
    assert ids("?status=failure") == [tasks[2], tasks[1]]
    assert ids(f"?marker={tasks[1]}") == [tasks[0]]
    for query in ("?limit=x", "?sort_key=owner", "?sort_dir=up", "?status=done", "?type=other", "?marker=none"):
        assert service.ask("GET", f"/v2/tasks{query}").status == HTTPStatus.BAD_REQUEST


def test_tasks_and_objects_are_their_projects_own(service: Service) -> None:
    """Another project finds no task of ours, a reader creates none, and nobody else reaches our containers."""
    task = service.export(service.image())
    mine = service.app.identity.projects["cloudimages"].id

    assert service.ask("GET", f"/v2/tasks/{task['id']}", who="other").status == HTTPStatus.NOT_FOUND
    assert service.ask("GET", "/v2/tasks", who="other").json()["tasks"] == []  # type: ignore[index]
    wanted = {"type": "import", "input": {"image_properties": {"name": "n"}, "import_from": "box/disk"}}
    assert service.ask("POST", "/v2/tasks", wanted, "reader").status == HTTPStatus.FORBIDDEN
    assert service.ask("GET", f"/v2/tasks/{task['id']}", who="reader").status == HTTPStatus.OK
    assert service.ask("GET", f"/object-store/v1/AUTH_{mine}/box", who="other").status == HTTPStatus.NOT_FOUND
    assert service.store("PUT", "/of-a-reader", who="reader").status == HTTPStatus.FORBIDDEN
    assert service.app.handle(Request("GET", f"/object-store/v1/AUTH_{mine}/box")).status == HTTPStatus.UNAUTHORIZED


def test_containers(service: Service) -> None:
    """A container comes and goes, but for one that holds something."""
    assert service.store("PUT", "/box").status == HTTPStatus.ACCEPTED
    assert service.store("PUT", "/box/thing", b"octets").status == HTTPStatus.CREATED
    assert service.store("GET", "/box/thing").body == b"octets"
    assert service.store("GET", "/box").json() == [{"name": "thing", "bytes": 6}]
    assert service.store("DELETE", "/box").status == HTTPStatus.CONFLICT
    assert service.store("DELETE", "/box/thing").status == HTTPStatus.NO_CONTENT
    assert service.store("DELETE", "/box").status == HTTPStatus.NO_CONTENT
    assert service.store("GET", "/box").status == HTTPStatus.NOT_FOUND


def test_tasks_that_wait_are_worked_on_one_after_another(service: Service) -> None:
    """Each request finds every task one step further, whoever sends it."""
    given = {"image_properties": {"name": "n"}, "import_from": "box/none"}
    first = service.started("import", given)
    second = service.started("import", given)

    assert [service.app.tasks.show(_caller(service), each["id"]).status for each in (first, second)] == [
        TaskStatus.PROCESSING,
        TaskStatus.PENDING,
    ]
