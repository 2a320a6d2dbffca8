"""The documents by which a service describes itself, and answers that they describe; each is asked for once."""

import functools
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.areas.common.followed_links import leads_to
from pytest_cloudimages.areas.common.imports import NOWHERE, import_from
from pytest_cloudimages.areas.common.offers import NOT_OFFERED
from pytest_cloudimages.areas.common.tokens import unknown_tokens
from pytest_cloudimages.areas.images.patch_model import add, replaced
from pytest_cloudimages.areas.images.patches import OF_LATIN_1, VALUES
from pytest_cloudimages.areas.images.states import shared
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.exchange import PATCH_TYPE
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.client.versions import at_the_root, is_another
from pytest_cloudimages.engine.provisioning import claimed_name
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

SCHEMAS = ("images", "image", "members", "member", "tasks", "task")
UNKNOWN = "cloudimages-bogus"
UNKNOWN_VERSION = "/v99/images"
TURNED_AWAY = frozenset({401, 403})
LOOKS = 2
"""How often a task is looked at: what it is in the end is another area's concern."""


@dataclass(frozen=True, repr=False)
class SchemaDocuments(Collection):
    """The JSON Schemas that a service shows, and answers that they describe."""

    shown: Mapping[str, Answer]
    unauthenticated: Mapping[str, Sequence[Answer]]
    """The answers to those who show no token, or one that is not valid."""
    described: Mapping[str, Answer]
    """An answer that a schema describes, by the name of the schema."""
    missing: Mapping[str, Answer]
    """The answer by which a service says that it does not offer what a schema describes."""
    seen: Sequence[Answer] = ()
    """An image as a member sees it."""
    task: Sequence[Answer] = ()
    """A task as it was created, and as it was shown afterwards."""
    decided: Sequence[Answer] = ()
    """A member that has rejected an image, and accepted it."""

    @cases
    def document(self, *names: str) -> Iterator[Case[Answer]]:
        """Return the answers to requests for schemas, or all; *untested* where what it describes is not offered."""
        if self.shown and all(answer.status in NOT_OFFERED for name, answer in self.shown.items() if name != UNKNOWN):
            pytest.skip(f"needs schemas, which the service does not offer: {self.shown[SCHEMAS[0]].exchange}")
        for name in names or SCHEMAS:
            if name in self.shown:
                if self.shown[name].status in NOT_OFFERED and name in self.missing:
                    pytest.skip(f"needs {name}, which the service does not offer: {self.missing[name].exchange}")
                yield Case(self.shown[name], [self.shown[name].exchange])

    @cases
    def without_token(self) -> Iterator[Case[Answer]]:
        """Return the answers to requests for schemas that show no valid token, where the service has those schemas."""
        for name, answers in self.unauthenticated.items():
            for answer in answers if self.shown[name].ok else ():
                yield Case(answer, [answer.exchange])

    @cases
    def of_members(self) -> Iterator[Case[Answer]]:
        """Return the answer that shows a member of an image, if there is one."""
        answer = self.described.get("member")
        if answer is not None and answer.ok and isinstance(answer.data, dict):
            yield Case(answer, [answer.exchange])

    @cases
    def of_tasks(self) -> Iterator[Case[Answer]]:
        """Return the answers that show a task which was just created, if there is one."""
        for answer in self.task:
            if answer.ok and isinstance(answer.data, dict):
                yield Case(answer, [answer.exchange])

    @cases
    def stages(self) -> Iterator[Case[tuple[str, Answer]]]:
        """Return answers that show a task, or a member, as time went on, each with the name of its schema."""
        for name, answers in (("task", self.task), ("member", self.decided)):
            if name in self.shown and self.shown[name].ok:
                for answer in answers:
                    if answer.ok:
                        yield Case((name, answer), [self.shown[name].exchange, answer.exchange])

    @cases
    def all_answers(self) -> Iterator[Case[Answer]]:
        """Return every answer that came while the service described itself."""
        groups = (self.shown, self.described, self.missing)
        found = [answer for group in groups for answer in group.values()]
        refused = [answer for answers in self.unauthenticated.values() for answer in answers]
        for answer in (*found, *refused, *self.seen, *self.task, *self.decided):
            yield Case(answer, [answer.exchange])

    @cases
    def further(self) -> Iterator[Case[Answer]]:
        """Return answers that show an image as another project sees it, where the schema of images is shown."""
        if self.shown and self.shown["image"].ok:
            for answer in self.seen:
                if answer.ok:
                    yield Case(answer, [self.shown["image"].exchange, answer.exchange])

    @cases
    def examples(self) -> Iterator[Case[tuple[str, Answer]]]:
        """Return answers, each with the name of the schema that describes it, where the service shows that schema."""
        for name, answer in self.described.items():
            if answer.ok and self.shown[name].ok:
                yield Case((name, answer), [self.shown[name].exchange, answer.exchange])

    def problems(self, name: str, data: Any) -> list[str]:
        """Return where data departs from a schema that the service shows; draft 4, other keywords are ignored."""
        from jsonschema import SchemaError
        from referencing.exceptions import Unresolvable

        schema = self.shown[name].data
        try:
            found = _validator(json.dumps(schema)).iter_errors(data)
            return [f"{problem.json_path}: {problem.message[:200]}" for problem in found]
        except (Unresolvable, SchemaError, RecursionError, TypeError, ValueError) as problem:
            return [f"the schema cannot be read: {str(problem)[:200]}"]


