"""The ground of a run: what is judged, who asks, and everything that is open as long as the run lasts."""

import copy
import hashlib
import os
import urllib.parse
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import pytest

from pytest_cloudimages import credentials
from pytest_cloudimages.client import Answer, Image, ImagesClient, Patience
from pytest_cloudimages.credentials import Credentials, Service
from pytest_cloudimages.exchanges import Purpose, Transcript
from pytest_cloudimages.lifetimes import borrowed, created
from pytest_cloudimages.options import ConfigurationError, Options
from pytest_cloudimages.verdicts import Blocked
from pytest_cloudimages.wire import Wire

OTHERS = {"ALT": "another project", "READER": "a reader", "CREATOR": "a creator", "ADMIN": "an administrator"}


@dataclass
class Ground:
    """A service, the callers that are known to it, and the images that tests may use. Close it in the end."""

    options: Options
    service: Service
    owner: Credentials
    transcript: Transcript = field(default_factory=Transcript)
    others: dict[str, Credentials | Blocked | None] = field(default_factory=dict)
    """Further callers, or why there is none."""
    ended: dict[str, str] = field(default_factory=dict, repr=False)
    """Tokens that were valid once, by what ended them."""
    _stack: ExitStack = field(default_factory=ExitStack)
    problem: Blocked | None = None
    """Why nothing can be judged, where that is so."""
    beyond_must: bool = False
    """Whether a requirement of another level than MUST is asked for."""
    meant: Service | None = None
    """The service that a dry run leaves alone."""

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
        return ImagesClient(self.service.endpoint, self.wire, self.transcript, self.owner.token, renew=self.owner.renew)

    @cached_property
    def patience(self) -> Patience:
        """How long acknowledged changes are waited for."""
        return Patience(self.options.patience, self.transcript)

    def caller(self, who: str) -> ImagesClient | None:
        """Give a further caller (ALT, READER, CREATOR or ADMIN); ``None`` where no credentials were given."""
        found = self.others.get(who)
        if isinstance(found, Blocked):
            raise found
        return self.client.calling(OTHERS[who], found.token, found.renew) if found else None

    def able(self, who: str) -> ImagesClient | None:
        """Give a further caller that the service lets in; ``None`` where there is none, whatever the reason."""
        with suppress(Blocked), self.transcript.of(Purpose.PREPARING):
            client = self.caller(who)
            if client and client.list(limit="1").ok:
                return client
        return None

    def ended_callers(self) -> list[ImagesClient]:
        """Give callers whose tokens were valid once."""
        return [
            self.client.calling(f"{'an' if kind == 'expired' else 'a'} {kind} token", partial(str, token))
            for kind, token in self.ended.items()
        ]

    @property
    def rounds(self) -> int:
        """How often every class of unusual tags is drawn; at least once where more than every MUST is asked for."""
        return self.options.effort.rounds or int(self.beyond_must)

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
    def fresh_image(self, *, own: bool = False, **attributes: object) -> Iterator[Image]:
        """Open an image without tags for one block, and leave no trace of it.

        ``own`` says that more than its tags will be changed, which is never done to an image that was lent.
        """
        if self.problem:
            raise self.problem
        with self._image(own=own, **attributes) as image:
            yield image

    def _image(self, *, own: bool, **attributes: object) -> AbstractContextManager[Image]:
        if self.options.image and (own or attributes.keys() - {"name"}):
            pytest.skip("needs an image of its own, and one was lent; run without --image where images can be created")
        if not self.options.image:
            return self._created(attributes)
        free = [one for one in self.options.image if one not in self._lent]
        if not free:
            raise Blocked("This asks for one more image than was lent; lend another with a further --image ID.")
        return self._borrowed(free[0])

    @contextmanager
    def _created(self, attributes: dict[str, object]) -> Iterator[Image]:
        with ExitStack() as stack:
            try:
                image = stack.enter_context(created(self.client, self.run, self.patience, **attributes))
            except Blocked as problem:
                wanted = attributes.keys() & {"visibility", "protected", "tags"}
                if not wanted:
                    raise
                # What a service need not offer is no missing ground.
                pytest.skip(f"needs an image with {' and '.join(sorted(wanted))} set, which cannot be had: {problem}")
            yield image

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
        """Give the id of the project that a client acts for; the check is *untested* where nothing tells it."""
        if client.caller not in self._owners:
            who = {words: name for name, words in OTHERS.items()}.get(client.caller)
            known = self.others.get(who) if who else self.owner
            self._owners[client.caller] = getattr(known, "project_id", None) or self._shown_owner(client)
        return self._owners[client.caller]

    def _shown_owner(self, client: ImagesClient) -> str:
        with created(client, self.run, self.patience) as image:
            data = image.waited_for(image.show, lambda answer: answer.ok).data
        owner = data.get("owner") if isinstance(data, dict) else None
        if not isinstance(owner, str):
            pytest.skip(f"needs the id of the project of {client.caller}, which its images do not name")
        return owner

    def same_project(self, who: str) -> bool:
        """Whether a further caller (ALT, …) is known to act for the tester's own project."""
        other = self.others.get(who)
        mine = self.owner.project_id
        return isinstance(other, Credentials) and mine is not None and other.project_id == mine

    def close(self) -> None:
        """Close connections, and the embedded server if it was judged."""
        self._stack.close()


FreshImage = Callable[..., AbstractContextManager[Image]]


