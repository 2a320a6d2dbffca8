"""Taking away what dead runs have left, and giving lent images back: by the ledger, or by an image's properties.

Only what is proved to be ours is touched. The ledger proves it, or the properties that an image was created with; its
name does not. What the list says of an image is looked up at the image itself before anything is done to it.
"""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pytest_cloudimages.client.auth.credentials import Credentials
from pytest_cloudimages.client.errors import ConfigurationError
from pytest_cloudimages.client.exchange import Purpose
from pytest_cloudimages.client.identifiers import is_fit, shown_id
from pytest_cloudimages.client.images import MANY, Image, pages_of_many
from pytest_cloudimages.client.moments import moment
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.claims import OF_RUN, Claim
from pytest_cloudimages.engine.deletion import deleted
from pytest_cloudimages.engine.kept_values import set_values, values_of
from pytest_cloudimages.engine.ledger import Created, DeadRun, Ledger, LedgerError, Lent, folder_of
from pytest_cloudimages.engine.provisioning import EXPIRES, PREFIX
from pytest_cloudimages.engine.run import OTHERS, Run
from pytest_cloudimages.engine.run_notes import RunNotes
from pytest_cloudimages.history.resource import SetResource
from pytest_cloudimages.spec.verdicts import Blocked

LATE = 600.0
"""Seconds after which a request that nobody waited for is no longer expected to take effect."""
MOST_PAGES = 1000
"""Pages of a list that are read at most, of a hundred images each."""
FEW_NAMES = 5
"""So many images are asked for by their names; for more, the whole list is read."""


@dataclass
class Swept:
    """What became of everything that was found; each is said in words."""

    deleted: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """What is ours, and could not be taken away or given back."""
    kept: list[str] = field(default_factory=list)
    """What is left alone for now: its run may be alive, or nobody has credentials for it."""
    unproven: list[str] = field(default_factory=list)
    """What has a name as ours, and nothing that proves it."""

    def __bool__(self) -> bool:
        return bool(self.deleted or self.restored or self.failed)


def begin(run: Run, restored: Sequence[SetResource]) -> Run:
    """Open the ledger for a run, sweep what dead runs have left on this service, and return the run.

    A service that ends with this process needs no ledger, and gets none. Raise ``ConfigurationError``, and close the
    run, where an image is lent that the ledger could not bring back.
    """
    if run.settings.reference or run.settings.dry_run or run.problem:
        return run
    if run.settings.minutes:
        run.recorder.traces.lifetime += 60 * run.settings.minutes
    notes = note_down(run)
    try:
        _sweep_at_the_beginning(run, notes.ledger, restored)
    except LedgerError as problem:
        if not run.settings.image:
            notes.give_up(problem)
    try:
        _make_sure_they_come_back(run, notes)
    except ConfigurationError:
        run.close()
        raise
    return run


def note_down(run: Run) -> RunNotes:
    """Have what a run creates or changes noted in the ledger before it is sent, and return the notes."""
    traces = run.recorder.traces
    ledger = Ledger(folder_of(run.settings.ledger))
    notes = RunNotes(ledger, run.name, run.service.endpoint, traces.notices.append, lambda who: project_of(run, who))
    traces.notes = notes
    run.at_the_end(notes.close)
    return notes


def _make_sure_they_come_back(run: Run, notes: RunNotes) -> None:
    """Raise ``ConfigurationError`` where the ledger could not bring the lent images back, or another run has them."""
    if not run.settings.image:
        return
    try:
        holders = {image: notes.ledger.holder_of(run.service.endpoint, image) for image in run.settings.image}
        notes.begin()
    except LedgerError as problem:
        raise ConfigurationError(
            f"No image is lent without a ledger, and {problem}. What is taken off a lent image is written there first."
            f" Mend it, move it away, or name another folder with {run.settings.prefix}ledger DIR."
        ) from None
    for image, holder in holders.items():
        if holder:
            raise ConfigurationError(
                f"The image {image} has not come back yet from another run, {holder}. Wait for its end, or lend"
                " another image; what dead runs were lent, `cloudimages sweep` puts back."
            )


