"""A small cloud: Keystone and Glance on loopback, with the users that the access checks need."""

from __future__ import annotations

import importlib.util
import secrets
import socket
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .databases import mysql, postgresql, sqlite
from .processes import START, NotServingError, Place, give_up
from .roles import CREATOR, IMAGES, IMAGES_OBSERVER, OBSERVER, OWNER
from .services import configure, manage, prepare, serving
from .store import object_store
from .tokens import ended

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keystoneauth1.adapter import Adapter

REGION = "RegionOne"
PROJECT = "cloudimages"
"""The tester's project."""
SERVICES = ("keystone", "glance")
SERVED = {"mysql": mysql, "postgresql": postgresql}
DRIVERS = {"mysql": ("pymysql",), "postgresql": ("psycopg2",)}


@dataclass(frozen=True)
class Person:
    """A user, and the prefix of the environment variables with its credentials."""

    prefix: str
    name: str
    project: str
    roles: tuple[str, ...]
    password: str = field(default_factory=secrets.token_urlsafe, repr=False)

    def environment(self) -> dict[str, str]:
        """Name, password and project, as variables."""
        return {
            f"{self.prefix}_USERNAME": self.name,
            f"{self.prefix}_PASSWORD": self.password,
            f"{self.prefix}_PROJECT_NAME": self.project,
        }


OF_THE_VENDOR = (
    Person("OS_CREATOR", "creator", PROJECT, (CREATOR,)),
    Person("OS_IMAGES_ADMIN", "images-admin", PROJECT, (IMAGES,)),
    Person("OS_OBSERVER", "observer", PROJECT, (OBSERVER,)),
    Person("OS_TWO_ROLES", "two-roles", PROJECT, (OBSERVER, IMAGES)),
)


@contextmanager
def real_glance(
    database: str, *, workers: int, threads: int, logs: Path | None = None, vendor: bool = False
) -> Iterator[dict[str, str]]:
    """Serve Keystone and Glance for one block; the value is the environment in which clients find them.

    With ``vendor`` there are users of each of the vendor's roles, policies that know these and open tasks to whoever may
    create, and an object store.
    """
    require("glance", "keystone", "gunicorn", "keystoneauth1", *DRIVERS.get(database, ()))

    admin = Person("OS_ADMIN", "admin", PROJECT, ("admin",))
    people = (
        Person("OS", "tester", PROJECT, (OWNER if vendor else "member",)),
        Person("OS_READER", "reader", PROJECT, (IMAGES_OBSERVER if vendor else "reader",)),
        Person("OS_ALT", "other", "other", ("member",)),
        *(OF_THE_VENDOR if vendor else ()),
    )
    service = Person("GLANCE", "glance", "service", ("service",))

    with ExitStack() as stack:
        private = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="real-glance-")))
        place = Place(private, emptied(logs) if logs else private)
        # A bound socket keeps its port until the server has it, and lets its first client wait.
        listeners = {name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in SERVICES}
        keystone, glance = (f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in listeners.values())
        served = SERVED.get(database)
        databases = stack.enter_context(served(place, SERVICES)) if served else sqlite(place, SERVICES)
        configure(place, databases, keystone=keystone, password=service.password, region=REGION, vendor=vendor)
        prepare(place)
        for name, listener in listeners.items():
            stack.enter_context(serving(place, name, listener, workers=workers, threads=threads))
        bootstrap(place, keystone, admin)  # while the two are loading
        wait_for(place, "keystone", f"{keystone}/v3", identity(keystone, admin))
        settle(identity(keystone, admin), glance, (*people, service))
        # A member's look at an image schema proves the whole way, from password to token to Glance.
        wait_for(place, "glance", f"{glance}/v2/schemas/image", identity(keystone, people[0]))

        environment = {
            "OS_AUTH_URL": f"{keystone}/v3",
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_REGION_NAME": REGION,
            "OS_IDENTITY_API_VERSION": "3",
            "OS_INTERFACE": "public",
        }
        for person in (*people, admin):
            environment |= person.environment()
        if vendor:
            environment["CLOUDIMAGES_OBJECT_STORE"] = stack.enter_context(object_store(PROJECT))
        token = identity(keystone, people[0]).get_token()
        environment["CLOUDIMAGES_EXPIRED_TOKEN"] = ended(str(token), place.private / "keystone" / "keys")
        yield environment


