"""The documents in the bodies of requests."""

import json

from .messages import Request
from .refusals import Invalid, UnsupportedMediaType


def parsed(body: bytes) -> object:
    """Return the JSON document that a body is, or raise Invalid."""
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The body is not JSON: {error}.") from None
    return document


def document(request: Request) -> object:
    """Return the JSON document of a request that declares it as one."""
    if request.body and request.media_type != "application/json":
        raise UnsupportedMediaType("The body is to be application/json.")
    return parsed(request.body)


def member_of(request: Request, name: str) -> object:
    """Return a member of the object in a request, or raise Invalid where it is missing."""
    found = document(request)
    if not isinstance(found, dict) or name not in found:
        raise Invalid(f"The body is an object with the member {name}.")
    return found[name]
