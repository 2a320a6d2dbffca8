"""The checker of concurrent histories, against brute force over all orders."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_cloudimages.areas.members.resource import MEMBERS
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.history.checkers import check as histories
from pytest_cloudimages.history.checkers import linearizability, witness
from pytest_cloudimages.history.checkers.check import check
from pytest_cloudimages.history.checkers.unfounded import refusals
from pytest_cloudimages.history.events import Anomaly, Category, ConcurrentHistory, Event
from pytest_cloudimages.history.operations import Kind
from pytest_cloudimages.history.resource import SetResource

ADD, DELETE, READ, SET = Kind.ADD, Kind.DELETE, Kind.READ, Kind.SET
MODES = pytest.mark.parametrize("lenient", [True, False], ids=["lenient", "strict"])


@dataclass(frozen=True)
class Item:
    """One thing to put in order: its own reading of an event, for the brute force alone."""

    does: str
    """add, remove, or one of the observations there and gone."""
    sent: float
    ended: float
    certain: bool = True
    event: Event | None = None


def items_of(events: Iterable[Event], tag: str) -> Iterator[Item]:
    for event in events:
        end = inf if event.answered is None else event.answered
        if event.kind is READ:
            if event.values is not None and event.answered is not None:
                yield Item("there" if tag in event.values else "gone", event.sent, end, event=event)
        elif event.value == tag and event.kind in {ADD, DELETE}:
            does = "add" if event.kind is ADD else "remove"
            known = event.answered is not None
            if known and 200 <= event.status <= 299:
                yield Item(does, event.sent, end, event=event)
            elif known and event.status == 404 and event.kind is DELETE:
                yield Item("gone", event.sent, end, event=event)
            elif known and event.status == 409 and event.kind is ADD:
                yield Item("there", event.sent, end, event=event)
            elif not known or not 400 <= event.status <= 499:
                yield Item(does, event.sent, inf, certain=False, event=event)


def has_order(items: Sequence[Item], *, present: bool, lenient: bool) -> bool:
    """Try every order and every choice of what never happened, without any cleverness."""

    def attempt(left: Sequence[Item], present: bool, taken: tuple[float, ...]) -> bool:
        if not any(event.certain for event in left):
            return True
        for place, each_event in enumerate(left):
            rest = [*left[:place], *left[place + 1 :]]
            if not each_event.certain and attempt(rest, present, taken):
                return True
            if any(other.ended < each_event.sent for other in rest):  # to be put in order, or left out, before
                continue
            if each_event.does in {"there", "gone"}:
                fits, after = (each_event.does == "there") == present, present
            elif each_event.does == "add":
                fits, after = True, True
            else:
                excused = lenient and any(end >= each_event.sent for end in taken)
                fits, after = present or excused or not each_event.certain, False
            removes = each_event.does == "remove" and present
            if fits and attempt(rest, after, (*taken, each_event.ended) if removes else taken):
                return True
        return False

    return attempt(items, present, ())


def explained(events: Sequence[Event], tag: str, *, present: bool, lenient: bool) -> bool:
    return has_order([*items_of(events, tag)], present=present, lenient=lenient)


def explained_jointly(events: Sequence[Event], initial: frozenset[str], *, lenient: bool) -> bool:
    """Try every order of whole images: a read shows all tags of one moment."""

    def attempt(left: Sequence[Event], tags: frozenset[str], taken: tuple[tuple[str, float], ...]) -> bool:
        if all(event.answered is None or event.status == 500 for event in left):
            return True
        for place, each_event in enumerate(left):
            rest = [*left[:place], *left[place + 1 :]]
            unknown = each_event.answered is None or each_event.status == 500
            end = inf if unknown or each_event.answered is None else each_event.answered
            if any(x.answered is not None and x.status != 500 and x.answered < each_event.sent for x in rest):
                continue
            after, fits = tags, True
            if each_event.kind is READ:
                fits = each_event.values is None or {*each_event.values} == tags
            elif each_event.kind is ADD and (unknown or each_event.status == 204):
                after = tags | {each_event.value}
            elif each_event.kind is DELETE and (unknown or each_event.status == 204):
                excused = lenient and any(tag == each_event.value and ended >= each_event.sent for tag, ended in taken)
                fits, after = each_event.value in tags or excused or unknown, tags - {each_event.value}
            elif each_event.kind is DELETE and each_event.status == 404:
                fits = each_event.value not in tags
            gone = (*taken, *((tag, end) for tag in tags - after))
            if fits and attempt(rest, after, gone):
                return True
        return False

    return attempt(events, initial, ())


@dataclass
class Generator:
    """Histories of one image as a correct service, or a broken one, would give them. Times meet often, on purpose."""

    random: random.Random
    tags: str = "a"
    longest: int = 6
    lenient: bool = True
    conflicts: bool = False
    """Whether an addition of what is there is answered 409, as of a member; 204 otherwise, as of a tag."""

    @property
    def resource(self) -> SetResource:
        """The set whose answers are made."""
        return MEMBERS if self.conflicts else TAGS

    def correct(self, *, torn: bool = False) -> ConcurrentHistory:
        """Let each operation take effect at one moment of its time, and answer what is the case then.

        Torn reads see each tag at a moment of its own.
        """
        rng = self.random
        initial = frozenset(tag for tag in self.tags if rng.random() < 0.3)
        drawn, span = [], rng.choice((4, 8, 12))
        for client in range(rng.randint(2, self.longest)):
            sent = rng.randint(0, span)
            kind = rng.choice((ADD, ADD, DELETE, DELETE, READ) if not torn else (ADD, ADD, DELETE, READ))
            tag = rng.choice(self.tags)
            ended = sent + rng.choice((0, 1, 1, 2, 3, 6) if not torn else (5, 9) if kind is READ else (0, 1))
            lost = rng.random() < (0.15 if not torn else 0.05)
            answered = rng.choice((None, float(ended))) if lost else float(ended)
            event = Event(kind, 0, client, float(sent), answered, 500 if lost and answered is not None else 0, tag)
            moment = sent + rng.choice((0, 1, 5, 20)) * rng.random() if lost else rng.uniform(sent, ended)
            first = (moment, rng.random())
            for each in self.tags if kind is READ else (tag,):
                place = (rng.uniform(sent, ended), rng.random()) if torn and kind is READ else first
                drawn.append((*place, client, each, event, lost))
        tags, taken, events = {*initial}, list[tuple[str, float]](), dict[int, Event]()
        for *_, client, tag, each_entry, lost in sorted(drawn, key=lambda entry: entry[:4]):
            if each_entry.kind is READ:
                shown = (*(events[client].values or () if client in events else ()), *({tag} & tags))
                events[client] = replace(
                    each_entry, value="", status=each_entry.status or 200, values=None if lost else shown
                )
                continue
            refused = rng.random() < 0.05
            done = not refused and not (lost and rng.random() < 0.4)
            status = 413 if refused else 204
            if each_entry.kind is DELETE and done and tag not in tags:
                excused = any(gone == tag and end >= each_entry.sent for gone, end in taken)
                status = 204 if self.lenient and excused and rng.random() < 0.5 else 404
            elif each_entry.kind is DELETE and done:
                taken.append((tag, each_entry.answered if each_entry.answered is not None and not lost else inf))
            if done and each_entry.kind is ADD and self.conflicts and tag in tags:
                status = 409
            if done:
                (tags.add if each_entry.kind is ADD else tags.discard)(tag)
            events[client] = each_entry if lost else replace(each_entry, status=status)
        order = [*events.values()]
        rng.shuffle(order)
        return ConcurrentHistory(tuple(order), {0: initial})

    def broken(self) -> ConcurrentHistory:
        """Change a few things in a correct history; some of these have an order all the same."""
        rng = self.random
        history = self.correct()
        events = [*history.events]
        for _ in range(rng.randint(1, 3)):
            if not events:
                break
            place = rng.randrange(len(events))
            event = events[place]
            match rng.randrange(5):
                case 0 if event.values is not None:
                    events[place] = replace(event, values=tuple(sorted({*event.values} ^ {rng.choice(self.tags)})))
                case 1 if event.kind is not READ and event.status:
                    refusal = 409 if event.kind is ADD and self.conflicts else 404
                    events[place] = replace(event, status=refusal if event.status == 204 else 204)
                case 2 if event.answered is not None:
                    shift = rng.randint(-4, 4)
                    events[place] = replace(event, sent=event.sent + shift, answered=event.answered + shift)
                case 3:
                    del events[place]
                case _ if event.kind is not READ:
                    events[place] = replace(event, kind=ADD if event.kind is DELETE else DELETE)
        return ConcurrentHistory(tuple(events), history.initial)


def numbered(number: int, seed: int, **how: Any) -> Iterator[Generator]:
    """Return generators of which each makes one history: number and seed alone decide which."""
    return (Generator(random.Random(f"{seed} {place}"), **how) for place in range(number))  # noqa: S311 - to be had again


def disagreements(generators: Iterable[Generator], *, lenient: bool) -> Iterator[tuple[ConcurrentHistory, set[str]]]:
    """Return the histories of which the checker says something else than brute force, and what."""
    for generator in generators:
        history = generator.broken()
        found = {each.value for each in check(history, generator.resource, lenient_deletes=lenient) if each.value}
        initial = history.initial[0]
        expected = {
            tag for tag in generator.tags if not explained(history.events, tag, present=tag in initial, lenient=lenient)
        }
        if found != expected:
            yield history, found ^ expected


@MODES
def test_the_checker_agrees_with_brute_force_where_repeated_additions_conflict(*, lenient: bool) -> None:
    """As of members, of which an addition is answered 409 where there is one."""
    generators = numbered(6_000, 3, tags="a", longest=7, lenient=lenient, conflicts=True)
    assert list(disagreements(generators, lenient=lenient)) == []


@MODES
def test_nothing_is_found_in_correct_histories_with_conflicts(*, lenient: bool) -> None:
    """Whatever moments the operations choose, and however many answers are lost."""
    for each_history in numbered(1_000, 4, tags="abc", longest=40, lenient=lenient, conflicts=True):
        history = each_history.correct()
        assert check(history, MEMBERS, lenient_deletes=lenient) == [], history


@MODES
@pytest.mark.parametrize(("tags", "longest", "number"), [("a", 7, 9_000), ("ab", 7, 3_000)])
def test_the_checker_agrees_with_brute_force(tags: str, longest: int, number: int, *, lenient: bool) -> None:
    """Of each tag of a history, broken or not, both say the same."""
    generators = numbered(number, 1, tags=tags, longest=longest, lenient=lenient)
    assert list(disagreements(generators, lenient=lenient)) == []


@MODES
def test_a_correct_service_is_never_accused(*, lenient: bool) -> None:
    """Whatever moments the operations choose, and however many answers are lost, nothing is found."""
    for each_history in numbered(2_000, 2, tags="abc", longest=40, lenient=lenient):
        history = each_history.correct()
        assert check(history, TAGS, lenient_deletes=lenient) == [], history


@given(st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None, database=None)
def test_a_correct_service_is_not_accused_whatever_the_draw(draw: random.Random) -> None:
    """The same with choices of Hypothesis, which shrinks them."""
    assert check(Generator(draw, tags="ab", longest=12).correct(), TAGS) == []


def spoiled(
    change: Callable[[linearizability.Claim], linearizability.Claim | None],
) -> Callable[..., linearizability.Finding]:
    """Return a search that takes each act for something else, or leaves it out."""

    def search(
        claims: Sequence[linearizability.Claim], *, present: bool, removal: linearizability.Removal
    ) -> linearizability.Finding:
        changed = [after for claim in claims if (after := change(claim)) is not None]
        return linearizability.search(changed, present=present, removal=removal)

    return search


def without_witness(register: witness.Projection, _: int) -> Anomaly:
    return Anomaly(Category.PHANTOM, register.image, register.value, (), "")


def removal_as(removal: linearizability.Removal) -> Callable[..., linearizability.Finding]:
    return lambda claims, *, present, **_: linearizability.search(claims, present=present, removal=removal)


def only_the_first(configurations: Iterable[linearizability.Configuration]) -> list[linearizability.Configuration]:
    return [*configurations][:1]


def whatever_was_met(configuration: linearizability.Configuration, other: linearizability.Configuration) -> bool:
    return (configuration.present, configuration.used | other.used) == (other.present, other.used)


def soonest(walk: linearizability.Search, configuration: linearizability.Configuration) -> list[Any]:
    return [other for other in walk._removals if not configuration.used & other.bit][:1]  # noqa: SLF001 - it stands in for a method


said = histories._claim  # noqa: SLF001 - what a broken checker falls back upon

BROKEN: dict[str, tuple[Any, str, Any]] = {
    "ignores the times": (witness, "search", spoiled(lambda claim: claim._replace(sent=0, ended=99))),
    "takes a tie for an order": (
        witness,
        "search",
        spoiled(lambda claim: claim._replace(sent=min(claim.sent + 0.1, claim.ended))),
    ),
    "forgets unknown outcomes": (witness, "search", spoiled(lambda claim: claim if claim.ended < inf else None)),
    "lets unknown outcomes end": (
        witness,
        "search",
        spoiled(lambda claim: claim._replace(ended=min(claim.ended, claim.sent + 6))),
    ),
    "is strict with deletions": (witness, "search", removal_as(linearizability.Removal.STRICT)),
    "lets any deletion pass": (witness, "search", removal_as(linearizability.Removal.BLIND)),
    "follows one situation": (linearizability, "_worth_keeping", only_the_first),
    "keeps the wrong situation": (linearizability, "_can_do_all_of", whatever_was_met),
    "lets only the first removal act": (linearizability.Search, "_next_removals", soonest),
    "lets nothing happen unasked": (
        linearizability.Search,
        "_may_be_idle",
        lambda _, configuration, own: not own.write.required or configuration.present == own.write.adds,
    ),
    "takes a 409 for nothing": (
        histories,
        "_claim",
        lambda event, resource: None if event.status == 409 else said(event, resource),
    ),
    "takes a 404 for nothing": (
        histories,
        "_claim",
        lambda event, resource: None if event.status == 404 else said(event, resource),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_comparison_notices_a_broken_checker(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these mistakes is found by the histories of the comparison."""
    where, what, instead = BROKEN[name]
    monkeypatch.setattr(where, what, instead)
    monkeypatch.setattr(histories, "anomaly_of", without_witness)
    generators = chain(*(numbered(9_000, 1, tags="a", longest=7, conflicts=each) for each in (False, True)))
    assert next(disagreements(generators, lenient=True), None) is not None


