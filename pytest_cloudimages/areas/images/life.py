"""The life of an image: what happens to it between its creation and its deletion, one event after another."""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_cloudimages.areas.common.offers import made_visible
from pytest_cloudimages.areas.images import states
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

PATCHES: dict[str, dict[str, Any]] = {
    "changed": {"min_disk": 2},
    "protected": {"protected": True},
    "hidden": {"os_hidden": True},
    "private": {"visibility": "private"},
    "community": {"visibility": "community"},
    "public": {"visibility": "public"},
    "protected with data": {"protected": True},
    "nameless": {"name": None},
}
"""The events that are a PATCH, and what they set."""
LEAVES: dict[str, dict[str, Any]] = {
    "hidden": {"protected": False},
    "community": {"os_hidden": False},
    "nameless": {"protected": False},
}
"""What is set back with some of them, so that an image is in one unusual state at a time."""
EVENTS = (
    "changed",
    "protected",
    "hidden",
    "community",
    "public",
    "shared",
    "shared again",
    "private",
    "active",
    "deactivated",
    "reactivated",
    "protected with data",
    "nameless",
)
"""What happens to an image, in this order."""
PROTECTED = ("protected", "protected with data")
"""Those after which it is protected."""


@dataclass
class Life:
    """Brings events about, as far as the service and the callers given allow."""

    run: Run
    data: set[str] = field(default_factory=set)
    """Ids of images whose data is looked at."""
    members: set[str] = field(default_factory=set)
    """Ids of images whose members are looked at."""
    shared: set[str] = field(default_factory=set)
    """Ids of images that were shared."""
    tags: Sequence[str] = ()
    """With which images are created."""

    @contextmanager
    def fresh_image(self, **attributes: Any) -> Iterator[Image]:
        """Open an image for a life, and leave it in a state in which it can be deleted for good.

        It is created with tags, where the service takes any with a creation, and these are set once more by a PATCH.
        """
        with self._created(attributes) as image:
            try:
                yield image
            finally:
                with self.run.recorder.of(Purpose.CLEANING), suppress(Blocked):
                    self._end(image)

    @contextmanager
    def _created(self, attributes: Mapping[str, Any]) -> Iterator[Image]:
        with ExitStack() as stack:
            image: Image | None = None
            with suppress(Blocked, pytest.skip.Exception):
                image = stack.enter_context(states.with_attributes(self.run, own=True, tags=[*self.tags], **attributes))
                # Whether what a PATCH has set, or what was there at first, comes back with an event: both are the same.
                with self.run.recorder.of(Purpose.PREPARING):
                    image.client.patch(image.id, {"op": "replace", "path": "/tags", "value": [*self.tags]})
            yield image or stack.enter_context(states.with_attributes(self.run, own=True, **attributes))

    def _end(self, image: Image) -> None:
        data = image.show().data
        shown = data if isinstance(data, dict) else {}
        if shown.get("protected") is True:
            self._patched(image, {"protected": False})
        # Glance keeps the data of an image that is deleted while it is deactivated.
        if shown.get("status") == "deactivated":
            self._asked("POST", image, "/actions/reactivate")

    def happen(self, image: Image, event: str) -> Mapping[str, object] | None:
        """Bring an event about, and return the attributes that it gives; ``None`` where it cannot be."""
        with self.run.recorder.of(Purpose.PREPARING):
            if event in PATCHES:
                return self._patch(image, event)
            happen: dict[str, Callable[[Image], Mapping[str, object] | None]] = {
                "shared": self._share,
                "shared again": self._share_again,
                "active": self._upload,
                "deactivated": self._deactivate,
                "reactivated": self._reactivate,
            }
            return happen[event](image)

    def beside(self, image: Image) -> Mapping[str, object]:
        """Return the data of an image, and who it is shared with, while that is to stay as it is."""
        seen: dict[str, object] = {}
        if image.id in self.data:
            answer = image.send("GET", "/file")
            seen["data"] = f"{answer.status}, {len(answer.body)} octets, CRC {zlib.crc32(answer.body):08x}"
        if image.id in self.members:
            data = image.send("GET", "/members").data
            members = data.get("members") if isinstance(data, dict) else None
            seen["members"] = [
                f"{member.get('member_id')}: {member.get('status')}"
                for member in (members if isinstance(members, list) else [])
                if isinstance(member, dict)
            ]
        return seen

    def _callers(self) -> list[ImagesClient]:
        callers: list[ImagesClient | None] = [self.run.client]
        with suppress(Blocked):
            callers.append(self.run.caller("ADMIN"))
        return [caller for caller in callers if caller]

    def _asked(self, method: str, image: Image, target: str, **how: Any) -> bool:
        """Return whether the administrator, or else the tester, may do something."""
        return any(image.seen_by(caller).send(method, target, **how).ok for caller in self._callers()[::-1])

    def _patched(self, image: Image, wanted: Mapping[str, Any]) -> bool:
        changes = [{"op": "replace", "path": f"/{name}", "value": value} for name, value in wanted.items()]
        return any(caller.patch(image.id, *changes).ok for caller in self._callers())

    def _patch(self, image: Image, event: str) -> Mapping[str, object] | None:
        wanted = PATCHES[event]
        leaves = LEAVES.get(event, {})
        if event == "changed":
            wanted = wanted | {"name": f"{image.name}-changed"}
        if event in ("community", "public"):
            if leaves:
                self._patched(image, leaves)
            return None if made_visible(image, event, *self._callers()) else wanted
        # Who it was shared with, it may still be shared with; yet a service need not say so of a private image.
        if event == "private":
            self.members.discard(image.id)
        # A name may be empty, which is not the same as none; not every service takes one.
        if event == "private" and self._patched(image, wanted | {"name": ""}):
            return wanted | {"name": ""}
        if self._patched(image, leaves | wanted):
            return wanted
        if leaves:
            self._patched(image, leaves)
        return None

    def _share(self, image: Image) -> Mapping[str, object] | None:
        other = self.run.of_another_project()
        if other is None:
            return None
        try:
            project = self.run.owner_of(other)
        except pytest.skip.Exception:
            return None
        if not self._patched(image, {"visibility": "shared"}):
            return None
        if not image.send("POST", "/members", json={"member": project}).ok:
            return None
        image.seen_by(other).send("PUT", f"/members/{project}", json={"status": "accepted"})
        self.members.add(image.id)
        self.shared.add(image.id)
        return {"visibility": "shared"}

    def _share_again(self, image: Image) -> Mapping[str, object] | None:
        """End the sharing and begin it anew, with no PATCH of the image between its tags and that."""
        other = self.run.caller("ALT")
        if other is None or image.id not in self.members:
            return None
        project = self.run.owner_of(other)
        if not image.send("DELETE", f"/members/{project}").ok:
            return None
        if not image.send("POST", "/members", json={"member": project}).ok:
            self.members.discard(image.id)
            return None
        # A list of members may be late: what it shows from here on is compared.
        image.eventually(lambda: str(self.beside(image)), lambda seen: f"{project}: pending" in seen)
        return {}

    def _upload(self, image: Image) -> Mapping[str, object] | None:
        """Upload data, and end the sharing that went before."""
        other = self.run.caller("ALT")
        if other is not None and image.id in self.shared:
            self.members.discard(image.id)
            image.send("DELETE", f"/members/{self.run.owner_of(other)}")
        if not image.upload(states.OCTETS).ok:
            return None
        self.data.add(image.id)
        return {"status": "active", "size": len(states.OCTETS)}

    def _deactivate(self, image: Image) -> Mapping[str, object] | None:
        self.data.discard(image.id)
        return {"status": "deactivated"} if self._asked("POST", image, "/actions/deactivate") else None

    def _reactivate(self, image: Image) -> Mapping[str, object] | None:
        if not self._asked("POST", image, "/actions/reactivate"):
            return None
        self.data.add(image.id)
        return {"status": "active"}
