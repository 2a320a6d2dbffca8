"""Tokens that open nothing: unknown ones, odd forms of a valid one, and those that have ended."""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import BASIC, TOKEN, Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.polling import Eventually
from pytest_cloudimages.client.recorder import Recorder
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.run import Run

PLAINEST = 2
"""How many of the unknown tokens are tried with each method."""
VERY_LONG = 4_000
"""Octets of a very long token: no more than the headers of PKI tokens had."""
TOO_LARGE = frozenset({400, 413, 431})
"""What a front server may answer to a header field that is too large for it, whatever it says."""
IN_A_QUERY = re.compile(r"[A-Za-z0-9._~-]+")
"""The tokens that a query holds as they are, so that no report shows one in another spelling."""


@dataclass(frozen=True)
class Asker:
    """A caller with what its requests carry besides; ``odd`` forms are tried with one method each."""

    client: ImagesClient
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: str = field(default="", repr=False)
    raw: bool = False
    """Whether its requests need a connection of their own, octet for octet."""
    odd: bool = False
    besides: frozenset[int] = frozenset()
    """The statuses that are as good as 401."""

    def ask(self, method: str, target: str, json: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request as this caller."""
        sent = {**(headers or {}), **self.headers}
        if self.raw:
            return self.client.raw(method, target + self.query, headers=sent)
        return self.client.send(method, target + self.query, json=json, headers=sent)


def unknown_tokens(client: ImagesClient) -> Iterator[Asker]:
    """Yield callers with tokens that no Identity service has issued; the plainest come first."""
    own = _own(client)
    tokens = {
        "like Fernet": "gAAAAABm" + uuid.uuid4().hex * 4 + "==",
        "the tester's own, backwards": own[::-1] if own != own[::-1] else uuid.uuid4().hex,
        "the tester's own, cut short": own[:-1] or "x",
        "the tester's own, and more": f"{own}x",
        "the tester's own, behind a letter": f"x{own}",
        "a word": "no-such-token",
    }
    for place, (kind, token) in enumerate(tokens.items()):
        yield Asker(_with(client, kind, token), odd=place >= PLAINEST)


def odd_tokens(client: ImagesClient) -> Iterator[Asker]:
    """Yield callers whose request holds no token, though it may remind of a valid one."""
    own = _own(client)
    yield Asker(client.calling("an empty token", lambda: None), headers={TOKEN: ""}, odd=True)
    forms = {
        "the tester's own, behind Bearer": f"Bearer {own}",
        "the tester's own, in quotation marks": f'"{own}"',
        "the tester's own, twice": f"{own},{own}",
        "the tester's own, upper case for lower": own.swapcase(),
    }
    for kind, token in forms.items():
        if token != own:
            yield Asker(_with(client, kind, token), odd=True)
    long = f"{own}{'x' * VERY_LONG}"
    yield Asker(_with(client, "the tester's own, and 4,000 letters more", long), odd=True, besides=TOO_LARGE)
    half = len(own) // 2
    if half:
        # Neither field holds a valid token; both at once are no header that is defined.
        halves = {TOKEN: own[:half], TOKEN.lower(): own[half:]}
        for part in halves.values():
            SECRETS.keep(part)
        yield Asker(client.calling("a token in two headers", lambda: None), headers=halves, raw=True, odd=True)


def token_elsewhere(client: ImagesClient) -> Iterator[Asker]:
    """Yield a caller who shows no token in the header, and a valid one in the query, which no specification knows."""
    if IN_A_QUERY.fullmatch(own := _own(client)):
        yield Asker(client.calling("nobody, the token in the query", lambda: None), query=f"?{TOKEN}={own}", odd=True)


def _own(client: ImagesClient) -> str:
    own = client.token() or ""
    # Other octets may say the same name and password.
    return "" if own.startswith(BASIC) else own


def _with(client: ImagesClient, kind: str, token: str) -> ImagesClient:
    if "own" in kind and len(token) < VERY_LONG:  # of a long one, the tester's own is what is secret
        SECRETS.keep(token)  # almost as good as the tester's
    return client.calling(f"an invalid token ({kind})", partial(str, token))


def not_valid(run: Run, askers: Iterable[Asker], let_off: dict[str, str]) -> Iterator[Asker]:
    """Yield those whose token is not valid.

    That is for Identity to say, where it can be asked: Keystone passes over what base64 has no letter for.
    """
    for asker in askers:
        token = asker.client.token()
        if token and run.owner.vouches_for(token):
            let_off[asker.client.caller] = "Identity says that it is valid."
        else:
            yield asker


def ended_and_unscoped(run: Run, image: Image, tag: str, let_off: dict[str, str]) -> tuple[list[Asker], list[Asker]]:
    """Return callers whose tokens have ended, and one whose token is for no project.

    A token that the run revokes itself was used before, to list images and to add and delete a tag: a service may
    remember what it has seen to be valid, and one door of it what another has not seen. It has the tester's patience
    to forget it: keystonemiddleware remembers a token for 300 s (``token_cache_time``).
    """
    client = run.client
    ended = [Asker(caller) for caller in run.ended_callers()]
    further = run.owner.further()
    if further is None:
        let_off["a token that is revoked after its use"] = "no Identity service is named that issues and revokes one."
        return ended, []
    patience = run.settings.patience
    caller = f"a token that was used, then revoked, and given {patience:g} s to be forgotten"
    revoked = Asker(client.calling(caller, partial(str, further.value)))
    token = further.unscoped() if run.rounds else None
    with run.recorder.of(Purpose.PREPARING):
        doors = (partial(revoked.client.list, limit="1"), partial(revoked.client.add_tag, image.id, tag))
        if run.rounds:
            revoked.client.delete_tag(image.id, tag)
        for look in doors if run.rounds else doors[:1]:
            look()
        if further.revoke():
            for look in doors:
                Eventually(patience, Recorder()).until(look(), look, lambda answer: answer.status == 401)  # noqa: PLR2004 - as HTTP has it
            ended.append(revoked)
    unscoped = client.calling("a token without a project", partial(str, token))
    return ended, [Asker(unscoped)] if token else []
