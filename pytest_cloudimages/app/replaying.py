"""Asks once more what shows a finding: as its plan says, on images of its own, which it takes away again."""

from __future__ import annotations

import uuid
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app.asking_whole import ask, can_be_asked
from pytest_cloudimages.areas.common.checks import A_CHALLENGE, A_DATE, A_DATE_OR_SECONDS, A_WAIT
from pytest_cloudimages.areas.common.parties import KNOWN_AS, Party
from pytest_cloudimages.areas.common.tokens import Asker, odd_tokens, token_elsewhere, unknown_tokens
from pytest_cloudimages.areas.images.states import with_changed_attributes
from pytest_cloudimages.areas.tags.access_states import STATES, Stage
from pytest_cloudimages.areas.tags.callers import State
from pytest_cloudimages.areas.tags.race_workloads import writers
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.exchange import TESTER, Purpose
from pytest_cloudimages.client.images import readable
from pytest_cloudimages.engine.concurrent import execute, worker_pool
from pytest_cloudimages.engine.run import OTHERS
from pytest_cloudimages.engine.settings import TRIES
from pytest_cloudimages.history.concurrent_plans import ConcurrentPlan
from pytest_cloudimages.reporting import rates
from pytest_cloudimages.reporting.expectations import status_fits
from pytest_cloudimages.reporting.plans import ABSENT, IMAGE
from pytest_cloudimages.spec.mismatch import SOMETHING
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_cloudimages.client.answers import Answer
    from pytest_cloudimages.client.images import Image
    from pytest_cloudimages.engine.run import Run

PARTIES = {who: party for party, who in KNOWN_AS.items() if who in OTHERS}
MOST_RACES = 60
"""How often clients are to meet at most, before it is said that they show nothing."""
LED_UP = {
    State.PENDING: (State.SHARED,),
    State.ACCEPTED: (State.SHARED, State.PENDING),
    State.REJECTED: (State.SHARED, State.PENDING),
}
"""The states that an image goes through before."""
PRESENT_STATES = {str(state): state for state in STATES}


@dataclass(frozen=True)
class Replayed:
    """What has become of a finding."""

    reproduced: bool
    told: str
    """What came, and what was expected."""
    requests: int
    """Requests that show it; preparing and cleaning are not among them."""


def _enough(rate: Mapping[str, Any] | None) -> int:
    """Return how many races without a finding would tell that it is met less often now, as far as that can be done."""
    met = (rate["violations"], rate["of"]) if rate else (1, 1)
    told = (number for number in range(TRIES, MOST_RACES) if rates.probability(met, (0, number)) < rates.CHANCE)
    return next(told, MOST_RACES)


def replay(run: Run, plan: Mapping[str, Any], races: int = TRIES) -> Replayed:
    """Ask what a plan says, and return what came of it; raise ``Blocked`` where that cannot be told.

    ``races`` is how often clients are to meet at most.
    """
    if run.problem:
        raise run.problem
    counts = run.recorder.counts
    before = counts[Purpose.JUDGING]
    try:
        wrong, told = _raced(run, plan["race"], races) if "race" in plan else _asked(run, plan)
    except pytest.skip.Exception as problem:
        raise Blocked(str(problem.msg)) from None
    return Replayed(wrong, told, counts[Purpose.JUDGING] - before)


def asked_once_more(run: Run, finding: Mapping[str, Any]) -> Replayed:
    """Ask what shows a finding, and return what came; raise ``Blocked`` where that cannot be told.

    Where a few requests do not show it, the whole requirement is asked again: they may have shown it by something that
    led up to them, and that is gone.
    """
    few = Replayed(reproduced=False, told=finding.get("reason", ""), requests=0)
    if run.problem:
        raise run.problem
    races = _enough(finding.get("rate")) if "race" in (finding["plan"] or {}) else 0
    if finding["plan"] is not None:
        try:
            few = replay(run, finding["plan"], races)
        except Blocked as problem:
            if not can_be_asked(finding):
                raise
            few, races = replace(few, told=str(problem)), 0
        if few.reproduced:
            return few
    if not can_be_asked(finding):
        raise Blocked(
            f"A few requests do not show it any more ({few.told}); that alone does not say that it is mended."
        )
    try:
        whole = ask(run.settings, finding, races=races)
    except Blocked as problem:
        # What a few requests were answered may be all that can be told.
        raise Blocked(f"{problem}; before: {few.told}" if few.requests else str(problem)) from None
    told = f"{whole.told}; before: {few.told}" if few.told else whole.told
    return Replayed(whole.reproduced, told, few.requests + whole.requests)


