# GET and POST /v2/tasks, GET /v2/tasks/{task_id}

import re
from collections.abc import Callable
from http import HTTPStatus

from pytest_cloudimages import expect, note, requirement
from pytest_cloudimages.areas.common.checks import (
    A_STRING,
    A_UUID,
    AN_ARRAY,
    AN_OBJECT,
    OVER_LIMIT,
    REFUSED,
    Allowed,
    Answer,
    ImagesClient,
    OwnerOf,
    anything_but,
    documented_codes,
    expect_among,
    expect_interpreted,
    or_skip,
    repeated,
    still_holds,
)
from pytest_cloudimages.areas.common.followed_links import leads_to, target_of
from pytest_cloudimages.areas.common.offers import require_look
from pytest_cloudimages.areas.common.paging import PagedList, entries_of, limit_of, query_of
from pytest_cloudimages.areas.images.orders import WAYS_OF_IDS
from pytest_cloudimages.areas.tasks.agreement import (
    MOVING,
    listed_otherwise,
    moments,
    quiet_since,
    shown_otherwise,
    takes_up,
)
from pytest_cloudimages.areas.tasks.fixtures import *
from pytest_cloudimages.areas.tasks.requests import IMPORTED_LATER, MARK, SECTORS, Deed, is_fixed
from pytest_cloudimages.areas.tasks.tried import ENDED, Started, Tasks, status_of