@functools.lru_cache(maxsize=64)
def _validator(schema: str) -> "Validator":
    """Return what validates by a schema, which is seen to be one once, however many images it describes."""
    from jsonschema import Draft4Validator
    from referencing import Registry

    read = json.loads(schema)
    Draft4Validator.check_schema(read)
    return Draft4Validator(read, registry=Registry())


@workload(empty=lambda: SchemaDocuments({}, {}, {}, {}), requests=(25, 37, 37, 37))
def schema_documents(run: Run) -> SchemaDocuments:
    """Ask for every schema, with a token and without, and for answers that they describe."""
    client = run.client
    anonymous = client.calling("nobody", lambda: None)
    # What a run has asked for when it began is not asked for twice.
    shown = {name: run.documents.get(name) or client.send("GET", f"/schemas/{name}") for name in (*SCHEMAS, UNKNOWN)}
    unauthenticated: dict[str, list[Answer]] = {}
    described, missing = {"images": client.list(limit="2")}, dict[str, Answer]()
    seen: list[Answer] = []
    decided: list[Answer] = []
    task: list[Answer] = []
    found = partial(SchemaDocuments, shown, unauthenticated, described, missing, seen, task, decided)
    tasks = client.send("GET", "/tasks")
    if tasks.ok:
        described["tasks"] = tasks
    else:
        missing |= {"task": tasks, "tasks": tasks}
    with run.fresh_image() as image:
        described["image"] = image.show()
        members = image.send("GET", "/members")
        if members.status in NOT_OFFERED:
            missing |= {"member": members, "members": members}
        # What the schemas are worth is known when it is known what is not offered.
        run.show(found)
        if members.status not in NOT_OFFERED and not run.settings.image:
            project = uuid.uuid4().hex
            member = None
            with suppress(Blocked, pytest.skip.Exception):
                member = run.of_another_project(able=True)
                project = run.owner_of(member) if member else project
            with suppress(Blocked, pytest.skip.Exception):
                shared(image, project)
                described["members"] = image.send("GET", "/members")
                described["member"] = image.send("GET", f"/members/{project}")
                seen += [member.show(image.id)] if member else []
                decided += _decided(member, image, project) if member and run.rounds else ()
    run.show(found)
    unauthenticated |= {name: [anonymous.send("GET", f"/schemas/{name}")] for name in SCHEMAS}
    if run.rounds:
        # A token that Identity has never issued, and those that have ended, in turn: each of them is one of six.
        known = [asker.client for asker in [*unknown_tokens(client)][:1]] + run.ended_callers()
        for name, invalid in zip(SCHEMAS, cycle(known), strict=False):
            unauthenticated[name].append(invalid.send("GET", f"/schemas/{name}"))
    task += _a_task(run) if run.rounds and not run.settings.image else ()
    return found()


