"""What the plugin's own tests share: a scripted peer, the embedded server, and the suite in a process of its own."""

from __future__ import annotations

import ipaddress
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, cast

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from near import near

from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.transport import Transport
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.server import Server, serving

collect_ignore = ["example_package"]
"""What is a package of its own, and asks a service: test_packages.py installs it."""

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.register_profile("exploring", max_examples=5000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
"""A change is judged by the same examples wherever it is tested; HYPOTHESIS_PROFILE=exploring looks for new ones."""

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
HANG = "hang"
"""A reply that never comes."""

Reply = bytes | str | None


class Peer(ThreadingTCPServer):
    """A server that keeps the octets it got, and answers what it was told to.

    A reply is octets, ``HANG``, or ``None`` for a connection that closes without a word; when none is left, it is 204.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Line)
        self.context = context
        self.port: int = self.server_address[1]
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}"
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.replies: list[Reply] = []
        self.connections = 0
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.arrived = threading.Condition(self.lock)

    def wait_for(self, requests: int) -> None:
        """Wait until so many requests have been read to their end, whoever sent them and left."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.bodies) >= requests, 10), "too few requests have come"

    @property
    def targets(self) -> list[bytes]:
        """The targets that were asked for."""
        return [head.split(b" ")[1] for head in self.heads]

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take a connection, and put TLS on it where it is due."""
        line, address = super().get_request()
        return (self.context.wrap_socket(line, server_side=True) if self.context else line), address

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that left."""


class _Line(StreamRequestHandler):
    server: Peer

    def handle(self) -> None:
        with self.server.lock:
            self.server.connections += 1
        while head := self._head():
            body = self._body(head)
            with self.server.lock:
                self.server.heads.append(head)
                self.server.bodies.append(body)
                self.server.arrived.notify_all()
                reply = self.server.replies.pop(0) if self.server.replies else NO_CONTENT
            if reply == HANG:
                self.server.over.wait(30)
            if not isinstance(reply, bytes):
                return
            self.wfile.write(reply)
            if b"close" in reply.partition(b"\r\n\r\n")[0]:
                return

    def _head(self) -> bytes:
        octets = b""
        while not octets.endswith(b"\r\n\r\n"):
            if not (line := self.rfile.readline()):
                return b""
            octets += line
        return octets

    def _body(self, head: bytes) -> bytes:
        fields = {name.lower(): value.strip() for name, _, value in (x.partition(b":") for x in head.split(b"\r\n"))}
        if b"transfer-encoding" in fields:
            octets = b""
            while not octets.endswith(b"0\r\n\r\n"):
                octets += self.rfile.readline()
            return octets
        return self.rfile.read(int(fields.get(b"content-length", 0)))


@pytest.fixture
def open_peer() -> Iterator[Callable[..., Peer]]:
    """Open peers that end with the test."""
    with ExitStack() as stack:

        def opened(context: ssl.SSLContext | None = None) -> Peer:
            peer = stack.enter_context(Peer(context))
            threading.Thread(target=peer.serve_forever, kwargs={"poll_interval": 0.002}, daemon=True).start()
            stack.callback(peer.shutdown)
            stack.callback(peer.over.set)
            return peer

        yield opened


@pytest.fixture
def peer(open_peer: Callable[..., Peer]) -> Peer:
    """Open a scripted server."""
    return open_peer()


@pytest.fixture(scope="session")
def make_certificate(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return what makes a certificate that is signed by itself, with its key in the same file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def make(host: str = "127.0.0.1", *, begins: int = -1, ends: int = 60) -> Path:
        """Make one for a host, valid from and until so many days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        now = datetime.now(UTC)
        numeric = host.replace(".", "").isdigit()
        named = x509.IPAddress(ipaddress.ip_address(host)) if numeric else x509.DNSName(host)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now + timedelta(days=begins))
            .not_valid_after(now + timedelta(days=ends))
            .add_extension(x509.SubjectAlternativeName([named]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        path = tmp_path_factory.mktemp("tls") / "certificate.pem"
        plain = serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
        return path

    return make


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take proxies and certificates out of the environment."""
    for name in [each_name for each_name in os.environ if each_name.upper().endswith(("_PROXY", "_CA_BUNDLE"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def open_wire(direct: None) -> Iterator[Callable[..., Transport]]:  # noqa: ARG001 - asked for what it does
    """Open wires that end with the test."""
    with ExitStack() as stack:

        def opened(origin: str, **how: Any) -> Transport:
            transport = Transport(origin, **{"timeout": 5.0, **how})
            stack.callback(transport.close)
            return transport

        yield opened


@pytest.fixture
def caller(peer: Peer, open_wire: Callable[..., Transport]) -> ImagesClient:
    """Return a client of the scripted server, with the token ``token-of-the-test``."""
    return ImagesClient(f"{peer.url}/v2", open_wire(peer.url), Recorder(), lambda: "token-of-the-test")


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve an honest app."""
    with serving(App()) as running:
        yield running


@dataclass(frozen=True)
class Outcome:
    """What a process left behind."""

    status: int
    out: str
    reports: Path

    @property
    def results(self) -> dict[str, Any]:
        """Everything in conformance.json."""
        found: dict[str, Any] = json.loads((self.reports / "conformance.json").read_text(encoding="utf-8"))
        return found

    def entry(self, identifier: str) -> dict[str, Any]:
        """Return what conformance.json says of a requirement."""
        return next(result for result in self.results["requirements"] if result["id"] == identifier)

    def verdict(self, identifier: str) -> str:
        """Return the verdict of a requirement."""
        return cast("str", self.entry(identifier)["verdict"])


@dataclass
class Workshop:
    """A folder of its own with an environment of its own, in which the suite is run."""

    folder: Path
    environ: dict[str, str]

    @property
    def reports(self) -> Path:
        """Where the reports go."""
        return self.folder / "reports"

    def write(self, name: str, text: str) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def named(self, server: Server, user: str = "tester") -> str:
        """Name a service by address and token, and give the token."""
        token = server.app.identity.issue(user).value
        self.environ |= {"CLOUDIMAGES_ENDPOINT": f"{server.url}/v2", "CLOUDIMAGES_TOKEN": token}
        return token

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `python -m` with these words."""
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            # Whoever runs these tests in the background may have SIGINT ignored, which a child inherits.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads yet
        )

    def end(self, process: subprocess.Popen[str], timeout: float = 180) -> Outcome:
        """Wait for a process, and give what it left behind."""
        try:
            out, _ = process.communicate(timeout=timeout)
        finally:
            process.kill()
        return Outcome(process.returncode, out, self.reports)

    def command(self, *words: str) -> Outcome:
        """Run the command `cloudimages`."""
        return self.end(self.start("pytest_cloudimages.app.cli.main", *words))

    def judge(self, *words: str) -> Outcome:
        """Run `cloudimages run`, on one processor and as little as will do: no area but those that are near."""
        return self.command("run", "--profile", "quick", "--seed", "1", *near(words), *words)

    def pytest(self, source: str, *words: str, name: str = "test_own.py") -> Outcome:
        """Run a tester's own module, as pytest does with the plugin installed and reports asked for."""
        path = self.write(name, source)
        return self.end(self.start("pytest", "-p", "no:cacheprovider", *words, str(path)))


def workshop_at(folder: Path) -> Workshop:
    """Make a workshop; nothing of the surroundings names a service, and bytecode may be kept."""
    foreign = ("OS_", "CLOUDIMAGES_", "PYTEST_", "PYTHONDONTWRITEBYTECODE", "HYPOTHESIS_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    for name in [
        each_name
        for each_name in environ
        if each_name.upper().endswith(("_PROXY", "_CA_BUNDLE"))
        or each_name in ("CI", "TOX_ENV", "TOX_ENV_DIR", "PYTHONUNBUFFERED")
    ]:
        del environ[name]
    environ |= {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "COLUMNS": "200"}
    environ |= {"XDG_STATE_HOME": str(folder / "state")}
    return Workshop(folder, environ)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Return a folder and an environment for one test."""
    return workshop_at(tmp_path)


@pytest.fixture(scope="module")
def shared_workshop(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Workshop]:
    """Return folders and environments for a module's shared runs."""
    return lambda name: workshop_at(tmp_path_factory.mktemp(name))
