"""Every answer of a run is looked at: what departs is kept, with for whose sake it was asked; what may be is not."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages.areas.common.every_answer import EveryAnswer, expect_nowhere
from pytest_cloudimages.areas.common.over_time import OverTime
from pytest_cloudimages.client.exchange import Exchange, Purpose
from pytest_cloudimages.client.recorder import Traces
from pytest_cloudimages.engine import recording
from pytest_cloudimages.reference.app import App
from pytest_cloudimages.reference.images import Image, Member
from pytest_cloudimages.reporting.plans import asked_by
from pytest_cloudimages.spec.mismatch import Mismatch
from pytest_cloudimages.spec.verdicts import Verdict, of_several

sys.path.insert(0, str(Path(__file__).parent))

from faults.trial import judged

if TYPE_CHECKING:
    from collections.abc import Mapping

OURS, OTHERS = "0a2c8e4e-1f60-4b52-9e0a-27c1a3d4f501", "0a2c8e4e-1f60-4b52-9e0a-27c1a3d4f502"
FIELDS = {"Content-Type": "application/json", "Date": "Fri, 27 Nov 2026 10:00:00 GMT"}
SHOWN: dict[str, Any] = App().represent(Image(OURS, "owner", "name", size=4, checksum="0" * 32, tags=["one", "two"]))
SHARED: dict[str, Any] = App().represent_member(Member(OURS, "consumer"))


def exchange(
    target: str,
    document: object,
    *,
    method: str = "GET",
    status: int = 200,
    asked: str = "application/json",
    **how: Any,
) -> Exchange:
    """Make an exchange below /v2 whose answer shows a document."""
    fields: Mapping[str, str] = how.pop("fields", FIELDS)
    body = how.pop("body", json.dumps(document).encode())
    named = (("Accept", asked),)
    what = {"size": len(body)} | how
    return Exchange(method, f"/v2{target}", named, b"", status, (*fields.items(),), body, b"", 0.0, 0.0, **what)


def seen(*exchanges: Exchange) -> dict[str, str]:
    """Return what was seen in exchanges, by the requirement."""
    traces = Traces(created={OURS}, created_by={OURS: exchange("/images", {}).caller})
    every = EveryAnswer("http://service.example/v2", traces)
    for each in exchanges:
        every.look(each, "updates")
    return {found.requirement: found.what for found in every.violations.values()}


@pytest.mark.parametrize(
    ("name", "value", "requirement"),
    [
        ("status", "Active", "IMG-ENT-07"),
        ("visibility", "everybody", "IMG-ENT-08"),
        ("protected", "true", "IMG-ENT-01"),
        ("min_ram", "64", "IMG-ENT-09"),
        ("min_disk", True, "IMG-ENT-09"),
        ("size", "4", "IMG-ENT-10"),
        ("checksum", "0" * 33, "IMG-ENT-11"),
        ("created_at", "2026-11-27", "GEN-07"),
        ("updated_at", 0, "GEN-07"),
        ("self", f"/v2/images/{OTHERS}", "IMG-ENT-04"),
        ("file", f"/v2/images/{OURS}", "IMG-ENT-05"),
        ("schema", "/v2/schemas/images", "IMG-ENT-06"),
        ("tags", "one", "TAG-VIS-01"),
        ("tags", [1], "TAG-VIS-01"),
        ("tags", ["one", "one"], "TAG-VIS-05"),
        ("tags", ["a" * 256], "TAG-VIS-07"),
    ],
)
def test_an_attribute_is_of_its_form_wherever_it_is_shown(name: str, value: object, requirement: str) -> None:
    """In the answer to a look and to a change, and in a list."""
    wrong = SHOWN | {name: value}

    assert [*seen(exchange(f"/images/{OURS}", wrong))] == [requirement]
    assert [*seen(exchange(f"/images/{OURS}", wrong, method="PATCH"))] == [requirement]
    assert [*seen(exchange("/images?sort_key=name", {"images": [SHOWN, wrong | {"id": OURS}]}))][-1] == requirement


def test_what_may_be_is_not_seen() -> None:
    """Links with a host, nulls, fractions of seconds, and what is nobody's to judge."""
    elsewhere = {"self": f"http://service.example/v2/images/{OURS}", "size": None, "checksum": None, "name": None}
    wrong = SHOWN | {"status": "strange"}

    for lawful in (
        exchange(f"/images/{OURS}", SHOWN | elsewhere | {"created_at": "2026-11-27T10:00:00.5+01:00", "more": 1}),
        exchange(f"/images/{OTHERS}", wrong),
        exchange("/images", {"images": [wrong | {"id": OTHERS}]}),
        exchange(f"/images/{OURS}", wrong, asked="text/html"),
        exchange(f"/images/{OURS}", wrong, purpose=Purpose.CLEANING),
        exchange(f"/images/{OURS}", None, body=b'{"id": "cut of', size=50_000),
        exchange(f"/images/{OURS}/file", None, body=b"data", fields=FIELDS | {"Content-Type": "text/html"}),
        exchange(f"/images/{OURS}", wrong, status=409),
        exchange(f"/images/{OURS}/members", {"members": [SHARED], "schema": "/v2/schemas/members"}),
        exchange(f"/images/{OURS}/members", {"members": []}, caller="a stranger"),
        exchange(f"/images/{OURS}", SHOWN | {"size": 4.0, "min_ram": None, "min_disk": None}),
        exchange(f"/images/{OURS}", SHOWN | {"self": OURS, "file": f"../images/{OURS}/file"}),
        exchange(f"/images/{OURS}", SHOWN | {"self": "/v2/images/" + OURS.replace("-", "%2D")}),
        exchange(f"/images/{OURS}", {"id": OURS, "status": "deleted"}),
        exchange(f"/images/{OURS}", {"changed": True}, method="PUT"),
        exchange("/images", {"id": OURS, "self": f"images/{OURS}"}, method="POST", status=201),
        exchange("/images", {"images": [{name: SHOWN[name] for name in SHOWN if name != "schema"}]}),
        exchange("/tasks?limit=1", {"tasks": [{"id": OTHERS}, {"id": OURS.upper()}]}),
    ):
        assert seen(lawful) == {}, lawful


