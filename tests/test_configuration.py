"""Options, ini settings, variables and files at once, whatever stands in them: no traceback, and one line for a mistake."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_cloudimages.app.cli import main
from pytest_cloudimages.app.cli.doctor import TAKEN
from pytest_cloudimages.app.option import Option
from pytest_cloudimages.app.options import INI, OPTIONS, PYTEST
from pytest_cloudimages.app.pytest_settings import settings as settings_of
from pytest_cloudimages.engine.settings import Settings

EXAMPLES = int(os.environ.get("EXAMPLES", "60"))
"""How many are tried; ``tox run -e configuration`` tries 3,000, and new ones each time."""
SOME = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
UNUSED = "http://127.0.0.1:9"
"""Nobody listens there."""
ODD = st.sampled_from(
    [
        "",
        " ",
        "0",
        "-1",
        "1",
        "3",
        "1e9",
        "1e12",
        "nan",
        "inf",
        "99999999999",
        "true",
        "maybe",
        "ü",
        "a/b",
        "\x00",
        "é\n",
    ]
)
GOOD = st.sampled_from(
    ["mine", "other", "quick", "explore", UNUSED, f"{UNUSED}/v2", "1/2", "R", "60", "TAG-ADD-01", "file"]
)
TEXTS = st.one_of(GOOD, ODD, st.text(max_size=5))
FIELDS = ("auth", "auth_type", "region_name", "regions", "profile", "verify", "cacert", "api_timeout", "unheard_of")
KINDS = (
    "password",
    "token",
    "none",
    "http_basic",
    "v2password",
    "admin_token",
    "v3applicationcredential",
    "magic",
    "v3oidc",
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 9), st.sampled_from([*KINDS, UNUSED, "R", ""])),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=2)),
    max_leaves=4,
)
AUTH = {
    "auth_url": f"{UNUSED}/v3",
    "username": "somebody",
    "password": "a-password-of-the-test",
    "project_name": "project",
    "user_domain_id": "default",
    "project_domain_id": "default",
}
ENTRY = st.one_of(
    JSON,
    st.builds(
        lambda auth, more: {"auth": {**AUTH, **auth}, "region_name": "R", **more},
        st.dictionaries(st.sampled_from([*AUTH, "token", "endpoint", "trust_id"]), JSON, max_size=2),
        st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=2),
    ),
)
CLOUDS = st.one_of(
    st.fixed_dictionaries({"clouds": st.dictionaries(st.sampled_from(["mine", "other"]), ENTRY, max_size=2)}).map(
        json.dumps
    ),
    JSON.map(json.dumps),
    st.text(max_size=12),
)
VARIABLES = st.dictionaries(
    st.sampled_from(
        [
            *(
                f"OS_{name.upper()}"
                for name in (*AUTH, "token", "cloud", "auth_type", "region_name", "interface", "cacert")
            ),
            *(
                "OS_CLIENT_CONFIG_FILE",
                "OS_INSECURE",
                "OS_ALT_CLOUD",
                "OS_READER_USERNAME",
                "OS_ADMIN_TOKEN",
                "OS_API_KEY",
            ),
            *("CLOUDIMAGES_ENDPOINT", "CLOUDIMAGES_TOKEN", "CLOUDIMAGES_ALT_TOKEN", "CLOUDIMAGES_PLAIN_HTTP"),
            *("CLOUDIMAGES_LEDGER", "HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"),
        ]
    ),
    # No variable can hold a NUL, whoever sets it.
    TEXTS.filter(lambda text: "\x00" not in text and text.isprintable()),
    max_size=5,
)


def words_of(options: Any) -> st.SearchStrategy[list[str]]:
    """Return words of a command line: options with what may stand behind them."""

    def word(option: Option) -> st.SearchStrategy[str]:
        if option.kind == "flag":
            return st.just(f"--{option.name}")
        return TEXTS.map(lambda text: f"--{option.name}={text}")

    return st.lists(st.sampled_from(options).flatmap(word), max_size=4)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Be in an empty folder, with no variable that names anything, and no name that is anybody's."""

    def nowhere(host: Any, *_: Any, **__: Any) -> Any:
        if host not in ("127.0.0.1", b"127.0.0.1", "localhost", "::1"):
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 9))]

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextlib.contextmanager
def surroundings(folder: Path, clouds: str, variables: dict[str, str]) -> Any:
    """Have files and variables for one command, and a home without any."""
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    (folder / "clouds.yaml").write_bytes(clouds.encode("utf-8", "surrogatepass"))
    (folder / "file").write_bytes(clouds.encode("utf-8", "surrogatepass")[::-1])
    home = {
        "HOME": str(folder / "home"),
        "XDG_CONFIG_HOME": str(folder / "home"),
        "XDG_STATE_HOME": str(folder / "home"),
    }
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(kept | home | variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@given(words=words_of(TAKEN), variables=VARIABLES, clouds=CLOUDS)
@example(words=["--cloud=mine"], variables={}, clouds='{"clouds": {"mine": {"auth": "text"}}}')
@example(words=["--timeout=1e12"], variables={"OS_CLOUD": "mine"}, clouds="")
@example(words=[], variables={"CLOUDIMAGES_ENDPOINT": UNUSED, "CLOUDIMAGES_TOKEN": "a-token-of-the-test"}, clouds="{")
@SOME
def test_no_configuration_ends_in_a_traceback(
    words: list[str], variables: dict[str, str], clouds: str, alone: Path
) -> None:
    """It is taken, or refused with exit status 2 and a line; the service that is not there is exit status 3."""
    said, complained = io.StringIO(), io.StringIO()
    with (
        surroundings(alone, clouds, variables),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(complained),
    ):
        try:
            status = main.main(["doctor", *words])
        except SystemExit as end:
            status = end.code  # type: ignore[assignment]
    out, err = said.getvalue(), complained.getvalue()

    assert status in (2, 3), (status, out, err)
    assert "Traceback" not in out + err
    assert not re.search(r"(Attribute|Type|Key|Index|Unicode\w*)Error|object has no attribute", out + err), out + err
    if not out:
        assert len(err.strip().splitlines()) == 1, err
        assert any(word.partition("=")[0] in err for word in [*words, *variables]), err


class Written:
    """What pytest has read of a command line and an ini file, as far as the plugin asks for it."""

    def __init__(self, words: dict[str, Any], ini: dict[str, Any]) -> None:
        self.words, self.ini = words, ini
        self.pluginmanager = self
        self.invocation_params = self
        self.args = [f"{PYTEST}{name.replace('_', '-')}={value}" for name, value in words.items()]

    def get_plugins(self) -> list[object]:
        return []

    def getoption(self, name: str, default: Any = None) -> Any:
        return self.words.get(name.removeprefix(INI), default)

    def getini(self, name: str) -> Any:
        found = self.ini.get(name.removeprefix(INI))
        if isinstance(found, Exception):
            raise found
        return found


def values_of(option: Option, text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Return what pytest may have read for an option."""
    if option.kind == "flag":
        return st.booleans()
    return st.lists(text, max_size=2) if option.repeated else text


def given_for(text: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Return values for some of all options."""
    return st.lists(st.sampled_from(OPTIONS), max_size=4, unique_by=lambda option: option.key).flatmap(
        lambda options: st.fixed_dictionaries({option.key: values_of(option, text) for option in options})
    )


@given(words=given_for(TEXTS), ini=given_for(TEXTS), variables=VARIABLES)
@example(words={"minutes": "1"}, ini={}, variables={})
@example(words={"shard": "1/2"}, ini={"deviations": "file"}, variables={})
@SOME
def test_what_pytest_has_read_is_taken_or_refused_in_a_line(
    words: dict[str, Any], ini: dict[str, Any], variables: dict[str, str]
) -> None:
    """The line begins with what was typed: the option, the setting of the file, or those that do not go together."""
    try:
        made = settings_of(Written(words, ini), variables)  # type: ignore[arg-type] # as far as it is asked
    except (pytest.UsageError, ValueError) as problem:
        (line,) = str(problem).splitlines()
        typed = [*(PYTEST + key.replace("_", "-") for key in words), *(INI + key for key in ini), *variables]
        assert any(name in line for name in typed), (line, typed)
    else:
        assert isinstance(made, Settings)
        assert made.command[:2] == ("cloudimages", "run")
