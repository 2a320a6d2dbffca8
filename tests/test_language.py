"""The words of the code: those of Hypothesis, pytest, Jepsen and HTTP, and none of the words they have replaced."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("pytest_cloudimages", "conformance", "tests", "benchmarks")

#: Words that have been replaced, and the words that have replaced them. Words of plain English that also have another
#: use in the code (``number``, ``life``, ``told``) are not here: a list cannot tell one use from the other.
REPLACED = {
    "Conductor": "Judge",
    "Ground ground": "Run, run",
    "Evidence": "CheckRecord",
    "Transcript": "Recorder",
    "Patience waited_for rewarded settled": "Eventually, eventually, observed_lag, eventual_tags",
    "wire stray": "transport, trailing",
    "openers establish begin_with prepared": "states, given_tags, require_ok",
    "borrowed _tidied _missed": "borrowed_image, _delete, _delete_orphans",
    "experiments plain_lives unusual_lives special_lives related_lives": "workloads, plain_tags, unusual_tags, …",
    "carpet carpets carpet_lives": "polyglot, polyglots, polyglot_tags",
    "absences full_image": "absent_tags, image_at_tag_limit",
    "showings Showing walks Walk Look views": "representations, read_path_checks, ReadPathCheck, read_paths",
    "Attempts ONLOOKER NOBODY": "access_attempts, Party",
    "bystander bystanders neighbour neighbours STANDING_BY": "other_image",
    "Control sound_image": "Basics, working_image",
    "known_tags pieces bones": "corpus, fragments, skeletons",
    "unrelated apart_from_each_other": "without_confusables, non_confusable_groups",
    "sorts": "input_classes",
    "carry_out vouched": "execute, inferred",
    "Past Contradiction Unsteady": "Prior, UnreproducedMismatch, Flaky",
    "faithful surplus": "took_exact_effect, others_added",
    "Histories Readings": "Steps, Interpretations",
    "contests Beat beat beats Lane lane lanes Action Family family": "races, Phase, Process, Operation, Pattern",
    "Crew crew": "WorkerPool",
    "Heat heat heats Course": "ConcurrentRun, PossibleStates",
    "conclude departures ALONE_TOO": "raise_if_blocked, violations, ALSO_SEQUENTIAL",
    "Act Situation flipped": "Claim, Configuration, last_change",
    "bench Bench Manner manner asking telling": "Prober, Scenario, explainer, wording",
    "COSTLY FRUITFUL DENIED": "REMOVES_OTHERS, ADDS_OTHERS, DELETED_DESPITE_REFUSAL",
    "from_data": "from_json",
    "_Stop _Watcher": "_SignalHandler, _ResultsCollector",
}
WORDS = {word: better for words, better in REPLACED.items() for word in words.split()}


def findings(text: str) -> list[str]:
    """Return what is to be mended in the text of a module, by line."""
    found: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.NAME:
            continue
        if token.string in WORDS:
            found.append((token.start[0], f"expected one of {WORDS[token.string]}, not {token.string}"))
        elif token.string == "one":
            found.append((token.start[0], "expected the name of the thing, not one"))
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if match := re.match(r"(Give|Tell)s?\b", ast.get_docstring(node) or ""):
            line = 1 if isinstance(node, ast.Module) else node.lineno
            found.append((line, f"expected a docstring with Return, Yield or Raise, not {match.group()}"))
    return [f"line {line}: {problem}" for line, problem in sorted(found)]


FILES = sorted(
    str(path.relative_to(ROOT))
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
    if path != Path(__file__)
)


@pytest.mark.parametrize("file", FILES)
def test_a_module_uses_the_words_of_the_field(file: str) -> None:
    """Names that a newcomer of the field knows, and docstrings with its verbs."""
    found = findings((ROOT / file).read_text(encoding="utf-8"))

    assert not found, "\n".join([f"{file}:", *found])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("for one in tags:\n    pass\n", "line 1: expected the name of the thing, not one"),
        ("def run(ground: object) -> None: ...\n", "line 1: expected one of Run, run, not ground"),
        ("tags = None\ntags.carpet()\n", "line 2: expected one of polyglot, polyglots, polyglot_tags, not carpet"),
        (
            'def f() -> None:\n    """Give it."""\n',
            "line 1: expected a docstring with Return, Yield or Raise, not Give",
        ),
        ('"""Tells it."""\n', "line 1: expected a docstring with Return, Yield or Raise, not Tells"),
    ],
    ids=["one", "argument", "attribute", "docstring", "module"],
)
def test_a_replaced_word_is_found(text: str, problem: str) -> None:
    """Wherever it is an identifier, or begins a docstring."""
    assert findings(text) == [problem]


@pytest.mark.parametrize(
    "text", ["# the ground of a carpet\n", 'word = "one"\n', "def grounds() -> None: ...\n", '"""Given that."""\n']
)
def test_other_words_are_let_pass(text: str) -> None:
    """Comments, texts and longer names are no identifiers of this list."""
    assert findings(text) == []
