"""Findings say for which class of input they hold, and never claim more than the neighbours show."""

from __future__ import annotations

import html
import json
import random
import re
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from pytest_cloudimages.areas.tags.strategies import RELATED
from pytest_cloudimages.areas.tags.suspects import Suspect, suspect
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.diagnosis import charsets, length_limits, pair_relations, string_classes, wording
from pytest_cloudimages.diagnosis.discriminate import Hypothesis, Spent, Trials, discriminate
from pytest_cloudimages.diagnosis.symptoms import Symptom
from pytest_cloudimages.history.operations import Kind

sys.path.insert(0, str(Path(__file__).parent))

from faults import FAULTS
from faults.trial import judged

MOST = 45
"""Trials that the procedure gets for one finding here."""
AN_ID = "d35f2623-5f93-4666-9464-b3e3aeb76eb5"


def trials(goes_wrong: Callable[[Any], object], most: int = MOST) -> Trials[Any]:
    """Make trials of a simulated service, that end after so many."""
    count = 0

    def ask(probe: Any) -> bool:
        nonlocal count
        count += 1
        if count > most:
            raise Spent
        return bool(goes_wrong(probe))

    return Trials(ask)


def changed(change: Callable[[str], str]) -> Callable[[str], bool]:
    """Return a test of tags that such a change alters."""
    return lambda tag: change(tag) != tag


def form(name: Any) -> Callable[[str], bool]:
    """Return a test of tags that a normalisation form alters."""
    return changed(lambda tag: unicodedata.normalize(name, tag))


def bare(tag: str) -> str:
    """Take accents off."""
    return "".join(character for character in unicodedata.normalize("NFD", tag) if not unicodedata.combining(character))


