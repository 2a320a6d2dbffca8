"""Fields that hold secrets by what they are called: of headers, of JSON, of queries; and the user info of URLs."""

import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator
from functools import lru_cache

from pytest_cloudimages.client.encodings import ROUNDS

HIDDEN = "***"
"""What is shown in place of a secret."""
SECRET = re.compile(r"passw|passcode|token|secret|api_?key|private_?key", re.IGNORECASE)
"""What a setting or a member is called whose value is a secret."""
NO_SECRET = re.compile(r"(endpoint|url|type|_id|_name|_at|methods)$", re.IGNORECASE)
HEADER = re.compile(
    r"(^|-)(token|secret|auth-key|api-?key|password|credentials?|signature)$|^(proxy-)?authorization$|^(set-)?cookie2?$",
    re.IGNORECASE,
)
"""What a header field is called whose value is a secret."""
LONG_ENOUGH = 8
"""Characters of a secret that a service sends by itself and that is hidden elsewhere too, not in its field alone."""
RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z]).{20,}", re.DOTALL)
"""What is not a word or a number: a part of it is as much a secret as the whole."""

_MEMBER = re.compile(
    r"""(\\*)"((?:[\w-]*(?:passw|passcode|token|secret|api_?-?key|private_?key)[\w-]*|cookie|authorization))\1"\s*:\s*
        (?:\{[^{}]*?\1"id\1"\s*:\s*)?     # Identity v2.0 has the token itself in a member of it
        \1"((?:[^"\\]|(?!\1")\\+"?)*)(?:\1"|$)""",
    re.IGNORECASE | re.VERBOSE,
)
_IN_MEMBERS = (b"passw", b"passcode", b"token", b"secret", b"key", b"cookie", b"authorization")
"""One of these is in the name of every member that holds a secret."""
_OWNER = re.compile(rb'"owner"\s*:\s*"([\w-]+)"', re.ASCII)
_PARAMETER = re.compile(
    r"""([?&;](?:[\w.-]*(?:passw|token|secret|api_?-?key|signature|temp_url_sig)[\w-]*)=)([^&;#\s"'<>\\]+)""",
    re.IGNORECASE,
)
_USER = re.compile(r"(\b[a-z][a-z0-9+.-]*:/{2})([^\s/?#\"'<>@]+)@", re.IGNORECASE)


@lru_cache(1_000)  # the same few names come with every answer
def is_secret(name: str) -> bool:
    """Return whether a header field's value is a secret, however its name is written."""
    return HEADER.search(name.strip()) is not None


def holds_a_secret(name: str) -> bool:
    """Return whether the value of a setting or of a member of JSON is a secret."""
    return SECRET.search(name) is not None and not NO_SECRET.search(name)


def secrets_of_url(text: str) -> Iterator[str]:
    """Yield what a URL tells of secrets: the password of its user, or the user who has none, and the query's values."""
    if "://" not in text:
        return
    authority, _, rest = text.partition("://")[2].partition("/")
    user, at, _ = authority.rpartition("@")
    if at:
        name, colon, password = user.partition(":")
        secret = password if colon else name
        yield from {secret, urllib.parse.unquote(secret)}
    query = (authority + rest).partition("?")[2].partition("#")[0]
    for pair in re.split("[&;]", query):
        value = pair.partition("=")[2]
        yield from {value, urllib.parse.unquote_plus(value)}


def secrets_of_answer(headers: Iterable[tuple[str, str]], body: bytes) -> Iterator[tuple[str, bool]]:
    """Yield the secrets that a service sends by itself, each with whether it is one as a whole only."""
    for name, value in headers:
        if is_secret(name):
            cookie = "cookie" in name.lower()
            yield from _worth_keeping(_of_cookie(value) if cookie else [value, value.partition(" ")[2]])
    lowered = body.lower()
    # Nearly every answer has none of them, which is seen much faster so.
    if any(word in lowered for word in _IN_MEMBERS):
        members = _MEMBER.finditer(body.decode("utf-8", "replace"))
        yield from _worth_keeping(_plain(match[3]) for match in members if not NO_SECRET.search(match[2]))


def owners_in(body: bytes) -> Iterator[str]:
    """Yield the ids of the projects that an answer names as owners."""
    if b'"owner"' in body:
        yield from (match[1].decode() for match in _OWNER.finditer(body))


def without_secret_fields(text: str) -> str:
    """Return a text without the values that stand in it as members of JSON, parameters of queries, or users of URLs."""
    if '"' in text:
        text = _MEMBER.sub(_without_value, text)
    if "=" in text:
        text = _PARAMETER.sub(rf"\1{HIDDEN}", text)
    return _USER.sub(rf"\1{HIDDEN}@", text) if "@" in text else text


def _without_value(match: re.Match[str]) -> str:
    if NO_SECRET.search(match[2]) or not match[3]:
        return match[0]
    begin, end = match.span(3)
    return match[0][: begin - match.start()] + HIDDEN + match[0][end - match.start() :]


def _of_cookie(value: str) -> Iterator[str]:
    """Yield the value of each cookie that a field has; what follows a cookie that is set says how long it lasts."""
    # The fields of several answers are one, with commas; a date has commas, too.
    for pair in re.split(";|,(?=[^;,]*=)", value):
        name, _, content = pair.partition("=")
        if name.strip().lower() not in ("path", "domain", "expires", "max-age", "samesite", "version", "comment"):
            yield content.strip().strip('"')


def _plain(text: str) -> str:
    """Return what the text of a member of JSON says, wherever that can be told."""
    for _ in range(ROUNDS):
        try:
            text, before = str(json.loads(f'"{text}"')), text
        except ValueError:
            break
        if text == before:
            break
    return text


def _worth_keeping(found: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield what is long enough to be hidden wherever it stands, and whether as a whole only."""
    for text in found:
        if len(text) >= LONG_ENOUGH:
            yield text, RANDOM.fullmatch(text) is None
