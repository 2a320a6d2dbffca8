"""Named sets of characters that a service may treat alike. No I/O."""

import string
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

SPECIALS = " !\"#$%&'()*+,/:;<=>?@[\\]^`{|}"
"""Printable ASCII characters that are neither letters, digits nor unreserved."""
USUAL = "+%&'\"\\/?#;, <=|"
"""Those of them that services mistreat most often."""
NAMES = {
    " ": "a blank",
    "\n": "a newline",
    "\r": "a carriage return",
    "\t": "a tab",
    "\0": "a NUL",
    "+": "a plus sign",
    "%": "a percent sign",
    "&": "an ampersand",
    "'": "an apostrophe",
    '"': "a double quote",
    "\\": "a backslash",
    "/": "a slash",
    "?": "a question mark",
    "#": "a number sign",
    ";": "a semicolon",
    ",": "a comma",
    ":": "a colon",
    ".": "a full stop",
    "-": "a hyphen",
    "_": "an underscore",
    "~": "a tilde",
    "*": "an asterisk",
    "=": "an equals sign",
    "|": "a vertical bar",
    "@": "an at sign",
    "$": "a dollar sign",
    "!": "an exclamation mark",
    "^": "a circumflex",
    "`": "a backtick",
}


@dataclass(frozen=True)
class Characters:
    """A set of characters: its name for a member and for many, its test, and sample members and non-members."""

    singular: str
    plural: str
    has: Callable[[str], bool]
    inside: str
    outside: str


def _category(*names: str) -> Callable[[str], bool]:
    return lambda character: unicodedata.category(character).startswith(names)


def _script(*words: str) -> Callable[[str], bool]:
    return lambda character: unicodedata.name(character, "").startswith(words)


def _within(first: int, last: int) -> Callable[[str], bool]:
    return lambda character: first <= ord(character) <= last


def _of(characters: str) -> Callable[[str], bool]:
    return lambda character: character in characters


def accented(character: str) -> bool:
    """Return whether a character is an accent, or has one."""
    return any(unicodedata.combining(part) for part in unicodedata.normalize("NFD", character))


def _ignorable(character: str) -> bool:
    return unicodedata.category(character) == "Cf" or character in "\u034f\u180b\ufe0f\ufe00\U000e0100"


