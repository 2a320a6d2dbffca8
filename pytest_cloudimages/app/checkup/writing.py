"""Whether images can be created, tagged and deleted: tried where the tester says so, and taken away again."""

import html
import json
import re
import uuid
from contextlib import suppress
from dataclasses import dataclass

from pytest_cloudimages.app.checkup.lines import Line, Lines, Topic, in_two
from pytest_cloudimages.areas.tags.resource import TAGS
from pytest_cloudimages.client.exchange import Exchange
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

LONGEST_PAGE, LONGEST = 4000, 200
"""Octets of a refusal that are read, and characters that are told."""
NOT_WRITTEN = "nothing is changed without --write"


@dataclass
class Writing:
    """What the tester may change."""

    run: Run

    def writes(self, *, write: bool) -> Lines:
        """Yield whether an image can be created, tagged and deleted; an image that was lent is but tagged."""
        create = Topic("create", "POST /v2/images")
        if not write:
            yield create.untried(NOT_WRITTEN, "With --write an image is created, tagged and deleted.")
            yield Topic("tag", "PUT and DELETE …/tags/…").untried(NOT_WRITTEN)
            yield Topic("delete", "DELETE the image").untried(NOT_WRITTEN)
            return
        if self.run.settings.image:
            lent = self.run.settings.image[0]
            yield create.untried(f"image {lent} is lent")
            yield self._lent(Image(self.run.client, lent, patience=self.run.patience))
            return
        yield from self._with_an_image(create)

    def _with_an_image(self, create: Topic) -> Lines:
        left = self.run.recorder.traces.left_behind
        with self.run.recorder.scope() as sent:
            try:
                with self.run.fresh_image(resources=()) as image:
                    yield create.fine(f"201, image {image.id}")
                    yield self._tagged(image)
            except Blocked as problem:
                refused = next((exchange for exchange in sent if exchange.method == "POST"), None)
                yield _not_created(create, refused, str(problem))
                return
        topic = Topic("delete", f"DELETE /v2/images/{image.id}")
        if left:
            yield topic.broken(f"left behind: {'; '.join(left)}", "Delete it by hand; no run can clean up here.")
        else:
            yield topic.fine("gone")

    def _lent(self, image: Image) -> Line:
        """Return how a lent image is tagged; its tags are noted before, and struck once they are as they were."""
        notes = self.run.recorder.traces.notes
        try:
            before = image.tags()
            notes.lending(image.id, image.client.caller, {TAGS.name: before})
            line = self._tagged(image)
            if sorted(image.eventual_tags(before)) == sorted(before):
                notes.returned(image.id, TAGS.name)
        except Blocked as problem:
            return Topic("tag", f"PUT and DELETE /v2/images/{image.id}/tags/…").broken(*in_two(str(problem)))
        return line

    def _tagged(self, image: Image) -> Line:
        tag = f"cloudimages-doctor-{uuid.uuid4().hex[:8]}"
        topic = Topic("tag", f"PUT and DELETE /v2/images/{image.id}/tags/{tag}")
        try:
            added = image.add_tag(tag)
            seen = tag in image.read(lambda tags: tag in tags) if added.ok else False
            deleted = image.delete_tag(tag) if added.ok else None
        except Blocked as problem:
            return topic.broken(*in_two(str(problem)))
        came = f"{added.status}, {'shown' if seen else 'not shown'}, {deleted.status if deleted else 'not deleted'}"
        if added.ok and seen and deleted and deleted.ok:
            return topic.fine(came)
        if added.status in (401, 403, 404):
            return topic.broken(came, "This user may not change tags of this image: ask for a role that may.")
        return topic.partly(came, "A run will say what is wrong with it.")


def _not_created(topic: Topic, refused: Exchange | None, problem: str) -> Line:
    status = refused.status if refused else 0
    said = _said(refused.answer) if refused else ""
    came = f"{status}{f': {said}' if said else ''}" if status else in_two(problem)[0]
    lend = "lend an image whose tags you may change: --image ID."
    if status == 403:  # noqa: PLR2004 - as HTTP has it
        return topic.broken(came, f"This role may not create images. Ask for another role, such as member, or {lend}")
    if status == 413:  # noqa: PLR2004 - as HTTP has it
        return topic.broken(came, f"The quota is used up. Delete images, have it raised, or {lend}")
    return topic.broken(came, f"If no image can be created here, {lend}")


def _said(body: bytes) -> str:
    """Return what the service says of a refusal: its message, or else the text of the page."""
    text = body[:LONGEST_PAGE].decode("utf-8", "replace")
    with suppress(ValueError):
        data = json.loads(text)
        text = str(data.get("message", text)) if isinstance(data, dict) else text
    return " ".join(html.unescape(re.sub(r"<(head|title).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)).split())[
        :LONGEST
    ]
