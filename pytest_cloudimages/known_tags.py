"""Tags that are written out: the same in every run, whatever the seed.

What is drawn (``strategies``) meets a rare defect by luck; these meet it for certain.
"""

import hashlib
import string

LONGEST = 255
"""Characters in a tag at most. (Image tags: Add image tag, Request.)"""
UNRESERVED = string.ascii_letters + string.digits + "-._~"
"""What a URI never encodes. (RFC 3986, 2.3.)"""
RESERVED = " !\"#$&'()*+,:;<=>?@[\\]^`{|}%"
"""Every other printable character of ASCII, but for the slash, which is a question of its own."""
BOUNDARIES = (1, 2, 127, 128, 254, 255)
BEYOND = (256, 257, 1000)
UNITS = {1: "x", 2: "é", 3: "漢", 4: "😀"}
"""A character of each length in UTF-8, by its octets."""

SINGLES = ("-", "0", "Z", "_", "x", "~")
"""Tags of one character."""
EDGES = ("kl", "k" * 127, "l" * 128, "m" * 254, "n" * LONGEST, ("0123456789-._~Az" * 16)[:LONGEST])
"""Tags at the edges of the limit; none is the beginning of another."""
OVERLONG = tuple("o" * length for length in BEYOND)

LOOK_ALIKES = ("null", "true", "false", "007", "1e5", "-1", "NaN", "tags", "1.0", "0x1F")
"""Tags that a service may take for a value, or for a word of its own."""

PATTERNS = ("p.q", "pxq", "r_s", "rxs", "tree", "trees", "street")
"""Plain tags one of which may be taken for a pattern, or a part, of another; the pattern is deleted first."""
ABSENT = ("é", "漢字", "a b", "other ", "oth%", "oth*", "Other", "😀", "other/", "x" * 300)
"""Special tags that no image has."""

_WORDS = """
    Null NULL nil None none undefined nan Infinity -Infinity True TRUE False FALSE yes Yes no on off y n t f
    0 -0 00 1 7 10 1. .5 1E400 0b1 0o7 1_000 2147483648 9223372036854775808 18446744073709551616 12345678901234567890
    2026-01-31 2026-02-30 2026-01-31T00-00 12-31 20260131 1700000000 127.0.0.1 localhost v1 v2 v2.0
    550e8400-e29b-41d4-a716-446655440000 550e8400e29b41d4a716446655440000 deadbeef 0xdeadbeef
    -- __ ___ ... .hidden -rf --help ~root tag Tags image images members file self schema schemas detail import
    id name status owner index.html favicon.ico robots.txt constructor __proto__ prototype toString hasOwnProperty
    length __class__ __init__ __dict__ this self.x admin root public private shared community system default all any
    every select drop union where and or not like CON NUL aux con.txt PUT DELETE HEAD test latest stable prod
    x86_64 kernel_id
"""
WORDS = tuple(_WORDS.split())
"""Plain words and numbers at which services written in one language or another are known to trip."""

CONTROLS = "".join(map(chr, (*range(0x20), 0x7F)))
SPECIAL: dict[str, tuple[str, ...]] = {
    # Each has letters of its own, so that one which is taken for a pattern fits no other.
    "reserved character": tuple(f"{chr(97 + number % 26)}{one}{number}" for number, one in enumerate(RESERVED)),
    "control inside": tuple(f"{ord(one):02x}{one}x" for one in CONTROLS),
    "blank or control in front": (" one", "\ttwo", "\nthree", "\rfour", "\x00five", "\x0bsix"),
    "blank or control at the end": (
        "seven ", "eight\t", "nine\n", "ten\r", "eleven\r\n", "twelve\x00", "thirteen  ",
    ),
    "blank or control alone": (" ", "\t", "\n", "\x00", "   ", "\x7f", "\x1f"),
    "beyond ASCII": ("é", "ñandú", "漢字", "😀", "\u0416\u0436", "שלום", "Ã©", "\u00ff", "\uffe6", "ﬁ", "İ", "e\u0301"),
}  # fmt: skip
"""Tags that a service stores exactly, or refuses; by what makes them special."""


def tag_of_length(length: int, number: int) -> str:
    """Give a tag of so many plain characters, which follow from the number; none is the beginning of another."""
    alphabet = string.ascii_letters + string.digits if length < 3 else UNRESERVED  # noqa: PLR2004 - no dot segment
    octets = hashlib.shake_256(f"{number} {length}".encode()).digest(length)
    return "".join(alphabet[one % len(alphabet)] for one in octets)