def require(*modules: str) -> None:
    """Raise ``NotServingError`` if a module is not installed, before anything is started."""
    if missing := [module for module in modules if importlib.util.find_spec(module) is None]:
        raise NotServingError(f"Not installed beside {sys.executable}: {', '.join(missing)}. Install them with pip.")


def emptied(logs: Path) -> Path:
    """Return the folder for the logs, without those of an earlier run."""
    try:
        logs.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise NotServingError(f"Logs cannot be kept in {logs}: {problem.strerror}.") from None
    for name in (*SERVICES, "mariadb", "postgresql"):
        (logs / f"{name}.log").unlink(missing_ok=True)
    return logs.resolve()


def bootstrap(place: Place, url: str, admin: Person) -> None:
    """Make the roles, the first project, and its administrator."""
    settings = {
        "OS_BOOTSTRAP_USERNAME": admin.name,
        "OS_BOOTSTRAP_PASSWORD": admin.password,
        "OS_BOOTSTRAP_PROJECT_NAME": admin.project,
        "OS_BOOTSTRAP_ROLE_NAME": admin.roles[0],
        "OS_BOOTSTRAP_REGION_ID": REGION,
        "OS_BOOTSTRAP_PUBLIC_URL": f"{url}/v3",
    }
    manage(place, "keystone", "bootstrap", environment=settings)


def wait_for(place: Place, name: str, url: str, client: Adapter) -> None:
    """Wait until a service answers; its socket listens already, so the first request waits for it."""
    from keystoneauth1.exceptions import ClientException

    try:
        client.get(url)
    except ClientException as error:
        give_up(f"{name} does not answer at {url} ({error})", place.log(name))


def identity(keystone: str, person: Person) -> Adapter:
    """A session with Keystone, and by full URLs with others, of one user; proxies of the environment are ignored."""
    import requests
    from keystoneauth1.adapter import Adapter
    from keystoneauth1.identity import V3Password
    from keystoneauth1.session import Session

    direct = requests.Session()
    direct.trust_env = False
    password = V3Password(
        auth_url=f"{keystone}/v3",
        username=person.name,
        password=person.password,
        user_domain_name="Default",
        project_name=person.project,
        project_domain_name="Default",
    )
    return Adapter(Session(auth=password, session=direct, timeout=START), endpoint_override=f"{keystone}/v3")


def settle(keystone: Adapter, glance: str, people: Sequence[Person]) -> None:
    """Create the users with their projects and roles, and enter Glance in the catalogue."""

    def create(kind: str, **fields: str) -> str:
        answer = keystone.post(f"/{kind}s", json={kind: fields}).json()
        return str(answer[kind]["id"])

    roles = {role["name"]: role["id"] for role in keystone.get("/roles").json()["roles"]}
    for name in dict.fromkeys(name for person in people for name in person.roles):
        roles[name] = roles.get(name) or create("role", name=name)
    projects = {project["name"]: project["id"] for project in keystone.get("/projects").json()["projects"]}
    for person in people:
        if person.project not in projects:
            projects[person.project] = create("project", name=person.project, domain_id="default")
        user = create("user", name=person.name, password=person.password, domain_id="default")
        for role in person.roles:
            keystone.put(f"/projects/{projects[person.project]}/users/{user}/roles/{roles[role]}")

    service = create("service", name="glance", type="image")
    create("endpoint", service_id=service, interface="public", url=glance, region_id=REGION)
