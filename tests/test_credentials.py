"""Finding a service and somebody who may ask it, with the embedded Identity service and imitations of odder ones."""

import base64
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from pytest_cloudimages.client.auth.credentials import Service, find, find_other, nobody, normalised, ways
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import Server, environment, serving
from pytest_cloudimages.spec.verdicts import Blocked

Environ = dict[str, str]
Write = Callable[..., Path]
URL = "https://image.example/v2"
PASSWORD = "correct-horse-battery"
TOKEN = "gAAAAtoken-of-the-imitation"
SERVICE = Service(URL, None, "--endpoint")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Serve the embedded service for all tests of this module."""
    with serving(App()) as running:
        yield running


@pytest.fixture
def openrc(server: Server) -> Environ:
    """Return the variables of the embedded service's tester, without the other identities."""
    others = ("OS_ALT_", "OS_READER_", "OS_ADMIN_")
    return {name: value for name, value in environment(server).items() if not name.startswith(others)}


@pytest.fixture(autouse=True)
def _no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find no clouds.yaml of whoever runs this."""
    for names in ("CONFIG_FILES", "SECURE_FILES"):
        monkeypatch.setattr(f"openstack.config.loader.{names}", [])


@pytest.fixture
def clouds(tmp_path: Path) -> Write:
    """Write a clouds.yaml; JSON is YAML too."""

    def write(text: str | None = None, **entries: Any) -> Path:
        path = tmp_path / "clouds.yaml"
        path.write_text(json.dumps({"clouds": entries}) if text is None else text)
        return path

    return write


def entry(openrc: Environ, **further: Any) -> dict[str, Any]:
    """Turn variables into an entry of clouds.yaml."""
    names = ("auth_url", "username", "password", "project_name", "user_domain_name", "project_domain_name")
    return {"auth": {name: openrc[f"OS_{name.upper()}"] for name in names}} | further


def image(*regions: str | None, interface: str = "public", name: str = "glance", url: str = URL) -> dict[str, Any]:
    """Return a catalogue entry with an endpoint in each region."""
    endpoints = [
        {
            "interface": interface,
            "url": url.replace("image", (region or "image").lower()),
            "region": region,
            "region_id": region,
        }
        for region in regions
    ]
    return {"type": "image", "name": name, "endpoints": endpoints}


class Imitation:
    """An Identity service that answers as it is told."""

    def __init__(self) -> None:
        self.catalogue: list[dict[str, Any]] = [image("RegionOne")]
        self.status = 201
        self.headers: dict[str, str] = {}
        self.body: bytes | None = None
        self.lifetime = timedelta(hours=1)
        self.asked: list[Any] = []
        self.v2: dict[str, Any] | None = None
        self.url = ""

    def answer(self, document: Any) -> tuple[int, dict[str, str], bytes]:
        """Answer a request for a token."""
        self.asked.append(document)
        token = {
            "methods": ["password"],
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": (datetime.now(UTC) + self.lifetime).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "user": {"id": "u", "name": "me", "domain": {"id": "default", "name": "Default"}},
            "project": {"id": "the-project", "name": "p", "domain": {"id": "default", "name": "Default"}},
            "roles": [],
            "catalog": self.catalogue,
        }
        body = json.dumps({"token": token} if self.v2 is None else self.v2).encode()
        headers = {"X-Subject-Token": f"{TOKEN}-{len(self.asked)}", "Content-Type": "application/json"} | self.headers
        return self.status, headers, body if self.body is None else self.body

    def environ(self, **further: str) -> Environ:
        """Return the variables that lead here."""
        names = {"AUTH_URL": f"{self.url}/v3", "USERNAME": "me", "PASSWORD": PASSWORD, "PROJECT_NAME": "p"}
        names |= {"USER_DOMAIN_NAME": "Default", "PROJECT_DOMAIN_NAME": "Default", "AUTH_TYPE": "v3password"}
        return {f"OS_{name}": value for name, value in (names | further).items()}


@pytest.fixture
def identity() -> Iterator[Imitation]:
    """Run an imitation for one test."""
    imitation = Imitation()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, headers, body = imitation.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        imitation.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield imitation
        running.shutdown()
        thread.join()


@contextmanager
def refused(kind: type[Exception], *words: str) -> Iterator[None]:
    """Expect a message with these words, and without a secret or a traceback of others."""
    with pytest.raises(kind) as caught:
        yield
    text = str(caught.value)
    for word in words:
        assert word in text
    assert PASSWORD not in text
    assert TOKEN not in text
    assert caught.value.__cause__ is None


# Addresses


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://image.example", "https://image.example/v2"),
        ("https://image.example/", "https://image.example/v2"),
        ("https://image.example/v2", "https://image.example/v2"),
        ("https://image.example/v2/", "https://image.example/v2"),
        ("https://image.example/v2.9", "https://image.example/v2"),
        ("https://image.example/v2/v2", "https://image.example/v2"),
        ("http://[::1]:9292", "http://[::1]:9292/v2"),
        ("http://h:9292/prefix/image/", "http://h:9292/prefix/image/v2"),
        ("http://h/prefix/v2.0//", "http://h/prefix/v2"),
        ("HTTPS://h", "https://h/v2"),
        ("http://h/av2", "http://h/av2/v2"),
    ],
)
def test_an_endpoint_ends_in_one_v2(given: str, used: str) -> None:
    """With or without version and slash, the endpoint is the same."""
    assert normalised(given) == used


@pytest.mark.parametrize(
    "given",
    [
        "",
        "image.example",
        "image.example:9292/v2",
        "ftp://h",
        "http://",
        "http://h:port",
        "http://h:99999",
        "http://[::1",
        "http://h/a b",
        "http://h/v2\n",
        "http://h/v2/images",
        "http://h/v2/images/1",
        "http://h/v1",
        "http://h/v2?x=1",
        "http://h/v2#x",
        f"http://me:{PASSWORD}@h/v2",
    ],
)
def test_what_is_no_endpoint(given: str) -> None:
    """An address that cannot be an image service's is refused, and its password is not shown."""
    with refused(ConfigurationError, "Give "):
        normalised(given)


# Ways to name a service


def test_nothing_given_is_refused() -> None:
    """There is no default: without a service named, the ways to name one are listed."""
    with refused(ConfigurationError, "Nothing says which service", ways()):
        find({})


@pytest.mark.parametrize(
    "environ",
    [
        {"CLOUDIMAGES_TOKEN": TOKEN},
        {"OS_TOKEN": TOKEN},
        {"OS_USERNAME": "me", "OS_PASSWORD": PASSWORD},
        {"OS_AUTH_URL": "", "OS_AUTH_TYPE": "none"},
    ],
)
def test_who_without_where_is_refused(environ: Environ) -> None:
    """Variables that say who asks do not say where."""
    with refused(ConfigurationError, "nothing says where", ways()):
        find(environ)