def prepare(options: Options) -> Ground:
    """Find out what is to be judged and whether it can be asked at all.

    Raises ``ConfigurationError`` for whatever the tester can mend. Where the service cannot be asked, the ground says
    so in ``problem``. A dry run stands on the embedded server, whatever it was to judge, with as many identities and
    images as were given; nothing is sent to the service then.
    """
    stack, environ = ExitStack(), dict(os.environ)
    with ExitStack() as failing:
        failing.push(stack)
        ground: Ground | None = None
        meant: Service | None = None
        if options.dry_run and not options.reference:
            meant, owner = credentials.find(options, environ)
            given = {who for who in OTHERS if credentials.find_other(options, environ, who, meant)}
            environ = _embedded(stack, options, {who: who in given for who in OTHERS})
            ended = credentials.ended(dict(os.environ), owner)
            environ |= {f"CLOUDIMAGES_{kind.upper()}_TOKEN": "one-that-was-valid" for kind in ended}
            options = replace(options, reference=True, url=None, cloud=None, other_cloud=None, reader_cloud=None)
            options = replace(options, creator_cloud=None, admin_cloud=None)
        elif options.reference:
            environ = _embedded(stack, options)
        try:
            ground = Ground(options, *credentials.find(options, environ), _stack=stack)
            ground.meant = meant
            _ask_first(ground)
            ground.ended |= credentials.ended(environ, ground.owner)
            ground.others |= {who: _other(options, environ, who, ground.service) for who in OTHERS}
        except Blocked as problem:
            if ground is None:
                service = Service(options.url or "", None, "unknown")
                ground = Ground(options, service, credentials.nobody(), _stack=stack)
            ground.problem = problem
        # From here on it is the ground that closes what is open.
        failing.pop_all()
    return ground


def _embedded(stack: ExitStack, options: Options, others: Mapping[str, bool] | None = None) -> dict[str, str]:
    """Serve the embedded server, with the images that are to be borrowed, and give the variables that lead to it."""
    from pytest_cloudimages.reference.app import App
    from pytest_cloudimages.reference.images import Caller
    from pytest_cloudimages.reference.server import environment, serving

    app = App()
    server = stack.enter_context(serving(app))
    for identifier in options.image if options.dry_run else ():
        app.images.create(Caller(app.identity.users["tester"].project.id), {"id": identifier, "name": identifier})
    left_out = tuple(f"OS_{who}_" for who, given in (others or {}).items() if not given)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "CLOUDIMAGES_"))}
    return environ | {name: value for name, value in environment(server).items() if not name.startswith(left_out)}


def _other(options: Options, environ: dict[str, str], who: str, service: Service) -> Credentials | Blocked | None:
    try:
        return credentials.find_other(options, environ, who, service)
    except Blocked as problem:
        return problem


def _ask_first(ground: Ground) -> None:
    """Ask one harmless question, so that a wrong address or token is told as such, and not forty times."""
    with ground.transcript.of(Purpose.PREPARING):
        # That the token is refused is the very question.
        client = replace(ground.client, renew=None)
        answer = client.list(limit="1")
        if answer.status == 401:  # noqa: PLR2004 - as HTTP has it
            challenge = answer.headers.get("WWW-Authenticate", "none")
            request = answer.headers.get("x-openstack-request-id", "none")
            raise ConfigurationError(
                f"{ground.service.endpoint} refuses the token ({ground.owner.how}) with 401, challenge: {challenge},"
                f" request id: {request}. Give a token that is valid for this service and has not expired."
            )
        strange = _not_a_list(answer)
        # Where the list alone is out of order, the rest can still be judged; where it is not there, it is no such API.
        if strange and (answer.status == 404 or _not_an_absence(client.show(str(uuid.uuid4())))):  # noqa: PLR2004
            raise Blocked(
                f"{ground.service.endpoint} does not answer as an image service does: {strange}. Is there a proxy in"
                " between, is it another service's address, or has the role no right to see images? The endpoint ends"
                " in /v2."
            )
        for identifier in ground.options.image:
            found = client.show(urllib.parse.quote(identifier, safe=""))
            if found.status in (400, 404):
                raise ConfigurationError(
                    f"There is no image {identifier!r} to borrow at {ground.service.endpoint} (answer {found.status})."
                    " Give the id, not the name, of an image whose tags you may change; without --image one is created."
                )


def _not_a_list(answer: Answer) -> str:
    """Tell what the answer is, where it is no list of images."""
    listed = isinstance(answer.data, dict) and isinstance(answer.data.get("images"), list)
    return "" if answer.status == 200 and listed else _described(answer)  # noqa: PLR2004 - as HTTP has it


def _not_an_absence(answer: Answer) -> bool:
    """Whether the answer does not say as an API does that there is no such image."""
    page = "html" in answer.headers.get("Content-Type", "") and b"<html" in answer.body[:400].lower()
    return answer.status != 404 or page  # noqa: PLR2004 - as HTTP has it


def _described(answer: Answer) -> str:
    kind = answer.headers.get("Content-Type", "no type").partition(";")[0]
    shown = f"status {answer.status or 'none'}, {kind}"
    if answer.status in (301, 302, 303, 307, 308):
        return f"{shown}, a redirection to {answer.headers.get('Location', 'nowhere')}"
    return f"{shown}, beginning {answer.body[:60].decode('utf-8', 'replace')!a}" if answer.body else shown
