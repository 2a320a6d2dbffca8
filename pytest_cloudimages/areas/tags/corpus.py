"""The corpus of tags: written out, so that they are the same in every run, whatever the seed.

Drawn tags (``strategies``) find a rare defect by chance; these find it for certain.
"""

import hashlib
import string
import unicodedata
from functools import lru_cache
from typing import Any

from pytest_cloudimages.client.exchange import PATCH_TYPE
from pytest_cloudimages.spec.limits import LONGEST

UNRESERVED = string.ascii_letters + string.digits + "-._~"
"""The unreserved characters, which a URI never encodes. (RFC 3986, section 2.3.)"""
RESERVED = " !\"#$&'()*+,:;<=>?@[\\]^`{|}%"
"""Every other printable character of ASCII but the slash, whose encoding has requirements of its own (TAG-URI-*)."""
BOUNDARIES = (1, 2, 127, 128, 254, 255)
BEYOND = (256, 257, 1000)
UNITS = {1: "x", 2: "é", 3: "漢", 4: "😀"}
"""A character of each length in UTF-8, by that length in octets."""

SINGLE_CHARACTERS = ("-", "0", "Z", "x", "~")
"""Tags of one character."""
BOUNDARY_LENGTHS = ("kl", "k" * 127, "l" * 128, "m" * 254, "n" * LONGEST, ("0123456789-._~Az" * 16)[:LONGEST])
"""Tags of the boundary lengths; none is a prefix of another."""
OVERLONG = (*("o" * length for length in BEYOND), "o" * 254 + "  ", "o" * 256)
"""Tags past the limit; one would be within it if its blanks were stripped, and one is tried a second time."""
COMPOSING = ("e\u0301" * 150, "\u1112\u1161\u11ab" * 86)
"""Tags past the limit in characters that would be within it if grapheme clusters were counted."""

LOOK_ALIKES = ("null", "tags", "007", "true", "1e5", "false", "-1", "NaN", "1.0", "0x1F")
"""Tags that a service may parse as a value, or take for a word of its own."""

PATTERNS = ("a.json", "p.q", "pxq", "r_s", "rxs", "tree", "trees", "street")
"""Plain tags, some of which a service may take for a pattern, or a part, of others; the pattern is deleted first."""
ABSENT = ("é", "漢字", "a b", "50%", "x*", "😀", "x" * 300)
"""Special tags that no image has, and that no service could confuse with a tag that it has."""

_WORDS = """
    Null NULL nil None none undefined nan Infinity True TRUE False yes no on off
    -0 00 1 7 1. .5 1E400 0b1 1_000 2147483648 9223372036854775808 18446744073709551616
    2026-01-31 1700000000 127.0.0.1 localhost v2 v2.0 550e8400e29b41d4a716446655440000 deadbeef
    550E8400-E29B-41D4-A716-446655440001
    -- __ ... .hidden -rf ~root tag image members file self schema detail import actions
    id name status owner active a.xml constructor __proto__ length
    __class__ __init__ this admin root public private default all any new latest
    select drop CON NUL PUT DELETE x86_64
    1.10 1e3 queued raw bare shared name.1 min_disk cloudimages_note protected images next
"""
WORDS = tuple(_WORDS.split())
"""Plain words and numbers that services are known to mistreat, whatever language they are written in."""
COLLECTIVE = ("all", "any", "none", "default", "latest", "NULL")
"""Those of them that stand for other things than themselves where something is to be deleted."""

PHRASES = (
    "2026-01-31T12:00:00Z", "2026-01-31T12:00:00+02:00", "someone@example.com",
    "https://example.com/a?b=c#d",
    "file:///etc/passwd", "urn:uuid:550E8400-E29B-41D4-A716-446655440002",
    "2001:db8::1", "00:1b:44:11:3a:b7", "<script>alert(1)</script>",
    "${HOME}", "{{7*7}}", "#{7} %(a)s {x} ${x} {{x}} <%= x %> %n %d $1 \\1 {% x %}",
    "$(id)`id`; id", "@me", "#tag", "=1+1", "1,5", "[a-z]", "^x$", ".*", "a|b", "file/..", "/v2/images",
    "İstanbul ısı", "Straße ẞ", "Οδυσσεύς ΟΔΥΣΣΕΎΣ",
    "$ref", "in:a,b", "neq:a", "key:", "/*", "*", "%", "_%", "'",
    '"', '""', "' OR '1'='1", "';--",
    "{}", "[]", "null,", "a=b&c=d", "a;b=c", "../", "..;", ".. ", "\\\\host\\share", "C:\\", "a.b=c",
    "\\n", "\\u0041",
    "&amp;", "Content-Type: text/html", "naïve café", "Ελλάδα", "日本語タグ", "한국어", "עברית",
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
    "reserved character": tuple(
        f"{chr(97 + place % 26)}{character}{place}" for place, character in enumerate(RESERVED)
    ),
    "control inside": tuple(f"{ord(character):02x}{character}x" for character in CONTROLS),
}
"""The characters of a special tag, each in a tag of its own: tried if the whole is refused or not kept exactly."""
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
"""Tags that a service stores exactly, or refuses, by input class."""