def test_endpoint_and_token() -> None:
    """An endpoint with CLOUDIMAGES_TOKEN needs no Identity service, and wins over OS_* variables."""
    environ = {"CLOUDIMAGES_TOKEN": TOKEN, "OS_AUTH_URL": "http://127.0.0.1:1/v3", "OS_USERNAME": "me"}
    service, credentials = find(environ, url="https://image.example")

    assert service == Service(URL, None, "--endpoint")
    assert credentials.token() == TOKEN
    assert credentials.how == "token from CLOUDIMAGES_TOKEN"
    assert credentials.project_id is None


def test_the_variable_of_the_endpoint_is_named() -> None:
    """The header tells CLOUDIMAGES_ENDPOINT from the option."""
    service, _ = find({"CLOUDIMAGES_ENDPOINT": URL, "CLOUDIMAGES_TOKEN": TOKEN}, url=URL)
    assert service.named == "CLOUDIMAGES_ENDPOINT"


def test_endpoint_without_token_is_refused() -> None:
    """An endpoint alone says where, not who."""
    with refused(ConfigurationError, "CLOUDIMAGES_TOKEN", "OS_AUTH_TYPE=none", URL):
        find({}, url=URL)


def test_a_token_with_a_line_break_is_refused() -> None:
    """A token that no header can carry is told before it is sent."""
    with refused(ConfigurationError, "token from CLOUDIMAGES_TOKEN"):
        find({"CLOUDIMAGES_TOKEN": f"{TOKEN}\n"}, url=URL)


@pytest.mark.parametrize(
    ("environ", "token"),
    [
        ({"OS_AUTH_TYPE": "none"}, None),
        ({"OS_AUTH_TYPE": "none", "OS_USERNAME": "me", "OS_USER_DOMAIN_NAME": "Default"}, None),
        ({"OS_TOKEN": TOKEN}, TOKEN),
        ({"OS_AUTH_TYPE": "admin_token", "OS_TOKEN": TOKEN, "OS_ENDPOINT": "http://elsewhere"}, TOKEN),
    ],
)
def test_endpoint_with_a_token_from_elsewhere(environ: Environ, token: str | None) -> None:
    """Without CLOUDIMAGES_TOKEN, the OS_* variables say who asks at the endpoint."""
    service, credentials = find(environ, url=URL)
    assert service.endpoint == URL
    assert credentials.token() == token


def test_endpoint_with_a_password(openrc: Environ, server: Server) -> None:
    """The endpoint replaces the catalogue's, the token comes from Identity."""
    service, credentials = find(openrc, url=URL)
    assert service.endpoint == URL
    assert server.app.identity.validate(credentials.token()).user.name == "tester"


def test_variables(openrc: Environ, server: Server) -> None:
    """OS_* variables give the catalogue's endpoint, and a token that opens it."""
    service, credentials = find(openrc)
    assert service == Service(f"{server.url}/v2", "RegionOne", "OS_* variables")
    assert credentials.how == f"password of user tester at {server.auth_url}"
    assert credentials.project_id == server.app.identity.users["tester"].project.id
    token = credentials.token()
    assert token is not None
    assert requests.get(f"{service.endpoint}/images", headers={"X-Auth-Token": token}, timeout=5).status_code == 200


def test_the_embedded_server_is_named_so(openrc: Environ) -> None:
    """No report takes the embedded server for a cloud."""
    assert find(openrc, embedded=True)[0].named == "the embedded server"


@pytest.mark.parametrize(
    ("environ", "token", "how"),
    [
        ({"OS_AUTH_TYPE": "none", "OS_ENDPOINT": "https://image.example"}, None, "no authentication"),
        ({"OS_AUTH_TYPE": "none", "OS_IMAGE_ENDPOINT_OVERRIDE": URL}, None, "no authentication"),
        ({"OS_AUTH_TYPE": "admin_token", "OS_ENDPOINT": URL, "OS_TOKEN": TOKEN}, TOKEN, "token of OS_* variables"),
        ({"OS_AUTH_TYPE": "token_endpoint", "OS_ENDPOINT": URL, "OS_TOKEN": TOKEN}, TOKEN, "token of OS_* variables"),
        ({"OS_ENDPOINT": URL, "OS_TOKEN": TOKEN}, TOKEN, "token from OS_TOKEN"),
    ],
)
def test_variables_without_identity(environ: Environ, token: str | None, how: str) -> None:
    """OS_ENDPOINT names the service where no Identity service is asked."""
    service, credentials = find(environ)
    assert service == Service(URL, None, "OS_* variables")
    assert (credentials.token(), credentials.how) == (token, how)


@pytest.mark.parametrize("how", ["option", "variable"])
def test_an_entry_of_clouds_yaml(openrc: Environ, clouds: Write, server: Server, how: str) -> None:
    """An entry is named by option or variable, and the variables that describe another are not looked at."""
    environ = {"OS_CLIENT_CONFIG_FILE": str(clouds(mine=entry(openrc))), "OS_USERNAME": "nobody"}
    environ |= {} if how == "option" else {"OS_CLOUD": "mine"}
    service, credentials = find(environ, cloud="mine" if how == "option" else None)

    assert service == Service(f"{server.url}/v2", "RegionOne", "cloud 'mine' of clouds.yaml")
    assert credentials.how == f"password of user tester at {server.auth_url}"


def test_the_option_wins_over_os_cloud(openrc: Environ, clouds: Write) -> None:
    """--cloud counts before OS_CLOUD."""
    environ = {"OS_CLIENT_CONFIG_FILE": str(clouds(mine=entry(openrc))), "OS_CLOUD": "other"}
    assert find(environ, cloud="mine")[0].named == "cloud 'mine' of clouds.yaml"


def test_secure_yaml(openrc: Environ, clouds: Write, tmp_path: Path) -> None:
    """A password may stand in secure.yaml, and is hidden from then on."""
    mine = entry(openrc)
    secret = mine["auth"].pop("password")
    secure = tmp_path / "secure.yaml"
    secure.write_text(json.dumps({"clouds": {"mine": {"auth": {"password": secret}}}}))
    environ = {"OS_CLIENT_CONFIG_FILE": str(clouds(mine=mine)), "OS_CLIENT_SECURE_FILE": str(secure)}

    assert find(environ, cloud="mine")[1].token()
    assert SECRETS.hide(secret) == "***"


