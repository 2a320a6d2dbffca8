"""Hypothesis strategies of tags: every input class that services are known, or likely, to mistreat.

Random text alone finds little (text of up to 255 characters never reaches a rare class), so there is a strategy for
each class, and ``draw`` returns values that depend on nothing but the seed.
"""

import string
import unicodedata
from collections.abc import Iterable

from hypothesis import strategies as st

from pytest_cloudimages.areas.tags.corpus import BEYOND, BOUNDARIES, RESERVED, UNITS, UNRESERVED
from pytest_cloudimages.engine.drawing import Sample, merged
from pytest_cloudimages.history.operations import READ, Kind, Operation
from pytest_cloudimages.history.sequential_plans import read_often
from pytest_cloudimages.spec.limits import LONGEST


def _around(middle: st.SearchStrategy[str], *, size: int = 8) -> st.SearchStrategy[str]:
    """Return a strategy with plain characters around what makes the class, so that nothing else of it is unusual."""
    edge = st.text(string.ascii_lowercase, max_size=size)
    return st.tuples(edge, middle, edge).map("".join)


def _of(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts)


def _run(characters: str | st.SearchStrategy[str], least: int = 1, most: int = 12) -> st.SearchStrategy[str]:
    return st.text(characters, min_size=least, max_size=most)


#: Plain tags, by input class: nothing in them needs percent-encoding, and no service has a reason to refuse them.
PLAIN: dict[str, st.SearchStrategy[str]] = {
    "letters and digits": _run(string.ascii_letters + string.digits, 3, 20),
    "unreserved": _run(UNRESERVED, 3, 20).filter(lambda tag: tag.strip(".") != ""),
    "one character": _run(string.ascii_letters + string.digits, 1, 1),
    "looks like a value": _of(
        "null",
        "true",
        "false",
        "None",
        "undefined",
        "NaN",
        "nil",
        "0",
        "-1",
        "007",
        "7",
        "1e5",
        "100000",
        "0x1F",
        "1.0",
    ),
    "looks like a path": _of("tags", "images", "v2", "members", "file", "self", "schema", "id", "_", "-", "~"),
    "looks like an id": st.uuids().map(str),
    "a date": st.dates().map(str),
}

