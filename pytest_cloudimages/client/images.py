"""An image that a test may change: an id bound to a client."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.polling import Eventually, Seen
from pytest_cloudimages.client.session import ImagesClient, segment
from pytest_cloudimages.client.showing import Short
from pytest_cloudimages.spec.shown_strings import shown_strings
from pytest_cloudimages.spec.verdicts import Blocked

MOST_PAGES = 20
"""Pages of a list that are looked through for an image; new images come first."""
GOING = ("deleted", "pending_delete")
"""Statuses of images that are as good as deleted: what is kept of them is the service's to say."""
MANY = "limit=100"
"""How a list is asked for with large pages; most services show fewer on a page then."""


class BrokenList(Blocked):
    """The list of images cannot be read, and that is its own fault: it fails, or its pages go in a circle."""


@dataclass
class Image(Short):
    """An image that a test may change; its methods are the client's, bound to the image's id."""

    client: ImagesClient
    id: str
    name: str = ""
    patience: "Eventually | None" = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"<Image {self.id} of {self.client.caller}>"

    def add_tag(self, tag: str, **how: Any) -> Answer:
        """PUT the tag."""
        return self.client.add_tag(self.id, tag, **how)

    def delete_tag(self, tag: str, **how: Any) -> Answer:
        """DELETE the tag."""
        return self.client.delete_tag(self.id, tag, **how)

    def send(self, method: str, target: str, **how: Any) -> Answer:
        """Send a request below the image: ``send("PUT", "/tags/a%3Fb")``."""
        return self.client.send(method, f"/images/{self.id}{target}", **how)

    def show(self) -> Answer:
        """GET the image."""
        return self.client.show(self.id)

    def upload(self, octets: bytes, *, chunked: bool = False) -> Answer:
        """PUT the data of the image."""
        kind = {"Content-Type": "application/octet-stream"}
        return self.send("PUT", "/file", body=octets, headers=kind, chunked=chunked)

    def seen_by(self, client: ImagesClient) -> "Image":
        """Return the same image as another caller reaches it."""
        return replace(self, client=client)

    def tags(self) -> list[str]:
        """Return the tags that the image shows now. Raises ``Blocked`` where it shows none that can be read."""
        return readable(self.show())

    def eventual_tags(self, expected: Iterable[str]) -> list[str]:
        """Return the tags once they are as expected, or as they are when patience ends."""
        wanted = sorted(expected)
        return self.read(lambda tags: sorted(tags) == wanted)

    def read(self, satisfied: Callable[[list[str]], bool]) -> list[str]:
        """Return the tags once they satisfy a condition, or as they are when patience ends."""
        return self.eventually(self.tags, satisfied)

    def eventually(
        self,
        look: Callable[[], Seen],
        satisfied: Callable[[Seen], bool],
        *,
        going_on: Callable[[Seen], bool] = lambda _: False,
    ) -> Seen:
        """Look at something of the image, and again until it satisfies a condition or patience ends.

        What says itself that it is ``going_on`` is waited for longer.
        """
        return self.patience.until(look(), look, satisfied, going_on=going_on) if self.patience else look()

    def listed(self) -> dict[str, Any]:
        """Return the image as the list of images shows it. Raises ``Blocked`` where the list does not show it."""
        found = self.eventually(self.entry, bool)
        if not found:
            raise Blocked(f"The image {self.id} is not among the first {MOST_PAGES} pages of the list.")
        return found

    def entry(self) -> dict[str, Any]:
        """Look for the image on the first page, then by what sets it apart, then page by page; empty if not found.

        Raises ``BrokenList`` where the pages lead back to one that was seen.
        """
        first = f"/images?{MANY}"
        entry, following = self._on_page(first)
        if not entry and following:
            for query in self._narrowed():
                # A filter that the service does not know says nothing.
                with suppress(Blocked):
                    entry, _ = self._on_page(f"/images?{query}&{MANY}")
                if entry:
                    return entry
        seen = {first}
        while not entry and following and len(seen) < MOST_PAGES:
            if following in seen:
                raise BrokenList(f"The pages of the list of images go in a circle: {following} was read before.")
            seen.add(following)
            entry, following = self._on_page(following)
        return entry

    def _narrowed(self) -> Iterator[str]:
        """Yield filters that let the image pass and few others, as far as the image itself says what it is."""
        if self.name:
            yield f"name={segment(self.name)}"
        data = self.show().data
        shown = data if isinstance(data, dict) else {}
        # Whatever its name, an image has its id, if lists can be asked for it, and a moment that it shares with few.
        for attribute, prefix in (("id", ""), ("name", ""), ("created_at", "eq:")):
            value = shown.get(attribute)
            if isinstance(value, str) and value and value != self.name:
                yield f"{attribute}={segment(prefix + value)}"

    def _on_page(self, target: str) -> tuple[dict[str, Any], str]:
        answer = page_of_many(self.client, target)
        data = answer.document if answer.status == 200 else {}  # noqa: PLR2004
        entries = data.get("images")
        if not isinstance(entries, list):
            kind = BrokenList if answer.status >= 500 else Blocked  # noqa: PLR2004 - the class of codes
            raise kind(f"The list of images cannot be read: {answer.exchange}")
        mine = [entry for entry in entries if isinstance(entry, dict) and entry.get("id") == self.id]
        return mine[0] if mine else {}, self.client.following(target, data)

    def given_tags_at_once(self, *tags: str) -> None:
        """Put these tags on an image without tags, at once if it can be. Raise ``Blocked`` where that fails."""
        with self.client.recorder.of(Purpose.PREPARING):
            at_once = self.client.patch(self.id, {"op": "replace", "path": "/tags", "value": [*tags]}).ok
            if at_once and sorted(self.eventual_tags(tags)) == sorted(tags):
                return
        self.given_tags(*tags)

    def given_tags(self, *tags: str) -> None:
        """Put these tags on the image, as the precondition of a question. Raise ``Blocked`` where that fails."""
        with self.client.recorder.of(Purpose.PREPARING):
            for tag in tags:
                require_ok(self.add_tag(tag))
            found = self.read(lambda seen: set(tags) <= set(seen))
        if not set(tags) <= set(found):
            raise Blocked(f"Set-up failed: expected the image to have the tags {list(tags)}, it has {found}.")


