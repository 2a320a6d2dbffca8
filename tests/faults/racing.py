"""Services that go wrong only where clients meet, or where one of them has left."""

import socket
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http import HTTPStatus
from random import Random

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Image
from pytest_cloudimages.reference.refusals import Refusal
from pytest_cloudimages.reference.server import Connection

from .adding import DeletesEveryCopy
from .kinds import Kind
from .registry import breaks

KIND = Kind.CONCURRENCY


NO_CONTENT = Reply(HTTPStatus.NO_CONTENT)
MILLISECOND = 0.001
A_WHILE = 20 * MILLISECOND
"""So wide that clients who are let go at once meet on any machine, however busy that is."""
ASK_RACES = (
    "TAG-ADD-01",
    "TAG-ADD-18",
    "TAG-ADD-29",
    "TAG-ADD-30",
    "TAG-DEL-10",
    "TAG-DEL-17",
    "TAG-HIST-02",
)
RACES_AND_CODES = tuple(word for identifier in ASK_RACES for word in ("--select", identifier))
"""What looks at races, and at the codes of those who are alone."""


# Reading, thinking, writing


class _Rewrites(App):
    """Reads all tags, thinks, and writes all of them."""

    window = A_WHILE

    def rewritten(self, request: Request, image_id: str, tag: str, *, adds: bool) -> Reply:
        """Carry out the rule on the tags as they were a while ago."""
        image = self.images.open(request.caller, image_id)
        before = list(image.tags)
        time.sleep(self.window)
        with self.images.lock:
            image = self.images.open(request.caller, image_id)
            image.tags[:] = before
            return super().add_tag(request, image_id, tag) if adds else super().delete_tag(request, image_id, tag)


class _RewritesForBoth(_Rewrites):
    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return self.rewritten(request, image_id, tag, adds=True)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return self.rewritten(request, image_id, tag, adds=False)


@breaks("TAG-ADD-29", "TAG-HIST-02", profile="standard")
class RewritesWithinHalfAMillisecond(_RewritesForBoth):
    """Reads the tags, thinks for 0.5 ms, and writes them, in additions and deletions."""

    window = MILLISECOND / 2


@breaks("TAG-ADD-29", "TAG-HIST-02", profile="standard")
class RewritesWithinOneMillisecond(_RewritesForBoth):
    """Reads the tags, thinks for 1 ms, and writes them, in additions and deletions."""

    window = MILLISECOND


@breaks("TAG-ADD-29", "TAG-HIST-02", profile="standard")
class RewritesWithinFiveMilliseconds(_RewritesForBoth):
    """Reads the tags, thinks for 5 ms, and writes them, in additions and deletions."""

    window = 5 * MILLISECOND


@breaks("TAG-ADD-29", "TAG-HIST-02", profile="standard")
class RewritesWithinTwentyMilliseconds(_RewritesForBoth):
    """Reads the tags, thinks for 20 ms, and writes them, in additions and deletions."""

    window = 20 * MILLISECOND


@breaks("TAG-HIST-02", profile="standard")
class UndoesDeletions(_Rewrites):
    """Brings back, with a deletion, the tags that others deleted within 20 ms."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return self.rewritten(request, image_id, tag, adds=False)


@breaks("TAG-ADD-29", "TAG-HIST-02", profile="standard")
class LosesOnlyAbroad(_Rewrites):
    """Loses additions that meet an addition to another image: it keeps in mind one list of tags at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.mind: tuple[str, list[str]] = ("", [])

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        image = self.images.open(request.caller, image_id)
        self.mind = (image_id, image.tags)
        time.sleep(self.window)
        kept, _ = self.mind
        return super().add_tag(request, image_id, tag) if kept == image_id else NO_CONTENT


@breaks("TAG-HIST-02", profile="standard")
class AddsToTheImageOfAnother(App):
    """Keeps in a variable of all threads which image is meant."""

    def __init__(self) -> None:
        super().__init__()
        self.meant = ""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.meant = image_id
        time.sleep(A_WHILE)
        meant, _ = self.meant, self.images.open(request.caller, image_id)
        with self.images.lock:
            if meant != image_id and tag not in self.images.get(meant).tags:
                return NO_CONTENT
            return super().delete_tag(request, meant, tag)


# Who is there already


class Meets(App):
    """Knows how many are changing an image at the moment."""

    think = MILLISECOND

    def __init__(self) -> None:
        super().__init__()
        self.inside: dict[str, int] = {}
        self.door = threading.Lock()

    @contextmanager
    def meeting(self, image_id: str) -> Iterator[bool]:
        """Stay for a while, and tell whether someone was there before."""
        with self.door:
            met = self.inside.get(image_id, 0) > 0
            self.inside[image_id] = self.inside.get(image_id, 0) + 1
        try:
            time.sleep(self.think)
            yield met
        finally:
            with self.door:
                self.inside[image_id] -= 1


