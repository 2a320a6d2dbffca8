"""Take the assertions out of each check of the suite, one check at a time: some fault has to go unfound.

Usage: python benchmarks/assertions.py [ID…] [--faults N]

Judges the faults of tests/faults/ that docs/detection.json names as found by a requirement, the cheapest first, with
copies of the suite in which that requirement's checks are spoiled:

- *softened*: what an assertion would have said is written down, and the check goes on. A fault at which one assertion
  alone speaks is one that goes unfound without it.
- *emptied*: all assertions of a check, or one of them, are taken out; what they look at is still asked for.

A row stands only where the same command finds the fault with the suite as it is and no longer does with the emptied
one. Everything is kept in docs/assertions.json, which docs/detection.md is made of, too. The status is 1 where the
assertions of a check can go and nobody notices.
"""

import argparse
import ast
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from faults import FAULTS
from faults.page import publish
from faults.score import ASSERTIONS, OURS, Measured, Row
from faults.trial import SEED, SUITE, Outcome, judged

from pytest_cloudimages.spec.catalogue import load
from pytest_cloudimages.spec.verdicts import Verdict

AT_A_TIME = 2
ENOUGH = 8
"""Faults that are shown to a softened requirement, unless all its assertions are noticed before."""
PROFILES = ("quick", "standard", "thorough")
"""From the fewest requests to the most."""
SPOKEN = "spoken.txt"
NOTE = "_an_assertion_has_spoken"


@dataclass(frozen=True)
class Assertion:
    """A statement that judges, by where it stands."""

    line: int
    end: int
    text: str


@dataclass(frozen=True)
class Check:
    """A test that is bound to requirements, with the assertions that it reaches in its own module."""

    module: Path
    """Below the suite's folder."""
    name: str
    ids: tuple[str, ...]
    assertions: tuple[Assertion, ...]


def checks_of(suite: Path) -> Iterator[Check]:
    """Yield every check of a suite, found by its mark."""
    for file in sorted(suite.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for function in functions.values():
            if ids := _ids(function):
                nodes = [node for part in _reached(function, functions) for node in ast.walk(part) if judges(node)]
                judging = {Assertion(*_place(node), _text(node)) for node in nodes}
                yield Check(file.relative_to(suite), function.name, ids, tuple(sorted(judging, key=_by_line)))


def judges(node: ast.AST) -> bool:
    """Return whether a node is a statement that judges: ``assert``, or a call of a name that begins with ``expect``."""
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    called = node.value.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name.startswith("expect")


class Emptied(ast.NodeTransformer):
    """Takes assertions out: what they look at is still evaluated, and so still asked of the service."""

    def __init__(self, out: Iterable[Assertion]) -> None:
        self.places = {(each.line, each.end) for each in out}

    def visit(self, node: ast.AST) -> ast.AST:
        """Replace an assertion by what it looks at."""
        if not judges(node) or _place(node) not in self.places:
            return self.generic_visit(node)
        if isinstance(node, ast.Assert):
            return ast.copy_location(ast.Expr(node.test), node)
        call = node.value  # type: ignore[attr-defined]  # an expression, or it would not judge
        parts = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        parts += [*call.args, *(each.value for each in call.keywords)]
        return ast.copy_location(ast.Expr(ast.Tuple(parts, ast.Load())), node)


class Softened(ast.NodeTransformer):
    """Has assertions write down that they have spoken, and go on."""

    def __init__(self, lines: Iterable[int]) -> None:
        self.lines = {*lines}

    def visit(self, node: ast.AST) -> ast.AST:
        """Put an assertion between ``try`` and ``except``."""
        if not judges(node) or _place(node)[0] not in self.lines:
            return self.generic_visit(node)
        note = ast.Expr(ast.Call(ast.Name(NOTE, ast.Load()), [ast.Constant(_place(node)[0])], []))
        handler = ast.ExceptHandler(ast.Name("AssertionError", ast.Load()), None, [note])
        return ast.copy_location(ast.Try([node], [handler], [], []), node)  # type: ignore[list-item]  # a statement


def _ids(function: ast.FunctionDef) -> tuple[str, ...]:
    return tuple(
        str(argument.value)
        for call in function.decorator_list
        if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) == "requirement"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    )


def _reached(function: ast.FunctionDef, functions: dict[str, ast.FunctionDef]) -> list[ast.FunctionDef]:
    """Return a check and the helpers of its module that it names, and those that they name."""
    reached = [function]
    for part in reached:
        names = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
        reached += [
            helper for name, helper in functions.items() if name in names and helper not in reached and not _ids(helper)
        ]
    return reached