IN_A_LIST = ("created_at", "id", "owner", "schema", "self", "status", "type", "updated_at")
MORE = ("input", "message", "result")
STATUSES = ("pending", "processing", "success", "failure")
IMPORTS = (
    Deed.IMPORT,
    Deed.IMPORT_AGAIN,
    Deed.IMPORT_ELSEWHERE,
    Deed.IMPORT_TWICE,
    Deed.IMPORT_LACKING,
    Deed.IMPORT_FURTHER,
    Deed.IMPORT_MISPLACED,
    Deed.IMPORT_NO_DISK,
    Deed.IMPORT_UNFIT,
    Deed.IMPORT_LARGE,
)
EXPORTS = (
    Deed.EXPORT,
    Deed.EXPORT_AGAIN,
    Deed.EXPORT_AT_ONCE,
    Deed.EXPORT_ONTO,
    Deed.EXPORT_LACKING,
    Deed.EXPORT_UNFIT,
    Deed.EXPORT_FOREIGN,
    Deed.EXPORT_DEACTIVATED,
)
DOCUMENTED = {"111", "396", "413", "523", "609", "614", "721"}
A_NUMBER = re.compile(
    # A number of something is none of a failure.
    r"^\W*([1-9]\d\d)\b(?!\.\d|\s+[a-z])"
    r"|\b(?:error|code|number|failure|failed with)\W{0,3}([1-9]\d\d)\b(?!\s+[a-z])",
    re.IGNORECASE,
)
A_TIME = Allowed(
    "a date and time",
    lambda value: isinstance(value, str) and bool(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", value)),
)
AN_OBJECT_OR_NONE = Allowed("an object or null", lambda value: value is None or isinstance(value, dict))
NOTHING_WRONG = ("None", "", None)
A_REASON = Allowed("a reason", lambda value: isinstance(value, str) and value not in NOTHING_WRONG)
MANY = 5
"""So many tasks are on a list that is cut short for its length."""
A_FEW = 3
"""So many tasks are not lacking for what they are by themselves."""
RANKS = {"pending": 0, "processing": 1, "success": 2, "failure": 2}


def failed(started: Started) -> None:
    """Expect a task to be refused at once, or to end in failure."""
    __tracebackhide__ = True
    expect(started.outcome, {"4xx", "failure"}, f"outcome of {started}")


def nothing_left(tasks: Tasks, *deeds: Deed) -> None:
    """Expect that tasks which fail have written nothing."""
    __tracebackhide__ = True
    for deed in deeds:
        for left in tasks.aside().leavings(deed):
            expect(left.found, [], f"what {left.deed} left in {left.where}")


def accepted(started: Started) -> None:
    """Expect a task to be created as it was asked for."""
    __tracebackhide__ = True
    expect(started.answer.status, 201, f"status of {started}")
    shown = started.answer.document
    expect(shown.get("type"), started.body["type"], f"type in {started}")
    expect(shown.get("input"), holding(started.body["input"]), f"input in {started}")


def holding(sent: object) -> Allowed:
    return Allowed(f"{sent!a}, and perhaps more", lambda shown: takes_up(sent, shown))


def taken_whole(tasks: Tasks, *deeds: Deed) -> None:
    """Expect what is not refused to be the task that was asked for, a new one, whatever becomes of it."""
    __tracebackhide__ = True
    known: list[str] = []
    for started in tasks.aside().asked():
        # What is lacking, a service may fill in.
        if started.deed in deeds and "LACKING" not in started.deed.name and started.answer.ok:
            accepted(started)
            expect(started.id in known, False, f"whether it is a task that was there before, in {started}")
        known += [started.id] if started.id else []


def is_cut_short(tasks: Tasks, listed: PagedList) -> bool:
    """Return whether a list has many of our tasks, and lacks others for no more than its length.

    No next is documented for it, nor any order, and how long it is, is up to its operator. (C-27.)
    """
    ours = [started for started in tasks.tried if started.id in tasks.known]
    held = [bool(listed.ids([started.id])) for started in ours]
    missing = [started for started, is_held in zip(ours, held, strict=True) if not is_held]
    still_there = all(each.looks[-1].ok for each in missing[:1] if each.looks)
    if len(listed.entries) < MANY or not still_there:
        return False
    if any(_is_one_end(ours, missing, key) for key in ORDERS_OF_TASKS):
        return True
    kinds = [[(each.answer.document.get("type"), status_of(each.last)) for each in missing]]
    kinds += [[(entry.get("type"), status_of(entry)) for entry in listed.entries]]
    alike = all({kind[place] for kind in kinds[0]} & {kind[place] for kind in kinds[1]} for place in (0, 1))
    return len(missing) >= A_FEW and alike


def _is_one_end(ours: list[Started], missing: list[Started], key: Callable[[Started], str]) -> bool:
    """Return whether what is missing comes first, or last, in an order of our tasks."""
    lacks = [each in missing for each in sorted(ours, key=key)]
    return lacks in (sorted(lacks), sorted(lacks, reverse=True))


ORDERS_OF_TASKS: list[Callable[[Started], str]] = [
    lambda _: "",
    lambda each: str(each.last.get("updated_at")),
    *(lambda each, way=way: way(str(each.id)) for way in WAYS_OF_IDS),
]
"""Orders of which a list may show one end: as they came, as they changed last, and by ids."""


def all_are_listed(tasks: Tasks, listed: PagedList, known: list[str]) -> None:
    """Expect a list to have each of our tasks once; what is missing between pages is PAGE-15's to say."""
    __tracebackhide__ = True
    if len(listed.pages) == 1:
        if is_cut_short(tasks, listed):
            known = [*dict.fromkeys(listed.ids(known))]
        expect(sorted(listed.ids(known)), sorted(known), f"our tasks in {listed}")
        return
    anywhere = {found for each in tasks.lists.values() for found in each.ids(known)}
    expect(sorted(anywhere), sorted(known), f"our tasks in {listed}, or any other list")
    for page in listed.pages:
        expect(repeated(page.ids), [], f"tasks that come twice in {page.answer}")


def shows_the_image(answer: Answer, image_id: object, name: str) -> None:
    """Expect an answer to show the image that an import has made, under its name."""
    __tracebackhide__ = True
    require_look(answer)
    expect(answer.status, 200, f"status of {answer}")
    expect((answer.document.get("id"), answer.document.get("name")), (image_id, name), f"image in {answer}")


def expect_fit_page(tasks: Tasks, listed: PagedList, client: ImagesClient) -> None:
    """Expect the first page of a list to hold no more than was asked for, and to lead on to more of the same only."""
    __tracebackhide__ = True
    page, limit = listed.first, limit_of(listed.query) or 0
    expect(len(page.entries) <= limit, True, f"whether {listed} has at most {limit}: {len(page.entries)}")
    link = page.data.get("next")
    asked = [pair for pair in listed.query if pair[0] != "limit"]
    fits = all(str(entry.get(name)) == value for entry in page.entries for name, value in asked)
    others = [entry for each in tasks.lists.values() for entry in each.entries]
    tells = any(str(entry.get(name)) != value for entry in others for name, value in asked)
    # A filter that a service does not have, which nothing documents, it may leave out of links: what is on its page is
    # what any list begins with.
    begin = [each.first.ids[: len(page.ids)] for each in tasks.lists.values() if not {*dict(each.query)} - {"limit"}]
    if link and limit and fits and tells and not (len(page.entries) == limit and page.ids in begin):
        most = min(limit, max(len(each.entries) for seen in tasks.lists.values() for each in seen.pages))
        expect(len(page.entries) >= most, True, f"whether {listed} is full, as it has next: {len(page.entries)}")
        led = query_of(leads_to(client, link, page.target))
        expect_among(led, asked, f"parameters of the next page of {listed}")


def is_of_http(number: str) -> bool:
    """Return whether a number is a status of HTTP, which the store of objects has answered, and none of a failure."""
    return number not in DOCUMENTED and any(number == f"{status.value}" for status in HTTPStatus)


def within_limits(started: Started) -> bool:
    return started.answer.status != OVER_LIMIT


# the table of Get task details
@requirement("TASK-ENT-01")
def test_a_task_has_what_is_guaranteed(tasks: Tasks) -> None:
    for _, answer in tasks.shown():
        shown = answer.document
        expect_among(shown.keys(), [*IN_A_LIST, "input", "message"], f"members of the task in {answer}")
        expect(shown["input"], AN_OBJECT_OR_NONE, f"input of the task in {answer}")
    # What is shown at all is shown whole, whoever asks.
    others = [seen.answer for seen in tasks.aside().seen_by_others()]
    invented = any(answer.ok for answer in tasks.aside().answered("unknown"))
    for answer in (*others, *(() if invented else tasks.aside().answered("foreign"))):
        if answer.ok:
            expect_among(answer.document.keys(), [*IN_A_LIST, "input", "message"], f"members of the task in {answer}")


# "pending, processing, success, failure"
@requirement("TASK-ENT-02")
def test_a_status_is_one_of_four(tasks: Tasks) -> None:
    for _, answer in tasks.shown().where(lambda seen: "status" in seen[1].document):
        expect(answer.document["status"], {*STATUSES}, f"status of the task in {answer}")
    for listed in tasks.aside().listed():
        strange = [entry["status"] for entry in listed.entries if entry.get("status") not in (*STATUSES, None)]
        expect(strange, [], f"statuses of tasks in {listed} that are none")


# "import or export"
@requirement("TASK-ENT-03")
def test_a_type_is_one_of_two(tasks: Tasks, specification: str) -> None:
    for _, answer in tasks.shown().where(lambda seen: "type" in seen[1].document):
        what, kind = f"type of the task in {answer}", answer.document["type"]
        expect_interpreted(specification, kind, what, cloud_images={"import", "export"}, glance=A_STRING)


# "present when the status is success or failure"
@requirement("TASK-ENT-04")
def test_an_ended_task_says_when_it_expires(tasks: Tasks) -> None:
    ended = tasks.shown().where(lambda seen: status_of(seen[1].document) in ENDED)
    for _, answer in or_skip(ended, "no task ended while it was waited for (--patience)"):
        expect(answer.document.get("expires_at"), A_TIME, f"expires_at of the task in {answer}")
        # What has expired is gone; and what expires when it ends would be gone before anybody knew of it.
        if found := moments(answer.document, "updated_at", "expires_at"):
            expect(found[1] > found[0], True, f"whether the task expires after it has ended, in {answer}")


# "present when the status is success"
@requirement("TASK-ENT-05")
def test_a_successful_task_has_a_result(tasks: Tasks) -> None:
    succeeded = tasks.shown().where(lambda seen: status_of(seen[1].document) == "success")
    for started, answer in or_skip(succeeded, "no task succeeded while it was waited for (--patience)"):
        result = answer.document.get("result")
        expect(result, AN_OBJECT, f"result of the task in {answer}")
        name = "image_id" if started.deed.is_import else "export_location"
        expect_among((result or {}).keys(), [name], f"members of the result in {answer}")


# "None"
@requirement("TASK-ENT-06")
def test_a_message_is_a_reason_where_something_went_wrong(tasks: Tasks) -> None:
    for _, answer in tasks.shown().where(lambda seen: "message" in seen[1].document):
        shown = answer.document
        allowed = A_REASON if status_of(shown) == "failure" else {*NOTHING_WRONG}
        expect(shown["message"], allowed, f"message of the task in {answer}, whose status is {shown.get('status')}")


# "/v2/tasks/{id}" and "/v2/schemas/task"
@requirement("TASK-ENT-07")
def test_a_task_leads_to_itself_and_its_schema(tasks: Tasks, cloudimages_client: ImagesClient) -> None:
    for started, answer in tasks.shown():
        shown = answer.document
        # Relative links go on from what was asked for. (Rulings, 14.)
        target = target_of(answer, "/tasks")
        itself = leads_to(cloudimages_client, shown.get("self"), target)
        expect(itself, f"/tasks/{started.id}", f"where self leads in {answer}")
        schema = leads_to(cloudimages_client, shown.get("schema"), target)
        expect(schema, "/schemas/task", f"where schema leads in {answer}")
    for listed in tasks.aside().listed("whole"):
        for entry in listed.entries:
            itself = leads_to(cloudimages_client, entry.get("self"), "/tasks")
            expect(itself, f"/tasks/{entry.get('id')}", f"where self of a task leads in {listed}")
            if "schema" in entry:
                schema = leads_to(cloudimages_client, entry["schema"], "/tasks")
                expect(schema, "/schemas/task", f"where schema of a task leads in {listed}")


# "the tenant ID of the task owner"
@requirement("TASK-ENT-08")
def test_a_task_belongs_to_whoever_asked_for_it(
    tasks: Tasks, cloudimages_client: ImagesClient, owner_of: OwnerOf
) -> None:
    for _, answer in tasks.shown():
        expect(answer.document.get("owner"), owner_of(cloudimages_client), f"owner of the task in {answer}")
    # Whoever looks at it.
    for seen in tasks.aside().seen_by_others().where(lambda seen: "owner" in seen.answer.document):
        expect(seen.answer.document["owner"], owner_of(cloudimages_client), f"owner of the task in {seen.answer}")
    for answer in tasks.aside().answered("another's").where(lambda answer: "owner" in answer.document):
        expect(answer.document["owner"], tasks.other, f"owner of the task in {answer}, which another project asked for")


# "pending, processing, then success or failure"
@requirement("TASK-ENT-09")
def test_a_task_goes_forward(tasks: Tasks) -> None:
    created = tasks.asked().where(lambda started: bool(started.answer.document))
    for started in or_skip(created, "needs a task, and none could be created"):
        expect(started.statuses[0], "pending", f"first status of {started}")
        ranks = [RANKS[status] for status in started.statuses if status in STATUSES]
        expect(ranks, sorted({*ranks}), f"the order of the statuses {started.statuses} of {started}")
        if not started.ended:
            note(f"{started} had not ended when it was no longer waited for.")
    # An end is one, whatever becomes of what it has made; whether a task stays without that, no sentence says.
    for answer in tasks.aside().answered("image gone"):
        if answer.ok:
            expect(status_of(answer.document), "success", f"status of the task in {answer}, which had succeeded")
        else:
            note(f"A task whose image was deleted is answered {answer.status}.")
    # Nor comes about what it had failed for.
    for answer in tasks.aside().answered("over"):
        expect(status_of(answer.document), "failure", f"status of the task in {answer}, which had failed")


# "first", "schema" and "tasks"; every task of one's own, once
@requirement("TASK-LIST-01")
def test_tasks_are_listed(tasks: Tasks, cloudimages_client: ImagesClient) -> None:
    known = [*tasks.known]
    for listed in tasks.listed("whole"):
        expect(listed.status, 200, f"status of {listed}")
        for page in listed.pages:
            expect(page.data.get("tasks"), AN_ARRAY, f"tasks in {page.target}")
            schema = leads_to(cloudimages_client, page.data.get("schema"), "/tasks")
            expect(schema, "/schemas/tasks", f"where schema leads in {page.target}")
        if listed.ended:
            all_are_listed(tasks, listed, known)
    # A list that holds nothing is one too.
    for listed in tasks.aside().listed().where(lambda listed: listed.readable):
        for page in listed.pages:
            expect(page.data.get("tasks"), AN_ARRAY, f"tasks in {page.answer}")
    for listed in tasks.aside().listed("whole", "paged"):
        for page in listed.pages:
            if "first" in page.data:
                led = leads_to(cloudimages_client, page.data["first"], page.target)
                asked = [name for name, _ in query_of(led)]
                expect(
                    (led.partition("?")[0], "marker" in asked), ("/tasks", False), f"where first leads in {page.target}"
                )


# the example of List tasks; what is more there is noted
@requirement("TASK-LIST-02")
def test_a_listed_task_is_the_task(tasks: Tasks) -> None:
    holding = tasks.listed("whole").where(lambda listed: bool(listed.entries))
    for listed in or_skip(holding, "the list of tasks holds none"):
        for entry in listed.entries:
            expect_among(entry.keys(), IN_A_LIST, f"members of the task {entry.get('id')} in {listed}")
            if more := [name for name in MORE if name in entry]:
                note(f"A listed task has {' and '.join(more)} as well.")
    # Nor is it another one in any list, nor while it is carried out.
    quiet = quiet_since(tasks)
    # Without its image, a task may expire sooner.
    without_images = [answer.exchange.target for answer in tasks.aside().answered("image gone")]
    for listed in tasks.aside().listed():
        for started in tasks.known.values():
            moving = MOVING if any(target.endswith(started.id) for target in without_images) else ()
            for answer, found in listed_otherwise(started, listed, quiet) if started.ended else ():
                otherwise = {name: value for name, value in found.items() if name not in moving}
                shown = {name: started.last.get(name) for name in otherwise}
                expect(otherwise, shown, f"the task {started.id} in {answer}")
    for listed in tasks.aside().listed("of another project at first", "of another project"):
        others = sorted({*listed.ids([*tasks.known])})
        expect(others, [], f"our tasks in {listed}, which another project asked for")


# the response codes
@requirement("TASK-LIST-03")
def test_tasks_are_listed_with_a_documented_code(tasks: Tasks, specification: str) -> None:
    for listed in tasks.listed():
        for page in listed.pages:
            codes = documented_codes("TASK-LIST-03")
            expect_interpreted(specification, page.answer.status, f"status of {page.answer}", **codes)


# "Get task details"
@requirement("TASK-GET-01")
def test_a_task_is_shown(tasks: Tasks) -> None:
    tasks.require_details()
    looked_for = tasks.asked().where(lambda started: bool(started.id and started.looks))
    without_images = [answer.exchange.target for answer in tasks.aside().answered("image gone") if not answer.ok]
    for started in or_skip(looked_for, "needs a task, and none could be created"):
        for place, look in enumerate(started.since_shown):
            # Of several nodes, one may be late.
            again = any(later.ok for later in started.since_shown[place:])
            let_go = look.exchange.target in without_images
            if look.status == 404 and (again or let_go or tasks.may_be_gone(started)):
                continue
            expect(look.status, 200, f"status of {look}")
            shown = look.document
            expect(shown.get("id"), started.id, f"id of the task in {look}")
            if "LACKING" not in started.deed.name:  # what is lacking, a service may fill in
                expect(shown.get("input"), holding(started.body.get("input")), f"input of the task in {look}")
    # Whom the list shows that it exists, its details are shown as well, at least to who is there to read; what a
    # policy forbids is another matter, and it may say so by 404.
    for seen in tasks.aside().seen_by_others().where(lambda seen: seen.started.ended and not seen.started.expired):
        allowed = {200, 403} if seen.reads else {200, 403, 404}
        expect(seen.answer.status, allowed, f"status of {seen.answer}, a task in the list of this caller")
        if seen.answer.ok:
            otherwise = shown_otherwise(seen.started, seen.answer)
            shown = {name: seen.started.last.get(name) for name in otherwise}
            expect(otherwise, shown, f"the task {seen.started.id} in {seen.answer}")


# "404"
@requirement("TASK-GET-02")
def test_an_unknown_task_is_not_found(tasks: Tasks) -> None:
    tasks.require_details()
    for answer in tasks.answered("unknown"):
        is_an_id = A_UUID.holds(answer.exchange.target.rpartition("/")[2])
        expect(answer.status, 404 if is_an_id else {400, 404}, f"status of {answer}")
    for answer in tasks.aside().answered("foreign"):
        note(f"A task, asked for by another project: {answer.status}.")
        # It belongs to who asked for it (TASK-ENT-08), and says what that is about.
        expect(answer.status, REFUSED, f"status of {answer}, a task of another project")


# the response codes
@requirement("TASK-GET-03")
def test_a_task_is_shown_with_a_documented_code(tasks: Tasks, specification: str) -> None:
    codes = documented_codes("TASK-GET-03")
    for answer in tasks.answered("unknown"):
        expect_interpreted(specification, answer.status, f"status of {answer}", **codes)
    for started in tasks.aside().asked():
        for look in started.looks:
            expect_interpreted(specification, look.status, f"status of {look}", **codes)


# "201"
@requirement("TASK-IMP-01")
def test_an_import_is_accepted(tasks: Tasks) -> None:
    asked = tasks.asked(Deed.IMPORT).where(within_limits)
    for started in or_skip(asked, "no more imports are taken: 413"):
        accepted(started)
    taken_whole(tasks, *IMPORTS)
    # A body says the same when it names how its letters are encoded.
    for started in tasks.aside().asked(Deed.IMPORT_TWICE):
        expect(started.answer.status, anything_but(415), f"status of {started}")


# "Required"
@requirement("TASK-IMP-02")
def test_an_import_needs_all_of_its_input(tasks: Tasks) -> None:
    for started in tasks.attempts(Deed.IMPORT_LACKING):
        failed(started)
    nothing_left(tasks, Deed.IMPORT_LACKING)


# "the import fails"
@requirement("TASK-IMP-03")
def test_an_import_sets_no_other_property(tasks: Tasks) -> None:
    for started in tasks.attempts(Deed.IMPORT_FURTHER):
        failed(started)
    nothing_left(tasks, Deed.IMPORT_FURTHER)


# "image_id"
@requirement("TASK-IMP-04")
def test_an_import_makes_an_image(tasks: Tasks) -> None:
    exported = {started.body["input"]["image_uuid"] for started in tasks.tried if started.deed is Deed.EXPORT}
    for started in tasks.successes(Deed.IMPORT):
        image_id = started.result.get("image_id")
        expect(image_id, A_UUID, f"image_id in the result of {started}")
        expect(image_id in exported, False, f"whether image_id is that of the exported image in {started}")
        name = started.body["input"]["image_properties"]["name"]
        for other in tasks.aside().asked(Deed.IMPORT_FURTHER).where(lambda started: started.succeeded):
            made = other.result.get("image_id")
            expect(made == image_id, False, f"whether image_id is that of an earlier import in {other}")
        for answer in tasks.aside().answered("imported"):
            shows_the_image(answer, image_id, name)
            if tasks.own and isinstance(owner := answer.document.get("owner"), str):
                expect(owner, tasks.own, f"owner of the image in {answer}")
        for answer in tasks.aside().answered("listed").where(lambda answer: answer.ok):
            found = [entry.get("id") for entry in entries_of(answer, "/images")]
            expect_among(found, [image_id], f"images in {answer}, a list by the name of what was imported")
        earlier = [image_id]
        for what, deed in IMPORTED_LATER.items():
            for again in tasks.aside().asked(deed).where(lambda each: each.succeeded):
                made = again.result.get("image_id")
                expect(made in earlier, False, f"whether image_id is that of an earlier import in {again}")
                earlier.append(made)
                for answer in tasks.aside().answered(what):
                    shows_the_image(answer, made, again.body["input"]["image_properties"]["name"])


# "111, 396, 413, 523, 609, 614, 721"
@requirement("TASK-IMP-05")
def test_an_import_fails_for_a_documented_reason(tasks: Tasks) -> None:
    def failed_with_a_message(started: Started) -> bool:
        return status_of(started.last) == "failure" and isinstance(started.last.get("message"), str)

    ended = tasks.asked(Deed.IMPORT_NO_DISK, Deed.IMPORT_MISPLACED, Deed.IMPORT_FURTHER).where(failed_with_a_message)
    for started in or_skip(ended, "no import ended in failure, or without a message"):
        found = A_NUMBER.search(str(started.last["message"]))
        number = found and (found[1] or found[2])
        # What the object store has answered, is none of the numbers of failures; it does not fail at what is there.
        there = started.deed is not Deed.IMPORT_MISPLACED
        number = None if number and is_of_http(number) and not (there and number == "500") else number
        note(f"{started.deed}: {f'the message has the number {number}' if number else 'the message has no number'}.")
        expect(number, {*DOCUMENTED, None}, f"number in the message of {started}")
    # 721: a disk that has a parent; 614: one whose id is zero.
    for started in tasks.aside().asked(Deed.IMPORT_UNFIT).where(lambda each: tasks.worked(each.deed) and each.ended):
        failed(started)


# "container/object"
@requirement("TASK-IMP-06")
def test_an_import_needs_a_disk_at_the_place_that_it_names(tasks: Tasks) -> None:
    for started in tasks.attempts(Deed.IMPORT_MISPLACED, Deed.IMPORT_NO_DISK):
        failed(started)
    nothing_left(tasks, Deed.IMPORT_MISPLACED)
    # "container/object": an object whose name has a slash need not be found, but no other is what was asked for.
    for started in tasks.aside().asked(Deed.IMPORT_ELSEWHERE).where(lambda each: each.ended):
        note(f"An import from an object whose name has a slash and a blank: {started.outcome}.")
    for answer in tasks.aside().answered("data of elsewhere").where(lambda answer: answer.status == 200):
        mistaken = answer.body.startswith(MARK)
        expect(mistaken, False, f"whether {answer} is the data of an object whose name may be taken for the other's")


# "413: virtual disk size exceeds 40 GB"
@requirement("TASK-IMP-07")
def test_a_disk_of_more_than_40_gb_is_not_imported(tasks: Tasks) -> None:
    for started in tasks.attempts(Deed.IMPORT_LARGE):
        failed(started)
    nothing_left(tasks, Deed.IMPORT_LARGE)


# the response codes
@requirement("TASK-IMP-08")
def test_an_import_is_answered_with_a_documented_code(tasks: Tasks, specification: str) -> None:
    for started in tasks.asked(*IMPORTS):
        codes = documented_codes("TASK-IMP-08")
        expect_interpreted(specification, started.answer.status, f"status of {started}", **codes)


# "201"
@requirement("TASK-EXP-01")
def test_an_export_is_accepted(tasks: Tasks) -> None:
    asked = tasks.asked(Deed.EXPORT).where(within_limits)
    for started in or_skip(asked, "no more exports are taken: 413"):
        accepted(started)
    taken_whole(tasks, *EXPORTS)


# "Required"
@requirement("TASK-EXP-02")
def test_an_export_needs_all_of_its_input(tasks: Tasks) -> None:
    for started in tasks.attempts(Deed.EXPORT_LACKING):
        failed(started)


# "must be an image that you own"
@requirement("TASK-EXP-03")
def test_an_image_of_another_owner_is_not_exported(tasks: Tasks) -> None:
    for started in tasks.attempts(Deed.EXPORT_FOREIGN):
        failed(started)
    nothing_left(tasks, Deed.EXPORT_FOREIGN)


# "the container must exist"
@requirement("TASK-EXP-04")
def test_an_export_needs_a_fit_container(tasks: Tasks) -> None:
    for started in tasks.attempts(Deed.EXPORT_UNFIT):
        failed(started)
    nothing_left(tasks, Deed.EXPORT_UNFIT)


# "container/image_uuid.vhd"
@requirement("TASK-EXP-05")
def test_an_export_says_where_it_wrote(tasks: Tasks) -> None:
    for started in tasks.successes(Deed.EXPORT):
        asked = started.body["input"]
        location = f"{asked['receiving_swift_container']}/{asked['image_uuid']}.vhd"
        expect(started.result.get("export_location"), location, f"export_location of {started}")
    # A second one to the same place is TASK-EXP-06's to say.
    for started in [each for each in tasks.aside().asked(Deed.EXPORT_AT_ONCE) if each.succeeded][:1]:
        asked = started.body["input"]
        location = f"{asked['receiving_swift_container']}/{asked['image_uuid']}.vhd"
        expect(started.result.get("export_location"), location, f"export_location of {started}")


# "already exists"
@requirement("TASK-EXP-06")
def test_an_export_overwrites_nothing(tasks: Tasks) -> None:
    for started in tasks.attempts(Deed.EXPORT_AGAIN):
        failed(started)
    nothing_left(tasks, Deed.EXPORT_AGAIN)
    # Nor what is there because its owner has put it there.
    for started in tasks.aside().asked(Deed.EXPORT_ONTO).where(lambda each: tasks.worked(each.deed)):
        if started.ended or tasks.refused(started):
            failed(started)
        for answer in tasks.aside().answered("onto").where(lambda answer: answer.ok):
            expect(answer.body == b"", True, f"whether the object is still its owner's in {answer}, after {started}")
    # Of two that run at once, each may have looked for the object before the other wrote it.
    if len([started for started in tasks.aside().asked(Deed.EXPORT_AT_ONCE) if started.succeeded]) > 1:
        note("Two exports to one object that ran at once succeeded.")
    for answer in tasks.octets[1:]:
        expect(still_holds(answer, tasks.octets[0].body), True, f"whether the object is the same in {answer}")


# "deactivated"
@requirement("TASK-EXP-07")
def test_a_deactivated_image_is_not_exported(tasks: Tasks) -> None:
    for started in tasks.attempts(Deed.EXPORT_DEACTIVATED):
        failed(started)
    nothing_left(tasks, Deed.EXPORT_DEACTIVATED)


# the response codes
@requirement("TASK-EXP-08")
def test_an_export_is_answered_with_a_documented_code(tasks: Tasks, specification: str) -> None:
    for started in tasks.asked(*EXPORTS):
        codes = documented_codes("TASK-EXP-08")
        expect_interpreted(specification, started.answer.status, f"status of {started}", **codes)


# "in VHD format"
@requirement("TASK-EXP-09")
def test_an_export_is_a_disk_in_the_object_store(tasks: Tasks) -> None:
    for started in tasks.successes(Deed.EXPORT):
        for answer in tasks.octets[:1]:
            expect(answer.status, 200, f"status of {answer}, after {started}")
            # A fixed disk ends with a footer, any other begins with a copy of it.
            footers = (answer.body[-512:-504], answer.body[:8])
            expect(b"conectix" in footers, True, f"whether the object is a VHD in {answer}")
            # It may be larger, as the geometry of disks has it, but what it holds is the image.
            if is_fixed(answer.body):
                whole = answer.body.startswith(SECTORS)
                expect(whole, True, f"whether the object holds the data of the image in {answer}")


# "reserved to administrators"
@requirement("TASK-API-01")
def test_whether_tasks_are_open_to_all_is_noted(tasks: Tasks) -> None:
    for answer in tasks.first_answers():
        note(f"{answer.exchange.method} of tasks by {answer.exchange.caller}: {answer.status}.")


# Glance sends it
@requirement("TASK-API-02")
def test_the_location_of_a_task_is_noted(tasks: Tasks) -> None:
    created = tasks.asked().where(lambda started: bool(started.answer.document))
    for started in or_skip(created, "needs a task, and none could be created"):
        note(f"A new task is answered {'with' if 'Location' in started.answer.headers else 'without'} Location.")


# undocumented
@requirement("TASK-API-03")
def test_the_deletion_of_a_task_is_noted(tasks: Tasks) -> None:
    for answer in or_skip(tasks.answered("deletion"), "no task ended while it was waited for (--patience)"):
        note(f"The deletion of a task that has ended: {answer.status}.")


# "first"
@requirement("PAGE-14")
def test_a_list_of_tasks_leads_to_its_first_page(tasks: Tasks) -> None:
    listed_at_all = tasks.listed("whole", "paged").where(lambda listed: listed.first.answer.ok)
    for listed in or_skip(listed_at_all, "tasks are not listed"):
        for page in listed.pages:
            expect(page.data.get("first"), A_STRING, f"first in {page.target}")


# "limit", "marker" and "next", as for images
@requirement("PAGE-15")
def test_tasks_are_listed_page_by_page(tasks: Tasks, cloudimages_client: ImagesClient) -> None:
    known = [*tasks.known]
    listed_at_all = tasks.lists.get("whole")
    paged = tasks.listed("paged").where(lambda _: bool(listed_at_all and listed_at_all.first.answer.ok))
    for listed in or_skip(paged, "tasks are not listed"):
        expect(listed.first.answer.ok, True, f"whether {listed.first.answer} is a success")
        expect(listed.problem, "", f"way from page to page of {listed}")
        limit = int(dict(listed.query)["limit"])
        for page in listed.pages:
            expect(len(page.entries) <= limit, True, f"whether {page.target} has at most {limit}: {len(page.entries)}")
        expect(repeated(listed.ids(known)), [], f"tasks that come twice in {listed}")
        if listed.ended:
            expect(sorted(listed.ids(known)), sorted(known), f"our tasks in {listed}")
    for listed in tasks.aside().listed("of imports", "of failures", "of none").where(lambda listed: listed.readable):
        expect_fit_page(tasks, listed, cloudimages_client)
    for listed in tasks.aside().listed("of one"):
        expect(len(listed.first.entries) <= 1, True, f"whether {listed} has at most 1: {len(listed.first.entries)}")
    for listed in tasks.aside().listed("after"):
        marker = dict(listed.query)["marker"]
        expect(listed.first.answer.ok, True, f"whether {listed.first.answer} is a success")
        expect(marker in listed.first.ids, False, f"whether the marker is in {listed}")
