"""
A real Glance and a real Keystone from PyPI, on loopback, for as long as a block or a command lasts.

    python tests/glance/serve.py [--database sqlite|mysql] [--workers N] [--threads N] [--logs FOLDER] -- COMMAND ...

runs COMMAND with the OS_* variables that lead to them and ends with its exit status; without COMMAND it prints the
variables as `export` lines and serves until Ctrl-C. It needs glance, keystone, gunicorn and keystoneauth1 beside this
Python, for mysql also PyMySQL and Debian's mariadb-server. All it writes is in a temporary folder that goes with it,
except for the logs when a folder is named for them.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keystoneauth1.adapter import Adapter

START = 120.0  # seconds a server may take until it answers
STOP = 10.0  # seconds a server or an interrupted command may take to end
REGION = "RegionOne"
SERVICES = ("keystone", "glance")
SCRIPTS = Path(sysconfig.get_path("scripts"))

KEYSTONE = """
[database]
connection = {database}

[fernet_tokens]
key_repository = {folder}/keys

[fernet_receipts]
key_repository = {folder}/receipt-keys

[credential]
key_repository = {folder}/credential-keys

[identity]
# The least there is: these passwords are random and live for minutes.
password_hash_rounds = 4
"""

GLANCE = """
[DEFAULT]
enabled_backends = files:file

[glance_store]
default_backend = files

[files]
filesystem_store_datadir = {folder}/images

[os_glance_staging_store]
filesystem_store_datadir = {folder}/staging

[os_glance_tasks_store]
filesystem_store_datadir = {folder}/tasks

[database]
connection = {database}

[paste_deploy]
flavor = keystone
config_file = {paste}

[keystone_authtoken]
www_authenticate_uri = {keystone}
auth_url = {keystone}
auth_type = password
username = glance
password = {password}
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = {region}
interface = public
service_token_roles = service
service_token_roles_required = true

[oslo_concurrency]
lock_path = {folder}/locks

[oslo_messaging_notifications]
driver = noop
"""

# Gunicorn finds this by its name in its working directory. Options would not do: Keystone reads sys.argv as its own
# when it is imported.
GUNICORN = """
wsgi_app = "{app}"
bind = "fd://{listener}"
worker_class = "gthread"
workers = {workers}
threads = {threads}
keepalive = 60
timeout = 120
graceful_timeout = 3
worker_tmp_dir = "."
control_socket_disable = True
accesslog = "-"
"""


class NotServingError(Exception):
    """A server did not start, or did not last."""


@dataclass(frozen=True)
class Person:
    """Somebody who may ask, and the prefix of the variables that tell who."""

    prefix: str
    name: str
    project: str
    role: str
    password: str = field(default_factory=secrets.token_urlsafe, repr=False)

    def environment(self) -> dict[str, str]:
        """Name, password and project, as variables."""
        return {
            f"{self.prefix}_USERNAME": self.name,
            f"{self.prefix}_PASSWORD": self.password,
            f"{self.prefix}_PROJECT_NAME": self.project,
        }


@dataclass(frozen=True)
class Place:
    """Where our processes live: a private folder, and the one for their logs."""

    private: Path
    logs: Path

    def log(self, name: str) -> Path:
        """Return the file that takes what a service and its tools print."""
        return self.logs / f"{name}.log"

    def write(self, name: str, file: str, template: str, **values: object) -> None:
        """Write a configuration file of one service."""
        folder = self.private / name
        folder.mkdir(exist_ok=True)
        (folder / file).write_text(template.format(folder=folder, **values))

    def environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        """Return what our processes see: nothing of the caller's OS_* or proxies, and no home but this one."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self.private),
            "TMPDIR": str(self.private),
            **(more or {}),
        }


@contextmanager
def real_glance(
    database: str = "sqlite", workers: int = 1, threads: int = 1, logs: Path | None = None
) -> Iterator[dict[str, str]]:
    """Serve Keystone and Glance for one block; the value is the environment in which clients find them."""
    if database == "sqlite" and (workers, threads) != (1, 1):
        raise ValueError("SQLite answers “database is locked” when two writes meet: one worker and one thread only.")
    require("glance", "keystone", "gunicorn", "keystoneauth1", *(["pymysql"] if database == "mysql" else []))

    admin = Person("OS_ADMIN", "admin", "cloudimages", "admin")
    people = (
        Person("OS", "tester", "cloudimages", "member"),
        Person("OS_READER", "reader", "cloudimages", "reader"),
        Person("OS_ALT", "other", "other", "member"),
    )
    service = Person("GLANCE", "glance", "service", "service")

    with ExitStack() as stack:
        private = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="real-glance-")))
        place = Place(private, logs.resolve() if logs else private)
        place.logs.mkdir(parents=True, exist_ok=True)
        # A bound socket keeps its port until the server has it, and lets its first client wait.
        listeners = {name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in SERVICES}
        keystone, glance = (f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in listeners.values())
        databases = stack.enter_context(mysql(place)) if database == "mysql" else sqlite(place)

        place.write("keystone", "keystone.conf", KEYSTONE, database=databases["keystone"])
        place.write(
            "glance",
            "glance-api.conf",
            GLANCE,
            database=databases["glance"],
            keystone=keystone,
            password=service.password,
            paste=paste_configuration(),
            region=REGION,
        )
        prepare(place)
        for name, listener in listeners.items():
            stack.enter_context(wsgi(place, name, listener, workers=workers, threads=threads))
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
        yield environment