def test_files_are_found_where_openstack_looks(openrc: Environ, clouds: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without OS_CLIENT_CONFIG_FILE, the usual places are searched, and the first file counts."""
    path = clouds(mine=entry(openrc))
    monkeypatch.setattr("openstack.config.loader.CONFIG_FILES", [str(path.parent / "none.yaml"), str(path)])
    assert find({}, cloud="mine")[0].region == "RegionOne"


def test_tls_settings(tmp_path: Path) -> None:
    """Certificates, and leave to do without, reach the service."""
    pem = tmp_path / "x.pem"
    pem.write_text("")
    common = {"CLOUDIMAGES_TOKEN": TOKEN, "OS_CERT": str(pem), "OS_KEY": str(pem)}
    authority = DEFAULT_CA_BUNDLE_PATH
    service, _ = find(common | {"OS_CACERT": authority}, url=URL)
    assert (service.verify, service.cert) == (authority, (str(pem), str(pem)))
    variables = {"OS_AUTH_TYPE": "none", "OS_ENDPOINT": URL}
    for insecure in ("1", "true", "True", "yes"):
        assert find(common | {"OS_INSECURE": insecure}, url=URL)[0].verify is False
        assert find(variables | {"OS_INSECURE": insecure})[0].verify is False
    assert find(variables | {"OS_CACERT": authority})[0].verify == authority
    with refused(ConfigurationError, "no certificate in", "x.pem", "OS_CACERT"):
        find(common | {"OS_CACERT": str(pem)}, url=URL)


@pytest.mark.parametrize("name", ["OS_CACERT", "OS_CERT"])
@pytest.mark.parametrize("way", [{"OS_AUTH_TYPE": "none", "OS_ENDPOINT": URL}, {"OS_TOKEN": TOKEN, "OS_ENDPOINT": URL}])
def test_a_missing_certificate_is_told(way: Environ, name: str) -> None:
    """A path that leads nowhere is named before anything is sent."""
    with refused(ConfigurationError, "/nowhere.pem", name):
        find(way | {name: "/nowhere.pem"})


# The catalogue


@pytest.mark.parametrize(
    ("catalogue", "further", "endpoint", "region"),
    [
        ([image("RegionOne")], {}, URL.replace("image", "regionone"), "RegionOne"),
        ([image("A", "B")], {"REGION_NAME": "B"}, URL.replace("image", "b"), "B"),
        ([image(None)], {}, URL, None),
        ([image("A", url="https://image.example/")], {}, "https://a.example/v2", "A"),
        ([image("A", interface="internal"), image("B")], {}, "https://b.example/v2", "B"),
        ([image("A", interface="internal"), image("B")], {"INTERFACE": "internal"}, "https://a.example/v2", "A"),
        ([image("A", interface="internal"), image("B")], {"INTERFACE": "internalURL"}, "https://a.example/v2", "A"),
        ([image("A"), image("B", name="cloudImages")], {}, "https://b.example/v2", "B"),
        ([image("A"), image("B", name="mine")], {"IMAGE_SERVICE_NAME": "mine"}, "https://b.example/v2", "B"),
        ([image("A", "B")], {"IMAGE_ENDPOINT_OVERRIDE": "https://o.example/"}, "https://o.example/v2", None),
        ([], {"IMAGE_ENDPOINT_OVERRIDE": "https://o.example/v2"}, "https://o.example/v2", None),
    ],
)
def test_the_endpoint_in_the_catalogue(
    identity: Imitation, catalogue: list[Any], further: Environ, endpoint: str, region: str | None
) -> None:
    """Type, then name, then interface, then region find the endpoint, if no override names it."""
    identity.catalogue = catalogue
    service, _ = find(identity.environ(**further))
    assert (service.endpoint, service.region) == (endpoint, region)


@pytest.mark.parametrize(
    ("catalogue", "further", "words"),
    [
        ([image("B", "A")], {}, ["several regions: A, B", "OS_REGION_NAME"]),
        ([image("DFW", "IAD")], {"REGION_NAME": "dfw"}, ["'dfw'", "DFW, IAD", "case"]),
        ([{"type": "compute", "name": "nova", "endpoints": []}], {}, ["'image'", "compute"]),
        ([], {}, ["'image'", "none", "OS_PROJECT_NAME"]),
        ([image("A", interface="admin")], {}, ["public", "admin", "OS_INTERFACE"]),
        ([{"type": "image", "name": "glance", "endpoints": []}], {}, ["public", "none"]),
        ([image("A", url="image.invalid/v2")], {}, ["a.invalid/v2"]),
    ],
)
def test_what_a_catalogue_lacks(identity: Imitation, catalogue: list[Any], further: Environ, words: list[str]) -> None:
    """Where the catalogue does not settle the endpoint, the message lists what it has."""
    identity.catalogue = catalogue
    with refused(ConfigurationError, *words):
        find(identity.environ(**further))


@pytest.mark.parametrize(
    ("default", "region"), [("IAD", "IAD"), (None, None), ("SYD", None)], ids=["has", "has none", "has a wrong one"]
)
def test_the_default_region_of_identity_v2(identity: Imitation, default: str | None, region: str | None) -> None:
    """Rackspace's Identity names a region for users who name none."""
    endpoints = [{"region": text, "publicURL": f"https://{text.lower()}.example/v2"} for text in ("DFW", "IAD")]
    token = {"id": TOKEN, "expires": "2099-01-01T00:00:00.000Z", "tenant": {"id": "1", "name": "1"}}
    user = {"id": "u", "name": "me", "roles": []} | ({"RAX-AUTH:defaultRegion": default} if default else {})
    catalogue = [{"type": "image", "name": "cloudImages", "endpoints": endpoints}]
    identity.status, identity.v2 = 200, {"access": {"token": token, "user": user, "serviceCatalog": catalogue}}
    environ = {"OS_AUTH_URL": f"{identity.url}/v2.0", "OS_USERNAME": "me", "OS_PASSWORD": PASSWORD}
    environ |= {"OS_AUTH_TYPE": "v2password"}
    if region is None:
        with refused(ConfigurationError, "DFW, IAD"):
            find(environ)
    else:
        service, credentials = find(environ)
        assert (service.endpoint, service.region) == ("https://iad.example/v2", region)
        assert credentials.token() == TOKEN


@pytest.mark.parametrize(
    ("settings", "wanted", "region"),
    [
        ({"region_name": "B"}, None, "B"),
        ({"region_name": "B"}, "A", "B"),
        ({}, "A", "A"),
        ({"regions": ["A", "B"]}, "B", "B"),
        ({"regions": ["B"]}, None, "B"),
        ({"regions": ["A", {"name": "B", "values": {"interface": "public"}}]}, "B", "B"),
    ],
)
def test_the_region_of_an_entry(
    identity: Imitation, clouds: Write, settings: dict[str, Any], wanted: str | None, region: str
) -> None:
    """An entry's one region counts; OS_REGION_NAME chooses where it has none or several."""
    identity.catalogue = [image("A", "B")]
    mine = entry(identity.environ(), auth_type="v3password", **settings)
    environ = {"OS_CLIENT_CONFIG_FILE": str(clouds(mine=mine))} | ({"OS_REGION_NAME": wanted} if wanted else {})
    assert find(environ, cloud="mine")[0].region == region


@pytest.mark.parametrize("wanted", [None, "C"])
def test_several_regions_of_an_entry(identity: Imitation, clouds: Write, wanted: str | None) -> None:
    """Of an entry's several regions, none is chosen silently."""
    identity.catalogue = [image("A", "B")]
    mine = entry(identity.environ(), auth_type="v3password", regions=["A", "B"])
    environ = {"OS_CLIENT_CONFIG_FILE": str(clouds(mine=mine))} | ({"OS_REGION_NAME": wanted} if wanted else {})
    with refused(ConfigurationError, "A, B", "OS_REGION_NAME"):
        find(environ, cloud="mine")


# clouds.yaml that does not help


def test_no_clouds_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no file, the folders that were searched are listed."""
    monkeypatch.setattr("openstack.config.loader.CONFIG_FILES", ["/nowhere/clouds.yaml", "/never/clouds.yaml"])
    with refused(ConfigurationError, "'mine'", "/nowhere, /never", "OS_CLIENT_CONFIG_FILE"):
        find({}, cloud="mine")


def test_a_named_file_that_is_missing(tmp_path: Path) -> None:
    """A file that OS_CLIENT_CONFIG_FILE names must be there; no other takes its place."""
    path = tmp_path / "missing.yaml"
    with refused(ConfigurationError, str(path), "No such file", "OS_CLIENT_CONFIG_FILE"):
        find({"OS_CLIENT_CONFIG_FILE": str(path)}, cloud="mine")


def test_an_unknown_cloud(clouds: Write) -> None:
    """A name that the file does not have is answered with those it has."""
    path = clouds(first={}, second={})
    with refused(ConfigurationError, "'mine'", str(path), "first, second"):
        find({"OS_CLOUD": "mine", "OS_CLIENT_CONFIG_FILE": str(path)})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"clouds:\n  mine:\n    auth: {{password: *{PASSWORD}}}\n", ["no valid YAML", "line 3"]),
        (f"clouds:\n  mine:\n\tpassword: {PASSWORD}\n", ["no valid YAML", "line 3"]),
        ("", ["has no clouds"]),
        ("- a\n", ["has no clouds"]),
        ("cloud: {}\n", ["has no clouds"]),
        ("clouds: [mine]\n", ["has no clouds"]),
        ("clouds: {mine: }\n", ["cloud 'mine' of ", "has no settings"]),
        ("clouds: {mine: {auth: [1]}}\n", ["auth: expected settings below it", "a list"]),
        (f"clouds: {{mine: {{auth: '{PASSWORD}'}}}}\n", ["auth: expected settings below it", "a text"]),
        (f"clouds: {{mine: {{auth: {{password: {PASSWORD}, username: me}}}}}}\n", ["missing", "auth_url"]),
        ("clouds: {mine: {profile: no-such-vendor, auth: {}}}\n", ["no-such-vendor"]),
        ("clouds: {mine: {auth_type: rackspace_apikey, auth: {auth_url: 'https://h'}}}\n", ["missing", "OS_API_KEY"]),
        (
            "clouds: {mine: {auth_type: v3password, auth: {auth_url: 'https://h', user_id: me}}}\n",
            ["missing", "OS_PASSWORD"],
        ),
        (
            "clouds: {mine: {auth_type: v3password, auth: {auth_url: 'https://h', username: me}}}\n",
            ["OS_USER_DOMAIN_NAME", "user_domain_name"],
        ),
        (
            "clouds: {mine: {auth_type: none, auth: {endpoint: 'https://h', auth_url: x}}}\n",
            ["'auth_url'", "does not take"],
        ),
        (
            "clouds: {mine: {auth_type: admin_token, auth: {token: t-o-k, auth_url: x}}}\n",
            ["'auth_url'", "does not take"],
        ),
        (
            "clouds: {mine: {auth_type: v2password, auth: {auth_url: 'https://h'}}}\n",
            ["OS_USERNAME (username) or OS_USER_ID (user_id)"],
        ),
        ("clouds: {mine: {auth_type: http_basic, auth: {endpoint: 'https://h', username: me}}}\n", ["OS_PASSWORD"]),
        (
            f"clouds: {{mine: {{auth_type: http_basic, auth: {{username: 'm:e', password: {PASSWORD}}}}}}}\n",
            ["without a colon"],
        ),
        ("clouds: {mine: {auth: {auth_url: 'https://h', username: me}}}\n", ["no password", "`password` below `auth`"]),
        ("clouds: {mine: {auth_type: none, auth: {}}}\n", ["no endpoint"]),
        ("clouds: {mine: {auth_type: admin_token, auth: {endpoint: 'https://h'}}}\n", ["needs a token"]),
    ],
)
def test_strange_files(clouds: Write, text: str, words: list[str]) -> None:
    """What cannot be read is told with file and place, and not quoted."""
    path = clouds(text)
    with refused(ConfigurationError, str(path), *words):
        find({"OS_CLIENT_CONFIG_FILE": str(path)}, cloud="mine")


# Identity that does not help


def test_a_wrong_password_is_told(openrc: Environ, server: Server) -> None:
    """A refusal names user and Identity, not the password."""
    with refused(ConfigurationError, "password of user tester", server.auth_url, "401"):
        find(openrc | {"OS_PASSWORD": PASSWORD})


def test_a_wrong_project_is_told(openrc: Environ) -> None:
    """Identity answers a project that is not the user's as a wrong password; asked without one, it tells them apart."""
    with refused(ConfigurationError, 'no role in project "nobody\'s"', f"act for: {openrc['OS_PROJECT_NAME']}."):
        find(openrc | {"OS_PROJECT_NAME": "nobody's"})


def test_another_service_than_identity_is_told(openrc: Environ, server: Server) -> None:
    """An image service lists versions too, one of which is named as Identity's old one."""
    with refused(ConfigurationError, f"{server.url} is the address of another service", "v2.1", "auth_url"):
        find(openrc | {"OS_AUTH_URL": server.url})


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        (["OS_USER_DOMAIN_NAME"], ["OS_USER_DOMAIN_NAME (user_domain_name)"]),
        (["OS_PROJECT_DOMAIN_NAME"], ["OS_PROJECT_DOMAIN_NAME (project_domain_name)"]),
        (["OS_USER_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME"], ["OS_USER_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME"]),
    ],
)
@pytest.mark.parametrize("kind", ["password", "v3password"])
def test_a_missing_domain_is_named(identity: Imitation, left_out: list[str], words: list[str], kind: str) -> None:
    """Keystone says 400 and nothing of variables; keystoneauth1 may find out before."""
    identity.status, identity.body = 400, b'{"error": {"message": "Expecting to find domain in user.", "code": 400}}'
    with refused(ConfigurationError, *words):
        find({name: value for name, value in identity.environ(AUTH_TYPE=kind).items() if name not in left_out})


