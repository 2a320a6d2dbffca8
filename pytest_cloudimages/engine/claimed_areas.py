"""What a service says it has: by the versions that it lists, and by the schemas that it publishes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.versions import at_the_root, version_ids
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.engine.scheduler import several_at_once
from pytest_cloudimages.engine.task_pool import TaskPool
from pytest_cloudimages.spec.verdicts import Blocked

AREAS = {
    "image": "images",
    "images": "images",
    "member": "image-sharing",
    "members": "image-sharing",
    "task": "tasks",
    "tasks": "tasks",
}
"""The area whose documents a schema describes, by the name of the schema."""
BY_PROPERTY = {("image", "tags"): "image-tags", ("images", "next"): "pagination"}
"""Areas that a schema speaks of by a property alone."""


def claimed_areas(run: Run) -> dict[str, str]:
    """Return by which of its documents the service claims an area of the catalogue.

    A run that judges all it can asks for them, since what it does not judge may still be there; one that is narrowed,
    or that has to be quick, does not.
    """
    settings = run.settings
    if run.problem or settings.select or settings.earlier is not None or settings.profile == "quick":
        return {}
    found: dict[str, str] = {}
    with suppress(Blocked), run.recorder.of(Purpose.PREPARING):
        for area, told in _told(run):
            found.setdefault(area, told)
    return found


def _told(run: Run) -> Iterator[tuple[str, str]]:
    client = run.client
    asked = [partial(at_the_root(client).send_once, "GET", "/")]
    asked += [partial(client.send_once, "GET", f"/schemas/{name}") for name in AREAS]
    answers = _answers(run, asked)
    if ids := version_ids(next(answers).data):
        yield "versions", f"GET / lists {', '.join(ids)}"
    for (name, area), answer in zip(AREAS.items(), answers, strict=True):
        run.documents |= {name: answer} if answer.ok else {}
        if answer.ok and _is_schema(answer.data, name):
            told = f"GET /v2/schemas/{name} answers {answer.status}"
            yield "schemas", told
            yield area, told
            for (schema, attribute), further in BY_PROPERTY.items():
                if schema == name and attribute in answer.data["properties"]:
                    yield further, f"{told}, with the property {attribute}"


def _answers(run: Run, asked: Sequence[Callable[[], Answer]]) -> Iterator[Answer]:
    """Yield what each question is answered; they are asked beside each other where several clients may work at once."""
    if not several_at_once(run.settings):
        yield from (ask() for ask in asked)
        return
    pool = TaskPool(min(run.settings.concurrency, len(asked)))
    try:
        yield from pool.execute(asked)
    finally:
        pool.close()


def _is_schema(data: Any, name: str) -> bool:
    """Return whether a document is the schema of this name, as a service publishes it."""
    return isinstance(data, dict) and data.get("name") == name and isinstance(data.get("properties"), dict)
