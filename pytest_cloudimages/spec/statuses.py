"""Classes of HTTP statuses, as what a check expects of an answer. 0 is no answer."""

from typing import Any

from pytest_cloudimages.spec.mismatch import Allowed


def _of_class(digit: int) -> Allowed:
    def holds(status: Any) -> bool:
        return isinstance(status, int) and status // 100 == digit

    return Allowed(f"{digit}xx", holds)


OVER_LIMIT = 413
"""The service takes no more: a quota, or a body that is too large."""
OK = _of_class(2)
"""The service acknowledged the request."""
REFUSED = _of_class(4)
"""The service refused the request as the client's mistake."""
DONE_OR_REFUSED = OK | REFUSED
"""The service said clearly what became of the request."""
NOT_OK = Allowed("anything but 2xx", lambda status: not OK.holds(status))
"""The service did not acknowledge the request, for whatever reason."""
NOT_REDIRECTED = Allowed("anything but 3xx", lambda status: not _of_class(3).holds(status))
"""The service did not send the request elsewhere."""
