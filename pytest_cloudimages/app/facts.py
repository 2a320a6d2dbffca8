"""What the reports may know of a run, read off it."""

from __future__ import annotations

import platform
import time
from importlib import metadata
from typing import TYPE_CHECKING, Any

from pytest_cloudimages.client.auth.credentials import Credentials
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.engine.run import OTHERS
from pytest_cloudimages.reporting.results import RunFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_cloudimages.app.selection import Selection
    from pytest_cloudimages.engine.run import Run


def facts_of(
    run: Run, selection: Selection, *, begun: float, interrupted: bool = False, by_signal: bool = False
) -> RunFacts:
    """Return the facts as they are now."""
    recorder, settings = run.recorder, run.settings
    return RunFacts(
        endpoint=run.service.endpoint,
        named=run.service.named,
        region=run.service.region if settings.identify else None,
        credentials=run.owner.how if settings.identify else run.owner.unnamed,
        settings=settings.as_data(),
        replay={identifier: settings.replay(selection.as_asked(identifier)) for identifier in selection.catalogue},
        problem=str(run.problem or ""),
        instead_of=run.meant.endpoint if run.meant else "",
        suite=metadata.version("pytest-cloudimages"),
        software={"python": platform.python_version()}
        | {name: metadata.version(name) for name in ("pytest", "hypothesis", "requests", "urllib3")},
        chosen=frozenset(selection.chosen),
        tested=selection.tested,
        shard=(selection.shard.number, selection.shard.of) if selection.shard else None,
        elsewhere=selection.elsewhere,
        started=begun,
        seconds=time.time() - begun,
        interrupted=interrupted,
        by_signal=by_signal,
        created=recorder.created,
        lag=recorder.lag,
        claims=dict(run.claims),
        left_behind=tuple(recorder.traces.left_behind),
        capabilities=(*recorder.capabilities.summary(), *_of_callers(run)),
        disturbances=recorder.disturbances.summary(),
        latencies=recorder.latencies.summary(),
        requests={str(purpose): recorder.counts[purpose] for purpose in Purpose},
    )


def _of_callers(run: Run) -> Iterator[dict[str, Any]]:
    """Yield whether there is each further caller, and how it is known."""
    for who, words in OTHERS.items():
        found = run.others.get(who)
        told = "no credentials were given" if found is None else getattr(found, "unnamed", str(found))
        yield {"name": f"be asked by {words}", "can": isinstance(found, Credentials), "evidence": told}