def _sweep_at_the_beginning(run: Run, ledger: Ledger, restored: Sequence[SetResource]) -> None:
    sweeper = Sweeper(run, ledger, restored)
    with run.recorder.of(Purpose.CLEANING), suppress(Blocked):
        sweeper.sweep_by_ledger()
    if found := sweeper.swept:
        told = f"swept after runs that died: {summary(found)}"
        told += f"; {'; '.join(found.failed)}; see `cloudimages sweep`" if found.failed else ""
        run.recorder.traces.notices.append(told)


def summary(swept: Swept, *, would: bool = False) -> str:
    """Return the counts of a sweep in words."""
    words = [
        f"{_counted(len(swept.deleted), 'image')} {'to be ' if would else ''}deleted" if swept.deleted else "",
        f"{_counted(len(swept.restored), 'lent image')} {'to be ' if would else ''}put back" if swept.restored else "",
        f"{len(swept.failed)} not" if swept.failed else "",
    ]
    return ", ".join(filter(None, words)) or "nothing of ours is left"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def project_of(run: Run, caller: str) -> str | None:
    """Return the id of the project that a caller of a run acts for, where that is known."""
    who = {words: name for name, words in OTHERS.items()}.get(caller)
    known: Any = run.others.get(who) if who else run.owner
    return known.project_id if isinstance(known, Credentials) else None


