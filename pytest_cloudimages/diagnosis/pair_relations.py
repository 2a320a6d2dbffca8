"""Classes of pairs: what two tags have in common that a service takes for the same. No I/O."""

import html
import re
import unicodedata
import urllib.parse
from collections.abc import Callable, Sequence

from pytest_cloudimages.diagnosis import charsets
from pytest_cloudimages.diagnosis.discriminate import Hypothesis, Trials, discriminate
from pytest_cloudimages.diagnosis.normalization import normalized, without_accents

Pair = tuple[str, str]
"""Another tag of the image, and the tag that the suspect operation names."""

LOOK_ALIKES = str.maketrans("аеорсухАВЕКМНОРСТХΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "aeopcyxABEKMHOPCTXABEZHIKMNOPTYXo")


def _lower(tag: str) -> str:
    return "".join(character.lower() if character.isascii() else character for character in tag)


def _without(unwanted: Callable[[str], bool]) -> Callable[[str], str]:
    return lambda tag: "".join(character for character in tag if not unwanted(character))


def _until(separator: str) -> Callable[[str], str]:
    return lambda tag: tag.partition(separator)[0]


def _first(count: int) -> Callable[[str], str]:
    return lambda tag: tag[:count]


def _value_as(number_type: Callable[[str], float]) -> Callable[[str], str]:
    def value(tag: str) -> str:
        try:
            return repr(number_type(tag))
        except ValueError:
            return tag

    return value


#: Changes after which a service may compare tags, the plainest first. A pair belongs to the class if its tags differ,
#: and are equal once both are changed.
CHANGES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("two tags equal but for the case of ASCII letters", _lower),
    ("two tags equal but for case", str.casefold),
    ("two tags equal in normalisation form C", normalized("NFC")),
    ("two tags equal in compatibility form", normalized("NFKC")),
    ("two tags equal but for accents", without_accents),
    ("two tags equal but for case and accents", lambda tag: without_accents(tag).casefold()),
    ("two tags equal but for case and form", lambda tag: unicodedata.normalize("NFKC", tag).casefold()),
    ("two tags equal but for blanks at the end", lambda tag: tag.rstrip(" ")),
    ("two tags equal but for case and blanks at the end", lambda tag: tag.rstrip(" ").casefold()),
    (
        "two tags equal but for case, accents and blanks at the end",
        lambda tag: without_accents(tag).rstrip(" ").casefold(),
    ),
    ("two tags equal but for ASCII white space at the end", lambda tag: tag.rstrip(" \t\n\r\x0b\x0c")),
    ("two tags equal but for white space at the end", str.rstrip),
    ("two tags equal but for white space at the beginning", str.lstrip),
    ("two tags equal but for blanks at the ends", lambda tag: tag.strip(" ")),
    ("two tags equal but for ASCII white space at the ends", lambda tag: tag.strip(" \t\n\r\x0b\x0c")),
    ("two tags equal but for white space at the ends", str.strip),
    ("two tags equal but for a newline at the end", lambda tag: tag.removesuffix("\n")),
    ("two tags equal but for newlines or carriage returns at the end", lambda tag: tag.rstrip("\r\n")),
    ("two tags equal but for the number of blanks in a row", lambda tag: re.sub(" +", " ", tag)),
    ("two tags equal but for blanks", _without(lambda character: character == " ")),
    ("two tags equal but for white space", _without(str.isspace)),
    ("two tags equal once percent-decoding is done again", urllib.parse.unquote),
    ("two tags equal but for plus signs and blanks", lambda tag: tag.replace("+", " ")),
    ("two whole numbers of equal value", _value_as(int)),
    ("two numbers of equal value", _value_as(float)),
    (
        "two tags equal but for invisible characters",
        _without(lambda character: unicodedata.category(character) in ("Cf", "Mn")),
    ),
    ("two tags equal but for control characters", _without(lambda character: unicodedata.category(character) == "Cc")),
    ("two tags equal but for NULs", _without(lambda character: character == "\0")),
    ("two tags equal up to a NUL", _until("\0")),
    ("two tags equal but for letters that look alike", lambda tag: tag.translate(LOOK_ALIKES)),
    ("two tags equal but for characters above U+FFFF", lambda tag: re.sub("[\U00010000-\U0010ffff]", "?", tag)),
    ("two tags equal but for characters beyond ASCII", lambda tag: re.sub(r"[^\x00-\x7f]", "?", tag)),
    ("two tags equal once entities of HTML are read", html.unescape),
    ("two tags equal but for quotes", _without(lambda character: character in "'\"")),
    ("two tags equal but for backslashes", _without(lambda character: character == "\\")),
    *((f"two tags equal up to {charsets.NAMES[separator]}", _until(separator)) for separator in ",;|:/?#&="),
    ("two tags equal but for what is neither letter nor digit", _without(lambda character: not character.isalnum())),
    *(
        (f"two tags equal in their first {count} characters", _first(count))
        for count in (8, 16, 20, 32, 50, 64, 100, 127, 128, 191, 200, 250, 254)
    ),
)


