"""Classes of single tags: what they contain and where, what they look like, what changes them. No I/O."""

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from pytest_cloudimages.diagnosis import charsets, length_limits
from pytest_cloudimages.diagnosis.charsets import Characters
from pytest_cloudimages.diagnosis.discriminate import Hypothesis, Spent, Trials, discriminate
from pytest_cloudimages.diagnosis.normalization import Form, normalized, without_accents
from pytest_cloudimages.spec.limits import LONGEST

Text = Hypothesis[str]
Places = list[bool]
"""For each character of a tag, whether it belongs to a set."""

PLAIN = ("plain", "tag7", "x-y_z")
"""Tags that no service has a reason to refuse or alter."""
MAX_CHARACTERS_TRIED = 4
"""Characters that are tried one by one, at most; a tag with more remarkable ones is halved."""
MAX_CHARACTERS_CLASSED = 6
"""Characters of a tag, at most, whose sets become hypotheses."""
LONG = 9
"""Length in characters from which on it may be what matters about a tag."""


def _after(at: Places) -> bool:
    """Return whether a member of the set comes after a character that is none."""
    return False in at and any(at[at.index(False) :])


def _between(at: Places) -> bool:
    """Return whether a member of the set comes between two characters that are none."""
    first = at.index(False) if False in at else 0
    last = len(at) - 1 - at[::-1].index(False) if False in at else 0
    return any(at[first:last])


#: How a set of characters may matter; each says whether the characters of it, at True, make the tag a member.
SHAPES: tuple[tuple[str, Callable[[Places], bool], tuple[str, ...], tuple[str, ...]], ...] = (
    # claim, whether it holds, patterns of members, patterns of non-members; "c" stands for a character of the set
    ("any tag with {singular}", any, ("acb", "c", "tagcx7"), ()),
    (
        "any tag with {singular} and something else",
        lambda at: any(at) and not all(at),
        ("acb", "tag7c", "ca"),
        ("c", "cc"),
    ),
    ("any tag ending in {singular}", lambda at: at[-1], ("ac", "c", "tag7c"), ("acb", "ca")),
    (
        "any tag ending in {singular}, after other characters",
        lambda at: at[-1] and not all(at),
        ("ac", "tag7c"),
        ("c", "ca"),
    ),
    ("any tag beginning with {singular}", lambda at: at[0], ("ca", "c", "c7tag"), ("acb", "ac")),
    (
        "any tag beginning with {singular}, before other characters",
        lambda at: at[0] and not all(at),
        ("ca", "c7tag"),
        ("c", "ac"),
    ),
    ("any tag beginning or ending with {singular}", lambda at: at[0] or at[-1], ("ca", "tag7c", "c"), ("acb", "abcd")),
    (
        "any tag beginning or ending with {singular}, and not of it alone",
        lambda at: (at[0] or at[-1]) and not all(at),
        ("ca", "tag7c"),
        ("c", "acb"),
    ),
    ("any tag with {singular} after another character", _after, ("acb", "tag7c"), ("ca", "cc")),
    ("any tag with {singular} before another character", lambda at: _after(at[::-1]), ("acb", "c7tag"), ("ac", "cc")),
    ("any tag with {singular} between others", _between, ("acb", "tagcx7"), ("ca", "ac", "cc")),
    ("any tag with {singular} after the first character", lambda at: any(at[1:]), ("acb", "tag7c", "cc"), ("ca", "c")),
    ("any tag with {singular} before the last character", lambda at: any(at[:-1]), ("acb", "c7tag", "cc"), ("ac", "c")),
    ("any tag with {singular} inside", lambda at: any(at[1:-1]), ("acb", "tagcx7"), ("ca", "ac")),
    ("any tag of {plural} alone", all, ("c", "cc", "ccccc"), ("ca", "ac")),
    ("any tag that is {singular}", lambda at: at == [True], ("c",), ("cc", "ac")),
    (
        "any tag with two {plural} in a row",
        lambda at: any(first and second for first, second in pairwise(at)),
        ("accb", "tagccc7", "cc"),
        ("acb", "acbcd"),
    ),
    ("any tag with several {plural}", lambda at: sum(at) > 1, ("acbcd", "tagcc7"), ("acb", "ca")),
)

UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
AN_ID = "0b1e9c1a-7d3f-4c55-9a52-3f1c0de9a7b2"
PATHS = ("tags", "images", "members", "file", "v2", "self", "schema")


def _like(pattern: str) -> Callable[[str], bool]:
    whole = re.compile(pattern, re.DOTALL)
    return lambda tag: bool(whole.fullmatch(tag))


def _changed_by(form: Form) -> Callable[[str], bool]:
    change = normalized(form)
    return lambda tag: change(tag) != tag


