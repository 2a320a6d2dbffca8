"""Tags that are written out: the same in every run, whatever the seed.

What is drawn (``strategies``) meets a rare defect by luck; these meet it for certain.
"""

import hashlib
import string
import unicodedata
from functools import lru_cache

from pytest_cloudimages.spec.limits import LONGEST

UNRESERVED = string.ascii_letters + string.digits + "-._~"
"""What a URI never encodes. (RFC 3986, 2.3.)"""
RESERVED = " !\"#$&'()*+,:;<=>?@[\\]^`{|}%"
"""Every other printable character of ASCII, but for the slash, which is a question of its own."""
BOUNDARIES = (1, 2, 127, 128, 254, 255)
BEYOND = (256, 257, 1000)
UNITS = {1: "x", 2: "é", 3: "漢", 4: "😀"}
"""A character of each length in UTF-8, by its octets."""

SINGLE_CHARACTERS = ("-", "0", "Z", "x", "~")
"""Tags of one character."""
BOUNDARY_LENGTHS = ("kl", "k" * 127, "l" * 128, "m" * 254, "n" * LONGEST, ("0123456789-._~Az" * 16)[:LONGEST])
"""Tags at the edges of the limit; none is the beginning of another."""
OVERLONG = (*("o" * length for length in BEYOND), "o" * 254 + "  ", "o" * 256)
"""Tags past the limit; one would be within it without its blanks, and one is tried a second time."""
COMPOSING = ("e\u0301" * 150, "\u1112\u1161\u11ab" * 86)
"""Tags past the limit that would be within it if what a reader sees as one character were one."""

LOOK_ALIKES = ("null", "tags", "007", "true", "1e5", "false", "-1", "NaN", "1.0", "0x1F")
"""Tags that a service may take for a value, or for a word of its own."""

PATTERNS = ("a.json", "p.q", "pxq", "r_s", "rxs", "tree", "trees", "street")
"""Plain tags one of which may be taken for a pattern, or a part, of another; the pattern is deleted first."""
ABSENT = ("é", "漢字", "a b", "50%", "x*", "😀", "x" * 300)
"""Special tags that no image has, and that no service could take for one that it has."""

_WORDS = """
    Null NULL nil None none undefined nan Infinity True TRUE False yes no on off y
    -0 00 1 7 1. .5 1E400 0b1 1_000 2147483648 9223372036854775808 18446744073709551616 12345678901234567890
    2026-01-31 1700000000 127.0.0.1 localhost v2 v2.0 550e8400e29b41d4a716446655440000 deadbeef
    -- __ ... .hidden -rf --help ~root tag image members file self schema detail import actions
    id name status owner active index.html a.xml constructor __proto__ length
    __class__ __init__ this admin root public private default all any new test latest
    select drop CON NUL con.txt PUT DELETE x86_64
"""
WORDS = tuple(_WORDS.split())
"""Plain words and numbers at which services written in one language or another are known to trip."""

PHRASES = (
    "2026-01-31T12:00:00Z", "2026-01-31T12:00:00+02:00", "12:30", "someone@example.com",
    "https://example.com/a?b=c#d",
    "file:///etc/passwd", "::1", "2001:db8::1", "[::1]", "00:1b:44:11:3a:b7", "<script>alert(1)</script>",
    "<b>",
    "${HOME}", "{{7*7}}", "#{7}", "%s", "%(a)s", "{0}", "$(id)", "`id`", "; id", "@me", "#tag",
    "=1+1",
    "$ref", "in:a,b", "neq:a", "key:", ":)", "/*", "*/", "*", "%", "_%", "'", "''",
    '"', '""', "' OR '1'='1", "';--",
    "{}", "[]", "null,", "a=b", "a=b&c=d", "a;b", "../", "..;", ".. ", "~/", "\\\\host\\share", "C:\\", "a.b=c",
    "\\n", "\\u0041",
    "&amp;", "&#65;", "Content-Type: text/html", "été", "naïve café", "Ελλάδα", "日本語タグ", "한국어", "עברית",
    "العربية", "\ufeffmark", "wide\u3000", "dot.", "👩‍👩‍👧", "🇩🇪",
)  # fmt: skip
"""Special words that a service may take for something else: addresses, times, commands, markup, queries."""
LONG = (
    "0123456789" * 25 + "01234", "a " * 127 + "z", "%" * LONGEST, "x" * 254 + "é", "é" + "x" * 254, "/" + "p" * 254,
    "".join(map(chr, (*range(0x21, 0x2F), *range(0x30, 0x7F)))) * 2 + "q" * 69,
)  # fmt: skip
"""Tags of 255 characters that are not all plain."""