def relaxed(history: ConcurrentHistory, tag: str, kept: Sequence[Event]) -> list[Item]:
    """Return the items of some events, where any other change may have happened or not."""
    return [
        item if item.event in kept else replace(item, certain=False)
        for item in items_of(history.events, tag)
        if item.event in kept or item.does in {"add", "remove"}
    ]


@MODES
def test_a_witness_has_no_order_and_nothing_to_spare(*, lenient: bool) -> None:
    """Whatever else happened, a witness has no order, and without any one of its events it has one."""
    seen = Counter[int]()
    for each_history in numbered(3_000, 3, longest=8, lenient=lenient):
        history = each_history.broken()
        for found in check(history, TAGS, lenient_deletes=lenient):
            if found.value is None:
                continue
            seen[len(found.witness)] += 1
            how = {"present": found.value in history.initial[0], "lenient": lenient}
            assert not has_order([*items_of(found.witness, found.value)], **how), found.text
            assert not has_order(relaxed(history, found.value, found.witness), **how), found.text
            assert found.impossible in found.witness
            for place in range(len(found.witness)):
                rest = [*found.witness[:place], *found.witness[place + 1 :]]
                assert has_order(relaxed(history, found.value, rest), **how), found.text
    assert {1, 2, 3} <= {*seen}