#: What goes wrong with a simulated service, a tag that does, and the class that is to be found.
DEFECTS: dict[str, tuple[Callable[[str], object], str, str]] = {
    "four octets": (lambda tag: max(tag) > "\uffff", "qab😀zz", "any tag with a character above U+FFFF"),
    "emoji": (lambda tag: re.search("[😀-🙏🚀-🛿🎀-🏿]", tag), "😀", "any tag with a symbol above U+FFFF"),
    "plus": (lambda tag: "+" in tag, "abc+ ", "any tag with a plus sign"),
    "apostrophe": (lambda tag: "'" in tag, "' OR '1'='1", "any tag with an apostrophe"),
    "percent": (lambda tag: "%" in tag, "100%", "any tag with a percent sign"),
    "NUL": (lambda tag: "\0" in tag, "ab\0", "any tag with a NUL"),
    "blank": (lambda tag: " " in tag, "a b", "any tag with a blank"),
    "tilde": (lambda tag: "~" in tag, "a~c7", "any tag with a tilde"),
    "HTML": (changed(html.escape), "a<b>", "any tag with a character special to HTML"),
    "reserved": (
        lambda tag: any(character in '?#&=+,;"\\%' for character in tag),
        'a"b',
        'any tag with one of " # % & + , ; = ? \\',
    ),
    "decoding twice": (changed(unquote), "x%2ez", "any tag with a percent sign before two hex digits"),
    "Latin-1": (lambda tag: not tag.isascii(), "xéz", "any tag with a character beyond ASCII"),
    "lower case": (changed(str.lower), "TagTag7", "any tag with an upper-case letter"),
    "form C": (form("NFC"), "qe\u0301b", "any decomposed character (form C changes the tag)"),
    "form D": (form("NFD"), "qéb", "any tag with a character that form D changes"),
    "form KC": (form("NFKC"), "①", "any tag that form KC changes"),
    "accents": (changed(lambda tag: bare(tag) or tag), "aéñ", "any tag that taking accents off would change"),
    "trimming": (
        changed(lambda tag: tag.strip() or tag),
        "ab ",
        "any tag beginning or ending with white space, and not of it alone",
    ),
    "trimming the end": (
        changed(lambda tag: tag.rstrip() or tag),
        "ab\n",
        "any tag ending in white space, after other characters",
    ),
    "a newline's regular expression": (lambda tag: tag.endswith("\n"), "ab\n", "any tag ending in a newline"),
    "squeezing": (changed(lambda tag: tag.replace("  ", " ")), "ab   c", "any tag with two blanks in a row"),
    "ending at NUL": (
        changed(lambda tag: tag.partition("\0")[0] or tag),
        "ab\0c",
        "any tag with a NUL after another character",
    ),
    "controls": (
        lambda tag: any(character < " " or character == "\x7f" for character in tag),
        "ab\x01c",
        "any tag with an ASCII control character",
    ),
    "invisible": (
        lambda tag: any(unicodedata.category(character) == "Cf" for character in tag),
        "ab\u200bc",
        "any tag with an invisible character",
    ),
    "quotes": (
        changed(lambda tag: tag.strip("'\"") or tag),
        "'x",
        "any tag beginning or ending with a quote, and not of it alone",
    ),
    "comma": (
        changed(lambda tag: tag.partition(",")[0] or tag),
        "x,,y",
        "any tag with a comma after another character",
    ),
    "slash": (
        changed(lambda tag: tag.rpartition("/")[2] or tag),
        "a../x",
        "any tag with a slash before another character",
    ),
    "noughts": (
        changed(lambda tag: str(int(tag)) if tag.isascii() and tag.isdigit() else tag),
        "007",
        "any tag that is a whole number with leading noughts",
    ),
    "digits": (lambda tag: re.fullmatch("[0-9]+", tag), "100000", "any tag of digits alone"),
    "dates": (lambda tag: re.fullmatch(r"\d{4}-\d\d-\d\d", tag), "2003-04-05", "any tag that looks like a date"),
    "ids": (
        changed(
            lambda tag: tag.replace("-", "") if re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", tag) else tag
        ),
        AN_ID,
        "any tag that looks like a UUID in lower case",
    ),
    "paths": (
        lambda tag: tag in ("tags", "images", "members", "file", "v2", "self", "schema"),
        "tags",
        "any tag that is a word of the API's paths",
    ),
    "hidden": (lambda tag: tag[0] == ".", ".hidden", "any tag beginning with a full stop"),
    "one character": (lambda tag: len(tag) == 1, "x", "any tag of a single character"),
    "everything": (lambda _: True, "x7", "any tag"),
    "octets": (lambda tag: len(tag.encode()) > 255, "漢" * 255, "more than 255 octets"),
    "UTF-16": (lambda tag: len(tag.encode("utf-16-le")) > 510, "😀" * 255, "more than 255 UTF-16 units"),
    "the target": (lambda tag: len(quote(tag, safe="")) > 240, "a" * 255, "more than 240 octets as written in the URI"),
    "decomposed length": (
        lambda tag: len(unicodedata.normalize("NFD", tag)) > 255,
        "é" * 255,
        "more than 255 characters once decomposed",
    ),
    "128": (lambda tag: len(tag) > 128, "0123456789-._~Az" * 15, "more than 128 characters"),
    "exactly 200": (lambda tag: len(tag) == 200, "s" * 200, "exactly 200 characters"),
    "exactly 200 octets": (lambda tag: len(tag.encode()) == 200, "é" * 100, "exactly 200 octets"),
}

#: What goes wrong here is of no class that could be told from a few neighbours.
OUTSIDERS: dict[str, tuple[Callable[[str], object], str]] = {
    "one word": (lambda tag: tag == "null", "null"),
    "one tag": (lambda tag: tag == "x1q+z", "x1q+z"),
    "one emoji alone": (lambda tag: tag == "😀", "😀"),
    "a checksum": (lambda tag: sum(map(ord, tag)) % 3 == 0, "aaa"),
    "two conditions": (lambda tag: "+" in tag and "e" in tag, "tee+x"),
    "a length and a character": (lambda tag: "+" in tag and len(tag) > 10, "a" * 13 + "+"),
    "a sequence": (lambda tag: re.search(r"\+\d", tag), "a+1"),
    "a palindrome": (lambda tag: tag == tag[::-1] and len(tag) > 2, "aba"),
    "no vowels": (lambda tag: not {*tag} & {*"aeiou"}, "xyz"),
    "a range of lengths": (lambda tag: 100 <= len(tag) <= 200, "s" * 128),
    "odd lengths": (lambda tag: len(tag) > 100 and len(tag) % 2, "a" * 255),
    "a range of controls": (lambda tag: any("\x01" <= character <= "\x08" for character in tag), "a\x01b"),
    "half an alphabet": (lambda tag: any("α" <= character <= "ψ" for character in tag), "αβ"),
}


