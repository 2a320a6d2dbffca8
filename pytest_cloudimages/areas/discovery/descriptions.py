"""The documents by which a service describes itself, and answers that they describe; each is asked for once."""

import functools
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.areas.common.forms import is_whole
from pytest_cloudimages.areas.common.imports import NOWHERE, import_from
from pytest_cloudimages.areas.common.offers import NOT_OFFERED
from pytest_cloudimages.areas.common.paging import entries_of
from pytest_cloudimages.areas.common.tokens import unknown_tokens
from pytest_cloudimages.areas.images.patch_model import replaced
from pytest_cloudimages.areas.images.states import shared
from pytest_cloudimages.client.answers import Answer
from pytest_cloudimages.client.identifiers import is_fit
from pytest_cloudimages.client.images import Image
from pytest_cloudimages.client.json_documents import (
    at_pointer,
    clearly,
    only_part,
    parsed,
    referred,
)
from pytest_cloudimages.client.session import ImagesClient
from pytest_cloudimages.engine.provisioning import claimed_name
from pytest_cloudimages.engine.recording import Case, Collection, cases
from pytest_cloudimages.engine.registry import workload
from pytest_cloudimages.engine.run import Run
from pytest_cloudimages.spec.verdicts import Blocked

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

SCHEMAS = ("images", "image", "members", "member", "tasks", "task")
UNKNOWN = "images-cloudimages-task"
"""The name of no schema, though it begins with that of one and ends in another's: a router may look at a part alone."""
AGAIN = ("images", "members", "tasks", UNKNOWN)
"""Those that are asked for once more: a service may keep what it has answered, or what another schema says."""
FORBIDDEN, NOT_FOUND = 403, 404
REFERENCES = 4
"""How often a schema may refer to another one instead of being one."""
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
    """An image as a member sees it, and when it has no name any more."""
    task: Sequence[Answer] = ()
    """A task as it was created, and as it was shown afterwards."""
    decided: Sequence[Answer] = ()
    """A member that has rejected an image, and accepted it."""
    lists: Sequence[tuple[str, Answer]] = ()
    """Lists that hold what was made here, each with the name of its schema."""
    again: Mapping[str, Answer] = field(default_factory=dict)
    """Schemas that were asked for once more, when all others had been."""

    @cases
    def document(self, *names: str) -> Iterator[Case[Answer]]:
        """Return the answers to requests for schemas, or all; *untested* where what it describes is not offered."""
        if self.shown and all(answer.status in NOT_OFFERED for name, answer in self.shown.items() if name != UNKNOWN):
            pytest.skip(f"needs schemas, which the service does not offer: {self.shown[SCHEMAS[0]].exchange}")
        if self.shown and all(answer.status == FORBIDDEN for answer in self.shown.values()):
            pytest.skip(f"needs schemas, which are forbidden to this caller: {self.shown[SCHEMAS[0]].exchange}")
        for name in names or SCHEMAS:
            if name in self.shown:
                if self.shown[name].status in NOT_OFFERED and name in self.missing:
                    pytest.skip(f"needs {name}, which the service does not offer: {self.missing[name].exchange}")
                yield Case(self.shown[name], [self.shown[name].exchange])

    @cases
    def once_more(self, name: str) -> Iterator[Case[Answer]]:
        """Return the answer to a further request for a schema, if the first one was answered as it was to be."""
        if name in self.again and (self.shown[name].ok or name == UNKNOWN):
            yield Case(self.again[name], [self.shown[name].exchange, self.again[name].exchange])

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
        for name, answer in self.lists:
            if name in self.shown and self.shown[name].ok and answer.ok:
                yield Case((name, answer), [self.shown[name].exchange, answer.exchange])

    @cases
    def listed_here(self) -> Iterator[Case[tuple[Mapping[str, Any], Answer]]]:
        """Return members and tasks that were made here as lists show them, each with the answer."""
        made = {answer.data.get("id") for answer in self.task if answer.ok and isinstance(answer.data, dict)}
        described = [(name, answer) for name, answer in self.described.items() if name == "members"]
        for name, answer in [*self.lists, *described]:
            for entry in entries_of(answer, f"/{name}"):
                if name == "members" or (name == "tasks" and entry.get("id") in made):
                    yield Case((entry, answer), [answer.exchange])

    @cases
    def all_answers(self) -> Iterator[Case[Answer]]:
        """Return every answer that came while the service described itself."""
        groups = (self.shown, self.described, self.missing)
        found = [answer for group in groups for answer in group.values()]
        refused = [answer for answers in self.unauthenticated.values() for answer in answers]
        listed = [*self.again.values(), *(answer for _, answer in self.lists)]
        for answer in (*found, *refused, *self.seen, *self.task, *self.decided, *listed):
            yield Case(answer, [answer.exchange])

    @cases
    def further(self) -> Iterator[Case[Answer]]:
        """Return answers that show an image as it was not at first, where the schema of images is shown."""
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

    def problems_of(self, name: str, answer: Answer) -> list[str]:
        """Return where an answer departs from a schema, as far as both are shown."""
        return self.problems(name, answer.data) if answer.ok and name in self.shown and self.shown[name].ok else []

    def problems(self, name: str, data: Any) -> list[str]:
        """Return where data departs from a schema that the service shows; draft 4, other keywords are ignored."""
        schemas = {each: answer for each, answer in self.shown.items() if answer.ok or each == name}
        for answer in schemas.values():
            _ = answer.data  # so that one which is not read blocks the question
        documents = [(each, answer.body) for each, answer in schemas.items()]
        gone = [each for each, answer in self.shown.items() if answer.status == NOT_FOUND and each not in SCHEMAS]
        return [*_problems((*documents, *((each, b"") for each in gone)), name, json.dumps(data))]

    def referred_to(self, whole: object, schema: object) -> dict[str, Any]:
        """Return what a schema, which is part of a ``whole``, refers to, or itself; empty where it is no object.

        What it refers to elsewhere is not looked at: then it is the reference.
        """
        for _ in range(REFERENCES):
            found = schema if isinstance(schema, dict) else {}
            if (only := only_part(found)) is not None:
                schema = only
                continue
            if not isinstance(reference := found.get("$ref"), str):
                return found
            address, _, pointer = reference.partition("#")
            if address:
                if not (name := _schema_at(address)):
                    return found
                whole = self.shown[name].data if name in self.shown and self.shown[name].ok else None
            schema = at_pointer(whole, pointer)
        return {}