def _is_number(tag: str) -> bool:
    try:
        float(tag)
    except ValueError:
        return False
    return tag.isascii() and tag == tag.strip() and "_" not in tag


ANY: Text = Hypothesis("any tag", lambda _: True, PLAIN, everything=True)

#: What a tag may look like, and what would change it.
LOOKS: tuple[Text, ...] = (
    Hypothesis(
        "any decomposed character (form C changes the tag)",
        _changed_by("NFC"),
        ("e\u0301", "n\u0303", "\u1112\u1161\u11ab"),
        ("é", "q\u0301", "한"),
    ),
    Hypothesis("any tag that form D changes", _changed_by("NFD"), ("é", "aña", "한"), ("e\u0301", "ø", "漢")),
    Hypothesis("any tag that form KC changes", _changed_by("NFKC"), ("ﬁ", "①", "e\u0301"), ("f", "é", "漢")),
    Hypothesis(
        "any tag that taking accents off would change",
        lambda tag: (without_accents(tag) or tag) != tag,
        ("é", "e\u0301", "한"),
        ("\u0301", "ø", "漢"),
    ),
    Hypothesis("any tag that form KD changes", _changed_by("NFKD"), ("ﬁ", "é", "한"), ("e\u0301", "ø", "漢")),
    Hypothesis(
        "any tag with a percent sign before two hex digits",
        lambda tag: bool(re.search("%[0-9A-Fa-f]{2}", tag)),
        ("%41", "a%2fb", "%25"),
        ("%zz", "100%", "%4"),
    ),
    Hypothesis(
        "any tag that is a whole number with leading noughts",
        _like("0[0-9]+"),
        ("007", "00", "01"),
        ("7", "70", "0x1F", "0a"),
    ),
    Hypothesis(
        "any tag that is a whole number, or one with a sign",
        _like("[+-]?[0-9]+"),
        ("7", "-1", "007"),
        ("1.0", "1e5", "7a"),
    ),
    Hypothesis("any tag that is a number", _is_number, ("7", "1e5", "-1", "1.0"), ("7a", "0x1F", "x7")),
    Hypothesis(
        "any tag that is a number with a point or an exponent",
        lambda tag: _is_number(tag) and not _like("[+-]?[0-9]+")(tag),
        ("1e5", "1.0", "2.50"),
        ("7", "-1", "7a"),
    ),
    Hypothesis(
        "any tag that looks like a date",
        _like(r"\d{4}-\d\d-\d\d"),
        ("2024-01-31", "1999-12-01", "2000-02-29"),
        ("2024-01-3", "20240131", "2024-01-311", "abcd-ef-gh"),
    ),
    Hypothesis(
        "any tag that looks like a UUID",
        _like(f"(?i:{UUID})"),
        (AN_ID, AN_ID.upper(), AN_ID[::-1].replace("-", "")[:8] + AN_ID[8:]),
        (AN_ID[:-1], AN_ID.replace("-", ""), AN_ID + "0"),
    ),
    Hypothesis(
        "any tag that looks like a UUID in lower case",
        _like(UUID),
        (AN_ID, "f" * 8 + AN_ID[8:], "0" * 8 + AN_ID[8:]),
        (AN_ID[:-1], AN_ID.replace("-", ""), AN_ID.upper()),
    ),
    Hypothesis(
        "any tag of the length of a UUID, with four hyphens",
        lambda tag: len(tag) == len(AN_ID) and tag.count("-") == AN_ID.count("-"),
        (AN_ID, AN_ID.upper(), "z" * 8 + AN_ID[8:], "z-" * 4 + "z" * 28),
        (AN_ID[:-1], AN_ID + "0", AN_ID.replace("-", ""), "z" * 36),
    ),
    Hypothesis(
        "any tag that is a word of JSON (null, true, false)",
        lambda tag: tag in ("null", "true", "false"),
        ("null", "true", "false"),
        ("nul", "nulls", "none", "Null"),
    ),
    Hypothesis(
        "any tag that is a word for a truth value",
        lambda tag: tag.lower() in ("true", "false"),
        ("true", "false", "True"),
        ("null", "truer", "tru"),
    ),
    Hypothesis(
        "any tag that is a word for nothing",
        lambda tag: tag.lower() in ("null", "none", "nil", "undefined"),
        ("null", "None", "nil"),
        ("true", "nul", "nulls"),
    ),
    Hypothesis("any tag that is a word of the API's paths", lambda tag: tag in PATHS, PATHS, ("tag", "imagess", "x")),
    Hypothesis(
        "any tag with an entity of HTML",
        lambda tag: html.unescape(tag) != tag,
        ("&amp;", "&#65;", "a&lt;b"),
        ("&", "&x", "&;"),
    ),
    Hypothesis("any tag in angle brackets", _like("<.*>"), ("<b>", "<>", "<a b>"), ("<b", "b>", "a<b>c")),
    Hypothesis("any tag that is quoted", _like("'.*'|\".*\""), ("'x'", '"x"', "'a b'"), ("'x", 'x"', "a'b")),
    Hypothesis(
        "any tag that JSON reads as a value",
        lambda tag: bool(re.fullmatch(r'"[^"\\]*"|\[.*\]|\{.*\}', tag)),
        ('"x"', "[]", '{"a":1}'),
        ("x", '"x', "a[]"),
    ),
    Hypothesis(
        "any tag beginning with a dot", lambda tag: tag[0] == ".", (".a", "...", ".hidden"), ("a.", "a.b", "-a")
    ),
    Hypothesis(
        "any tag with two dots in a row", lambda tag: ".." in tag, ("a..b", "...", "..a"), ("a.b", ".a", "a.b.c")
    ),
    Hypothesis("any tag of a single character", lambda tag: len(tag) == 1, ("a", "7", "Z", "-"), ("aa", "a7", "abc")),
    Hypothesis(
        "any tag of one or two characters",
        lambda tag: len(tag) <= 2,  # noqa: PLR2004 - it says so
        ("a", "7", "ab", "Z9"),
        ("abc", "abcd", "a-b"),
    ),
    Hypothesis("any tag of exactly two characters", lambda tag: len(tag) == 2, ("ab", "7a", "a-"), ("a", "abc", "a-b")),  # noqa: PLR2004 - it says so
)


