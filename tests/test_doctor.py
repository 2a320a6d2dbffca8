"""`cloudimages doctor`: every broken set-up has an answer of its own, and it is the one that a run would end with."""

import json
import os
import re
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, cast

import pytest
import requests
from urllib3.exceptions import InsecureRequestWarning, MaxRetryError

from pytest_cloudimages.app.checkup.lines import Line, Topic
from pytest_cloudimages.app.cli.main import main
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.reachability import why_no_tls
from pytest_cloudimages.engine.ledger import Ledger
from pytest_cloudimages.engine.preflight import prepare
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller
from pytest_cloudimages.reference.refusals import Unauthorized
from pytest_cloudimages.reference.server import Server, environment
from pytest_cloudimages.spec.verdicts import Blocked

Environ = dict[str, str]
HANG = "hang"
"""What a scripted server takes for a reply that never comes."""
FINE, USAGE, NOT_JUDGED = 0, 2, 3


@dataclass
class Shaken(App):
    """An honest service with an Identity service, but for what a set-up bends."""

    bend: Callable[[Request, Reply], Reply] = field(default=lambda _, reply: reply)

    def __post_init__(self) -> None:
        super().__init__()

    def handle(self, request: Request) -> Reply:
        """Return the reply as the set-up bends it."""
        return self.bend(request, super().handle(request))


class Secure(Server):
    """A server behind TLS."""

    def __init__(self, app: App, certificate: Path | None = None) -> None:
        super().__init__(app)
        self.context: ssl.SSLContext | None = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
            app.url = self.url = f"https://127.0.0.1:{self.port}"
            self.auth_url = f"{self.url}/identity"

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take a connection, and put TLS on it where it is due."""
        line, address = super().get_request()
        return (self.context.wrap_socket(line, server_side=True) if self.context else line), address

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that left."""


@dataclass
class Cloud:
    """What a set-up is made of: variables that lead to servers of its own."""

    stack: ExitStack
    certificate: Callable[..., Path]
    folder: Path
    environ: Environ = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    def serve(self, bend: Callable[[Request, Reply], Reply] | None = None, certificate: Path | None = None) -> Server:
        """Serve a cloud, and set the variables of its tester, without further callers."""
        server = self.started(Shaken(bend) if bend else App(), certificate)
        self.environ |= {name: value for name, value in environment(server).items() if TESTERS.match(name)}
        return server

    def started(self, app: App, certificate: Path | None = None) -> Server:
        """Serve an app until the test ends."""
        server = Secure(app, certificate)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        for end in (server.close, thread.join, server.shutdown):
            self.stack.callback(end)
        return server

    def closed(self) -> str:
        """Return an address that takes no connection."""
        with socket.socket() as line:
            line.bind(("127.0.0.1", 0))
            return f"http://127.0.0.1:{line.getsockname()[1]}"


TESTERS = re.compile(r"OS_(AUTH_URL|IDENTITY_API_VERSION|REGION_NAME|USERNAME|PASSWORD|(PROJECT|USER)_\w+)$")


def catalogue(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Request, Reply], Reply]:
    """Return what changes the services of a catalogue."""

    def bend(request: Request, reply: Reply) -> Reply:
        if request.path.endswith("/auth/tokens") and reply.status == 201:
            document = cast("dict[str, Any]", json.loads(reply.body))
            change(document["token"]["catalog"])
            return Reply(reply.status, json.dumps(document).encode(), reply.headers)
        return reply

    return bend


