"""The ground of a run: what is judged, who asks, and everything that is open as long as the run lasts."""

import copy
import hashlib
import os
import urllib.parse
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

import pytest

from pytest_cloudimages import credentials
from pytest_cloudimages.client import Answer, Image, ImagesClient, Patience, borrowed, created
from pytest_cloudimages.credentials import Credentials, Service
from pytest_cloudimages.exchanges import Purpose, Transcript
from pytest_cloudimages.options import ConfigurationError, Options
from pytest_cloudimages.verdicts import Blocked
from pytest_cloudimages.wire import Wire

OTHERS = {"ALT": "another project", "READER": "a reader", "ADMIN": "an administrator"}


@dataclass
class Ground:
    """A service, the callers that are known to it, and the images that tests may use. Close it in the end."""

    options: Options
    service: Service
    owner: Credentials
    transcript: Transcript = field(default_factory=Transcript)
    others: dict[str, Credentials | Blocked | None] = field(default_factory=dict)
    """Further callers, or why there is none."""
    _stack: ExitStack = field(default_factory=ExitStack)
    problem: Blocked | None = None
    """Why nothing can be judged, where that is so."""

    @cached_property
    def run(self) -> str:
        """A short name of this run, for the images it creates."""
        return hashlib.sha256(f"{os.getpid()} {self.options.seed}".encode()).hexdigest()[:6]

    @cached_property
    def wire(self) -> Wire:
        """The connections to the service."""
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(self.service.endpoint))
        wire = Wire(origin, timeout=self.options.timeout, verify=self.service.verify, cert=self.service.cert)
        self._stack.callback(wire.close)
        return wire

    @cached_property
    def client(self) -> ImagesClient:
        """The caller whose images are used."""
        return ImagesClient(self.service.endpoint, self.wire, self.transcript, self.owner.token)

    @cached_property
    def patience(self) -> Patience:
        """How long acknowledged changes are waited for."""
        return Patience(self.options.patience, self.transcript)

    def caller(self, who: str) -> ImagesClient | None:
        """Give a further caller (ALT, READER or ADMIN); ``None`` where no credentials were given."""
        found = self.others.get(who)
        if isinstance(found, Blocked):
            raise found
        return self.client.calling(OTHERS[who], found.token) if found else None

    def number(self, salt: str) -> int:
        """Give a number that follows from the seed, and differs from experiment to experiment."""
        return zlib.crc32(f"{self.options.seed} {salt}".encode())

    def with_seed(self, seed: int) -> "Ground":
        """Give the same ground, with the same connections, for another seed."""
        twin = copy.copy(self)
        twin.options = replace(self.options, seed=seed)
        return twin

    @property
    def single(self) -> bool:
        """Whether there is but one image to use."""
        return len(self.options.image) == 1

    @contextmanager
    def fresh_image(self, **attributes: object) -> Iterator[Image]:
        """Open an image without tags for one block, and leave no trace of it."""
        if self.problem:
            raise self.problem
        with self._image(**attributes) as image:
            yield image

    def _image(self, **attributes: object) -> AbstractContextManager[Image]:
        if self.options.image and attributes.keys() - {"name"}:
            pytest.skip("needs an image of its own, and one was lent; run without --image where images can be created")
        if not self.options.image:
            return created(self.client, self.run, self.patience, **attributes)
        free = [one for one in self.options.image if one not in self._lent]
        if not free:
            raise Blocked("This asks for one more image than was lent; lend another with a further --image ID.")
        return self._borrowed(free[0])

    _lent: set[str] = field(default_factory=set)
    _owners: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def _borrowed(self, identifier: str) -> Iterator[Image]:
        self._lent.add(identifier)
        try:
            with borrowed(self.client, identifier, self.patience) as image:
                yield image
        finally:
            self._lent.discard(identifier)

    def owner_of(self, client: ImagesClient) -> str:
        """Give the id of the project that a client acts for. Raises ``Blocked`` where its image names no owner."""
        if client.caller not in self._owners:
            with created(client, self.run) as image:
                data = image.show().data
            owner = data.get("owner") if isinstance(data, dict) else None
            if not isinstance(owner, str):
                raise Blocked(f"An image of {client.caller} does not name its owner.")
            self._owners[client.caller] = owner
        return self._owners[client.caller]

    def close(self) -> None:
        """Close connections, and the embedded server if it was judged."""
        self._stack.close()


