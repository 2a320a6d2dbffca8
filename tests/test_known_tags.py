"""The tags that are written out are what they are said to be."""

from __future__ import annotations

import unicodedata

import pytest

from pytest_cloudimages.areas.tags import corpus
from pytest_cloudimages.areas.tags.corpus import UNRESERVED, fragments, polyglots, tag_of_length
from pytest_cloudimages.spec.limits import LONGEST


@pytest.mark.parametrize("seed", [0, 7, 2**31])
def test_a_tag_of_every_length(seed: int) -> None:
    """Each is as long as it is said to be, plain, and the beginning of no other."""
    tags = [tag_of_length(length, seed) for length in range(1, LONGEST + 1)]

    assert [len(tag) for tag in tags] == [*range(1, LONGEST + 1)]
    assert {*"".join(tags)} <= {*UNRESERVED}
    assert not [tag for tag in tags for other in tags if tag != other and len(tag) > 2 and other.startswith(tag)]


def test_no_tag_is_a_dot_segment() -> None:
    """URI software would take them away."""
    every = [*corpus.WORDS, *corpus.PHRASES, *corpus.LONG, *corpus.BOUNDARY_LENGTHS, *corpus.SINGLE_CHARACTERS]
    every += [tag for tags in corpus.SPECIAL.values() for tag in tags]

    assert not {".", ".."} & {*every}
    assert max(map(len, every)) == LONGEST
    assert len({*every}) == len(every)


@pytest.mark.parametrize("seed", range(20))
def test_polyglots_hold_every_script_and_stay_below_every_limit(seed: int) -> None:
    """No service that counts octets has a reason to refuse them, and no two are alike in any form."""
    found = polyglots(seed)
    names = " ".join(unicodedata.name(character, "") for tag in found for character in tag)

    assert all(len(tag.encode()) <= LONGEST for tag in found)
    for script in (
        "GREEK",
        "CYRILLIC",
        "HEBREW",
        "ARABIC",
        "THAI",
        "HIRAGANA",
        "HANGUL",
        "BRAILLE",
        "ARROW",
        "LINEAR B",
    ):
        assert script in names
    assert len({unicodedata.normalize("NFKC", tag).casefold() for tag in found}) == len(found)


def test_polyglots_follow_from_the_seed() -> None:
    """Others with another seed, so that more is met from run to run."""
    assert polyglots(3) == polyglots(3)
    assert polyglots(3) != polyglots(4)


def test_the_fragments_hold_what_the_polyglot_holds() -> None:
    """Each with a letter of its own in front."""
    for polyglot in polyglots(1):
        assert "".join(fragment[1:] for fragment in fragments(polyglot)) == polyglot


def test_overlong_tags_are_too_long() -> None:
    """However they are counted: as characters, that is."""
    assert min(map(len, corpus.OVERLONG + corpus.COMPOSING)) == LONGEST + 1