def _raced(run: Run, data: Mapping[str, Any], races: int) -> tuple[bool, str]:
    """Race until no order explains what was answered, or as often as is enough."""
    plan = ConcurrentPlan.of_data({name: value for name, value in data.items() if name != "of"})
    if run.single:
        plan = plan.on_one_image()
    callers = writers(run) if plan.several_callers else []
    with worker_pool() as workers:
        for place in range(1, races + 1):
            shown = execute(
                plan,
                TAGS,
                run.fresh_image,
                workers,
                patience=run.patience,
                late=run.settings.patience,
                callers=callers,
            )
            anomalies = [*shown.anomalies, *([] if run.recorder.lag else shown.late)]
            if anomalies:
                return True, f"in race {place} of {plan.name}: {min(map(str, anomalies), key=len)}"
    return False, f"in {races} races of {plan.name}, some order of the operations explains all that was answered"


def _asked(run: Run, plan: Mapping[str, Any]) -> tuple[bool, str]:
    """Send the steps of a plan, and judge what came."""
    expect = plan["expect"]
    answers: list[Answer] = []
    absent = any(ABSENT in step["target"] for step in plan["steps"])
    with ExitStack() as stack:
        image = None if absent else stack.enter_context(_image(run, plan))
        before = _shown(image) if image and expect["kind"] == "unchanged" else {}
        identifier = image.id if image else str(uuid.uuid4())
        for step in plan["steps"]:
            target = step["target"].replace(IMAGE, identifier, 1).replace(ABSENT, identifier, 1)
            answers.append(_sent(run, step, target))
        given = expect.get("given")
        if given and not status_fits({"allowed": [given]}, answers[-1].status):
            told = f"answered {answers[-1].status}, and what was found is about an answer {given}"
            if given.startswith("2"):
                raise Blocked(f"It is {told}.")
            return False, told
        match expect["kind"]:
            case "status":
                return _of_status(expect, answers)
            case "field":
                return _of_field(expect, answers)
            case "tags" if image:
                return _of_tags(expect, image)
            case "unchanged" if image:
                return _of_attributes(expect, image, before)
    raise Blocked(f"There is no image whose {expect['kind']} could be looked at.")


def _sent(run: Run, step: Mapping[str, Any], target: str) -> Answer:
    asker = _asker(run, step["caller"])
    headers: dict[str, str | None] = {"Accept": None} | dict(map(tuple, step["headers"])) | dict(asker.headers)
    if asker.raw:
        return asker.client.raw(step["method"], target + asker.query, headers=asker.headers)
    body = step["body"].encode() or None
    return asker.client.send(step["method"], target + asker.query, headers=headers, body=body)


def _asker(run: Run, caller: str) -> Asker:
    """Return who sends a step; raise ``Blocked`` where there is no such caller."""
    if caller == TESTER:
        return Asker(run.client)
    for who, words in OTHERS.items():
        if words == caller:
            client = run.caller(who)
            if client is None:
                raise Blocked(f"This asks as {caller}, and no credentials of {caller} were given.")
            return Asker(client)
    nobody = Asker(run.client.calling("nobody", lambda: None))
    ended = map(Asker, run.ended_callers())
    for asker in (nobody, *unknown_tokens(run.client), *odd_tokens(run.client), *token_elsewhere(run.client), *ended):
        if asker.client.caller == caller:
            return asker
    raise Blocked(f"This asks as {caller}, and there is no such caller.")


@contextmanager
def _image(run: Run, plan: Mapping[str, Any]) -> Iterator[Image]:
    """Open an image in a state, with some tags; raise ``Blocked`` where there is none."""
    state, tags = plan["state"], plan["tags"]
    with ExitStack() as stack:
        found = PRESENT_STATES.get(state)
        if state and state != State.PRIVATE and found is None:
            raise Blocked(f"This asks for an image that is {state}, and how to bring one there is not known.")
        if state == State.PRIVATE and not run.settings.image:
            with suppress(Blocked, pytest.skip.Exception):
                image = stack.enter_context(run.fresh_image(visibility="private"))
                yield _with_tags(image, tags)
                return
        if plan.get("attributes"):
            image = stack.enter_context(with_changed_attributes(run))
        else:
            image = stack.enter_context(run.fresh_image(own=found is not None))
        _with_tags(image, tags)
        if found is not None:
            stage = Stage(run, image, _parties(run), {})
            # An image whose members answer is first shared with them.
            for passed in (*LED_UP.get(found, ()), found):
                stack.enter_context(STATES[passed](stage))
        yield image


