"""Keystone and Glance: their settings, their tables and keys, and the server in front of them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .processes import finish, running
from .roles import POLICIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .processes import Place

SCRIPTS = Path(sysconfig.get_path("scripts"))
PASTE = Path(sysconfig.get_path("data")) / "etc" / "glance" / "glance-api-paste.ini"
"""Glance's own pipelines, as its wheel brings them."""

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
config_file = {folder}/glance-api-paste.ini

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

[import_filtering_opts]
# So that web-download fetches from the ports of tests as well, on this computer alone.
allowed_hosts = [127.0.0.1]
allowed_ports = []
"""

POLICY = """
[oslo_policy]
policy_file = {folder}/policy.yaml
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


def configure(
    place: Place, databases: Mapping[str, str], *, keystone: str, password: str, region: str, vendor: bool
) -> None:
    """Write the settings of both; ``password`` is that of the user with which Glance asks Keystone.

    With ``vendor``, Glance's policies know the vendor's roles.
    """
    place.write("keystone", "keystone.conf", KEYSTONE, database=databases["keystone"])
    place.write(
        "glance",
        "glance-api.conf",
        GLANCE + (POLICY if vendor else ""),
        database=databases["glance"],
        keystone=keystone,
        password=password,
        region=region,
    )
    if vendor:
        (place.private / "glance" / "policy.yaml").write_text(POLICIES)
    shutil.copy(PASTE, place.private / "glance")  # releases before 30 look for it beside their settings


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


def manage(place: Place, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
    """Run keystone-manage or glance-manage, which must succeed."""
    configuration = next((place.private / name).glob("*.conf"))
    command = [str(SCRIPTS / f"{name}-manage"), "--config-file", str(configuration), *arguments]
    finish(place, name, command, environment)


def application(name: str) -> str:
    """Return what gunicorn serves: releases of Glance before 30 have it at another place, to be made by a call."""
    if importlib.util.find_spec(f"{name}.wsgi"):
        return f"{name}.wsgi.api:application"
    return f"{name}.common.wsgi_app:init_app()"


@contextmanager
def serving(place: Place, name: str, listener: socket.socket, *, workers: int, threads: int) -> Iterator[None]:
    """Serve Keystone or Glance from a listening socket, which is handed over, for one block."""
    app = application(name)
    number = listener.fileno()
    place.write(name, "gunicorn.conf.py", GUNICORN, app=app, listener=number, workers=workers, threads=threads)
    folder = place.private / name
    settings = {"OS_KEYSTONE_CONFIG_FILES": str(folder / "keystone.conf"), "OS_GLANCE_CONFIG_DIR": str(folder)}
    with running(place, name, [sys.executable, "-m", "gunicorn"], settings, listener):
        listener.close()  # when the server ends, clients are refused rather than left waiting
        yield
