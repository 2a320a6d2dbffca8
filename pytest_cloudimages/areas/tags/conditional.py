"""What a client is told that has shown an image before and asks whether it still is as it was (RFC 9110, 13)."""

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.history.resource import Answered

NOT_MODIFIED = 304
WEAK = "W/"
"""What begins a tag of an entity that may stay the same over changes (RFC 9110, 8.8.3)."""


def asked_whether_changed(image: Image, before: Answered | None) -> Answer | None:
    """Ask for what has changed since an answer; ``None`` where that cannot be asked.

    Only a strong validator is one that "changes value whenever a change occurs to the representation data that would be
    observable" (RFC 9110, 8.8.1): a weak one, and a time in seconds, may stay.
    """
    validator = before.headers.get("ETag", "") if before else ""
    if not validator or validator.startswith(WEAK):
        return None
    headers = {"If-None-Match": validator}
    # Whoever shows changes late says so late as well.
    return image.eventually(
        lambda: image.client.send("GET", f"/images/{image.id}", headers=headers),
        lambda answer: answer.status != NOT_MODIFIED,
    )