def claims_within(found: Hypothesis[str], goes_wrong: Callable[[str], object], tag: str) -> list[str]:
    """Return the tags that a claim is about, and that go well."""
    return [
        candidate
        for candidate in {*string_classes.pool(tag), *string_classes.pool("aéb")}
        if found.holds(candidate) and not goes_wrong(candidate)
    ]


@pytest.mark.parametrize("name", DEFECTS)
def test_the_class_of_a_defect_is_found(name: str) -> None:
    """By name, with no tag in it that goes well."""
    goes_wrong, tag, claim = DEFECTS[name]

    found = string_classes.class_of(tag, trials(goes_wrong))

    assert found is not None
    assert found.claim == claim
    assert claims_within(found, goes_wrong, tag) == []


@pytest.mark.parametrize("name", OUTSIDERS)
def test_no_class_is_claimed_for_what_is_none(name: str) -> None:
    """Where no class fits, none is named; what was seen is told."""
    goes_wrong, tag = OUTSIDERS[name]
    asked = trials(goes_wrong)
    asked(tag)

    assert string_classes.class_of(tag, asked) is None
    told = wording.unclaimed(tag, asked, Symptom.REFUSED, "", string_classes.shown)
    assert told.startswith(f"this tag, {string_classes.shown(tag)}, refused; ")
    assert told.endswith("; no class was found")
    assert "neighbours that are accepted: " in told


@pytest.mark.parametrize("number", range(40))
def test_whatever_few_characters_a_service_dislikes_no_claim_reaches_others(number: int) -> None:
    """A class that is claimed of a random few holds none that goes well."""
    chosen = random.Random(number).sample(sorted(charsets.ALL), 1 + number % 5)  # noqa: S311 - the same every time
    tag = f"q{chosen[0]}r"

    def goes_wrong(tag: str) -> bool:
        return not {*chosen}.isdisjoint(tag)

    found = string_classes.class_of(tag, trials(goes_wrong))

    assert found is None or claims_within(found, goes_wrong, tag) == []


def test_nothing_is_claimed_when_the_requests_are_spent() -> None:
    """However far the search came."""
    for most in range(1, 12):
        asked = trials(lambda tag: "+" in tag, most)
        assert string_classes.class_of("abc+d", asked) is None


def test_a_claim_tells_what_was_seen_on_either_side() -> None:
    """The members that went wrong, and the nearest neighbours that did not."""
    asked = trials(lambda tag: tag.endswith("\n"))
    found = string_classes.class_of("ab\n", asked)

    assert found is not None
    told = wording.claimed(found, asked, Symptom.UNFAITHFUL, "when it is added again", string_classes.shown)
    assert told.startswith("any tag ending in a newline, when it is added again ('\\n', 'a\\n', ")
    assert "altered or lost; 'a\\nb', '\\na', 'a\\t' fine)" in told


def test_a_limit_is_told_by_the_lengths_on_either_side() -> None:
    """In the words of the tester's question: which character, how many of it."""
    asked = trials(lambda tag: len(tag.encode()) > 255)
    found = string_classes.class_of("é" * 255, asked)

    assert found is not None
    told = wording.claimed(found, asked, Symptom.REFUSED, "", string_classes.shown)
    assert told.startswith("more than 255 octets (é×127 accepted, é×128 refused, ")
    assert told.endswith("a×255 accepted)")


@pytest.mark.parametrize(
    ("unit", "accepted", "told"),
    [
        ("é", lambda tag: len(tag.encode()) <= 255, "limits octets: é×127 accepted, é×128 refused"),
        ("😀", lambda tag: len(tag.encode("utf-16-le")) <= 510, "limits UTF-16 units: 😀×127 accepted, 😀×128 refused"),
        ("漢", lambda tag: len(tag) <= 255, "limits characters: 漢×255 accepted, 漢×256 refused"),
        ("é", lambda tag: len(tag) <= 64, "limits something else: é×64 accepted, é×65 refused"),
        ("é", lambda _: False, "limits something else: é×0 accepted, é×1 refused"),
    ],
)
def test_a_limit_is_named_with_its_unit(unit: str, accepted: Callable[[str], bool], told: str) -> None:
    """If 255 of that unit are allowed."""
    assert length_limits.limit(unit, accepted) == told