def _decided(member: ImagesClient, image: Image, project: str) -> Iterator[Answer]:
    """Have a member reject an image and accept it, and yield the answers, which show it with each status."""
    for status in ("rejected", "accepted"):
        yield member.send("PUT", f"/images/{image.id}/members/{project}", json={"status": status})


def _a_task(run: Run) -> Iterator[Answer]:
    """Ask for an import of what is not there, and look at it until it has failed; nothing where it is refused."""
    with claimed_name(run.client, run.name) as name:
        answer = run.client.send("POST", "/tasks", json=import_from(NOWHERE, name))
        if answer.ok and isinstance(answer.data, dict) and is_fit(identifier := answer.data.get("id")):
            yield answer
            for _ in range(LOOKS):
                yield run.client.send("GET", f"/tasks/{identifier}")


# Versions


@dataclass(frozen=True, repr=False)
class Versions(Collection):
    """What the root of the service answers."""

    answers: Mapping[str, Answer]
    known: Mapping[str, Answer] = field(default_factory=dict)
    """Lists of versions that are shown to callers with a token, and to nobody else."""

    @cases
    def at(self, path: str) -> Iterator[Case[Answer]]:
        """Return the answer at a path below the root; *untested* where the service has nothing there."""
        if path in self.answers:
            answer = self.answers[path]
            shown = self.known.get(path)
            if answer.status in NOT_OFFERED | TURNED_AWAY and shown is None:
                pytest.skip(f"needs a list of versions, which the service does not offer: {answer.exchange}")
            yield Case(answer, [each.exchange for each in (shown, answer) if each])


@workload(empty=lambda: Versions({}), requests=(3, 3, 3, 3))
def version_documents(run: Run) -> Versions:
    """Ask for the versions at the root of the service, without a token."""
    root = at_the_root(run.client.calling("nobody", lambda: None))
    answers = {path: root.send("GET", path) for path in ("/", "/versions", UNKNOWN_VERSION)}
    known: dict[str, Answer] = {}
    for path, answer in answers.items():
        if answer.status in TURNED_AWAY and path != UNKNOWN_VERSION:
            shown = replace(run.client, endpoint=root.endpoint).send("GET", path)
            known |= {path: shown} if is_another(shown.data) else {}
    return Versions(answers, known)


# What all answers have in common


@dataclass(frozen=True, repr=False)
class CommonAnswers(Collection):
    """Answers of several operations, and of methods that a resource does not have."""

    answers: Sequence[Answer]
    links: Sequence[tuple[str, str, Answer | None]]
    """The links that were shown: the name, the link, and the answer to its target, where it leads into the service."""
    refused: Sequence[Answer]
    """The answers to methods that a resource does not have."""
    of_other_types: Sequence[Answer]
    """The answers to bodies of a media type that is not supported."""
    plain: Sequence[Answer]
    """The answers to requests that ask for no format."""
    spelled: Sequence[Answer] = ()
    """The answers that show an image once an attribute has letters beyond ASCII: some in one octet of Latin-1 each."""
    broken: Sequence[Answer] = ()
    """The answers to bodies that end in mid-document."""
    compressed: Sequence[Answer] = ()
    """The answer with a long document, to who takes it compressed."""

    @cases
    def of(self, kind: str) -> Iterator[Case[Answer]]:
        """Return the answers of a kind, by the name of the field that holds them."""
        for answer in getattr(self, kind):
            yield Case(answer, [answer.exchange])

    @cases
    def followed(self) -> Iterator[Case[tuple[str, str, Answer | None]]]:
        """Return the links that were shown and followed; whether a page has a next one is up to other images."""
        for name, link, answer in self.links:
            yield Case((name, link, answer), [answer.exchange] if answer else [], aside=name == "next")