@MODES
def test_a_torn_read_is_alleged_only_where_no_order_of_the_whole_image_is_left(*, lenient: bool) -> None:
    """Reads that see one tag a little earlier than the other are found, and no other history is blamed for it."""
    told = Counter[str]()
    for each_history in numbered(2_000, 4, tags="abcd", longest=8, lenient=lenient):
        history = each_history.correct(torn=True)
        found = check(history, TAGS, lenient_deletes=lenient)
        if any(each.category is not Category.TORN_READ for each in found):
            continue
        joint = explained_jointly(history.events, history.initial[0], lenient=lenient)
        assert not (found and joint), found[0].text
        told["found" if found else "explained" if joint else "missed"] += 1
        for each in found:
            assert not explained_jointly(each.witness, history.initial[0], lenient=lenient), each.text
    assert told["found"] > told["missed"], told


def at(kind: Kind, sent: float, answered: float | None, status: int = 204, tag: str = "a", client: int = 1) -> Event:
    return Event(kind, 0, client, sent, answered, status if answered is not None else 0, tag)


def seen(sent: float, answered: float, *tags: str, name: str | None = None) -> Event:
    return Event(READ, 0, 9, sent, answered, 200, values=tags, shown=name)


def renamed(sent: float, answered: float | None, name: str, status: int = 200) -> Event:
    return Event(SET, 0, 2, sent, answered, status, value=name)