FreshImage = Callable[..., AbstractContextManager[Image]]


def prepare(options: Options) -> Ground:
    """Find out what is to be judged and whether it can be asked at all.

    Raises ``ConfigurationError`` for whatever the tester can mend. Where the service cannot be asked, the ground says
    so in ``problem``.
    """
    stack, environ = ExitStack(), dict(os.environ)
    with ExitStack() as failing:
        failing.push(stack)
        ground: Ground | None = None
        if options.reference:
            from pytest_cloudimages.reference.app import App
            from pytest_cloudimages.reference.server import environment, serving

            server = stack.enter_context(serving(App()))
            environ = {name: value for name, value in environ.items() if not name.startswith(("OS_", "CLOUDIMAGES_"))}
            environ |= environment(server)
        try:
            ground = Ground(options, *credentials.find(options, environ), _stack=stack)
            _ask_first(ground)
            ground.others |= {who: _other(options, environ, who, ground.service) for who in OTHERS}
        except Blocked as problem:
            if ground is None:
                service = Service(options.url or "", None, "unknown")
                ground = Ground(options, service, credentials.nobody(), _stack=stack)
            ground.problem = problem
        # From here on it is the ground that closes what is open.
        failing.pop_all()
    return ground


def _other(options: Options, environ: dict[str, str], who: str, service: Service) -> Credentials | Blocked | None:
    try:
        return credentials.find_other(options, environ, who, service)
    except Blocked as problem:
        return problem


def _ask_first(ground: Ground) -> None:
    """Ask one harmless question, so that a wrong address or token is told as such, and not forty times."""
    with ground.transcript.of(Purpose.PREPARING):
        answer = ground.client.list(limit="1")
        if answer.status == 401:  # noqa: PLR2004 - as HTTP has it
            challenge = answer.headers.get("WWW-Authenticate", "none")
            request = answer.headers.get("x-openstack-request-id", "none")
            raise ConfigurationError(
                f"{ground.service.endpoint} refuses the token ({ground.owner.how}) with 401, challenge: {challenge},"
                f" request id: {request}. Give a token that is valid for this service and has not expired."
            )
        if strange := _not_an_api(answer):
            raise Blocked(
                f"{ground.service.endpoint} does not answer as an image service does: {strange}. Is there a proxy in"
                " between, or is it another service's address? The endpoint ends in /v2."
            )
        for identifier in ground.options.image:
            found = ground.client.show(identifier)
            if found.status in (400, 404):
                raise ConfigurationError(
                    f"There is no image {identifier!r} to borrow at {ground.service.endpoint} (answer {found.status})."
                    " Give the id, not the name, of an image whose tags you may change; without --image one is created."
                )


def _not_an_api(answer: Answer) -> str:
    """Tell what the answer is, where it cannot be an image service's."""
    kind = answer.headers.get("Content-Type", "no type").partition(";")[0]
    shown = f"status {answer.status or 'none'}, {kind}"
    if answer.status in (301, 302, 303, 307, 308):
        return f"{shown}, a redirection to {answer.headers.get('Location', 'nowhere')}"
    listed = isinstance(answer.data, dict) and "images" in answer.data
    if answer.status == 200 and not listed and answer.data is None:  # noqa: PLR2004 - as HTTP has it
        return f"{shown}, beginning {answer.body[:60].decode('utf-8', 'replace')!a}"
    return shown if answer.status in (0, 404, 502, 503, 504) else ""