def test_an_ended_token_is_told(identity: Imitation) -> None:
    """Keystone answers 404 to a token that is to be exchanged and is not valid; that is no wrong address."""
    identity.status, identity.body = 404, b'{"error": {"message": "Failed to validate token", "code": 404}}'
    given = {"OS_AUTH_URL": f"{identity.url}/v3", "OS_AUTH_TYPE": "v3token", "OS_TOKEN": TOKEN, "OS_PROJECT_ID": "p"}
    with refused(ConfigurationError, "404", "has ended, was revoked", "openstack token issue"):
        find(given)

    identity.body = b"<html>Not Found</html>"
    with refused(ConfigurationError, "404", "auth_url is the root of Identity"):
        find(given)


@pytest.mark.parametrize(
    ("further", "words"),
    [({}, "may have been deleted, or have ended"), ({"OS_PROJECT_ID": "p"}, "leave out project_id")],
)
def test_a_refused_application_credential_is_told(identity: Imitation, further: Environ, words: str) -> None:
    """It has no user and no project that could be wrong."""
    identity.status, identity.body = 401, b'{"error": {"message": "No.", "code": 401}}'
    given = {"OS_AUTH_URL": f"{identity.url}/v3", "OS_AUTH_TYPE": "v3applicationcredential"}
    given |= {"OS_APPLICATION_CREDENTIAL_ID": "an-id", "OS_APPLICATION_CREDENTIAL_SECRET": PASSWORD}
    with refused(ConfigurationError, "401", words):
        find(given | further)


