"""Temporary images, which are created and deleted."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NoReturn

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import TESTER, Purpose
from pytest_cloudimages.client.identifiers import is_fit, shown_id
from pytest_cloudimages.client.images import Image, require_ok
from pytest_cloudimages.client.json_documents import NotRead
from pytest_cloudimages.client.outage import raise_if_shut_out
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.claims import OF_RUN, Claim
from pytest_cloudimages.engine.deletion import delete, delete_named, delete_orphans
from pytest_cloudimages.engine.kept_values import set_values
from pytest_cloudimages.engine.recording import current_check
from pytest_cloudimages.history.resource import SetResource
from pytest_cloudimages.spec.shown_strings import shown_strings
from pytest_cloudimages.spec.verdicts import Blocked, NoEffect, NoRoom

PREFIX = "pytest-cloudimages-"
"""What the name of every image begins with that is created here; the id of its run follows."""
EXPIRES = "pytest_cloudimages_expires"
"""The property that says when an image is nobody's any more (UTC); beside it stands the id of its run."""
REFUSED = (400, 403, 409, 413, 422)
"""How a service may refuse an image for its properties."""
REFUSED_FOR_GOOD = frozenset({400, 403, 405, 501})
"""How a service refuses what this caller may never have: by policy, or having no such operation."""
A_NEW_IMAGE = "images created by"
MOST_OUT_OF_REACH = 3
"""So many images may be created that cannot be asked for; then no more are."""


def fresh_name(run: str) -> str:
    """Return a name for an image that no other image has."""
    return f"{PREFIX}{run}-{uuid.uuid4().hex[:8]}"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def temporary_image(
    client: ImagesClient,
    run: str,
    patience: Eventually | None = None,
    resources: Sequence[SetResource] = (),
    **attributes: Any,
) -> Iterator[Image]:
    """Create an image for the length of a block, and delete it. Raise ``Blocked`` where that cannot be.

    ``resources`` are the sets that begin empty: what the service puts there by itself is taken off.
    """
    if client.recorder.traces.out_of_reach >= MOST_OUT_OF_REACH:
        raise Blocked("Images are created whose ids are of no use; no more are, for they would all be left behind.")
    if why := client.recorder.lacking.get(f"{A_NEW_IMAGE} {client.caller}"):
        raise Blocked(why)
    plain = not attributes.keys() - {"name"}
    name = attributes.setdefault("name", fresh_name(run))
    protected = bool(attributes.pop("protected", False))
    traces = client.recorder.traces
    expires = time.time() + traces.lifetime
    note = traces.notes.creating(name, client.caller, expires)
    answer = _creation_or_none(client, note, attributes, {OF_RUN: run, EXPIRES: _moment(expires)})
    identifier = _id_of(client, answer, name)
    if not answer.ok or identifier is None:
        if answer.refused and "id" in attributes:
            delete_named(client, attributes["id"], name)  # whoever hands a creation on twice, is refused the second
        _cannot_be_had(client, note, answer, plain=plain)
    image = Image(client, identifier, name, patience)
    claim = Claim(identifier, name, run)
    if identifier in traces.in_use | traces.of_others:
        _refuse(client, claim, note, "an image that was there before has this id")
    traces.in_use.add(identifier)
    owner = answer.data.get("owner")
    traces.notes.created(note, identifier, owner if isinstance(owner, str) else None)
    traces.created.add(identifier)
    traces.created_by[identifier] = client.caller
    ours = True
    try:
        shown = _see_that_it_is_there(image, answer, in_doubt=claim.is_doubtful(answer))
        if shown and claim.is_denied(shown):
            ours = False
            traces.of_others.add(identifier)
            _refuse(client, claim, note, f"what has this id is another image: {shown.exchange}")
        if protected:
            # By PATCH: what cannot be protected so could not be freed either, and would stay for ever.
            with client.recorder.of(Purpose.PREPARING):
                require_ok(client.patch(identifier, {"op": "replace", "path": "/protected", "value": True}))
        _take_off_its_own(image, answer, shown, resources, attributes)
        yield image
    finally:
        traces.in_use.discard(identifier)
        traces.created_by.pop(identifier, None)
        with client.recorder.of(Purpose.CLEANING):
            if ours and (identifier in traces.gone or delete(image, resources, protected=protected)):
                traces.notes.gone(note)
            elif ours and client.caller != TESTER and traces.stays(identifier):
                why = f"No more images are created by {client.caller}: what it has created could not be deleted."
                client.recorder.lacking[f"{A_NEW_IMAGE} {client.caller}"] = why


