"""The rooms of the package, and which of them may know which: imports point down, and nothing goes in a circle."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pytest_cloudimages"
NAME = PACKAGE.name

ROOMS = ("spec", "reference", "client", "history", "diagnosis", "engine", "areas", "reporting", "app")
ALLOWED: dict[str, set[str]] = {
    "spec": set(),
    "reference": set(),
    "client": {"spec"},
    "history": {"client", "spec"},
    "diagnosis": {"history", "spec"},
    "engine": {"history", "client", "spec"},
    "areas": {"engine", "diagnosis", "history", "client", "spec"},
    "reporting": {"history", "client", "spec"},
    "app": {*ROOMS},
    "plugin": {"app"},
    # The front doors: what a tester imports.
    "strategies": {"areas"},
    "__init__": {"spec", "engine"},
    "__main__": {"app"},
}
"""The rooms that a room may import; docs/design.md says why."""

ALLOWED_FOR = {"engine/preflight.py": {"reference"}}
"""What one module may import besides: the embedded server is judged like any other, but somebody has to start it."""

ALLOWED_IN_HISTORY = {"client.exchange", "client.moments"}
"""The modules that pure histories may know of the client: what was sent and what came, as a value, and times."""

COMMON = {"common", "images"}
"""The areas that another area may know."""

LONGEST = 400
"""Lines of a module at most, but for data."""
DATA = {"areas/tags/corpus.py"}

MODULES = sorted(PACKAGE.rglob("*.py"))


def inside(path: Path) -> str:
    """Return a module's place below the package, as text."""
    return path.relative_to(PACKAGE).as_posix()


def room_of(path: Path) -> str:
    """Return the room that a module stands in; a module beside the rooms is one of its own."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_by(path: Path) -> set[str]:
    """Return the modules of the package that a module imports anywhere, for type checking included."""
    found: set[str] = set()
    here = [NAME, *path.relative_to(PACKAGE).with_suffix("").parts][:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(here[: len(here) + 1 - node.level]) if node.level else ""
            module = ".".join(part for part in (above, node.module or "") if part)
            found |= {
                f"{module}.{alias.name}" if is_a_module(f"{module}.{alias.name}") else module for alias in node.names
            }
    return {module.removeprefix(f"{NAME}.") for module in found if module.startswith(f"{NAME}.")}


def is_a_module(dotted: str) -> bool:
    """Return whether a dotted name is a module of the package, and not something that a module defines."""
    place = ROOT.joinpath(*dotted.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def violations(path: Path) -> set[str]:
    """Return the imports of a module that its room does not allow."""
    room, allowed = room_of(path), ALLOWED[room_of(path)] | ALLOWED_FOR.get(inside(path), set())
    found = {module for module in imported_by(path) if (other := module.split(".")[0]) != room and other not in allowed}
    if room == "history":
        found |= {module for module in imported_by(path) if module.startswith("client.")} - ALLOWED_IN_HISTORY
    if room == "areas":
        own = {path.relative_to(PACKAGE).parts[1], *COMMON}
        found |= {
            module for module in imported_by(path) if module.startswith("areas.") and module.split(".")[1] not in own
        }
    return found


@pytest.mark.parametrize("path", MODULES, ids=inside)
def test_a_room_knows_those_below_it(path: Path) -> None:
    """Type-checking imports count as well: a name that points up belongs on another floor."""
    assert sorted(violations(path)) == []


CORE = [path for path in MODULES if room_of(path) in ("history", "engine")]


@pytest.mark.parametrize("path", CORE, ids=inside)
def test_the_core_knows_no_area_of_the_api(path: Path) -> None:
    """Neither the address of a tag, nor an attribute that shows tags: a resource says what is sent and read."""
    nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}

    assert attributes & {"tag", "tags", "add_tag", "delete_tag", "member", "members"} == set()
    assert [text for text in texts if "/tags" in text or "/members" in text] == []


def test_no_room_is_known_by_what_it_knows() -> None:
    """The rooms stand on floors: no circle among those that each may import."""
    left: Mapping[str, set[str]] = {room: {*ALLOWED[room]} - {room} for room in ROOMS}
    while left:
        standing = {room for room, others in left.items() if not others & left.keys()}
        assert standing, f"a circle among {sorted(left)}"
        left = {room: others for room, others in left.items() if room not in standing}


def test_no_modules_import_each_other() -> None:
    """Nor is there a circle among modules at the time when they are loaded."""
    known = {dotted(path): loaded_by(path) for path in MODULES}
    seen: set[str] = set()

    def walk(module: str, trail: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if module in trail:
            yield (*trail[trail.index(module) :], module)
        elif module not in seen:
            for other in sorted(known.get(module, ())):
                yield from walk(other, (*trail, module))
            seen.add(module)

    assert [circle for module in sorted(known) for circle in walk(module, ())] == []


def dotted(path: Path) -> str:
    """Return the name of a module below the package."""
    return ".".join(part for part in path.relative_to(PACKAGE).with_suffix("").parts if part != "__init__")


def loaded_by(path: Path) -> set[str]:
    """Return the modules of the package that are loaded together with a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    alone = path.parent / "_"  # relative imports count from the folder
    found: set[str] = set()
    for node in top:
        if isinstance(node, ast.ImportFrom):
            base = ".".join([NAME, *alone.relative_to(PACKAGE).parts[:-1]][: len(alone.relative_to(PACKAGE).parts)])
            module = ".".join(part for part in (base if node.level else "", node.module or "") if part)
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                found.add(whole if is_a_module(whole) else module)
    return {module.removeprefix(f"{NAME}.") for module in found if module.startswith(f"{NAME}.")} - {dotted(path)}


@pytest.mark.parametrize("path", MODULES, ids=inside)
def test_a_module_is_read_at_one_sitting(path: Path) -> None:
    """What is longer has two things in it, or is data."""
    lines = len(path.read_text(encoding="utf-8").splitlines())

    assert lines <= LONGEST or inside(path) in DATA


def test_a_name_says_which_module_is_meant() -> None:
    """No module has the name of another one, the common ones of every area and the suite's own apart."""
    names = Counter(path.stem for path in MODULES if path.stem not in ("__init__", "__main__"))
    common = {"fixtures", "resource", "workloads", "plans", "strategies", "races", "schemas", "results", "checks"}
    assert {name for name, count in names.items() if count > 1} <= common | SAME_NAME


SAME_NAME = {"app", "deviations", "images", "requirements", "run", "html", "identity", "options"}
"""Names that two rooms have today for two sides of one thing."""


@pytest.mark.parametrize("path", sorted((ROOT / "conformance").glob("test_*.py")), ids=lambda path: path.name)
def test_the_suite_knows_the_front_doors(path: Path) -> None:
    """A requirement is written with what a tester has: the front doors, and the areas of the API."""
    rooms = {module.split(".")[0] for module in imported_by_the_suite(path)} - {"areas", "strategies"}
    assert sorted(rooms) == []


def imported_by_the_suite(path: Path) -> set[str]:
    """Return the modules of the package that a module of the suite imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(NAME):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if is_a_module(whole) else node.module or "")
    return {module.removeprefix(f"{NAME}.") for module in found if module.startswith(f"{NAME}.")}