#: All other tags, by input class: a service stores these exactly, or refuses them.
UNUSUAL: dict[str, st.SearchStrategy[str]] = {
    "reserved characters": _around(_run(RESERVED)),
    "plus": _around(_of("+", "++", " +", "+ ", "+1")),
    "percent": _around(_of("%", "%25", "%2e", "%2F", "%zz", "100%", "%41", "%%", "%u0041", "%00")),
    "dots": _of("...", ".hidden", "a..b", "x.", "..x", "%2e", "%2e%2e"),
    "slash": _around(_of("/", "//", "../", "/.", "a/b")),
    "backslash": _around(_of("\\", "\\\\", "\\n", "\\u0041", "..\\")),
    "inner blank": st.tuples(
        _run(string.ascii_lowercase, 1, 4), _of(" ", "  ", "   "), _run(string.ascii_lowercase, 1, 4)
    ).map("".join),
    "leading blank": _run(string.ascii_lowercase, 1, 6).map(" {}".format),
    "trailing blank": _run(string.ascii_lowercase, 1, 6).map("{} ".format),
    "only blanks": _of(" ", "  ", "   "),
    "tab": _around(_of("\t", "\t\t")),
    "leading newline": st.tuples(_of("\n", "\r", "\r\n"), _run(string.ascii_lowercase, 1, 4)).map("".join),
    "trailing newline": st.tuples(_run(string.ascii_lowercase, 1, 4), _of("\n", "\r", "\r\n")).map("".join),
    "header": _of("x\r\nX-Injected: 1", "x\r\n\r\nbody", "Set-Cookie: a=b"),
    "NUL": _around(_of("\x00")),
    "controls": _around(_run("".join(map(chr, (*range(1, 9), 11, 12, *range(14, 32), 127))), 1, 3)),
    "C1 controls": _around(_run("".join(map(chr, range(0x80, 0xA0))), 1, 3)),
    "wildcards": _around(_of("*", "?", "%", "_", "[a-z]", ".*", "**")),
    "quotes": _around(_of("'", '"', "''", '""', "`", "'\"", "' OR '1'='1", "'; --")),
    "separators": _around(_of(",", ";", "|", ":", "=", "&", ",,", "a=b&c=d", "in:a,b")),
    "brackets": _around(_of("[]", "{}", "()", "<>", "{0}", "${x}", "{{7}}", "%s", "%(a)s", "$(id)")),
    "HTML": _of("<b>", "&amp;", "&lt;", "<script>alert(1)</script>", "&#65;", "<!--"),
    "JSON": _of('"x"', '["x"]', '{"a":1}', "\\u00e9", '\\"'),
    "accents": _around(_run("éèüñøßÆþ", 1, 4)),
    "Latin-1": _around(_run("".join(map(chr, range(0xA1, 0x100))), 1, 4)),
    "Greek and Cyrillic": _run("αβγΣσςЖжяЁё", 1, 8),
    "Chinese": _run("漢字標籤雲圖", 1, 8),
    "right to left": _run("שלום مرحبا", 1, 8).filter(lambda tag: tag.strip() == tag),
    "emoji": _run("😀🚀🌍🎉", 1, 5),
    "joined emoji": _of("👩‍👩‍👧", "🏳️‍🌈", "👍🏽", "🇩🇪"),
    "beyond the basic plane": _run(
        st.characters(min_codepoint=0x10000, max_codepoint=0x1FFFF, categories=["L", "So"]), 1, 4
    ),
    "composed": _around(_of("é", "ñ", "Å", "ö", "한")),
    "decomposed": _around(_of("e\u0301", "n\u0303", "A\u030a", "o\u0308", "\u1112\u1161\u11ab")),
    "many combining marks": _of("a\u0301\u0308\u0327", "q\u0307\u0323", "o\u0323\u0307", "\u0301"),
    "compatibility forms": _of("ﬁ", "①", "²", "Ａ", "ｶ", "Å", "㎏", "½"),
    "upper case": _run(string.ascii_uppercase, 2, 8),
    "odd case": _of("İ", "ı", "ß", "ẞ", "ſ", "K", "Ǆ", "ŉ", "ᾳ"),
    "invisible": _around(_of("\u200b", "\u200c", "\u200d", "\u2060", "\u00ad", "\ufeff", "\ufe0f", "\u180e", "\u034f")),
    "direction marks": _around(_of("\u200e", "\u200f", "\u202e", "\u2066", "\u2069")),
    "odd blanks": _around(_of("\u00a0", "\u2003", "\u3000", "\u1680", "\u202f", "\u205f")),
    "line separators": _around(_of("\u2028", "\u2029", "\u0085")),
    "look-alike letters": _of("раypal", "аbc", "Αlpha", "ο", "ᴀ"),
    "other digits": _of("٣", "３", "೩", "१२", "Ⅷ"),
    "non-characters": _around(_of("\ufffe", "\uffff", "\ufdd0", "\U0001fffe", "\U0010ffff")),
    "replacement character": _around(_of("\ufffd", "\ufffc")),
    "private use": _around(_of("\ue000", "\uf8ff", "\U000f0000")),
    "unassigned": _around(_run(st.characters(categories=["Cn"], min_codepoint=0x0378, max_codepoint=0x2FE0), 1, 2)),
    "long": _run("aé漢😀Ж ß", 21, 200).map("L{}".format),
    "any text": st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
        # URI software removes them, so that a request would be for another resource. (RFC 3986, 5.2.4.)
        lambda tag: tag not in (".", "..")
    ),
}