#: The narrowest first: of sets that trials cannot tell apart, the first is claimed.
SETS: tuple[Characters, ...] = (
    Characters("a digit 0 to 9", "digits", _of(string.digits), "0159", "az-٣"),
    Characters("an upper-case ASCII letter", "upper-case ASCII letters", _of(string.ascii_uppercase), "AMZ", "az0É"),
    Characters(
        "an upper-case letter", "upper-case letters", lambda character: character.lower() != character, "AZÉЖ", "azéж"
    ),
    Characters("a lower-case ASCII letter", "lower-case ASCII letters", _of(string.ascii_lowercase), "aqz", "A0-é"),
    Characters("a letter", "letters", str.isalpha, "aZéж漢", "0-_+"),
    Characters("an ASCII letter", "ASCII letters", _of(string.ascii_letters), "aqZ", "0-é"),
    Characters("a letter or digit", "letters and digits", str.isalnum, "aZ0é", "-_+~"),
    Characters(
        "an ASCII letter or digit", "ASCII letters and digits", _of(string.ascii_letters + string.digits), "aZ0", "-_é"
    ),
    Characters("a digit of any script", "digits of any script", str.isdecimal, "07٣３", "az-²"),
    Characters(
        "a digit beyond ASCII",
        "digits beyond ASCII",
        lambda character: character.isdecimal() and character > "\x7f",
        "٣３",
        "07é",
    ),
    Characters("an unreserved mark", "unreserved marks", _of("-._~"), "-._~", "a0+!"),
    Characters("a quote", "quotes", _of("'\""), "'\"", "`\\,("),
    Characters("a character special to JSON", "characters special to JSON", _of('"\\'), '"\\', "'/{"),
    Characters("a character special to HTML", "characters special to HTML", _of("&<>\"'"), "&<>\"'", "#;`="),
    Characters("a character special to XML", "characters special to XML", _of("&<>"), "&<>", "\"'#;"),
    Characters("a blank or a plus sign", "blanks and plus signs", _of(" +"), " +", "%&-\t"),
    Characters("a slash or backslash", "slashes and backslashes", _of("/\\"), "/\\", "|%:"),
    Characters("a separator of lists", "separators of lists", _of(",;|"), ",;|", ":&/ "),
    Characters("a general delimiter", "general delimiters", _of(":/?#[]@"), ":/?#[]@", "!&+%"),
    Characters("a sub-delimiter", "sub-delimiters", _of("!$&'()*+,;="), "!$&'()*+,;=", ":/%<"),
    Characters("a reserved character", "reserved characters", _of(":/?#[]@!$&'()*+,;="), ":/?#[]@!$&'+;=", '%<" '),
    Characters("a wildcard of SQL", "wildcards of SQL", _of("%_"), "%_", "*?-."),
    Characters("a bracket", "brackets", _of("()[]{}<>"), "([{<", "|/\\"),
    Characters(
        "a NUL, newline or carriage return", "NULs, newlines and carriage returns", _of("\0\n\r"), "\0\n\r", "\t\x0b "
    ),
    Characters("a newline or carriage return", "newlines and carriage returns", _of("\n\r"), "\n\r", "\t\x0b \0"),
    Characters("ASCII white space", "ASCII white space", _of(" \t\n\r\x0b\x0c"), " \t\n\x0c", "\0\x1f\xa0\u2003"),
    Characters(
        "ASCII white space but a blank", "ASCII white space but blanks", _of("\t\n\r\x0b\x0c"), "\t\n\r", " \0\x1f"
    ),
    Characters("white space", "white space", str.isspace, " \t\n\xa0\u2003", "\0\u200b\xad-"),
    Characters(
        "white space beyond ASCII",
        "white space beyond ASCII",
        lambda character: character.isspace() and character > "\x7f",
        "\x85\xa0\u2003",
        " \t\u200b",
    ),
    Characters(
        "an ASCII control character",
        "ASCII control characters",
        lambda character: character < " " or character == "\x7f",
        "\0\x01\t\x1f\x7f",
        " \x80\xa0~",
    ),
    Characters(
        "a control character below U+0020",
        "control characters below U+0020",
        _within(0, 0x1F),
        "\0\x01\t\x1f",
        " \x7f\x80",
    ),
    Characters(
        "a control character that is no white space",
        "control characters that are no white space",
        lambda character: unicodedata.category(character) == "Cc" and not character.isspace(),
        "\0\x01\x7f\x80",
        "\t\n \xa0",
    ),
    Characters(
        "an ASCII control character that is no white space",
        "ASCII control characters that are no white space",
        lambda character: character not in "\t\n\r" and (character < " " or character == "\x7f"),
        "\0\x01\x1f\x7f",
        "\t\n \x80",
    ),
    Characters(
        "a control character from U+0080 to U+009F",
        "control characters from U+0080 to U+009F",
        _within(0x80, 0x9F),
        "\x80\x85\x9f",
        "\x1f\x7f\xa0",
    ),
    Characters("a control character", "control characters", _category("Cc"), "\0\x1f\x7f\x80\x9f", " \xa0\u200b"),
    Characters(
        "an unprintable character",
        "unprintable characters",
        lambda character: not character.isprintable(),
        "\0\x7f\x85\u200b\u2028",
        " éˆ漢",
    ),
    Characters("an accent or accented letter", "accents and accented letters", accented, "éñÅ\u0301", "øß한ж"),
    Characters("a combining mark", "combining marks", _category("M"), "\u0301\u0327\u0308", "é^ˆ"),
    Characters(
        "an invisible character", "invisible characters", _category("Cf"), "\u200b\u200d\xad\ufeff", "\u2003\u034f-"
    ),
    Characters(
        "a default-ignorable character",
        "default-ignorable characters",
        _ignorable,
        "\u200b\xad\u034f\ufe0f",
        "\u2003-é",
    ),
    Characters(
        "a line separator of Unicode",
        "line separators of Unicode",
        _of("\x85\u2028\u2029"),
        "\x85\u2028\u2029",
        "\n\u2003\xa0",
    ),
    Characters(
        "a character that form C changes",
        "characters that form C changes",
        lambda character: unicodedata.normalize("NFC", character) != character,
        "\u212b\u2126\u212a",
        "Åéſﬁ",
    ),
    Characters(
        "a character that form D changes",
        "characters that form D changes",
        lambda character: unicodedata.normalize("NFD", character) != character,
        "éñ한\u212b",
        "øßﬁ漢\u0301",
    ),
    Characters(
        "an accent or a character that form D changes",
        "accents and characters that form D changes",
        lambda character: accented(character) or unicodedata.normalize("NFD", character) != character,
        "éñ한\u0301",
        "øßﬁ漢",
    ),
    Characters(
        "a compatibility character",
        "compatibility characters",
        lambda character: unicodedata.normalize("NFKC", character) != character,
        "ﬁ①²\u212b",
        "éf漢",
    ),
    Characters("a Greek letter", "Greek letters", _script("GREEK"), "αωΣ", "жaé"),
    Characters("a Cyrillic letter", "Cyrillic letters", _script("CYRILLIC"), "жЯа", "ωaé"),
    Characters("a Chinese character", "Chinese characters", _script("CJK"), "漢字雲", "한\u3042é"),
    Characters(
        "a letter written from right to left",
        "letters written from right to left",
        lambda character: unicodedata.bidirectional(character) in ("R", "AL"),
        "שםم",
        "ωжé",
    ),
    Characters(
        "a symbol above U+FFFF",
        "symbols above U+FFFF",
        lambda character: character > "\uffff" and unicodedata.category(character) == "So",
        "😀🚀🎉",
        "𝒜𐍈☃",
    ),
    Characters(
        "a private-use character", "private-use characters", _category("Co"), "\ue000\uf8ff\U000f0000", "\ufffd漢\ufdd0"
    ),
    Characters(
        "an unassigned character", "unassigned characters", _category("Cn"), "\u0378\ufdd0\uffff", "\ue000漢\ufffd"
    ),
    Characters(
        "a non-character",
        "non-characters",
        lambda character: ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF,  # noqa: PLR2004 - as Unicode has it
        "\ufdd0\ufffe\uffff\U0010ffff",
        "\ufffd\u0378\ue000",
    ),
    Characters(
        "a non-character at the end of a plane",
        "non-characters at the ends of planes",
        lambda character: ord(character) & 0xFFFE == 0xFFFE,  # noqa: PLR2004 - as Unicode has it
        "\ufffe\uffff\U0001fffe\U0010ffff",
        "\ufffd\ufdd0\u0378",
    ),
    Characters(
        "a character from U+0080 to U+00FF",
        "characters from U+0080 to U+00FF",
        _within(0x80, 0xFF),
        "\x80\xa0éÿ",
        "~Āж漢",
    ),
    Characters(
        "a printable Latin-1 character beyond ASCII",
        "printable Latin-1 characters beyond ASCII",
        _within(0xA1, 0xFF),
        "¡éÿ",
        "~\x80Āж",
    ),
    Characters("a character of two octets", "characters of two octets", _within(0x80, 0x7FF), "\x80éж\u07ff", "~ࠀ漢"),
    Characters(
        "a character of three octets",
        "characters of three octets",
        _within(0x800, 0xFFFF),
        "ࠀ漢\ue000\ufffd",
        "\u07ffé😀",
    ),
    Characters(
        "a character above U+FFFF",
        "characters above U+FFFF",
        lambda character: character > "\uffff",
        "😀𝒜\U00010000\U0010ffff",
        "漢\ue000\ufffd",
    ),
    Characters(
        "a character above U+07FF",
        "characters above U+07FF",
        lambda character: character > "\u07ff",
        "ࠀ漢\ufffd😀",
        "\u07ffжé",
    ),
    Characters(
        "a character above U+00FF", "characters above U+00FF", lambda character: character > "\xff", "Āж漢😀", "ÿé\x80"
    ),
    Characters(
        "a character beyond ASCII",
        "characters beyond ASCII",
        lambda character: character > "\x7f",
        "\x80éж漢😀",
        "~\x7fz",
    ),
    Characters(
        "anything but ASCII letters and digits",
        "what is neither ASCII letter nor digit",
        lambda character: not (character.isascii() and character.isalnum()),
        "-_ +é\0",
        "azZ09",
    ),
    Characters(
        "a character that is percent-encoded",
        "characters that are percent-encoded",
        lambda character: not (character.isascii() and (character.isalnum() or character in "-._~")),
        " +%/é\0",
        "-._~aZ0",
    ),
    Characters("a punctuation mark of ASCII", "punctuation marks of ASCII", _of(string.punctuation), "!+-_~", " aé0"),
)


