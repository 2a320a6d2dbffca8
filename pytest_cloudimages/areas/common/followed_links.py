"""Where the links in an answer lead."""

from pytest_cloudimages.client.links import led_to
from pytest_cloudimages.client.session import ImagesClient
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
