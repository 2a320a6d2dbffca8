"""What the life of an image called forth: the questions, and the answers as checks look at them. No I/O."""

import enum
import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from pytest_cloudimages.areas.common.paging import entries_of, holds
from pytest_cloudimages.areas.common.writes import OF_DATA
from pytest_cloudimages.areas.images.tried_patches import Attributes, attributes_of, differing, has_tags
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.images import GOING
from pytest_cloudimages.engine.recording import Case, Collection, cases

DATA = struct.pack(">33000H", *range(33_000))
"""The data of an image: no two parts of it are alike, and it is longer than a block of 512 octets to 64 KiB."""


class Question(enum.StrEnum):
    """What was asked for in the life of an image."""

    SHOWN = "an image"
    CREATED = "an image of one's own, just created"
    CREATION = "the creation of an image with attributes"
    AS_CREATED = "an image that was created with attributes"
    NOT_FILLED = "an image after data for it was refused"
    LISTED = "the list of the images of a name, which is one's own"
    BARE = "the creation of an image of a name and no other attribute"
    LISTED_BESIDE = "the list of the images of that name"
    WITH_TAGS = "an image created with tags"
    UNKNOWN = "an image that there is not"
    UNKNOWN_PATCHED = "a patch of an image that there is not"
    UNKNOWN_DELETED = "the deletion of an image that there is not"
    ACTIVE = "an image that was given data"
    EMPTY = "an image that was given no octet for its data"
    LARGE = "an image that is longer than 64 KiB, or as long as it can be made, and the list that holds it"
    REFUSED_DATA = "an image that was refused data because it has some"
    TAKEN = "an image after another was to be created with its id"
    HIDDEN = "an image of one's own that lists do not show"
    IN_CAPITALS = "an image that was given an id with capitals"
    LED_TO = "what self leads to of an image whose id has capitals"
    CREATED_IN_FULL = "an image that was created with attributes of special names and values"
    TWIN_DATA = "the data of another image of the same data, once the first was deleted"
    CREATED_AGAIN_DATA = "the data of a new image that has the id of one that was deleted"
    TWIN = "another image of the same data, once the first was deleted"
    PROTECTED_DELETED = "the deletion of a protected image"
    PROTECTED_AFTER = "the protected image after it"
    PROTECTED_ADMINISTERED = "the deletion of a protected image by administrators"
    FREED = "the end of the protection of an image"
    PROTECTED_SHARED = "the deletion of a protected image that is shared"
    PROTECTED_MEMBERS = "the members of a protected image, once its deletion was refused"
    PROTECTED_AT_ONCE = "the deletion of an image that was created as a protected one"
    DELETED = "the deletion of an image"
    GONE = "an image that was deleted"
    SHARED_DELETED = "the deletion of an image that is shared"
    DELETED_AGAIN = "the deletion of an image that was deleted"
    GONE_PATCHED = "a patch of an image that was deleted"
    GONE_AFTER = "an image that was deleted, and then patched"
    GONE_DATA = "the data of an image that was deleted"
    DATA = "the data of an image"
    DATA_LATER = "the data of an active image, which did not give it at first, and later did"
    DATA_AFTER = "the data of the protected image after its deletion was refused"
    DATA_BESIDE = "the data of another protected image, to which nothing was done but that its deletion was refused"
    MOVED = "an image that has data, and was given another visibility"


OF_IMAGES = (
    *(Question.SHOWN, Question.LISTED, Question.WITH_TAGS, Question.ACTIVE, Question.CREATION, Question.AS_CREATED),
    *(Question.NOT_FILLED, Question.EMPTY, Question.REFUSED_DATA, Question.PROTECTED_AFTER, Question.TWIN),
)
"""What is answered with an image of one's own, or with a list of such."""