@pytest.mark.parametrize(
    ("longest", "told"),
    [
        (256, "tags of exactly 256 characters (a×256 acknowledged, a×257 refused)"),
        (400, "tags of 256 to 400 characters (a×400 acknowledged, a×401 refused)"),
        (5000, "any tag of more than 255 characters (a×256, a×1000 acknowledged)"),
    ],
)
def test_tags_that_are_too_long_are_told_up_to_which_length(longest: int, told: str) -> None:
    """Where a service takes more than it may."""
    assert wording.beyond(trials(lambda tag: len(tag) <= longest), (256, 257, 1000)) == told


# Two tags


def folded(change: Callable[[str], str]) -> Callable[[pair_relations.Pair], bool]:
    """Return a test of pairs that are the same tag to a service that compares them so."""
    return lambda pair: change(pair[0]) == change(pair[1])


PAIRS: dict[str, tuple[Callable[[pair_relations.Pair], object], pair_relations.Pair, str]] = {
    "case": (folded(str.casefold), ("Abc", "abc"), "two tags equal but for case"),
    "ASCII case": (folded(lambda tag: re.sub("[A-Z]", lambda match: match[0].lower(), tag)), ("TAG", "tag"), "two tags equal but for the case of ASCII letters"),
    "form C": (folded(lambda tag: unicodedata.normalize("NFC", tag)), ("ñ", "n\u0303"), "two tags equal in normalisation form C"),
    "accents": (folded(bare), ("resume", "résumé"), "two tags equal but for accents"),
    "case and accents": (folded(lambda tag: bare(tag).casefold()), ("resume", "résumé"), "two tags equal but for case and accents"),
    "trailing blanks": (folded(lambda tag: tag.rstrip(" ")), ("oak", "oak "), "two tags equal but for blanks at the end"),
    "utf8_general_ci": (folded(lambda tag: bare(tag).rstrip(" ").casefold()), ("Birch ", "birch"), "two tags equal but for case, accents and blanks at the end"),
    "a database's collation": (folded(lambda tag: tag.rstrip(" ").casefold()), ("oak", "oak "), "two tags equal but for case and blanks at the end"),
    "white space": (folded(str.rstrip), ("oak", "oak "), "two tags equal but for white space at the end"),
    "numbers": (folded(lambda tag: str(int(tag)) if re.fullmatch(r"-?\d+", tag) else tag), ("7", "007"), "two whole numbers of equal value"),
    "invisible": (folded(lambda tag: re.sub("[\u00ad\u200b-\u200f\u2060\ufeff\ufe0f]", "", tag)), ("palm", "pa\u200blm"), "two tags equal but for invisible characters"),
    "the first 64": (folded(lambda tag: tag[:64]), ("p" * 64, "p" * 65), "two tags equal in their first 64 characters"),
    "prefix": (lambda pair: pair[0].startswith(pair[1]), ("plumtree", "plum"), "a tag beside another that begins with it"),
    "any two": (lambda _: True, ("x", "y"), "any two tags"),
}  # fmt: skip
KNOWN = [pair for pairs in RELATED.values() for pair in pairs]


@pytest.mark.parametrize("name", PAIRS)
def test_what_relates_two_tags_is_found(name: str) -> None:
    """By name, with no pair in it that goes well."""
    goes_wrong, pair, claim = PAIRS[name]
    asked = trials(goes_wrong, 14)
    asked(pair)

    found = pair_relations.class_of(pair, KNOWN, asked)

    assert found is not None
    assert found.claim == claim
    both = [*KNOWN, *pair_relations.EXTRA]
    assert [pair for pair in (*both, *(two[::-1] for two in both)) if found.holds(pair) and not goes_wrong(pair)] == []


@pytest.mark.parametrize(
    ("goes_wrong", "pair"),
    [
        (lambda pair: pair == ("Abc", "abc"), ("Abc", "abc")),
        (lambda pair: (len(pair[0]) + len(pair[1])) % 2 == 0, ("Abc", "abc")),
        (lambda pair: "b" in pair[0] and pair[0].lower() == pair[1], ("Abc", "abc")),
    ],
)
def test_no_relation_is_claimed_for_what_is_none(
    goes_wrong: Callable[[pair_relations.Pair], object], pair: pair_relations.Pair
) -> None:
    """Where no relation fits, none is named."""
    asked = trials(goes_wrong, 14)
    asked(pair)

    assert pair_relations.class_of(pair, KNOWN, asked) is None


