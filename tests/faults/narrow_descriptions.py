"""Services that describe themselves rightly but for one document, one status or one kind of time."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference import documents
from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Member
from pytest_cloudimages.reference.refusals import Invalid, NotFound, Unauthorized
from pytest_cloudimages.reference.schemas import SCHEMAS
from pytest_cloudimages.reference.tasks import Task

from .kinds import Kind
from .registry import registrar, selecting

KIND = Kind.DESCRIPTIONS

faulty = registrar(__name__, profile="standard")
"""Registers a service that has some methods of its own."""


def describes(name: str, sentence: str, *ids: str, schema: str, change: Callable[[Any], object]) -> None:
    """Register a service one of whose schemas says something else."""

    def shown(self: App, request: Request, asked: str) -> Reply:
        reply = App.schema(self, request, asked)
        if asked != schema:
            return reply
        document = copy.deepcopy(reply.json())
        change(document)
        return Reply.of_json(document)

    words = selecting("SCHEMA", "IMG-ENT-15", "IMG-UPD-16")
    faulty(name, sentence, *ids, words=words, schema=shown)


def _statuses(*names: str) -> Callable[[Any], object]:
    return lambda document: document["properties"]["status"].update(enum=[*names])


describes(
    "DescribesFormerStatusesOfTasks",
    "Describes tasks with statuses of its first release.",
    "SCHEMA-14",
    schema="task",
    change=_statuses("pending", "processing", "complete"),
)
describes(
    "DescribesNoAcceptance",
    "Describes members with pending and rejected alone.",
    "SCHEMA-14",
    schema="member",
    change=_statuses("pending", "rejected"),
)
describes(
    "DescribesResultsOfExportsAsUrls",
    "Describes what comes of an export as a URL, and shows the place in the object store.",
    "SCHEMA-14",
    schema="task",
    change=lambda document: document["properties"]["result"].update(
        properties={"export_location": {"type": "string", "pattern": "^https?://"}}
    ),
)
describes(
    "DescribesResultsOfBothTypes",
    "Describes what comes of an import, and of an export, each as what it is.",
    schema="task",
    change=lambda document: document["properties"]["result"].update(
        properties={
            "image_id": {"type": "string", "pattern": "^[0-9a-f-]{36}$"},
            "export_location": {"type": "string", "pattern": "/"},
        },
        additionalProperties=False,
    ),
)
describes(
    "DescribesShorterNames",
    "Says that names have 100 characters at most, and takes longer ones.",
    "IMG-ENT-15",
    schema="image",
    change=lambda document: document["properties"]["name"].update(maxLength=100),
)


def _forbidden(self: App, request: Request, name: str) -> Reply:
    if name == "member":
        return self.error(request, HTTPStatus.FORBIDDEN, "The policy does not allow it.")
    return App.schema(self, request, name)


faulty("ForbidsASchema", "Forbids the schema of a member.", "SCHEMA-04", words=selecting("SCHEMA"), schema=_forbidden)


def _as_text(self: App, request: Request, name: str) -> Reply:
    reply = App.schema(self, request, name)
    return replace(reply, headers=(("Content-Type", "text/plain"),)) if name == "members" else reply


faulty(
    "ShowsASchemaAsText",
    "Calls the schema of members plain text.",
    "GEN-01",
    words=selecting("GEN-01", "GEN-05", "SCHEMA"),
    schema=_as_text,
)


def _undated(status: HTTPStatus) -> Callable[[App, Request], Reply]:
    def handle(self: App, request: Request) -> Reply:
        reply = App.handle(self, request)
        undated = reply.status == status and "/tags/" not in request.path
        return replace(reply, headers=tuple(each for each in reply.headers if not undated or each[0] != "Date"))

    return handle


for name, sentence, status in (
    ("DatesNothingThatIsMissing", "Leaves Date out of 404.", HTTPStatus.NOT_FOUND),
    ("DatesNoOtherTypes", "Leaves Date out of 415.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    ("DatesNothingThatIsForbidden", "Leaves Date out of 403.", HTTPStatus.FORBIDDEN),
):
    faulty(name, sentence, "GEN-14", words=selecting("GEN-14"), handle=_undated(status))


def _no_method(self: App, request: Request) -> Reply:
    if request.path.startswith("/v2/schemas/") and request.method != "GET":
        raise NotFound("There is no such resource.")
    return App.route(self, request)


faulty(
    "KnowsNoMethodsOfSchemas",
    "Answers 404 to methods that schemas do not have.",
    "GEN-10",
    words=selecting("GEN-10", "GEN-11"),
    route=_no_method,
)


def _ahead(self: App, member: Member) -> dict[str, object]:
    moment = documents.time_of_day(member.created_at + timedelta(hours=8))
    return App.represent_member(self, member) | {"created_at": moment, "updated_at": moment}


def _behind(self: App, task: Task) -> dict[str, object]:
    shown = App.represent_listed_task(self, task)
    times = {name: getattr(task, name) for name in ("created_at", "updated_at", "expires_at") if name in shown}
    return shown | {name: documents.time_of_day(moment - timedelta(hours=3)) for name, moment in times.items()}


TIMES = selecting("GEN-07", "GEN-08")
faulty(
    "SharesInTimesToCome",
    "Calls the time of members eight hours later UTC.",
    "GEN-08",
    words=TIMES,
    represent_member=_ahead,
)
faulty(
    "WorksInTheWest",
    "Calls the time of tasks three hours earlier UTC.",
    "GEN-08",
    words=TIMES,
    represent_listed_task=_behind,
)


# Lawful


def _in_the_east(self: App, task: Task) -> dict[str, object]:
    shown = App.represent_listed_task(self, task)
    times = {name: getattr(task, name) for name in ("created_at", "updated_at", "expires_at") if name in shown}
    return shown | {
        name: documents.time_of_day(moment + timedelta(hours=2)).removesuffix("Z") + "+02:00"
        for name, moment in times.items()
    }


def _short(self: App, request: Request, image_id: str) -> Reply:
    for each in request.body.split(b'"'):
        if len(each) > 100 and b"/name" in request.body:
            return self.error(request, HTTPStatus.BAD_REQUEST, "A name has 100 characters at most.")
    return App.update_image(self, request, image_id)


def _short_names(self: App, request: Request, name: str) -> Reply:
    document: Any = copy.deepcopy(App.schema(self, request, name).json())
    if name == "image":
        document["properties"]["name"]["maxLength"] = 100
    return Reply.of_json(document)


faulty("WorksInTheEast", "Shows the times of tasks with an offset.", words=TIMES, represent_listed_task=_in_the_east)
faulty(
    "TakesShortNames",
    "Takes names of 100 characters at most, and says so in its schema.",
    words=selecting("SCHEMA", "IMG-ENT-15", "IMG-UPD"),
    update_image=_short,
    schema=_short_names,
)
faulty(
    "TakesShortNamesUnsaid",
    "Takes names of 100 characters at most, and says in its schema that 255 are taken.",
    "IMG-UPD-16",
    words=selecting("SCHEMA", "IMG-ENT-15", "IMG-UPD"),
    update_image=_short,
)


# Content, and what it is called


def _counted(self: App, request: Request, image_id: str) -> Reply:
    reply = App.show_image(self, request, image_id)
    text = json.dumps(reply.json(), ensure_ascii=False)
    return replace(reply, body=text.encode()[: len(text)])


faulty(
    "CountsLettersForOctets",
    "Sends as many octets of an image as its description has letters.",
    "GEN-01",
    words=selecting("GEN-01", "GEN-05", "IMG-GET-01", "IMG-UPD"),
    show_image=_counted,
)


def _members_as_text(self: App, request: Request, image_id: str) -> Reply:
    return replace(App.list_members(self, request, image_id), headers=(("Content-Type", "text/json"),))


faulty(
    "ListsMembersAsText",
    "Calls the list of members text/json.",
    "GEN-01",
    words=selecting("GEN-01", "GEN-05"),
    list_members=_members_as_text,
)


def _to_any_token(self: App, request: Request) -> Caller:
    try:
        return App.authenticate(self, request)
    except Unauthorized:
        if request.path.startswith("/v2/schemas/image") and request.headers.get("X-Auth-Token"):
            return request.caller
        raise


faulty(
    "ShowsSchemasForAnyToken",
    "Shows the schemas of images to whoever has a token, be it valid or not.",
    "SCHEMA-17",
    words=selecting("SCHEMA"),
    authenticate=_to_any_token,
)


# What is asked for otherwise


def _called(kind: str, when: Callable[[Request, Reply], bool]) -> Callable[[App, Request], Reply]:
    """Return what calls answers another kind of content than they are."""

    def handle(self: App, request: Request) -> Reply:
        reply = App.handle(self, request)
        named = kind if when(request, reply) else None
        return replace(
            reply,
            headers=tuple(
                (key, named or value) if key == "Content-Type" else (key, value) for key, value in reply.headers
            ),
        )

    return handle


def _asked_for_xml(request: Request, _: Reply) -> bool:
    return request.headers.get("Accept", "").startswith("application/xml") and request.path.startswith("/v2/")


def _asked_for_text(request: Request, reply: Reply) -> bool:
    return request.headers.get("Accept", "") == "text/plain" and reply.status == HTTPStatus.OK


def _asked_for_anything(request: Request, _: Reply) -> bool:
    return request.headers.get("Accept", "") == "*/*" and request.path.startswith("/v2/images/")


FORMATS = selecting("GEN-01", "GEN-05", "GEN-10")
faulty(
    "CallsItXmlWhereThatIsAskedFor",
    "Calls JSON XML to whoever asks for XML.",
    "GEN-01",
    words=FORMATS,
    handle=_called("application/xml", _asked_for_xml),
)


faulty(
    "CallsItTextWhereThatIsAskedFor",
    "Calls JSON plain text, which it is as well, to whoever asks for plain text.",
    words=FORMATS,
    handle=_called("text/plain", _asked_for_text),
)


faulty(
    "CallsItTextWhereAnythingWillDo",
    "Calls images plain text to whoever takes any format.",
    "GEN-05",
    words=FORMATS,
    handle=_called("text/plain", _asked_for_anything),
)


def _no_head(self: App, request: Request) -> Reply:
    if request.method == "HEAD" and request.path.startswith("/v2/schemas/"):
        return self.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "There is no such attribute.")
    return App.route(self, request)


faulty("FailsAtHeadsOfSchemas", "Fails at HEAD of a schema.", "GEN-10", words=FORMATS, route=_no_head)
describes(
    "DescribesListsOfWhatHasData",
    "Describes lists as if each image were active.",
    "SCHEMA-14",
    schema="images",
    change=lambda document: document["properties"]["images"]["items"]["properties"]["status"].update(enum=["active"]),
)
describes(
    "DescribesListsOfTheUndecided",
    "Describes lists of members as if none had accepted.",
    "SCHEMA-14",
    schema="members",
    change=lambda document: document["properties"]["members"]["items"]["properties"]["status"].update(
        enum=["pending", "rejected"]
    ),
)


def _other_formats(self: App, request: Request) -> Reply:
    accept = request.headers.get("Accept", "")
    if request.path.startswith("/v2/") and accept.startswith("text/html"):
        return Reply(HTTPStatus.OK, b"<!DOCTYPE html><title>Images</title>", (("Content-Type", "text/html"),))
    if (
        request.path.startswith("/v2/")
        and accept.startswith(("application/xml", "text/plain"))
        and "json" not in accept
    ):
        return self.error(request, HTTPStatus.NOT_ACCEPTABLE, "There is JSON alone.")
    return App.route(self, request)


faulty(
    "ShowsPagesToBrowsers",
    "Shows a page to whoever asks for HTML, and refuses what asks for other formats.",
    words=FORMATS,
    route=_other_formats,
)


def _implements_no_options(self: App, request: Request) -> Reply:
    if request.method in ("OPTIONS", "HEAD"):
        return self.error(request, HTTPStatus.NOT_IMPLEMENTED, f"{request.method} is not implemented.")
    return App.route(self, request)


faulty("ImplementsNoOptions", "Implements neither OPTIONS nor HEAD.", words=FORMATS, route=_implements_no_options)


# Versions


def listing_versions(change: Callable[[Any], object], path: str = "/versions") -> Callable[[App, Request], Reply]:
    """Return the versions, listed otherwise at a path."""

    def versions(self: App, request: Request) -> Reply:
        reply = App.versions(self, request)
        document: Any = copy.deepcopy(reply.json())
        if request.path == path:
            document["versions"] = [each for each in document["versions"] if change(each) is not False]
        return Reply.of_json(document, reply.status)

    return versions


def _leading_to(place: str) -> Callable[[Any], object]:
    return lambda version: version["links"][0].update(href=place)


VERSIONS = selecting("VER")
faulty(
    "ListsTheFirstVersionAlone",
    "Lists versions as they were before the second one.",
    "VER-03",
    words=VERSIONS,
    versions=listing_versions(lambda version: version.update(id=version["id"].replace("v2", "v1"))),
)
faulty(
    "LeadsToVersionsWithoutANumber",
    "Leads from the list of versions to the root of the service.",
    "VER-01",
    words=VERSIONS,
    versions=listing_versions(_leading_to("http://127.0.0.1/")),
)
faulty(
    "LeadsToVersionsElsewhere",
    "Leads from the list of versions to the address that its operator has published.",
    words=VERSIONS,
    versions=listing_versions(_leading_to("https://images.cloud.example/image/v2/")),
)
faulty(
    "LeadsToEachVersionByItsName",
    "Leads from the list of versions to each by its own name, to version 2.9 by /v2.9/.",
    words=VERSIONS,
    versions=listing_versions(lambda version: version["links"][0].update(href=f"http://127.0.0.1/{version['id']}/")),
)


# By what else it is asked for


def _by_the_end(self: App, request: Request, asked: str) -> Reply:
    return App.schema(self, request, next((name for name in SCHEMAS if asked.endswith(f"-{name}")), asked))


faulty(
    "FindsSchemasByTheirEnds",
    "Shows a schema for every name that ends in its own.",
    "SCHEMA-15",
    words=selecting("SCHEMA"),
    schema=_by_the_end,
)


# Once they have been asked for


def _asked_before(self: App, name: str) -> int:
    """Return how often a schema was asked for before this time."""
    asked: dict[str, int] = self.__dict__.setdefault("asked", {})
    asked[name] = asked.get(name, 0) + 1
    return asked[name] - 1


def _as_the_last(self: App, request: Request, name: str) -> Reply:
    if name == "tasks" and _asked_before(self, "task"):
        return App.schema(self, request, "task")
    _asked_before(self, name)
    return App.schema(self, request, name)


def _knows_of_none(self: App, request: Request, name: str) -> Reply:
    if name not in SCHEMAS and _asked_before(self, name):
        raise Invalid(f"That there is no schema {name} was said before.")
    return App.schema(self, request, name)


def _newer_by_turns(self: App, request: Request, name: str) -> Reply:
    reply = App.schema(self, request, name)
    if not _asked_before(self, name) % 2:
        return reply
    document = reply.json()
    newer = {"description": "As of the next release.", "properties": document["properties"] | {"further": {}}}  # type: ignore[index]
    return Reply.of_json({**newer, **{key: value for key, value in document.items() if key not in newer}})  # type: ignore[attr-defined]


faulty(
    "RemembersTheSchemaOfATask",
    "Shows the schema of a task for that of tasks, once it was asked for.",
    "SCHEMA-06",
    words=selecting("SCHEMA-03", "SCHEMA-05", "SCHEMA-06", "SCHEMA-15"),
    schema=_as_the_last,
)
faulty(
    "RefusesToLookForASchemaAgain",
    "Answers 400 to the request for a schema that it has looked for in vain.",
    "SCHEMA-15",
    words=selecting("SCHEMA-03", "SCHEMA-05", "SCHEMA-06", "SCHEMA-15", "SCHEMA-16"),
    schema=_knows_of_none,
)
faulty(
    "ShowsNewerSchemasByTurns",
    "Shows each second time the schemas of its next release, which describe one attribute more.",
    words=selecting("SCHEMA"),
    schema=_newer_by_turns,
)


def _linking(link: str) -> Callable[[App, Request], Reply]:
    """Return what lists versions that lead somewhere else."""

    def versions(self: App, request: Request) -> Reply:
        document: Any = App.versions(self, request).json()
        for version in document["versions"]:
            version["links"] = [{"rel": "self", "href": link}]
        return Reply.of_json(document, App.versions(self, request).status)

    return versions


def _behind_a_prefix(self: App, request: Request) -> Reply:
    return App.handle(self, replace(request, target=request.target.removeprefix("/image")))


faulty(
    "LinksVersionsBelowAnApi",
    "Leads from its versions to /api/v2/, where nothing is.",
    "VER-01",
    words=VERSIONS,
    versions=_linking("/api/v2/"),
)
faulty(
    "LinksVersionsBelowAPrefix",
    "Leads from its versions to /image/v2/, where it is as well.",
    words=VERSIONS,
    versions=_linking("/image/v2/"),
    handle=_behind_a_prefix,
)
faulty("LinksVersionsByTheirNumbers", "Leads to /v2.9/.", words=VERSIONS, versions=_linking("v2.9/"))


def _page_for(asks: Callable[[Request], bool]) -> Callable[[App, Request], Reply]:
    """Return what shows a page in place of the versions to some who ask."""

    def versions(self: App, request: Request) -> Reply:
        if asks(request):
            return Reply(HTTPStatus.OK, b"<!DOCTYPE html><title>Versions</title>", (("Content-Type", "text/html"),))
        return App.versions(self, request)

    return versions


faulty(
    "ShowsVersionsAsAPage",
    "Shows its versions as a page to who asks for no format.",
    "VER-02",
    "VER-03",
    words=VERSIONS,
    versions=_page_for(lambda request: "Accept" not in request.headers),
)
faulty(
    "ShowsBrowsersAPage",
    "Shows its versions as a page to who asks for one.",
    words=VERSIONS,
    versions=_page_for(lambda request: "text/html" in request.headers.get("Accept", "")),
)