#: Pairs of different tags that a service may take for the same, by what relates them. Words differ from pair to pair,
#: so that pairs on the same image do not affect each other.
RELATED: dict[str, tuple[tuple[str, str], ...]] = {
    "letter case": (("Abc", "abc"), ("TAG", "tag"), ("É", "é"), ("straße", "STRASSE"), ("Σίσυφος", "σίσυφοσ")),
    "normalisation form": (
        ("\u00f1", "n\u0303"),
        ("\u212b", "\u00c5"),
        ("한", "\u1112\u1161\u11ab"),
        ("o\u0308k", "ök"),
    ),
    "blank at an end": (("oak", "oak "), ("elm", " elm"), ("fir", "fir\t"), ("yew", "yew\u00a0")),
    "number of blanks": (("a b", "a  b"), ("c d", "cd")),
    "dot at an end": (("cork", "cork."),),
    "part of a name": (("bern", "bern-2"), ("lima_7", "lima"), ("role=web", "role=db")),
    "order of letters": (("stale", "least"),),
    "newline at an end": (("ash", "ash\n"), ("box", "\nbox"), ("bay", "bay\r"), ("fig", "fig\r\n")),
    "accent": (("resume", "résumé"), ("uber", "über"), ("lodz", "łódź"), ("ёлка", "елка")),
    "prefix": (("plum", "plumtree"), ("p" * 64, "p" * 65), ("q" * 254, "q" * 255), ("r" * 128, "r" * 127)),
    "decoding once more": (("%41", "A"), ("e%20f", "e f"), ("%2525", "%25"), ("g%2Bh", "g+h"), ("%C3%A4", "ä")),
    "plus and space": (("i+j", "i j"),),
    "number": (("7", "007"), ("1e5", "100000"), ("1", "1.0"), ("0", "-0"), ("10", "0x0A"), ("2", "٢")),
    "default-ignorable character": (
        ("palm", "pa\u200blm"),
        ("pine", "pine\ufeff"),
        ("teak", "t\u00adeak"),
        ("❤", "❤\ufe0f"),
    ),
    "look-alike letter": (("paypal", "pаypal"), ("Beta", "Βeta"), ("soon", "sооn")),
    "script": (("ひらがな", "ヒラガナ"),),
    "slash and backslash": (("a/z", "a\\z"),),
    "direction mark": (("apple", "apple\u200e"),),
    "double letter": (("grüße", "grüsse"),),
    "compatibility form": (("fin", "ﬁn"), ("3", "③"), ("Wide", "Ｗide"), ("4", "⁴")),
    "beyond the basic plane": (("😀", "😁"), ("x😀", "x?"), ("𝒜", "𝒝")),
    "entity": (("&", "&amp;"), ("<b>", "&lt;b&gt;")),
    "NUL": (("lime", "lime\x00"), ("rowan", "rowan\x00more")),
    "separator": (("k,l", "k"), ("m;n", "m"), ("s|t", "s"), ("u:v", "u")),
    "quote": (("'maple'", "maple"), ('"larch"', "larch"), ("it's", "its"), ("w\\y", "wy")),
    "wildcard": (("ced%", "cedar"), ("b_ech", "beech"), ("ald*", "alder"), ("h?zel", "hazel"), ("w.llow", "willow")),
}


def boundary_tags(*, octets: Iterable[int] = tuple(UNITS)) -> st.SearchStrategy[str]:
    """Return a strategy of tags of the boundary lengths, made of characters of ``octets`` octets each in UTF-8."""
    units = [UNITS[width] for width in octets]
    return st.tuples(st.sampled_from(units), st.sampled_from(BOUNDARIES)).map(lambda pair: pair[0] * pair[1])


def plain_tags() -> st.SearchStrategy[str]:
    """Return a strategy of tags that any service takes: 1 to 255 unreserved characters.

    (RFC 3986, section 2.3.)
    """
    return st.one_of(*PLAIN.values())


def unusual_tags() -> st.SearchStrategy[str]:
    """Return a strategy of tags of every unusual class and boundary length; lone surrogates alone are left out."""
    return st.one_of(*UNUSUAL.values(), boundary_tags())


def tags() -> st.SearchStrategy[str]:
    """Return a strategy of all tags of 1 to 255 characters, of every class; it shrinks towards plain ones.

    (Image tags: Add image tag, Request.)
    """
    return st.one_of(plain_tags(), unusual_tags())


def overlong_tags() -> st.SearchStrategy[str]:
    """Return a strategy of tags of more than 255 characters; it shrinks towards 256."""
    return st.one_of(
        st.tuples(st.sampled_from([*UNITS.values()]), st.sampled_from(BEYOND)).map(lambda pair: pair[0] * pair[1]),
        st.integers(LONGEST + 1, 2 * LONGEST).map("x".__mul__),
    )