def test_documents_and_fields_are_looked_at_as_well() -> None:
    """What is no JSON, lists of too many, and header fields that are missing."""
    page = exchange("/images?limit=1", {"images": [SHOWN, SHOWN]})
    undated = exchange(f"/images/{OURS}", None, status=404, fields={})
    schemaless = exchange(f"/images/{OURS}/members", {"members": [SHARED | {"status": "maybe"}]})

    assert [*seen(exchange(f"/images/{OURS}", None, body=b"<html>"))] == ["GEN-01"]
    assert [*seen(page)] == ["PAGE-03", "IMG-ENT-03"]
    assert [*seen(undated)] == ["GEN-14"]
    assert [*seen(exchange(f"/images/{OURS}/tags/a", None, status=401))] == ["TAG-AUTH-03"]
    assert [*seen(exchange("/tasks", None, status=405))] == ["GEN-11"]
    assert [*seen(schemaless)] == ["MEM-LIST-01", "MEM-ENT-02"]


def test_what_is_made_here_is_ours() -> None:
    """Whoever creates it, by whatever request, and a task from its beginning to its end."""
    task: dict[str, Any] = {
        "id": OTHERS,
        "status": "success",
        "self": f"/v2/tasks/{OTHERS}",
        "schema": "/v2/schemas/task",
        "owner": "us",
    }
    task |= {"created_at": SHOWN["created_at"], "updated_at": None, "type": "import", "input": {}, "message": ""}
    asked = exchange("/tasks", task | {"status": "pending"}, method="POST", status=201)

    assert seen(exchange(f"/tasks/{OTHERS}", task)) == {}, "nobody here has asked for it"
    assert [*seen(asked, exchange(f"/tasks/{OTHERS}", task))] == ["TASK-ENT-04", "TASK-ENT-05"]


def test_a_finding_says_for_whose_sake_it_was_met() -> None:
    """And what is made again is seen again, or not."""
    every = EveryAnswer("http://service.example/v2", Traces(created={OURS}))
    every.look(exchange(f"/images/{OURS}", SHOWN | {"size": "4"}), "")
    assert not every.violations, "nobody could ask for it again"
    every.look(exchange(f"/images/{OURS}", SHOWN | {"size": "4"}), "updates")

    class Run:
        class recorder:  # noqa: N801 - as an attribute is called
            onlooker = every

    recording.collect(record := recording.CheckRecord())
    try:
        with pytest.raises(Mismatch, match="met in passing, asked for updates: expected an integer or null, came '4'"):
            expect_nowhere(Run, "IMG-ENT-10")  # type: ignore[arg-type]  # as much of a run as is looked at
        every.forget(["updates"])
        expect_nowhere(Run, "IMG-ENT-10")  # type: ignore[arg-type]  # likewise
    finally:
        recording.collect(None)
    assert (record.sakes, record.silent, record.cases) == ((), True, 1)


