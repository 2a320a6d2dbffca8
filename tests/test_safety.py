"""What a run refuses to do unless it is told to, and what it never does to images that are not its own."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.auth.catalogue import Endpoint
from pytest_cloudimages.client.auth.credentials import find, find_other
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.plain_http import HERE_ONLY, VARIABLE, PlainHttp, is_loopback, plain_http
from pytest_cloudimages.client.transport import ExactAdapter, StayingAdapter, staying_and_bounded
from pytest_cloudimages.engine.preflight import prepare
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.images import Caller, Visibility
from pytest_cloudimages.reference.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_cloudimages.reference.app import Reply, Request

TOKEN = "the-token-of-the-tester"
ONE = ("--select", "TAG-ADD-04")
"""A requirement that takes an image, and few requests."""


# Plain http


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST.", "glance.localhost", "localhost.localdomain", "127.0.0.1", "127.8.9.1", "::1"),
        *("0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "0.0.0.0", "::", "ip6-localhost"),  # noqa: S104 - nothing is bound
    ],
)
def test_this_computer(host: str) -> None:
    """What goes to it is read by nobody on the way."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        *("image.example", "localhost.example", "notlocalhost", "127.0.0.1.example", "10.0.0.1", "172.17.0.2", "::2"),
        *("", "128.0.0.1", "::ffff:10.0.0.1", "127.0.0.1x", "2130706433", "xn--localhost-x"),
    ],
)
def test_another_computer(host: str) -> None:
    """A name is what a name server says, and an address of a private network is that of a computer in it."""
    assert not is_loopback(host)


@given(host=st.ip_addresses())
def test_an_address_is_this_computers_or_another(host: Any) -> None:
    """Every address is judged, and none breaks it."""
    assert is_loopback(str(host)) == (host.is_loopback or host.is_unspecified or bool(_mapped(host)))


def _mapped(host: Any) -> bool:
    inner = getattr(host, "ipv4_mapped", None)
    return bool(inner and (inner.is_loopback or inner.is_unspecified))