#: Ranges of code points as (first, end, step): of every ``step`` code points one assigned character is taken. Steps are
#: wide where a script has many characters that a service can only treat alike.
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
"""Octets of a polyglot string in UTF-8, at most: fewer than 255, in case a service counts octets."""


@lru_cache(maxsize=4)
def polyglots(seed: int) -> tuple[str, ...]:
    """Return tags that together hold characters of every script; which characters follows from the seed.

    One such tag tries in one request what would take hundreds: a service that keeps it exactly keeps them all.
    """
    found = [FRONTIERS, *("".join(map(chr, range(*ends))) for ends in ((0x2000, 0x2010), (0x2010, 0x2040)))]
    taken = ""
    for begin, end, step in ROWS:
        for row in range(begin, end, step):
            first = int.from_bytes(hashlib.shake_256(f"{seed} {row}".encode()).digest(2)) % step
            # From a place that follows from the seed on to the next code point that is assigned.
            around = (chr(row + (first + offset) % step) for offset in range(step))
            taken += next(
                (character for character in around if unicodedata.category(character) not in ("Cn", "Cs")), ""
            )
    while taken:
        most = min(len(taken), SIZE)  # no character takes less than an octet
        size = next((count for count in range(most, 0, -1) if len(taken[:count].encode()) <= SIZE), 1)
        found.append(taken[:size])
        taken = taken[size:]
    # A letter comes first, since a combining mark at the beginning would be altered by normalisation alone; such tags
    # are drawn as "many combining marks".
    return tuple(f"c{place}{text}" for place, text in enumerate(found))


