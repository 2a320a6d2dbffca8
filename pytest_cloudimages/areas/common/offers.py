"""What a service does not offer: found out with the answer that says so, and held against nobody."""

import pytest

from pytest_cloudimages.client.answers import Answer

NOT_OFFERED = frozenset({404, 405, 501})
"""How a service says that it does not have an operation, where what the operation is for is there."""


def require_offered(answer: Answer, what: str) -> None:
    """Skip the check, or the workload, where an operation is not offered; the answer is the reason."""
    if answer.status in NOT_OFFERED:
        pytest.skip(f"needs {what}, which the service does not offer: {answer.exchange}")
