"""What a service can do of what it need not, as a run has seen it in passing: nothing is asked for this alone."""

import re
import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from pytest_cloudimages.client.exchange import TESTER, Exchange

NONE_SUCH = (405, 501)
"""Statuses that refuse a method to everybody, whatever the image."""
REFUSALS = (400, 403, 404, 409, 415, *NONE_SUCH)
"""Statuses that say that something cannot be done; others speak of limits, of load or of the caller."""


@dataclass(frozen=True)
class Ability:
    """Something that a service may be able to do, and the request by which it is asked to."""

    name: str
    method: str
    target: str
    """An expression for the end of the target; its group is the image."""
    body: bytes = b""
    """What the body holds."""
    without: bytes = b"\0"
    """What it does not hold; JSON has no NUL."""

    def image_of(self, exchange: Exchange) -> str | None:
        """Return the id of the image that is asked about, empty for a new one; ``None`` for another request."""
        if exchange.method != self.method or self.body not in exchange.body or self.without in exchange.body:
            return None
        found = re.search(self.target, exchange.target)
        return (found[1] or "") if found else None


SHARE = "share images with another project"
NEW, OLD = r"/v2/images()$", r"/v2/images/([^/?]+)"
ABILITIES = (
    Ability("create images", "POST", NEW),
    Ability("create images with tags", "POST", NEW, b'"tags"'),
    Ability("create community images", "POST", NEW, b'"community"'),
    Ability("create public images", "POST", NEW, b'"public"'),
    Ability("give images to the community by PATCH", "PATCH", rf"{OLD}$", b'"community"'),
    Ability("make images public by PATCH", "PATCH", rf"{OLD}$", b'"public"'),
    Ability("change attributes by PATCH", "PATCH", rf"{OLD}$", without=b'"/tags'),
    Ability("change tags by PATCH", "PATCH", rf"{OLD}$", b'"/tags'),
    Ability("protect images", "PATCH", rf"{OLD}$", b'"/protected"'),
    Ability("hide images", "PATCH", rf"{OLD}$", b'"/os_hidden"'),
    Ability("take data", "PUT", rf"{OLD}/file$"),
    Ability("deactivate images", "POST", rf"{OLD}/actions/deactivate$"),
    Ability(SHARE, "POST", rf"{OLD}/members$"),
)


@dataclass
class Capabilities:
    """What was seen of each ability: the first success, or the first refusal where there was none."""

    done: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def saw(self, exchange: Exchange, own: Collection[str]) -> None:
        """Look at an exchange of the tester's; ``own`` are the ids of images that may be changed."""
        if exchange.method in ("GET", "HEAD", "DELETE") or exchange.caller != TESTER:
            return
        for ability in ABILITIES:
            image = None if ability.name in self.done else ability.image_of(exchange)
            if image is None:
                continue
            with self._lock:
                if 200 <= exchange.status < 300:  # noqa: PLR2004 - the class of codes
                    self.done[ability.name] = str(exchange)
                elif exchange.status in REFUSALS and (not image or image in own or exchange.status in NONE_SUCH):
                    self.refused.setdefault(ability.name, str(exchange))

    def summary(self) -> list[dict[str, Any]]:
        """Return what was seen as data, each with its evidence; what was not tried is left out."""
        seen = self.refused | self.done
        names = [ability.name for ability in ABILITIES if ability.name in seen]
        return [{"name": name, "can": name in self.done, "evidence": seen[name]} for name in names]
