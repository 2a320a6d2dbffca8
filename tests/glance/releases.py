"""Releases of Glance, each in an environment of its own beside one and the same Keystone."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BESIDE = ("keystone==30.0.0", "gunicorn==27.0.1", "PyMySQL==1.2.4", "psycopg2-binary==2.9.13")
"""What each environment holds besides Glance: only Glance is to differ."""
FINISHED = "installed.txt"
"""The file in an environment that tells what was installed there, to its end."""
LAST_LINES = 5
"""Lines of what pip says that are kept of an installation that failed."""


@dataclass(frozen=True)
class Release:
    """The newest release of a major version, and what else its environment needs."""

    version: str
    constraints: tuple[str, ...] = ()
    """Versions of libraries that it needs and does not name, since they came after it."""

    @property
    def major(self) -> str:
        """The first number of the version."""
        return self.version.partition(".")[0]

    @property
    def requirements(self) -> tuple[str, ...]:
        """What pip is to install."""
        return (f"glance=={self.version}", *BESIDE, *self.constraints)


FACADE = "oslo.db<17"
"""Later ones have no ``EngineFacade`` in ``oslo_db.sqlalchemy.session``."""
CONVERT = "SQLAlchemy<2"
"""Later ones have no ``convert_unicode``."""
DIGEST = "oslo.utils<9"
"""Later ones have no ``md5`` in ``oslo_utils.secretutils``."""
RELEASES = (
    Release("27.1.1", (FACADE, CONVERT, DIGEST)),
    Release("28.2.0", (FACADE, DIGEST)),
    Release("29.2.1", (FACADE, DIGEST)),
    Release("30.2.0", (FACADE,)),
    Release("31.1.0"),
    Release("32.0.0"),
    Release("33.0.0"),
)
"""The newest release of each major version, the oldest first."""
OLDER = {
    "15, 17 and 18": "do not install: they want jsonschema before 3, and the Keystone beside them 3.2 or later",
    "19 to 26": "install on Python 3.11 with the older libraries of 27, and are not judged",
}
"""What became of the other major versions that PyPI has; it has no 16."""


class NotInstalledError(Exception):
    """A release does not install on this Python."""


def installed(release: Release, cache: Path) -> Path:
    """Return the Python of a release's environment, which is made where it is not there yet.

    Raise ``NotInstalledError`` with what pip says last if it does not install.
    """
    wanted = "\n".join(release.requirements)
    digest = hashlib.sha256(f"{sys.version}\n{wanted}".encode()).hexdigest()[:8]
    folder = cache / f"glance-{release.version}-{digest}"
    python = folder / "bin" / "python"
    if (folder / FINISHED).is_file():
        return python
    venv.create(folder, clear=True, with_pip=True)
    # Of the caller's environment for Python nothing may come in.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *release.requirements],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise NotInstalledError("\n".join(done.stderr.strip().splitlines()[-LAST_LINES:]))
    (folder / FINISHED).write_text(f"{wanted}\n", "utf-8")
    return python