class _MeetsSurely(Meets):
    think = A_WHILE


@breaks("TAG-ADD-29", "TAG-HIST-02", profile="standard")
class RollsBackTheLoser(_MeetsSurely):
    """Acknowledges an addition that meets another, and rolls it back."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.images.open(request.caller, image_id)
        with self.meeting(image_id) as met:
            return NO_CONTENT if met else super().add_tag(request, image_id, tag)


@breaks("TAG-RESP-09", profile="standard")
class FailsWhereTwoMeet(Meets):
    """Answers 500 to an addition that meets another, as a database does that is locked."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.images.open(request.caller, image_id)
        with self.meeting(image_id) as met:
            if met:
                return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "The database is locked.")
            return super().add_tag(request, image_id, tag)


@breaks("TAG-RESP-09", profile="standard")
class FailsWhenAllIsDone(Meets):
    """Answers 500 to a deletion that meets another, and deletes the tag."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.meeting(image_id) as met:
            reply = super().delete_tag(request, image_id, tag)
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Deadlock.") if met else reply


@breaks("TAG-HIST-02", profile="standard")
class RefusesAndAdds(_MeetsSurely):
    """Answers 409 to an addition that meets another, and stores the tag."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.meeting(image_id) as met:
            reply = super().add_tag(request, image_id, tag)
            return self.error(request, HTTPStatus.CONFLICT, "Someone else is at it.") if met else reply


@breaks("TAG-HIST-02", profile="standard")
class DoesNotFindWhatIsLocked(_MeetsSurely):
    """Answers 404 to a deletion that meets another, and keeps the tag."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.meeting(image_id) as met:
            if met:
                return self.error(request, HTTPStatus.NOT_FOUND, "There is no such tag.")
            return super().delete_tag(request, image_id, tag)


@breaks("TAG-HIST-02", profile="standard")
class ForgetsADeletionThatMeets(_MeetsSurely):
    """Acknowledges a deletion that meets another, and keeps the tag."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.meeting(image_id) as met:
            there = tag in self.images.open(request.caller, image_id).tags
            return NO_CONTENT if met and there else super().delete_tag(request, image_id, tag)


class _Refuses(_MeetsSurely):
    """Refuses a change that meets another."""

    status = HTTPStatus.NOT_FOUND

    def refused(self, request: Request) -> Reply:
        """Answer a change that meets another, which is not carried out."""
        return self.error(request, self.status, "There is no such image.")


class _RefusesAdditions(_Refuses):
    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.images.open(request.caller, image_id)
        with self.meeting(image_id) as met:
            return self.refused(request) if met else super().add_tag(request, image_id, tag)


class _RefusesDeletions(_Refuses):
    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.images.open(request.caller, image_id)
        with self.meeting(image_id) as met:
            return self.refused(request) if met else super().delete_tag(request, image_id, tag)


@breaks("TAG-HIST-02", profile="standard", words=RACES_AND_CODES)
class FindsNoImageThatIsLocked(_RefusesAdditions):
    """Answers 404 to an addition that meets another, as if there were no such image, and stores nothing."""


@breaks("TAG-HIST-02", profile="standard", words=RACES_AND_CODES)
class FindsFaultWithWhatMeets(_RefusesAdditions):
    """Answers 400 to an addition that meets another, as if its tag were at fault, and stores nothing."""

    status = HTTPStatus.BAD_REQUEST


@breaks("TAG-HIST-02", profile="standard", words=RACES_AND_CODES)
class ForbidsADeletionThatMeets(_RefusesDeletions):
    """Answers 403 to a deletion that meets another, and deletes nothing."""

    status = HTTPStatus.FORBIDDEN


@breaks("TAG-ADD-18", "TAG-HIST-02", profile="standard", words=RACES_AND_CODES)
class SendsElsewhereWhatMeets(_RefusesAdditions):
    """Answers 303 to an addition that meets another, and stores nothing."""

    status = HTTPStatus.SEE_OTHER


@breaks("TAG-DEL-10", profile="standard", words=RACES_AND_CODES)
class LocksDeletionsOut(_RefusesDeletions):
    """Answers 423 to a deletion that meets another, and deletes nothing."""

    status = HTTPStatus.LOCKED