def with_name(event: Event, name: str) -> Event:
    """Return a renaming, or a read, with another name."""
    return replace(event, value=name) if event.kind is SET else replace(event, shown=name)


EXAMPLES: dict[str, tuple[Category, list[Event]]] = {
    "gone after an addition": (Category.LOST_ADDITION, [at(ADD, 0, 1), seen(2, 3)]),
    "never seen, and not found": (Category.LOST_ADDITION, [at(ADD, 0, 1), at(DELETE, 2, 3, 404)]),
    "seen, then neither found nor seen": (
        Category.LOST_ADDITION,
        [at(ADD, 0, 1), seen(2, 3, "a"), at(DELETE, 4, 5, 404), seen(6, 7)],
    ),
    "back after a deletion": (Category.LOST_DELETION, [at(ADD, 0, 1), at(DELETE, 2, 3), seen(4, 5, "a")]),
    "never added": (Category.PHANTOM, [seen(0, 1, "a")]),
    "shown before it was asked for": (Category.PHANTOM, [seen(0, 1, "a"), at(ADD, 2, 3)]),
    "refused and shown": (Category.PHANTOM, [at(ADD, 0, 1, 413), seen(2, 3, "a")]),
    "deleted and never there": (Category.PHANTOM, [at(DELETE, 0, 1)]),
    "missing once": (Category.STALE_READ, [at(ADD, 0, 1), seen(2, 3), seen(4, 5, "a")]),
    "there once more": (Category.STALE_READ, [at(ADD, 0, 1), at(DELETE, 2, 3), seen(4, 5, "a"), seen(6, 7)]),
    "two deletions in sequence": (Category.TWICE_DELETED, [at(ADD, 0, 1), at(DELETE, 2, 3), at(DELETE, 4, 5)]),
    "one part later than the other": (
        Category.TORN_READ,
        [at(ADD, 1, 2), at(ADD, 3, 4, tag="b"), seen(0, 5, "b"), seen(6, 7, "a", "b")],
    ),
    "two in one list": (Category.DUPLICATE, [at(ADD, 0, 1), at(ADD, 0, 1), seen(2, 3, "a", "a")]),
    "listed and not found": (Category.STUCK_VALUE, [at(ADD, 0, 1), seen(2, 3, "a"), at(DELETE, 4, 5, 404)]),
    "not found and listed": (Category.STUCK_VALUE, [at(ADD, 0, 1), at(DELETE, 2, 3, 404), seen(4, 5, "a")]),
    "deleted again and again": (
        Category.STUCK_VALUE,
        [at(ADD, 0, 1), at(DELETE, 2, 3), seen(4, 5, "a"), at(DELETE, 6, 7), seen(8, 9, "a")],
    ),
    "a name undone by an addition": (
        Category.COLLATERAL_LOSS,
        [renamed(0, 2, "new"), at(ADD, 1, 3), seen(4, 5, "a", name="old")],
    ),
    "a name that nobody gave": (Category.COLLATERAL_LOSS, [seen(0, 1, name="other")]),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_anomaly_has_the_name_that_a_client_would_give_it(name: str) -> None:
    """Each category, from a few events of an image that was called old and had no tags."""
    category, events = EXAMPLES[name]
    found = check(ConcurrentHistory(tuple(events), {}, {0: "old"}), TAGS)
    assert [finding.category for finding in found] == [category]
    assert str(category) in str(found[0])


EXPLAINED: dict[str, list[Event]] = {
    "nothing": [],
    "an unanswered addition seen late": [at(ADD, 0, None), seen(1, 2), seen(50, 51, "a")],
    "an unanswered addition never seen": [at(ADD, 0, None), seen(1, 2), at(DELETE, 3, 4, 404)],
    "a failed addition that comes after a deletion": [
        at(ADD, 0, 1),
        at(ADD, 2, 3, 500),
        at(DELETE, 4, 5),
        seen(6, 7, "a"),
    ],
    "an unanswered deletion between two reads": [at(ADD, 0, 1), at(DELETE, 2, None), seen(3, 4, "a"), seen(5, 6)],
    "a redirected deletion": [at(ADD, 0, 1), at(DELETE, 2, 3, 302), seen(4, 5)],
    "an answer at the moment of the next request": [at(ADD, 0, 1), at(DELETE, 1, 2, 404), seen(2, 3, "a")],
    "a refused deletion": [at(ADD, 0, 1), at(DELETE, 2, 3, 403), seen(4, 5, "a")],
    "an unreadable list": [at(ADD, 0, 1), Event(READ, 0, 1, 2, 3, 503)],
    "a read without an answer": [at(ADD, 0, 1), Event(READ, 0, 1, 2, None, values=())],
    "two deletions at once": [at(ADD, 0, 1), at(DELETE, 2, 4), at(DELETE, 3, 5)],
    "a deletion during a slow one that was done long before": [
        at(ADD, 0, 1),
        at(DELETE, 2, 99),
        seen(3, 4),
        at(ADD, 5, 6),
        at(DELETE, 7, 8),
        at(DELETE, 9, 10),
    ],
    "a rename that is under way": [renamed(0, 5, "new"), seen(1, 2, name="new"), seen(6, 7, name="new")],
    "a rename without an answer": [renamed(0, None, "new"), seen(1, 2, name="old"), seen(6, 7, name="new")],
    "a refused rename": [renamed(0, 1, "new", 409), seen(2, 3, name="old")],
    "two renames": [renamed(0, 2, "x"), renamed(1, 3, "y"), seen(4, 5, name="x"), seen(6, 7, name="x")],
}


@pytest.mark.parametrize("name", EXPLAINED)
def test_what_can_be_explained_is_no_anomaly(name: str) -> None:
    """What a correct service may answer is not accused."""
    assert check(ConcurrentHistory(tuple(EXPLAINED[name]), {}, {0: "old"}), TAGS) == []


def test_a_stale_read_hides_nothing_worse() -> None:
    """What is wrong with a tag besides is found as well; that two reads were stale is told once."""
    events = [
        at(ADD, 0, 1),
        seen(2, 3),
        seen(2, 3),
        seen(4, 5, "a"),
        at(ADD, 6, 7),
        seen(8, 9),
        at(DELETE, 10, 11, 404),
    ]
    found = check(ConcurrentHistory(tuple(events), {}), TAGS)
    assert [finding.category for finding in found] == [Category.STALE_READ, Category.LOST_ADDITION]


def test_names_are_checked_like_a_register() -> None:
    """A service that renames correctly is never accused; each accusation is one that brute force shares."""
    verdicts = Counter[bool]()
    for number in range(3_000):
        rng = random.Random(f"names {number}")  # noqa: S311 - to be had again
        drawn = []
        for _ in range(rng.randint(2, 6)):
            sent = rng.randint(0, 8)
            ended = sent + rng.choice((0, 1, 2, 4))
            drawn.append((rng.uniform(sent, ended), sent, ended, rng.choice(("x", "y", None)), rng.random() < 0.1))
        name, events = "old", list[Event]()
        for _, sent, ended, given_name, lost in sorted(drawn, key=lambda sample: sample[0]):
            name = given_name or name
            events.append(renamed(sent, None if lost else ended, name) if given_name else seen(sent, ended, name=name))
        assert check(ConcurrentHistory(tuple(events), {}, {0: "old"}), TAGS) == []
        broken = [with_name(event, rng.choice(("old", "x", "y"))) if rng.random() < 0.3 else event for event in events]
        found = check(ConcurrentHistory(tuple(broken), {}, {0: "old"}), TAGS)
        assert not (found and name_has_order(broken, "old")), found[0].text
        verdicts[bool(found)] += 1
    assert min(verdicts.values()) > 300


def name_has_order(left: Sequence[Event], name: str) -> bool:
    """Try every order of renames and reads."""
    if all(event.answered is None for event in left):
        return True
    for place, each_event in enumerate(left):
        rest = [*left[:place], *left[place + 1 :]]
        if any(other.answered is not None and other.answered < each_event.sent for other in rest):
            continue
        if (each_event.kind is SET or each_event.shown == name) and name_has_order(rest, each_event.shown or ""):
            return True
    return False


def test_concurrent_deletions_of_what_is_not_there_are_not_excused() -> None:
    """One of several concurrent deletions must have found the tag."""
    found = check(ConcurrentHistory((at(DELETE, 0, 2), at(DELETE, 1, 3)), {}), TAGS)
    assert [finding.category for finding in found] == [Category.PHANTOM]


def test_strictly_only_one_of_two_concurrent_deletions_is_acknowledged() -> None:
    """Without leniency the second one is an anomaly."""
    history = ConcurrentHistory((at(DELETE, 0, 2), at(DELETE, 1, 3)), {0: frozenset("a")})
    assert check(history, TAGS) == []
    assert [anomaly.category for anomaly in check(history, TAGS, lenient_deletes=False)] == [Category.TWICE_DELETED]


def test_a_name_that_is_not_known_in_the_beginning_is_not_checked() -> None:
    """Nothing is said of the name of an image that the history does not name."""
    assert check(ConcurrentHistory((renamed(0, 1, "new"), seen(2, 3, name="old")), {}), TAGS) == []


def test_images_are_checked_apart() -> None:
    """A tag of one image explains nothing about another, and the anomaly tells which image it is."""
    elsewhere = [replace(event, image=7) for event in (at(ADD, 0, 1), seen(2, 3))]
    found = check(ConcurrentHistory((at(ADD, 0, 1), seen(2, 3, "a"), *elsewhere), {}), TAGS)
    assert [(finding.image, finding.value) for finding in found] == [(7, "a")]


def test_a_clock_that_runs_backwards_is_refused() -> None:
    """An event answered before it was sent is a mistake of the recording."""
    with pytest.raises(ValueError, match="monotonic"):
        check(ConcurrentHistory((at(ADD, 1, 0),), {}), TAGS)


def test_a_witness_reads_like_a_story() -> None:
    """Relative times, clients, operations and answers; the impossible answer is marked; what is left out is counted."""
    found = check(
        ConcurrentHistory((at(ADD, 10, 10.5), at(DELETE, 11, 11.25, client=2), at(DELETE, 12, 12.5)), {}), TAGS
    )
    assert found[0].text.splitlines() == [
        "twice deleted: 'a' of image 0. The tag was deleted more often than it was added.",
        "  0.0 to 250.0 ms, client 2: delete 'a' → 204",
        "> 1000.0 to 1500.0 ms, client 1: delete 'a' → 204",
        "  (1 other change of it may have happened or not)",
    ]


def test_what_a_torn_read_cannot_have_seen_is_told() -> None:
    """For each tag, the times at which it cannot have been as shown; together they leave no moment."""
    found = check(ConcurrentHistory(tuple(EXAMPLES["one part later than the other"][1]), {}), TAGS)
    assert found[0].text.splitlines()[1:] == [
        "> 0.0 to 5000.0 ms, client 9: read → with 'b', without 'a'",
        "  1000.0 to 2000.0 ms, client 1: add 'a' → 204",
        "  3000.0 to 4000.0 ms, client 1: add 'b' → 204",
        "  'a' cannot have been absent from 2000.0 to 5000.0 ms",
        "  'b' cannot have been present from 0.0 to 3000.0 ms",
    ]


def test_unknown_outcomes_do_not_multiply_the_configurations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of requests without an answer leave a handful of configurations to follow."""
    sizes: list[int] = []

    def counted(configurations: Iterable[linearizability.Configuration]) -> list[linearizability.Configuration]:
        found = worth_keeping(configurations)
        sizes.append(len(found))
        return found

    worth_keeping = linearizability._worth_keeping  # noqa: SLF001 - to look at what it gives
    monkeypatch.setattr(linearizability, "_worth_keeping", counted)
    rng = random.Random(5)  # noqa: S311 - the same every time
    lost = [at(rng.choice((ADD, DELETE)), rng.random() * 5, None) for _ in range(300)]
    reads = [seen(moment, moment + 3, *rng.choice(("a", ""))) for moment in range(5, 90)]
    deletes = [at(DELETE, moment, moment + 9, rng.choice((204, 404))) for moment in range(5, 90)]
    assert check(ConcurrentHistory((*lost, *reads, *deletes), {}), TAGS) == []
    assert len(sizes) > 50
    assert max(sizes) < 50


# Refusals


def refused(*statuses: int, kind: Kind = ADD) -> list[Category]:
    """Return what is found where changes of one image are answered so, all at once."""
    events = [Event(kind, 0, client, 0.0, 1.0, status, f"tag-{client}") for client, status in enumerate(statuses)]
    return [anomaly.category for anomaly in refusals(events, TAGS)]


@pytest.mark.parametrize("status", [303, 400, 404, 410, 422])
def test_what_others_are_granted_is_refused_without_reason(status: int) -> None:
    """Where others add to the image at the same time, it is there, and takes tags."""
    assert refused(204, status) == [Category.REFUSAL]


@pytest.mark.parametrize("statuses", [(404, 404), (204, 403), (204, 409), (204, 429), (204, 503), (204, 201)])
def test_what_has_a_reason_is_no_unfounded_refusal(statuses: tuple[int, ...]) -> None:
    """Neither what is refused to everyone, nor what speaks of the others, nor trouble."""
    assert refused(*statuses) == []


def test_a_deletion_of_what_is_gone_is_not_refused_without_reason() -> None:
    """A 404 says that the tag was absent."""
    assert refused(204, 404, kind=DELETE) == []


def test_a_client_that_was_let_in_is_not_kept_out_without_reason() -> None:
    """A 403 speaks of who asks: of whoever may delete another tag, it says nothing that could be so."""
    events = [Event(DELETE, 0, 1, 0.0, 1.0, status, f"tag-{status}") for status in (204, 403)]

    assert [anomaly.category for anomaly in refusals(events, TAGS)] == [Category.REFUSAL]