def images_of(services: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the endpoints of the image service in a catalogue."""
    found: list[dict[str, Any]] = next(service["endpoints"] for service in services if service["type"] == "image")
    return found


def for_images(status: int, body: bytes = b"", *fields: tuple[str, str]) -> Callable[[Request, Reply], Reply]:
    """Return what answers everything below /v2 in this way."""
    return lambda request, reply: Reply(status, body, fields) if request.path.startswith("/v2") else reply


# Each set-up says what is first in trouble, the exit status, and words that have to be told.


def nothing_named(_: Cloud) -> None:
    """Name nothing."""


def unknown_cloud(cloud: Cloud) -> None:
    """Name an entry that the file does not have."""
    path = cloud.folder / "clouds.yaml"
    path.write_text(json.dumps({"clouds": {"first": {}, "second": {}}}))
    cloud.environ["OS_CLIENT_CONFIG_FILE"] = str(path)
    cloud.words += ["--cloud", "mine"]


def unknown_host(cloud: Cloud) -> None:
    """Misspell the host of Identity."""
    cloud.serve()
    cloud.environ["OS_AUTH_URL"] = "https://identity.invalid/v3"


def plain_http(cloud: Cloud) -> None:
    """Forget the s of https://."""
    cloud.serve()
    cloud.environ["OS_AUTH_URL"] = "http://identity.invalid/v3"


def closed_port(cloud: Cloud) -> None:
    """Name a port where nobody listens."""
    cloud.serve()
    cloud.environ["OS_AUTH_URL"] = f"{cloud.closed()}/identity"


def self_signed(cloud: Cloud) -> None:
    """Trust nobody who signed the certificate."""
    cloud.serve(certificate=cloud.certificate())


def self_signed_image_service(cloud: Cloud) -> None:
    """Trust nobody who signed the certificate of the image service; no Identity service is asked."""
    server = cloud.started(App(), cloud.certificate())
    cloud.environ = {"CLOUDIMAGES_ENDPOINT": server.url, "CLOUDIMAGES_TOKEN": "tok-tok-tok"}


def expired_certificate(cloud: Cloud) -> None:
    """Let the certificate end."""
    certificate = cloud.certificate(begins=-9, ends=-1)
    cloud.serve(certificate=certificate)
    cloud.environ["OS_CACERT"] = str(certificate)


def another_name(cloud: Cloud) -> None:
    """Have a certificate for another host."""
    certificate = cloud.certificate("other.example")
    cloud.serve(certificate=certificate)
    cloud.environ["OS_CACERT"] = str(certificate)


def https_where_http_is_spoken(cloud: Cloud) -> None:
    """Write https:// for a server that speaks http."""
    server = cloud.serve()
    cloud.environ["OS_AUTH_URL"] = server.auth_url.replace("http:", "https:")


def http_where_tls_is_spoken(cloud: Cloud) -> None:
    """Write http:// for a server that speaks TLS."""
    server = cloud.serve(certificate=cloud.certificate())
    cloud.environ["OS_AUTH_URL"] = server.auth_url.replace("https:", "http:")


def wrong_password(cloud: Cloud) -> None:
    """Mistype the password."""
    cloud.serve()
    cloud.environ["OS_PASSWORD"] = "not-the-password"


def wrong_project(cloud: Cloud) -> None:
    """Name a project of others."""
    cloud.serve()
    cloud.environ["OS_PROJECT_NAME"] = "nobodys"


def missing_domain(cloud: Cloud) -> None:
    """Name a user without a domain."""
    cloud.serve()
    cloud.environ["OS_USER_DOMAIN_NAME"] = ""


def ended_token_to_exchange(cloud: Cloud) -> None:
    """Have Identity exchange a token that has ended."""
    server = cloud.serve()
    ended = environment(server)["CLOUDIMAGES_EXPIRED_TOKEN"]
    cloud.environ = {"OS_AUTH_URL": server.auth_url, "OS_TOKEN": ended, "OS_AUTH_TYPE": "v3token"}


def plugin_not_installed(cloud: Cloud) -> None:
    """Sign in by what has to be installed besides."""
    cloud.serve()
    cloud.environ["OS_AUTH_TYPE"] = "v3samlpassword"


def empty_catalogue(cloud: Cloud) -> None:
    """Have no image service in the catalogue."""
    cloud.serve(catalogue(lambda services: services.clear()))


def wrong_region(cloud: Cloud) -> None:
    """Name a region that the cloud has not."""
    cloud.serve()
    cloud.environ["OS_REGION_NAME"] = "regionone"


def glance_for_identity(cloud: Cloud) -> None:
    """Write Glance's address for Identity's."""
    server = cloud.serve()
    cloud.environ["OS_AUTH_URL"] = server.url


def identity_for_glance(cloud: Cloud) -> None:
    """Write Identity's address for the image service's."""

    def bend(request: Request, reply: Reply) -> Reply:
        if request.path.startswith("/identity"):
            return reply
        versions = {"values": [{"id": "v3.14", "status": "stable"}]}
        if request.path == "/":
            return Reply.of_json({"versions": versions}, 300)
        return Reply.of_json({"error": {"code": 404, "title": "Not Found", "message": "(none)"}}, 404)

    cloud.words += ["--endpoint", cloud.serve(bend).url]


def dead_endpoint(cloud: Cloud) -> None:
    """Have a public endpoint that is dead, and an internal one that is not."""
    dead = cloud.closed()
    cloud.serve(
        catalogue(
            lambda services: [entry.update(url=dead) for entry in images_of(services) if entry["interface"] == "public"]
        )
    )


def token_of_another_cloud(cloud: Cloud) -> None:
    """Have an image service that does not know Identity's tokens."""

    class Stranger(App):
        def authenticate(self, request: Request) -> Any:
            raise Unauthorized(request.path)

    cloud.serve()
    cloud.environ["OS_IMAGE_ENDPOINT_OVERRIDE"] = cloud.started(Stranger()).url


def ended_token(cloud: Cloud) -> None:
    """Show a token that has ended."""
    server = cloud.serve()
    ended = environment(server)["CLOUDIMAGES_EXPIRED_TOKEN"]
    cloud.environ = {"CLOUDIMAGES_ENDPOINT": server.url, "CLOUDIMAGES_TOKEN": ended}


def page_of_a_proxy(cloud: Cloud) -> None:
    """Have a login page in between."""
    cloud.serve(for_images(200, b"<html>Please log in</html>", ("Content-Type", "text/html")))


def reader_only(cloud: Cloud) -> None:
    """Be a reader, who may not create."""
    server = cloud.serve()
    cloud.environ |= {"OS_USERNAME": "reader", "OS_PASSWORD": server.app.identity.users["reader"].password}
    cloud.words += ["--write"]


def quota_used_up(cloud: Cloud) -> None:
    """Have no room for one more image."""
    cloud.serve(
        lambda request, reply: (
            Reply.of_json({"message": "Quota exceeded"}, 413)
            if request.method == "POST" and request.path == "/v2/images"
            else reply
        )
    )
    cloud.words += ["--write"]


def wrong_reader(cloud: Cloud) -> None:
    """Mistype the password of the reader."""
    cloud.serve()
    cloud.environ |= {"OS_READER_USERNAME": "reader", "OS_READER_PASSWORD": "not-the-password"}


def no_such_image(cloud: Cloud) -> None:
    """Lend an image that is not there."""
    cloud.serve()
    cloud.words += ["--image", "b7a0b1c2-0000-4000-8000-000000000000"]


SETUPS: list[tuple[Callable[[Cloud], None], str, int, list[str]]] = [
    (nothing_named, "settings", USAGE, ["Nothing says which service", "--cloud NAME"]),
    (unknown_cloud, "settings", USAGE, ["no cloud 'mine'", "first, second"]),
    (unknown_host, "Identity name", NOT_JUDGED, ["identity.invalid", "no address", "OS_AUTH_URL"]),
    (plain_http, "settings", USAGE, ["plain http", "--plain-http", "address name", "no address"]),
    (closed_port, "Identity port", NOT_JUDGED, ["refused", "port", "OS_AUTH_URL"]),
    (self_signed, "Identity TLS", NOT_JUDGED, ["self-signed", "OS_CACERT", "cacert", "OS_INSECURE", "verify"]),
    (self_signed_image_service, "image service TLS", NOT_JUDGED, ["self-signed", "OS_CACERT", "cacert", "verify"]),
    (expired_certificate, "Identity TLS", NOT_JUDGED, ["expired", "valid until", "renewed", "clock"]),
    (another_name, "Identity TLS", NOT_JUDGED, ["other.example", "mismatch", "a name that the certificate is for"]),
    (https_where_http_is_spoken, "Identity TLS", NOT_JUDGED, ["does not speak TLS", "write http://"]),
    (http_where_tls_is_spoken, "Identity", NOT_JUDGED, ["TLS that is spoken", "https://", "OS_AUTH_URL"]),
    (wrong_password, "token", USAGE, ["refuses the password of user tester", "401"]),
    (wrong_project, "token", USAGE, ["User and password are right", "no role in project 'nobodys'", "OS_PROJECT_NAME"]),
    (missing_domain, "token", USAGE, ["400", "OS_USER_DOMAIN_NAME"]),
    (ended_token_to_exchange, "token", USAGE, ["token", "ended"]),
    (plugin_not_installed, "settings", USAGE, ["v3samlpassword", "not installed", "keystoneauth1[saml2]"]),
    (empty_catalogue, "catalogue", USAGE, ["no service of type 'image'", "OS_PROJECT_NAME"]),
    (wrong_region, "catalogue", USAGE, ["'regionone'", "RegionOne", "OS_REGION_NAME"]),
    (glance_for_identity, "Identity", USAGE, ["another service", "v2.16", "gives no tokens"]),
    (identity_for_glance, "versions", NOT_JUDGED, ["an Identity service", "--endpoint"]),
    (dead_endpoint, "image service port", NOT_JUDGED, ["refused", "the catalogue", "OS_INTERFACE=internal"]),
    (token_of_another_cloud, "list", USAGE, ["refuses the token", "Identity gave the token"]),
    (ended_token, "list", USAGE, ["refuses the token", "not expired"]),
    (page_of_a_proxy, "list", NOT_JUDGED, ["text/html", "proxy"]),
    (reader_only, "create", NOT_JUDGED, ["403", "role", "--image ID"]),
    (quota_used_up, "create", NOT_JUDGED, ["413", "quota is used up"]),
    (wrong_reader, "reader", USAGE, ["user reader", "OS_READER_*"]),
    (no_such_image, "list", USAGE, ["There is no image", "--image"]),
]


@pytest.fixture
def cloud(
    tmp_path: Path,
    make_certificate: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    direct: None,  # noqa: ARG001 - asked for what it does
) -> Iterator[Cloud]:
    """Return a set-up to be made, and end its servers."""
    for name in [name for name in os.environ if name.startswith(("OS_", "CLOUDIMAGES_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "1000")
    for names in ("CONFIG_FILES", "SECURE_FILES"):
        monkeypatch.setattr(f"openstack.config.loader.{names}", [])
    with ExitStack() as stack:
        yield Cloud(stack, make_certificate, tmp_path)


@dataclass(frozen=True)
class Told:
    """What the doctor has said."""

    status: int
    data: dict[str, Any]

    @property
    def lines(self) -> dict[str, dict[str, Any]]:
        """The lines by what they speak of."""
        return {line["topic"]: line for line in self.data["lines"]}

    @property
    def first_fault(self) -> dict[str, Any]:
        """The first line after which no run is possible."""
        return next(line for line in self.data["lines"] if line["fault"])

    @property
    def outcomes(self) -> dict[str, str]:
        """How each step went."""
        return {line["topic"]: line["outcome"] for line in self.data["lines"]}

    @property
    def text(self) -> str:
        """All that is told."""
        return json.dumps(self.data, ensure_ascii=False)


@pytest.fixture
def ask(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Return what asks the doctor about the set-up."""

    def asked(*words: str) -> Told:
        for name, value in cloud.environ.items():
            monkeypatch.setenv(name, value)
        status = main(["doctor", "--json", "--timeout", "5", *cloud.words, *words])
        out, err = capfd.readouterr()
        assert err == ""
        return Told(status, json.loads(out))

    return asked


@pytest.mark.parametrize(("setup", "topic", "status", "words"), SETUPS, ids=[setup[0].__name__ for setup in SETUPS])
def test_a_broken_set_up_is_told(
    cloud: Cloud,
    ask: Callable[..., Told],
    setup: Callable[[Cloud], None],
    topic: str,
    status: int,
    words: list[str],
) -> None:
    """The line in trouble is the one that is broken, says what to do, and no secret."""
    setup(cloud)
    told = ask()
    line = told.first_fault

    assert (line["topic"], told.status) == (topic, status), told.text
    since = json.dumps(told.data["lines"][told.data["lines"].index(line) :], ensure_ascii=False)
    assert [word for word in words if word not in since] == []
    assert line["advice"]
    assert told.data["lines"][-1]["topic"] in ("the rest", topic)
    secrets = [value for name, value in cloud.environ.items() if name.endswith(("PASSWORD", "TOKEN"))]
    assert [secret for secret in secrets if secret in told.text] == []


@pytest.mark.parametrize(
    ("setup", "status"), [(setup[0], setup[2]) for setup in SETUPS], ids=[setup[0].__name__ for setup in SETUPS]
)
def test_a_run_ends_with_the_status_that_the_doctor_tells(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, setup: Callable[[Cloud], None], status: int
) -> None:
    """The doctor asks in its own way; what it says of a run is what a run does."""
    setup(cloud)
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)
    words = dict(zip(cloud.words[::2], cloud.words[1::2], strict=False))
    image = tuple(filter(None, [words.get("--image")]))
    settings = Settings(
        url=words.get("--endpoint") or cloud.environ.get("CLOUDIMAGES_ENDPOINT"),
        cloud=words.get("--cloud"),
        image=image,
        timeout=5,
    )
    try:
        run = prepare(settings, ())
    except ConfigurationError:
        assert status == USAGE
        return
    with ExitStack() as stack:
        stack.callback(run.close)
        problem = run.problem
        if problem is None:
            with pytest.raises(Blocked, match="No image could be created"), run.fresh_image():
                pass
        assert status == NOT_JUDGED


def test_every_broken_set_up_has_an_answer_of_its_own() -> None:
    """No two of them are told alike."""
    told = [(topic, *words) for _, topic, _, words in SETUPS]
    assert len({*told}) == len(told) >= 10


@pytest.mark.parametrize("setup", [self_signed, self_signed_image_service])
def test_a_run_too_says_what_to_set_where_tls_fails(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, setup: Callable[[Cloud], None]
) -> None:
    """The settings are named under both names, whoever's certificate it is."""
    setup(cloud)
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)
    run = prepare(Settings(url=cloud.environ.get("CLOUDIMAGES_ENDPOINT"), timeout=5), ())
    run.close()

    assert [word for word in ("OS_CACERT", "cacert", "OS_INSECURE", "verify") if word not in str(run.problem)] == []


# What leaves a run possible


def test_a_sound_set_up(cloud: Cloud, ask: Callable[..., Told]) -> None:
    """Every step is told, nothing is in trouble, and nothing has been changed."""
    server = cloud.serve()
    told = ask()

    assert told.status == FINE
    assert set(told.outcomes.values()) == {"fine", "not tried"}
    assert [name for name, outcome in told.outcomes.items() if outcome == "not tried"] == [
        "second project", "reader", "creator", "administrator", "create", "tag", "delete",
    ]  # fmt: skip
    assert told.data["verdict"] == "READY: cloudimages run --timeout 5"
    assert [*server.app.images.all()] == []


def test_what_it_writes_it_takes_away(cloud: Cloud, ask: Callable[..., Told]) -> None:
    """With --write an image is created, tagged and deleted, and nothing stays."""
    server = cloud.serve()
    told = ask("--write")

    assert told.status == FINE
    assert {name: told.outcomes[name] for name in ("create", "tag", "delete")} == dict.fromkeys(
        ("create", "tag", "delete"), "fine"
    )
    assert [*server.app.images.all()] == []


def test_a_lent_image_is_but_tagged(cloud: Cloud, ask: Callable[..., Told]) -> None:
    """An image that is lent gets a tag and loses it again, and no other is created."""
    server = cloud.serve()
    mine = Caller(server.app.identity.users["tester"].project.id)
    image = server.app.images.create(mine, {"name": "mine", "tags": ["as-it-was"]})
    told = ask("--write", "--image", image.id)

    assert (told.status, told.outcomes["create"], told.outcomes["tag"]) == (FINE, "not tried", "fine")
    assert [each.id for each in server.app.images.all()] == [image.id]
    assert [*server.app.images.show(mine, image.id).tags] == ["as-it-was"]


@pytest.mark.parametrize("lent", [False, True], ids=["created", "lent"])
def test_what_it_writes_is_noted_before(cloud: Cloud, ask: Callable[..., Told], lent: bool) -> None:
    """Should the doctor be killed, a sweep knows of it; in the end nothing is noted."""
    folder = cloud.folder / "ledger"
    cloud.environ["CLOUDIMAGES_LEDGER"] = str(folder)
    noted: list[Any] = []

    def bend(request: Request, reply: Reply) -> Reply:
        if request.method == ("PUT" if lent else "POST") and request.path.startswith("/v2/images"):
            noted.extend(in_ledger(folder))
        return reply

    server = cloud.serve(bend)
    mine = Caller(server.app.identity.users["tester"].project.id)
    image = server.app.images.create(mine, {"name": "mine", "tags": ["as-it-was"]}) if lent else None
    told = ask("--write", *(["--image", image.id] if image else []))

    assert told.status == FINE
    assert (
        noted == [[image.id, '["as-it-was"]']] if image else [name.startswith("pytest-") for (name,) in noted] == [True]
    )
    assert in_ledger(folder) == []


def in_ledger(folder: Path) -> list[list[Any]]:
    """Return what a ledger has noted of images."""
    ledger = Ledger(folder)
    rows = [row for query in ("SELECT name FROM images", "SELECT image, shown FROM lent") for row in ledger.read(query)]
    ledger.close()
    return [[*row] for row in rows]


def test_the_second_endpoint_is_used_where_the_first_is_dead(cloud: Cloud, ask: Callable[..., Told]) -> None:
    """Of two endpoints that fit, the one that takes connections is judged, and the other is told."""
    dead = cloud.closed()
    server = cloud.serve(
        catalogue(lambda services: images_of(services).insert(0, {**images_of(services)[0], "url": dead}))
    )
    told = ask()

    assert (told.status, told.outcomes["catalogue"]) == (FINE, "noted")
    assert f"{server.url}/v2" in told.lines["catalogue"]["came"]
    assert dead in told.lines["catalogue"]["came"]


@pytest.mark.parametrize(("hours", "words"), [(-5, "5.0 hours ahead of it"), (5, "5.0 hours behind it")])
def test_a_clock_that_is_hours_off(cloud: Cloud, ask: Callable[..., Told], hours: int, words: str) -> None:
    """A service whose clock is hours off is trouble, and no reason not to run."""

    def bend(_: Request, reply: Reply) -> Reply:
        then = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
        fields = tuple((name, then if name == "Date" else value) for name, value in reply.headers)
        return Reply(reply.status, reply.body, fields)

    cloud.serve(bend)
    told = ask()

    assert (told.status, told.outcomes["Identity clock"]) == (FINE, "trouble")
    assert words in told.lines["Identity clock"]["came"]
    assert "NTP" in told.lines["image service clock"]["advice"]


def test_limits_of_rates_are_told(cloud: Cloud, ask: Callable[..., Told]) -> None:
    """What headers tell of a limit is shown, and how to stay below it."""
    told_by = ("X-RateLimit-Limit", "120")
    cloud.serve(lambda _, reply: Reply(reply.status, reply.body, (*reply.headers, told_by)))
    line = ask().lines["rate limits"]

    assert (line["outcome"], "X-RateLimit-Limit: 120" in line["came"]) == ("noted", True)
    assert "--max-rps" in line["advice"]


@pytest.mark.parametrize(("usage", "outcome"), [(3, "fine"), (10, "trouble")])
def test_quotas_are_told(cloud: Cloud, ask: Callable[..., Told], usage: int, outcome: str) -> None:
    """Where the service tells of quotas, one that is used up is trouble."""
    document = {"usage": {"image_count_total": {"limit": 10, "usage": usage}}}
    cloud.serve(lambda request, reply: Reply.of_json(document) if request.path == "/v2/info/usage" else reply)
    line = ask().lines["quota"]

    assert (line["outcome"], line["came"]) == (outcome, f"image_count_total {usage} of 10")


def test_further_callers_are_looked_at(cloud: Cloud, ask: Callable[..., Told]) -> None:
    """A second project that is the tester's own is no second project."""
    server = cloud.serve()
    users = server.app.identity.users
    cloud.environ |= {"OS_READER_USERNAME": "reader", "OS_READER_PASSWORD": users["reader"].password}
    cloud.environ |= {"OS_ALT_USERNAME": "creator", "OS_ALT_PASSWORD": users["creator"].password}
    told = ask()

    assert told.status == FINE
    assert (told.outcomes["reader"], told.outcomes["second project"]) == ("fine", "trouble")
    assert "second project" in told.data["verdict"]


def test_an_administrator_stands_for_no_second_project(cloud: Cloud, ask: Callable[..., Told]) -> None:
    """Whoever may do everything shows nothing of what strangers may not do; that is said before a run."""
    users = cloud.serve().app.identity.users
    cloud.environ |= {"OS_ALT_USERNAME": "admin", "OS_ALT_PASSWORD": users["admin"].password}
    cloud.environ["OS_ALT_PROJECT_NAME"] = users["other"].project.name
    users["admin"] = replace(users["admin"], project=users["other"].project)
    told = ask()
    assert told.outcomes["second project"] == "trouble"
    assert "as an administrator" in told.text


def test_certificates_that_are_not_checked(cloud: Cloud, ask: Callable[..., Told]) -> None:
    """OS_INSECURE lets a run begin, and is told."""
    cloud.serve(certificate=cloud.certificate(ends=9))
    cloud.environ["OS_INSECURE"] = "true"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureRequestWarning)
        told = ask()

    assert (told.status, told.outcomes["Identity TLS"]) == (FINE, "noted")
    assert "not checked" in told.lines["Identity TLS"]["came"]


def test_a_certificate_that_ends_soon(cloud: Cloud, ask: Callable[..., Told]) -> None:
    """A certificate is told before it has ended."""
    certificate = cloud.certificate(ends=9)
    cloud.serve(certificate=certificate)
    cloud.environ["OS_CACERT"] = str(certificate)
    line = ask().lines["Identity TLS"]

    assert (line["outcome"], "in 8 days" in line["came"]) == ("noted", True)


def test_it_is_read_by_people(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line begins with how the step went, and below it stands what to do; colours are those of pytest."""
    cloud.serve()
    for name, value in (cloud.environ | {"OS_PASSWORD": "not-the-password", "COLUMNS": "80"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["doctor"]) == USAGE
    colourful = capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FORCE_COLOR")
    assert main(["doctor"]) == USAGE
    plain = capsys.readouterr().out

    assert re.search(r"^\x1b\[31m\x1b\[1mTROUBLE +\x1b\[0mtoken ", colourful, re.MULTILINE)
    assert "\x1b" not in plain
    assert re.search(r"^TROUBLE +token +password of user tester at$", plain, re.MULTILINE)
    assert re.search(r"^ +do: Check the names", plain, re.MULTILINE)
    assert max(map(len, plain.splitlines())) <= 80
    assert plain.splitlines()[-1] == "NOT RUN: no run is possible: token; exit 2"


HOSTILE: dict[str, Any] = {
    "no end of waiting": HANG,
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9\r\n",
    "a body that breaks off": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
    "no gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    "odd JSON": b'HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n{"versions": {"values": 3}, "images": "all"}',
    "a redirection to nowhere": b"HTTP/1.1 301 Moved\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
    "an odd date": b"HTTP/1.1 500 Oops\r\nDate: 99 Foo \x1b[31m\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("as_identity", [True, False], ids=["Identity", "image service"])
@pytest.mark.parametrize("octets", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_server_sends_is_told(
    cloud: Cloud, ask: Callable[..., Told], open_peer: Callable[..., Any], octets: Any, *, as_identity: bool
) -> None:
    """Nothing that stands at an address breaks the doctor off, and a run is not possible with it."""
    peer = open_peer()
    peer.replies = [octets or None] * 60
    cloud.environ |= {"OS_AUTH_URL": peer.url, "OS_USERNAME": "me", "OS_PASSWORD": "pass-word", "OS_PROJECT_NAME": "p"}
    if not as_identity:
        cloud.environ = {"CLOUDIMAGES_ENDPOINT": peer.url, "CLOUDIMAGES_TOKEN": "tok-tok-tok"}
    told = ask("--timeout", "0.3")

    assert told.status in (USAGE, NOT_JUDGED)
    assert "\x1b" not in told.text


def test_an_error_of_the_doctor_is_none_of_the_cloud(
    cloud: Cloud, ask: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was seen before stays told, and nobody else is blamed."""

    def broken(_: object) -> Iterator[Line]:
        yield Topic("quota", "").fine("so far")
        raise AttributeError("nothing of the cloud's")

    cloud.serve()
    monkeypatch.setattr("pytest_cloudimages.app.checkup.questions.Questions.quota", broken)
    told = ask()

    assert told.status == 4
    assert "error of the suite itself" in told.first_fault["came"]
    assert told.outcomes["list"] == "fine"
    assert told.data["verdict"] == "ERROR: quota"


def test_a_proxy_in_between_is_told(cloud: Cloud, ask: Callable[..., Told], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the proxy's name and port that are looked at, and its password is not shown."""
    cloud.serve()
    cloud.environ |= {"OS_AUTH_URL": "http://identity.invalid/v3", "CLOUDIMAGES_PLAIN_HTTP": "true"}
    monkeypatch.setenv("HTTP_PROXY", cloud.closed().replace("http://", "http://me:pass-of-the-proxy@"))
    monkeypatch.setenv("NO_PROXY", "")
    told = ask()

    assert (told.status, told.first_fault["topic"]) == (NOT_JUDGED, "Identity port")
    assert "through 127.0.0.1" in told.lines["Identity proxy"]["came"]
    assert "NO_PROXY=identity.invalid" in told.lines["Identity proxy"]["advice"]
    assert "HTTP_PROXY" in told.first_fault["advice"]
    assert "auth_url" not in told.first_fault["advice"]
    assert "pass-of-the-proxy" not in told.text


@pytest.mark.parametrize("scheme", ["http://me:pass-of-the-proxy@", "me:pass-of-the-proxy@"])
@pytest.mark.parametrize("token", [False, True], ids=["Identity", "image service"])
def test_a_run_tells_of_a_dead_proxy(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, scheme: str, token: bool) -> None:
    """It is the proxy that has refused, and not the service, which nobody has asked."""
    server = cloud.serve()
    issued = server.app.identity.issue("tester").value
    named = {"CLOUDIMAGES_ENDPOINT": server.url, "CLOUDIMAGES_TOKEN": issued} if token else cloud.environ
    closed = cloud.closed().removeprefix("http://")
    for name, value in {**named, "HTTP_PROXY": f"{scheme}{closed}", "NO_PROXY": ""}.items():
        monkeypatch.setenv(name, value)
    run = prepare(Settings(url=named.get("CLOUDIMAGES_ENDPOINT"), timeout=5), ())
    run.close()

    assert f"Check the proxy {closed.partition('/')[0]}, which HTTPS_PROXY" in str(run.problem)
    assert "NO_PROXY=127.0.0.1" in str(run.problem)
    assert "pass-of-the-proxy" not in str(run.problem)


def test_a_file_without_a_certificate_is_told(cloud: Cloud, ask: Callable[..., Told]) -> None:
    """A private key, say, in the place of the authority: that is a setting, and nothing that the service does."""
    file = cloud.folder / "authority.pem"
    file.write_text("-----BEGIN NOTHING-----\n", encoding="utf-8")
    cloud.serve(certificate=cloud.certificate())
    cloud.environ["OS_CACERT"] = str(file)
    told = ask()

    assert (told.status, told.first_fault["topic"]) == (USAGE, "settings")
    assert f"there is no certificate in {str(file)!r}" in told.text
    assert "OS_CACERT" in told.first_fault["advice"]


def test_a_run_says_once_that_no_certificate_is_checked(workshop: Any, cloud: Cloud) -> None:
    """And urllib3, which warns of each connection, says nothing."""
    cloud.serve(certificate=cloud.certificate())
    workshop.environ |= cloud.environ | {"OS_INSECURE": "true"}
    outcome = workshop.judge("--select", "VER-02")

    assert outcome.status == FINE
    assert outcome.out.count("no certificate is checked") == 1
    assert "InsecureRequestWarning" not in outcome.out


def test_an_address_that_is_dead_is_told(
    cloud: Cloud, ask: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a host's addresses, each is tried; one that takes no connection costs everybody time."""
    server = cloud.serve()
    real = socket.getaddrinfo

    def resolved(host: Any, port: Any, *how: Any, **further: Any) -> Any:
        if host != "twofold.example":
            return real(host, port, *how, **further)
        return [entry for address in ("127.0.0.2", "127.0.0.1") for entry in real(address, port, *how, **further)]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    cloud.environ["OS_AUTH_URL"] = f"http://twofold.example:{server.port}/identity"
    cloud.environ["CLOUDIMAGES_PLAIN_HTTP"] = "true"
    told = ask()

    assert (told.status, told.outcomes["Identity port"]) == (FINE, "noted")
    assert "127.0.0.2: " in told.lines["Identity port"]["came"]
    assert "127.0.0.2, 127.0.0.1" in told.lines["Identity name"]["came"]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", ["certificate of yours", "OS_CERT", "OS_KEY"]),
        ("WRONG_VERSION_NUMBER", ["does not speak TLS", "http://"]),
        ("UNSUPPORTED_PROTOCOL", ["UNSUPPORTED_PROTOCOL", "old server"]),
    ],
)
def test_what_openssl_says_is_put_into_words(reason: str, words: list[str]) -> None:
    """However deep it stands in what libraries raise; what is no trouble of TLS is none."""
    inner = ssl.SSLError(1, f"[SSL: {reason}] said (_ssl.c:1)")
    inner.reason = reason
    told = why_no_tls(requests.exceptions.SSLError(MaxRetryError(cast("Any", None), "/", inner)))

    assert [word for word in words if word not in f"{told}"] == []
    assert why_no_tls(requests.ConnectionError(OSError("reset"))) is None


def test_the_sample_in_the_documentation_is_what_is_said(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """But for the names and where lines are broken."""
    page = (Path(__file__).parents[1] / "docs" / "real-clouds.md").read_text(encoding="utf-8")
    server = cloud.serve()
    wrong_password(cloud)
    url = cloud.environ["OS_AUTH_URL"] = f"{server.auth_url}/v3"
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)
    assert main(["doctor"]) == USAGE
    said = (
        " ".join(capsys.readouterr().out.split()).replace(url, "https://identity.example/v3").replace("tester", "alice")
    )
    sample = " ".join(page.partition("```text\n")[2].partition("```")[0].split())

    assert len(sample) > 500
    assert said.endswith(sample)