@breaks(
    "TAG-RESP-09", profile="standard", words=("--select", "TAG-HIST-02", "--select", "TAG-RESP-09", "--timeout", "1")
)
class HasEightWorkers(Meets):
    """Stores a tag where more than eight add at once, and never answers."""

    think = 5 * MILLISECOND

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.meeting(image_id):
            exhausted = self.inside[image_id] > 8
            reply = super().add_tag(request, image_id, tag)
        if exhausted:
            time.sleep(1.2)
            raise ConnectionError
        return reply


# Rows of a table


class _Rows(App):
    """Looks whether there is a row, thinks, and inserts one; rows of one tag are shown as one."""

    think = MILLISECOND

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        there = tag in self.images.open(request.caller, image_id).tags
        time.sleep(self.think)
        with self.images.lock:
            tags = self.images.get(image_id).tags
            twice = not there and tag in tags
            reply = super().add_tag(request, image_id, tag)
            tags += [tag] * twice
            return reply

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image) | {"tags": list(dict.fromkeys(image.tags))}


@breaks("TAG-ADD-30", "TAG-HIST-02", profile="standard")
class InsertsTwoRows(DeletesEveryCopy, _Rows):
    """Inserts a row each where two look at once, shows both, and deletes both."""

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image) | {"tags": list(image.tags)}


@breaks("TAG-ADD-30", "TAG-HIST-02", profile="standard")
class DeletesOneRowOfTwo(_Rows):
    """Inserts a row each where two look at once, shows one, and deletes one with each deletion."""


@breaks("TAG-ADD-30", "TAG-RESP-09", perhaps=["TAG-HIST-02"], profile="standard")
class StumblesOverTwoRows(_Rows):
    """Inserts a row each where two look at once, and answers 500 to every deletion of that tag."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if self.images.open(request.caller, image_id).tags.count(tag) > 1:
            return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Several rows were found where one was due.")
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-ADD-30", "TAG-HIST-02", profile="standard")
class CannotDeleteTwoRows(_Rows):
    """Inserts a row each where two look at once, and answers 404 to every deletion of that tag."""

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        if self.images.open(request.caller, image_id).tags.count(tag) > 1:
            return self.error(request, HTTPStatus.NOT_FOUND, "There is no such tag.")
        return super().delete_tag(request, image_id, tag)


# The rest of the image


@breaks("TAG-HIST-02", profile="standard")
class RenamesWithTheTagsOfBefore(App):
    """Adds a tag within 20 ms, and writes the whole image with a PATCH of its name, as it was 60 ms before."""

    window = 3 * A_WHILE

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        # Whoever begins first, the addition comes after the reading and before the writing of a PATCH beside it.
        time.sleep(A_WHILE)
        return super().add_tag(request, image_id, tag)

    def update_image(self, request: Request, image_id: str) -> Reply:
        before = list(self.images.open(request.caller, image_id).tags)
        time.sleep(self.window)
        with self.images.lock:
            reply = super().update_image(request, image_id)
            if b"/tags" not in request.body:
                self.images.get(image_id).tags[:] = before
            return reply


@breaks("TAG-HIST-02", profile="standard")
class TagsWithTheNameOfBefore(App):
    """Renames within 20 ms, and writes the whole image when a tag is added, with the name that it had 60 ms before."""

    window = 3 * A_WHILE

    def update_image(self, request: Request, image_id: str) -> Reply:
        time.sleep(A_WHILE)
        return super().update_image(request, image_id)

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        name = self.images.open(request.caller, image_id).name
        time.sleep(self.window)
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            self.images.get(image_id).name = name
            return reply


# What readers see


@breaks("TAG-HIST-02", profile="standard")
class ReadsPageByPage(App):
    """Reads tags a page of two at a time, and 8 ms lie between page and page: what is deleted meanwhile shifts them."""

    def show_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            image = self.images.show(request.caller, image_id)
            data, shown = self.represent(image), list(image.tags[:2])
        while page := self.page(request, image_id, len(shown)):
            shown += page
        return Reply.of_json(data | {"tags": list(dict.fromkeys(shown))})

    def page(self, request: Request, image_id: str, begin: int) -> list[str]:
        """Read the tags of a page."""
        time.sleep(8 * MILLISECOND)
        with self.images.lock:
            return self.images.show(request.caller, image_id).tags[begin : begin + 2]


@breaks("TAG-HIST-02", profile="standard")
class ShowsNothingWhileItWrites(App):
    """Deletes all tags and inserts those that are to be there, before the eyes of every reader."""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply = super().add_tag(request, image_id, tag)
            image = self.images.get(image_id)
            after = list(image.tags)
            self.hidden(image)
            image.tags[:] = after
            return reply

    def hidden(self, image: Image) -> None:
        """Let readers see the image for a while as it is between deletion and insertion."""
        self.empty = image.id
        time.sleep(2 * MILLISECOND)
        self.empty = ""

    empty = ""

    def show_image(self, request: Request, image_id: str) -> Reply:
        if self.empty == image_id:
            return Reply.of_json(self.represent(self.images.show(request.caller, image_id)) | {"tags": []})
        return super().show_image(request, image_id)


@breaks("TAG-HIST-02", profile="standard")
class RemembersWhatAConnectionSaw(App):
    """Shows an image for ever as it was first shown on a connection that has never changed it."""

    def __init__(self) -> None:
        super().__init__()
        self.wrote: set[tuple[int, str]] = set()
        self.saw: dict[tuple[int, str], list[str]] = {}

    def route(self, request: Request) -> Reply:
        if request.method != "GET":
            self.wrote |= {(threading.get_ident(), part) for part in request.path.split("/")}
        return super().route(request)

    def create_image(self, request: Request) -> Reply:
        reply = super().create_image(request)
        self.wrote.add((threading.get_ident(), self.images.all()[-1].id))
        return reply

    def show_image(self, request: Request, image_id: str) -> Reply:
        key = (threading.get_ident(), image_id)
        if key in self.wrote:
            return super().show_image(request, image_id)
        with self.images.lock:
            image = self.images.show(request.caller, image_id)
            seen = self.saw.setdefault(key, list(image.tags))
            return Reply.of_json(self.represent(image) | {"tags": seen})


@breaks("TAG-ADD-29", "TAG-HIST-02", profile="standard")
class ReplicatesOutOfOrder(App):
    """Reads from a replica, to which whole images are sent, those of concurrent changes in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.replica: dict[str, list[str]] = {}
        self.chance = Random(1)  # noqa: S311 - a delay is no secret

    def sent(self, image_id: str, reply: Reply, tags: list[str]) -> Reply:
        """Send an image to the replica, which takes now a little longer, now a little less."""
        time.sleep(self.chance.uniform(0, 20) * MILLISECOND)
        self.replica[image_id] = tags
        return reply

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply, tags = super().add_tag(request, image_id, tag), list(self.images.get(image_id).tags)
        return self.sent(image_id, reply, tags)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.images.lock:
            reply, tags = super().delete_tag(request, image_id, tag), list(self.images.get(image_id).tags)
        return self.sent(image_id, reply, tags)

    def update_image(self, request: Request, image_id: str) -> Reply:
        with self.images.lock:
            reply = super().update_image(request, image_id)
            if b"/tags" in request.body:
                self.replica[image_id] = list(self.images.get(image_id).tags)
            return reply

    def represent(self, image: Image) -> dict[str, object]:
        return super().represent(image) | {"tags": list(self.replica.get(image.id, image.tags))}