@workload(empty=lambda: CommonAnswers((), (), (), (), ()), requests=(28, 35, 35, 35))
def common_answers(run: Run) -> CommonAnswers:
    """Show an image and the list, follow their links, and send what the resources do not have."""
    client = run.client
    compressed: list[Answer] = []
    with run.fresh_image() as image:
        listed, shown = client.list(limit="1"), image.show()
        links = [*_followed(client, "/images", listed, ("first", "next", "schema"))]
        links += _followed(client, f"/images/{image.id}", shown, ("self", "schema", "file"))
        further = {path: client.send("GET", path) for path in (f"/images/{image.id}/members", "/tasks")}
        offered = [path for path, answer in further.items() if answer.ok]
        refused = [
            *(client.send("PUT", path) for path in offered),
            client.send("DELETE", "/images"),
            client.send("POST", f"/images/{image.id}"),
            client.send("PUT", f"/images/{image.id}"),
            client.send("DELETE", "/schemas/image"),
        ]
        others = [] if run.settings.image else [*_of_other_types(run, image, tasks="/tasks" in offered)]
        targets = ("/images", f"/images/{image.id}", *offered)
        plain = [client.send("GET", target, headers={"Accept": None}) for target in targets]
        changed = [] if run.settings.image else [*_changed(image)]
        plain += changed[1:2]
        broken = [] if run.settings.image or not run.rounds else [*_broken(image, tasks="/tasks" in offered)]
        if run.rounds:
            plain += _new_task(run) if "/tasks" in offered else []
            compressed = [client.send("GET", "/schemas/images", headers=COMPRESSED)]
    answers = [listed, shown, *further.values(), *changed[:1], *refused]
    return CommonAnswers(answers, links, refused, others, plain, changed[2:], broken, compressed)


BROKEN = b'{"type": "import", "input": {'
COMPRESSED = {"Accept-Encoding": "gzip, deflate"}


def _broken(image: Image, *, tasks: bool) -> Iterator[Answer]:
    """Send bodies that are no JSON, because they end too early."""
    kind = {"Content-Type": "application/json"}
    yield image.send("PATCH", "", body=BROKEN, headers={"Content-Type": PATCH_TYPE})
    yield image.send("POST", "/members", body=BROKEN, headers=kind)
    if tasks:
        yield image.client.send("POST", "/tasks", body=BROKEN, headers=kind)


def _new_task(run: Run) -> Iterator[Answer]:
    """Ask for an import of what is not there, and look at it, and name no format in either request."""
    plain = {"Accept": None}
    with claimed_name(run.client, run.name) as name:
        answer = run.client.send("POST", "/tasks", json=import_from(NOWHERE, name), headers=plain)
        yield answer
        location = answer.data.get("id") if answer.ok and isinstance(answer.data, dict) else None
        if is_fit(location):
            yield run.client.send("GET", f"/tasks/{location}", headers=plain)


def _changed(image: Image) -> Iterator[Answer]:
    """Change an image, and once more without asking for a format; and show it, if it has taken what is no ASCII."""
    words = add("/cloudimages_words", VALUES[OF_LATIN_1])
    for headers in ({"Content-Type": PATCH_TYPE}, {"Content-Type": PATCH_TYPE, "Accept": None}):
        answer = image.send("PATCH", "", json=[words], headers=headers)
        if not answer.ok:
            answer = image.send("PATCH", "", json=[replaced("/min_ram", 64)], headers=headers)
        yield answer
    if answer.ok:
        yield image.show()


def _followed(
    client: ImagesClient, target: str, answer: Answer, names: Sequence[str]
) -> Iterator[tuple[str, str, Answer | None]]:
    data = answer.data if answer.ok and isinstance(answer.data, dict) else {}
    for name in names:
        link = data.get(name)
        if isinstance(link, str):
            led = leads_to(client, link, target)
            yield name, link, client.send("GET", led) if led.startswith("/") else None


def _of_other_types(run: Run, image: Image, *, tasks: bool) -> Iterator[Answer]:
    text = {"Content-Type": "text/plain"}
    project = uuid.uuid4().hex
    with suppress(Blocked, pytest.skip.Exception):
        # One that there is not may be refused for that.
        other = run.caller("ALT")
        project = run.owner_of(other) if other else project
    yield image.send("PATCH", "", json=[{"op": "replace", "path": "/min_ram", "value": 0}], headers=text)
    yield image.send("POST", "/members", json={"member": project}, headers=text)
    if tasks:
        yield run.client.send("POST", "/tasks", json=import_from(NOWHERE, run.name), headers=text)