CONTROLS = "".join(map(chr, (*range(0x20), 0x7F)))
#: Each has letters of its own, so that one which is taken for a pattern fits no other.
ONE_BY_ONE: dict[str, tuple[str, ...]] = {
    "reserved character": tuple(f"{chr(97 + number % 26)}{one}{number}" for number, one in enumerate(RESERVED)),
    "control inside": tuple(f"{ord(one):02x}{one}x" for one in CONTROLS),
}
"""What stands in one carpet, one by one: asked where a service refuses, or does not keep, the whole."""
SPECIAL: dict[str, tuple[str, ...]] = {
    "reserved character": (RESERVED.strip(), "r s", "plus+1", "back\\slash"),
    "control inside": (f"x{CONTROLS[1:]}x", "n\x00l"),
    "blank or control in front": (" one", "\ttwo", "\nthree", "\rfour", "\x00five", "\x0bsix"),
    "blank or control at the end": (
        "eight ", "nine\t", "ten\n", "eleven\r", "twelve\r\n", "thirteen\x00", "fourteen  ",
    ),
    "blank or control alone": (" ", "\t", "\n", "\x00", "   ", "\x7f", "\x1f"),
    "beyond ASCII": ("é", "ñandú", "漢字", "😀", "\u0416\u0436", "שלום", "Ã©", "\u00ff", "\uffe6"),
}  # fmt: skip
"""Tags that a service stores exactly, or refuses; by what makes them special."""

#: Ranges of code points, and one character of how many is taken of each. Where a script has many characters that a
#: service could only treat alike, one of many is enough.
ROWS = (
    (0x80, 0x2000, 0x20), (0x2000, 0x3000, 0x20), (0x3000, 0x3400, 0x20), (0x3400, 0xA000, 0x800),
    (0xA000, 0xAC00, 0x40), (0xAC00, 0xD800, 0x800), (0xE000, 0xF900, 0x800), (0xF900, 0x10000, 0x20),
    (0x10000, 0x18000, 0x100), (0x18000, 0x1F000, 0x400), (0x1F000, 0x1FC00, 0x80),
    (0x20000, 0x30000, 0x8000), (0xE0100, 0xE0180, 0x80),
    (0xF0000, 0x110000, 0x8000),
)  # fmt: skip
FRONTIERS = "\x7f\x80\xa0\xad\xff\u0100\u07ff\u0800\ud7ff\ue000\ufdd0\ufeff\ufffd\ufffe\uffff"
FRONTIERS += "\U00010000\U0001ffff\U0010ffff"
"""Characters on either side of where encodings change."""
SIZE = 200
"""Octets of a carpet in UTF-8: below every limit that counts octets."""


@lru_cache(maxsize=4)
def polyglots(number: int) -> tuple[str, ...]:
    """Give tags that hold characters of every script between them; which ones follows from the number.

    Such a tag meets in one request what would take hundreds, and a service that keeps it keeps them all.
    """
    found = [FRONTIERS, *("".join(map(chr, range(*ends))) for ends in ((0x2000, 0x2010), (0x2010, 0x2040)))]
    taken = ""
    for begin, end, step in ROWS:
        for row in range(begin, end, step):
            first = int.from_bytes(hashlib.shake_256(f"{number} {row}".encode()).digest(2)) % step
            # From a place that follows from the number to the next character that there is.
            around = (chr(row + (first + offset) % step) for offset in range(step))
            taken += next((one for one in around if unicodedata.category(one) not in ("Cn", "Cs")), "")
    while taken:
        size = next((count for count in range(len(taken), 0, -1) if len(taken[:count].encode()) <= SIZE), 1)
        found.append(taken[:size])
        taken = taken[size:]
    # A letter in front: what begins with a mark of its own is yet another question.
    return tuple(f"c{place}{one}" for place, one in enumerate(found))


def fragments(carpet: str) -> list[str]:
    """Give the parts of a carpet, for a service that refuses the whole."""
    quarter = -(-len(carpet) // 4)
    return [f"p{carpet[begin : begin + quarter]}" for begin in range(0, len(carpet), quarter)]


def tag_of_length(length: int, number: int) -> str:
    """Give a tag of so many plain characters, which follow from the number; none is the beginning of another."""
    alphabet = string.ascii_letters + string.digits if length < 3 else UNRESERVED  # noqa: PLR2004 - no dot segment
    octets = hashlib.shake_256(f"{number} {length}".encode()).digest(length)
    return "".join(alphabet[one % len(alphabet)] for one in octets)
