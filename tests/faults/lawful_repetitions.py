"""Correct services behind somebody who sends requests once more whose answers were lost on their way.

A proxy does so of requests that are idempotent (RFC 9110, 9.2.2). What was done by the first is not there for the
second, so that a deletion that was carried out is answered 404.
"""

import threading
from random import Random

from pytest_cloudimages.reference.app import App, Reply, Request

from .kinds import Kind
from .registry import breaks

KIND = Kind.STATUS


class _RepeatsDeletions(App):
    """Carries out so many of its deletions twice, and answers as the second one is."""

    rate = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.chance = Random(7)  # noqa: S311 - no secret comes of it
        self.gate, self.turn = threading.Lock(), 0

    def is_lost(self) -> bool:
        """Return whether an answer does not come through."""
        with self.gate:
            return self.chance.random() < self.rate

    def handle(self, request: Request) -> Reply:
        reply = super().handle(request)
        done = request.method == "DELETE" and "/v2/" in request.target and reply.status < 300
        return super().handle(request) if done and self.is_lost() else reply


@breaks(profile="standard")
class RepeatsADeletionInFifty(_RepeatsDeletions):
    """Stands behind a proxy that sends one in fifty deletions twice."""

    rate = 1 / 50


@breaks(profile="standard")
class RepeatsEveryTwentiethDeletion(_RepeatsDeletions):
    """Stands behind a proxy that sends every twentieth deletion twice: one of its connections is bad."""

    every = 20

    def is_lost(self) -> bool:
        """Return whether it is the turn of the bad connection."""
        with self.gate:
            self.turn += 1
            return self.turn % self.every == 2


@breaks()
class RepeatsEverySixthDeletion(RepeatsEveryTwentiethDeletion):
    """Stands behind a proxy with six connections, one of which loses what it is answered."""

    every = 6