@pytest.mark.parametrize(
    "headers",
    [{"WWW-Authenticate": "OS-MF sessionId='s-e-s-s-i-o-n', factor='PASSCODE'"}, {"Openstack-Auth-Receipt": "receipt"}],
    ids=["Rackspace", "Keystone"],
)
def test_a_second_factor_is_hinted_at(identity: Imitation, headers: Environ) -> None:
    """Multi-factor authentication is told as such."""
    identity.status, identity.headers = 401, headers
    receipt = {"methods": ["password"], "expires_at": "2099-01-01T00:00:00.000000Z"}
    identity.body = json.dumps({"receipt": receipt, "required_auth_methods": [["totp", "password"]]}).encode()
    with refused(ConfigurationError, "second factor", "application credential"):
        find(identity.environ())


@pytest.mark.parametrize("path", ["/v3", "/identity", ""])
def test_identity_that_cannot_be_reached(path: str) -> None:
    """A missing Identity service blocks the run, with URL and cause."""
    environ = {"OS_AUTH_URL": f"http://127.0.0.1:1{path}", "OS_USERNAME": "me", "OS_PASSWORD": PASSWORD}
    with refused(Blocked, f"http://127.0.0.1:1{path} ", "refused"):
        find(environ)


@pytest.mark.parametrize("url", ["identity.example/v3", "ftp://h", f"https://me:{PASSWORD}@h/v3"])
def test_what_is_no_auth_url(url: str) -> None:
    """An Identity URL that cannot be one is told before anything is sent."""
    with refused(ConfigurationError, "auth_url"):
        find({"OS_AUTH_URL": url, "OS_USERNAME": "me", "OS_PASSWORD": PASSWORD})


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"Content-Type": "text/html"}, b"<html>Please log in</html>"),
        (201, {}, b"<html>"),
        (201, {}, b"{}"),
        (201, {}, b"[]"),
        (201, {}, b'{"token": 1}'),
        (201, {}, b'{"token": {"expires_at": "tomorrow", "catalog": 3}}'),
        (201, {"X-Subject-Token": ""}, None),
        (500, {}, b"{}"),
        (503, {"Content-Type": "text/html"}, b"<html>"),
        (429, {}, b"{}"),
    ],
)
def test_identity_that_answers_strangely(
    identity: Imitation, status: int, headers: Environ, body: bytes | None
) -> None:
    """HTML, nonsense and failures of Identity block the run, and are not the tester's mistake."""
    identity.status, identity.headers, identity.body = status, headers, body
    with refused(Blocked, identity.url):
        find(identity.environ())


@pytest.mark.parametrize(
    "entry_of_catalogue", [3, {"type": "image", "endpoints": 3}, {"type": "image", "endpoints": [{}]}]
)
def test_a_catalogue_of_nonsense(identity: Imitation, entry_of_catalogue: Any) -> None:
    """A catalogue that is none blocks the run."""
    identity.catalogue = [entry_of_catalogue]
    with refused(Blocked, identity.url):
        find(identity.environ())


@pytest.mark.parametrize("status", [400, 403, 404])
def test_identity_that_refuses(identity: Imitation, status: int) -> None:
    """A refusal other than 401 is told with its status and the address."""
    identity.status, identity.body = status, b'{"error": {"message": "Because.", "code": 4, "title": "t"}}'
    with refused(ConfigurationError, str(status), identity.url):
        find(identity.environ())