@contextmanager
def claimed_name(
    client: ImagesClient, run: str, told_of: Callable[[], Iterable[str]] = tuple, end: str = ""
) -> Iterator[str]:
    """Yield a name for images that the service is to create by itself, and delete whatever has it in the end.

    ``told_of`` returns the ids of those that the service told of: a list may be late, and not know them yet. The name
    has the ``end``, if one is given.
    """
    traces, name = client.recorder.traces, f"{fresh_name(run)}{end}"
    note = traces.notes.creating(name, client.caller, time.time() + traces.lifetime)
    told = len(traces.left_behind)
    try:
        yield name
    finally:
        for identifier in told_of():
            delete_named(client, identifier, name)
        delete_orphans(client, name)
        if len(traces.left_behind) == told:
            traces.notes.gone(note)


def _creation_or_none(
    client: ImagesClient, note: int | None, attributes: Mapping[str, Any], proof: Mapping[str, str]
) -> Answer:
    """Create an image, and return the answer; where nobody knows whether there is one, none is left."""
    name = attributes["name"]
    with client.recorder.of(Purpose.PREPARING):
        try:
            answer = _creation(client, attributes, proof)
        except NoEffect:
            client.recorder.traces.notes.gone(note)
            raise
        except BaseException:
            # The answer was lost, or nobody waited for it.
            delete_orphans(client, name)
            raise
    if not answer.ok and not answer.refused:
        delete_orphans(client, name)  # whoever gave up, or sent what is no answer, may have done it all the same
    return answer


def _cannot_be_had(client: ImagesClient, note: int | None, answer: Answer, *, plain: bool) -> NoReturn:
    """Raise ``Blocked`` for an image that was not created.

    Who may not create the first one, of which no more than its name was wanted, is not let try again.
    """
    if answer.refused:
        client.recorder.traces.notes.gone(note)
    with client.recorder.of(Purpose.PREPARING):
        raise_if_shut_out(client, {answer.status})
    forbidden = answer.status == 403  # noqa: PLR2004 - as HTTP has it
    reason = "the role of this user does not allow it. Sign in as one who may, or " if forbidden else ""
    if answer.status == 413:  # noqa: PLR2004 - as Glance answers where a quota is used up
        reason = "a limit is reached, such as a quota of images. Delete some, have it raised, or "
    why = (
        f"No image could be created ({_in_brief(answer)}); {reason}lend one of yours with --image ID, its tags are put"
        " back."
    )
    if plain and answer.status in REFUSED_FOR_GOOD and not client.recorder.traces.created:
        client.recorder.lacking[f"{A_NEW_IMAGE} {client.caller}"] = why
    raise (NoRoom if answer.refused and client.recorder.traces.created else Blocked)(why)


def _in_brief(answer: Answer) -> str:
    """Return a creation and what came of it without its length: what is refused alike is told alike."""
    return str(replace(answer.exchange, body=b""))


def _creation(client: ImagesClient, attributes: Mapping[str, Any], proof: Mapping[str, str]) -> Answer:
    """Create an image that says whose it is, or, where the service takes no such properties, one that does not.

    Which formats there are is configured: where the first image is refused, the schema is asked for them, once.
    """
    traces = client.recorder.traces
    first = traces.takes_properties is None
    answer = _creation_so(client, attributes, proof)
    if first and answer.status == 400 and _other_formats(client):  # noqa: PLR2004 - as HTTP has it
        traces.takes_properties = None
        answer = _creation_so(client, attributes, proof)
    return answer


def _other_formats(client: ImagesClient) -> bool:
    """Return whether the schema lists other formats than images were to have; then they have the first of those."""
    formats = client.recorder.traces.formats
    described = described_attributes(client)
    found = dict[str, str]()
    for name, ours in formats.items():
        listed = described.get(name)
        values = listed.get("enum") if isinstance(listed, dict) else None
        texts = [each for each in values if isinstance(each, str)] if isinstance(values, list) else []
        if texts and ours not in texts:
            found[name] = texts[0]
    formats |= found
    return bool(found)


def described_attributes(client: ImagesClient) -> Mapping[str, Any]:
    """Ask for the schema of images, and return what it says of each attribute; nothing where it says none."""
    data = client.send("GET", "/schemas/image").data
    described = data.get("properties") if isinstance(data, dict) else None
    return described if isinstance(described, dict) else {}