PASSWORD = {"OS_USERNAME": "me", "OS_PASSWORD": "a-password-of-mine", "OS_PROJECT_NAME": "p"} | {
    "OS_USER_DOMAIN_NAME": "Default",
    "OS_PROJECT_DOMAIN_NAME": "Default",
}
PLACES: dict[str, tuple[str | None, dict[str, str]]] = {
    "an option": ("http://image.example/v2", {"CLOUDIMAGES_TOKEN": TOKEN}),
    "without tokens": ("http://10.1.2.3:9292", {"OS_AUTH_TYPE": "none"}),
    "auth_url": (None, PASSWORD | {"OS_AUTH_URL": "http://identity.example/v3"}),
    "auth_url beside an endpoint": ("https://i.example", PASSWORD | {"OS_AUTH_URL": "http://identity.example/v3"}),
    "an override": (
        None,
        PASSWORD | {"OS_AUTH_URL": "https://identity.example/v3", "OS_IMAGE_ENDPOINT_OVERRIDE": "http://image.example"},
    ),
    "a token as it is": (None, {"OS_TOKEN": TOKEN, "OS_ENDPOINT": "http://image.example"}),
    "HTTP Basic": (
        None,
        {"OS_AUTH_TYPE": "http_basic", "OS_USERNAME": "me", "OS_PASSWORD": "p-p-p", "OS_ENDPOINT": "http://i.example"},
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_plain_http_to_another_computer_is_refused(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked anything before, and the message has the words that allow it."""
    url, environ = PLACES[place]
    monkeypatch.setattr(StayingAdapter, "send", lambda *_, **__: pytest.fail("somebody was asked"))
    with pytest.raises(ConfigurationError) as refused:
        find(environ, url=url, plain_http=PlainHttp(prefix="--cloudimages-"))

    told = str(refused.value)
    assert len(told.splitlines()) == 1
    assert "http://" in told
    assert "--cloudimages-plain-http or CLOUDIMAGES_PLAIN_HTTP=true" in told


@pytest.mark.parametrize("place", ["an option", "without tokens", "a token as it is", "HTTP Basic"])
def test_plain_http_is_taken_where_it_is_allowed(place: str) -> None:
    """The tester knows the way."""
    url, environ = PLACES[place]
    service, _ = find(environ, url=url, plain_http=PlainHttp(allowed=True))

    assert service.endpoint.startswith("http://")


def test_an_address_of_the_catalogue_is_looked_at_too(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Identity may say what it likes of the service: the token goes nowhere by plain http."""
    found = Endpoint("http://image.example/v2", "R")
    monkeypatch.setattr("pytest_cloudimages.client.auth.keystone.Account.endpoint", lambda *_: found)
    environ = PASSWORD | {"OS_AUTH_URL": f"{server.url}/identity/v3", "OS_USERNAME": "tester"}
    environ |= {"OS_PASSWORD": server.app.identity.users["tester"].password, "OS_PROJECT_NAME": "tester"}
    with pytest.raises(ConfigurationError, match=r"^The endpoint http://image\.example/v2 is plain http"):
        find(environ | _project(server))
    service, _ = find(environ | _project(server), plain_http=PlainHttp(allowed=True))
    assert service.endpoint == "http://image.example/v2"


def _project(server: Any) -> dict[str, str]:
    return {"OS_PROJECT_NAME": server.app.identity.users["tester"].project.name}


def test_no_password_follows_a_redirect_to_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of a redirect is a request that the adapter sends."""
    sent: list[str] = []

    def answered(_: Any, request: Any, *args: Any, **how: Any) -> requests.Response:  # noqa: ARG001 - as requests has it
        sent.append(request.url)
        answer = requests.Response()
        answer.status_code, answer.request, answer.url, answer.raw = 307, request, request.url, io.BytesIO()
        answer.headers["Location"] = request.url.replace("https:", "http:")
        return answer

    monkeypatch.setattr(ExactAdapter, "send", answered)
    with requests.Session() as session:
        staying_and_bounded(session, HERE_ONLY)
        with pytest.raises(ConfigurationError, match=r"http://identity\.example/v3 is plain http"):
            session.post("https://identity.example/v3", json={"password": "p"})

    assert sent == ["https://identity.example/v3"]


def test_further_callers_keep_to_it_as_well(server: Any) -> None:
    """Their passwords are as good."""
    service, _ = find({"CLOUDIMAGES_TOKEN": TOKEN}, url=server.url)
    theirs = {name.replace("OS_", "OS_ALT_"): value for name, value in PASSWORD.items()}
    with pytest.raises(ConfigurationError, match="OS_ALT_"):
        find_other(theirs | {"OS_ALT_AUTH_URL": "http://identity.example/v3"}, "ALT", service)


@pytest.mark.parametrize(
    ("value", "allowed"), [("", False), ("true", True), ("1", True), ("no", False), ("OFF", False)]
)
def test_the_environment_may_allow_it(value: str, allowed: bool) -> None:
    """As an option and an ini setting may."""
    assert plain_http({VARIABLE: value}, allowed=False, prefix="--").allowed is allowed
    assert plain_http({VARIABLE: value}, allowed=True, prefix="--").allowed


def test_a_value_that_says_neither_is_told() -> None:
    """It is no permission."""
    with pytest.raises(ConfigurationError, match=f"^{VARIABLE}: expected true or false, got 'perhaps'"):
        plain_http({VARIABLE: "perhaps"}, allowed=True, prefix="--")


@pytest.mark.parametrize("command", ["run", "doctor", "sweep"])
def test_each_command_refuses_it_with_one_line(workshop: Any, command: str) -> None:
    """With exit status 2, and the option as it is typed."""
    workshop.environ |= {"CLOUDIMAGES_TOKEN": TOKEN}
    outcome = workshop.command(command, "--endpoint", "http://image.invalid/v2")

    assert outcome.status == 2, outcome.out
    assert " ".join(outcome.out.split()).count("is plain http to another computer") == 1
    assert "--plain-http" in outcome.out


# Images that are lent


LENT: dict[str, Any] = {
    "its visibility is public": {"visibility": Visibility.PUBLIC},
    "its visibility is community": {"visibility": Visibility.COMMUNITY},
    "it is protected": {"protected": True},
}


@pytest.mark.parametrize("why", LENT)
@pytest.mark.usefixtures("direct")
def test_an_image_that_others_see_or_that_is_protected_is_lent_on_request_only(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tags come off for a while, which its users may notice."""
    app = Counting()
    with serving(app) as server:
        mine = app.images.create(Caller(app.identity.users["tester"].project.id), {"name": "a", "tags": ["mine"]})
        for name, value in LENT[why].items():
            setattr(mine, name, value)
        monkeypatch.setenv("CLOUDIMAGES_TOKEN", app.identity.issue("tester").value)
        lending = Settings(url=server.url, image=(mine.id,))
        with pytest.raises(ConfigurationError) as refused:
            prepare(lending, (TAGS,))
        run = prepare(replace(lending, yes=True), (TAGS,))
        run.close()

    assert why in str(refused.value)
    assert "say --yes" in str(refused.value)
    assert run.problem is None
    assert app.written(mine.id) == []


def test_a_public_image_is_lent_and_comes_back_where_that_is_meant(workshop: Any) -> None:
    """The refusal is one line with exit status 2."""
    app = Counting()
    with serving(app) as server:
        workshop.named(server)
        mine = app.images.create(Caller(app.identity.users["tester"].project.id), {"name": "a", "tags": ["mine"]})
        mine.visibility = Visibility.PUBLIC
        refused = workshop.judge("--image", mine.id, *ONE)
        written = app.written(mine.id)
        judged = workshop.judge("--image", mine.id, *ONE, "--yes")

    assert refused.status == 2, refused.out
    assert len([line for line in refused.out.splitlines() if mine.id in line]) == 1
    assert written == []
    assert judged.status == 0, judged.out
    assert app.written(mine.id)
    assert sorted(app.images.get(mine.id).tags) == ["mine"]


def test_an_image_that_is_shown_as_another_is_not_lent(workshop: Any) -> None:
    """It is not known then whose tags would come off."""

    class Alias(Counting):
        def represent(self, image: Any) -> dict[str, object]:
            return super().represent(image) | {"id": "0b9f8a52-6a63-4a5e-9a53-3d4b9d1f1c11"}

    with serving(Alias()) as server:
        workshop.named(server)
        mine = server.app.images.create(Caller(server.app.identity.users["tester"].project.id), {"name": "a"})
        outcome = workshop.judge("--image", mine.id, *ONE)

    assert outcome.status == 2, outcome.out
    assert "shows another image, '0b9f8a52" in outcome.out


# Images of nobody's business


class Counting(App):
    """A service that keeps what was sent to it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self.creations = 0

    def handle(self, request: Request) -> Reply:
        """Answer as ever."""
        self.sent.append((request.method, request.path))
        return super().handle(request)

    def written(self, identifier: str) -> list[tuple[str, str]]:
        """Return what may have changed an image."""
        return [sent for sent in self.sent if identifier in sent[1] and sent[0] not in ("GET", "HEAD", "OPTIONS")]


class Confused(Counting):
    """A service that takes images for each other; ``victim`` is the tester's own."""

    def __init__(self) -> None:
        super().__init__()
        owner = Caller(self.identity.users["tester"].project.id)
        self.victim = self.images.create(owner, {"name": "golden", "tags": ["mine"]}).id


class AnswersWithAnother(Confused):
    """A creation is answered with the document of another image."""

    def create_image(self, request: Request) -> Reply:
        reply = super().create_image(request)
        return replace(reply, body=json.dumps(self.represent(self.images.get(self.victim))).encode())


class AnswersWithTheIdOfAnother(Confused):
    """A creation is answered with the id of another image, and everything else of its own."""

    def create_image(self, request: Request) -> Reply:
        reply = super().create_image(request)
        return replace(reply, body=json.dumps(json.loads(reply.body) | {"id": self.victim}).encode())


class SwapsThroughout(Confused):
    """A creation is answered with another image's id wherever its own would stand, from the third one on."""

    def create_image(self, request: Request) -> Reply:
        reply = super().create_image(request)
        self.creations += 1
        if self.creations < 3:
            return reply
        own = json.loads(reply.body)["id"]
        headers = tuple((name, value.replace(own, self.victim)) for name, value in reply.headers)
        return replace(reply, body=reply.body.replace(own.encode(), self.victim.encode()), headers=headers)


class LosesAnswersAndNamesAnother(Confused):
    """Creations are answered 500, and the list shows another image by any name that is asked for."""

    def create_image(self, request: Request) -> Reply:
        return replace(super().create_image(request), status=500, body=b"")

    def list_images(self, request: Request) -> Reply:
        reply = super().list_images(request)
        found = re.search(r"name=([^&]+)", request.query or "")
        if not found:
            return reply
        entry = self.represent(self.images.get(self.victim)) | {"name": found[1]}
        return replace(reply, body=json.dumps({"images": [entry]}).encode())


CONFUSIONS: list[Callable[[], Confused]] = [
    AnswersWithAnother,
    AnswersWithTheIdOfAnother,
    SwapsThroughout,
    LosesAnswersAndNamesAnother,
]


@pytest.mark.parametrize("kind", CONFUSIONS)
def test_nothing_is_written_to_an_image_that_was_neither_created_nor_lent(
    workshop: Any, kind: Callable[[], Confused]
) -> None:
    """Whatever a service says of it: the run says so, and ends as one that could not judge."""
    app = kind()
    with serving(app) as server:
        workshop.named(server)
        outcome = workshop.judge("--select", "TAG-ADD", "--select", "TAG-DEL")
        swept = workshop.command("sweep", "--older-than", "0s") if kind is LosesAnswersAndNamesAnother else outcome

    assert app.written(app.victim) == []
    assert sorted(app.images.get(app.victim).tags) == ["mine"]
    assert outcome.status == 3, outcome.out
    assert "Traceback" not in outcome.out + swept.out