def _place(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)


def _by_line(assertion: Assertion) -> int:
    return assertion.line


def _text(node: ast.AST) -> str:
    """Return an assertion without its message."""
    return ast.unparse(ast.Assert(node.test, None) if isinstance(node, ast.Assert) else node)


@dataclass
class Suites:
    """The suite as it is, and copies of it in which something is spoiled."""

    folder: Path
    intact: Path = field(init=False)

    def __post_init__(self) -> None:
        source = Path(str(resources.files(SUITE)))
        # A folder's name is part of how pytest names its modules.
        self.intact = self.folder / "intact" / source.name
        shutil.copytree(source, self.intact, ignore=shutil.ignore_patterns("__pycache__"))

    def copy(self, name: str, change: ast.NodeTransformer, modules: Iterable[Path], head: str = "") -> Path:
        """Return a copy with a change to some modules; what pytest has made of the others is taken along."""
        copy = self.folder / name / self.intact.name
        shutil.copytree(self.intact, copy)
        for module in modules:
            tree = ast.fix_missing_locations(change.visit(ast.parse((copy / module).read_text(encoding="utf-8"))))
            (copy / module).unlink()
            (copy / module).write_text(f"{head}\n{ast.unparse(tree)}\n", encoding="utf-8")
            for compiled in (copy / module).parent.glob(f"__pycache__/{module.stem}.*"):
                compiled.unlink()
        return copy


@dataclass
class Proof:
    """The proof of a requirement: which fault shows that the assertions of its check were taken out."""

    suites: Suites
    id: str
    checks: Sequence[Check]
    most: int
    heard: dict[str, frozenset[int]] = field(default_factory=dict)
    """The lines of the assertions that have spoken at a fault, where nothing else did."""
    found_intact: dict[str, bool] = field(default_factory=dict)
    alone: bool = True
    """Whether the requirement is selected; some look at what others have provoked, and need a whole run."""
    runs: int = 0

    def rows(self, faults: Sequence[str]) -> Iterator[tuple[str, Row]]:
        """Yield a row for every check of the requirement."""
        suite = self._softened()
        self._listen(suite, faults)
        if not self.heard:
            self.alone = False
            self._listen(suite, faults)
        for check in self.checks:
            told: dict[Assertion, str] = {each: self._noticing([each], check) for each in check.assertions}
            # What notices a single one that is missing notices, with all of them gone, as well.
            first = [name for name in told.values() if name] if len(check.assertions) > 1 else []
            whole = self._noticing(check.assertions, check, first) if len(told) != 1 else next(iter(told.values()))
            yield (
                f"{self.id} {check.name}",
                {
                    "requirement": self.id,
                    "check": check.name,
                    "fault": whole,
                    "profile": FAULTS[whole].profile if whole else "",
                    "select": self.id if self.alone else "",
                    "assertions": [[each.text, told[each]] for each in check.assertions],
                },
            )

    def _softened(self) -> Path:
        head = f"def {NOTE}(line):\n    with open({SPOKEN!r}, 'a') as spoken:\n        print(line, file=spoken)\n"
        lines = {each.line for check in self.checks for each in check.assertions}
        return self.suites.copy(f"{self.id}-softened", Softened(lines), {each.module for each in self.checks}, head)

    def _listen(self, suite: Path, faults: Sequence[str]) -> None:
        """Judge faults with softened assertions until each of these is the only one to speak at some fault."""
        lines_of = [{each.line for each in check.assertions} for check in self.checks]
        alone = {frozenset([line]) for lines in lines_of for line in lines}
        for number, name in enumerate(faults, 1):
            outcome, spoken = self._judge(name, suite)
            if self.id not in outcome.found and spoken:
                self.heard[name] = spoken
            # Each check has to have a fault of its own, whatever that takes; each assertion, if there is one nearby.
            served = all(any(spoken <= lines for spoken in self.heard.values()) for lines in lines_of)
            if alone <= {*self.heard.values()} or (served and number >= self.most):
                return

    def _noticing(self, out: Sequence[Assertion], check: Check, first: Iterable[str] = ()) -> str:
        """Return a fault that goes unfound without these assertions; nothing where there is none."""
        lines = {each.line for each in out}
        candidates = [name for name, spoken in self.heard.items() if spoken <= lines]
        if not candidates:
            return ""
        place = "-".join(str(line) for line in sorted(lines))
        suite = self.suites.copy(f"{self.id}-{check.name}-{place}", Emptied(out), [check.module])
        for name in dict.fromkeys([*(each for each in first if each in candidates), *candidates]):
            if self._found(name) and self.id not in self._judge(name, suite)[0].found:
                return name
        return ""

    def _found(self, name: str) -> bool:
        if name not in self.found_intact:
            self.found_intact[name] = self.id in self._judge(name, self.suites.intact)[0].found
        return self.found_intact[name]

    def _judge(self, name: str, suite: Path) -> tuple[Outcome, frozenset[int]]:
        self.runs += 1
        with tempfile.TemporaryDirectory() as reports:
            folder = Path(reports)
            select = [self.id] if self.alone else []
            outcome = judged(FAULTS[name], folder, profile=FAULTS[name].profile, select=select, suite=suite)
            spoken = folder / SPOKEN
            lines = spoken.read_text(encoding="utf-8").split() if spoken.exists() else []
        return outcome, frozenset(map(int, lines))