def fragments(polyglot: str) -> list[str]:
    """Return the quarters of a polyglot string, each with a letter in front, to try if the whole is not kept."""
    quarter = -(-len(polyglot) // 4)
    return [f"p{polyglot[begin : begin + quarter]}" for begin in range(0, len(polyglot), quarter)]


def tag_of_length(length: int, seed: int) -> str:
    """Return a tag of ``length`` plain characters, which follow from the seed; none is a prefix of another."""
    alphabet = string.ascii_letters + string.digits if length < 3 else UNRESERVED  # noqa: PLR2004 - no dot segment
    octets = hashlib.shake_256(f"{seed} {length}".encode()).digest(length)
    return "".join(alphabet[octet % len(alphabet)] for octet in octets)


def plain(tag: str) -> bool:
    """Return whether nothing in a tag needs to be encoded."""
    return {*tag} <= {*UNRESERVED}


def looks_like_a_value(tag: str) -> bool:
    """Return whether a tag may be read as a number, or as a word that stands for a value."""
    return tag[-1:].isdigit() or tag in ("null", "true", "false", "NaN")


def unambiguous(tag: str) -> bool:
    """Return whether a tag is of characters that may stand in a path as they are, and that nobody reads otherwise."""
    return {*tag} <= {*UNRESERVED, "=", ":", "@"}


# Bodies, which a service is to ignore

BODIES_OF_ADDITIONS = (
    (
        "application/json",
        b'{"tag": "other", "tags": ["other", "third"], "name": "other", "value": "other", "image_tag": "other"}',
    ),
    (PATCH_TYPE, b'[{"op": "add", "path": "/tags", "value": ["other", "third"]}]'),
    ("text/plain", b"other"),
    ("application/x-www-form-urlencoded", b"tag=other&tags=third"),
)
"""Media types, and bodies that name other tags than the URL."""
FURTHER_BODIES_OF_ADDITIONS = (
    ("application/xml", b"<tag>other</tag>"),
    ("application/json", b'"other"'),
    ("application/json", b'["other", "third"]'),
    ("", b'{"tag": "other"}'),
    ("application/json", b'{"tag": "other", "rest": "' + b"x" * 2000 + b'"}'),
)
"""Asked about what they bring only, and not about whether they are let pass."""
BODIES_OF_DELETIONS = (
    ("application/json", b'{"tag": "other", "tags": ["other"], "name": "other", "value": "other", "id": "other"}'),
    (PATCH_TYPE, b'[{"op": "replace", "path": "/tags", "value": []}]'),
    ("text/plain", b"other"),
    ("application/x-www-form-urlencoded", b"tag=other"),
)
"""The same, for requests that delete a tag."""
OVERRIDING = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
"""Fields that some gateways obey, and that are to select no other method of a tag."""
BODIES_OF_METHODS: dict[str, dict[str, Any]] = {
    "POST": {"json": {"tag": "new-POST"}, "headers": dict.fromkeys(OVERRIDING, "PUT")},
    "PATCH": {
        "json": [{"op": "replace", "path": "/tags", "value": ["new-PATCH"]}],
        "headers": {"Content-Type": PATCH_TYPE},
    },
}
"""What other methods would add, were they supported."""
IN_OTHER_FORMS: dict[str, dict[str, Any]] = {
    "POST": {
        "body": b"tag=new-POST&_method=DELETE",
        "headers": {"Content-Type": "application/x-www-form-urlencoded", **dict.fromkeys(OVERRIDING, "DELETE")},
    },
    # Who looks at the media type of a patch before the method is known to be none of a tag's has another answer.
    "PATCH": {"json": {"tags": ["new-PATCH"]}, "headers": {"Content-Type": "application/json"}},
}
"""The same of the methods in forms that the service has for no resource."""

ANNOUNCED = {"Expect": "100-continue"}
"""What curl sends by itself with a body that is not small, and no service need be asked for. (RFC 9110, 10.1.1.)"""
NOT_MET = 417
"""What who stands between may answer to that. A client repeats the request without it, and so do checks. (The same.)"""
TAKES_ANY_CODING = {"User-Agent": "curl/8.5.0", "Accept": "*/*", "Accept-Encoding": "gzip, deflate, br, zstd"}
"""What clients send that take an answer in whatever form it is: no body is to come in any."""

# What names another tag than the path of a URL does

_FIELDS = ("X-Tag", "Tag", "X-Image-Meta-Tag", "X-Image-Meta-Tags", "X-Image-Tags", "Slug", "Name", "Link")
_MEMBERS = (
    b'{"tag": "other", "tags": ["other"], "name": "other", "value": "other", "image_tag": "other", "id": "other"}'
)
NAMED_ELSEWHERE: tuple[dict[str, Any], ...] = (
    {"headers": dict.fromkeys(_FIELDS, "other")},
    {"body": _MEMBERS, "headers": {"Content-Type": "application/json"}},
    {"body": b"tag=other", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
)
NAMED_EVERYWHERE: dict[str, Any] = {
    "body": _MEMBERS,
    "headers": {**dict.fromkeys(_FIELDS, "other"), "Content-Type": "application/json"},
}

REWRITING = ("X-Original-URL", "X-Rewrite-URL")
"""Header fields that name another path to gateways, which clients are not to be believed."""

# What a filter by tag may take for something else

FILTERED = (
    *(("", end) for end in ("A", " x", "&x=1", "+%2B", ",y", "%", "_", "é", "😀", "'\"", ":z", "-" * 200, "07")),
    (" ", ""), ("", " "), ("\t", "\n"), ("", "\x00more"), ("in:", ",q"), ("neq:", ""),
    ("!", ""), ("%41", "%00"), ("UP", "PER"), ("[", "]"), ("", "#f;g"), ("*", "*"),
    # In no form of Unicode: NFC composes its beginning, NFD takes its end apart, NFKC the ligature before that.
    ("n\u0303", "\ufb01\u00f1"),
)  # fmt: skip
"""What stands before and after a text that no other image's tags contain, in tags that are looked for."""
NEAR = (
    *(("", end) for end in ("-longer", "a", "xx", "x", "e", "7", "-" * 199, "y", "\x01", "q")),
    ("", "&amp;x=1"), ("A", "\x00"), ("up", "per"), ("x ", ""), ("", " z"), ("un", ""),
    ("\u00f1", "\ufb01\u00f1"), ("\u00f1", "fi\u00f1"),
)  # fmt: skip
"""The same of tags that are to be told from those."""
TOLD_APART = (("up", "per"), ("", "-" * 199), ("A", "\x00"))
"""Those of them that are looked for as well."""
WORDS_FILTERED = ("007", "null")
"""Words that are looked for as they stand: a filter may compare them as the values that programs read them as."""
SAME_TO_PROGRAMS = ("7",)
"""What is the same value to a program as one of those, and is no tag that is looked for."""

SET_TOGETHER = (
    SPECIAL["beyond ASCII"],
    SPECIAL["blank or control at the end"],
    ("a,b", "%41", "x+y", "z" * LONGEST, "q"),
)
"""Special tags that a PATCH sets at once, and kind by kind where that is refused: one may hide another."""

ENDS_A_HEADER = "bare%0D%0A%0D%0Aoctets"
"""A tag, as an address writes it, that has what ends the header of an answer, and octets after that."""

NO_UTF8 = {
    "an octet that is in no UTF-8": ("%FF", "b%FE"),
    "a form that is too long": ("a%C0%AFb", "c%C0%80", "%C1%81", "d%E0%80%AF", "%F0%82%82%AC"),
    "a surrogate": ("%ED%A0%BD%ED%B8%80", "%ED%A0%80", "e%ED%BF%BF"),
    "beyond U+10FFFF": ("%F4%90%80%80", "f%F8%88%80%80%80"),
    "one that is cut off": ("a%C3", "%C3%28", "g%E6%BC", "%F0%9F%98h"),
    "one that has not begun": ("%80", "i%C3%A9%BF"),
}
"""Octets, as an address writes them, that are no UTF-8 (RFC 3629), by what is wrong with them."""
