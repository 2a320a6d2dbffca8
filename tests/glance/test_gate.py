"""A gate on a real Glance: what is known passes, until a deviation has expired, or Glance is mended."""

from __future__ import annotations

import http.client
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.glance.conftest import Cloud

KNOWN = Path(__file__).parents[2] / "docs" / "glance-deviations.toml"
MENDED = "TAG-URI-13"
"""The deviation that a server in front of Glance repairs."""
HALF_AN_OCTET = re.compile(r"%(?![0-9A-Fa-f]{2})")
STRICTLY = ("--seed", "7", "--tag-limit", "128", "--strict")


class _Mending(BaseHTTPRequestHandler):
    """Hands requests on to Glance, but for targets with a malformed percent-encoding, which it refuses."""

    protocol_version = "HTTP/1.1"
    glance = ""

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Return what answers a request, whatever its method."""
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self._answer

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if HALF_AN_OCTET.search(self.path):
            self._send(400, [("Content-Type", "text/plain")], b"Malformed percent-encoding.")
            return
        connection = http.client.HTTPConnection(urlsplit(self.glance).netloc)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "keep-alive"):
                connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
        self._send(answer.status, kept, content)

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != http.client.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@contextmanager
def mending(glance: str) -> Iterator[str]:
    """Serve a front of Glance that repairs one deviation; yield its address."""
    handler = type("Mending", (_Mending,), {"glance": glance})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_is_known_of_glance_passes(cloud: Cloud) -> None:
    """With the reasons of docs/glance.md, a strict run of the standard profile ends with 0; without, with 1."""
    run = cloud.run(cloud.environment, *STRICTLY, "--deviations", str(KNOWN))

    assert run.status == 0, run.out
    assert not {"fail", "blocked", "unstable", "error"} & {*run.verdicts.values()}
    assert sum(verdict == "advisory" for verdict in run.verdicts.values()) == run.out.count("\nDEVIATES ") > 0
    print(run.last_line)


def test_an_expired_deviation_is_named(cloud: Cloud, tmp_path: Path) -> None:
    """One day after the last, the gate is shut."""
    text = KNOWN.read_text("utf-8")
    before, name, after = text.partition(f'requirement = "{MENDED}"')
    expired = tmp_path / "expired.toml"
    expired.write_text(before + name + re.sub(r"expires = [0-9-]+", "expires = 2026-01-31", after, count=1), "utf-8")

    accepted = cloud.run(cloud.environment, *STRICTLY, "--select", MENDED, "--deviations", str(KNOWN))
    run = cloud.run(cloud.environment, *STRICTLY, "--select", MENDED, "--deviations", str(expired))

    assert accepted.status == 0, accepted.out
    assert run.status == 1, run.out
    assert f"the deviation {MENDED} expired on 2026-01-31" in run.out
    print(accepted.last_line, run.last_line, sep="\n")


def test_a_mended_glance_no_longer_deviates(cloud: Cloud) -> None:
    """What was repaired has to be taken out of the file."""
    with mending(cloud.glance) as front:
        environment = cloud.environment | {"CLOUDIMAGES_ENDPOINT": front}
        run = cloud.run(environment, *STRICTLY, "--select", MENDED, "--deviations", str(KNOWN))

    assert run.status == 1, run.out
    assert run.verdicts[MENDED] == "pass"
    assert f"{MENDED} no longer deviates" in run.last_line
    print(run.last_line)
