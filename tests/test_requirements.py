"""The catalogue is whole, and a mistake in one's own is told as such."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest

from pytest_cloudimages import requirement
from pytest_cloudimages.app.selection import Selection
from pytest_cloudimages.engine.settings import PROFILES, Settings
from pytest_cloudimages.spec import catalogue
from pytest_cloudimages.spec.marks import ids_of
from pytest_cloudimages.spec.requirements import Level, Provenance, read_area, selected
from pytest_cloudimages.spec.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILES = [file for file in resources.files(catalogue).iterdir() if file.name.endswith(".toml")]

WITHOUT_ADDRESS: set[str] = set()
"""The documents that nobody can look up, as no public address of theirs is known."""

ENTRY = {
    "id": "OWN-01",
    "level": "SHOULD",
    "provenance": "http",
    "operation": "GET /v2",
    "statement": "It is so.",
    "document": "House rules",
    "section": "1",
    "observe": "Ask.",
}
TEXT = 'area = "own"\n[[requirements]]\n' + "".join(f'{name} = "{value}"\n' for name, value in ENTRY.items())


# The package's own


def test_the_catalogue_has_355_entries() -> None:
    """Every statement of the specification, in whatever area."""
    assert len(catalogue.load()) == 355


def test_120_of_them_are_about_tags() -> None:
    """As the specification of the image tags counts them."""
    tags = [requirement for requirement in catalogue.load().values() if requirement.area == "image-tags"]

    assert Counter(tag.level for tag in tags) == {Level.MUST: 51, Level.SHOULD: 44, Level.MAY: 25}
    assert Counter(tag.provenance for tag in tags) == {
        Provenance.DOCUMENTED: 65,
        Provenance.HTTP: 24,
        Provenance.DE_FACTO: 13,
        Provenance.UNDEFINED: 18,
    }


def test_ids_are_given_once() -> None:
    """In all files together."""
    ids = [entry["id"] for file in FILES for entry in tomllib.loads(file.read_text("utf-8"))["requirements"]]

    assert [identifier for identifier, count in Counter(ids).items() if count > 1] == []
    assert sorted(ids) == sorted(catalogue.load())


def test_ids_have_a_form() -> None:
    """Groups of capitals and a number of two digits."""
    assert [
        identifier for identifier in catalogue.load() if not re.fullmatch(r"[A-Z]+(-[A-Z0-9]+)*-\d\d", identifier)
    ] == []


@pytest.mark.parametrize("field", ["statement", "document", "section", "observe", "operation", "untested"])
def test_every_entry_says(field: str) -> None:
    """All that a tester wants to know."""
    assert [
        requirement.id for requirement in catalogue.load().values() if not getattr(requirement, field).strip()
    ] == []


def test_every_statement_is_a_sentence() -> None:
    """Whoever is accused reads it alone."""
    statements = {requirement.id: requirement.statement for requirement in catalogue.load().values()}

    assert [name for name, text in statements.items() if not re.fullmatch(r"[A-Z][^\n]{25,}\.", text)] == []


def test_every_hint_says_what_is_sent_and_expected() -> None:
    """In sentences, not in a word or two for those who wrote the checks."""
    hints = {requirement.id: requirement.observe for requirement in catalogue.load().values()}

    assert [name for name, text in hints.items() if len(text) < 30 or not text.endswith(".")] == []


@pytest.mark.parametrize("field", ["statement", "observe"])
def test_no_entry_sends_its_reader_elsewhere(field: str) -> None:
    """Neither to a list that is not in the package, nor to an entry without its sense in brackets or after a comma."""
    texts = {requirement.id: getattr(requirement, field) for requirement in catalogue.load().values()}
    named = {name: re.findall(r"\b[A-Z]+(?:-[A-Z]+)*-\d\d\b", text) for name, text in texts.items()}

    assert [name for name, text in texts.items() if re.search(r"\b[Ss]ee [A-Z\[]|\b[QC]-\d\d\b|\.md\b", text)] == []
    assert [name for name, ids in named.items() if {*ids} - {*catalogue.load()}] == []
    bare = [
        name
        for name, ids in named.items()
        for other in ids
        if not re.search(rf"{other} \(|{other}, because|the answer that {other} expects", texts[name])
    ]
    assert bare == []


def test_every_entry_can_be_looked_up() -> None:
    """At an address, or it is one of the documents that are known to have none."""
    without = {requirement.document for requirement in catalogue.load().values() if not requirement.url}

    assert without == WITHOUT_ADDRESS


@pytest.mark.parametrize(
    ("name", "url"),
    [
        (
            "TAG-ADD-05",
            "https://docs.rackspace.com/docs/cloud-images/v2/api-reference/image-tag-operations/#add-image-tag",
        ),
        ("TAG-URI-17", "https://docs.rackspace.com/docs/cloud-images/v2/api-reference/image-tag-operations/"),
        ("TAG-AUTH-03", "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2"),
        ("TAG-METH-06", "https://www.rfc-editor.org/rfc/rfc9110#section-9.1"),
        ("TAG-URI-05", "https://www.rfc-editor.org/rfc/rfc3986#section-2.3"),
        ("TAG-ADD-12", "https://opendev.org/openstack/glance/src/branch/master/glance/api/v2/image_tags.py"),
        ("TAG-VIS-04", "https://docs.openstack.org/api-ref/image/v2/index.html#list-images"),
        ("VER-02", "https://docs.openstack.org/api-ref/image/versions/index.html"),
    ],
)
def test_an_address_leads_to_the_section(name: str, url: str) -> None:
    """Where the document has one that can be addressed, and else to the document."""
    assert catalogue.load()[name].url == url


def test_a_section_of_a_standard_has_its_number_in_the_address() -> None:
    """The first, where several are named."""
    wrong = [
        requirement.id
        for requirement in catalogue.load().values()
        if requirement.document.startswith("RFC ")
        and not requirement.url.endswith(f"#section-{re.split('[,; ]', requirement.section)[0]}")
    ]

    assert wrong == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_address_of_a_file_is_of_use(file: Any) -> None:
    """Each document is named by an entry, and each of its sections found by one; no URL is written twice."""
    text = file.read_text("utf-8")
    data = tomllib.loads(text)
    urls = {catalogue.load()[entry["id"]].url for entry in data["requirements"]}
    documents = data["documents"]

    assert {*documents} == {entry["document"] for entry in data["requirements"]}
    for title, table in documents.items():
        assert text.count(f'"{table["url"]}"') == 1, title
        for section, reference in table.get("sections", {}).items():
            assert urljoin(table["url"], reference) in urls, f"{title}, {section}"


@pytest.mark.parametrize("name", ["TAG-ADD-18", "TAG-DEL-10"])
def test_documented_codes_are_those_of_the_statement(name: str) -> None:
    """The page's codes are the ones that the statement lists; but for the 404 of an addition (ruling Q-01)."""
    requirement = catalogue.load()[name]
    stated = {int(code) for code in re.findall(r"\b\d{3}\b", requirement.statement)}

    assert requirement.codes["cloud-images"] == stated | {404}
    assert requirement.codes["glance"] < requirement.codes["cloud-images"]


