"""What may be made of a secret on its way into a text: shared by the tests of redaction and by the canaries."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import urllib.parse
from collections.abc import Callable


def of_octets(function: Callable[[bytes], bytes]) -> Callable[[str], str]:
    """Return the text of what is made of a text's octets."""
    return lambda text: function(text.encode()).decode()


def quoted(text: str) -> str:
    """Percent-encode a text as URLs have it."""
    return urllib.parse.quote(text, safe="")


def every_octet(text: str) -> str:
    """Percent-encode every octet."""
    return "".join(f"%{octet:02x}" for octet in text.encode())


FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "url": quoted,
    "url, with its slashes": urllib.parse.quote,
    "url of a form": urllib.parse.quote_plus,
    "url, in lower case": lambda text: re.sub("%..", lambda match: match[0].lower(), quoted(text)),
    "url, every octet": every_octet,
    "url, twice": lambda text: quoted(quoted(text)),
    "url of a form, twice": lambda text: urllib.parse.quote_plus(urllib.parse.quote_plus(text)),
    "base64": of_octets(base64.b64encode),
    "base64 for URLs": of_octets(base64.urlsafe_b64encode),
    "base64 without padding": lambda text: of_octets(base64.b64encode)(text).rstrip("="),
    "base64 behind one octet": lambda text: of_octets(base64.b64encode)(f"x{text}"),
    "base64 behind two octets": lambda text: of_octets(base64.b64encode)(f"xy{text}"),
    "base64 of Basic": lambda text: of_octets(base64.b64encode)(f"user:{text}"),
    "base64 within more": lambda text: of_octets(base64.urlsafe_b64encode)(f'{{"token": "{text}", "more": 1}}'),
    "base64 in a URL": lambda text: quoted(of_octets(base64.b64encode)(text)),
    "base64 over lines": lambda text: of_octets(base64.encodebytes)(f"{text:>60}"),
    "base64 over lines, in JSON": lambda text: json.dumps(of_octets(base64.encodebytes)(f"{text:>60}"))[1:-1],
    "base64 over short lines": lambda text: "\r\n ".join(re.findall("(?s).{1,16}", of_octets(base64.b64encode)(text))),
    "base32": of_octets(base64.b32encode),
    "base32 behind one octet": lambda text: of_octets(base64.b32encode)(f"x{text}"),
    "base32 behind two octets": lambda text: of_octets(base64.b32encode)(f"xy{text}"),
    "base32 behind three octets": lambda text: of_octets(base64.b32encode)(f"xyz{text}"),
    "base32 behind four octets": lambda text: of_octets(base64.b32encode)(f"wxyz{text}"),
    "base32 in lower case, without padding": lambda text: of_octets(base64.b32encode)(text).lower().rstrip("="),
    "UTF-16": lambda text: text.encode("utf-16-le").decode("latin-1"),
    "UTF-16, big end first": lambda text: text.encode("utf-16-be").decode("latin-1"),
    "representation of UTF-16": lambda text: repr(text.encode("utf-16")),
    "UTF-16 in JSON": lambda text: json.dumps(text.encode("utf-16-le").decode("latin-1"))[1:-1],
    "base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    "base64 of UTF-16 with its mark": lambda text: base64.b64encode(text.encode("utf-16")).decode(),
    "base64 of UTF-16, big end first": lambda text: base64.b64encode(text.encode("utf-16-be")).decode(),
    "hex of UTF-16": lambda text: text.encode("utf-16-le").hex(),
    "hex of UTF-16, big end first": lambda text: text.encode("utf-16-be").hex(),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON of letters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON, every letter": lambda text: re.sub("(....)", r"\\u\1", text.encode("utf-16-be").hex().upper()),
    "JSON with slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[1:-1],
    "HTML": html.escape,
    "HTML, numbered": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(letter):X};" for letter in text),
    "JSON in HTML": lambda text: html.escape(json.dumps(text)),
    "URL in JSON in HTML": lambda text: html.escape(json.dumps({"target": quoted(text)})),
    "shell": shlex.quote,
    "shell, of hand": lambda text: "'" + text.replace("'", "'\\''") + "'",
    "shell in JSON": lambda text: json.dumps(shlex.quote(text)),
    "representation": repr,
    "of octets": lambda text: repr(text.encode()),
}
"""What may be made of a secret on its way into a text."""
