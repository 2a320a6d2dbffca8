"""The tags that are tried."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from pytest_cloudimages.areas.tags.corpus import BOUNDARIES, UNITS, UNRESERVED
from pytest_cloudimages.areas.tags.strategies import (
    PLAIN,
    RELATED,
    UNUSUAL,
    boundary_tags,
    non_confusable_groups,
    overlong_tags,
    plain_tags,
    plans,
    skeleton,
    tags,
    unusual_tags,
    without_confusables,
)
from pytest_cloudimages.engine.drawing import Sample, batches, draw, samples, shuffled
from pytest_cloudimages.history.operations import Kind

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = PLAIN | UNUSUAL
RELATIONS = [(name, pair) for name, pairs in RELATED.items() for pair in pairs]


@pytest.mark.parametrize("kind", [*CLASSES])
def test_a_class_gives_tags_that_are_allowed(kind: str) -> None:
    """1 to 255 characters that can be written as UTF-8."""
    for tag in draw(CLASSES[kind], 3, 40):
        assert 1 <= len(tag) <= 255
        assert tag.encode().decode() == tag


@pytest.mark.parametrize("kind", [*PLAIN])
def test_a_plain_tag_needs_no_encoding(kind: str) -> None:
    """Any service takes it, and no software rewrites it."""
    for tag in draw(PLAIN[kind], 3, 40):
        assert {*tag} <= {*UNRESERVED}
        assert tag not in (".", "..")


@pytest.mark.parametrize("kind", [*UNUSUAL])
def test_no_class_gives_a_dot_segment(kind: str) -> None:
    """The tags . and .. would make URI software ask for another resource; they have requirements of their own."""
    assert not {".", ".."} & {*draw(UNUSUAL[kind], 5, 60)}


def test_class_names_are_given_once() -> None:
    """A class is plain or unusual."""
    assert not {*PLAIN} & {*UNUSUAL}


@pytest.mark.parametrize("table", [PLAIN, UNUSUAL], ids=["plain", "unusual"])
@pytest.mark.parametrize("rounds", [1, 3])
def test_every_class_is_certain(table: dict[str, st.SearchStrategy[str]], rounds: int) -> None:
    """One drawing has so many tags of each."""
    (drawn,) = draw(samples(table, rounds), 1)

    assert Counter(sample.input_class for sample in drawn) == dict.fromkeys(table, rounds)


@pytest.mark.parametrize("octets", [*UNITS])
def test_every_boundary_comes_up(octets: int) -> None:
    """For characters of each length in UTF-8."""
    (drawn,) = draw(samples({"boundary": boundary_tags(octets=[octets])}, 60), 1)

    assert {len(sample.tag) for sample in drawn} == {*BOUNDARIES}
    assert {len(sample.tag.encode()) // len(sample.tag) for sample in drawn} == {octets}


@pytest.mark.parametrize("octets", [*UNITS])
def test_a_unit_is_as_long_as_it_says(octets: int) -> None:
    """In octets of UTF-8."""
    assert len(UNITS[octets].encode()) == octets


@pytest.mark.parametrize("strategy", [tags(), plain_tags(), unusual_tags()], ids=["tags", "plain", "unusual"])
def test_a_tag_has_1_to_255_characters(strategy: st.SearchStrategy[str]) -> None:
    """Whatever strategy gives it."""
    for tag in draw(strategy, 2, 200):
        assert 1 <= len(tag) <= 255
        assert tag.encode()


def test_an_overlong_tag_is_too_long() -> None:
    """By one character at least, and sometimes by just that."""
    lengths = {len(tag) for tag in draw(overlong_tags(), 2, 100)}

    assert min(lengths) == 256
    assert max(lengths) == 1000


# Drawing


def test_a_drawing_follows_from_its_number() -> None:
    """The same number gives the same tags, another number others."""
    first, again, other = (draw(tags(), number, 30) for number in (1, 1, 2))

    assert first == again
    assert first != other


@pytest.mark.parametrize("count", [1, 2, 25])
def test_so_many_are_drawn_as_asked(count: int) -> None:
    """And the simplest, with which Hypothesis begins, is not among them."""
    assert len(draw(st.integers(), 5, count)) == count


def test_a_strategy_of_few_values_gives_what_it_has() -> None:
    """Drawing more than there is ends."""
    assert {*draw(st.sampled_from("ab"), 5, 100)} <= {"a", "b"}


@pytest.mark.parametrize("variable", ["CI", "GITHUB_ACTIONS"])
def test_the_number_holds_where_hypothesis_sees_a_build(variable: str, tmp_path: Path) -> None:
    """Under CI=true Hypothesis would draw the same for every seed."""
    program = "from pytest_cloudimages.engine.drawing import *; from pytest_cloudimages.areas.tags.strategies import *; print(ascii([draw(tags(), n, 5) for n in (1, 2, 1)]))"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={variable: "true"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout.strip() == ascii([draw(tags(), n, 5) for n in (1, 2, 1)])


# Relations


@pytest.mark.parametrize(
    ("name", "pair"), RELATIONS, ids=lambda value: value if isinstance(value, str) else ascii(value)
)
def test_a_pair_is_two_tags(name: str, pair: tuple[str, str]) -> None:
    """Different strings, both allowed."""
    assert name
    assert pair[0] != pair[1]
    assert all(1 <= len(tag) <= 255 and tag.encode() for tag in pair)


def test_pairs_on_one_image_do_not_meddle() -> None:
    """No tag of a pair could be taken for one of another's; none is left out."""
    groups = non_confusable_groups(RELATIONS)

    assert sorted(pair for group in groups for pair in group) == sorted(RELATIONS)
    for group in groups:
        skeletons = [{skeleton(tag) for tag in pair} for _, pair in group]
        assert sum(map(len, skeletons)) == len(set().union(*skeletons))