_Documents = tuple[tuple[str, bytes], ...]
"""The schemas that a service shows, as they came, each with its name."""


def _schema_at(address: str) -> str:
    """Return the name of the schema that is at an address; nothing where it is not where a service has its schemas.

    It may be relative to the schema that has it. (RFC 3986, 5.)
    """
    found = re.fullmatch(r"(?:.*/v2(?:\.\d+)?/schemas/|/?schemas/|\./|(?:\.\./)+schemas/)?([\w-][\w.-]*)#?", address)
    return found[1] if found else ""


def _referred_by(part: object) -> Iterator[str]:
    """Yield the names of the schemas that one refers to."""
    if isinstance(part, dict) and isinstance(reference := part.get("$ref"), str):
        yield _schema_at(reference.partition("#")[0])
    for each in [*part.values()] if isinstance(part, dict) else part if isinstance(part, list) else []:
        yield from _referred_by(each)


@functools.lru_cache(maxsize=500)
def _problems(documents: _Documents, name: str, document: str) -> tuple[str, ...]:
    """Return where a document departs from one of the schemas: several checks look at the same, and more than once."""
    from jsonschema import SchemaError
    from referencing.exceptions import Unresolvable

    try:
        found = _validator(documents, name).iter_errors(json.loads(document))
        return tuple(f"{problem.json_path}: {problem.message[:200]}" for problem in found)
    except Unresolvable as problem:
        # A document elsewhere says nothing; a part that one lacks which is shown, or a schema that is not there, does.
        lacks = hasattr(problem, "resource") or (_schema_at(str(problem.ref).partition("#")[0]), b"") in documents
        return (f"the schema cannot be read: {str(problem)[:200]}",) if lacks else ()
    except (SchemaError, RecursionError, TypeError, ValueError) as problem:
        return (f"the schema cannot be read: {str(problem)[:200]}",)


def declared_in(answer: Answer, *names: str) -> dict[str, Any]:
    """Return what a schema that was shown says at a place, given name by name, or by references on the way there."""
    part: Any = answer.data
    for name in names:
        part = referred(part, answer.data)
        part = part.get(name) if isinstance(part, dict) else None
    part = referred(part, answer.data)
    return part if isinstance(part, dict) else {}