def test_the_tags_come_first() -> None:
    """The order of reports is that of the catalogue."""
    assert next(iter(catalogue.load())) == "TAG-URI-01"


def bound() -> list[str]:
    """Read the ids off the suite's decorators."""
    return [
        str(argument.value)
        for file in resources.files("pytest_cloudimages.conformance").iterdir()
        if file.name.endswith(".py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "requirement"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    ]


def test_the_suite_asks_for_what_the_catalogue_has() -> None:
    """No check names an id that there is not."""
    assert {*bound()} - {*catalogue.load()} == set()


def test_every_check_of_the_suite_names_a_requirement() -> None:
    """A test function without a mark would judge nothing."""
    unbound = [
        f"{file.name}: {node.name}"
        for file in resources.files("pytest_cloudimages.conformance").iterdir()
        if file.name.endswith(".py")
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if "requirement(" not in "".join(ast.unparse(decorator) for decorator in node.decorator_list)
    ]

    assert unbound == []


# One's own


def test_a_catalogue_of_ones_own_comes_on_top(tmp_path: Path) -> None:
    """Its entries stand behind the package's."""
    path = tmp_path / "own.toml"
    path.write_text(TEXT)
    found = catalogue.load(path)

    assert [*found][-1] == "OWN-01"
    assert len(found) == len(catalogue.load()) + 1
    own = found["OWN-01"]
    assert (own.missed, own.group, own.source, own.area) == (Verdict.ADVISORY, "OWN", "House rules, 1", "own")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"area": None}, "area ="),
        ({"area": 5}, "area ="),
        ({"requirements": "text"}, "[[requirements]]"),
        ({"requirements": ENTRY}, "[[requirements]]"),
        ({"requirements": ["text"]}, "[[requirements]]"),
        ({"requirements": [{}]}, "entry 1: these fields are missing or no text: id, level"),
        ({"requirements": [ENTRY, {**ENTRY, "id": "OWN-02", "section": 3}]}, "OWN-02: these fields"),
        ({"requirements": [ENTRY, ENTRY]}, "OWN-01: this id is taken"),
        ({"requirements": [{**ENTRY, "id": "TAG-ADD-01"}]}, "TAG-ADD-01: this id is taken"),
        ({"requirements": [{**ENTRY, "level": "must"}]}, "MUST, SHOULD, MAY"),
        ({"requirements": [{**ENTRY, "provenance": "hearsay"}]}, "documented, http, de-facto, undefined"),
        ({"requirements": [{**ENTRY, "url": 5}]}, "OWN-01: the url is to be text"),
        ({"requirements": [{**ENTRY, "url": "javascript:alert(1)"}]}, "OWN-01: the url is to be an address such as"),
        ({"requirements": [{**ENTRY, "url": "https://a.example/ b"}]}, "OWN-01: the url is to be an address such as"),
        ({"requirements": [{**ENTRY, "url": "https://[a"}]}, "OWN-01: the url is to be an address such as"),
        ({"requirements": [{**ENTRY, "codes": [204]}]}, "OWN-01: codes is to be a table"),
        ({"requirements": [{**ENTRY, "codes": {"glance": 204}}]}, "OWN-01: codes is to name"),
        ({"requirements": [{**ENTRY, "codes": {"glance": [True]}}]}, "OWN-01: codes is to name"),
        ({"requirements": [{**ENTRY, "codes": {"glance": [20]}}]}, "OWN-01: codes is to name"),
        ({"requirements": [{**ENTRY, "codes": {"nova": [204]}}]}, "OWN-01: codes is to name"),
        ({"by_default": False}, "own.toml: by_default has no meaning here"),
        ({"documents": "text"}, "[documents."),
        ({"documents": {"House rules": "https://a.example"}}, "[documents."),
        ({"documents": {"House rules": {}}}, "document 'House rules' lacks a line like: url ="),
        ({"documents": {"House rules": {"url": "a.example"}}}, "document 'House rules': the url is to be an address"),
        ({"documents": {"House rules": {"url": "", "anchors": {}}}}, "anchors has no meaning here"),
        ({"documents": {"House rules": {"url": "", "sections": "1"}}}, "sections is to be a table"),
        ({"documents": {"House rules": {"url": "", "sections": {"1": 1}}}}, "sections is to be a table"),
        ({"documents": {"House rules": {"url": "", "sections": {"1": "#1"}}}}, "its sections need a url"),
        (
            {"documents": {"House rules": {"url": "https://a.example", "sections": {"1": "javascript:x"}}}},
            "OWN-01: the url is to be an address",
        ),
    ],
)
def test_a_mistake_in_a_catalogue_is_told(changes: dict[str, Any], told: str) -> None:
    """With the file, the entry, and what is allowed."""
    with pytest.raises(ValueError, match=re.escape(told)) as caught:
        read_area({"area": "own", "requirements": [ENTRY], **changes}, "own.toml", catalogue.load())

    assert "own.toml" in str(caught.value)


