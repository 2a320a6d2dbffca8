"""One request with its answer, written down without secrets."""

import enum
import re
import shlex
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_cloudimages.client.redaction import HIDDEN, SECRETS, printable
from pytest_cloudimages.client.secret_fields import is_secret, owners_in, secrets_of_answer

TOKEN = "X-Auth-Token"  # noqa: S105 - the name of a header
AUTHORIZATION = "Authorization"
BASIC = "Basic "
"""How credentials begin that stand in ``Authorization`` (RFC 7617); no token has a blank."""
REQUEST_ID = "X-OpenStack-Request-ID"
"""The header by which a request is found in the logs of a service: ours in the request, the service's in the answer."""
TESTER = "tester"
"""The caller whose images are judged."""
PATCH_TYPE = "application/openstack-images-v2.1-json-patch"
KEPT_OCTETS = 2_000
"""Octets of a body that a report shows."""
HELD_OCTETS = 40_000
"""Octets of an answer that are held as long as the run lasts, so that a finding can be explained."""


class Purpose(enum.StrEnum):
    """What a request was sent for."""

    JUDGING = "judging"
    PREPARING = "preparing"
    CLEANING = "cleaning"
    EXPLAINING = "explaining"


@dataclass(frozen=True, slots=True)
class Request:
    """One request to send below the endpoint, as a plain value."""

    method: str
    target: str
    """What follows the endpoint, percent-encoded."""
    json: Any = None
    """What the body says, to be written as JSON; ``None`` where there is no body, or it is no JSON."""
    body: bytes | None = None
    """A body that is no JSON."""
    headers: Mapping[str, str | None] = field(default_factory=dict)
    """What is sent besides, or instead of what is sent otherwise; ``None`` leaves a field out."""
    spelled: Callable[[str], str] = str
    """How the names of header fields are written."""
    chunked: bool = False
    """Whether the body goes out in chunks, an empty one too."""
    length: bool = True
    """Whether the length of an empty body is told."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came of it; times in seconds of the monotonic clock."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int
    """The status code; 0 where the connection ended without an answer."""
    answer_headers: tuple[tuple[str, str], ...]
    answer: bytes
    trailing: bytes
    """Octets that followed an answer that should have ended."""
    sent: float
    answered: float
    caller: str = TESTER
    purpose: Purpose = Purpose.JUDGING
    note: str = ""
    size: int = 0
    """Octets of the whole answer, where more came than ``answer`` holds."""

    @property
    def request_id(self) -> str:
        """What the service calls the request in its logs, or else what we have called it."""
        for headers in (self.answer_headers, self.headers):
            for name, value in headers:
                if name.lower() == REQUEST_ID.lower():
                    return value
        return ""

    @property
    def broken(self) -> bool:
        """Whether the service failed at the request, or left it unanswered."""
        return self.status == 0 or self.status >= 500  # noqa: PLR2004 - the class of codes

    def __str__(self) -> str:
        asked = f"{self.method} {self.target}"
        if self.body:
            asked += f" with {len(self.body)} octets of body"
        if self.caller != TESTER:
            asked += f" as {self.caller}"
        return SECRETS.hide(f"{asked} → {self.status or 'no answer'}{f' ({self.note})' if self.note else ''}")

    def curl(self, origin: str) -> str:
        """Return a command that sends this request again; the token comes from the shell's ``$TOKEN``."""
        # curl is told to make no list of an address with brackets, and no file's name of a body that begins with @.
        words = ["curl", "-isS", "--path-as-is", "--globoff", "-X", self.method]
        for name, value in self.headers:
            if name.lower() == REQUEST_ID.lower():
                continue  # a request that is sent again is another one
            # To curl, a field that ends in a semicolon is sent without a value.
            words += ["-H", f"{name}: $TOKEN" if is_token(name) else f"{name}: {value}" if value else f"{name};"]
        if self.body:
            words += ["--data-raw", printable(self.body)]
        line = " ".join(shlex.quote(word) for word in [*words, origin + self.target])
        # The shell is to fill the token in, so that word alone stands in double quotes.
        return SECRETS.hide(re.sub(f"'(({TOKEN}|{AUTHORIZATION}): \\$TOKEN)'", r'"\1"', line, flags=re.IGNORECASE))

    def as_data(self, origin: str) -> dict[str, Any]:
        """Return the exchange as JSON data, without secrets."""
        data = {
            "method": self.method,
            "target": self.target,
            "headers": [list(pair) for pair in self.headers],
            "body": printable(self.body[:KEPT_OCTETS]),
            "status": self.status,
            "answer_headers": [list(pair) for pair in self.answer_headers],
            "answer": printable(self.answer[:KEPT_OCTETS]),
            "answer_octets": max(self.size, len(self.answer)),
            "request_id": printable(self.request_id.encode()),
            "stray": printable(self.trailing[:KEPT_OCTETS]),
            "caller": self.caller,
            "purpose": str(self.purpose),
            "seconds": round(self.answered - self.sent, 6),
            "note": self.note,
            "curl": self.curl(origin),
        }
        return {key: SECRETS.hidden(value) for key, value in data.items()}


def without_secrets(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the headers without the values of those that hold a secret: tokens, cookies, and what signs in."""
    return tuple((name, HIDDEN if is_secret(name) else value) for name, value in headers)


def heard(headers: Iterable[tuple[str, str]], body: bytes) -> tuple[tuple[str, str], ...]:
    """Return the headers of an answer without secrets.

    What the answer has of secrets is hidden from now on, wherever the service may send it again.
    """
    pairs, held = tuple(headers), body[:HELD_OCTETS]
    for secret, whole in secrets_of_answer(pairs, held):
        SECRETS.keep(secret, whole=whole)
    for owner in owners_in(held):
        SECRETS.veil(owner, "project")
    return without_secrets(pairs)


def is_token(name: str) -> bool:
    """Return whether a header field shows who asks, however its name is written."""
    return name.lower() in (TOKEN.lower(), AUTHORIZATION.lower())


def shown_in(token: str) -> str:
    """Return the header field in which a caller shows a token, or what stands for it."""
    return AUTHORIZATION if token.startswith(BASIC) else TOKEN


def named() -> dict[str, str]:
    """Return the header by which operators find a request in their logs; a repetition has it as well."""
    return {REQUEST_ID: f"req-{uuid.uuid4()}"}
