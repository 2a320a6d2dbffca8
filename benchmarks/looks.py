"""What each workload shows of a service: a plugin of pytest that takes the place of the first look of a run.

It makes every workload that the checks of the run look at, shows each, alone, to those that send nothing themselves,
and writes to the file that LOOKS names, as JSON, for each workload how many requests it took and after how many of them
each requirement that is not met could be told. Then it ends the run. benchmarks/order.py makes the order of that.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.app import first_look
from pytest_cloudimages.app.judge import Judge
from pytest_cloudimages.engine import recording, registry
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.marks import ids_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_cloudimages.client.exchange import Exchange
    from pytest_cloudimages.engine.registry import Workloads

LOOKS = "looks.json"


def look(judge: Judge, items: Iterable[pytest.Item], workloads: Workloads) -> None:
    """Make and show all workloads, write what came of it, and end the run."""
    checks, recorder = [*items], judge.run.recorder
    sent: list[Exchange] = []
    add = recorder.add

    def noted(exchange: Exchange) -> None:
        sent.append(exchange)
        add(exchange)

    recorder.add = noted  # type: ignore[method-assign]
    found: dict[str, Any] = {"": {"requests": sum(recorder.counts.values()), "told": {}}}
    shows: list[Callable[[], Any]] = []
    Run.show = lambda _, so_far: shows.append(so_far)  # type: ignore[method-assign,assignment]
    for declared in registry.asked_by(checks):
        begin, before = len(sent), len(shows)
        with suppress(Exception, pytest.skip.Exception):
            made = workloads.get(declared.name)
            told = _told(judge, checks, declared.name, made, sent[begin:])
            if len(shows) == before:  # it shows nothing before it is over
                told = dict.fromkeys(told, len(sent) - begin)
            found[declared.name] = {"told": told}
        found.setdefault(declared.name, {"told": {}})["requests"] = len(sent) - begin
    Path(LOOKS).write_text(json.dumps(found), encoding="utf-8")
    pytest.exit("All was looked at.")


def _told(judge: Judge, items: Iterable[pytest.Item], name: str, made: Any, sent: list[Exchange]) -> dict[str, int]:
    places = {id(exchange): place for place, exchange in enumerate(sent, 1)}
    told: dict[str, int] = {}
    for item in items:
        declared, mine = first_look.looked_at(item), recording.CheckRecord()
        if name in declared and first_look.finds(item, declared, {name: made}, judge.run, mine):
            place = max((places.get(id(exchange), 0) for exchange in mine.exchanges), default=0) or len(sent)
            for identifier in ids_of(item):
                told[identifier] = min(place, told.get(identifier, place))
    return told


Judge.look_first = look  # type: ignore[method-assign,assignment]