def test_a_class_that_its_own_neighbours_contradict_is_not_claimed() -> None:
    """Nor one that too few of them confirm."""
    even = Hypothesis[str]("even", lambda tag: len(tag) % 2 == 0, ("ab", "abcd"), ("a", "abc"))

    assert discriminate([even], [], trials(lambda tag: len(tag) == 2)) is None
    assert discriminate([Hypothesis[str]("even", even.holds)], ["ab", "a"], trials(even.holds)) is None
    found = discriminate([even], ["abcdef"], trials(even.holds))
    assert found is not None
    assert found.claim == "even"


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("a+b", "'a+b'"),
        ("it's", '"it\'s"'),
        ("é", "'é'"),
        ("e\u0301", "'e\\u0301'"),
        ("a\nb\\", "'a\\nb\\\\'"),
        ("\u200b", "'\\u200b'"),
        ("é" * 128, "é×128"),
        ("漢" * 85 + "aa", "漢×85+'aa'"),
        ("ab" + "x" * 20 + "cd", "'ab'+x×20+'cd'"),
    ],
)
def test_a_tag_is_shown_so_that_it_can_be_told(tag: str, told: str) -> None:
    """Runs are counted, and what cannot be seen is escaped."""
    assert string_classes.shown(tag) == told


# What a case's exchanges show