class ListsAsText(App):
    """Calls the members of any image plain text where there are several."""

    def list_members(self, request: Any, image_id: str) -> Any:
        reply = super().list_members(request, image_id)
        if len(self.images.get(image_id).members) < 2:
            return reply
        return type(reply)(reply.status, reply.body, (("Content-Type", "text/plain"),))


def test_a_finding_is_asked_for_again_with_what_has_met_it(tmp_path: Path) -> None:
    """By one command: the requirement, and one that has the same sent for the fewest requests."""
    outcome = judged(ListsAsText, tmp_path, select=["GEN-01", "MEM-LIST-02", "MEM-LIST-03"])
    data = json.loads((tmp_path / "findings" / "GEN-01.json").read_text("utf-8"))

    assert outcome.found == {"GEN-01"}
    assert data["asks"]["beside"] in ("MEM-LIST-02", "MEM-LIST-03")
    assert f"--select GEN-01 --select {data['asks']['beside']}" in data["command"]


def test_several_ids_may_be_asked_for_beside_one() -> None:
    command = "cloudimages run --seed 1 --select A-01 --select B-01 --select C-01"

    assert asked_by(command) == {"asks": {"seed": "1", "beside": "B-01,C-01"}}


def test_what_one_check_has_found_stands_beside_a_blocked_one() -> None:
    assert of_several([Verdict.BLOCKED, Verdict.FAIL, Verdict.PASS]) is Verdict.FAIL
    assert of_several([Verdict.BLOCKED, Verdict.ADVISORY]) is Verdict.ADVISORY
    assert of_several([Verdict.BLOCKED, Verdict.PASS]) is Verdict.BLOCKED
    assert of_several([Verdict.ERROR, Verdict.FAIL]) is Verdict.ERROR


def at(seconds: float, each: Exchange) -> Exchange:
    """Return an exchange that took place some time after the beginning."""
    return replace(each, sent=seconds, answered=seconds + 0.01)


def look(seconds: float, target: str = f"/images/{OURS}", **otherwise: Any) -> Exchange:
    """Return a look at the image, which shows some attributes otherwise."""
    shown = SHOWN | {"status": "active", "cloudimages_own": "as it is"} | otherwise
    return at(seconds, exchange(target, shown if target != "/images" else {"images": [shown]}))


def patch(seconds: float, *names: str, **how: Any) -> Exchange:
    """Return a patch of the image that names some attributes."""
    body = json.dumps([{"op": "replace", "path": f"/{name}", "value": "x"} for name in names]).encode()
    return at(seconds, replace(exchange(f"/images/{OURS}", {"id": OURS}, method="PATCH", **how), body=body))


def set_to(seconds: float, name: str, value: object, /, **shown: Any) -> Exchange:
    """Return a patch of the image that sets an attribute, and what it is answered with."""
    body = json.dumps([{"op": "add", "path": f"/{name}", "value": value}]).encode()
    patched = exchange(f"/images/{OURS}", SHOWN | shown, method="PATCH", purpose=Purpose.PREPARING)
    return at(seconds, replace(patched, body=body))


def done(seconds: float, method: str, below: str, **how: Any) -> Exchange:
    """Return what is done below the image."""
    return at(seconds, exchange(f"/images/{OURS}{below}", None, method=method, body=b"", **{"status": 204} | how))


def told(*exchanges: Exchange, patience: float = 1.0) -> list[str]:
    """Return which requirements two answers have departed from, one after the other."""
    every = EveryAnswer("http://service.example/v2", Traces(created={OURS}), over_time=OverTime(patience))
    for each in exchanges:
        every.look(each, "updates")
    return [found.requirement for requirement in BLAMED for found in every.of(requirement) if found.earlier]


BLAMED: tuple[str, ...] = (
    "IMG-GET-01",
    "IMG-ENT-02",
    "IMG-ENT-11",
    "IMG-UPD-01",
    "IMG-UPD-22",
    "IMG-UPD-27",
    "IMG-UPD-11",
    "IMG-DEL-04",
)
BLAMED += ("IMG-STAT-01", "IMG-STAT-03", "IMG-STAT-07", "TAG-ADD-26", "TAG-ADD-22", "TAG-DEL-04", "TAG-DEL-12")
DECIDED = done(5, "PUT", "/members/them", status=200)
NEWER = {"updated_at": "2026-11-27T10:00:09Z"}
OLDER = {"updated_at": "2026-11-27T10:00:02Z"}
SENT = done(0, "PUT", "/file")
EMPTY: dict[str, Any] = {"status": "queued", "size": None, "checksum": None}
MADE = at(0, replace(exchange("/images", SHOWN | EMPTY, method="POST", status=201), body=b'{"min_ram": 7}'))


