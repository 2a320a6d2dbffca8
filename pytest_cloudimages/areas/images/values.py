"""The attributes that are patched, and the values that they are given: those that services may take for others."""

FIRST, SECOND, THIRD, VALUE = "cloudimages_first", "cloudimages_second", "cloudimages_third", "cloudimages_value"
"""Attributes of our own."""
LONG = "of 255 characters"
OF_LATIN_1 = "letters of Latin-1"
VALUES = {
    "empty": "",
    OF_LATIN_1: "Gr\u00fc\u00dfe, se\u00f1or",
    "letters of several scripts": "Grüße, Ελλάδα, 東京, العربية",
    "beyond the basic plane": "before \U0001f5bc\U00020000 and after",
    "composed and decomposed": "\u00e9e\u0301",
    "white space at the ends": "  of one's own  ",
    "markup and quotes": "<b>'\"&amp;\\",
    "looks like another type": "null",
    "looks like a number": "0012.50",
    "digits": "42",
    "looks like a truth value": "true",
    "looks like a date": "2001-02-03T04:05:06Z",
    LONG: "v" * 255,
    "line breaks and tabs": "two\nlines\tand a tab",
    "percent and plus": "100%25+a%2Fb",
    "of 255 letters beyond ASCII": "\u6771" * 255,
    "letters in both cases": "CamelCase Value",
}
"""Values of attributes that services may store otherwise than they came."""
OF_NAMES = VALUES | {"letters in one case, of a name that had both": "camelcase value"}
"""Those of names: the last is the one before it, for who does not look at the case of letters."""
OF_ONES_OWN = VALUES | {"of 1,000 characters": "t" * 1000}
"""Those of attributes of one's own: who keeps names in a field of 255 may keep these in a text."""
NEAR = {
    "cloudimages_near_case": ("Of Both Cases", "of both cases"),
    "cloudimages_near_blank": ("with a blank at its end ", "with a blank at its end"),
    "cloudimages_near_accents": ("r\u00e9sum\u00e9", "resume"),
    "cloudimages_near_forms": ("cafe\u0301", "caf\u00e9"),
    "cloudimages_near_number": ("1.00", "1.0"),
    "cloudimages_near_truth": ("True", "true"),
    "cloudimages_near_width": ("\uff21\uff22\uff23", "ABC"),
}
"""Attributes, and two values of each that are the same for who compares them by a collation, or as what they look like.

The second is the one that a service may make of the first, which is told where the first is set.
"""
ODD_NAMES = ("cloudimages%2Dvalue", "cloudimages+a b", "cloudimages_\u00fc\u6771", "cloudimages.value", f" {FIRST} ")
"""A path is no URI: there is nothing to undo in it but ~0 and ~1. (RFC 6901, 5.)"""
LONG_NAMES = tuple(f"cloudimages_{'n' * 187}{end}" for end in "ab")
"""Two names of 200 characters that differ in the last of them."""
OF_LANGUAGES = (
    ("__proto__",),
    ("constructor", "toString", "hasOwnProperty", "__class__", "length"),
    ("0", "null", "$cloudimages"),
)
"""Names that objects of some languages have, and stores of documents, whatever is put into them."""

OF_SYSTEMS = (("os_distro", "debian"), ("os_version", "12.7"))
"""A system and its version, as one attribute each."""
VIOLATIONS: tuple[tuple[str, object], ...] = (
    ("name", "n" * 256),
    ("min_ram", "128"),
    ("min_disk", "3"),
    ("tags", "text"),
    ("tags", ["of", 1]),
    ("tags", ["of", "t" * 256]),
    ("protected", "yes"),
    ("visibility", "bogus"),
    ("container_format", "bogus"),
    ("min_disk", -1),
    ("min_ram", -1),
    ("min_ram", 1.5),
    ("min_disk", None),
    ("protected", 1),
    ("name", 5),
    ("tags", None),
    ("visibility", None),
    ("disk_format", "bogus"),
    (FIRST, 5),
    ("min_ram", True),
    (FIRST, None),
    (FIRST, ["of a list"]),
)
"""Values that the schema of images does not allow."""
SYSTEMS = (("vdi", "bare", "windows", "22.10"), ("iso", "aki", "rhel", "007"), ("raw", "bare", "ubuntu", "1e3"))
"""Formats of disk and container, systems and versions, which are texts whatever they look like."""
NUMBERS = (2**15 + 1, 2**16 + 3, 2**21 + 5, 2**24 + 3, 2**31 - 1, 1, 0)
"""Minima past the bounds of small columns and other units; those past 31 bits few databases keep."""