def page_of_many(client: ImagesClient, target: str) -> Answer:
    """GET a page of a list that is asked for with ``MANY``; without where the service refuses that (400)."""
    answer = client.send("GET", target)
    if answer.status == 400 and target.endswith(MANY):  # noqa: PLR2004 - as HTTP has it
        answer = client.send("GET", target.removesuffix(MANY).rstrip("?&"))
    return answer


def pages_of_many(client: ImagesClient, target: str, *, most: int = MOST_PAGES) -> Iterator[Answer]:
    """Yield the pages of a list that is asked for with ``MANY``, one after another: at most so many, and none twice."""
    seen: set[str] = set()
    while target and target not in seen and len(seen) < most:
        seen.add(target)
        answer = page_of_many(client, target)
        yield answer
        target = client.following(target, answer.document)


def readable(answer: Answer) -> list[str]:
    """Return the tags of a representation. Raises ``Blocked`` where there is no list of strings."""
    data = answer.data if answer.status == 200 else None  # noqa: PLR2004 - as HTTP has it
    tags = shown_strings(data, "tags")
    if tags is None:
        raise Blocked(f"The image's tags cannot be read: {answer.exchange}")
    return [*tags]


def require_ok(answer: Answer, *, status: int | None = None) -> Answer:
    """Return the answer if the step it belongs to succeeded; raise ``Blocked`` where it did not."""
    if answer.status == status if status else answer.ok:
        return answer
    raise Blocked(f"Set-up failed: expected success, got {answer.exchange}")
