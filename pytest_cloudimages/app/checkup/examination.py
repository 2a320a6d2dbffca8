"""The check-up as a whole: step after step, until a run is seen to be possible or something is in its way."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from pytest_cloudimages.app.checkup.lines import Line, Lines, Topic, in_two
from pytest_cloudimages.app.checkup.network import Way
from pytest_cloudimages.app.checkup.questions import Questions
from pytest_cloudimages.app.checkup.signing_in import AUTH_URL, SigningIn
from pytest_cloudimages.app.checkup.writing import Writing
from pytest_cloudimages.client.auth.credentials import Named, credentials_of
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.plain_http import PlainHttpError
from pytest_cloudimages.client.reachability import origin_of
from pytest_cloudimages.engine.preflight import embedded, named_by
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.engine.sweeping import note_down
from pytest_cloudimages.spec.verdicts import Blocked

LONGEST = 300
"""Characters of an error that are told."""
STEPS = (
    "settings",
    "Identity",
    "token",
    "catalogue",
    "way to the image service",
    "versions",
    "list",
    "further callers",
    "quota",
    "round trip and rate limits",
    "create, tag and delete",
)


@dataclass
class Examination:
    """Looks at everything that a run with these settings needs; reads only, unless ``write`` is set."""

    settings: Settings
    write: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    _stack: ExitStack = field(default_factory=ExitStack, repr=False)

    def lines(self) -> Iterator[Line]:
        """Yield a line for each step; after one that leaves no run possible, what was not tried for that."""
        with self._stack:
            for number, step in enumerate(self._steps(), 1):
                ended = False
                for line in _told(step, STEPS[number - 1]):
                    yield line
                    ended = ended or line.fault is not None
                if ended:
                    if left := ", ".join(STEPS[number:]):
                        yield Topic("the rest", left).untried("it needs what is in trouble")
                    return

    def _steps(self) -> Iterator[Lines]:
        """Yield the steps in the order of ``STEPS``; each may need what those before it have found."""
        yield self._settings()
        yield self._way_to_identity()
        yield self._signing_in.token()
        yield self._signing_in.catalogue()
        yield self._way_to_the_service()
        yield self._questions.versions()
        yield self._questions.images()
        yield self._questions.further_callers()
        yield self._questions.quota()
        yield self._questions.times()
        yield Writing(self._questions.run).writes(write=self.write)

    def _settings(self) -> Lines:
        topic = Topic("settings", "options, OS_* and CLOUDIMAGES_* variables, clouds.yaml")
        if self.settings.reference:
            self.environ = embedded(self._stack, self.settings)
        try:
            self._named: Named = named_by(self.settings, self.environ)
        except ConfigurationError as problem:
            came, _, advice = str(problem).partition("\n")
            if not advice:
                came, _, advice = str(problem).partition(". ")
            yield topic.mistaken(came, advice)
            if isinstance(problem, PlainHttpError):
                # Whether anybody is there can be seen without a word to them.
                yield from Way("address", problem.url, "that address", self.settings.timeout, True, None).lines()
            return
        self._signing_in = SigningIn(self._named)
        yield topic.fine(f"{self._named.named}: {self._named.account.how}")

    def _way_to_identity(self) -> Lines:
        account = self._named.account
        if not account.identity:
            yield Topic("Identity", "").untried("none is needed")
            return
        yield from self._way("Identity", account.identity, AUTH_URL)

    def _way(self, whose: str, url: str, setting: str) -> Lines:
        account = self._named.account
        way = Way(whose, url, setting, self.settings.timeout, account.verify, account.cert)
        reached = True
        for line in way.lines():
            reached = reached and line.fault is None
            yield line
        if reached and whose == "Identity":
            yield from self._signing_in.root()

    def _way_to_the_service(self) -> Lines:
        service, account = self._signing_in.service, self._named.account
        if service is None:  # the step before has ended otherwise
            return
        from_catalogue = not (self._named.address or account.fixed)
        setting = "the catalogue, or OS_IMAGE_ENDPOINT_OVERRIDE" if from_catalogue else self._named.named
        if not account.identity or origin_of(account.identity) != origin_of(service.endpoint):
            troubled = False
            for line in self._way("image service", service.endpoint, setting):
                troubled = troubled or line.fault is not None
                yield line
            if troubled:
                yield from self._signing_in.other_endpoints()
                return
        settings = replace(self.settings, reports=None)
        run = Run(settings, service, credentials_of(account), _stack=self._stack)
        if self.write and not settings.reference:
            note_down(run)
        self._questions = Questions(run, setting, self.environ)


def _told(step: Lines, name: str) -> Lines:
    """Yield the lines of a step; where the doctor itself breaks off, that is told as what it is."""
    try:
        yield from step
    except ConfigurationError as problem:
        yield Topic(name, "").mistaken(*in_two(str(problem)))
    except Blocked as problem:
        came, advice = in_two(str(problem))
        yield Topic(name, "").broken(came, advice or "See whether the service is up, and what its log says.")
    except Exception as problem:  # noqa: BLE001 - whatever is wrong with us, what was seen before stays told
        what = f"this is an error of the suite itself: {type(problem).__name__}: {problem}"
        yield Topic(name, "").failed(what[:LONGEST], "Report it, with what stands there.")
