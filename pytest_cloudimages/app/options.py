"""Command line, ini file and environment, as one frozen value."""

import os
import secrets
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_cloudimages.engine.settings import PROFILES, SPECIFICATIONS, Settings

PREFIX = "cloudimages"

#: name, kind, default, help: each is a pytest option --cloudimages-NAME and an ini setting cloudimages_NAME.
TABLE: tuple[tuple[str, type, Any, str], ...] = (
    (
        "url",
        str,
        None,
        "endpoint of the image service, with or without its /v2; the token comes from CLOUDIMAGES_TOKEN",
    ),
    ("cloud", str, None, "name of an entry of clouds.yaml"),
    ("other-cloud", str, None, "entry of clouds.yaml for a second project"),
    ("reader-cloud", str, None, "entry of clouds.yaml for a user of the project who may only read"),
    ("creator-cloud", str, None, "entry of clouds.yaml for a user who may create and update, and no more"),
    ("admin-cloud", str, None, "entry of clouds.yaml for an administrator"),
    ("reference", bool, False, "judge the embedded server"),
    ("image", list, (), "id of an image to borrow, its tags are put back; without it, images are created and deleted"),
    ("profile", str, "standard", f"how much to try: {', '.join(PROFILES)}"),
    ("seed", int, None, "number that the generated tags follow from; drawn when absent"),
    ("select", list, (), "judge only this requirement, or the group whose ids begin so; may be repeated"),
    ("specification", str, SPECIFICATIONS[0], f"whose reading judges where two differ: {', '.join(SPECIFICATIONS)}"),
    ("tag-limit", int, None, "tags that an image may carry, as the operator states it; tried only where it is given"),
    ("strict", bool, False, "advisory findings fail the run too"),
    ("dry-run", bool, False, "rehearse on the embedded server, and say what would be created and sent"),
    ("reports", str, None, "folder for conformance.json, conformance.html and junit.xml"),
    ("catalogue", list, (), "TOML file with requirements of one's own; may be repeated"),
    ("minutes", float, None, "with profile explore: draw anew until so many minutes are over, or something is found"),
    ("examples", str, None, "folder for the seeds that found something, which are tried first; REPORTS/examples else"),
    ("timeout", float, 30.0, "seconds to wait for one answer"),
    ("patience", float, 10.0, "seconds within which an acknowledged change must be seen"),
)


def declare(parser: pytest.Parser) -> None:
    """Declare every option and its ini setting."""
    group = parser.getgroup(PREFIX, "conformance of image-tag services (pytest-cloudimages)")
    for name, kind, default, text in TABLE:
        ini = f"{PREFIX}_{name.replace('-', '_')}"
        extra = f" [{default}]" if default not in (None, False, ()) else ""
        how: dict[str, Any] = {"dest": ini, "default": None, "help": text + extra}
        if kind is bool:
            how |= {"action": "store_true"}
        elif kind is list:
            how |= {"action": "append", "metavar": name.upper()}
        else:
            how |= {"metavar": name.upper()}
        group.addoption(f"--{PREFIX}-{name}", **how)
        shape = {bool: "bool", list: "linelist"}.get(kind, "string")
        parser.addini(ini, text, type=shape, default=None)  # type: ignore[arg-type]  # one of pytest's words


def settings(config: pytest.Config, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of a run: command line before ini file before default.

    Raises ``pytest.UsageError`` for a value that is none.
    """
    found: dict[str, Any] = {}
    for name, kind, default, _ in TABLE:
        key = name.replace("-", "_")
        value = config.getoption(f"{PREFIX}_{key}", None)
        if value is None:
            value = config.getini(f"{PREFIX}_{key}")
        found[key] = _read(name, kind, default if value is None or value in ("", []) else value)
    if not (found["url"] or found["cloud"] or found["reference"]):
        # Whoever names a service means it, whatever the shell still holds.
        found["url"] = environ.get("CLOUDIMAGES_ENDPOINT") or None
    if found["dry_run"]:
        found["reports"] = None  # a rehearsal is no result
    if found["seed"] is None:
        found["seed"] = secrets.randbelow(2**32)
    for name, known in (("profile", tuple(PROFILES)), ("specification", SPECIFICATIONS)):
        if found[name] not in known:
            raise pytest.UsageError(f"There is no {name} {found[name]!r}; choose one of {', '.join(known)}.")
    if found["minutes"] is not None and found["profile"] != "explore":
        raise pytest.UsageError(
            f"--{PREFIX}-minutes belongs to --{PREFIX}-profile=explore, and this is profile {found['profile']}."
        )
    named = [f"--{PREFIX}-{name}" for name in ("url", "cloud", "reference") if found[name]]
    if len(named) > 1:
        raise pytest.UsageError(f"One run judges one service, and these name several: {', '.join(named)}.")
    return Settings(**found)


def _read(name: str, kind: type, value: Any) -> Any:
    if value is None or kind is bool:
        return value
    if kind is list:
        return tuple(value)
    try:
        number = kind(value)
    except ValueError:
        raise pytest.UsageError(f"--{PREFIX}-{name} takes a number, not {value!r}.") from None
    if kind in (int, float) and not 0 <= number < 2**64:
        raise pytest.UsageError(f"--{PREFIX}-{name} takes a number of at least 0, not {value!r}.")
    if name == "tag-limit" and not number:
        raise pytest.UsageError(f"--{PREFIX}-{name} takes a number of at least 1: the tags that an image may carry.")
    if name == "timeout" and not number:
        raise pytest.UsageError(f"--{PREFIX}-{name} takes a number of more than 0: no answer comes at once.")
    return number
