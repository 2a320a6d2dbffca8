"""The front door for strategies of tags."""

from pytest_cloudimages.areas.tags.strategies import (
    boundary_tags,
    overlong_tags,
    plain_tags,
    tags,
    unusual_tags,
)

__all__ = ["boundary_tags", "overlong_tags", "plain_tags", "tags", "unusual_tags"]