@pytest.mark.parametrize(
    ("first", "other"),
    [("Abc", "abc"), ("é", "e\u0301"), (" a", "a"), ("a\u200b", "a"), ("ﬁ", "fi"), ("ß", "SS"), ("\x00", "\x00")],
)
def test_a_skeleton_is_shared_by_what_may_be_mixed_up(first: str, other: str) -> None:
    """Case, form, blanks and invisible characters are taken away."""
    assert skeleton(first) == skeleton(other)


@pytest.mark.parametrize(("first", "other"), [("a", "b"), ("\x00", "\x01"), (" ", "\t"), ("7", "8"), ("", " ")])
def test_a_skeleton_is_never_empty(first: str, other: str) -> None:
    """What is nothing but blanks stands for itself."""
    assert skeleton(first) != skeleton(other)


def test_related_tags_are_left_out() -> None:
    """Of those that could be mixed up the first one stays."""
    drawn = [Sample(tag, "x") for tag in ("b", "A", "a", "c", "B")]

    assert {sample.tag for sample in without_confusables(drawn)} == {"b", "A", "c"}


def test_an_order_follows_from_its_number() -> None:
    """Shuffling loses nothing, and depends on nothing but the number."""
    drawn = [*range(50)]

    assert shuffled(drawn, 1) == shuffled(reversed(drawn), 1)
    assert sorted(shuffled(drawn, 1)) == drawn
    assert shuffled(drawn, 1) != shuffled(drawn, 2)


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (4, [4]), (5, [4, 1]), (9, [4, 4, 1])])
def test_batches_have_a_size(count: int, sizes: list[int]) -> None:
    """The last may be smaller."""
    assert [len(batch) for batch in batches(range(count), 4)] == sizes


@pytest.mark.parametrize("steps", [0, 1, 30])
def test_a_plan_has_its_steps(steps: int) -> None:
    """It ends with a reading, names at most two images and few tags."""
    found: list[Any] = draw(plans(steps), 4, 5)

    for plan in found:
        assert len(plan) == steps + 1
        assert plan[-1].kind is Kind.READ
        assert {step.image for step in plan} <= {0, 1}
        assert len({step.value for step in plan if step.kind is not Kind.READ}) <= 8


def test_threads_that_draw_at_once_leave_hypothesis_as_it_was() -> None:
    """What is set aside while one thread draws is not what another one finds and puts back."""
    read = providers._get_local_constants  # noqa: SLF001 - what must be put back
    first_draws, second_draws, first_is_done = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        def value() -> int:
            first_draws.set()
            # Where the second one may enter too, it does so now; where it may not, there is nothing to wait for.
            second_draws.wait(0.5)
            return 1

        draw(st.builds(value), 1)
        first_is_done.set()

    def second() -> None:
        def value() -> int:
            second_draws.set()
            first_is_done.wait(10)
            return 2

        first_draws.wait(10)
        draw(st.builds(value), 2)

    with ThreadPoolExecutor(2) as pool:
        for drawn in [pool.submit(first), pool.submit(second)]:
            drawn.result()

    assert providers._get_local_constants is read  # noqa: SLF001
