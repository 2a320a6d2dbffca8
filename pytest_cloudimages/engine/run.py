"""What a run stands on: what is judged, who asks, and everything that is open as long as the run lasts."""

import copy
import secrets
import threading
import urllib.parse
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import pytest

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.auth.catalogue import VENDORS_NAME
from pytest_cloudimages.client.auth.credentials import Credentials, Service
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.showing import Short
from pytest_cloudimages.client.transport import Transport
from pytest_cloudimages.engine.choices import SPECIFICATIONS
from pytest_cloudimages.engine.lending import borrowed_image
from pytest_cloudimages.engine.provisioning import A_NEW_IMAGE, temporary_image
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.engine.task_pool import TaskPool
from pytest_cloudimages.history.resource import SetResource
from pytest_cloudimages.spec.verdicts import Blocked

OTHERS = {"ALT": "another project", "READER": "a reader", "CREATOR": "a creator", "ADMIN": "an administrator"}
ROLES = {
    "ACCOUNT_ADMIN": "an administrator of the account",
    "IMAGES_ADMIN": "an administrator of images",
    "OBSERVER": "an observer of all products",
    "TWO_ROLES": "an observer who is an administrator of images",
}
"""Callers that nobody but the checks of roles asks for; they sign in when they are asked for first."""
ADMINISTRATORS = frozenset({"admin"})
"""What Identity calls the role of administrators."""