def class_of(tag: str, trials: Trials[str]) -> Text | None:
    """Return the class of a tag that goes wrong by itself, or ``None`` if none can be claimed."""
    try:
        if trials(PLAIN[0]) and all(trials(sample) for sample in ANY.inside):
            return ANY
        least = shrunk(tag, trials)
        return _class_of(least, trials)
    except Spent:
        return None


def _class_of(least: str, trials: Trials[str]) -> Text | None:
    if len(least) >= LONG and (unit := _by_length(least, trials)):
        return length_limits.length_class(unit, len(least), trials)
    special = len(least) == len("acb") and least[1] in charsets.SPECIALS and least[0] + least[2] == "ab"
    found = discriminate(hypotheses(least), pool(least), trials)
    return _among_specials(least, found, trials) if special else found


def shrunk(tag: str, trials: Trials[str]) -> str:
    """Return a simpler tag that goes wrong too: one character between plain ones, half of the tag, or the tag."""
    while True:
        remarkable = list(dict.fromkeys(_representatives(tag)))
        if len(remarkable) > MAX_CHARACTERS_TRIED:
            halves = (tag[: len(tag) // 2], tag[len(tag) // 2 :])
            half = next((half for half in halves if half.strip(".") and trials(half)), None)
            if half is None:
                return tag
            tag = half
            continue
        for character in remarkable:
            if trials(f"a{character}b"):
                return f"a{character}b"
        return tag


def _representatives(tag: str) -> Iterator[str]:
    """Yield the characters that may matter: all but lower-case letters of ASCII, and of its digits and capitals one."""
    seen: set[str] = set()
    for character in tag:
        group = "digit" if character in "0123456789" else "upper" if "A" <= character <= "Z" else character
        if group not in seen and not "a" <= character <= "z":
            seen.add(group)
            yield character


def _by_length(tag: str, trials: Trials[str]) -> str:
    """Return a character that goes wrong as well when it is repeated to the length of the tag; ``""`` if none does."""
    units = dict.fromkeys(["a", max(tag, key=tag.count)])
    return next((unit for unit in units if trials(unit * len(tag))), "")


def hypotheses(tag: str) -> list[Text]:
    """Return every class that this tag belongs to, the plainest first."""
    found = [ANY]
    remarkable = [*_representatives(tag)][:MAX_CHARACTERS_CLASSED]
    remarkable += [character for character in tag if character not in remarkable][:1]
    found += [
        _shaped(claim, holds, members, others, group)
        for claim, holds, members, others in SHAPES
        for character in remarkable
        for group in charsets.sets_of(character)
        if holds([group.has(each) for each in tag])
    ]
    found += [look for look in LOOKS if look.holds(tag)]
    found.append(Hypothesis(f"this tag alone, {shown(tag)}", lambda other: other == tag))
    found.append(Hypothesis(f"{shown(tag)} in any case", lambda other: other.casefold() == tag.casefold()))
    unique = {hypothesis.claim: hypothesis for hypothesis in found}
    return [*unique.values()]


def _shaped(
    claim: str, holds: Callable[[Places], bool], members: Iterable[str], others: Iterable[str], group: Characters
) -> Text:
    def belongs(tag: str) -> bool:
        return bool(tag) and holds([group.has(character) for character in tag])

    shapes, first, last = [*members], group.inside[0], group.inside[-1]
    # Every shape with the first character of the set, and some shapes with the others.
    inside = [
        *(_put(shape, first) for shape in shapes),
        _put(shapes[-1], last),
        *(_put(shapes[0], character) for character in group.inside),
    ]
    outside = [_put(shapes[0], character) for character in group.outside]
    # Other shapes first, then other characters.
    outside = [*(_put(shape, first) for shape in others), *outside]
    return Hypothesis(
        claim.format(singular=group.singular, plural=group.plural),
        belongs,
        tuple(sample for sample in dict.fromkeys(inside) if belongs(sample)),
        tuple(sample for sample in dict.fromkeys(outside) if safe(sample) and not belongs(sample)),
    )


def _put(shape: str, character: str) -> str:
    return shape.replace("c", character)


def pool(tag: str) -> list[str]:
    """Return what may be tried, the nearest to this tag first."""
    own = [character for character in dict.fromkeys(tag) if not "a" <= character <= "z"] or [tag[0]]
    shapes = ("acb", "ac", "ca", "c", "accb", "acbcd", "cc")
    found = [_put(shape, character) for shape in shapes for character in own]
    found += [tag[:-1], tag[1:], tag + "a", "a" + tag, tag + tag[-1], tag.swapcase(), tag.upper(), tag.lower()]
    found += [tag[:place] + "a" + tag[place + 1 :] for place in range(min(len(tag), 40))]
    found += PLAIN
    found += [sample for look in LOOKS if look.holds(tag) for sample in (*look.inside, *look.outside)]
    close = sorted(charsets.ALL, key=lambda character: min(_distance(character, mine) for mine in own))
    found += [_put(shape, character) for shape in shapes[:4] for character in close]
    found += [sample for look in LOOKS for sample in (*look.inside, *look.outside)]
    return [candidate for candidate in dict.fromkeys(found) if safe(candidate) and len(candidate) <= LONGEST]


def _distance(character: str, other: str) -> tuple[bool, bool, int]:
    first, second = unicodedata.category(character), unicodedata.category(other)
    return first != second, first[0] != second[0], abs(ord(character) - ord(other))


def safe(tag: str) -> bool:
    """Return whether a tag can be sent at all: not if it is empty, or a dot segment. (RFC 3986, 5.2.4)."""
    return tag.strip() not in ("", ".", "..") or (bool(tag) and tag.isspace())


def _among_specials(least: str, found: Text | None, trials: Trials[str]) -> Text | None:
    """Return a class of special ASCII characters that fits all trials: a service may treat any few of them alike."""
    special = least[1]
    usual = {other: f"a{other}b" for other in charsets.USUAL}
    try:
        trials.all([*usual.values()])
        if found and all(trials(probe) is found.holds(probe) for probe in usual.values()):
            return found
        trials.all([f"a{other}b" for other in charsets.SPECIALS])
        wrong = {other for other in charsets.SPECIALS if trials(f"a{other}b")}
        if wrong == {*charsets.SPECIALS} or not trials(f"tag{special}7") or trials(PLAIN[0]):
            return None
        anywhere = trials(special) and trials(f"{special}a") and trials(f"a{special}")
    except Spent:
        return None
    where = "" if anywhere else " between other characters"
    return Hypothesis(
        f"any tag with {charsets.named(wrong)}{where}", lambda tag: any(character in wrong for character in tag)
    )


def shown(tag: str) -> str:
    """Return a tag as reports show it: runs of a character are counted, what cannot be seen is escaped."""
    runs = [match.group() for match in re.finditer(r"(.)\1*", tag, re.DOTALL)]
    if any(len(run) >= LONG for run in runs):
        return "+".join(f"{_visible(run[0])}×{len(run)}" if len(run) >= LONG else shown(run) for run in _merged(runs))
    mark = '"' if "'" in tag and '"' not in tag else "'"
    return f"{mark}{_visible(tag)}{mark}"


def _merged(runs: list[str]) -> list[str]:
    found: list[str] = []
    for run in runs:
        if found and len(run) < LONG and len(found[-1]) < LONG:
            found[-1] += run
        else:
            found.append(run)
    return found


def _visible(text: str) -> str:
    plain = text.isprintable() and unicodedata.normalize("NFKC", text) == text
    plain = plain and not any(unicodedata.category(character)[0] in "MZ" and character != " " for character in text)
    return text.replace("\\", "\\\\") if plain else ascii(text)[1:-1]