@pytest.mark.parametrize(
    ("requirement", "exchanges"),
    [
        ("IMG-GET-01", (look(1), look(1.1, created_at="2031-01-01T00:00:00Z"))),
        ("IMG-GET-01", (look(1), DECIDED, look(6, owner="them"))),
        ("IMG-ENT-02", (look(1), look(1.1, min_ram=7))),
        ("IMG-ENT-02", (look(1), look(1.1, "/images", protected=True))),
        ("IMG-ENT-02", (look(1), look(1.1, cloudimages_own=None))),
        ("IMG-ENT-11", (SENT, look(2), look(9, checksum="1" * 32))),
        ("IMG-STAT-03", (SENT, look(2), look(9, size=5))),
        ("IMG-STAT-03", (SENT, look(2), look(9, status="queued"))),
        ("IMG-STAT-07", (SENT, done(0.5, "POST", "/actions/deactivate"), look(2, status="deactivated"), look(9))),
        ("IMG-STAT-07", (look(1), done(2, "POST", "/actions/deactivate"), look(3, min_disk=7))),
        ("IMG-ENT-02", (MADE, look(0.1, **EMPTY), look(0.2, **EMPTY, min_disk=7))),
        ("IMG-UPD-01", (look(1), patch(2, "min_ram"), look(3, min_disk=7))),
        ("IMG-UPD-01", (patch(0, "min_disk"), look(2), patch(3, "min_ram"), look(4, min_disk=7))),
        ("IMG-UPD-22", (look(1), patch(2, "min_ram", status=400), look(3, min_ram=7))),
        ("IMG-UPD-27", (look(1, **NEWER), patch(2, "name"), look(3, **OLDER))),
        ("IMG-UPD-01", (set_to(2, "name", "x"),)),
        ("IMG-UPD-01", (set_to(2, "protected", True),)),
        ("IMG-DEL-04", (look(1), done(2, "DELETE", ""), look(9))),
        ("IMG-DEL-04", (look(1), done(2, "DELETE", ""), look(9, "/images"))),
        ("TAG-ADD-26", (look(1, **NEWER), done(2, "PUT", "/tags/a"), look(3, **OLDER))),
        ("TAG-DEL-04", (look(1), done(2, "DELETE", "/tags/a"), look(3, visibility="public"))),
        ("TAG-DEL-12", (look(1), done(2, "DELETE", "/tags/a", status=404), look(3, name="otherwise"))),
    ],
)
def test_two_answers_cannot_both_be_true(requirement: str, exchanges: tuple[Exchange, ...]) -> None:
    """What nothing has named is what it was; a finding shows both answers."""
    assert told(*exchanges) == [requirement]


