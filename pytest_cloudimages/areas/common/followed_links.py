"""Where the links in an answer lead, and what the request was sent to that it answers."""

import re

from pytest_cloudimages.areas.common.checks import UUID
from pytest_cloudimages.client.links import led_to
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.history.resource import Answered
from pytest_cloudimages.spec.verdicts import Blocked


def leads_to(client: ImagesClient, link: object, target: str = "/images") -> str:
    """Return what is to be sent below the endpoint to follow a link that the answer to ``target`` shows.

    Where it leads to another host, or out of the endpoint, that is said instead. (Rulings, 14.)
    """
    if not isinstance(link, str) or not link:
        return f"no link: {link!a}"
    try:
        return led_to(client.endpoint, target, link)
    except Blocked as problem:
        return str(problem)


def target_of(answer: Answered, collection: str = "/images") -> str:
    """Return what was asked of a collection, or below it: relative links go on from there (rulings, 14)."""
    return collection + answer.exchange.target.partition(collection)[2]


def named_image(answer: Answered) -> str:
    """Return the id by which a request named an image, as its address has it; empty where it named none."""
    return answer.exchange.target.partition("/images/")[2].partition("/")[0]


def plain_path(path: str) -> str:
    """Return a path without escapes of dashes, which need none (RFC 3986, 6.2.2.2), and with UUIDs in one case.

    Case does not count in a UUID (RFC 9562, 4): a service may link one otherwise than it was given it.
    """
    return UUID.sub(lambda found: found[0].lower(), re.sub("%2[dD]", "-", path))
