# who may create, read, update and delete

import pytest

from pytest_cloudimages import Blocked, expect, note, requirement
from pytest_cloudimages.areas.access.deeds import CHANGES, READS, RIGHTS, Deed, Rights
from pytest_cloudimages.areas.access.fixtures import *
from pytest_cloudimages.areas.common.checks import OK
from pytest_cloudimages.areas.common.parties import Party
from pytest_cloudimages.areas.images.foreign import ForeignAttempts
from pytest_cloudimages.areas.images.meetings import Meeting, Meetings

FORBIDDEN = {403, 404}
"""404 hides what may not be done. (RFC 9110, 15.5.4.)"""


def _reads(rights: Rights, party: Party) -> None:
    """Raise ``Mismatch`` where a caller may not read; ``Blocked`` where it may be of another project."""
    # Whoever sees an image that is not everybody's is of its project, whatever Identity says of that.
    known = party in rights.of_the_project or any(
        attempt.answer.ok for attempt in rights.aside().by(party, deeds=[Deed.SHOW])
    )
    for attempt in rights.by(party, deeds=READS):
        if attempt.deed is Deed.SHOW and attempt.answer.status == 404 and not known:
            raise Blocked(f"{party} does not see the image at all; name one of the same project.")
        expect(attempt.answer.status, 200, f"status of {attempt}")
        if known:
            expect(attempt.read_otherwise, [], f"what {attempt.answer} shows to {party} otherwise than to the owner")


def _changes(rights: Rights, party: Party, *deeds: Deed) -> None:
    for attempt in rights.by(party, deeds=deeds):
        expect(attempt.answer.status, OK, f"status of {attempt}")
        expect(attempt.changed, True, f"effect of {attempt}")


def _changes_nothing(rights: Rights, party: Party) -> None:
    for attempt in rights.by(party, deeds=CHANGES):
        if attempt.answer.status == 404:
            note(f"{attempt.deed} of {party} is answered 404, which hides that it is forbidden.")
        # Of a property that is not shown to a role it may be told that there is none to be removed.
        unknown = {400, 409} if attempt.deed is Deed.REMOVE_PROPERTY else set[int]()
        expect(attempt.answer.status, FORBIDDEN | unknown, f"status of {attempt}")
        expect(attempt.changed, False, f"effect of {attempt}")


def _has_full_access(rights: Rights, party: Party) -> None:
    _reads(rights, party)
    of_members = (Deed.ADD_MEMBER, Deed.REMOVE_MEMBER)
    of_tags = (Deed.ADD_TAG, Deed.DELETE_TAG)
    of_images = (Deed.CREATE, Deed.UPDATE, Deed.REMOVE_PROPERTY)
    _changes(rights, party, *of_images, *of_tags, *of_members, Deed.CREATE_TASK, Deed.DELETE)


# "cloudImages:admin … create, read, update, and delete"
@requirement("RBAC-01")
def test_an_administrator_of_images_has_full_access(rights: Rights) -> None:
    _has_full_access(rights, Party.IMAGES_ADMINISTRATOR)


# "cloudImages:creator … create, read, and update"
@requirement("RBAC-02")
def test_a_creator_does_all_but_delete(rights: Rights) -> None:
    _reads(rights, Party.CREATOR)
    # What a patch removes of an image is an update of it.
    _changes(rights, Party.CREATOR, Deed.CREATE, Deed.UPDATE, Deed.REMOVE_PROPERTY, Deed.ADD_TAG)
    for attempt in rights.by(Party.CREATOR, deeds=[Deed.DELETE]):
        expect(attempt.answer.status, FORBIDDEN, f"status of {attempt}")
        expect(attempt.changed, False, f"effect of {attempt}")


# "cloudImages:observer … read only"
@requirement("RBAC-03")
def test_an_observer_of_images_only_reads(rights: Rights) -> None:
    _reads(rights, Party.READER)
    _changes_nothing(rights, Party.READER)


# "admin … create, read, update, and delete permissions in all products"
@requirement("RBAC-04")
def test_an_administrator_of_the_account_has_full_access(rights: Rights) -> None:
    _has_full_access(rights, Party.ACCOUNT_ADMINISTRATOR)


# "observer … read permissions in all products"
@requirement("RBAC-05")
def test_an_observer_of_all_products_reads(rights: Rights) -> None:
    _reads(rights, Party.OBSERVER)
    # The table has the right to read for it, and no other.
    _changes_nothing(rights, Party.OBSERVER)


# "the role with the wider permissions"
@requirement("RBAC-06")
def test_the_wider_role_applies(rights: Rights) -> None:
    _has_full_access(rights, Party.TWO_ROLES)


# "The account owner … full access"
@requirement("RBAC-07")
def test_the_owner_of_the_account_has_full_access(rights: Rights) -> None:
    _has_full_access(rights, Party.OWNER)


# an external permission matrix
@requirement("RBAC-08")
def test_rights_follow_the_method(rights: Rights) -> None:
    parties = [party for party in RIGHTS if party not in rights.unasked]
    for attempt in rights.by(*(parties or RIGHTS)):
        due = attempt.deed.right in RIGHTS[attempt.party]
        if attempt.answer.ok is not due:
            note(f"{attempt.party}: {attempt.deed} by {attempt.deed.method} is answered {attempt.answer.status}.")


# "An origin server that wishes to hide the current existence … MAY instead
# respond with a status code of 404"
@requirement("IMG-GET-03")
@pytest.mark.usefixtures("other_project")
def test_a_hidden_image_is_not_shown(
    foreign_attempts: ForeignAttempts, image_meetings: Meetings, rights: Rights
) -> None:
    for attempt in foreign_attempts.attempts("GET", hidden=True):
        if attempt.answer.status == 403:
            note("A hidden image is answered 403, one that there is not 404: that tells that the former exists.")
        expect(attempt.answer.status, {404, 403}, f"status of {attempt.answer}")
    for met in image_meetings.aside().of(Meeting.SHOWN):
        expect(met.answer.ok, False, f"whether {met} shows it, while its owner asks for it too")
    # The administrator of an account is not the operator's. (Rulings, 18.)
    for tried in rights.aside().of_foreign():
        expect(tried.answer.status, {404, 403}, f"status of {tried}, which is another project's")
