"""Secrets planted wherever a run has some, a service that sends all of them back, and a search of all that it leaves."""

from __future__ import annotations

import base64
import json
import random
import re
import shlex
import string
import sys
import textwrap
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from pytest_cloudimages.client.auth.credentials import find
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.identity import Identity, Token
from pytest_cloudimages.reference.server import environment, serving
from pytest_cloudimages.spec.verdicts import Blocked

sys.path.insert(0, str(Path(__file__).parent))

from own_catalogue import OWN as CATALOGUE
from secret_forms import FORMS

FRAGMENT = 6
"""Characters of a secret of which nothing may be left together."""
INPUTS = ("clouds.yaml", "secure.yaml", "test_own.py", "own.toml", "unhidden.py")
"""What the test itself has written."""


def canary(place: str) -> str:
    """Return a secret that nothing else looks like, with characters that are written in more than one way."""
    drawn = random.Random(place).choices(string.ascii_letters + string.digits, k=24)  # noqa: S311 - no secret
    return f"{''.join(drawn[:12])}/+&'\"é{''.join(drawn[12:])}"


def plain(place: str) -> str:
    """Return such a secret for where a header or a variable holds ASCII alone."""
    return re.sub("[^A-Za-z0-9]+", "-", canary(place))


PLACES = {
    "a password in secure.yaml": canary,
    "a password in clouds.yaml": canary,
    "a password in variables": canary,
    "a password in the variables of another project": canary,
    "the secret of an application credential": canary,
    "the secret of an application credential that is used": canary,
    "an API key": canary,
    "a token that has ended": plain,
    "the password of a proxy": plain,
    "the password of a proxy for http": plain,
    "a cookie of the service": plain,
    "a token in a header of the service": plain,
    "a token in a body of the service": plain,
    "a password in a body of the service": canary,
}
USED = "the secret of an application credential that is used"
CANARIES = {place: draw(place) for place, draw in PLACES.items()}


class RecordingIdentity(Identity):
    """Remembers every token that it has given."""

    def __init__(self) -> None:
        super().__init__(
            {
                "tester": CANARIES["a password in secure.yaml"],
                "other": CANARIES["a password in the variables of another project"],
                "reader": CANARIES["a password in variables"],
                "creator": CANARIES["a password in clouds.yaml"],
            }
        )
        self.given: dict[str, str] = {}

    def authenticate(self, document: Any) -> Token:
        """Take an application credential, too: the administrator's."""
        asked = document["auth"]["identity"]
        if asked["methods"] != ["application_credential"]:
            return super().authenticate(document)
        assert asked["application_credential"]["secret"] == CANARIES[USED]
        return self.issue("admin", methods=("application_credential",))

    def issue(self, *given: Any, **named: Any) -> Token:
        """Remember a token."""
        token = super().issue(*given, **named)
        self.given[f"token {len(self.given)} of {token.user.name}"] = token.value
        return token


MANY = 2
"""Tags of an image beside which it shows further ones; with fewer, checks come as far as their question."""


class TellingApp(App):
    """Sends back what it was sent, in many forms and cut, and has secrets of its own to tell."""

    def handle(self, request: Request) -> Reply:
        """Add what was sent to the headers and, where it is no success, to the body."""
        reply = super().handle(request)
        if reply.status == 204:
            # What departs from the page is shown with all that came.
            reply = Reply(HTTPStatus.OK, b"{}", reply.headers)
        if not request.path.startswith("/v2"):
            return reply
        token = request.headers.get("X-Auth-Token", "none")
        headers = (
            ("X-Echo", token),
            ("X-Echo-Cut", token[5:30]),
            ("X-Echo-Encoded", base64.b64encode(f"user:{token}".encode()).decode()),
            ("X-Echo-Query", urllib.parse.quote(f"?X-Auth-Token={token}", safe="")),
            ("Set-Cookie", f"session={CANARIES['a cookie of the service']}; Path=/; HttpOnly"),
            ("X-Subject-Token", CANARIES["a token in a header of the service"]),
        )
        return Reply(reply.status, self.told(reply, token), (*reply.headers, *headers))

    def told(self, reply: Reply, token: str) -> bytes:
        """Return the body with the token among the tags of an image, or in what is said of an error."""
        sent = [
            token,
            token[7:-7],
            *(FORMS[form](token) for form in ("url, every octet", "base64", "hex", "HTML, numbered")),
        ]
        own = {
            "token": CANARIES["a token in a body of the service"],
            "admin_password": CANARIES["a password in a body of the service"],
            "again": [*CANARIES.values()],
        }
        if reply.status >= 400:
            return json.dumps({"message": f"{reply.body!r} was asked with {sent}", **own}).encode()
        try:
            body = json.loads(reply.body)
        except ValueError:
            return reply.body
        if "images" not in body:
            body |= {"echo": sent}
        if len(body.get("tags", ())) > MANY:
            return json.dumps({**body, "tags": [*body["tags"], *sent, *CANARIES.values()], **own}).encode()
        return json.dumps(body).encode()