def skeleton(tag: str) -> str:
    """Return what confusable tags have in common: without case, normalisation form, blanks and invisible characters.

    The term is that of Unicode Technical Standard 39, section 4; this one folds more than its tables do.
    """
    if tag and not tag.strip(" "):
        return " "  # a database that ignores trailing blanks takes all of these for the same tag
    folded = unicodedata.normalize("NFKC", tag.strip()).casefold()
    return "".join(
        character for character in folded if unicodedata.category(character) not in ("Cf", "Cc", "Mn")
    ) or repr(tag)


def without_confusables(drawn: Iterable[Sample]) -> list[Sample]:
    """Return samples without those confusable with an earlier one: confusable tags are tried as pairs (``RELATED``)."""
    kept: dict[str, Sample] = {}
    for sample in drawn:
        kept.setdefault(skeleton(sample.tag), sample)
    return [*kept.values()]


def non_confusable_groups(pairs: Iterable[tuple[str, tuple[str, str]]]) -> list[list[tuple[str, tuple[str, str]]]]:
    """Return named pairs divided into groups in which no tag is, or is confusable with, a tag of another pair."""
    groups: list[tuple[set[str], list[tuple[str, tuple[str, str]]]]] = []
    for name, pair in pairs:
        skeletons = {skeleton(tag) for tag in pair} | {*pair}
        group = next((group for group in groups if not skeletons & group[0]), None)
        if group is None:
            group = (set(), [])
            groups.append(group)
        group[0].update(skeletons)
        group[1].append((name, pair))
    return [pairs for _, pairs in groups]


IN_A_HISTORY = "sequence"
"""The class of the tags that random histories are about."""
DRAWN = frozenset({*PLAIN, *UNUSUAL})
"""The classes whose tags are drawn at random; those of others are written out."""


@st.composite
def plans(draw: st.DrawFn, steps: int) -> list[Operation]:
    """Draw a sequence of operations on two images: a few plain tags again and again, and some reads."""
    pool = without_confusables(
        [Sample(tag, IN_A_HISTORY) for tag in draw(st.lists(plain_tags(), min_size=4, max_size=8))]
    )
    operations: list[Operation] = []
    for _ in range(steps):
        kind = draw(st.sampled_from([Kind.ADD, Kind.ADD, Kind.DELETE, Kind.DELETE, Kind.READ]))
        if kind is Kind.READ:
            operations.append(READ)
        else:
            sample = draw(st.sampled_from(pool))
            image = draw(st.sampled_from([0, 0, 0, 1]))
            operations.append(Operation(kind, sample.tag, image, sample.input_class))
    return [*operations, READ]


@st.composite
def confusable_plans(draw: st.DrawFn) -> list[Operation]:
    """Draw an interleaving of the histories of three pairs of confusable tags.

    Either of a pair is added and deleted while the other is present, when it is deleted, and when it is re-added.
    """
    first, second = ([(name, pair) for pair in RELATED[name]] for name in ALIKE)
    rest = [(name, pair) for name in ALIKE_TOO for pair in RELATED[name] if max(map(len, pair)) <= SHORT]
    histories: list[list[Operation]] = []
    for pairs in (first, second, rest):
        name, pair = draw(st.sampled_from(pairs))
        tag, other = draw(st.permutations(pair))
        order = [(Kind.ADD, tag), (Kind.DELETE, tag), (Kind.ADD, other), (Kind.ADD, tag), (Kind.DELETE, other)]
        order += [(Kind.ADD, other), (Kind.DELETE, tag), (Kind.ADD, tag), (Kind.DELETE, tag), (Kind.DELETE, other)]
        histories.append([Operation(kind, value, 0, f"sequence: {name}") for kind, value in order])
    return [*read_often(draw(merged(histories)), GROUP)]


GROUP = 5
"""Operations between two reads of a sequence of confusable tags: few, since any of them may go wrong."""
SHORT = 20
"""Length in characters, at most, of a tag in a sequence of confusable ones."""

ALIKE = ("letter case", "blank at an end")
ALIKE_TOO = ("normalisation form", "number of blanks", "accent", "prefix", "number")
"""Relations of tags in sequences: each of the former, one of the latter. All are tried pair by pair."""