@dataclass(frozen=True, repr=False)
class LifeAnswers(Collection):
    """The answers that the life of an image called forth."""

    answers: Mapping[Question, list[Answer]]
    why: Mapping[Question, BaseException] = field(default_factory=dict)
    """Why something could not be asked for."""

    @cases
    def to(self, *wanted: Question) -> Iterator[Case[Answer]]:
        """Return the answers to some questions, or all. Raise what kept one that is named from being put."""
        for question in wanted or Question:
            if question in wanted and question in self.why:
                raise self.why[question]
            for answer in self.answers.get(question, ()):
                yield Case(answer, [answer.exchange])

    @cases
    def answered(self, *questions: Question) -> Iterator[Case[Answer]]:
        """Return the answers to some questions, as far as these were put."""
        for question in questions:
            for answer in self.answers.get(question, ()):
                yield Case(answer, [answer.exchange])

    @cases
    def images_shown(self) -> Iterator[Case[Answer]]:
        """Return the answers that show one image, after it was changed."""
        for question in (Question.ACTIVE, Question.PROTECTED_AFTER):
            for answer in self.answers.get(question, ()):
                if answer.ok:
                    yield Case(answer, [answer.exchange])

    @cases
    def one_after_another(self) -> Iterator[Case[tuple[Answer, Answer]]]:
        """Return every two answers that show one image, one after the other; what is as good as deleted is no more."""
        looks: dict[object, list[Answer]] = {}
        for answer in (answer for answers in self.answers.values() for answer in answers):
            shown = answer.document if answer.exchange.method == "GET" else {}
            if shown.get("status") not in (None, *GOING):
                looks.setdefault(shown.get("id"), []).append(answer)
        for answers in looks.values():
            for before, after in pairwise(sorted(answers, key=lambda answer: answer.exchange.sent)):
                yield Case((before, after), [before.exchange, after.exchange])

    @cases
    def filled(self) -> Iterator[Case[tuple[Attributes, Answer]]]:
        """Return an image as it was shown before it was given data, with the answer that shows it since."""
        for before in self.answers.get(Question.CREATED, ()):
            for after in self.answers.get(Question.ACTIVE, ()):
                if before.ok and after.ok:
                    yield Case((attributes_of(before), after), [before.exchange, after.exchange])

    @cases
    def moved(self) -> Iterator[Case[tuple[Attributes, Answer]]]:
        """Return an image as it was once it had data, with the answer that shows it with another visibility."""
        for before in self.answers.get(Question.ACTIVE, ()):
            for after in self.answers.get(Question.MOVED, ()):
                yield Case((attributes_of(before), after), [before.exchange, after.exchange])

    @cases
    def data_later(self) -> Iterator[Case[tuple[Answer, Answer]]]:
        """Return what was answered to who asked for the data of an active image, and the answer that has it."""
        if answers := self.answers.get(Question.DATA_LATER):
            first, later = answers
            yield Case((first, later), [*(each.exchange for each in self.answers[Question.ACTIVE]), first.exchange])

    @cases
    def listed_when_new(self) -> Iterator[Case[tuple[Attributes, Answer]]]:
        """Return the image as the list shows it, before anything was done with it, with the answer."""
        known = [attributes_of(answer).get("id") for answer in self.answers.get(Question.CREATED, ()) if answer.ok]
        for answer in self.answers.get(Question.LISTED, ()):
            for entry in entries_of(answer, "/images"):
                if entry.get("id") in known:
                    yield Case((entry, answer), [answer.exchange])

    @cases
    def listed_by_name(self) -> Iterator[Case[tuple[str, Answer, bool]]]:
        """Return what else lists by a name had to hold, where one has held the plain image; and whether they do.

        A page that others follow says nothing of what it lacks.
        """
        plain = next((found for *_, found in self._sought(Question.CREATED, Question.LISTED)), False)
        for kind, due, listed in (
            ("of many attributes", Question.LARGE, Question.LARGE),
            ("of no attribute but its name", Question.BARE, Question.LISTED_BESIDE),
        ):
            for image, answer, found in self._sought(due, listed) if plain else ():
                if found or (answer.ok and not answer.document.get("next")):
                    yield Case((kind, answer, found), [image.exchange, answer.exchange])

    def _sought(self, due: Question, listed: Question) -> Iterator[tuple[Answer, Answer, bool]]:
        """Yield the answer that shows an image, and the list that has to hold it, with whether it does."""
        shown = [answer for answer in self.answers.get(due, ()) if answer.ok and "id" in answer.document]
        for answer in self.answers.get(listed, ()) if shown else ():
            if "?" in answer.exchange.target:
                yield shown[-1], answer, holds(answer, str(shown[-1].document["id"]))

    @cases
    def images(self, *, listed: bool = True) -> Iterator[Case[Attributes]]:
        """Return every image of one's own that was asked for, by itself or in a list.

        The answer to a creation may say less; and what is kept of an image that is as good as deleted, nothing says.
        """
        own: list[object] = []
        for question in OF_IMAGES:
            for answer in self.answers.get(question, ()):
                if question is Question.LISTED:
                    shown = [entry for entry in entries_of(answer, "/images") if entry.get("id") in own]
                else:
                    shown = [answer.data] if answer.ok and isinstance(answer.data, dict) else []
                    own += [image.get("id") for image in shown]
                if answer.exchange.method == "POST" or (question is Question.LISTED and not listed):
                    continue
                for image in shown:
                    if image.get("status") not in GOING:
                        yield Case(image, [answer.exchange])

    @cases
    def of_many(self) -> Iterator[Case[Attributes]]:
        """Return the image that has many attributes of one's own, as it shows itself and as a list shows it."""
        large = [answer for answer in self.answers.get(Question.LARGE, ()) if answer.ok]
        for answer in (answer for answer in large if answer.exchange.method == "GET"):
            own = {each.document.get("id"): each.document for each in large if "id" in each.document}
            for image in (answer.document, *entries_of(answer, "/images")):
                if image.get("id") in own:
                    # A list may show less of it.
                    yield Case({**own[image["id"]], **image}, [answer.exchange])


GIVEN = {"min_ram": 64, "min_disk": 2, "tags": ["given"], "os_distro": "debian", "cloudimages_given": "at creation"}
"""What an image is created with."""
GIVEN_BESIDES = {
    "cloudimages_given_empty": "",
    "cloudimages_given_number": "0012.50",
    "cloudimages_given_truth": "true",
    "cloudimages_given_text": "Gr\u00fc\u00dfe, \u6771\u4eac <b>'\"&amp;\\",
    "cloudimages.given": "under a name with a dot",
    "CLOUDIMAGES_GIVEN": "Under a Name in Capitals",
}
"""What it is created with besides, where the service takes that."""


def given_otherwise(given: Attributes, shown: Answer) -> list[str]:
    """Return the attributes of those that an image was created with which it does not show so.

    What it is tagged with besides, others may have added.
    """
    data = attributes_of(shown)
    return differing(data, given, only={*given} - ({"tags"} if has_tags(data, given) else set()))


def lost_of_its_data(before: Attributes, shown: Answer) -> list[str]:
    """Return what an active image has said of its data before, and does not say any more."""
    data = attributes_of(shown)
    if not shown.ok or data.get("status") != "active":
        return []
    return sorted(name for name in OF_DATA if before.get(name) is not None and data.get(name) is None)


def digest(data: bytes = DATA) -> str:
    """Return the MD5 of the data that an image is given."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
