"""Patches of images: each is sent once, with a look at the image after it."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import pytest

from pytest_cloudimages.areas.common.offers import require_offered
from pytest_cloudimages.areas.images.patch_model import (
    add,
    applied,
    attribute_of,
    in_the_new_form,
    named_by,
    remove,
    replaced,
)
from pytest_cloudimages.areas.images.patches import (
    CARRIED_OUT,
    LEFT,
    VALID,
    Aim,
    Wanted,
    of_an_older_image,
    patches,
    with_data,
)
from pytest_cloudimages.areas.images.states import A_WHILE, give_data, of_the_service, once_active, restless_attributes
from pytest_cloudimages.areas.images.tried_patches import (
    MOVING,
    OF_VALUES,
    Attempt,
    Attributes,
    Beside,
    Updates,
    attributes_of,
    differing,
)
from pytest_cloudimages.areas.images.unreadable import Unread, Unreadable
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.provisioning import described_attributes
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked, LostAnswer


@workload(empty=lambda: Updates([]), requests=(103, 521, 521, 521))
def updates(run: Run) -> Updates:
    """Send patches of every kind to one image, valid ones and others, and look at it after each of them."""
    parts = patches(whole=bool(run.rounds))
    others: list[Beside] = []
    unread: list[Unread] = []
    with ExitStack() as stack:
        other = None
        if run.pool is None:
            # That it works at all is seen before anything else is made.
            image = stack.enter_context(run.fresh_image(own=True))
        with suppress(Blocked, pytest.skip.Exception):
            other = stack.enter_context(run.fresh_image(own=True))
            as_created = attributes_of(other.show())
        older = _once_it_is_older(None if run.pool else time.monotonic()) if run.rounds else iter(())
        if run.pool is None:
            tried = _on_one_image(run, image, chain(*parts, older), unread)
            tried += _with_data(run, stack)
        else:
            beside = [partial(_on_its_own, run, stack, unread, part, first=part is parts[0]) for part in parts]
            beside += [partial(_on_its_own, run, stack, unread, older, first=False)]
            shown = run.pool.execute([*beside, partial(_with_data, run, stack)])
            tried = [attempt for each in shown for attempt in each]
        if other is not None:
            with suppress(Blocked, pytest.skip.Exception):
                valid = [attempt for attempt in tried if attempt.wanted.aim in VALID]
                names = {name for attempt in valid for name in attempt.named}
                values = [each.get("value") for attempt in valid for each in in_the_new_form(attempt.wanted.body)]
                tags = frozenset(str(tag) for value in values if isinstance(value, list) for tag in value)
                looked = other.show()
                others.append(Beside(as_created, attributes_of(looked), names, looked.exchange, tags))
                looked = stack.enter_context(run.fresh_image(own=True)).show()
                # What it was created with is its own; what patches set on the first image is not.
                others.append(Beside({}, attributes_of(looked), names - as_created.keys(), looked.exchange))
    given = {name for attempt in tried if attempt.wanted.aim in CARRIED_OUT for name in attempt.named}
    looks = [each for attempt in tried for each in (attempt.before, attempt.after, attempt.told)]
    moving = MOVING | of_the_service(*looks, given=given)
    tried = [replace(attempt, moving=attempt.moving | moving) for attempt in tried]
    if any(attempt.strayed if attempt.wanted.aim in CARRIED_OUT else attempt.changed for attempt in tried):
        moving = frozenset(restless_attributes(run))
        tried = [replace(attempt, moving=attempt.moving | moving) for attempt in tried]
    return Updates(tried, others, unread, _described(run, tried))


def _once_it_is_older(created: float | None) -> Iterator[Wanted]:
    """Yield patches for an image once a clock of seconds tells them from its creation, or from the first of them."""
    begun = created or time.monotonic()
    for patch in of_an_older_image():
        time.sleep(max(0.0, begun + A_WHILE - time.monotonic()))
        yield patch


def _on_one_image(run: Run, image: Image, patches: Iterable[Wanted], unread: list[Unread]) -> list[Attempt]:
    """Return what came of all patches, one after another on one image."""
    tried: list[Attempt] = []
    shown: list[Attempt] = []
    for attempt in _one_after_another(image, patches, attributes_of(image.show()), unread):
        tried.append(attempt)
        # So far it is asked for what patches name alone: what else moves is known in the end.
        shown.append(replace(attempt, moving=frozenset({*attempt.before, *attempt.after})))
        run.show(partial(Updates, shown))
    return tried


def _on_its_own(
    run: Run, stack: ExitStack, unread: list[Unread], part: Iterable[Wanted], *, first: bool
) -> list[Attempt]:
    """Return what came of a part of the patches on an image that has what the first part leaves on one, beside others.

    It stays until all have been looked at, as the one does that has all patches.
    """
    image = stack.enter_context(run.fresh_image(own=True))
    if not first:
        with run.recorder.of(Purpose.PREPARING):
            image.client.patch(image.id, *(add(f"/{name}", "as before") for name in LEFT))
    return [*_one_after_another(image, part, attributes_of(image.show()), unread)]


def _described(run: Run, tried: Sequence[Attempt]) -> Mapping[str, Any]:
    """Return the attributes as the schema describes them, if something was refused that it may rule out."""
    asked = (each for each in tried if each.long_name or each.wanted.aim is Aim.FORMAT or each.of_minima)
    if not any(attempt.answer.refused for attempt in asked):
        return {}
    return described_attributes(run.client)


def _with_data(run: Run, stack: ExitStack) -> list[Attempt]:
    """Return the patches of an image that is given data before: all that may be changed of such."""
    found: list[Attempt] = []
    with suppress(Blocked, pytest.skip.Exception):
        if run.rounds:
            image = stack.enter_context(run.fresh_image(own=True))
            give_data(image)
            before = attributes_of(once_active(image))
            found += _one_after_another(image, with_data(of_glance=run.settings.specification == "glance"), before, [])
    return found


def _one_after_another(
    image: Image, wanted: Iterable[Wanted], before: Attributes, unread: list[Unread]
) -> Iterator[Attempt]:
    """Send patches to an image, and yield what came of those that were answered.

    What keeps the image from being read, which is ``unread`` then, is taken back. One whose answer was lost may have
    been carried out, at once or later: what it names is no doing of others any more. Without the first nothing can be
    said of any, so that its ``LostAnswer`` is for who makes the workload once more.
    """
    moving = MOVING
    for patch in wanted:
        if patch.needs and patch.needs not in before:
            continue
        if patch.of_what_is_there:
            there = [each for each in patch.body if attribute_of(each["path"]) in before]
            if not there:
                continue
            patch = replace(patch, body=there)  # noqa: PLW2901 - the same, as far as it means anything
        try:
            attempt = replace(_tried(image, patch, before), moving=moving)
        except LostAnswer:
            if patch.aim is Aim.NAME:
                raise
            moving |= named_by(in_the_new_form(patch.body)) if patch.aim in CARRIED_OUT else set()
            before = attributes_of(image.show())
            continue
        except Unreadable as problem:
            if patch.aim not in OF_VALUES:
                raise
            unread.append(Unread(patch, problem.looked))
            moving |= named_by(patch.body)
            with image.client.recorder.of(Purpose.PREPARING):
                image.client.patch(image.id, *(_undone(each["path"], before) for each in patch.body))
            before = attributes_of(image.show())
            continue
        yield attempt
        before = attempt.after


def _undone(path: str, before: Attributes) -> Mapping[str, Any]:
    """Return the operation that puts an attribute back to what it was before."""
    name = attribute_of(path)
    return replaced(path, before[name]) if name in before else remove(path)


def _require_allowed(image: Image, answer: Answer) -> None:
    """Skip the workload where a policy keeps all changes of an image from who created it, whatever is to be changed."""
    others = (replaced("/min_ram", 1024), add("/cloudimages_allowed", "or not"))
    answers = (image.client.patch(image.id, change) for change in others)
    if answer.status == 403 and all(other.status == 403 for other in answers):  # noqa: PLR2004 - as HTTP has it
        pytest.skip(f"needs updates of images by PATCH, which are forbidden to this caller: {answer.exchange}")


def _tried(image: Image, wanted: Wanted, before: Attributes) -> Attempt:
    answer = image.send("PATCH", "", json=wanted.body, headers={"Content-Type": wanted.media_type})
    if wanted.aim is Aim.NAME:
        require_offered(answer, "updates of images by PATCH")
        _require_allowed(image, answer)
    valid = answer.ok and wanted.aim in CARRIED_OUT
    expected = applied(before, in_the_new_form(wanted.body)) if valid else before

    def as_expected(looked: Answer) -> bool:
        return not looked.ok or (isinstance(looked.data, dict) and not differing(looked.data, expected))

    # What an acknowledged patch does may be late; what a refused one must not do is looked for at once.
    looked = image.eventually(image.show, as_expected) if valid else image.show()
    if not (looked.ok and isinstance(looked.data, dict)):
        raise Unreadable(looked)
    return Attempt(wanted, answer, before, looked.data, looked.exchange)