def _parties(run: Run) -> dict[Party, list[Asker]]:
    known = {PARTIES[who]: run.able(who) for who in PARTIES}
    return {Party.OWNER: [Asker(run.client)]} | {party: [Asker(client)] for party, client in known.items() if client}


def _with_tags(image: Image, tags: Sequence[str]) -> Image:
    """Return an image with its tags added, however that was answered; raise ``Blocked`` where it does not have them."""
    with image.client.recorder.of(Purpose.PREPARING):
        for tag in tags:
            image.add_tag(tag)
        seen = image.read(lambda shown: {*tags} <= {*shown}) if tags else []
    if not {*tags} <= {*seen}:
        raise Blocked(f"The image was to have the tags {[*tags]!a}, and it shows {seen!a}.")
    return image


def _shown(image: Image) -> dict[str, Any]:
    """Return the attributes that an image shows; raise ``Blocked`` where it shows none."""
    with image.client.recorder.of(Purpose.PREPARING):
        answer = image.show()
        readable(answer)
    return dict(answer.data)


def _of_status(expect: Mapping[str, Any], answers: Sequence[Answer]) -> tuple[bool, str]:
    status = answers[expect["step"]].status
    fits = status_fits(expect, status)
    if not status and "0" not in expect.get("refused", ()):
        raise Blocked(f"It was not answered: {answers[expect['step']].exchange}")
    wanted = " or ".join(expect.get("allowed", ())) or f"anything but {', '.join(expect['refused'])}"
    return not fits, f"status {status}, expected {wanted}"


def _of_field(expect: Mapping[str, Any], answers: Sequence[Answer]) -> tuple[bool, str]:
    answer, at = answers[expect["step"]], expect["at"]
    body = at == "body"
    came = answer.body.decode("utf-8", "replace") if body else answer.headers.get(at.removeprefix("header "))
    told = f"{at} {came!a}, expected {expect['words']}"
    known = {str(allowed): allowed for allowed in (A_DATE, A_DATE_OR_SECONDS, A_WAIT, A_CHALLENGE, SOMETHING)}
    if came is None and expect["wrong"] is not None:
        raise Blocked(f"{told}: what was wrong when it was found is not there, so that nothing can be said of it.")
    if (allowed := known.get(expect["words"])) is not None:
        return not allowed.holds(came), told
    if came == expect["wrong"]:
        return True, told
    if came in expect.get("allowed", ()) or str(came) == expect["words"]:
        return False, told
    raise Blocked(f"{told}: it was {expect['wrong']!a} when it was found, and whether this is right is not told.")


def _of_tags(expect: Mapping[str, Any], image: Image) -> tuple[bool, str]:
    """Judge the tags that an image shows in the end, as soon as they are right, or when patience ends."""

    def departs(tags: Sequence[str]) -> bool:
        wanted = expect["expected"]
        missing = any(tags.count(tag) < wanted.count(tag) for tag in expect["missing"])
        return missing or any(tags.count(tag) > wanted.count(tag) for tag in expect["unexpected"])

    tags = image.read(lambda seen: not departs(seen))
    lists = "; ".join(f"{name} {expect[name]!a}" for name in ("missing", "unexpected") if expect[name])
    return departs(tags), f"tags {tags!a}, looked for {lists}"


def _of_attributes(expect: Mapping[str, Any], image: Image, before: Mapping[str, Any]) -> tuple[bool, str]:
    """Judge whether attributes are what they were."""

    def changed() -> list[str]:
        return [name for name in expect["names"] if not _same(before.get(name), _shown(image).get(name))]

    found = image.eventually(changed, lambda names: not names)
    return bool(found), f"changed: {', '.join(found) or 'nothing'}, expected nothing"


def _same(old: object, new: object) -> bool:
    return sorted(old) == sorted(new) if isinstance(old, list) and isinstance(new, list) else old == new