@functools.lru_cache(maxsize=64)
def _validator(documents: _Documents, name: str) -> "Validator":
    """Return what validates by one of the schemas, which is seen to be one once, however many images it describes.

    It is read as of the draft that it names itself, and may refer to the others.
    """
    from jsonschema import Draft4Validator
    from jsonschema.validators import extend, validator_for
    from referencing import Registry, Resource
    from referencing.exceptions import NoSuchResource
    from referencing.jsonschema import DRAFT4

    schemas = {each: parsed(body) for each, body in documents if body}

    def retrieve(address: str) -> Resource[Any]:
        if (other := _schema_at(address)) not in schemas:
            raise NoSuchResource(address)
        return Resource.from_contents(schemas[other], default_specification=DRAFT4)

    kind = validator_for(schemas[name], default=Draft4Validator)
    kind.check_schema(schemas[name])
    # Of 64.0 the drafts say differently whether it is an integer.
    types = kind.TYPE_CHECKER.redefine("integer", lambda _, value: is_whole(value))
    read: type[Validator] = extend(kind, type_checker=types)  # type: ignore[no-untyped-call]
    return read(schemas[name], registry=Registry(retrieve=retrieve))  # type: ignore[call-arg]


@workload(empty=lambda: SchemaDocuments({}, {}, {}, {}), requests=(25, 45, 45, 45))
def schema_documents(run: Run) -> SchemaDocuments:
    """Ask for every schema, with a token and without, and for answers that they describe."""
    client = run.client
    anonymous = client.calling("nobody", lambda: None)
    # What a run has asked for when it began is not asked for twice.
    shown = {name: run.documents.get(name) or client.send("GET", f"/schemas/{name}") for name in (*SCHEMAS, UNKNOWN)}
    # A service may have more schemas than are documented, to which those refer.
    further = {each for answer in shown.values() if answer.ok for each in _referred_by(clearly(answer.body))}
    for name in sorted(further - {"", *shown})[:REFERENCES]:
        shown[name] = client.send("GET", f"/schemas/{name}")
    unauthenticated: dict[str, list[Answer]] = {}
    described, missing = dict[str, Answer](), dict[str, Answer]()
    seen: list[Answer] = []
    decided: list[Answer] = []
    task: list[Answer] = []
    lists: list[tuple[str, Answer]] = []
    again: dict[str, Answer] = {}
    found = partial(SchemaDocuments, shown, unauthenticated, described, missing, seen, task, decided, lists, again)
    tasks = client.send("GET", "/tasks")
    if tasks.ok:
        described["tasks"] = tasks
    else:
        missing |= {"task": tasks, "tasks": tasks}
    with run.fresh_image() as image:
        described["image"] = image.show()
        # One that has no data yet, so that it lacks what data gives: by its name, as the first page may be others'.
        described["images"] = client.list(limit="2", **({"name": image.name} if image.name else {}))
        members = image.send("GET", "/members")
        if members.status in NOT_OFFERED | {FORBIDDEN}:
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
                if member and run.rounds:
                    decided += _decided(member, image, project)
                    lists += [("members", member.send("GET", f"/images/{image.id}/members"))]
            if run.rounds and image.client.patch(image.id, replaced("/name", None)).ok:
                seen += [image.show()]  # one that has no name is an image all the same
    run.show(found)
    unauthenticated |= {name: [anonymous.send("GET", f"/schemas/{name}")] for name in SCHEMAS}
    if run.rounds:
        # A token that Identity has never issued, and those that have ended, in turn: each of them is one of six.
        known = [asker.client for asker in [*unknown_tokens(client)][:1]] + run.ended_callers()
        for name, invalid in zip(SCHEMAS, cycle(known), strict=False):
            unauthenticated[name].append(invalid.send("GET", f"/schemas/{name}"))
        # Each that was asked for before another whose name is like its own; and the one that there is not.
        again |= {name: client.send("GET", f"/schemas/{name}") for name in AGAIN}
    task += _a_task(run) if run.rounds and not run.settings.image else ()
    lists += [("tasks", client.send("GET", "/tasks"))] if task else []
    return found()


def _decided(member: ImagesClient, image: Image, project: str) -> Iterator[Answer]:
    """Have a member reject an image and accept it, and yield the answers, which show it with each status."""
    for status in ("rejected", "accepted"):
        yield member.send("PUT", f"/images/{image.id}/members/{project}", json={"status": status})


def _a_task(run: Run) -> Iterator[Answer]:
    """Ask for an import of what is not there, and look at it until it has failed; nothing where it is refused."""
    with claimed_name(run.client, run.name) as name:
        answer = run.client.send("POST", "/tasks", json=import_from(NOWHERE, name))
        if is_fit(identifier := answer.document.get("id")):
            yield answer
            for _ in range(LOOKS):
                yield run.client.send("GET", f"/tasks/{identifier}")