class Tape:
    """Exchanges of one image, one after the other."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def _add(self, method: str, target: str, status: int, answer: bytes = b"", **more: Any) -> Tape:
        now = float(len(self.exchanges))
        fields: dict[str, Any] = {
            "method": method,
            "target": f"/v2/images/i{target}",
            "status": status,
            "answer": answer,
            "sent": now,
        }
        fields |= {"headers": (), "body": b"", "answer_headers": (), "trailing": b"", "answered": now + 0.5}
        self.exchanges.append(Exchange(**(fields | more)))
        return self

    def put(self, tag: str, status: int = 204, **more: Any) -> Tape:
        """Add a tag."""
        return self._add("PUT", f"/tags/{quote(tag, safe='')}", status, **more)

    def delete(self, tag: str, status: int = 204, **more: Any) -> Tape:
        """Delete a tag."""
        return self._add("DELETE", f"/tags/{quote(tag, safe='')}", status, **more)

    def read(self, *tags: str, **more: Any) -> Tape:
        """Read the tags."""
        return self._add("GET", "", 200, json.dumps({"id": "i", "tags": tags}).encode(), **more)

    def written(self, segment: str, status: int = 204) -> Tape:
        """Add a tag that is written like this."""
        return self._add("PUT", f"/tags/{segment}", status)

    @property
    def suspect(self) -> Suspect | None:
        """What it shows."""
        return suspect(self.exchanges)

    @property
    def shown(self) -> tuple[Symptom, str] | None:
        """The symptom and the tag."""
        return (self.suspect.symptom, self.suspect.tag) if self.suspect else None


@pytest.mark.parametrize(
    ("tape", "shown"),
    [
        (Tape().put("a").read("a"), None),
        (Tape().put("a b").read("ab"), (Symptom.UNFAITHFUL, "a b")),
        (Tape().read("x").put("a").read("x"), (Symptom.UNFAITHFUL, "a")),
        (Tape().read("x").put("a").read("x").read("a", "x"), None),
        (Tape().read("x").put("a").read("a"), (Symptom.REMOVES_OTHERS, "a")),
        (Tape().read("x").put("a").read("a", "b", "x"), (Symptom.ADDS_OTHERS, "a")),
        (Tape().read("a").put("a").read("a", "a"), (Symptom.TWICE, "a")),
        (Tape().put("a", 500), (Symptom.FAILED, "a")),
        (Tape().put("a", 0).read(), (Symptom.FAILED, "a")),
        (Tape().put("\0", 500).put("a").put("b").read("a", "b"), (Symptom.FAILED, "\0")),
        (Tape().put("a").put("a~", 400), (Symptom.REFUSED, "a~")),
        (Tape().put("\0", 400).put("a ").read("a"), (Symptom.UNFAITHFUL, "a ")),
        (Tape().put("\0", 400).put("a"), None),
        (Tape().read().put("a", 400).read("a"), (Symptom.STORED, "a")),
        (Tape().put("a", 200), (Symptom.OTHER_2XX, "a")),
        (Tape().put("a", 201), None),
        (Tape().put("a" * 256, 400), None),
        (Tape().put("a" * 256, 204).read(), (Symptom.ACCEPTED, "a" * 256)),
        (Tape().put("a" * 256, 500), (Symptom.FAILED, "a" * 256)),
        (Tape().put("a").delete("a", 404), (Symptom.UNDELETABLE, "a")),
        (Tape().put("a").delete("a").read("a"), (Symptom.NOT_DELETED, "a")),
        (Tape().delete("a", 400).read("a"), (Symptom.UNDELETABLE, "a")),
        (Tape().read("a", "b").delete("a").read(), (Symptom.REMOVES_OTHERS, "a")),
        (Tape().read("b").delete("a").read("b"), (Symptom.FORGIVEN, "a")),
        (Tape().read("b").delete("a", 410).read("b"), (Symptom.MISANSWERED, "a")),
        (Tape().read("b").delete("a", 404).read("b"), None),
        (Tape().delete("a").read(), None),
        (Tape().read(), None),
    ],
)
def test_the_exchanges_of_a_case_show_what_went_wrong(tape: Tape, shown: tuple[Symptom, str] | None) -> None:
    """The operation at which answers and readings part, and in which way."""
    assert tape.shown == shown


@pytest.mark.parametrize(
    "tape",
    [
        Tape().written("%6Diracle", 400),
        Tape().written("%ff", 500),
        Tape().written("a%2fb", 500),
        Tape().put("a", 415, body=b"{}"),
        Tape().put("a", 403, caller="nobody"),
        Tape().put("a", sent=1.0, answered=3.0).put("a", sent=2.0, answered=4.0).read("a", "a", sent=5.0),
    ],
)
def test_what_is_not_about_the_text_of_a_tag_is_no_suspect(tape: Tape) -> None:
    """Another way to write it, a body, another caller, or operations at the same time."""
    assert tape.suspect is None


def test_a_suspect_knows_the_tags_beside_it() -> None:
    """Those it cost come first."""
    found = Tape().read("b", "Abc", "c").delete("abc", 204).read("b", "c").suspect

    assert found == Suspect(Symptom.REMOVES_OTHERS, Kind.DELETE, "abc", False, ("b", "Abc", "c"), ("Abc",))
    assert found.partners == ["Abc", "b", "c"]


# Whole runs against faulty services

#: A fault, a requirement that it breaks, and how the class of input begins.
RUNS = [
    ("ReadsPlusAsSpace", "TAG-URI-08", "quick", "any tag with a plus sign ("),
    ("FailsOnEmoji", "TAG-URI-11", "quick", "any tag with a character above U+FFFF ("),
    ("FailsOnNul", "TAG-URI-21", "quick", "any tag with a NUL ("),
    ("TrimsTheEnd", "TAG-URI-21", "quick", "any tag ending in white space, after other characters ("),
    ("SqueezesBlanks", "TAG-HIST-04", "standard", "any tag with two blanks in a row ("),
    ("Composes", "TAG-URI-20", "quick", "two tags equal in normalisation form C, when the one to delete is not there"),
    ("ReadsUtf8AsLatin1", "TAG-URI-11", "quick", "any tag with a character beyond ASCII ("),
    ("FoldsCase", "TAG-URI-03", "quick", "any tag with an upper-case letter ("),
    ("RefusesReserved", "TAG-URI-08", "quick", 'any tag with one of " # % & + , ; = ? \\ ('),
    ("EscapesHtml", "TAG-URI-08", "quick", "any tag with a character special to HTML ("),
    ("EndsAtAComma", "TAG-URI-08", "quick", "any tag with a comma after another character ("),
    ("RefusesBlanks", "TAG-URI-08", "quick", "any tag with a blank ("),
    ("RefusesDigits", "TAG-URI-03", "quick", "any tag of digits alone ("),
    ("RefusesDates", "TAG-ADD-01", "quick", "any tag that looks like a date ("),
    ("RefusesUuids", "TAG-ADD-01", "quick", "any tag of the length of a UUID, with four hyphens ("),
    ("RefusesWordsOfPaths", "TAG-URI-03", "quick", "any tag that is a word of the API's paths ("),
    ("RefusesNull", "TAG-URI-03", "quick", "this tag, 'null', refused; "),
    ("RefusesOneCharacter", "TAG-ADD-13", "quick", "any tag of a single character ("),
    ("RefusesATilde", "TAG-ADD-13", "quick", "any tag with a tilde ("),
    ("LimitsOctets", "TAG-ADD-14", "quick", "more than 255 octets (é×127 accepted, é×128 refused"),
    ("LimitsUtf16", "TAG-ADD-14", "quick", "more than 255 UTF-16 units (😀×127 accepted, 😀×128 refused"),
    ("AllowsTags64Long", "TAG-ADD-10", "quick", "more than 64 characters (a×64 accepted, a×65 refused"),
    ("RefusesTags128Long", "TAG-URI-03", "quick", "exactly 128 characters (a×127 accepted, a×128 refused"),
    ("LosesTags254Long", "TAG-URI-03", "quick", "exactly 254 characters (a×253 fine, a×254 altered or lost"),
    ("AllowsTags256Long", "TAG-ADD-11", "quick", "tags of exactly 256 characters (a×256 acknowledged, a×257 refused)"),
    ("DeletesInAnyCase", "TAG-URI-19", "quick", "two tags equal but for case ("),
    ("DeletesByPrefix", "TAG-HIST-04", "standard", "a tag beside another that begins with it ("),
    ("ListsATagTwice", "TAG-ADD-05", "quick", "any tag, when it is added again ("),
    ("LosesWhatComesBack", "TAG-DEL-11", "quick", "any tag, when it comes back after its deletion ("),
    ("KeepsTheLastTag", "TAG-DEL-01", "quick", "any tag, when the image has no other ("),
    ("KeepsTwoTags", "TAG-ADD-04", "quick", "any tag added to an image that already has 2 tags ("),
    ("LosesEverySeventhAddition", "TAG-URI-03", "quick", "any tag, at addition 7 to an image ("),
]


@pytest.mark.parametrize(("name", "identifier", "profile", "claim"), RUNS, ids=[name for name, *_ in RUNS])
def test_a_finding_says_for_which_input_it_holds(
    name: str, identifier: str, profile: str, claim: str, tmp_path: Path
) -> None:
    """And the run leaves no image behind, whatever it has tried."""
    served = []

    def make() -> Any:
        served.append(FAULTS[name]())
        return served[-1]

    outcome = judged(make, tmp_path, profile=profile, select=[identifier], pages=True)

    assert outcome.verdicts[identifier] in ("fail", "advisory")
    assert outcome.classes[identifier].startswith(claim)
    assert re.search(rf"^  class: +{re.escape(claim[:40])}", outcome.output, re.MULTILINE)
    page = (tmp_path / "conformance.html").read_text(encoding="utf-8")
    assert f"{identifier}: {html.escape(claim)[:30]}" in page
    assert [*served[-1].images.all()] == []


def of_list(target: str, status: int, images: list[dict[str, object]]) -> Suspect | None:
    """Return the suspect of a case that ends with such an answer to a list."""
    answer = json.dumps({"images": images}).encode()
    return suspect([Exchange("GET", target, (), b"", status, (), answer, b"", 0.0, 1.0)])


def test_a_filter_of_the_list_is_suspected_of_its_tag() -> None:
    """Of what it misses, of what it takes for it, and of what it fails at; never where something else was asked too."""
    missed = of_list("/v2/images?tag=a%3Ab", 200, [])
    taken = of_list("/v2/images?tag=Ab&limit=100", 200, [{"id": AN_ID, "tags": ["ab", "c"]}])
    failed = of_list("/v2/images?tag=a%3Ab", 500, [])

    assert missed is not None
    assert taken is not None
    assert failed is not None
    assert (missed.symptom, missed.tag) == (Symptom.UNSELECTED, "a:b")
    assert (taken.symptom, taken.tag, taken.partners) == (Symptom.SELECTED_FOR_ANOTHER, "Ab", ["ab", "c"])
    assert failed.symptom is Symptom.FILTER_FAILED
    assert of_list("/v2/images?tag=a&limit=1", 200, []) is None
    assert of_list("/v2/images?tag=a&tag=b", 200, []) is None


def test_no_requests_left_is_no_class_not_found() -> None:
    """What could not be tried for want of requests is said as such."""
    spent = trials(lambda tag: ":" in tag, most=3)
    assert string_classes.class_of("ab:cd", spent) is None
    assert "no requests were left" in wording.unclaimed("ab:cd", spent, Symptom.REFUSED, "", string_classes.shown)
