"""Whatever a tester writes into a file, a variable or an option: one clear line, and never a traceback."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_cloudimages.app.options import OPTIONS
from pytest_cloudimages.app.result_files import deviations_at, results_at
from pytest_cloudimages.client.auth.credentials import find
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.requirements import read_area
from pytest_cloudimages.spec.verdicts import Blocked

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
IDENTITY = "http://127.0.0.1:9/v3"
"""Nobody listens there: an entry that is well written is blocked."""

WORDS = st.sampled_from(
    [IDENTITY, "password", "v3password", "token", "none", "http_basic", "rackspace", "true", "", "7"]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 70_000), st.floats(), st.text(max_size=6), WORDS)
NAMES = st.one_of(st.text(max_size=5), st.sampled_from(["auth_url", "username", "name", "values", "token"]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=6,
)
"""Whatever a file may hold."""

AUTH = {
    "auth_url": IDENTITY,
    "username": "somebody",
    "password": "a-password-of-the-test",
    "project_name": "project",
    "user_domain_id": "default",
    "project_domain_id": "default",
}
SETTINGS = (
    *(
        "auth",
        "auth_type",
        "region_name",
        "regions",
        "profile",
        "verify",
        "cacert",
        "cert",
        "key",
        "interface",
        "insecure",
    ),
    *(
        "endpoint_type",
        "image_endpoint_override",
        "identity_api_version",
        "image_api_version",
        "api_timeout",
        "networks",
    ),
    *("auth_methods", "vendor_hook", "force_ipv4", "domain_id", "password", "token", "unheard_of"),
)


def told(message: str) -> str:
    """Return a message, which is a line that no parser of ours has written for itself."""
    assert len(message.splitlines()) == 1
    assert not re.search(r"(Attribute|Type|Key|Value|Index)Error|object has no attribute", message)
    return message


def refused(path: Path, **entries: Any) -> str:
    """Return what is said of an entry of clouds.yaml; empty where nothing is wrong with it."""
    path.write_text(json.dumps({"clouds": entries}), encoding="utf-8")
    try:
        find({"OS_CLIENT_CONFIG_FILE": str(path)}, cloud="mine", timeout=0.5)
    except (ConfigurationError, Blocked) as problem:
        return told(str(problem))
    return ""


@given(
    changes=st.dictionaries(st.sampled_from(SETTINGS), VALUES, max_size=3),
    auth=st.dictionaries(st.sampled_from([*AUTH, "token", "endpoint", "trust_id", "system_scope"]), VALUES, max_size=2),
    whole=st.booleans(),
)
@example(changes={"auth": "text"}, auth={}, whole=True)
@example(changes={"regions": [{"name": 5}]}, auth={}, whole=True)
@example(changes={"networks": "text"}, auth={}, whole=True)
@example(changes={"cacert": {}}, auth={}, whole=True)
@example(changes={"auth_type": "admin_token", "auth": "text"}, auth={}, whole=True)
@QUICK
def test_an_entry_of_clouds_yaml_is_refused_in_a_line(
    changes: dict[str, Any], auth: dict[str, Any], whole: bool, tmp_path: Path
) -> None:
    """Whatever stands in it, openstacksdk's own words of what it stumbled over are nobody's help."""
    entry = {"auth": {**AUTH, **auth}, "region_name": "R"} if whole else {}
    refused(tmp_path / "clouds.yaml", mine={**entry, **changes})


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (None, ["cloud 'mine' of ", "has no settings", "`auth:`"]),
        ("text", ["cloud 'mine' of ", "has no settings"]),
        ({"auth": "text"}, ["auth: expected settings below it", "got a text"]),
        ({"auth": {**AUTH, "password": 12345}}, ["auth: password: expected a text, got a number. Put it in quotes."]),
        ({"auth": AUTH, "regions": []}, ["regions: expected a list of names, got []"]),
        ({"auth": AUTH, "region_name": 7}, ["region_name: expected a text", "got 7"]),
        ({"auth": AUTH, "verify": "maybe"}, ["verify: expected true or false, got 'maybe'"]),
        ({"auth": AUTH, "api_timeout": "soon"}, ["api_timeout: expected seconds as a number above 0, got 'soon'"]),
        ({"auth": AUTH, "cacert": []}, ["cacert: expected a text or a number, got []"]),
    ],
)
def test_what_an_entry_should_be_is_told(entry: Any, words: list[str], tmp_path: Path) -> None:
    """What was given, what is allowed, and what to do; never a value that may be a secret."""
    message = refused(tmp_path / "clouds.yaml", mine=entry)

    assert [word for word in words if word not in message] == []
    assert "12345" not in message


@given(
    variables=st.dictionaries(
        st.sampled_from([f"OS_{name.upper()}" for name in (*SETTINGS, *AUTH, "token", "cloud", "endpoint")]),
        st.one_of(WORDS, st.text(max_size=6)),
        max_size=5,
    ),
    url=st.one_of(st.none(), WORDS, st.text(max_size=9)),
)
@QUICK
def test_variables_are_refused_in_a_line(variables: dict[str, str], url: str | None) -> None:
    """What they lead to is a service, or a message; the one that names nothing lists the ways to name a service."""
    try:
        find(variables, url=url, timeout=0.5)
    except (ConfigurationError, Blocked) as problem:
        told(str(problem).partition("\n")[0])


REQUIREMENT = {
    "id": "OWN-01",
    "level": "MUST",
    "provenance": "documented",
    "operation": "PUT",
    "statement": "It is so.",
    "document": "House rules",
    "section": "1",
    "observe": "Ask.",
}


@given(
    area=st.dictionaries(
        st.sampled_from(["area", "untested", "documents", "requirements", "other"]), VALUES, max_size=3
    ),
    entry=st.dictionaries(st.sampled_from([*REQUIREMENT, "url", "codes", "untested", "other"]), VALUES, max_size=3),
)
@QUICK
def test_a_catalogue_is_refused_in_a_line(area: dict[str, Any], entry: dict[str, Any]) -> None:
    """Whatever form its fields have."""
    try:
        read_area({"area": "own", "requirements": [{**REQUIREMENT, **entry}], **area}, "own.toml")
    except ValueError as problem:
        assert str(problem).startswith("The catalogue own.toml")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": ""}, "entry 1: these fields are missing or no text: id"),
        ({"id": "own 1"}, "own 1: the id is to be letters and digits in groups with hyphens, such as OWN-01"),
        ({"statement": " "}, "OWN-01: these fields are missing or no text: statement"),
        ({"levle": "MUST"}, "OWN-01: levle has no meaning here; allowed are id, level"),
        ({"untested": 5}, "OWN-01: untested is to be text that says why, not 5"),
    ],
)
def test_what_a_requirement_should_be_is_told(changes: dict[str, Any], words: str) -> None:
    """An empty id and a field that nobody reads, too: it may be one that was misspelt."""
    with pytest.raises(ValueError, match=re.escape(words)):
        read_area({"area": "own", "requirements": [{**REQUIREMENT, **changes}]}, "own.toml")


@given(
    octets=st.one_of(
        st.binary(max_size=40), st.text(max_size=60).map(str.encode), VALUES.map(json.dumps).map(str.encode)
    )
)
@example(octets=b"a = " + b"[" * 100_000)
@example(octets=b'{"format": 1}')
@QUICK
def test_a_file_of_anything_is_refused_in_a_line(octets: bytes, tmp_path: Path) -> None:
    """Own catalogues, deviations and earlier results: octets of whatever kind."""
    file = tmp_path / "file"
    file.write_bytes(octets)
    for read in (load, deviations_at, results_at):
        try:
            read(file)
        except ValueError as problem:
            assert str(file) in str(problem)
            assert len(str(problem)) < 600


@given(
    option=st.sampled_from([option for option in OPTIONS if option.kind != "flag"]),
    text=st.one_of(st.text(max_size=12), st.floats().map(str), st.integers().map(str)),
)
@QUICK
def test_a_value_of_an_option_is_taken_or_refused_in_a_line(option: Any, text: str) -> None:
    """It says what was expected and what came."""
    try:
        option.parse(text)
    except ValueError as problem:
        assert re.fullmatch("expected .*, got .*", told(str(problem)))