@pytest.mark.parametrize(
    "write",
    [
        lambda _: None,
        lambda path: path.mkdir(),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.write_text("area = "),
    ],
    ids=["absent", "a folder", "not UTF-8", "not TOML"],
)
def test_a_file_that_is_no_catalogue_is_told(tmp_path: Path, write: Callable[[Path], object]) -> None:
    """With its name."""
    write(tmp_path / "own.toml")

    with pytest.raises(ValueError, match=r"own\.toml cannot be read"):
        catalogue.load(tmp_path / "own.toml")


@pytest.mark.parametrize("profile", PROFILES)
def test_every_area_is_asked_unless_something_is_selected(profile: str) -> None:
    """All that a profile asks for at all; of a group that is selected, as much of it."""
    entries = catalogue.load()
    levels = PROFILES[profile].levels

    def asked(*groups: str) -> set[str]:
        return Selection(entries, Settings(profile=profile, select=groups)).chosen

    assert asked() == {each.id for each in entries.values() if each.level in levels}
    assert asked("TAG", "IMG") == {name for name in asked() if name.startswith(("TAG-", "IMG-"))}


def test_an_empty_catalogue_has_nothing() -> None:
    """An area without entries is allowed."""
    assert read_area({"area": "own"}, "own.toml") == {}