def _fits(several: str, single: str) -> Callable[[str, str], bool]:
    def fits(pattern: str, tag: str) -> bool:
        written = "".join(
            ".*" if character == several else "." if character == single else re.escape(character)
            for character in pattern
        )
        return re.fullmatch(written, tag, re.DOTALL) is not None

    return fits


def _matches(expression: str, tag: str) -> bool:
    try:
        return re.fullmatch(expression, tag) is not None
    except re.error:
        return False


#: What may hold between a tag and another, in this order.
DIRECTED: tuple[tuple[str, Callable[[str, str], bool]], ...] = (
    ("begins with {}", str.startswith),
    ("ends with {}", str.endswith),
    ("contains {}", lambda tag, other: other in tag),
    ("fits {} as a pattern of SQL (% and _)", lambda tag, other: _fits("%", "_")(other, tag)),
    ("fits {} as a pattern of a shell (* and ?)", lambda tag, other: _fits("*", "?")(other, tag)),
    ("fits {} as a regular expression", lambda tag, other: _matches(other, tag)),
    ("is {} with white space at its ends", lambda tag, other: tag.strip() == other),
    ("is {} up to a NUL", lambda tag, other: tag.partition("\0")[0] == other),
    ("is {} written with capital letters", lambda tag, other: tag.lower() == other),
)

EXTRA: tuple[Pair, ...] = (
    ("maple", "ivy"),
    ("Maple", "ivy"),
    ("plum", "plumtree"),
    ("plumtree", "plum"),
    ("tree", "plumtree"),
    ("lum", "plumtree"),
    ("Résumé", "resume"),
    ("Birch ", "birch"),
    ("yew\t", "yew"),
    ("yew\u2003", "yew"),
    ("a b c", "abc"),
    *((f"{'w' * (count - 1)}x{end}", f"{'w' * (count - 1)}x") for count in (16, 40, 100) for end in ("y", " ")),
    *(
        ("v" * count + "x", "v" * count + "y")
        for count in (8, 15, 20, 31, 32, 49, 63, 64, 100, 126, 127, 128, 191, 199, 200, 253, 254)
    ),
)


def hypotheses() -> list[Hypothesis[Pair]]:
    """Return every class of pairs, the plainest first."""

    def alike(change: Callable[[str], str]) -> Callable[[Pair], bool]:
        return lambda pair: pair[0] != pair[1] and change(pair[0]) == change(pair[1])

    found = [Hypothesis(claim, alike(change)) for claim, change in CHANGES]
    for claim, holds in DIRECTED:
        found.append(Hypothesis(f"a tag beside another that {claim.format('it')}", _unequal(holds)))
        found.append(Hypothesis(f"a tag that {claim.format('another')} beside it", _unequal(_with_swapped(holds))))
    return [*found, Hypothesis("any two tags", lambda pair: pair[0] != pair[1], everything=True)]


def _unequal(holds: Callable[[str, str], bool]) -> Callable[[Pair], bool]:
    return lambda pair: pair[0] != pair[1] and holds(*pair)


def _with_swapped(holds: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    return lambda first, second: holds(second, first)


def related(first: str, second: str) -> bool:
    """Return whether these two tags belong to any class but that of all pairs."""
    return any(hypothesis.holds((first, second)) for hypothesis in hypotheses() if not hypothesis.everything)


def class_of(pair: Pair, known: Sequence[Pair], trials: Trials[Pair]) -> Hypothesis[Pair] | None:
    """Return the class of a pair that goes wrong, or ``None``. ``known`` are pairs worth trying."""
    fits = [hypothesis for hypothesis in hypotheses() if hypothesis.holds(pair)]
    first, second = pair
    near = [(first, second + "x"), (second, first), *EXTRA[:2]]
    pairs = [*near, *known, *map(_swapped, known), *EXTRA, *map(_swapped, EXTRA)]
    pool = [candidate for candidate in dict.fromkeys(pairs) if candidate[0] != candidate[1] and candidate != pair]
    # Non-members to confirm with are not just any pairs: they are related too, in another way.
    return discriminate([_with_samples(hypothesis, pool) for hypothesis in fits], pool, trials)


def _swapped(pair: Pair) -> Pair:
    return pair[1], pair[0]


def _with_samples(hypothesis: Hypothesis[Pair], pool: Sequence[Pair]) -> Hypothesis[Pair]:
    inside = [candidate for candidate in pool if hypothesis.holds(candidate)][:2]
    outside = [candidate for candidate in pool if not hypothesis.holds(candidate)][:2]
    return Hypothesis(hypothesis.claim, hypothesis.holds, tuple(inside), tuple(outside), hypothesis.everything)