class Sweeper:
    """One sweep of a service, with the callers that a run knows."""

    def __init__(self, run: Run, ledger: Ledger, restored: Sequence[SetResource], *, dry: bool = False) -> None:
        self.run, self.ledger, self.dry = run, ledger, dry
        self.restored = {resource.name: resource for resource in restored}
        self.endpoint = run.service.endpoint
        self.swept = Swept()
        self.done: set[str] = set()
        """Ids of images that were seen to."""

    # By the ledger

    def sweep_by_ledger(self) -> None:
        """Sweep what the ledger knows of runs that are over."""
        with self.ledger.dead(self.endpoint) as runs:
            for run in runs:
                self._give_back(run)
                self._delete_created(run)

    def _client_for(self, note: Created | Lent, what: str) -> ImagesClient | None:
        """Return the caller who can see to a note; ``None``, and say so, where there is none of the same project."""
        found, who = None, {words: name for name, words in OTHERS.items()}.get(note.caller)
        with suppress(Blocked):
            found = self.run.caller(who) if who else self.run.client
        mine = project_of(self.run, note.caller)
        if found is None or (note.owner and mine and note.owner != mine):
            self.swept.kept.append(f"{what}: there are no credentials of {note.caller} in its project")
            return None
        return found

    def _is_believed(self, note: Created | Lent) -> bool:
        """Return whether an image that is not found is gone, and not merely hidden from this project, or late."""
        age = time.time() - note.noted
        if age > self.run.recorder.traces.lifetime:
            return True
        known = note.owner is not None and note.owner == project_of(self.run, note.caller)
        return known and (note.image is not None or age > LATE)

    def _give_back(self, dead: DeadRun) -> None:
        for lent in dead.lent:
            what = f"lent image {lent.image}"
            client, resource = self._client_for(lent, what), self.restored.get(lent.kind)
            if client is None or resource is None or not self._is_fit(lent.image, what):
                continue
            image = Image(client, lent.image, "", self.run.patience)
            try:
                self._give_back_one(image, resource, lent)
            except Blocked as problem:
                self.swept.failed.append(f"{what}: its {lent.kind}s were {[*lent.values]}; {problem}")

    def _give_back_one(self, image: Image, resource: SetResource, lent: Lent) -> None:
        if image.show().status == 404:  # noqa: PLR2004 - as HTTP has it
            if self._is_believed(lent) and not self.dry:
                self.ledger.strike_lent(self.endpoint, lent)
            self.swept.failed.append(f"lent image {image.id} is not there any more: its {lent.kind}s are not put back")
            return
        found = values_of(image, resource)
        if sorted(found) != sorted(lent.values):
            if not self.dry:
                set_values(image, resource, [*lent.values])
            self.swept.restored.append(f"lent image {image.id}: {lent.kind}s {[*lent.values]} in place of {found}")
        if not self.dry:
            self.ledger.strike_lent(self.endpoint, lent)

    def _delete_created(self, dead: DeadRun) -> None:
        notes = [(note, client) for note in dead.created if (client := self._client_for(note, f"image {note.name}"))]
        named = self._ids_by_name(notes)
        for note, client in notes:
            ids = {note.image, *named.get((client.caller, note.name), ())} - {None}
            missed = False
            for identifier in filter(None, ids):
                if not self._is_fit(identifier, f"image {note.name}"):
                    continue
                image = Image(client, identifier, note.name, self.run.patience)
                missed |= self._see_to(image, run=dead.run) is None
            stays = any(note.name in told for told in self.swept.failed)
            if not self.dry and not stays and ((ids and not missed) or self._is_believed(note)):
                self.ledger.strike(note)

    def _ids_by_name(self, notes: Sequence[tuple[Created, ImagesClient]]) -> dict[tuple[str, str], set[str]]:
        """Return the ids of images by caller and name: an answer that was lost may have left an image, or two."""
        found: dict[tuple[str, str], set[str]] = {}
        for client in {client.caller: client for _, client in notes}.values():
            names = {note.name for note, other in notes if other.caller == client.caller}
            if len(names) > FEW_NAMES:
                entries = [*self._listed(client)]
            else:
                entries = [entry for name in sorted(names) for entry in _entries(client.list(name=name).data)]
            for entry in entries:
                if entry.get("name") in names:
                    found.setdefault((client.caller, str(entry["name"])), set()).add(str(entry.get("id")))
        return found

    # By properties

    def sweep_by_properties(self, older_than: float | None, runs: Sequence[str] = ()) -> None:
        """Sweep the images that say themselves that they are ours, and whose time is over.

        ``older_than`` are seconds after their creation from which they are swept, whatever their expiry. ``runs`` are
        those of which the tester says that they are over: their images are swept, also where only names say so.
        """
        try:
            living = self.ledger.living(self.endpoint)
        except LedgerError:
            living = set()  # it was said already that it cannot be read
        for who in (None, *OTHERS):
            client = self._caller(who)
            for entry in [*self._listed(client)] if client else ():
                identifier, name = str(entry.get("id")), str(entry.get("name"))
                if identifier in self.done or not (name.startswith(PREFIX) or OF_RUN in entry):
                    continue
                self._see_to_listed(client, entry, older_than, runs, living)  # type: ignore[arg-type]  # not None here

    def _caller(self, who: str | None) -> ImagesClient | None:
        with suppress(Blocked):
            return self.run.caller(who) if who else self.run.client
        return None

    def _see_to_listed(
        self,
        client: ImagesClient,
        entry: dict[str, Any],
        older_than: float | None,
        runs: Sequence[str],
        living: set[str],
    ) -> None:
        identifier, name = str(entry.get("id")), str(entry.get("name"))
        what = f"image {identifier} ({name})"
        if not self._is_fit(identifier, f"image named {name}"):
            return
        image = Image(client, identifier, name, self.run.patience)
        shown = image.show().data
        if not isinstance(shown, dict) or shown.get("id") != identifier:
            return  # the list knows more of it than the image itself
        owner, mine = shown.get("owner"), project_of(self.run, client.caller)
        if owner and mine and owner != mine:
            return
        self.done.add(identifier)
        run = _run_of(shown, runs)
        if run is None:
            self.swept.unproven.append(f"{what}: only its name says that it is ours{_way_out(name)}")
        elif run in living:
            self.swept.kept.append(f"{what}: its run may be alive")
        elif run in runs or _is_over(shown, older_than):
            self.done.discard(identifier)
            self._see_to(image, shown)
        else:
            self.swept.kept.append(f"{what}: its time is not over before {shown.get(EXPIRES)}")

    def _listed(self, client: ImagesClient) -> Iterator[dict[str, Any]]:
        """Yield what the list of images shows, page by page. Raise ``Blocked`` where it cannot be read."""
        for answer in pages_of_many(client, f"/images?{MANY}", most=MOST_PAGES):
            if not isinstance(answer.document.get("images"), list):
                raise Blocked(f"The list of images cannot be read: {answer.exchange}")
            yield from _entries(answer.document)

    # Either way

    def _is_fit(self, identifier: str, what: str) -> bool:
        if is_fit(identifier):
            return True
        self.swept.failed.append(f"{what}: its id {shown_id(identifier)} is none that could be asked for")
        return False

    def _see_to(self, image: Image, shown: Any = None, run: str = "") -> bool | None:
        """Delete an image of ours, and return whether it is gone then; ``None`` where there is none.

        Where it was not looked at yet, it is to show its name, or that it is of the run.
        """
        if image.id in self.done:
            return True
        self.done.add(image.id)
        what, foreign = (
            f"image {image.id} ({image.name})",
            shown is not None and not self._is_of_my_project(image, shown),
        )
        try:
            if shown is None:
                answer = image.show()
                if answer.status == 404:  # noqa: PLR2004 - as HTTP has it
                    return None
                if Claim(image.id, image.name, run).is_denied(answer):
                    self.swept.unproven.append(f"{what}: it says that it is another image: {answer.exchange}")
                    return None
                shown = answer.data
            problem = "" if self.dry else self._deleted(image, protected=_is_protected(shown))
        except Blocked as trouble:
            problem = str(trouble)
        if problem and foreign and "403" in problem:
            # A token alone does not say whose project it is for, and public images are seen by everybody.
            self.swept.kept.append(f"{what}: it seems to be of another project, {shown.get('owner')}")
        elif problem:
            self.swept.failed.append(f"{what}: {problem}")
        else:
            self.swept.deleted.append(what)
        return not problem

    def _is_of_my_project(self, image: Image, shown: dict[str, Any]) -> bool:
        mine = project_of(self.run, image.client.caller)
        return mine is not None and mine == shown.get("owner")

    def _deleted(self, image: Image, *, protected: bool) -> str:
        if problem := deleted(image, [*self.restored.values()], protected=protected):
            return problem
        # An acknowledged deletion is a promise; gone is what a read says.
        gone = image.eventually(lambda: image.show().status, lambda status: status == 404)  # noqa: PLR2004
        return "" if gone == 404 else f"its deletion was acknowledged, and a read is answered {gone}"  # noqa: PLR2004