RULES = {
    "House rules": {"url": "https://house.example/rules", "sections": {"9.1": "#nine", "9": "#chapter", "A": "a/#x"}}
}


@pytest.mark.parametrize(
    ("documents", "entry", "url"),
    [
        ({}, {}, ""),
        ({}, {"url": "http://own.example/"}, "http://own.example/"),
        (RULES, {}, "https://house.example/rules"),
        (RULES, {"document": "Other rules"}, ""),
        (RULES, {"url": "https://own.example/"}, "https://own.example/"),
        (RULES, {"url": ""}, ""),
        (RULES, {"section": "9.1"}, "https://house.example/rules#nine"),
        (RULES, {"section": "9.1, 15.6"}, "https://house.example/rules#nine"),
        (RULES, {"section": "9.10"}, "https://house.example/rules"),
        (RULES, {"section": "9.1.2"}, "https://house.example/rules"),
        (RULES, {"section": "9; silent"}, "https://house.example/rules#chapter"),
        (RULES, {"section": "9."}, "https://house.example/rules#chapter"),
        (RULES, {"section": "Authors"}, "https://house.example/rules"),
        (RULES, {"section": "A: the beginning"}, "https://house.example/a/#x"),
        ({"House rules": {"url": ""}}, {}, ""),
    ],
)
def test_the_address_of_an_entry(documents: dict[str, Any], entry: dict[str, str], url: str) -> None:
    """Its own, or that of the longest beginning of its section, or its document's, or none."""
    found = read_area({"area": "own", "documents": documents, "requirements": [{**ENTRY, **entry}]}, "own.toml")

    assert found["OWN-01"].url == url


# Choosing


@pytest.mark.parametrize(
    ("choices", "found"),
    [
        (["A-B-01"], {"A-B-01"}),
        (["a-b-01"], {"A-B-01"}),
        (["A-B"], {"A-B-01", "A-B-02"}),
        (["A-B-"], {"A-B-01", "A-B-02"}),
        (["A-B-*", " A-BC-01 "], {"A-B-01", "A-B-02", "A-BC-01"}),
        (["A"], {"A-B-01", "A-B-02", "A-BC-01"}),
        ([], set()),
    ],
)
def test_requirements_are_chosen_by_id_or_group(choices: list[str], found: set[str]) -> None:
    """In any case of letters, up to a hyphen."""
    assert selected(["A-B-01", "A-B-02", "A-BC-01"], choices) == found


@pytest.mark.parametrize("choice", ["A-B-0", "B", "", "*", "-", "A-B-01x"])
def test_a_choice_that_fits_nothing_is_told(choice: str) -> None:
    """With the way to find out."""
    with pytest.raises(ValueError, match="cloudimages requirements"):
        selected(["A-B-01"], [choice])


# The mark


def test_the_mark_leaves_the_test_as_it_is(request: pytest.FixtureRequest) -> None:
    """It can still be called, and its ids can be read."""

    @requirement("A-01", "A-02")
    def test() -> int:
        return 5

    item = pytest.Function.from_parent(request.node.parent, name="test", callobj=test)
    assert test() == 5
    assert ids_of(item) == ("A-01", "A-02")
    assert ids_of(request.node) == ()