@dataclass
class Run(Short):
    """A service, the callers that are known to it, and the images that tests may use. Close it in the end."""

    settings: Settings
    service: Service
    owner: Credentials
    recorder: Recorder = field(default_factory=Recorder)
    name: str = field(default_factory=partial(secrets.token_hex, 6))
    """The id of this run, which no other run has: in the names and properties of its images, and in the ledger."""
    others: dict[str, Credentials | Blocked | None] = field(default_factory=dict)
    """Further callers, or why there is none."""
    find_caller: Callable[[str], Credentials | Blocked | None] = field(default=lambda _: None, repr=False)
    """Signs one of ``ROLES`` in, or returns why it cannot."""
    ended: dict[str, str] = field(default_factory=dict, repr=False)
    """Tokens that were valid once, by what ended them."""
    _stack: ExitStack = field(default_factory=ExitStack)
    problem: Blocked | None = None
    """Why nothing can be judged, where that is so."""
    claims: dict[str, str] = field(default_factory=dict)
    """The areas of the catalogue that the service says it has, with the document that says so."""
    documents: dict[str, Answer] = field(default_factory=dict, repr=False)
    """The schemas that were asked for to know that, by their names, where the service shows them."""
    takes_attributes: bool = True
    """Whether the service takes attributes with values of our choice when an image is created."""
    takes_empty: bool = True
    """Whether it takes one whose value is an empty string, too."""
    beyond_must: bool = False
    """Whether a requirement of another level than MUST is asked for."""
    meant: Service | None = None
    """The service that a dry run leaves alone."""
    pool: TaskPool | None = field(default=None, repr=False)
    """Who carries out at once what touches no image of others; nobody, but while workloads are made beside others."""
    watched: Callable[..., None] | None = field(default=None, repr=False)
    """Who looks at what the workload in the making has so far; nobody, where that would keep others waiting."""
    restored: tuple[SetResource, ...] = ()
    """The sets of a lent image that are emptied for a test, and restored, where the test names no others."""

    def __repr__(self) -> str:
        return f"<Run of {self.service.endpoint or 'nothing'}, profile {self.settings.profile}, {self.recorder}>"

    @cached_property
    def transport(self) -> Transport:
        """The connections to the service."""
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(self.service.endpoint))
        transport = Transport(
            origin,
            timeout=self.settings.timeout,
            verify=self.service.verify,
            cert=self.service.cert,
            most=self.settings.max_body,
        )
        transport.way.pace.least = 1 / self.settings.max_rps if self.settings.max_rps else 0.0
        self._stack.callback(transport.close)
        return transport

    @cached_property
    def client(self) -> ImagesClient:
        """The caller whose images are used."""
        self.recorder.traces.delete_as_another = self._delete_as_another
        return ImagesClient(
            self.service.endpoint, self.transport, self.recorder, self.owner.token, renew=self.owner.renew
        )

    def _delete_as_another(self, image: str) -> bool:
        """Delete an image as the tester, who may be of the same project, or as an administrator."""
        for who in ("", "ADMIN"):
            with suppress(Blocked):
                client = self.caller(who) if who else self.client
                if client and client.delete(image).ok:
                    return True
        return False

    @cached_property
    def patience(self) -> Eventually:
        """How long acknowledged changes are waited for."""
        return Eventually(self.settings.patience, self.recorder)

    def caller(self, who: str) -> ImagesClient | None:
        """Return a further caller, one of ``OTHERS`` or ``ROLES``; ``None`` where no credentials were given."""
        if who in ROLES and who not in self.others:
            with self._looking:
                self.others[who] = self.others[who] if who in self.others else self.find_caller(who)
        found = self.others.get(who)
        if isinstance(found, Blocked):
            raise found
        return self.client.calling((OTHERS | ROLES)[who], found.token, found.renew) if found else None

    def able(self, who: str) -> ImagesClient | None:
        """Return a further caller that the service lets in; ``None`` where there is none, whatever the reason."""
        with suppress(Blocked), self.recorder.of(Purpose.PREPARING):
            client = self.caller(who)
            if client and client.list(limit="1").ok:
                return client
        return None

    def of_another_project(self, *, able: bool = False) -> ImagesClient | None:
        """Return a caller of a second project; ``None`` where there is none, as ``no_other_project`` has it.

        ``able``: one that the service lets in, as the method of that name has it.
        """
        if self.no_other_project:
            return None
        return self.able("ALT") if able else self.caller("ALT")

    @property
    def no_other_project(self) -> str:
        """Why nobody stands for other projects; empty where somebody was named who may do no more than they."""
        named = self.others.get("ALT")
        if named is None:
            return "needs a second project"
        if self.same_project("ALT"):
            return "needs a second project, and the credentials given for it are of the tester's own"
        # The vendor's are of an account alone (rulings, 18).
        if self.is_named_administrator("ALT") and not self.of_the_vendor:
            return "needs a second project, and Identity says that who was named for it is an administrator"
        if problem := self.transport.way.shut_out.get(OTHERS["ALT"]):
            return f"needs a second project. {problem}"
        return ""

    def is_named_administrator(self, who: str) -> bool:
        """Return whether Identity says that a caller is an administrator.

        ``who`` is one of the further callers, or empty for the tester.
        """
        known = self.others.get(who) if who else self.owner
        names = known.roles() if isinstance(known, Credentials) else None
        return bool(ADMINISTRATORS.intersection(map(str.lower, names or ())))

    def ended_callers(self) -> list[ImagesClient]:
        """Return callers whose tokens were valid once."""
        return [
            self.client.calling(f"{'an' if kind == 'expired' else 'a'} {kind} token", partial(str, token))
            for kind, token in self.ended.items()
        ]

    @property
    def of_the_vendor(self) -> bool:
        """Whether the service is the vendor's: its catalogue calls it so, the tester says so, or it is embedded."""
        service = self.meant or self.service
        embedded = self.settings.reference and not self.meant
        return embedded or service.name == VENDORS_NAME or self.settings.reading == SPECIFICATIONS[0]

    @property
    def rounds(self) -> int:
        """How often every class of unusual tags is drawn; at least once where more than every MUST is asked for."""
        return self.settings.effort.rounds or int(self.beyond_must)

    def number(self, salt: str) -> int:
        """Return a number that follows from the seed, and differs from workload to workload by its salt."""
        return zlib.crc32(f"{self.settings.seed} {salt}".encode())

    def show(self, so_far: Callable[[], Any], *, due: bool = False) -> None:
        """Let whoever watches look at what a workload has so far: between two steps, when each stands for itself.

        ``due``: at once, since something is amiss.
        """
        if self.watched is not None:
            self.watched(so_far, due=due)

    def with_seed(self, seed: int) -> "Run":
        """Return the same run, with the same connections, for another seed."""
        twin = copy.copy(self)
        twin.settings = replace(self.settings, seed=seed)
        return twin

    @property
    def single(self) -> bool:
        """Whether there is but one image to use."""
        return len(self.settings.image) == 1

    @contextmanager
    def fresh_image(
        self, *, own: bool = False, resources: Sequence[SetResource] | None = None, **attributes: object
    ) -> Iterator[Image]:
        """Open an image whose sets are empty for one block, and leave no trace of it.

        ``resources`` are the sets that will be changed, by default the tags; they are restored where the image was
        lent. ``own`` says that more will be changed, which is never done to an image that was lent.
        """
        if self.problem:
            raise self.problem
        restored = self.restored if resources is None else resources
        with self._image(own=own, restored=restored, **attributes) as image:
            yield image

    def require_own(self) -> None:
        """Skip what changes more of an image than can be put back, or rests on how it began, where images were lent."""
        if self.settings.image:
            pytest.skip(
                "needs an image of its own, and one was lent; run without"
                f" {self.settings.prefix}image where images can be created"
            )

    def _image(
        self, *, own: bool, restored: Sequence[SetResource], **attributes: object
    ) -> AbstractContextManager[Image]:
        if own or attributes.keys() - {"name"}:
            self.require_own()
        if not self.settings.image:
            return self._created(attributes)
        free = [identifier for identifier in self.settings.image if identifier not in self._lent]
        if not free:
            option = f"{self.settings.prefix}image"
            raise Blocked(f"This needs one more image than was lent; lend another with a further {option} ID.")
        return self._borrowed(free[0], restored)

    @contextmanager
    def _created(self, attributes: dict[str, object]) -> Iterator[Image]:
        with ExitStack() as stack:
            try:
                with self.recorder.traces.first_alone():
                    image = stack.enter_context(
                        temporary_image(self.client, self.name, self.patience, self.restored, **attributes)
                    )
            except Blocked as problem:
                wanted = attributes.keys() & {"visibility", "protected", "tags"}
                if not wanted:
                    raise
                # What a service need not offer is no failed precondition.
                pytest.skip(f"needs an image with {' and '.join(sorted(wanted))} set, which cannot be had: {problem}")
            yield image

    _lent: set[str] = field(default_factory=set)
    _owners: dict[str, str] = field(default_factory=dict)
    _same_owner: dict[str, bool] = field(default_factory=dict)
    _looking: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @contextmanager
    def _borrowed(self, identifier: str, restored: Sequence[SetResource]) -> Iterator[Image]:
        self._lent.add(identifier)
        try:
            with borrowed_image(self.client, identifier, restored, self.patience) as image:
                yield image
        finally:
            self._lent.discard(identifier)

    def owner_of(self, client: ImagesClient) -> str:
        """Return the id of the project that a client acts for; the check is *untested* where nothing says it."""
        with self._looking:
            return self._owner_of(client)

    def _owner_of(self, client: ImagesClient) -> str:
        if client.caller not in self._owners:
            who = {words: name for name, words in (OTHERS | ROLES).items()}.get(client.caller)
            known = self.others.get(who) if who else self.owner
            self._owners[client.caller] = getattr(known, "project_id", None) or self._shown_owner(client)
        return self._owners[client.caller]

    def _shown_owner(self, client: ImagesClient) -> str:
        with ExitStack() as stack:
            try:
                image = stack.enter_context(temporary_image(client, self.name, self.patience))
            except Blocked as problem:
                if why := self.recorder.lacking.get(f"{A_NEW_IMAGE} {client.caller}"):
                    pytest.skip(f"needs the id of the project of {client.caller}, whose images would tell it: {why}")
                raise problem from None
            data = image.eventually(image.show, lambda answer: answer.ok).data
        owner = data.get("owner") if isinstance(data, dict) else None
        if not isinstance(owner, str):
            pytest.skip(f"needs the id of the project of {client.caller}, which its images do not name")
        return owner

    def same_project(self, who: str) -> bool:
        """Return whether a further caller (ALT, …) is known to act for the tester's own project."""
        other = self.others.get(who)
        if not isinstance(other, Credentials):
            return False
        if self.owner.project_id is None or other.project_id is None:
            return self._shows_the_same_owner(who)
        return other.project_id == self.owner.project_id

    def _shows_the_same_owner(self, who: str) -> bool:
        """Return whether an image of the second project's has the owner that one of the tester's has.

        Tokens do not say which project they are for. With a lent image, none is created to find out.
        """
        if who != "ALT" or self.settings.image:
            return False
        with self._looking:
            if who not in self._same_owner:
                self._same_owner[who] = False
                with suppress(Blocked, pytest.skip.Exception), self.recorder.of(Purpose.PREPARING):
                    client = self.caller(who)
                    self._same_owner[who] = client is not None and self.owner_of(client) == self.owner_of(self.client)
            return self._same_owner[who]

    def at_the_end(self, end: Callable[[], object]) -> None:
        """Have something ended when the run is over, before the connections are closed."""
        _ = self.transport  # so that it is open before, and closed after
        self._stack.callback(end)

    def close(self) -> None:
        """Close connections, and the embedded server if it was judged."""
        self._stack.close()


FreshImage = Callable[..., AbstractContextManager[Image]]