OWN = """
    import logging
    import warnings

    from pytest_cloudimages import requirement

    @requirement("OWN-01")
    def test_crash(cloudimages_image, cloudimages_credentials):
        token = cloudimages_credentials.token()
        answer = cloudimages_image.client.add_tag("unknown", "a")
        print("the token is", token)
        logging.getLogger("own").warning("the token is %s", token)
        warnings.warn(f"the token is {token}")
        raise RuntimeError(f"a crash with {token} in its message, after {answer.body}")
"""
UNHIDDEN = """
    from pytest_cloudimages.client import exchange, redaction

    redaction._Known.hide = lambda self, text: text
    exchange.is_secret = lambda name: False
"""
"""A plugin that takes redaction out."""
LOUD = shlex.split(
    "-vv --showlocals --tb=long --show-capture=all -rA --setup-show --debug --log-file=log.txt --log-level=DEBUG"
    " -o log_cli=true -o log_cli_level=DEBUG -o junit_logging=all"
)
EXPORTS = ("sarif", "sarif-github", "ctrf", "codequality", "markdown", "lines", "badge-json")
REPLAYS = ((), ("--as", "sh"), ("--as", "pytest"))
"""The ways in which a finding is replayed, or printed."""
SELECTED = ("AUTH", "OWN-01", "RBAC-02", "TAG-ADD-01", "TAG-ADD-11", "TAG-AUTH-01", "TAG-AUTH-02", "TAG-DEL-01")


