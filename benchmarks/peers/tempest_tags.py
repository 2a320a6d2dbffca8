"""The three tests of tags that Tempest has, written anew from what they are described to do.

Tempest, tempest.api.image.v2: `test_images_tags` adds a tag to an image of one's own, looks for it in the image,
deletes it and looks again; `test_images_tags_negative` adds a tag to an image that there is not, and deletes a tag that
the image does not carry: 404, both times. Tempest's client takes 201, 204 and 200 for success where these are
documented and nothing else; an error has to come as JSON, which is what a missing type is taken for, or as text.

`peers/measure.py` runs this file; it is told the endpoint and the token in the environment.
"""

import os
import secrets
from collections.abc import Iterator
from uuid import uuid4

import pytest
import requests

JSON = "application/json"
PLAIN = ("text/plain", "text/html")


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """A client of the service."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update({"X-Auth-Token": os.environ["PEERS_TOKEN"], "Accept": JSON, "Content-Type": JSON})
        yield session


@pytest.fixture
def image(session: requests.Session) -> Iterator[str]:
    """The address of a private image, which is deleted in the end."""
    images = f"{os.environ['PEERS_ENDPOINT']}/images"
    wanted = {"name": random_name("image"), "container_format": "bare", "disk_format": "raw", "visibility": "private"}
    created = session.post(images, json=wanted, allow_redirects=False)
    assert created.status_code == 201
    address = f"{images}/{created.json()['id']}"
    yield address
    session.delete(address, allow_redirects=False)


def random_name(kind: str) -> str:
    """Make up a name."""
    return f"peer-{kind}-{secrets.randbelow(10**9)}"


def is_not_found(answer: requests.Response) -> bool:
    """Return whether the answer is what Tempest's client takes for "not found"."""
    kind = answer.headers.get("Content-Type", JSON).partition(";")[0].strip().lower()
    if kind == JSON:
        answer.json()
    return answer.status_code == 404 and kind in (JSON, *PLAIN)


def tags_of(session: requests.Session, image: str) -> list[str]:
    """Read the tags of an image."""
    shown = session.get(image, allow_redirects=False)
    assert shown.status_code == 200
    tags: list[str] = shown.json()["tags"]
    return tags


def test_update_delete_tags_for_image(session: requests.Session, image: str) -> None:
    """A tag is among the tags of the image after it was added, and not after it was deleted."""
    tag = random_name("tag")
    assert session.put(f"{image}/tags/{tag}", allow_redirects=False).status_code == 204
    assert tag in tags_of(session, image)
    assert session.delete(f"{image}/tags/{tag}", allow_redirects=False).status_code == 204
    assert tag not in tags_of(session, image)


def test_update_tags_for_non_existing_image(session: requests.Session) -> None:
    """No tag is added to an image that there is not."""
    address = f"{os.environ['PEERS_ENDPOINT']}/images/{uuid4()}/tags/{random_name('tag')}"
    assert is_not_found(session.put(address, allow_redirects=False))


def test_delete_non_existing_tag(session: requests.Session, image: str) -> None:
    """No tag is deleted that the image does not carry."""
    assert is_not_found(session.delete(f"{image}/tags/{random_name('tag')}", allow_redirects=False))
