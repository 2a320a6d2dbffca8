# the data of an image: what it is said to be, and stays

import pytest

from pytest_cloudimages import expect, requirement
from pytest_cloudimages.areas.common.checks import OK, still_holds
from pytest_cloudimages.areas.common.forms import A_CHECKSUM
from pytest_cloudimages.areas.common.offers import require_look
from pytest_cloudimages.areas.images.deactivation import Deactivated
from pytest_cloudimages.areas.images.fixtures import *
from pytest_cloudimages.areas.images.life_answers import DATA, LifeAnswers, Question, digest
from pytest_cloudimages.areas.images.meetings import Meeting, Meetings
from pytest_cloudimages.areas.images.states import state_of
from pytest_cloudimages.areas.images.tried_patches import attributes_of
from pytest_cloudimages.areas.tasks.fixtures import *
from pytest_cloudimages.areas.tasks.tried import Tasks


# "md5 hash of image contents", "maxLength": 32
@requirement("IMG-ENT-11")
def test_a_checksum_is_short(image_life: LifeAnswers, tasks: Tasks) -> None:
    for image in image_life.images():
        expect(image.get("checksum"), A_CHECKSUM, "checksum")
    for answer in image_life.aside().to(Question.ACTIVE):
        expect(attributes_of(answer).get("checksum"), {digest(), None}, "checksum of the data")
    for question, octets in ((Question.TWIN, DATA), (Question.EMPTY, b"")):
        for answer in image_life.aside().answered(question).where(lambda answer: state_of(answer) == "active"):
            expect(attributes_of(answer).get("checksum"), {digest(octets), None}, f"checksum in {answer}")
    for shown, data in tasks.aside().imported_data():
        expect(attributes_of(shown).get("checksum"), {digest(data.body), None}, f"checksum in {shown}, of {data}")


def require_taken(image_life: LifeAnswers, image_meetings: Meetings) -> None:
    """Skip the check where all data that was uploaded is found to be no image, once it is there.

    "killed: an error occurred while an image's data was being uploaded": what is no disk a service need not take.
    """
    given = image_life.aside().answered(Question.ACTIVE, Question.TWIN, Question.EMPTY)
    looks = [*given, *(met.answer for met in image_meetings.aside().of(Meeting.FILLED))]
    killed = [answer for answer in looks if state_of(answer) == "killed"]
    if killed and not any(state_of(answer) == "active" for answer in looks):
        pytest.skip(f"needs data that the service takes for an image, and this is killed: {killed[0].exchange}")


def keeps_its_data(image_life: LifeAnswers, deactivated_image: Deactivated) -> None:
    """Expect the data of an image to be what was uploaded, and to stay that whatever is refused or done meanwhile."""
    __tracebackhide__ = True
    for data in image_life.aside().answered(Question.DATA):
        expect(data.status != 200 or data.body == DATA, True, f"whether {data} is what was uploaded")
        for answer in image_life.aside().answered(Question.DATA_AFTER):
            kept = still_holds(answer, data.body)
            expect(kept, True, f"whether {answer}, after a deletion was refused, is as {data}")
    for data, later in image_life.aside().data_later():
        expect(data.status, OK, f"status of {data}, for the data of an image that is active; later it was {later}")
    for data in image_life.aside().answered(Question.TWIN_DATA):
        expect(still_holds(data, DATA), True, f"whether {data} is what was uploaded: {Question.TWIN_DATA}")
    for before, after in deactivated_image.aside().data_again():
        kept = still_holds(after, before.body)
        expect(kept, True, f"whether {after} is as {before}, since when the image was reactivated")


# "active: the image is fully available"
@requirement("IMG-STAT-03")
def test_an_image_with_data_is_active(
    image_life: LifeAnswers, image_meetings: Meetings, deactivated_image: Deactivated, tasks: Tasks
) -> None:
    require_taken(image_life, image_meetings)
    for answer in image_life.to(Question.ACTIVE):
        require_look(answer)
        expect((answer.data or {}).get("status"), "active", f"status in {answer}")
        expect((answer.data or {}).get("size"), {len(DATA), None}, f"size in {answer}")
    for answer in image_life.aside().answered(Question.EMPTY):
        # No octet may be no data, "no image data has been uploaded", or no disk.
        due = {"active", "queued", "killed"}
        expect((answer.data or {}).get("status"), due, f"status in {answer}, whose data of no octets was taken")
    for answer in image_life.aside().answered(Question.REFUSED_DATA):
        expect(attributes_of(answer).get("status"), "active", f"status in {answer}, which was refused other data")
        expect(attributes_of(answer).get("size"), {len(DATA), None}, f"size in {answer}, which was refused other data")
    keeps_its_data(image_life, deactivated_image)
    for met in image_meetings.aside().of(Meeting.FILLED):
        if met.answer.ok:
            expect(
                attributes_of(met.answer).get("status"), "active", f"status in {met}: others were given data at once"
            )
    # An import makes an image that has its data; whether it is there is TASK-IMP-04's to say.
    for answer in tasks.aside().imported().where(lambda answer: answer.ok):
        expect(answer.document.get("status"), "active", f"status in {answer}, which an import has made")
    for shown, data in tasks.aside().imported_data():
        expect(shown.document.get("size"), {len(data.body), None}, f"size in {shown}, which an import has made")
