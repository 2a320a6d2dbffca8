"""Services that describe themselves otherwise than they are, and answers that lack what all have in common."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from pytest_cloudimages.reference.app import App, Reply, Request
from pytest_cloudimages.reference.images import Caller, Image
from pytest_cloudimages.reference.refusals import Unauthorized

from .kinds import Kind
from .registry import breaks, selecting

KIND = Kind.DESCRIPTIONS
DISCOVERY = selecting("SCHEMA", "VER", "GEN")
Document = dict[str, Any]


def describes(name: str, sentence: str, *ids: str, schema: str, change: Callable[[Document], Document]) -> None:
    """Register a service that shows one schema otherwise."""

    def shown(self: App, request: Request, asked: str) -> Reply:
        reply = App.schema(self, request, asked)
        document: Any = reply.json()
        return Reply.of_json(change(document)) if asked == schema else reply

    breaks(*ids, words=DISCOVERY)(type(name, (App,), {"__doc__": sentence, "__module__": __name__, "schema": shown}))


def answers(
    name: str, sentence: str, *ids: str, change: Callable[[App, Request, Reply], Reply], last: bool = False
) -> None:
    """Register a service that changes what it answers; ``last`` says that what all replies have is there by then."""
    method = "handle" if last else "answer"
    honest: Callable[[App, Request], Reply] = getattr(App, method)

    def answer(self: App, request: Request) -> Reply:
        return change(self, request, honest(self, request))

    breaks(*ids, words=DISCOVERY)(type(name, (App,), {"__doc__": sentence, "__module__": __name__, method: answer}))


def represents(name: str, sentence: str, *ids: str, change: Callable[[Document], Mapping[str, Any]]) -> None:
    """Register a service that shows images otherwise than they are."""

    def represent(self: App, image: Image) -> dict[str, object]:
        return dict(change(App.represent(self, image)))

    breaks(*ids, words=DISCOVERY)(
        type(name, (App,), {"__doc__": sentence, "__module__": __name__, "represent": represent})
    )


def _changed(document: Document, name: str, **other: object) -> Document:
    """Return a schema with other keywords for one of its properties."""
    return document | {"properties": document["properties"] | {name: document["properties"][name] | other}}


def _less(document: Document, *names: str) -> Document:
    """Return a schema without some of its properties."""
    kept = {name: described for name, described in document["properties"].items() if name not in names}
    return document | {"properties": kept}


def _items(document: Document, change: Callable[[Document], Document]) -> Document:
    name = document["name"]
    return _changed(document, name, items=change(document["properties"][name]["items"]))


# Schemas

for _number, _name in enumerate(("images", "image", "members", "member", "task", "tasks"), 1):
    describes(
        f"NamesTheSchema{_name.title()}Otherwise",
        f"Calls the schema {_name} otherwise.",
        f"SCHEMA-{_number:02}",
        schema=_name,
        change=lambda document: document | {"name": f"{document['name']}-v2"},
    )
describes(
    "DescribesImagesByNothing",
    "Shows a schema of images whose properties are a list.",
    "SCHEMA-01",
    "SCHEMA-09",
    "SCHEMA-14",
    schema="images",
    change=lambda document: document | {"properties": [*document["properties"]]},
)
describes(
    "AllowsAttributesOfAnyKind",
    "Shows a schema of an image that says nothing of further attributes.",
    "SCHEMA-08",
    schema="image",
    change=lambda document: {key: value for key, value in document.items() if key != "additionalProperties"},
)
describes(
    "DescribesNoLinksOfAnImage",
    "Shows a schema of an image without its links.",
    "SCHEMA-08",
    schema="image",
    change=lambda document: document | {"links": []},
)
describes(
    "DescribesNoFirstPage",
    "Shows a schema of images without first.",
    "SCHEMA-09",
    schema="images",
    change=lambda document: _less(document, "first"),
)
describes(
    "DescribesImagesAsAnObject",
    "Shows a schema in which images are an object.",
    "SCHEMA-09",
    "SCHEMA-14",
    schema="images",
    change=lambda document: _changed(document, "images", type="object"),
)
describes(
    "DescribesMembersAsImages",
    "Shows a schema of members whose items are called image.",
    "SCHEMA-10",
    schema="members",
    change=lambda document: _items(document, lambda item: dict(item) | {"name": "image"}),
)
describes(
    "DescribesNoLinksOfMembers",
    "Shows a schema of members without links.",
    "SCHEMA-10",
    schema="members",
    change=lambda document: document | {"links": []},
)
describes(
    "DescribesNoStatusOfAMember",
    "Shows a schema of a member without its status.",
    "SCHEMA-11",
    schema="member",
    change=lambda document: _less(document, "status"),
)
describes(
    "DescribesNoResultOfATask",
    "Shows a schema of a task without its result.",
    "SCHEMA-12",
    schema="task",
    change=lambda document: _less(document, "result"),
)
describes(
    "DescribesInputsOfListedTasks",
    "Shows a schema of tasks that have their input.",
    "SCHEMA-13",
    schema="tasks",
    change=lambda document: _items(
        document, lambda item: dict(item) | {"properties": item["properties"] | {"input": {"type": "object"}}}
    ),
)
describes(
    "DescribesStatusesOtherwise",
    "Shows a schema whose images have other statuses.",
    "SCHEMA-14",
    schema="image",
    change=lambda document: _changed(document, "status", enum=["ready"]),
)
describes(
    "DescribesMembersOtherwise",
    "Shows a schema whose members have numbers.",
    "SCHEMA-14",
    schema="member",
    change=lambda document: _changed(document, "member_id", type="integer"),
)
describes(
    "DescribesByAnotherSchema",
    "Shows a schema that refers to one that is not there.",
    "SCHEMA-14",
    schema="image",
    change=lambda document: _changed(document, "id", **{"$ref": "/v2/schemas/identifier"}),
)


def _unknown(self: App, request: Request, reply: Reply) -> Reply:
    if "cloudimages" in request.path.partition("/schemas/")[2]:
        return self.error(request, HTTPStatus.BAD_REQUEST, "No such schema.")
    return reply


def _teapot(self: App, request: Request, reply: Reply) -> Reply:
    if "cloudimages" in request.path.partition("/schemas/")[2]:
        return self.error(request, HTTPStatus.IM_A_TEAPOT, "No such schema.")
    return reply


answers(
    "RefusesUnknownSchemasBy400",
    "Answers 400 to the request for a schema that there is not.",
    "SCHEMA-15",
    change=_unknown,
)
answers(
    "RefusesUnknownSchemasBy418",
    "Answers 418 to the request for a schema that there is not.",
    "SCHEMA-15",
    "SCHEMA-16",
    change=_teapot,
)


@breaks("SCHEMA-17", words=DISCOVERY)
class ShowsSchemasToEverybody(App):
    """Shows schemas to callers without a token."""

    def authenticate(self, request: Request) -> Caller:
        try:
            return super().authenticate(request)
        except Unauthorized:
            if "/schemas/" not in request.path:
                raise
            return Caller("", writes=False)


# Versions


def _root(path: str, status: HTTPStatus) -> Callable[[App, Request, Reply], Reply]:
    return lambda _, request, reply: replace(reply, status=status) if request.path == path else reply


def _no_versions(self: App, request: Request, reply: Reply) -> Reply:
    del self
    return Reply.of_json({"versions": {}}, reply.status) if request.path in ("/", "/versions") else reply


answers("ListsVersionsBy200", "Answers 200 at its root.", "VER-02", change=_root("/", HTTPStatus.OK))
answers(
    "ListsVersionsBy300Everywhere",
    "Answers 300 to the request for its versions.",
    "VER-03",
    change=_root("/versions", HTTPStatus.MULTIPLE_CHOICES),
)
answers("ListsVersionsAsAnObject", "Lists its versions as an object.", "VER-02", "VER-03", change=_no_versions)
represents(
    "LeadsWithoutAVersion",
    "Leads by self to a path without a version.",
    "VER-01",
    "GEN-15",
    change=lambda shown: shown | {"self": shown["self"].removeprefix("/v2")},
)


# What all answers have in common


def _typed(media_type: str, *, when: Callable[[Request], bool]) -> Callable[[App, Request, Reply], Reply]:
    def change(self: App, request: Request, reply: Reply) -> Reply:
        del self
        if not when(request) or reply.status != HTTPStatus.OK:
            return reply
        others = [field for field in reply.headers if field[0] != "Content-Type"]
        return replace(reply, headers=(*others, ("Content-Type", media_type)))

    return change


def _by_get(request: Request) -> bool:
    return request.method == "GET" and request.path.startswith("/v2/images")


def _of_no_format(request: Request) -> bool:
    return _by_get(request) and "Accept" not in request.headers


def _other_refusals(self: App, request: Request, reply: Reply) -> Reply:
    if reply.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        return self.error(request, HTTPStatus.BAD_REQUEST, "It cannot be read.")
    return reply


def _other_methods(status: HTTPStatus) -> Callable[[App, Request, Reply], Reply]:
    def change(self: App, request: Request, reply: Reply) -> Reply:
        return self.error(request, status, "No.") if reply.status == HTTPStatus.METHOD_NOT_ALLOWED else reply

    return change


def _without(field: str, *, when: Callable[[Request, Reply], bool]) -> Callable[[App, Request, Reply], Reply]:
    def change(self: App, request: Request, reply: Reply) -> Reply:
        del self
        kept = tuple(each for each in reply.headers if each[0] != field)
        return replace(reply, headers=kept) if when(request, reply) else reply

    return change


def _later(hours: int, name: str = "created_at") -> Callable[[Document], Document]:
    def change(shown: Document) -> Document:
        moment = datetime.fromisoformat(shown[name]) + timedelta(hours=hours)
        return shown | {name: moment.strftime("%Y-%m-%dT%H:%M:%SZ")}

    return change


answers(
    "ShowsImagesAsText",
    "Calls what it shows of images text/plain.",
    "GEN-01",
    change=_typed("text/plain", when=_by_get),
)
answers(
    "ShowsHtmlUnasked",
    "Calls what it shows HTML, where no format is asked for.",
    "GEN-05",
    change=_typed("text/html", when=_of_no_format),
)
answers("RefusesTypesBy400", "Answers 400 to a media type that it does not read.", "GEN-04", change=_other_refusals)
answers(
    "DoesNotProcessTasksByTheirType",
    "Answers 422 to a task whose media type it does not read.",
    "GEN-04",
    change=lambda _, request, reply: (
        replace(reply, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        if request.path == "/v2/tasks" and reply.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        else reply
    ),
)
answers(
    "RefusesMethodsBy400",
    "Answers 400 to methods that a resource does not have.",
    "GEN-10",
    change=_other_methods(HTTPStatus.BAD_REQUEST),
)
answers(
    "FindsNothingForOtherMethods",
    "Answers 404 to methods that a resource does not have.",
    "GEN-10",
    change=_other_methods(HTTPStatus.NOT_FOUND),
)
answers(
    "AllowsNothing",
    "Leaves Allow out of a 405.",
    "GEN-11",
    change=_without("Allow", when=lambda _, reply: reply.status == HTTPStatus.METHOD_NOT_ALLOWED),
)
answers(
    "DatesNoLists",
    "Leaves Date out of lists of images.",
    "GEN-14",
    change=_without("Date", when=lambda request, _: request.path == "/v2/images"),
    last=True,
)
represents(
    "DatesByADay",
    "Shows the day of creation alone.",
    "GEN-07",
    change=lambda shown: shown | {"created_at": shown["created_at"][:10], "updated_at": shown["updated_at"]},
)
represents(
    "DatesWithABlank",
    "Separates day and time by a blank.",
    "GEN-07",
    change=lambda shown: shown | {"updated_at": shown["updated_at"].replace("T", " ")},
)
represents("DatesInLocalTime", "Calls the time five hours later UTC.", "GEN-08", change=_later(5))
represents(
    "ChangesInLocalTime", "Calls the time of a change five hours later UTC.", "GEN-08", change=_later(5, "updated_at")
)
represents(
    "LeadsToNowhere",
    "Leads by self to what is not there.",
    "GEN-15",
    change=lambda shown: shown | {"self": "/v2/pictures/" + str(shown["id"])},
)


# Lawful


def _nothing_at_the_root(self: App, request: Request, reply: Reply) -> Reply:
    return (
        reply
        if request.path.startswith(("/v2/", "/identity"))
        else self.error(request, HTTPStatus.NOT_FOUND, "Nothing.")
    )


def _no_schemas(self: App, request: Request, reply: Reply) -> Reply:
    return self.error(request, HTTPStatus.NOT_FOUND, "There are none.") if "/schemas/" in request.path else reply


def _other_bodies(self: App, request: Request, reply: Reply) -> Reply:
    del self, request
    html = (
        ("Content-Type", "text/html; charset=utf-8"),
        *(each for each in reply.headers if each[0] != "Content-Type"),
    )
    return replace(reply, headers=html, body=b"<p>No.</p>") if reply.status >= HTTPStatus.BAD_REQUEST else reply


answers("HasNothingAtItsRoot", "Answers 404 at its root.", change=_nothing_at_the_root)
answers("ShowsNoSchemas", "Offers no schemas.", change=_no_schemas)
answers("ExplainsErrorsInHtml", "Explains errors in HTML.", change=_other_bodies)
represents(
    "DatesWithFractions",
    "Shows times with fractions and an offset.",
    change=lambda shown: (
        shown | {key: shown[key].replace("Z", ".250000+00:00") for key in ("created_at", "updated_at")}
    ),
)
describes(
    "DescribesMoreOfImages",
    "Shows a schema of an image with a property more.",
    schema="image",
    change=lambda document: document | {"properties": document["properties"] | {"colour": {"type": "string"}}},
)