def _creation_so(client: ImagesClient, attributes: Mapping[str, Any], proof: Mapping[str, str]) -> Answer:
    traces = client.recorder.traces
    plain = traces.formats | dict(attributes)
    if traces.takes_properties is False:
        return client.create(**plain)
    answer = client.create(**plain, **proof)
    if answer.ok:
        traces.takes_properties = True
    elif traces.takes_properties is None and answer.status in REFUSED:
        answer = client.create(**plain)
        if answer.ok:
            traces.takes_properties = False
            traces.notices.append(
                "The service takes no properties of ours on new images: should a run be killed, they are found by the"
                f" ledger of this machine, or by their names: cloudimages sweep --run {proof[OF_RUN]}."
            )
        elif attributes.keys() == {"name"}:
            traces.takes_properties = True  # nothing can be created, whatever is said of it
    return answer


def _id_of(client: ImagesClient, answer: Answer, name: str) -> str | None:
    """Return the id of an image that was created; ``None`` where none was.

    Raise ``Blocked`` where one was that cannot be asked for; then it is looked for by its name.
    """
    if not answer.ok:
        return None
    why = f"its creation was answered without one: {answer.exchange}"
    try:
        identifier = answer.document.get("id")
    except NotRead as problem:
        identifier, why = None, str(problem)
    if is_fit(identifier):
        return identifier
    if identifier is not None:
        why = f"it is {shown_id(identifier)}, which cannot stand in a path"
    traces = client.recorder.traces
    told = len(traces.left_behind)
    if not delete_orphans(client, name):
        traces.out_of_reach += 1
        if len(traces.left_behind) == told:
            traces.left_behind.append(f"perhaps an image named {name}: its id is not known")
    raise Blocked(f"An image was created whose id is of no use: {why}; lend one of yours with --image ID.")


def _refuse(client: ImagesClient, claim: Claim, note: int | None, why: str) -> NoReturn:
    """Leave alone what a creation was answered with, look for what was created by its name, and raise ``Blocked``."""
    traces = client.recorder.traces
    traces.out_of_reach += 1
    traces.notes.created(note, None, None)
    told = len(traces.left_behind)
    if delete_orphans(client, claim.name):
        traces.notes.gone(note)
    elif len(traces.left_behind) == told:
        traces.left_behind.append(
            f"perhaps an image named {claim.name}: it was said to be {claim.identifier}, and {why}"
        )
    raise Blocked(
        f"An image was created, and said to be {claim.identifier}; {why}. Nothing is written to it; lend one of yours"
        " with --image ID."
    )


def _see_that_it_is_there(image: Image, answer: Answer, *, in_doubt: bool) -> Answer | None:
    """See that a new image is there, and that no lost answer has left a second one; return it if it was looked at."""
    shown = None
    recorder = image.client.recorder
    count = recorder.count_creation()
    with recorder.of(Purpose.PREPARING):
        if "repeated" in answer.exchange.note:
            # The lost answer may have been that of an image of the same name, which nobody else has.
            delete_orphans(image.client, image.name)
        # A service that shows its first image at once is not asked again.
        if in_doubt or (image.patience and (count == 1 or recorder.late_creation)):
            shown = image.show()
            if shown.status == 404 and image.patience:  # noqa: PLR2004 - as HTTP has it
                recorder.late_creation = True
                shown = image.patience.until(shown, image.show, lambda answer: answer.status != 404)  # noqa: PLR2004
    return shown


def _take_off_its_own(
    image: Image, created: Answer, shown: Answer | None, resources: Iterable[SetResource], attributes: Mapping[str, Any]
) -> None:
    """Take off what the service gives every new image, and what else the answer to its creation shows on this one.

    Where that is what was given to another image, nothing that is asked of this one is to be blamed for it.
    """
    traces = image.client.recorder.traces
    own = traces.own_values
    for resource in resources:
        first = resource.name not in own
        wanted = {*attributes.get(f"{resource.name}s", ())}
        if first:
            with image.client.recorder.of(Purpose.PREPARING):
                seen = resource.values(shown or image.show())
            own[resource.name] = frozenset(seen or ()) - wanted
        given = sorted(own[resource.name] - wanted)
        # What comes with an id that is given comes of the image that had it.
        known = () if "id" in attributes else shown_strings(created.data, f"{resource.name}s") or ()
        others = {*known} - own[resource.name]
        with image.client.recorder.of(Purpose.PREPARING):
            for value in given:
                image.client.ask(resource.delete(image.id, value))
            told = (given and first) or (others and not wanted and not traces.handed_on)
            traces.handed_on = traces.handed_on or bool(others and not wanted)
            if others - wanted and traces.handed_on:
                with suppress(Blocked):
                    set_values(image, resource, sorted(wanted))
        if told:
            found = sorted(others) or given
            current_check().note(
                f"The service gives new images {resource.name}s of its own, {found}; they are taken off first."
            )
