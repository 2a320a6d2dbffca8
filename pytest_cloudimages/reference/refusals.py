"""The reasons for which the service refuses a request. No HTTP."""


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of ours
    """The service refuses a request; the message says why."""


class Invalid(Refusal):
    """A value of the request is not allowed."""


class Unauthorized(Refusal):
    """The caller is not authenticated."""


class Forbidden(Refusal):
    """The caller may see the resource, but may not do this to it."""


class NotFound(Refusal):
    """There is no such resource, or none that the caller may know of."""


class Conflict(Refusal):
    """The request conflicts with the present state of the resource."""


class OverLimit(Refusal):
    """The request would exceed a limit of the service."""


class UnsupportedMediaType(Refusal):
    """The body is in no format that the operation reads."""
