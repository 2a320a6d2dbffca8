"""The forms that a word may have in a text: escaped in many ways, as base64, as hexadecimal digits."""

import base64
import html
import re
from collections.abc import Iterator
from functools import cache

GRAM = 6
"""Characters by which a form is looked for."""
ROUNDS = 4
"""How often a text is unescaped: what was encoded twice may stand in JSON, and that in HTML."""
READINGS = 40
"""How many ways to read a text are looked at; a text of many kinds of escapes within each other has more."""
BASE64_DROPPED = (0, 2, 3)
"""Digits at the begin of base64 that depend on what stands before a word, too, by the octets of that."""
BASE32_DROPPED = (0, 2, 4, 5, 7)
"""The same of base32."""

_FOLDED = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ -_", "abcdefghijklmnopqrstuvwxyz++/")
_ESCAPES = {
    kind: re.compile(pattern, re.VERBOSE)
    for kind, pattern in {
        "percent": r"(?P<percent>(?:%[0-9a-fA-F]{2})+)",
        "entity": r"(?P<entity>&(?:amp|lt|gt|quot|apos|\#[0-9]{1,7}|\#[xX][0-9a-fA-F]{1,6});)",
        "shell": r"""(?P<shell>'"'"'|'\\'')""",
        "backslash": r"""(?P<u>(?:\\u[0-9a-fA-F]{4})+)|(?P<x>(?:\\x[0-9a-fA-F]{2})+)|\\(?P<after>[^\w\s]|[bfnrt])""",
    }.items()
}
"""What escapes look like, by kind; the shell's begin with a quote, and come before the backslash they hold."""
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def folded(text: str) -> str:
    """Return a text of the same length in which spellings of one digit are one letter.

    The digits of hexadecimal numbers have two cases, a form writes a blank as a plus, and base64 has two alphabets.
    """
    return text.translate(_FOLDED)


def forms(word: str) -> Iterator[tuple[str, int]]:
    """Yield what a word looks like where it is not escaped, folded, with how much of it says six of its characters.

    Base64 is cut into digits of six bits: of what stands before and behind the word, three forms come; base32 is cut
    into digits of five, and five come. UTF-16 has two octets for a character; where the first of both is 0 for all of
    them, its two orders of octets have nearly all in common.
    """
    octets = word.encode("utf-8", "surrogatepass")
    yield folded(word), GRAM
    yield octets.hex(), 2 * GRAM
    yield from _base64(octets, GRAM)
    for before, dropped in enumerate(BASE32_DROPPED):
        whole = (before + len(octets)) * 8 // 5
        yield folded(base64.b32encode(bytes(before) + octets).decode()[dropped:whole]), GRAM * 8 // 5 + 1
    wide = word.encode("utf-16-le", "surrogatepass")
    for ordered in [wide[:-1]] if not any(wide[1::2]) else [wide, word.encode("utf-16-be", "surrogatepass")]:
        yield folded(ordered.decode("latin-1")), 2 * GRAM - 1
        yield ordered.hex(), 4 * GRAM - 2
        yield from _base64(ordered, 2 * GRAM - 1)


def _base64(octets: bytes, least: int) -> Iterator[tuple[str, int]]:
    for before, dropped in enumerate(BASE64_DROPPED):
        whole = (before + len(octets)) * 8 // 6
        yield folded(base64.b64encode(bytes(before) + octets).decode()[dropped:whole]), least * 4 // 3


def readings(text: str) -> Iterator[tuple[str, list[int] | None]]:
    r"""Yield a text as it is, and then unescaped once, twice and so on as long as there is something to unescape.

    Where it has escapes of more than one kind, the kinds are also taken off one by one: what looks like an escape of
    one kind may be the word's own, and what writes it is another (of ``\&#x27;`` the word may have the backslash).

    With each comes where its characters begin in the text, and where the last one ends; ``None`` where they are the
    text's own.
    """
    yield text, None
    seen = {text}
    row: list[tuple[str, list[int] | None]] = [(text, None)]
    for _ in range(ROUNDS):
        found: list[tuple[str, list[int] | None]] = []
        for written, places in row:
            for taken in _ways(written):
                read, begins = _unescaped(written, taken)
                if read not in seen and (len(seen) < READINGS or len(taken) > 1):
                    seen.add(read)
                    found.append((read, begins if places is None else [places[begin] for begin in begins]))
        yield from found
        row = found


def _ways(text: str) -> Iterator[frozenset[str]]:
    """Yield which kinds of escapes may be taken off a text at once."""
    kinds = _kinds(text)
    if kinds:
        yield frozenset(kinds)
    if len(kinds) > 1:
        yield from (frozenset({kind}) for kind in kinds)


def _kinds(text: str) -> list[str]:
    """Return the kinds of escapes that a text has."""
    # Nearly every text has none of them, which is seen much faster so.
    if not ("%" in text or "\\" in text or "&" in text or "'\"'" in text):
        return []
    return [kind for kind, escapes in _ESCAPES.items() if escapes.search(text)]


def _unescaped(text: str, kinds: frozenset[str]) -> tuple[str, list[int]]:
    """Return a text unescaped once, of some kinds of escapes, and where its characters begin in what it was."""
    parts: list[str] = []
    begins: list[int] = []
    done = 0
    for match in _any_of(kinds).finditer(text):
        parts.append(text[done : match.start()])
        begins.extend(range(done, match.start()))
        place = match.start()
        for character, length in _characters(match):
            parts.append(character)
            begins.append(place)
            place += length
        done = match.end()
    parts.append(text[done:])
    begins.extend(range(done, len(text) + 1))
    return "".join(parts), begins


@cache
def _any_of(kinds: frozenset[str]) -> re.Pattern[str]:
    """Return what finds the escapes of some kinds."""
    return re.compile("|".join(escapes.pattern for kind, escapes in _ESCAPES.items() if kind in kinds), re.VERBOSE)


def _characters(match: re.Match[str]) -> Iterator[tuple[str, int]]:
    """Yield the characters that an escape stands for, each with the length of what stands for it."""
    kind, escape = match.lastgroup, match.group()
    if kind == "percent":
        yield from _of_octets(bytes.fromhex(escape.replace("%", "")), len("%00"))
    elif kind == "x":
        yield from _of_octets(bytes.fromhex(escape[2:].replace("\\x", "")), len("\\x00"))
    elif kind == "u":
        units = b"".join(bytes.fromhex(escape[place + 2 : place + 6]) for place in range(0, len(escape), 6))
        for character in units.decode("utf-16-be", "surrogatepass"):
            yield character, len("\\u0000") * (1 + (ord(character) > 0xFFFF))  # noqa: PLR2004 - what takes two units
    elif kind == "entity":
        read = html.unescape(escape)
        yield read[:1] or escape[:1], len(escape)
    elif kind == "shell":
        yield "'", len(escape)
    else:
        yield _CONTROLS.get(match["after"], match["after"]), len(escape)


def _of_octets(octets: bytes, length: int) -> Iterator[tuple[str, int]]:
    """Yield the characters of escaped octets; of what is no UTF-8, each octet is one."""
    try:
        text = octets.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        yield from ((chr(octet), length) for octet in octets)
        return
    for character in text:
        yield character, length * len(character.encode("utf-8", "surrogatepass"))