# Clients that left


def has_left() -> bool:
    """Return whether the client whose request is being answered has hung up."""
    frames = (frame for frame, _ in traceback.walk_stack(None))
    owners = (frame.f_locals.get("self") for frame in frames)
    line = next(owner.connection for owner in owners if isinstance(owner, Connection))
    line.setblocking(False)
    try:
        return not line.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        line.setblocking(True)


class Minds(App):
    """Looks, a little after a change came in, whether the client has left; and does what is pending after the next."""

    think = MILLISECOND

    def __init__(self) -> None:
        super().__init__()
        self.pending: dict[str, list[Callable[[], object]]] = {}

    def unheard(self, request: Request, image_id: str, change: Callable[[], Reply]) -> Reply:
        """Carry out a change whose client has left."""
        raise NotImplementedError

    def minded(self, request: Request, image_id: str, change: Callable[[], Reply]) -> Reply:
        """Carry out a change as it should be, unless the client has left."""
        time.sleep(self.think)
        if has_left():
            return self.unheard(request, image_id, change)
        with self.images.lock:
            reply = change()
            for each_change in self.pending.pop(image_id, []):
                with suppress(Refusal):
                    each_change()
            return reply

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return self.minded(request, image_id, partial(super().add_tag, request, image_id, tag))

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        return self.minded(request, image_id, partial(super().delete_tag, request, image_id, tag))

    def wait(self, image_id: str, what: Callable[[], object]) -> None:
        """Do something after the next change of the image."""
        self.pending.setdefault(image_id, []).append(what)


@breaks("TAG-HIST-02", profile="standard")
class RepeatsWhatNobodyHeard(Minds):
    """Carries out a change whose client has left, and once more after the next change, as a queue does."""

    def unheard(self, request: Request, image_id: str, change: Callable[[], Reply]) -> Reply:  # noqa: ARG002
        reply = change()
        self.wait(image_id, change)
        return reply


