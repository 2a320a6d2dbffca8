"""The picture of a witness."""

import xml.etree.ElementTree as ET

import pytest

from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.history.checkers.check import check
from pytest_cloudimages.history.events import Anomaly, Category, ConcurrentHistory, Event
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.reporting.timeline import WIDTH, timeline

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "</text><script>alert(1)</script>",
    '"><&amp;]]>',
    "\x00\x07\x1b[31m\r\n\u202e\ufeff",
    "\ud800 half a pair",
    "é\U0001f600",
    "x" * 255,
]


def lost(tag: str = "a", sent: float = 0.0) -> Anomaly:
    add = Event(Kind.ADD, 0, 3, sent, sent + 0.001, 204, tag)
    read = Event(Kind.READ, 0, 5, sent + 0.002, sent + 0.004, 200, values=())
    return check(ConcurrentHistory((add, read), {}), TAGS)[0]


def bars(anomaly: Anomaly) -> list[ET.Element]:
    return [element for element in drawn(anomaly).iter(f"{SVG}rect") if element.get("height") == "9"]


def drawn(anomaly: Anomaly) -> ET.Element:
    return ET.fromstring(timeline(anomaly))


def texts(anomaly: Anomaly) -> list[str]:
    return [element.text or "" for element in drawn(anomaly).iter(f"{SVG}text")]


@pytest.mark.parametrize("tag", HOSTILE, ids=range(len(HOSTILE)))
def test_any_tag_leaves_well_formed_printable_svg(tag: str) -> None:
    """What a service sent is text in the picture, never markup, and nothing in it is invisible."""
    svg = timeline(lost(tag))
    svg.encode()
    assert {element.tag.removeprefix(SVG) for element in ET.fromstring(svg).iter()} <= {"svg", "rect", "line", "text"}
    assert all(character.isprintable() for character in svg)


def test_each_client_has_a_lane_and_each_event_a_bar_as_long_as_it_took() -> None:
    """Lanes are in the order of the clients, bars on the scale of the whole."""
    add, read = bars(lost())
    assert [text for text in texts(lost()) if text.startswith("client")] == ["client 3", "client 5"]
    assert float(read.get("width", 0)) == pytest.approx(2 * float(add.get("width", 0)), abs=0.2)
    assert float(add.get("y", 0)) < float(read.get("y", 0))


def test_only_the_impossible_event_is_red_and_it_is_marked_in_words_too() -> None:
    """A reader who sees no colours finds it by its cross."""
    add, read = bars(lost())
    assert (add.get("fill"), read.get("fill")) == ("#0969da", "#cf222e")
    assert [text for text in texts(lost()) if "→" in text] == ["add 'a' → 204", "✗ read → without 'a'"]


def test_an_unanswered_event_goes_on_to_the_edge() -> None:
    """Its bar is dashed and ends with the picture."""
    add = Event(Kind.ADD, 0, 1, 0, None, 0, "a")
    bar = bars(Anomaly(Category.PHANTOM, 0, "a", (add,), ""))[0]
    assert float(bar.get("x", 0)) + float(bar.get("width", 0)) == pytest.approx(WIDTH - 20)
    assert bar.get("stroke-dasharray")


def test_labels_of_one_client_do_not_meet() -> None:
    """Where there is no room beside the last one, a lane has another row."""
    events = tuple(Event(Kind.ADD, 0, 1, n / 10, n / 10 + 0.05, 204, "a" * 40) for n in range(5))
    rows = [float(bar.get("y", 0)) for bar in bars(Anomaly(Category.PHANTOM, 0, "a", events, ""))]
    assert len({*rows}) == 5


def test_everything_stays_inside_the_picture() -> None:
    """Bars and labels end before the right edge, at any time of day."""
    for anomaly in (lost("x" * 255, sent=1e6), lost(sent=0)):
        for bar in bars(anomaly):
            assert 80 <= float(bar.get("x", 0)) <= float(bar.get("x", 0)) + float(bar.get("width", 0)) <= WIDTH - 16
        for text in drawn(anomaly).iter(f"{SVG}text"):
            assert (
                float(text.get("x", 0)) + (len(text.text or "") * 6.7 if text.get("text-anchor") == "start" else 0)
                < WIDTH
            )


def test_the_picture_needs_nothing_from_elsewhere_and_brings_its_ground() -> None:
    """No link, style sheet, font or script; the ground is its own, so that any page may hold it."""
    svg = timeline(lost())
    assert "href" not in svg
    assert "url(" not in svg
    assert drawn(lost())[0].get("fill") == "#ffffff"


def test_an_instant_can_be_drawn() -> None:
    """A witness whose events all have one time still has a picture."""
    event = Event(Kind.READ, 0, 1, 5.0, 5.0, 200, values=("a", "a"))
    assert len(bars(check(ConcurrentHistory((event,), {0: frozenset("a")}), TAGS)[0])) == 1


def waiting(pause: float) -> Anomaly:
    """Return an addition that a read misses after a pause."""
    add = Event(Kind.ADD, 0, 3, 0.0, 0.002, 204, "a")
    read = Event(Kind.READ, 0, 5, 0.002 + pause, 0.004 + pause, 200, values=())
    return check(ConcurrentHistory((add, read), {}), TAGS)[0]


def test_a_long_pause_leaves_room_for_what_happens() -> None:
    """A read after ten seconds of patience: both bars are as wide as each other, and the pause says how long it was."""
    add, read = (float(bar.get("width", 0)) for bar in bars(waiting(10.0)))

    assert add == pytest.approx(read, abs=0.2)
    assert add > 200
    assert "10.0 s" in texts(waiting(10.0))
    assert texts(waiting(10.0))[-2] == "10004.0 ms"


def test_a_short_pause_is_on_the_scale_of_the_rest() -> None:
    """Nothing is drawn short that can be drawn."""
    add, read = bars(waiting(0.004))

    between = float(read.get("x", 0)) - float(add.get("x", 0)) - float(add.get("width", 0))
    assert between == pytest.approx(2 * float(add.get("width", 0)), abs=0.3)
    assert "4.0 ms" not in texts(waiting(0.004))
