"""Who may do what with an image: callers and operations as one table, each cell sent once.

Who is not let in at all, or may only read, tries everything on one image of the owner's; whoever may create does it
with an image of its own. What came of it is what the owner sees afterwards.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

from pytest_cloudimages.areas.access.deeds import (
    CREATING,
    NEW_TAG,
    OF_OBSERVERS,
    OF_OUTSIDERS,
    OF_READERS,
    READING,
    Attempt,
    Deed,
    Rights,
    has_roles,
    of_callers,
)
from pytest_cloudimages.areas.access.foreign_images import as_a_consumer, shown_of_a_foreign_image
from pytest_cloudimages.areas.access.open_images import of_open_images
from pytest_cloudimages.areas.access.own_images import deletion_with_data, with_a_colleagues, with_its_own
from pytest_cloudimages.areas.access.table import opened_table
from pytest_cloudimages.areas.common.parties import KNOWN_AS, Party
from pytest_cloudimages.areas.common.tokens import Asker, ended_and_unscoped, not_valid, odd_tokens, unknown_tokens
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked


@workload(first_of="closed_doors", empty=lambda: Rights([]), requests=(27, 28, 28, 28))
def nobodys_attempts(run: Run) -> Rights:
    """Have nobody try all that can be done with an image."""
    if run.settings.image:
        return Rights([])
    with opened_table(run) as table:
        nobody = run.client.calling("nobody", lambda: None)
        tried = table.all_of(Party.ANONYMOUS, nobody, _of_outsiders(run))
        run.show(partial(Rights, tried))
    return Rights(tried)


@workload(needs=["nobodys_attempts"], empty=lambda: Rights([]), requests=(70, 172, 172, 172))
def closed_doors(run: Run, nobodys_attempts: Rights) -> Rights:
    """Have callers with tokens that are not valid try all that can be done with an image, as nobody has."""
    tried: list[Attempt] = [*nobodys_attempts.tried]
    let_off: dict[str, str] = {}
    if run.settings.image:
        return _by_reading(run)
    with opened_table(run) as table:
        image = table.image
        unknown = [*unknown_tokens(run.client)][: 2 if run.rounds else 1]
        ended, _ = ended_and_unscoped(run, image, NEW_TAG, let_off)
        with suppress(Blocked), run.recorder.of(Purpose.PREPARING):
            image.delete_tag(NEW_TAG)
        for party, client in _with_tokens([*unknown, *ended], ended):
            tried += table.all_of(party, client, _of_outsiders(run))
            run.show(partial(Rights, tried, {}, let_off))
        tried += _nearly_right(run, image, let_off)
        tried += _of_what_is_not_there(run, unknown) if run.rounds else ()
    if run.rounds:
        nobody = (Party.ANONYMOUS, run.client.calling("nobody", lambda: None))
        tried += of_open_images(run, [nobody, *((Party.INVALID, asker.client) for asker in unknown[:1])])
    return Rights(tried, {}, let_off)


def _of_what_is_not_there(run: Run, askers: Sequence[Asker]) -> Iterator[Attempt]:
    """Have who has no valid token ask for an image that there is not: who is let in is asked before what there is."""
    nobody = run.client.calling("nobody", lambda: None)
    parties = [(Party.ANONYMOUS, nobody), *((Party.INVALID, asker.client) for asker in askers[:1])]
    for deed in (Deed.SHOW, Deed.MEMBERS, Deed.DELETE):
        for party, client in parties:
            yield Attempt(party, deed, client.send(deed.method, deed.target(str(uuid.uuid4()))), changed=False)


def _nearly_right(run: Run, image: Image, let_off: dict[str, str]) -> Iterator[Attempt]:
    """Have who shows a token that is right but for its beginning or its end read the image and the list.

    Who shows one in a form that no specification knows reads the list alone: what is looked up otherwise than it was
    issued, is so at whichever door.
    """
    if not run.rounds:
        return
    for asker in not_valid(run, [asker for asker in unknown_tokens(run.client) if asker.odd], let_off):
        for deed in (Deed.LIST, Deed.SHOW):
            answer = asker.client.send(deed.method, deed.target(image.id))
            yield Attempt(Party.INVALID, deed, answer, changed=False)
    forms = [asker for asker in odd_tokens(run.client) if not (asker.raw or asker.besides)]
    for asker in not_valid(run, forms, let_off):
        yield Attempt(Party.INVALID, Deed.LIST, asker.ask("GET", Deed.LIST.target(image.id)), changed=False)


def _with_tokens(askers: Sequence[Asker], ended: Sequence[Asker]) -> Iterator[tuple[Party, ImagesClient]]:
    """Yield callers with tokens that are not valid."""
    for asker in askers:
        yield Party.ENDED if asker in ended else Party.INVALID, asker.client


def _by_reading(run: Run) -> Rights:
    """Have those without a valid token read an image that was lent, which nobody else than the tester may change."""
    ended = [Asker(client) for client in run.ended_callers()]
    with run.fresh_image() as image:
        tried = [
            Attempt(party, deed, client.send(deed.method, deed.target(image.id)), changed=False)
            for party, client in (
                (Party.ANONYMOUS, run.client.calling("nobody", lambda: None)),
                *_with_tokens([*unknown_tokens(run.client)][:1] + ended, ended),
            )
            for deed in (Deed.LIST, Deed.SHOW)
        ]
    return Rights(tried)


@workload(first_of="rights", empty=lambda: Rights([]), requests=(28, 43, 43, 43))
def first_readers_attempts(run: Run) -> Rights:
    """Have the first caller that may only read try all that can be done with an image."""
    run.require_own()
    unasked: dict[Party, str] = {}
    known: set[Party] = set()
    for party in READING:
        if client := _caller(run, party, unasked, known):
            with opened_table(run) as table:
                further = run.rounds and party is Party.READER
                tried = of_callers(table.all_of(party, client, OF_OBSERVERS if further else OF_READERS))
                if further:
                    tried += deletion_with_data(run, party, table.image.seen_by(client))
                    if _caller(run, Party.OWNER, {}, set()):
                        tried += table.by_the_owner(tried)
                    tried += table.once_private(party, client)
                run.show(partial(Rights, tried, unasked, of_the_project=frozenset(known)))
            return Rights(tried, unasked, of_the_project=frozenset(known))
    return Rights([])


@workload(needs=["first_readers_attempts"], empty=lambda: Rights([]), requests=(69, 157, 157, 157))
def rights(run: Run, first_readers_attempts: Rights) -> Rights:
    """Have callers of every role try all that can be done with an image, and see what its owner sees of it."""
    tried: list[Attempt] = [*first_readers_attempts.tried]
    unasked: dict[Party, str] = {}
    known: set[Party] = set()
    callers: dict[Party, ImagesClient] = {}
    on_foreign: list[Attempt] = []

    def so_far() -> Rights:
        return Rights(of_callers(tried), unasked, of_the_project=frozenset(known), on_foreign=on_foreign)

    run.require_own()
    reading = {party: _caller(run, party, unasked, known) for party in READING}
    callers |= {party: client for party, client in reading.items() if client}
    further = [*callers.items()][1:]
    if further:
        with opened_table(run) as table:
            for party, client in further:
                tried += table.all_of(party, client, OF_READERS)
                run.show(so_far)
    if run.rounds and (reader := reading[Party.READER]):
        tried += as_a_consumer(run, reader)
    for party in CREATING:
        if creating := _caller(run, party, unasked, known):
            callers[party] = creating
            with suppress(Blocked):
                tried += with_its_own(
                    run, party, creating, ended=party is Party.CREATOR and bool(_caller(run, Party.OWNER, {}, set()))
                )
            if run.rounds and party is not Party.OWNER:
                with suppress(Blocked), run.fresh_image(own=True) as image:
                    tried += with_a_colleagues(run, party, image.seen_by(creating), tried, known=party in known)
            run.show(so_far)
    if run.rounds and callers:
        on_foreign += shown_of_a_foreign_image(run, callers)
    return so_far()


def _of_outsiders(run: Run) -> Sequence[Deed]:
    return (*((Deed.UPLOAD,) if run.rounds else ()), *OF_OUTSIDERS)


def _caller(run: Run, party: Party, unasked: dict[Party, str], known: set[Party]) -> ImagesClient | None:
    """Return a caller whose roles are what they are to be, as far as Identity says; say why there is none."""
    if party is Party.OWNER:
        who, client, credentials = "", run.client, run.owner
    else:
        who = KNOWN_AS[party]
        try:
            found = run.caller(who)
        except Blocked as problem:
            unasked[party] = str(problem)
            return None
        if found is None:
            unasked[party] = f"no credentials of {party} were given: set OS_{who}_USERNAME and OS_{who}_PASSWORD"
            return None
        client, credentials = found, run.others[who]  # type: ignore[assignment]  # it was not Blocked
        if credentials.project_id and run.owner.project_id and not run.same_project(who):
            unasked[party] = f"{party} is to be of the tester's own project, and is of another"
            return None
        known |= {party} if run.same_project(who) else set()
    names = credentials.roles()
    if names is not None and not has_roles(names, party):
        unasked[party] = f"needs {party}, and the roles of the token are: {', '.join(names) or 'none'}"
        return None
    return client
