"""Outages: whether anybody is answered at all, how long that is waited for, and when a service is given up.

A service that is given up is sent nothing more, for the reason that was found once. One request to clean up is made all
the same, once in a run; where anything is answered, the service is back.
"""

from __future__ import annotations

import itertools
import time
import uuid
from typing import TYPE_CHECKING

from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.reachability import advice_to_reach
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.trouble import LONGEST_PAUSE, TROUBLE
from pytest_cloudimages.spec.verdicts import Blocked, GivenUp, NoEffect, ShutOut, Trouble

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pytest_cloudimages.client.answers import Answer
    from pytest_cloudimages.client.exchange import Exchange
    from pytest_cloudimages.client.session import ImagesClient

LIST = "/images?limit=1"
FEWEST_LOOKS = 3
"""So often it is looked whether a service is back before it is given up: an idle connection may have been closed."""


class Stopped(KeyboardInterrupt):
    """The run ends early. No question takes it for an answer to itself."""


def raise_if_given_up(client: ImagesClient) -> None:
    """Raise why nothing more is sent for this caller, where that is so."""
    way = client.transport.way
    if way.stopping.is_set() and client.recorder.purpose is not Purpose.CLEANING:
        raise Stopped
    raise_if_spent(client)
    problem = way.given_up or way.shut_out.get(client.caller)
    if problem is None:
        return
    if client.recorder.purpose is Purpose.CLEANING and not way.last_try:
        way.last_try = True
        return
    raise _once_more(problem)


def raise_if_spent(client: ImagesClient) -> None:
    """Raise ``Unaffordable`` where the run has spent what it may take, unless this is to clean up."""
    budget, recorder = client.transport.way.budget, client.recorder
    if recorder.purpose is not Purpose.CLEANING and (why := budget.lacks(recorder.spent, 1)):
        budget.refuse(why)


def _once_more(problem: NoEffect) -> NoEffect:
    return type(problem)(*problem.args)


def outlasted(client: ImagesClient, why: str, endured: float = 0.0) -> bool:
    """Return whether the service was out of reach and is back: as soon as a harmless request is answered.

    ``endured`` are the seconds that it has been in trouble already. Raise ``Trouble`` where it does not come back.
    """
    way, begun, paused = client.transport.way, time.monotonic(), 0.0
    with way.looking:
        for looks in itertools.count(1):
            raise_if_given_up(client)
            asked = time.monotonic()
            if client.others_are_answered():
                return looks > 1
            now = time.monotonic()
            enough = looks >= FEWEST_LOOKS or now - asked >= client.transport.timeout or not way.reached
            if enough and endured + max(paused, now - begun) >= way.outage:
                break
            if not paused and way.outage:
                client.recorder.tell_of_waiting(way.outage, f"{client.endpoint} to be back: {why}")
            time.sleep(LONGEST_PAUSE)
            paused += LONGEST_PAUSE
        # Who has been there before has no wrong address; and what is wrong with TLS says what to do.
        told = way.reached or "TLS" in why or "certificate" in why
        proxy, usual = client.transport.proxy, "Check the address, port and network."
        advice = "" if told else f" {advice_to_reach(client.endpoint, proxy, usual)}"
        way.given_up = GivenUp(SECRETS.hide(f"{client.endpoint} is out of reach: {why}.{advice}"))
    # What was sent last may have had its effect.
    raise Trouble(str(way.given_up))


def raise_if_shut_out(client: ImagesClient, statuses: Collection[int]) -> None:
    """Raise ``ShutOut`` where the service answers whatever is asked alike, with one of these statuses.

    When the run began it did not: the list of images was one. Now the list, an image of ours and one that nobody has
    are all answered the same, which says nothing of any request.
    """
    way = client.transport.way
    if not way.opened:
        return
    listed = client.looked(LIST)
    status = listed.status
    if status not in statuses or is_list(listed):
        return
    created = client.recorder.traces.created_by.copy()  # other threads may create images meanwhile
    own = [identifier for identifier, caller in created.items() if caller == client.caller]
    targets = [f"/images/{each}" for each in (uuid.uuid4(), *own[-1:])]
    if all(client.looked(target).status == status for target in targets):
        why = f"{client.endpoint} answers {status} to everything from some moment on, also to its list of images."
        raise shut_out(client, ShutOut(why), status)


def shut_out(client: ImagesClient, problem: NoEffect, status: int) -> NoEffect:
    """Have nothing more sent for a caller to whom everything is answered with this status, and return what to raise."""
    way = client.transport.way
    way.shut_out[client.caller], way.refusal = problem, status
    return _once_more(problem)


def raise_if_unfounded(client: ImagesClient, evidence: Iterable[Exchange]) -> None:
    """Raise ``Blocked`` where a finding rests on answers that an outage accounts for."""
    statuses = {exchange.status for exchange in evidence}
    way = client.transport.way
    if problem := way.shut_out.get(client.caller):
        if way.refusal in statuses:
            raise _once_more(problem)
        return
    try:
        raise_if_shut_out(client, statuses)
    except ShutOut:
        raise
    except Blocked:
        # What it had answered before stands.
        if statuses & TROUBLE:
            raise


def raise_if_nobody_is_served(client: ImagesClient) -> None:
    """Raise ``ShutOut`` where an outage accounts for it that a check came to no case."""
    if problem := client.transport.way.shut_out.get(client.caller):
        raise _once_more(problem)
    try:
        raise_if_shut_out(client, range(400, 600))
    except ShutOut:
        raise
    except Blocked:
        return


def is_list(answer: Answer) -> bool:
    """Return whether an answer is a list of images."""
    listed = isinstance(answer.data, dict) and isinstance(answer.data.get("images"), list)
    return answer.status == 200 and listed  # noqa: PLR2004 - as HTTP has it
