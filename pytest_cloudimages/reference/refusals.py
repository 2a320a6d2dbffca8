"""Why the service says no, without a word about HTTP."""


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of ours
    """The service will not do what it was asked; the message says why."""


class Invalid(Refusal):
    """What was asked breaks a rule about values."""


class Unauthorized(Refusal):
    """Nobody we know is asking."""


class Forbidden(Refusal):
    """The caller may see it, but may not do this to it."""


class NotFound(Refusal):
    """There is no such thing, or none that the caller may know of."""


class Conflict(Refusal):
    """It does not fit the present state."""


class OverLimit(Refusal):
    """One more than the service keeps."""