@dataclass
class Left:
    """All that a run has left, by where it was found."""

    texts: dict[str, str]
    further: Mapping[str, str] = field(default_factory=dict)

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets of the run."""
        return {**CANARIES, **self.further}

    def leaks(self) -> Iterator[tuple[str, str, str]]:
        """Yield each secret, where it was found, and in which form or which part of it."""
        for name, text in self.texts.items():
            for place, secret in self.secrets.items():
                for form, write in FORMS.items():
                    if write(secret) in text:
                        yield place, name, form
                runs = re.split("[^A-Za-z0-9_-]", secret)
                for part in {run[begin : begin + FRAGMENT] for run in runs for begin in range(len(run) - FRAGMENT + 1)}:
                    if part in text:
                        yield place, name, part


def judged(workshop: Any, *words: str) -> Left:
    """Judge the service that tells everything, with all that a secret could get out by."""
    identity = RecordingIdentity()
    with serving(TellingApp(identity=identity)) as server:
        signing_in = {name: value for name, value in environment(server).items() if name.startswith("OS_")}
        auth = {"auth_url": signing_in["OS_AUTH_URL"], "user_domain_name": "Default", "project_domain_name": "Default"}

        def entry(user: str, **more: str) -> dict[str, Any]:
            project = identity.users[user].project.name
            return {
                "region_name": signing_in["OS_REGION_NAME"],
                "auth": {**auth, "username": user, "project_name": project, **more},
            }

        mine, creator = entry("tester"), entry("creator", password=CANARIES["a password in clouds.yaml"])
        workshop.write("clouds.yaml", json.dumps({"clouds": {"mine": mine, "creator": creator}}))
        secure = {"mine": {"auth": {"password": CANARIES["a password in secure.yaml"]}}}
        workshop.write("secure.yaml", json.dumps({"clouds": secure}))
        workshop.write("own.toml", textwrap.dedent(CATALOGUE))
        workshop.write("unhidden.py", textwrap.dedent(UNHIDDEN))
        own = workshop.write("test_own.py", textwrap.dedent(OWN))
        workshop.environ |= {
            name: value for name, value in signing_in.items() if name.startswith(("OS_ALT_", "OS_READER_"))
        }
        workshop.environ |= {f"OS_{who}_AUTH_URL": signing_in["OS_AUTH_URL"] for who in ("ALT", "READER")}
        workshop.environ |= {
            "OS_APPLICATION_CREDENTIAL_SECRET": CANARIES["the secret of an application credential"],
            "OS_API_KEY": CANARIES["an API key"],
            "CLOUDIMAGES_EXPIRED_TOKEN": CANARIES["a token that has ended"],
            "OS_ADMIN_AUTH_URL": signing_in["OS_AUTH_URL"],
            "OS_ADMIN_AUTH_TYPE": "v3applicationcredential",
            "OS_ADMIN_APPLICATION_CREDENTIAL_ID": "the-id-of-the-administrator-s",
            "OS_ADMIN_APPLICATION_CREDENTIAL_SECRET": CANARIES[USED],
            "HTTPS_PROXY": f"http://somebody:{CANARIES['the password of a proxy']}@127.0.0.1:9",
            "HTTP_PROXY": f"http://somebody:{CANARIES['the password of a proxy for http']}@127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
            "PYTHONPATH": str(workshop.folder),
        }
        selected = [f"--cloudimages-select={identifier}" for identifier in SELECTED]
        options = [
            "cloud=mine",
            "creator-cloud=creator",
            "profile=quick",
            "patience=0.3",
            "seed=1",
            "reports=reports",
            "catalogue=own.toml",
            *(f"export={name}" for name in EXPORTS),
        ]
        suite = ["--pyargs", "pytest_cloudimages.conformance", "--import-mode=importlib"]
        outcome = workshop.end(
            workshop.start(
                "pytest", *words, *suite, str(own), *LOUD, *selected, *(f"--cloudimages-{option}" for option in options)
            )
        )
        shown = {
            f"replay {' '.join(how)}": workshop.command(
                "replay", "reports/findings/TAG-ADD-01.json", "--cloud", "mine", "--patience", "0.3", *how
            ).out
            for how in REPLAYS
        }
    files = [
        path
        for path in workshop.folder.rglob("*")
        if path.is_file() and path.name not in INPUTS and path.suffix not in (".pyc", ".gz")
    ]
    texts = {str(path.relative_to(workshop.folder)): path.read_bytes().decode("utf-8", "replace") for path in files}
    return Left({"terminal": outcome.out, **shown, **texts}, identity.given)


@pytest.fixture(scope="module")
def left(shared_workshop: Callable[[str], Any]) -> Left:
    """Return what a run has left."""
    return judged(shared_workshop("canaries"))


def test_no_secret_is_left_anywhere(left: Left) -> None:
    """Neither on the terminal, nor in a report, a script, a log, a cache or a ledger, in no form and no part."""
    assert sorted(left.leaks())[:20] == []
    assert {"terminal", "log.txt", "pytestdebug.log", "reports/conformance.json", "reports/junit.xml"} <= {*left.texts}
    assert {name.partition("/")[0] for name in left.texts} >= {".pytest_cache", "reports"}
    names = {Path(name).name for name in left.texts}
    assert {"ledger.sqlite3", "index.html", "TAG-ADD-01.json"} <= names
    assert len(names) > len(EXPORTS) + 20
    assert "a crash with *** in its message" in left.texts["terminal"]


def test_the_report_names_no_project(left: Left) -> None:
    """The endpoint says what was judged; nothing else says for whom."""
    results = json.loads(left.texts["reports/conformance.json"])

    assert results["service"]["region"] is None
    assert results["service"]["credentials"].startswith("password at http")
    assert "(project 1)" in left.texts["reports/conformance.json"]


def test_without_redaction_every_secret_is_found(shared_workshop: Callable[[str], Any]) -> None:
    """The search is no better than what it has been seen to find: each canary, in every kind of output."""
    left = judged(shared_workshop("unhidden"), "-p", "unhidden")
    found = [*left.leaks()]

    assert {place for place, _, _ in found} >= {*CANARIES}
    assert any(place.endswith("of tester") for place, _, _ in found)
    assert {name for _, name, _ in found} >= {
        "terminal",
        "log.txt",
        "pytestdebug.log",
        "reports/conformance.json",
        "reports/index.html",
        "reports/conformance.html",
        "reports/junit.xml",
    }


SIGNING_IN = {"OS_USERNAME": "u", "OS_PASSWORD": "a-password-of-the-test", "OS_PROJECT_NAME": "p"}


@pytest.mark.parametrize(
    "form",
    [
        "http://somebody:{}@127.0.0.1:9/v2",
        "http://{}@127.0.0.1:9/v2",
        "http://127.0.0.1:9/v2?key={}",
        "http://127.0.0.1:9/v2?a=b&{}={}#x",
    ],
)
@pytest.mark.parametrize("name", ["CLOUDIMAGES_ENDPOINT", "OS_AUTH_URL"])
def test_a_url_tells_none_of_its_secrets(name: str, form: str) -> None:
    """A user, a password or a query in an address is refused, and not repeated."""
    secret = plain(form)
    written = form.replace("{}", secret)
    given: Mapping[str, str] = (
        {"CLOUDIMAGES_TOKEN": "a-token-of-the-test"} if name == "CLOUDIMAGES_ENDPOINT" else SIGNING_IN
    )
    with pytest.raises((ConfigurationError, Blocked)) as refused:
        find({name: written, **given}, url=written if name == "CLOUDIMAGES_ENDPOINT" else None)

    assert [*Left({"message": str(refused.value)}, {form: secret}).leaks()] == []


def test_what_was_typed_is_not_in_the_debug_log(workshop: Any) -> None:
    """The arguments are written down before anybody knows what is in them."""
    secret = plain("typed")
    options = (
        f"--cloudimages-endpoint=http://somebody:{secret}@127.0.0.1:9/v2?key={secret}",
        "--cloudimages-reports=reports",
    )
    outcome = workshop.pytest("def test_own(cloudimages_run): pass\n", "--debug", *options)
    texts = {str(path): path.read_text("utf-8") for path in Path(workshop.folder).glob("*.log")}

    assert outcome.status != 0
    assert len(texts) == 1
    assert [*Left({"terminal": outcome.out, **texts}, {"typed": secret}).leaks()] == []
