"""Who asks for what on an image: the callers that are given, and tokens that open nothing."""

from pytest_cloudimages.areas.common.parties import KNOWN_AS, Party
from pytest_cloudimages.areas.common.tokens import (
    Asker,
    ended_and_unscoped,
    not_valid,
    odd_tokens,
    token_elsewhere,
    unknown_tokens,
)
from pytest_cloudimages.areas.tags.access_requests import THERE
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

FILTERED = {"X-Identity-Status": "Confirmed", "X-Roles": "admin", "X-Is-Admin": "true", "X-Is-Admin-Project": "True"}
"""Header fields by which Keystone's token filter says who asks."""
PROJECT = ("X-Project-Id", "X-Tenant-Id", "X-Tenant", "X-Auth-Project-Id")
"""Those by which it, or a client of former days, names the project."""
FURTHER = (Party.READER, Party.CREATOR, Party.ADMINISTRATOR)
"""The callers that have credentials of their own, beside the other project."""
QUICK_TOKENS = 2
"""How many unknown tokens a quick run tries."""


def askers_of(run: Run, image: Image, unasked: dict[str, str], let_off: dict[str, str]) -> dict[Party, list[Asker]]:
    """Return the callers that there are, and say of the others why not."""
    client, quick = run.client, not run.rounds
    invalid = [*unknown_tokens(client)][: QUICK_TOKENS if quick else None]
    odd = [] if quick else [*not_valid(run, odd_tokens(client), let_off)]
    found = {
        Party.ANONYMOUS: [Asker(client.calling("nobody", lambda: None)), *([] if quick else token_elsewhere(client))],
        Party.INVALID: [*invalid, *odd],
        Party.OWNER: [Asker(client)],
    }
    for party in FURTHER:
        try:
            caller = run.caller(KNOWN_AS[party])
        except Blocked as problem:
            unasked[party] = str(problem)
            continue
        if caller:
            found[party] = [Asker(caller)]
        else:
            unasked[party] = f"no credentials of {party} were given"
    ended, unscoped = ended_and_unscoped(run, image, THERE, let_off)
    found |= {Party.ENDED: ended, Party.UNSCOPED: unscoped}
    other = run.of_another_project(able=True)
    found[Party.OTHER_PROJECT] = [Asker(other)] if other else []
    if other and not quick:
        # What a token filter tells the service behind it, and may not come from outside.
        found[Party.OTHER_PROJECT].append(Asker(other, headers=FILTERED | dict.fromkeys(PROJECT, _owner_of(image))))
    reasons = {
        Party.ENDED: "no token that has ended is to be had",
        Party.UNSCOPED: "no token without a project is to be had",
        Party.OTHER_PROJECT: run.no_other_project or "the service does not let in who was named as a second project",
    }
    unasked |= {party: reason for party, reason in reasons.items() if not found[party]}
    return found


def _owner_of(image: Image) -> str:
    """Return the project that an image shows as its owner; another word where it shows none."""
    data = image.show().data
    owner = data.get("owner") if isinstance(data, dict) else None
    return owner if isinstance(owner, str) and owner.isascii() and owner.isprintable() and owner else "owner"