def require(*modules: str) -> None:
    """Tell what is missing before anything is started."""
    if missing := [module for module in modules if importlib.util.find_spec(module) is None]:
        raise NotServingError(f"Not installed beside {sys.executable}: {', '.join(missing)}. Install them with pip.")


def paste_configuration() -> Path:
    """Glance's own pipelines, as its wheel brings them."""
    return Path(sysconfig.get_path("data")) / "etc" / "glance" / "glance-api-paste.ini"


# Databases


def sqlite(place: Place) -> dict[str, str]:
    """Return where each service keeps its database, a file."""
    return {name: f"sqlite:///{place.private}/{name}.sqlite" for name in SERVICES}


@contextmanager
def mysql(place: Place) -> Iterator[dict[str, str]]:
    """Serve MariaDB on a socket in the private folder, and nowhere else, for one block."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    server, install = (shutil.which(name, path=path) for name in ("mariadbd", "mariadb-install-db"))
    if not (server and install):
        raise NotServingError("There is no mariadbd: apt-get install mariadb-server (or --database sqlite).")

    import pymysql

    data, unix_socket = place.private / "mariadb", place.private / "mariadb.sock"
    common = ["--no-defaults", f"--datadir={data}", *(["--user=root"] if os.geteuid() == 0 else [])]
    finish(place, "mariadb", [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"])
    command = [
        server,
        *common,
        f"--socket={unix_socket}",
        f"--pid-file={place.private}/mariadb.pid",
        f"--tmpdir={data}",
        "--skip-networking",
        "--innodb-flush-log-at-trx-commit=2",  # nothing here has to survive a power cut
        # As the installation guide of OpenStack has them.
        "--character-set-server=utf8",
        "--collation-server=utf8_general_ci",
        "--max-connections=4096",
    ]
    with running(place, "mariadb", command) as process:
        deadline = time.monotonic() + START
        while True:
            try:
                connection = pymysql.connect(unix_socket=str(unix_socket), user="root")
                break
            except pymysql.err.OperationalError:
                if process.poll() is not None or time.monotonic() > deadline:
                    give_up("MariaDB does not answer", place.log("mariadb"))
                time.sleep(0.1)
        with closing(connection), connection.cursor() as cursor:
            for name in SERVICES:
                cursor.execute(f"CREATE DATABASE {name}")
        yield {name: f"mysql+pymysql://root@localhost/{name}?unix_socket={unix_socket}" for name in SERVICES}


# Services


def prepare(place: Place) -> None:
    """Make tables and keys, side by side: each of these commands takes seconds to load, and little more."""
    owner = ["--keystone-user", str(os.geteuid()), "--keystone-group", str(os.getegid())]
    tasks = [
        ("keystone", "db_sync"),
        ("glance", "db_sync"),
        ("keystone", "fernet_setup", *owner),
        ("keystone", "receipt_setup", *owner),
        ("keystone", "credential_setup", *owner),
    ]
    with ThreadPoolExecutor(len(tasks)) as pool:
        futures = [pool.submit(manage, place, name, *arguments) for name, *arguments in tasks]
    for future in futures:
        future.result()


def bootstrap(place: Place, url: str, admin: Person) -> None:
    """Make the roles, the first project, and its administrator."""
    settings = {
        "OS_BOOTSTRAP_USERNAME": admin.name,
        "OS_BOOTSTRAP_PASSWORD": admin.password,
        "OS_BOOTSTRAP_PROJECT_NAME": admin.project,
        "OS_BOOTSTRAP_ROLE_NAME": admin.role,
        "OS_BOOTSTRAP_REGION_ID": REGION,
        "OS_BOOTSTRAP_PUBLIC_URL": f"{url}/v3",
    }
    manage(place, "keystone", "bootstrap", environment=settings)


def manage(place: Place, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
    """Run keystone-manage or glance-manage, which must succeed."""
    configuration = next((place.private / name).glob("*.conf"))
    command = [str(SCRIPTS / f"{name}-manage"), "--config-file", str(configuration), *arguments]
    finish(place, name, command, environment)


@contextmanager
def wsgi(place: Place, name: str, listener: socket.socket, *, workers: int, threads: int) -> Iterator[None]:
    """Serve a WSGI application from a listening socket, which is handed over, for one block."""
    app = f"{name}.wsgi.api:application"
    number = listener.fileno()
    place.write(name, "gunicorn.conf.py", GUNICORN, app=app, listener=number, workers=workers, threads=threads)
    folder = place.private / name
    settings = {"OS_KEYSTONE_CONFIG_FILES": str(folder / "keystone.conf"), "OS_GLANCE_CONFIG_DIR": str(folder)}
    with running(place, name, [sys.executable, "-m", "gunicorn"], settings, listener):
        listener.close()  # when the server ends, clients are refused rather than left waiting
        yield


def wait_for(place: Place, name: str, url: str, client: Adapter) -> None:
    """Wait until a service answers; its socket listens already, so the first request waits for it."""
    from keystoneauth1.exceptions import ClientException

    try:
        client.get(url)
    except ClientException as error:
        give_up(f"{name} does not answer at {url} ({error})", place.log(name))


def identity(keystone: str, person: Person) -> Adapter:
    """Speak to Keystone, and with a full URL to others, as one person; no proxy of the surroundings is asked."""
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
    """Make the people with their projects, and enter Glance in the catalogue."""

    def create(kind: str, **fields: str) -> str:
        answer = keystone.post(f"/{kind}s", json={kind: fields}).json()
        return str(answer[kind]["id"])

    roles = {role["name"]: role["id"] for role in keystone.get("/roles").json()["roles"]}
    projects = {project["name"]: project["id"] for project in keystone.get("/projects").json()["projects"]}
    for person in people:
        if person.project not in projects:
            projects[person.project] = create("project", name=person.project, domain_id="default")
        user = create("user", name=person.name, password=person.password, domain_id="default")
        keystone.put(f"/projects/{projects[person.project]}/users/{user}/roles/{roles[person.role]}")

    service = create("service", name="glance", type="image")
    create("endpoint", service_id=service, interface="public", url=glance, region_id=REGION)


# Processes


def finish(place: Place, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run a command to its end, which must be a success."""
    with place.log(name).open("ab") as output:
        done = subprocess.run(
            command,
            cwd=place.private,
            env=place.environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        give_up(f"{shlex.join(command)} ended with {done.returncode}", place.log(name))


@contextmanager
def running(
    place: Place,
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    listener: socket.socket | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for one block; that it ends before the block does is an error."""
    with place.log(name).open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=place.private / name,  # where gunicorn looks for its settings
            env=place.environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[listener.fileno()] if listener else [],
            start_new_session=True,  # Ctrl-C is for us and our command; servers go after their clients
        )
    try:
        yield process
        if process.poll() is not None:
            give_up(f"{name} ended with {process.returncode} before it was told to", place.log(name))
    finally:
        try:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def give_up(what: str, log: Path) -> NoReturn:
    """Say what went wrong, with the end of the log."""
    lines = log.read_text(errors="replace").splitlines()[-30:] if log.exists() else []
    raise NotServingError("\n".join([f"{what}. The end of {log.name}:", *(f"    {line}" for line in lines)]))


def obey(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the command and return its exit status; what interrupts us has interrupted it too, so it may finish."""
    with subprocess.Popen(command, env=environment) as process:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP)
        finally:
            if process.poll() is None:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(STOP)
                process.kill()
            status = process.wait()
    return 128 - status if status < 0 else status


def say(*lines: str) -> None:
    """Tell the person at the terminal; standard output is left to the command or to the variables."""
    sys.stderr.write("".join(f"{line}\n" for line in lines))


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve for the time of a command, or until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Serve a real Glance and Keystone on loopback.")
    parser.add_argument("--database", choices=["sqlite", "mysql"], default="sqlite")
    parser.add_argument("--workers", type=int, default=1, help="processes for each service (mysql only)")
    parser.add_argument("--threads", type=int, default=1, help="threads for each worker (mysql only)")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep the logs of the servers there")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="after --; runs with the OS_* variables set")
    options = parser.parse_args(arguments)
    if options.database == "sqlite" and (options.workers, options.threads) != (1, 1):
        parser.error("SQLite takes one worker and one thread; more need --database mysql.")
    if options.command and not shutil.which(options.command[0]):
        parser.error(f"There is no command {options.command[0]}.")

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # so that every block is left in order
    started = time.monotonic()
    try:
        with real_glance(options.database, options.workers, options.threads, options.logs) as found:
            say(
                f"Glance {version('glance')} and Keystone {version('keystone')} on {options.database}, "
                f"workers: {options.workers}, threads: {options.threads}, {time.monotonic() - started:.0f} s to start."
            )
            if options.command:
                ours = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
                return obey(options.command, ours | found)
            sys.stdout.write("".join(f"export {name}={shlex.quote(value)}\n" for name, value in found.items()))
            sys.stdout.flush()
            say("Serving until Ctrl-C.")
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except NotServingError as error:
        say(str(error))
        return os.EX_UNAVAILABLE


if __name__ == "__main__":
    sys.exit(main())