@pytest.mark.parametrize(
    "exchanges",
    [
        (look(1), look(1.1, created_at=f"{SHOWN['created_at']}"[:19]), look(2, created_at=SHOWN["created_at"])),
        (look(1, created_at="2026-11-27T10:00:00Z"), look(2, created_at="2026-11-27T11:00:00.9+01:00")),
        (look(1), patch(2, "name"), look(3, name="x"), look(3.1), look(3.2, name="x")),
        (look(1), look(2, name="x"), patch(1.5, "name")),
        (look(1), patch(2, "name"), look(2.5), look(3, name="x")),
        (look(1), patch(2, "name", status=0), look(9), look(20, name="x")),
        (look(1), patch(2, "name", status=409, note="repeated after 503"), look(20, name="x")),
        (look(1), patch(2, "Name"), look(2.1, name="x")),
        (look(1), patch(2, "cloudimages_own"), look(2.1, cloudimages_own="x")),
        (look(1), done(2, "POST", "/members", status=200), look(3, visibility="private")),
        (look(1), done(2, "PUT", "", status=200), look(9, min_ram=7, name="x", status="queued")),
        (look(1), at(2, exchange("/tasks", None, method="POST", status=500, body=b"")), look(3)),
        (SENT, look(1, status="saving", size=2), look(2), look(3, min_disk=7, disk_format="iso")),
        (SENT, look(1, checksum=None), look(9), done(10, "PUT", "/file"), look(11), look(30, checksum="1" * 32)),
        (SENT, look(1), look(1.5, status="queued"), look(1.6)),
        (SENT, look(1), done(2, "PUT", "/file"), look(9, status="saving"), look(10)),
        (look(1, status="deactivated"), done(2, "POST", "/actions/reactivate"), look(9)),
        (look(1, **NEWER), look(1.5, **OLDER)),
        (look(1, updated_at="2026-11-27T10:00:09Z"), patch(2, "name"), look(4, updated_at="2026-11-27T10:00:08Z")),
        (look(1), done(2, "DELETE", ""), look(2.5), done(3, "DELETE", "", status=404)),
        (look(1), done(2, "DELETE", "", status=202), look(9)),
        (look(1), done(2, "DELETE", "", note="repeated after 503"), look(9)),
        (look(1), done(2, "DELETE", ""), look(9, status="deleted")),
        (set_to(2, "visibility", "shared", visibility="private"),),
        (set_to(2, "min_disk", 7, min_disk="7"), set_to(3, "protected", True, protected="True")),
        (set_to(2, "name", " x", name="x"), set_to(3, "name", "x" * 300, name="x" * 255)),
        (set_to(2, "name", "x", name="y"), set_to(2.005, "name", "y", name="y")),
        (look(1), look(2, more="x"), look(3, more="y"), look(4, min_ram=None), look(5, visibility="SHARED")),
        (look(1, name=None), look(2, name="given later"), look(3, name="")),
        (MADE, look(0.1, **EMPTY), done(1, "PUT", "/file", status=413), look(1.1, **EMPTY | {"status": "saving"})),
        (MADE, look(0.1, **EMPTY), done(1, "PUT", "/file", status=409), look(9)),
        (MADE, look(0.1, **EMPTY, min_ram=0), look(0.2, **EMPTY, min_ram=7)),
        (SENT, look(0.1), look(0.2, checksum=None, size=9), look(0.3)),
        (SENT, look(1), done(2, "POST", "/actions/deactivate"), look(9, status="deactivated", checksum=None)),
        (SENT, look(1, virtual_size=0), look(9, virtual_size=1 << 30), look(9.1, virtual_size=4)),
        (look(1), look(2, visibility="private"), look(3)),
        (SENT, look(1), look(2, status="deactivated"), look(9)),
        (look(1, **NEWER), look(9, "/images", **OLDER)),
    ],
)
def test_two_answers_may_both_be_true(exchanges: tuple[Exchange, ...]) -> None:
    """Of nodes that are behind, notations, what is written meanwhile, what nobody heard of, and data that comes."""
    assert told(*exchanges) == []


def member(seconds: float, **otherwise: Any) -> Exchange:
    """Return a look at the first member of the image."""
    shown = SHARED | {"created_at": SHOWN["created_at"], "updated_at": SHOWN["created_at"]} | otherwise
    return at(seconds, exchange(f"/images/{OURS}/members/consumer", shown))


def decides(seconds: float, decision: str, **how: Any) -> Exchange:
    """Return what decides on the image for its member."""
    body = json.dumps({"status": decision}).encode()
    made = exchange(f"/images/{OURS}/members/consumer", None, method="PUT", body=b"", **how)
    return at(seconds, replace(made, body=body))


ADDED = at(0, replace(done(0, "POST", "/members", status=200), body=b'{"member": "consumer"}'))


@pytest.mark.parametrize(
    ("requirement", "exchanges"),
    [
        ("MEM-CRE-02", (ADDED, member(1, status="accepted"))),
        ("", (member(1, status="accepted"),)),
        ("MEM-UPD-01", (member(1), patch(2, "name"), member(3, status="rejected"))),
        ("MEM-UPD-01", (decides(0, "accepted"), member(2, status="accepted"), member(9))),
        ("MEM-UPD-02", (member(1), decides(2, "accepted", status=403), member(3, status="accepted"))),
        ("MEM-UPD-09", (member(1), member(2, created_at="2031-01-01T00:00:00Z"))),
        ("", (member(1), decides(2, "accepted"), member(2.5), member(3, status="accepted"), member(3.1))),
        ("", (member(1), done(2, "DELETE", "/members/consumer"), member(9, created_at="2031-01-01T00:00:00Z"))),
        ("", (member(1), decides(2, "accepted", status=0), member(20), member(40, status="accepted"))),
    ],
)
def test_a_membership_is_what_was_decided(requirement: str, exchanges: tuple[Exchange, ...]) -> None:
    """By its member alone, and it lasts from when it has begun."""
    every = EveryAnswer("http://service.example/v2", Traces(created={OURS}), over_time=OverTime(1.0))
    for each in exchanges:
        every.look(each, "updates")
    known = ("MEM-CRE-02", "MEM-UPD-01", "MEM-UPD-02", "MEM-UPD-03", "MEM-UPD-09")
    assert [found.requirement for each in known for found in every.of(each)][:1] == [requirement][: bool(requirement)]