def _entries(data: Any) -> list[dict[str, Any]]:
    images = data.get("images") if isinstance(data, dict) else None
    return [entry for entry in images if isinstance(entry, dict)] if isinstance(images, list) else []


def _is_protected(shown: Any) -> bool:
    return isinstance(shown, dict) and shown.get("protected") is True


def _run_of(shown: dict[str, Any], runs: Sequence[str]) -> str | None:
    """Return the id of the run that an image is proved to be of: by its properties, or by the tester's word."""
    run, expires = shown.get(OF_RUN), shown.get(EXPIRES)
    if isinstance(run, str) and _seconds(expires) is not None:
        return run
    return next((run for run in runs if str(shown.get("name")).startswith(f"{PREFIX}{run}-")), None)


def _way_out(name: str) -> str:
    found = re.fullmatch(rf"{PREFIX}([0-9a-f]{{12}})-[0-9a-f]{{8}}", name)
    return f"; if its run is over: cloudimages sweep --run {found[1]}" if found else ""


def _is_over(shown: dict[str, Any], older_than: float | None) -> bool:
    expires, begun = _seconds(shown.get(EXPIRES)), _seconds(shown.get("created_at"))
    if expires is not None and expires <= time.time():
        return True
    return older_than is not None and begun is not None and begun <= time.time() - older_than


def _seconds(text: object) -> float | None:
    """Return the seconds that a moment in UTC stands for; ``None`` where it is none."""
    found = moment(text)
    return found.timestamp() if found else None
