"""Requirements, and how they are read from the data of a catalogue."""

import enum
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin, urlsplit

from pytest_cloudimages.spec.verdicts import Verdict


class Level(enum.StrEnum):
    """How binding a statement is, as in RFC 2119, sections 1, 3 and 5."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Provenance(enum.StrEnum):
    """Who makes the statement, as in Image tags, section 1."""

    DOCUMENTED = "documented"
    HTTP = "http"
    DE_FACTO = "de-facto"
    UNDEFINED = "undefined"


#: The verdict of a requirement that is not met; of a pair that is not here, *noted*. (Image tags, section 1.)
MISSED = {
    (Level.MUST, Provenance.DOCUMENTED): Verdict.FAIL,
    (Level.MUST, Provenance.HTTP): Verdict.ADVISORY,
    (Level.SHOULD, Provenance.DOCUMENTED): Verdict.ADVISORY,
    (Level.SHOULD, Provenance.HTTP): Verdict.ADVISORY,
    (Level.SHOULD, Provenance.DE_FACTO): Verdict.ADVISORY,
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One statement of the specification."""

    id: str
    level: Level
    provenance: Provenance
    area: str
    operation: str
    statement: str
    document: str
    section: str
    observe: str
    untested: str
    """Why no test names it, for the case that none does."""
    url: str = ""
    """Where the document can be read, at the section where that can be addressed; empty where no address is known."""
    codes: Mapping[str, frozenset[int]] = field(default_factory=dict, hash=False)
    """The documented statuses of the operation, by the specification that documents them; empty where it says none."""

    @property
    def missed(self) -> Verdict:
        """The verdict if a service does not meet this requirement."""
        return MISSED.get((self.level, self.provenance), Verdict.NOTED)

    @property
    def group(self) -> str:
        """The id without its number: TAG-ADD of TAG-ADD-05."""
        return self.id.rpartition("-")[0] or self.id

    @property
    def source(self) -> str:
        """Document and section, as one line."""
        return f"{self.document}, {self.section}"


FIELDS = ("id", "level", "provenance", "operation", "statement", "document", "section", "observe")
FURTHER_FIELDS = ("untested", "url", "codes")
NEAR = 0.65
"""How much alike two names are of which one may stand for the other."""
NOT_ASKED_FOR = "No test of this run asks for it."
"""What is said of a requirement whose tests are not among those that pytest was told to run, or that has none."""
AREA_FIELDS = ("area", "untested", "documents", "requirements")
ID = re.compile(r"[A-Z0-9][A-Za-z0-9]*(-[A-Za-z0-9]+)+")


@dataclass(frozen=True, slots=True)
class _Document:
    """Where a document and its sections can be read."""

    url: str
    sections: Mapping[str, str]
    """References, relative to the URL, by what the name of a section begins with."""

    def address(self, section: str) -> str:
        """Return the URL of a section: of the longest name that it begins with, or else of the whole document."""
        fitting = [name for name in self.sections if _begins(section, name)]
        return urljoin(self.url, self.sections[max(fitting, key=len)]) if fitting else self.url


def _begins(section: str, name: str) -> bool:
    """Return whether a section has this name, or begins with it; 9.1 begins neither 9.10 nor 9.1.2."""
    rest = section.removeprefix(name)
    return section.startswith(name) and not re.match(r"\w|\.\d", rest)


def _documents(data: Mapping[str, Any], where: str) -> dict[str, _Document]:
    """Return the documents of the table at the top of a catalogue, by title; empty if there is no table.

    Raise ``ValueError``, which names the catalogue and the document, if the table has another form.
    """
    documents = data.get("documents", {})
    if not isinstance(documents, Mapping) or not all(isinstance(table, Mapping) for table in documents.values()):
        raise ValueError(
            f'The catalogue {where} is to hold where its documents are in tables headed [documents."Title"].'
        )
    found: dict[str, _Document] = {}
    for title, table in documents.items():
        place = f"The catalogue {where}, document {title!r}"
        if unknown := sorted({*table} - {"url", "sections"}):
            raise ValueError(f"{place}: {', '.join(unknown)} has no meaning here; allowed are url and sections.")
        url, sections = table.get("url"), table.get("sections", {})
        if not isinstance(url, str):
            raise ValueError(f'{place} lacks a line like: url = "https://…" (or url = "" where no address is known)')
        if not isinstance(sections, Mapping) or not all(isinstance(text, str) for text in sections.values()):
            raise ValueError(f'{place}: sections is to be a table of lines like: "Name of a section" = "#anchor"')
        if sections and not url:
            raise ValueError(f"{place}: its sections need a url that they are relative to.")
        found[title] = _Document(_web(url, place), sections)
    return found


def _web(url: str, place: str) -> str:
    """Return a URL that a browser can open, or ``""``. Raise ``ValueError`` for any other."""
    try:
        sound = not url or (urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).hostname))
    except ValueError:
        sound = False
    if not sound or re.search(r"[\s<>\"]", url):
        raise ValueError(
            f"{place}: the url is to be an address such as https://cloud.example/page#section, not {url!r}."
        )
    return url