@breaks("TAG-HIST-02", profile="standard")
class TakesBackWhatNobodyHeard(Minds):
    """Carries out changes whose clients have left, and after the next change restores all tags as before the first."""

    def unheard(self, request: Request, image_id: str, change: Callable[[], Reply]) -> Reply:
        before = list(self.images.open(request.caller, image_id).tags)

        def restore() -> None:
            self.images.get(image_id).tags[:] = before

        reply = change()
        if image_id not in self.pending:
            self.wait(image_id, restore)
        return reply


# Who else is at it


@breaks("TAG-ADD-29", "TAG-HIST-02", profile="standard", words=RACES_AND_CODES)
class LocksForEachCaller(_Rewrites):
    """Reads the tags, thinks, and writes them: one at a time for each caller, and all callers at once."""

    window = A_WHILE

    def __init__(self) -> None:
        super().__init__()
        self.locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.locks[request.headers.get("X-Auth-Token") or ""]:
            return self.rewritten(request, image_id, tag, adds=True)


@breaks("TAG-HIST-02", profile="standard", words=RACES_AND_CODES)
class AddsWhereOthersDelete(App):
    """Adds a tag to the image of the last deletion that began while it thought for 20 ms."""

    deleting = ""

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.images.open(request.caller, image_id)
        self.deleting = ""
        time.sleep(A_WHILE)
        return super().add_tag(request, self.deleting or image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.deleting = image_id
        time.sleep(1.5 * A_WHILE)
        return super().delete_tag(request, image_id, tag)


@breaks("TAG-HIST-02", profile="standard", words=RACES_AND_CODES)
class DeletesWithTheNameOfBefore(App):
    """Renames within 20 ms, and writes the image when a tag is deleted, with the name that it had 60 ms before."""

    def update_image(self, request: Request, image_id: str) -> Reply:
        time.sleep(A_WHILE)
        return super().update_image(request, image_id)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        name = self.images.open(request.caller, image_id).name
        time.sleep(3 * A_WHILE)
        with self.images.lock:
            reply = super().delete_tag(request, image_id, tag)
            self.images.get(image_id).name = name
            return reply


# What is saved when the data is there


class _SavesWithTheData(App):
    """Sees to the data of an image for 20 ms."""

    def upload(self, request: Request, image_id: str) -> Reply:
        image = self.images.open(request.caller, image_id)
        before = list(image.tags)
        time.sleep(A_WHILE)
        reply = super().upload(request, image_id)
        self.save(self.images.get(image_id), before)
        return reply

    def save(self, image: Image, before: list[str]) -> None:
        """Save what the image was when the upload began."""


@breaks("TAG-HIST-02", profile="standard", words=RACES_AND_CODES)
class SavesTheTagsOfBeforeTheData(_SavesWithTheData):
    """Saves an image when its data is there with the tags that it had when the upload began."""

    def save(self, image: Image, before: list[str]) -> None:
        image.tags[:] = before


@breaks("TAG-HIST-02", profile="standard", words=RACES_AND_CODES)
class BringsTagsBackWithTheData(_SavesWithTheData):
    """Saves an image when its data is there, with the tags that were deleted meanwhile besides those that it has."""

    def save(self, image: Image, before: list[str]) -> None:
        image.tags += [tag for tag in before if tag not in image.tags]


@breaks(profile="standard", words=RACES_AND_CODES)
class TakesDataAlone(App):
    """Has changes of the tags of an image wait for 20 ms while data is uploaded."""

    def __init__(self) -> None:
        super().__init__()
        self.locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def upload(self, request: Request, image_id: str) -> Reply:
        with self.locks[image_id]:
            time.sleep(A_WHILE)
            return super().upload(request, image_id)

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.locks[image_id]:
            return super().add_tag(request, image_id, tag)

    def delete_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        with self.locks[image_id]:
            return super().delete_tag(request, image_id, tag)


@breaks(profile="standard", words=RACES_AND_CODES)
class TakesTheDataThatIsThere(App):
    """Answers 409 to an upload that meets a change of the tags, and to no other."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: dict[str, float] = {}

    def upload(self, request: Request, image_id: str) -> Reply:
        begun = time.monotonic()
        time.sleep(A_WHILE)
        if self.changed.get(image_id, 0.0) > begun:
            return self.error(request, HTTPStatus.CONFLICT, "The image has changed.")
        return super().upload(request, image_id)

    def add_tag(self, request: Request, image_id: str, tag: str) -> Reply:
        self.changed[image_id] = time.monotonic()
        return super().add_tag(request, image_id, tag)
