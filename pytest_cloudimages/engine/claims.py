"""Whether an image is the one that was created: a service may confuse ids, and the other image is somebody's."""

import re
from dataclasses import dataclass
from typing import Any

from pytest_cloudimages.client.answers import Answer

OF_RUN = "pytest_cloudimages_run"
"""The property that proves whose an image is: the id of the run that created it."""
LINKED = re.compile(r"/images/([^/?#]+)")


@dataclass(frozen=True)
class Claim:
    """An image is said to have this id; one was created with this name, which no other has, for this run."""

    identifier: str
    name: str
    run: str

    def is_doubtful(self, answer: Answer) -> bool:
        """Return whether the answer to a creation says anything else of the image than its id does.

        A service that says nothing else is believed; most are, and are not asked once more for each image.
        """
        document: dict[str, Any] = answer.data
        links = (answer.headers.get("Location"), document.get("self"), document.get("file"))
        linked = [found[1] for link in links if isinstance(link, str) and (found := LINKED.search(link))]
        return self._is_of_another(document) or any(other != self.identifier for other in linked)

    def is_denied(self, shown: Answer) -> bool:
        """Return whether what stands at the id is another image by its own word."""
        return self._is_of_another(shown.document)

    def _is_of_another(self, document: dict[str, Any]) -> bool:
        # A service may change names, or take no properties: one of both is enough, and saying neither proves nothing.
        named = document.get("name", self.name) == self.name
        return not named and document.get(OF_RUN) != self.run