def cheapest(requirement: str, rows: dict[str, Row]) -> list[str]:
    """Return the faults by which a requirement was found broken, those that break the least first."""
    found = [name for name, row in rows.items() if requirement in row["found"] and name in FAULTS]

    def cost(name: str) -> tuple[int, int, int]:
        return PROFILES.index(rows[name]["profile"]), len(rows[name]["found"]), rows[name]["requests"]

    return sorted(found, key=cost)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each check as it is proved, and write the results."""
    parser = argparse.ArgumentParser(prog="python benchmarks/assertions.py", description=__doc__.splitlines()[0])
    parser.add_argument("id", nargs="*", help="of a requirement, or what ids begin with; all without")
    parser.add_argument("--faults", type=int, default=ENOUGH, metavar="N", help=f"to try for each at most [{ENOUGH}]")
    chosen = parser.parse_args(arguments)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        suites = Suites(Path(folder))
        proofs = [*_proofs(suites, tuple(chosen.id), chosen.faults)]
        if not proofs:
            parser.error("no requirement that can be a finding is called so")
        kept = Measured.load(ASSERTIONS) if chosen.id else Measured()
        measured = Measured(_about(), _without(kept, {each.id for each in proofs}))
        # What pytest makes of the modules is made once, and taken along by every copy.
        judged_once = proofs[0]._judge("Honest", suites.intact)[0]  # noqa: SLF001 - as any other run
        if judged_once.found:
            raise RuntimeError(f"The copy of the suite accuses the honest app:\n{judged_once.output}")
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            for rows in pool.map(_proved(Measured.load(OURS).faults), proofs):
                for name, row in rows:
                    measured.faults[name] = row
                    silent = [text for text, fault in row["assertions"] if not fault]
                    print(f"{name}: {row['fault'] or 'NOBODY'}; {len(silent)} unnoticed alone", flush=True)
                measured.save(ASSERTIONS)
    publish(FAULTS)
    empty = [name for name, row in measured.faults.items() if not row["fault"]]
    runs = sum(each.runs for each in proofs)
    print(f"{len(measured.faults)} checks, {len(empty)} of them silent unnoticed; {runs} runs in", end=" ")
    print(f"{time.monotonic() - begun:.0f} s.")
    print(*empty, sep="\n", end="\n" * bool(empty), file=sys.stderr)
    return bool(empty)


def _about() -> dict[str, object]:
    return {
        "command": "tox run -e assertions",
        "date": datetime.now(UTC).date().isoformat(),
        "release": version("pytest-cloudimages"),
        "seed": SEED,
    }


def _without(measured: Measured, ids: Iterable[str]) -> dict[str, Row]:
    return {name: row for name, row in measured.faults.items() if row["requirement"] not in {*ids}}


def _proofs(suites: Suites, names: tuple[str, ...], most: int) -> Iterator[Proof]:
    checks = [*checks_of(suites.intact)]
    for requirement in load().values():
        own = [each for each in checks if requirement.id in each.ids]
        finding = requirement.missed in (Verdict.FAIL, Verdict.ADVISORY)
        if own and finding and (not names or requirement.id.startswith(names)):
            yield Proof(suites, requirement.id, own, most)


def _proved(rows: dict[str, Row]) -> Callable[[Proof], list[tuple[str, Row]]]:
    def proved(proof: Proof) -> list[tuple[str, Row]]:
        return [*proof.rows(cheapest(proof.id, rows))]

    return proved


if __name__ == "__main__":
    raise SystemExit(main())