def test_identity_that_does_not_answer(identity: Imitation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Identity is waited for as long as for any answer."""

    def answer(_: object) -> tuple[int, dict[str, str], bytes]:
        time.sleep(0.5)
        return 200, {}, b""

    monkeypatch.setattr(identity, "answer", answer)
    with refused(Blocked, identity.url, "timed out"):
        find(identity.environ(), timeout=0.05)


@pytest.mark.parametrize(
    ("missing", "words"),
    [("USERNAME", ["no user", "OS_USERNAME"]), ("PASSWORD", ["no password", "OS_PASSWORD"])],
)
def test_half_given_variables(openrc: Environ, missing: str, words: list[str]) -> None:
    """What is missing is named by its variable."""
    with refused(ConfigurationError, *words):
        find(openrc | {f"OS_{missing}": ""})


def test_an_unknown_auth_type(openrc: Environ) -> None:
    """An auth type that is none is answered with the usual ones."""
    with refused(ConfigurationError, "'magic'", "v3applicationcredential"):
        find(openrc | {"OS_AUTH_TYPE": "magic"})


# Ways to sign in


@pytest.mark.parametrize(
    ("given", "kind", "sent", "how"),
    [
        ({}, "password", PASSWORD, "password of user me at "),
        (
            {
                "AUTH_TYPE": "",
                "APPLICATION_CREDENTIAL_ID": "id",
                "APPLICATION_CREDENTIAL_SECRET": "app-secret",
                "PASSWORD": "",
            }
            | {"PROJECT_NAME": "", "USER_DOMAIN_NAME": "", "PROJECT_DOMAIN_NAME": "", "USERNAME": ""},
            "application_credential",
            "app-secret",
            "application credential id at ",
        ),
        ({"AUTH_TYPE": "v3token", "TOKEN": "old-token"}, "token", "old-token", "token to be exchanged at "),
    ],
)
def test_ways_to_sign_in(identity: Imitation, given: Environ, kind: str, sent: str, how: str) -> None:
    """Password, application credential and token are sent to Identity as its API has them."""
    _, credentials = find(identity.environ(**given))
    auth = identity.asked[0]["auth"]["identity"]
    assert auth["methods"] == [kind]
    assert sent in json.dumps(auth)
    assert credentials.how == f"{how}{identity.url}/v3"
    assert credentials.project_id == "the-project"


PROJECT = {"project_name": "p", "project_domain_name": "Default"}
ENTRIES: dict[str, tuple[dict[str, str], str]] = {
    "v3password": ({"username": "me", "user_domain_name": "Default", "password": PASSWORD, **PROJECT}, "password"),
    "v3applicationcredential": (
        {"application_credential_id": "id", "application_credential_secret": PASSWORD},
        "application_credential_secret",
    ),
    "v3token": ({"token": PASSWORD, **PROJECT}, "token"),
    "v2password": ({"username": "me", "password": PASSWORD, "tenant_name": "p"}, "password"),
    "rackspace_apikey": ({"username": "me", "api_key": PASSWORD}, "api_key"),
    "admin_token": ({"endpoint": URL, "token": PASSWORD}, "token"),
    "http_basic": ({"endpoint": URL, "username": "me", "password": PASSWORD}, "password"),
    "none": ({"endpoint": URL}, ""),
}
"""What each way to sign in needs, and which of it is the secret."""
SENT: dict[str, Any] = {
    "v3password": {"methods": ["password"]},
    "v3applicationcredential": {"methods": ["application_credential"]},
    "v3token": {"methods": ["token"]},
    "v2password": {"passwordCredentials": {"username": "me", "password": PASSWORD}},
    "rackspace_apikey": {"RAX-KSKEY:apiKeyCredentials": {"username": "me", "apiKey": PASSWORD}},
}
"""What Identity is asked, as far as it tells one way from another."""
BASIC = f"Basic {base64.b64encode(f'me:{PASSWORD}'.encode()).decode()}"


@pytest.mark.parametrize("place", ["clouds.yaml", "secure.yaml", "variables"])
@pytest.mark.parametrize("kind", ENTRIES)
def test_every_way_to_sign_in_can_be_named_everywhere(
    identity: Imitation, clouds: Write, tmp_path: Path, kind: str, place: str
) -> None:
    """An entry, an entry whose secret stands apart, and variables mean the same, and show the secret to nobody."""
    auth, secret = ENTRIES[kind]
    if kind in SENT:
        auth = auth | {"auth_url": f"{identity.url}/{'v3' if kind.startswith('v3') else 'v2.0'}"}
    if not kind.startswith("v3"):
        token = {"id": f"{TOKEN}-1", "expires": "2099-01-01T00:00:00.000Z", "tenant": {"id": "1", "name": "p"}}
        services = [{"type": "image", "name": "cloudImages", "endpoints": [{"region": "IAD", "publicURL": URL}]}]
        user = {"id": "u", "name": "me", "roles": []}
        identity.v2 = {"access": {"token": token, "user": user, "serviceCatalog": services}}
    if place == "variables":
        environ = {f"OS_{name.upper()}": value for name, value in auth.items()} | {"OS_AUTH_TYPE": kind}
        service, credentials = find(environ)
    else:
        apart = place == "secure.yaml" and secret
        shown = {name: value for name, value in auth.items() if name != secret or not apart}
        environ = {"OS_CLIENT_CONFIG_FILE": str(clouds(mine={"auth_type": kind, "auth": shown}))}
        if apart:
            hidden = tmp_path / "secure.yaml"
            hidden.write_text(json.dumps({"clouds": {"mine": {"auth": {secret: auth[secret]}}}}))
            environ["OS_CLIENT_SECURE_FILE"] = str(hidden)
        service, credentials = find(environ, cloud="mine")

    expected = {"none": None, "admin_token": PASSWORD, "http_basic": BASIC}
    assert credentials.token() == expected.get(kind, f"{TOKEN}-1")
    assert service.endpoint == URL if kind not in ("v3password", "v3applicationcredential", "v3token") else service
    asked = identity.asked[0]["auth"] if identity.asked else {}
    assert SENT.get(kind, {}).items() <= asked.get("identity", asked).items()
    assert PASSWORD not in f"{service!r} {credentials!r} {credentials.how}"
    if secret:
        assert SECRETS.hide(PASSWORD) == "***"


def test_an_api_key_alone_says_how_to_sign_in(identity: Imitation) -> None:
    """OS_API_KEY needs no OS_AUTH_TYPE, and its messages speak of a key."""
    identity.status, identity.body = 401, b'{"unauthorized": {"code": 401, "message": "Unable to authenticate"}}'
    environ = {"OS_AUTH_URL": f"{identity.url}/v2.0", "OS_USERNAME": "me", "OS_API_KEY": PASSWORD}
    with refused(ConfigurationError, "API key of user me"):
        find(environ)


def test_name_and_password_are_shown_to_the_service_itself(peer: Any, open_wire: Callable[..., Any]) -> None:
    """HTTP Basic stands in Authorization, no token is sent beside it, and no record has it."""
    peer.replies = [b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"images": []}']
    environ = {"OS_AUTH_TYPE": "http_basic", "OS_ENDPOINT": peer.url, "OS_USERNAME": "me", "OS_PASSWORD": PASSWORD}
    service, credentials = find(environ)
    recorder = Recorder()
    client = ImagesClient(service.endpoint, open_wire(peer.url), recorder, credentials.token)
    with recorder.scope() as sent:
        client.list()

    (head,) = peer.heads
    assert f"\r\nAuthorization: {BASIC}\r\n".encode() in head
    assert b"x-auth-token" not in head.lower()
    shown = json.dumps([exchange.as_data(peer.url) for exchange in sent])
    assert BASIC.removeprefix("Basic ") not in shown
    assert '\\"Authorization: $TOKEN\\"' in shown


@pytest.mark.parametrize("kind", ["v3kerberos", "v3oauth1", "v3samlpassword", "v3adfspassword"])
@pytest.mark.parametrize("place", ["clouds.yaml", "variables"])
def test_a_plugin_that_is_not_installed(clouds: Write, kind: str, place: str) -> None:
    """What keystoneauth1 does not bring along is told as such, with what to install."""
    from keystoneauth1 import loading

    with suppress(AttributeError):
        if loading.get_plugin_loader(kind).available:
            pytest.skip(f"{kind} is installed here")
    mine = {"auth_url": "https://identity.example/v3", "username": "me", "password": PASSWORD}
    with refused(ConfigurationError, kind, "not installed", "keystoneauth1[", "v3applicationcredential"):
        if place == "variables":
            find({f"OS_{name.upper()}": value for name, value in mine.items()} | {"OS_AUTH_TYPE": kind})
        else:
            path = clouds(mine={"auth_type": kind, "auth": mine})
            find({"OS_CLIENT_CONFIG_FILE": str(path)}, cloud="mine")


def test_a_token_is_kept_while_it_lasts(identity: Imitation) -> None:
    """One token serves until it is about to expire."""
    _, credentials = find(identity.environ())
    assert {credentials.token() for _ in range(3)} == {f"{TOKEN}-1"}


def test_a_token_about_to_expire_is_replaced(identity: Imitation) -> None:
    """A token that ends soon is not given; a new one is, and hidden too."""
    identity.lifetime = timedelta(seconds=30)
    _, credentials = find(identity.environ())
    before = len(identity.asked)
    identity.lifetime = timedelta(hours=1)
    token = credentials.token()

    assert token == f"{TOKEN}-{before + 1}" == credentials.token()
    assert SECRETS.hide(token) == "***"


def test_threads_share_one_token(identity: Imitation) -> None:
    """Threads that ask at once for a new token cause one request."""
    identity.lifetime = timedelta(seconds=30)
    _, credentials = find(identity.environ())
    before = len(identity.asked)
    identity.lifetime = timedelta(hours=1)
    given: list[str | None] = []
    threads = [threading.Thread(target=lambda: given.append(credentials.token())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(given) == 8
    assert len(set(given)) == 1
    assert len(identity.asked) == before + 1


def test_no_new_token_blocks(identity: Imitation) -> None:
    """Credentials that were good and are refused later are a missing ground, not a mistake of the command."""
    identity.lifetime = timedelta(seconds=30)
    _, credentials = find(identity.environ())
    identity.status, identity.body = 401, b"{}"
    with refused(Blocked, "no new one", "401"):
        credentials.token()


def test_secrets_are_hidden(
    identity: Imitation, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """No password or token shows in a representation, a message or a log of any level."""
    caplog.set_level(logging.DEBUG)
    service, credentials = find(identity.environ())
    token = credentials.token()
    shown = f"{service!r} {credentials!r} {credentials} {credentials.how} {caplog.text} {capfd.readouterr()}"

    assert token is not None
    assert PASSWORD not in shown
    assert token not in shown
    assert SECRETS.hide(f"{PASSWORD} {token}") == "*** ***"


@pytest.mark.parametrize(
    "name",
    [
        "OS_PASSWORD",
        "OS_TOKEN",
        "OS_AUTH_TOKEN",
        "OS_API_KEY",
        "OS_APPLICATION_CREDENTIAL_SECRET",
        "OS_PASSCODE",
        "OS_ALT_PASSWORD",
        "OS_ADMIN_TOKEN",
        "CLOUDIMAGES_TOKEN",
        "CLOUDIMAGES_READER_TOKEN",
    ],
)
def test_variables_with_secrets(name: str) -> None:
    """Every variable that holds a secret is hidden, whether or not it is used."""
    secret = f"secret-in-{name.lower().replace('_', '-')}"
    with pytest.raises(ConfigurationError):
        find({name: secret})
    assert SECRETS.hide(secret) == "***"


@pytest.mark.parametrize("text", ["http://identity.example", "v3password", "an-id"])
def test_what_is_no_secret(text: str) -> None:
    """Addresses, kinds and ids are shown."""
    with pytest.raises(ConfigurationError):
        find({"OS_ACCESS_TOKEN_ENDPOINT": text, "OS_TOKEN_TYPE": text, "OS_SECRET_ID": text})
    assert SECRETS.hide(text) == text


def test_a_first_token_is_hidden_before_it_is_asked_for(identity: Imitation) -> None:
    """The token that signing in gives is hidden, used or not."""
    identity.headers = {"X-Subject-Token": "token-that-nobody-asked-for"}
    find(identity.environ())
    assert SECRETS.hide("token-that-nobody-asked-for") == "***"


def test_secrets_of_clouds_yaml(clouds: Write) -> None:
    """The secrets of an entry are hidden even if the entry is of no use."""
    path = clouds(mine={"auth": {"password": "hidden-in-an-entry", "username": "somebody"}})
    with pytest.raises(ConfigurationError):
        find({"OS_CLIENT_CONFIG_FILE": str(path)}, cloud="mine")
    assert SECRETS.hide("hidden-in-an-entry somebody") == "*** somebody"


def test_nobody_has_no_token() -> None:
    """A caller without credentials shows none."""
    assert nobody().token() is None


# Further callers


def test_identities_do_not_disturb_one_another(identity: Imitation) -> None:
    """What describes one identity never becomes a setting of another; openstacksdk would trip over these braces."""
    braces = {"OS_ALT_PASSWORD": "a{b}c-alt", "OS_READER_PASSWORD": "a{b}c-reader", "OS_PASSWORD": "a{b}c-mine"}
    assert find(identity.environ() | braces)
    assert find_other(identity.environ() | braces, "ALT", SERVICE)
    sent = [exchange["auth"]["identity"]["password"]["user"]["password"] for exchange in identity.asked]
    assert sent == ["a{b}c-mine", "a{b}c-alt"]


@pytest.mark.parametrize("who", ["ALT", "READER", "ADMIN"])
def test_no_further_caller(openrc: Environ, who: str) -> None:
    """Without credentials of their own there is no further caller."""
    assert find_other(openrc | {f"OS_{who}_USERNAME": "", "OS_CLOUD": "x"}, who, SERVICE) is None


@pytest.mark.parametrize(("who", "user"), [("ALT", "other"), ("READER", "reader"), ("ADMIN", "admin")])
def test_further_callers_of_the_embedded_server(server: Server, who: str, user: str) -> None:
    """The variables of another identity open the same service to another user."""
    environ = environment(server)
    service, mine = find(environ)
    found = find_other(environ, who, service)

    assert found is not None
    assert server.app.identity.validate(mine.token()).user.name == "tester"
    assert server.app.identity.validate(found.token()).user.name == user
    assert found.project_id == server.app.identity.users[user].project.id


@pytest.mark.parametrize("who", ["ALT", "READER", "ADMIN"])
def test_tokens_of_further_callers(who: str) -> None:
    """A further caller may be given by a token alone, in either variable."""
    for name in (f"CLOUDIMAGES_{who}_TOKEN", f"OS_{who}_TOKEN"):
        found = find_other({name: TOKEN, "OS_AUTH_URL": "http://127.0.0.1:1"}, who, SERVICE)
        assert found is not None
        assert found.token() == TOKEN


@pytest.mark.parametrize("how", ["option", "variable"])
def test_entries_of_further_callers(openrc: Environ, server: Server, clouds: Write, how: str) -> None:
    """A further caller may be an entry of clouds.yaml, whatever the tester's own variables say."""
    user = server.app.identity.users["other"]
    other = entry(openrc | {"OS_USERNAME": user.name, "OS_PASSWORD": user.password, "OS_PROJECT_NAME": "other"})
    environ = openrc | {"OS_CLIENT_CONFIG_FILE": str(clouds(second=other))}
    environ |= {} if how == "option" else {"OS_ALT_CLOUD": "second"}
    found = find_other(environ, "ALT", SERVICE, cloud="second" if how == "option" else None)

    assert found is not None
    assert found.project_id == user.project.id


TESTER_APPLICATION = {"OS_AUTH_TYPE": "v3applicationcredential"} | {
    "OS_APPLICATION_CREDENTIAL_ID": "mine",
    "OS_APPLICATION_CREDENTIAL_SECRET": "my-secret",
}


@pytest.mark.parametrize(
    ("tester", "other", "user", "scope"),
    [
        ({}, {"PROJECT_NAME": "q"}, {"name": "me"}, {"name": "q"}),
        ({"OS_PROJECT_ID": "p-id"}, {"PROJECT_NAME": "q"}, {"name": "me"}, {"name": "q"}),
        ({"OS_TENANT_ID": "p-id"}, {"PROJECT_NAME": "q"}, {"name": "me"}, {"name": "q"}),
        ({"OS_TENANT_NAME": "p"}, {"PROJECT_ID": "q-id"}, {"name": "me"}, {"id": "q-id"}),
        ({}, {"TENANT_NAME": "q"}, {"name": "me"}, {"name": "q"}),
        ({"OS_SYSTEM_SCOPE": "all", "OS_PROJECT_NAME": ""}, {"PROJECT_NAME": "q"}, {"name": "me"}, {"name": "q"}),
        (
            {},
            {"USERNAME": "you", "PASSWORD": "your-password"},
            {"name": "you", "password": "your-password"},
            {"name": "p"},
        ),
        ({"OS_USER_ID": "my-id"}, {"USERNAME": "you"}, {"name": "you"}, {"name": "p"}),
        ({}, {"USER_ID": "your-id"}, {"id": "your-id"}, {"name": "p"}),
        ({}, {"USER_DOMAIN_ID": "d"}, {"domain": {"id": "d"}}, {"domain": {"name": "Default"}}),
        ({}, {"PROJECT_DOMAIN_ID": "d"}, {"domain": {"name": "Default"}}, {"domain": {"id": "d"}}),
        (TESTER_APPLICATION, {"USERNAME": "you", "PASSWORD": "your-password"}, {"name": "you"}, {"name": "p"}),
        (
            {"OS_AUTH_TYPE": "v3token", "OS_TOKEN": TOKEN},
            {"PASSWORD": "your-password"},
            {"password": "your-password"},
            {},
        ),
        ({"OS_CLOUD": "mine"}, {"USERNAME": "you"}, {"name": "you"}, {"name": "p"}),
        ({"OS_READER_USERNAME": "reader"}, {"PROJECT_NAME": "q"}, {"name": "me"}, {"name": "q"}),
    ],
)
def test_another_identity_takes_the_rest_from_the_testers(
    identity: Imitation, tester: Environ, other: Environ, user: dict[str, Any], scope: dict[str, Any]
) -> None:
    """What another identity leaves open is the tester's, and what competes with its own is left out."""
    environ = identity.environ() | tester | {f"OS_ALT_{name}": value for name, value in other.items()}
    if not (tester.get("OS_AUTH_TYPE") or tester.get("OS_CLOUD")):
        assert find(environ)  # it does not disturb the tester's own
    identity.asked.clear()
    assert find_other(environ, "ALT", SERVICE)

    auth = identity.asked[-1]["auth"]
    assert auth["identity"]["methods"] == ["password"]
    assert auth["identity"]["password"]["user"].items() >= user.items()
    assert auth["scope"]["project"].items() >= scope.items()


@pytest.mark.parametrize(
    ("mine", "other", "sent"),
    [
        ("PASSWORD", "API_KEY", {"RAX-KSKEY:apiKeyCredentials": {"username": "you", "apiKey": "your-secret"}}),
        ("API_KEY", "PASSWORD", {"passwordCredentials": {"username": "you", "password": "your-secret"}}),
    ],
)
def test_an_api_key_and_a_password_do_not_compete(
    identity: Imitation, mine: str, other: str, sent: dict[str, Any]
) -> None:
    """What proves who another identity is takes the place of the tester's own proof, of whatever kind."""
    token = {"id": TOKEN, "expires": "2099-01-01T00:00:00.000Z", "tenant": {"id": "1", "name": "p"}}
    identity.v2 = {"access": {"token": token, "user": {"id": "u", "name": "you", "roles": []}, "serviceCatalog": []}}
    environ = {"OS_AUTH_URL": f"{identity.url}/v2.0", "OS_USERNAME": "me", f"OS_{mine}": PASSWORD}
    environ |= {"OS_ALT_USERNAME": "you", f"OS_ALT_{other}": "your-secret"}
    environ |= {"OS_ALT_AUTH_TYPE": "v2password"} if other == "PASSWORD" else {}
    assert find_other(environ, "ALT", SERVICE)

    assert identity.asked[-1]["auth"] == sent


@pytest.mark.parametrize("credential", ["ID", "NAME"])
def test_an_application_credential_of_another(identity: Imitation, credential: str) -> None:
    """An application credential asks for no project, since it is bound to one."""
    environ = identity.environ() | {
        f"OS_READER_APPLICATION_CREDENTIAL_{credential}": "reading",
        "OS_READER_APPLICATION_CREDENTIAL_SECRET": "reading-secret",
    }
    found = find_other(environ, "READER", SERVICE)

    assert found is not None
    assert found.how.startswith("application credential reading at ")
    auth = identity.asked[-1]["auth"]
    assert auth["identity"]["methods"] == ["application_credential"]
    assert "scope" not in auth


def test_a_system_scope_of_another(identity: Imitation) -> None:
    """An administrator of the system asks for no project."""
    find_other(identity.environ(ADMIN_SYSTEM_SCOPE="all"), "ADMIN", SERVICE)
    assert identity.asked[-1]["auth"]["scope"] == {"system": {"all": True}}


def test_another_may_need_no_token(openrc: Environ) -> None:
    """An auth type of another's own replaces the tester's."""
    found = find_other(openrc | {"OS_ALT_AUTH_TYPE": "none"}, "ALT", SERVICE)
    assert found is not None
    assert found.token() is None


def test_another_without_identity_is_refused() -> None:
    """Variables of another that lead to no Identity service are refused with the ways out."""
    environ = {"OS_CLOUD": "mine", "OS_ALT_USERNAME": "you", "OS_ALT_PASSWORD": PASSWORD}
    with refused(ConfigurationError, "OS_ALT_AUTH_URL", "OS_ALT_CLOUD"):
        find_other(environ, "ALT", Service(URL, None, "cloud 'mine' of clouds.yaml"))


def test_wrong_credentials_of_another(server: Server) -> None:
    """A refusal of a further caller names its own variables."""
    environ = environment(server) | {"OS_READER_PASSWORD": PASSWORD}
    with refused(ConfigurationError, "user reader", "OS_READER_*"):
        find_other(environ, "READER", SERVICE)