def single(character: str) -> Characters:
    """Return the set of this character alone."""
    name = NAMES.get(character)
    if name is None:
        code = f"U+{ord(character):04X}"
        name = (
            f"the character {character!r}"
            if character.isascii() and character.isprintable()
            else f"the character {code}"
        )
        known = unicodedata.name(character, "")
        name += f" ({known.lower()})" if known and not character.isascii() else ""
    plural = f"{name.partition(' ')[2]}s" if character in NAMES else name
    return Characters(name, plural, lambda other: other == character, character, _near(character))


def _near(character: str) -> str:
    """Return characters close to this one: its other case, and those before and after it."""
    code = ord(character)
    close = [chr(number) for number in (code - 1, code + 1) if 0 <= number < 0x110000 and not 0xD800 <= number < 0xE000]  # noqa: PLR2004
    swapped = character.swapcase()
    return "".join(dict.fromkeys([*(swapped if len(swapped) == 1 and swapped != character else ""), *close]))


def sets_of(character: str) -> list[Characters]:
    """Return every named set that this character belongs to, the set of itself first."""
    return [single(character), *(group for group in SETS if group.has(character))]


def named(characters: set[str]) -> str:
    """Return the name of exactly these of the special characters."""
    for group in SETS:
        if {character for character in SPECIALS if group.has(character)} == characters:
            return group.singular
    return "one of " + " ".join(
        "blank" if character == " " else character for character in SPECIALS if character in characters
    )


#: Every character worth trying.
ALL = "".join(
    dict.fromkeys("".join(group.inside + group.outside for group in SETS) + SPECIALS + "-._~" + "".join(NAMES))
)
