"""What callers may do with an image that they have created themselves, and a colleague's: what the owner sees of it."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest

from pytest_cloudimages.areas.access.deeds import NEW_TAG, TURNED_AWAY, Attempt, Deed
from pytest_cloudimages.areas.common.administrators import needs_no_administrator
from pytest_cloudimages.areas.common.imports import NOWHERE, import_from
from pytest_cloudimages.areas.common.offers import NOT_OFFERED, lacks, require_look
from pytest_cloudimages.areas.common.paging import entries_of
from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.images.patch_model import add, remove, replaced
from pytest_cloudimages.areas.images.states import give_data, is_going, state_of
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Exchange, Purpose
from pytest_cloudimages.client.images import GOING, Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.provisioning import EXPIRES, temporary_image
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked


def with_its_own(run: Run, party: Party, client: ImagesClient, *, ended: bool = False) -> list[Attempt]:
    """Have a caller create an image, read it, change it and delete it, and see what the owner sees of it.

    ``ended``: the owner of the project deletes what is left of it, and is asked about.
    """
    tried: list[Attempt] = []
    with run.recorder.scope() as sent:
        try:
            with temporary_image(client, run.name, run.patience) as image:
                creation = _creation(sent)
                tried.append(Attempt(party, Deed.CREATE, creation, changed=True))
                _used(run, party, image, tried)
                # Who may not delete it is no hindrance to its end.
                image.client = run.client
                if ended:
                    _ended_by_the_owner(image, tried)
        except Blocked:
            if tried:
                raise
            answer = _creation(sent)
            if not answer.refused:
                raise
            tried.append(Attempt(party, Deed.CREATE, answer, changed=False))
    # Any other answer says nothing of who may do it: what is sent is refused, is not offered, or fails.
    return [each for each in tried if each.changed or each.answer.ok or each.answer.status in TURNED_AWAY]


def _ended_by_the_owner(image: Image, tried: list[Attempt]) -> None:
    """Have the owner of the project delete what another of its users has created, if it is there."""
    if not image.show().ok:
        return
    tried.append(_deletion(Party.OWNER, image, image))


def _creation(sent: Sequence[Exchange]) -> Answer:
    """Return the last creation among what was sent."""
    found = [exchange for exchange in sent if exchange.method == "POST" and exchange.target.endswith("/images")]
    if not found:
        raise Blocked("No image was created, and none was asked for.")
    return Answer.of(found[-1])


def _used(run: Run, party: Party, image: Image, tried: list[Attempt]) -> None:
    owner = image.seen_by(run.client)
    name = f"{image.name}-renamed"
    tried += [
        Attempt(party, deed, image.client.send("GET", deed.target(image.id)), changed=False)
        for deed in (Deed.LIST, Deed.SHOW)
    ]
    answer = image.client.patch(image.id, replaced("/name", name))
    tagged = image.add_tag(NEW_TAG)
    removal = _removal(run, image, seen=tried[-1].answer)
    seen = owner.eventually(owner.show, lambda shown: answer.ok <= (shown.document.get("name") == name))
    require_look(seen)
    tags = seen.document.get("tags")
    changes = [
        Attempt(party, Deed.UPDATE, answer, seen.document.get("name") == name, [seen.exchange]),
        Attempt(party, Deed.ADD_TAG, tagged, isinstance(tags, list) and NEW_TAG in tags, [seen.exchange]),
    ]
    changes += [Attempt(party, Deed.REMOVE_PROPERTY, each, each.ok, [seen.exchange]) for each in removal]
    tried += [attempt for attempt in changes if not _lacks(run, owner, attempt)]
    if run.rounds and party is not Party.CREATOR:
        # What a creator may do with members, no page says.
        tried += _shared(party, image, owner)
        # Nor whether it may delete a tag. (Rulings, 19.)
        tried += _untagged(party, image, owner) if tagged.ok else ()
        tried += _tasked(run, party, image)
    tried.append(_deletion(party, image, owner))
    if run.rounds and party is Party.CREATOR:
        tried += deletion_with_data(run, party, image)


def _removal(run: Run, image: Image, seen: Answer) -> list[Answer]:
    """Have a caller remove a property of an image of its own, and add it again; nothing where it does not see it.

    What is refused to the tester too says nothing of roles.
    """
    expires = seen.document.get(EXPIRES)
    if not run.rounds or expires is None:
        return []
    # Both in one patch: whatever becomes of the run, the image says when it may be swept.
    patch = (remove(f"/{EXPIRES}"), add(f"/{EXPIRES}", expires))
    answer = image.client.patch(image.id, *patch)
    if answer.ok:
        return [answer]
    owners = run.client.patch(image.id, *patch) if answer.status in TURNED_AWAY else answer
    return [answer] if owners.ok else []


def deletion_with_data(run: Run, party: Party, image: Image) -> Iterator[Attempt]:
    """Have a caller who may not delete an image try it once the image has data, which may go another way."""
    owner = image.seen_by(run.client)
    if not owner.show().ok:
        return
    with suppress(Blocked, pytest.skip.Exception):
        give_data(owner)
        attempt = _deletion(party, image, owner)
        if attempt.answer.ok or attempt.answer.status in TURNED_AWAY:
            yield attempt


def _shared(party: Party, image: Image, owner: Image) -> Iterator[Attempt]:
    """Have a caller add a member and remove it; nothing of what the owner is refused too."""
    member = uuid.uuid4().hex
    sent = {"member": member}
    added = image.send("POST", "/members", json=sent)
    if not added.ok and not owner.send("POST", "/members", json=sent).ok:
        return
    # The image had none; how the one is called there is for those to say who ask for members.
    seen = owner.eventually(lambda: owner.send("GET", "/members"), lambda answer: added.ok <= bool(_members(answer)))
    if seen.ok:
        yield Attempt(party, Deed.ADD_MEMBER, added, added.ok and bool(_members(seen)), [seen.exchange])
    if not added.ok:
        return
    if not (there := len(_members(seen))):
        return
    removed = image.send("DELETE", f"/members/{member}")
    if not removed.ok and not owner.send("DELETE", f"/members/{member}").ok:
        return
    seen = owner.eventually(
        lambda: owner.send("GET", "/members"), lambda answer: removed.ok <= (len(_members(answer)) < there)
    )
    if seen.ok:
        yield Attempt(party, Deed.REMOVE_MEMBER, removed, len(_members(seen)) < there, [seen.exchange])


def _tasked(run: Run, party: Party, image: Image) -> Iterator[Attempt]:
    """Have a caller ask for a task; nothing where who has the least rights to do it is refused it too.

    A service may keep tasks to its administrators, so that a tester who is one is no measure.
    """
    sent = import_from(NOWHERE, image.name)
    answer = image.client.send("POST", "/tasks", json=sent)
    if answer.ok or (run.client.send("POST", "/tasks", json=sent).ok and not needs_no_administrator(run)):
        yield Attempt(party, Deed.CREATE_TASK, answer, changed=answer.ok)


def _untagged(party: Party, image: Image, owner: Image) -> Iterator[Attempt]:
    """Have a caller delete the tag that it has added; nothing where the owner is refused that too."""
    deleted = image.delete_tag(NEW_TAG)
    if not deleted.ok and not owner.delete_tag(NEW_TAG).ok:
        return
    seen = owner.eventually(owner.show, lambda shown: not deleted.ok or NEW_TAG not in str(shown.document.get("tags")))
    if isinstance(tags := seen.document.get("tags"), list):
        yield Attempt(party, Deed.DELETE_TAG, deleted, NEW_TAG not in tags, [seen.exchange])


def _members(answer: Answer) -> list[object]:
    return [entry.get("member_id") for entry in entries_of(answer, "/members")]


def with_a_colleagues(
    run: Run, party: Party, image: Image, tried: Sequence[Attempt], *, known: bool
) -> Iterator[Attempt]:
    """Have a caller change and delete an image that another user of its project has created; see what the owner sees.

    Where Identity does not say that it is of the same project (``known``), the owner that its own image shows does.
    """
    owner, name = image.seen_by(run.client), f"{image.name}-renamed"
    shown = image.show()
    own = [each.answer.document.get("owner") for each in tried if (each.party, each.deed) == (party, Deed.SHOW)]
    if not shown.ok or not (known or (own and own[-1] is not None and own[-1] == shown.document.get("owner"))):
        return
    answer = image.client.patch(image.id, replaced("/name", name))
    seen = owner.eventually(owner.show, lambda shown: answer.ok <= (shown.document.get("name") == name))
    attempt = Attempt(party, Deed.UPDATE, answer, seen.document.get("name") == name, [seen.exchange])
    if (answer.ok or answer.status in TURNED_AWAY) and not _lacks(run, owner, attempt):
        yield attempt
    deletion = _deletion(party, image, owner)
    if deletion.answer.ok or deletion.answer.status in TURNED_AWAY:
        yield deletion


def _deletion(party: Party, image: Image, owner: Image) -> Attempt:
    """Have a caller delete an image, and return it with what the owner sees of it then."""
    with image.client.recorder.of(Purpose.JUDGING):
        answer = image.client.delete(image.id)
    traces = image.client.recorder.traces
    if answer.ok:
        traces.forget(image.id)
    gone = owner.eventually(owner.show, lambda shown: answer.ok is (not shown.ok), going_on=is_going)
    if answer.ok and gone.status == 404:  # noqa: PLR2004 - as HTTP has it
        traces.gone.add(image.id)
    # "pending_delete: as deleted": how long it is shown is no matter of roles.
    done = not gone.ok or state_of(gone) in GOING
    return Attempt(party, Deed.DELETE, answer, done, [gone.exchange])


def _lacks(run: Run, image: Image, attempt: Attempt) -> bool:
    """Return whether the tester too is told that there is nothing to be changed so, of an image that it sees."""
    if attempt.answer.status != 404:  # noqa: PLR2004 - as HTTP has it
        return False

    def look() -> str:
        asked = image.add_tag(NEW_TAG) if attempt.deed is Deed.ADD_TAG else image.client.patch(image.id)
        return str(asked.exchange) if asked.status in NOT_OFFERED and image.show().ok else ""

    return bool(lacks(run.recorder, f"anything to {attempt.deed}", look))