def read_area(
    data: Mapping[str, Any], where: str, known: Mapping[str, Requirement] = MappingProxyType({})
) -> dict[str, Requirement]:
    """Return the requirements of one area, by id, from the data of its TOML file.

    The ``url`` of an entry that states none is that of its document and section in the table of documents. ``known``
    are the requirements of other catalogues, whose ids are taken.

    Raise ``ValueError``, which names the catalogue and the entry, if something is missing, unknown or given twice.
    """
    area, default = data.get("area"), data.get("untested", NOT_ASKED_FOR)
    if not isinstance(area, str):
        raise ValueError(f'The catalogue {where} lacks a line like: area = "image-tags"')
    _known_only(data, AREA_FIELDS, f"The catalogue {where}")
    if not isinstance(default, str):
        raise ValueError(f"The catalogue {where}: untested is to be text that says why, not {default!r}.")
    documents = _documents(data, where)
    found: dict[str, Requirement] = {}
    entries = data.get("requirements", [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ValueError(f"The catalogue {where} is to hold its entries in tables headed [[requirements]].")
    for number, entry in enumerate(entries, 1):
        name = str(entry.get("id", ""))
        _check_entry(entry, f"The catalogue {where}, {name or f'entry {number}'}", {*known, *found})
        try:
            level, provenance = Level(entry["level"]), Provenance(entry["provenance"])
        except ValueError as problem:
            allowed = ", ".join([*Level, *Provenance])
            raise ValueError(f"The catalogue {where}, {name}: {problem}; allowed are {allowed}.") from problem
        url, document = entry.get("url"), documents.get(entry["document"])
        if url is None:
            url = document.address(entry["section"]) if document else ""
        if not isinstance(url, str):
            raise ValueError(f"The catalogue {where}, {name}: the url is to be text, not {url!r}.")
        found[name] = Requirement(
            id=name,
            level=level,
            provenance=provenance,
            area=area,
            untested=entry.get("untested", default),
            url=_web(url, f"The catalogue {where}, {name}"),
            codes=_codes(entry.get("codes", {}), f"The catalogue {where}, {name}"),
            **{field: entry[field] for field in FIELDS[3:]},
        )
    return found


def _check_entry(entry: Mapping[str, Any], place: str, taken: Collection[str]) -> None:
    """Raise ``ValueError`` where an entry lacks a field, or has one that it should not have or that is no text."""
    if missing := [field for field in FIELDS if not isinstance(text := entry.get(field), str) or not text.strip()]:
        raise ValueError(f"{place}: these fields are missing or no text: {', '.join(missing)}")
    _known_only(entry, FIELDS + FURTHER_FIELDS, place)
    if not ID.fullmatch(entry["id"]):
        raise ValueError(f"{place}: the id is to be letters and digits in groups with hyphens, such as OWN-01.")
    if not isinstance(entry.get("untested", ""), str):
        raise ValueError(f"{place}: untested is to be text that says why, not {entry['untested']!r}.")
    if entry["id"] in taken:
        raise ValueError(f"{place}: this id is taken; something new gets a new id.")


def _known_only(table: Mapping[str, Any], known: Sequence[str], place: str) -> None:
    """Raise ``ValueError`` where a table has a field that nobody reads: it may be one that was misspelt."""
    if unknown := sorted({*table} - {*known}):
        raise ValueError(f"{place}: {', '.join(unknown)} has no meaning here; allowed are {', '.join(known)}.")


SPECIFICATIONS = ("cloud-images", "glance")
"""Those whose documented codes an entry may name."""


def _codes(table: object, place: str) -> Mapping[str, frozenset[int]]:
    """Return the documented statuses by specification. Raises ``ValueError`` for what is no table of lists of them."""
    if not isinstance(table, Mapping):
        raise ValueError(
            f"{place}: codes is to be a table like: codes = {{ cloud-images = [204, 404] }}, not {table!r}."
        )
    for specification, codes in table.items():
        sound = isinstance(codes, list) and all(type(code) is int and 100 <= code < 600 for code in codes)  # noqa: PLR2004
        if specification not in SPECIFICATIONS or not sound:
            raise ValueError(
                f"{place}: codes is to name, for {' or '.join(SPECIFICATIONS)}, a list of statuses such as [204, 404],"
                f" not {specification} = {codes!r}."
            )
    return MappingProxyType({specification: frozenset(codes) for specification, codes in table.items()})


def _meant(stem: str, known: Iterable[str]) -> str:
    """Return what may have been meant by a name that no requirement has, nor any group."""
    from difflib import get_close_matches

    ids = [*known]
    groups = {each.rpartition("-")[0] for each in ids} | {each.partition("-")[0] for each in ids}
    group, _, number = stem.rpartition("-")
    if number.isdigit() and group in groups:
        # The number alone is wrong; its nearest neighbour may be about anything.
        near = [f"{group}-{number.zfill(2)}" if f"{group}-{number.zfill(2)}" in ids else group]
    else:
        near = get_close_matches(stem, [*sorted(groups), *ids], n=1, cutoff=NEAR)
    return f" Did you mean {near[0]}?" if near else ""


def selected(ids: Iterable[str], choices: Iterable[str]) -> set[str]:
    """Return the ids that equal one of the choices, or begin with one up to a hyphen.

    Raise ``ValueError`` for a choice that fits no id.
    """
    known, found = list(ids), set[str]()
    for choice in choices:
        stem = choice.strip().upper().rstrip("*").rstrip("-")
        fitting = {
            known_id for known_id in known if known_id.upper() == stem or known_id.upper().startswith(f"{stem}-")
        }
        if not fitting or not stem:
            several = " Name each by itself." if re.search(r"\w[,;\s]+\w", choice) else _meant(stem, known)
            raise ValueError(
                f"No requirement is called {choice!r}, nor begins so.{several} Give an id such as"
                " TAG-ADD-05 or a group such as TAG-ADD; `cloudimages requirements` lists them all."
            )
        found |= fitting
    return found
