"""What shows a finding once more, as data: an image, who sends what, and how what comes is judged. No I/O.

The one thing that the script, `cloudimages replay` and the test that it writes all go by. Where no few requests show a
finding, there is a reason instead; the whole requirement is asked again then, in the way that the run asked it.
"""

from __future__ import annotations

import json
import re
import shlex
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from pytest_cloudimages.client.exchange import TESTER
from pytest_cloudimages.client.identifiers import UUID
from pytest_cloudimages.client.json_documents import clearly
from pytest_cloudimages.client.redaction import HIDDEN
from pytest_cloudimages.client.showing import as_json_text
from pytest_cloudimages.reporting.expectations import NoPlanError, field, given, statuses, values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = 1
"""Version of the form of a finding's file."""
FOLDER = "findings"
"""The folder below that of the reports in which a file for each finding lies."""
IMAGE = "{image}"
"""What stands in a target for the id of the image that is created."""
ABSENT = "{absent}"
"""What stands there for the id of an image that does not exist."""
WRITES = ("PUT", "DELETE", "PATCH")
OPERATION = re.compile(r"\S.* (of|after|with) (add|delete) ")
STATE = re.compile(r", image (.+?)(?:, which had the tag)?(?:, and it was done)?$")
HAD_IT = re.compile(r", which had the tag(, and it was done)?$")
OF_AN_IMAGE = re.compile(r"^/images/([^/?]+)(?=[/?]|$)")
REFUSED = 400
"""The least status of an answer that refuses something."""
AFTER = ("tags after ", "other tags after ")
INSTANCES = "instances of the tag after PUT "
NOT_THERE = ("deleted", "unknown")
"""States in which there is no image."""
LEFT_OUT = ("x-openstack-request-id", "user-agent", "accept-encoding", "x-auth-token", "authorization")
"""Headers that every request has of its own."""
LONGEST_BODY = 1_900
"""Octets of a body that is whole for certain."""
TAGS = "image-tags"
"""The area whose findings few requests show: what leads up to those of others is not told as data."""
ASKED_BY = ("profile", "specification", "tag-limit", "tries", "seed")
"""The options that decide what is asked for a requirement, and how it is judged."""
OWN_TEST = re.compile(r"[^-].*(/|::|\.py$)")
"""A test of the tester's own behind ``--``, which no file names for anybody else."""


def finding(entry: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a finding beside the reports: a plan, or why there is none and what asks again then."""
    told = {
        "format": FORMAT,
        "id": entry["id"],
        "statement": entry["statement"],
        "identity": entry["identity"],
        "verdict": entry["verdict"],
        "endpoint": data["service"]["endpoint"],
        "specification": data["settings"]["specification"],
        "seed": data["seed"],
        "command": entry["replay"],
        **asked_by(entry["replay"]),
        **({"rate": entry["rate"]} if "rate" in entry else {}),
    }
    try:
        return {**told, "plan": plan(entry, data["service"]["endpoint"])}
    except NoPlanError as reason:
        return {**told, "plan": None, "reason": str(reason)}


def asked_by(command: str) -> dict[str, dict[str, str]]:
    """Return what has the whole requirement asked again as a command asks for it; nothing where tests of its own do."""
    words = shlex.split(command)
    if "--" in words and any(map(OWN_TEST.match, words[words.index("--") + 1 :])):
        return {}
    said = dict(pairwise(words))
    asks = {name: said[f"--{name}"] for name in ASKED_BY if f"--{name}" in said}
    # All but the first of several ids are there for what is sent besides where they are asked for.
    _, *besides = [value for word, value in pairwise(words) if word == "--select"] or [""]
    return {"asks": {**asks, "beside": ",".join(besides)} if besides else asks}


def plan(entry: Mapping[str, Any], endpoint: str) -> dict[str, Any]:
    """Return what shows a finding once more; raise ``NoPlanError`` where no few requests do."""
    if entry.get("area", TAGS) != TAGS:
        raise NoPlanError("what leads up to it is no matter of tags")
    if "race" in entry and entry["race"]["of"] != "tag":
        raise NoPlanError(f"races about a {entry['race']['of']} are not replayed")
    if "race" in entry:
        return {"race": entry["race"], "expect": {"kind": "order"}}
    if "rate" in entry:
        raise NoPlanError("it was met among many clients, in none of the races that are drawn")
    if "expected" not in entry:
        raise NoPlanError("what was expected is not told as data")
    base = urlsplit(endpoint).path
    made = _Making(entry, base).plan()
    # Where a secret was hidden in it, it would ask for something else.
    if HIDDEN in json.dumps(made):
        raise NoPlanError("a secret was hidden in what was asked")
    return made


class _Making:
    """Makes the plan of a finding of its exchanges."""

    def __init__(self, entry: Mapping[str, Any], base: str) -> None:
        self.entry, self.base, self.what = entry, base, str(entry["what"])
        self.exchanges: Sequence[Mapping[str, Any]] = entry["exchanges"]
        if not self.exchanges:
            raise NoPlanError("no request shows it")
        self.cut = len(self.exchanges) >= MOST
        """Whether others may have come before those that are kept."""
        for exchange in self.exchanges:
            _repeatable(exchange, base)
        self.exchanges = [exchange for exchange in self.exchanges if self._image_of(exchange) == self._about()]
        found = STATE.search(self.what)
        self.state = found[1] if found else ""

    def _image_of(self, exchange: Mapping[str, Any]) -> str:
        found = OF_AN_IMAGE.match(self.rest(exchange))
        return found[1] if found else ""

    def _about(self) -> str:
        """Return the image that it is about: the only one that was changed, beside others that were looked at."""
        changed = {self._image_of(exchange) for exchange in self.exchanges if exchange["method"] in WRITES}
        ids = changed or {*map(self._image_of, self.exchanges)}
        if "" in ids or not ids:
            raise NoPlanError("it is about a list, or no image at all")
        if len(ids) > 1:
            # What an answer has to carry wherever in a run it comes is shown by the one that is named.
            ids = {self._image_of(shown) for shown in self.exchanges if self._is_named(shown) and self._field(shown)}
        if len(ids) != 1:
            raise NoPlanError("it is about several images")
        if self.what.startswith("tags of another image"):
            raise NoPlanError("it is about another image than the one that was changed")
        return ids.pop()

    def _is_named(self, exchange: Mapping[str, Any]) -> bool:
        """Return whether what was compared names this request."""
        return bool(re.search(rf"{exchange['method']} {re.escape(exchange['target'])}(?![^\s,;:])", self.what))

    def _field(self, exchange: Mapping[str, Any]) -> str:
        """Return which field of an answer was compared; nothing where none was."""
        return field(self.what, exchange, self.entry["actual"])

    def rest(self, exchange: Mapping[str, Any]) -> str:
        """Return the target below the endpoint."""
        return str(exchange["target"]).removeprefix(self.base)

    def plan(self) -> dict[str, Any]:
        """Return the plan."""
        place = self._judged()
        expect = self._expected(place)
        of_an_answer = "step" in expect
        asked = [
            exchange
            for number, exchange in enumerate(self.exchanges[: place + 1 if of_an_answer else None])
            if exchange["method"] in WRITES or (number == place and of_an_answer)
        ]
        if not asked:
            raise NoPlanError("nothing was changed before it was seen")
        absent = self.state in NOT_THERE or bool(self.entry.get("absent"))
        if absent and not re.fullmatch(UUID, self._about()):
            raise NoPlanError("the id that it is about is a strange one")
        if absent and not of_an_answer:
            raise NoPlanError("it is about an image that is gone")
        steps = [self._step(exchange, ABSENT if absent else IMAGE) for exchange in asked]
        tags, led_up = ([], []) if absent else self._before(asked, expect)
        if of_an_answer:
            expect["step"] += len(led_up)
        made = {"state": "" if absent else self.state, "tags": tags, "steps": [*led_up, *steps], "expect": expect}
        if expect["kind"] == "unchanged" and expect["names"] != ["tags"]:
            made["attributes"] = True
        return made

    def _judged(self) -> int:
        """Return the place of the exchange whose answer was judged."""
        places = [place for place, exchange in enumerate(self.exchanges) if self._is_named(exchange)]
        if not places and OPERATION.match(self.what):
            places = [place for place, exchange in enumerate(self.exchanges) if exchange["method"] in ("PUT", "DELETE")]
        if not places and self.what.startswith("tags after "):
            places = [place for place, exchange in enumerate(self.exchanges) if exchange["method"] in WRITES]
        if not places:
            # The field was seen in the answer to a request like the one that is named.
            places = [place for place, exchange in enumerate(self.exchanges) if self._field(exchange)]
        if not places:
            raise NoPlanError(f"which request it is about is not told: {self.what}")
        return places[-1]

    def _expected(self, place: int) -> dict[str, Any]:
        """Return how what comes is judged."""
        entry, exchange = self.entry, self.exchanges[place]
        if self.what.startswith("status of ") and isinstance(entry["actual"], int):
            return {"kind": "status", "step": self._number(place), **statuses(entry["expected"])}
        if found := self._of_tags(exchange) or self._of_attributes(exchange):
            return found
        if at := self._field(exchange):
            # What a refusal carries says nothing of another one.
            refused = {"given": str(exchange["status"])} if exchange["status"] >= REFUSED else {}
            return {"kind": "field", "step": self._number(place), "at": at, **values(entry), **refused}
        raise NoPlanError(f"what is compared is no field of an answer: {self.what.partition(' of ')[0]}")

    def _of_tags(self, exchange: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return how the tags that are there in the end are judged; ``None`` where it is about something else."""
        entry = self.entry
        whole = all(map(_are_tags, (entry["expected"], entry["actual"])))
        if self.what.startswith(AFTER) and whole:
            lists = {name: entry.get(name, []) for name in ("missing", "unexpected")}
            return {"kind": "tags", "expected": entry["expected"], **lists, **given(exchange)}
        if self.what.startswith(INSTANCES) and entry["expected"] == 1 and (tag := _tag_of(self.rest(exchange))):
            if "the tag came at creation" in self.what:
                raise NoPlanError("the tag came to the image as it was created")
            lost = entry["actual"] == 0
            differing = {"missing": [tag] * lost, "unexpected": [tag] * (not lost)}
            return {"kind": "tags", "expected": [tag], **differing, **given(exchange)}
        if self.what.startswith("tags shown twice by GET") and whole:
            return {"kind": "tags", "expected": entry["actual"], "missing": [], "unexpected": entry["actual"]}
        if self.what.startswith("effect of ") and entry["expected"] is True:
            tag = _tag_of(self.rest(exchange))
            if tag is None:
                raise NoPlanError("which tags were to change is not told")
            wanted = [tag] if exchange["method"] == "PUT" else []
            unwanted = [] if wanted else [tag]
            return {"kind": "tags", "expected": wanted, "missing": wanted, "unexpected": unwanted}
        return None

    def _of_attributes(self, exchange: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return which attributes are to stay as they are; ``None`` where it is about something else."""
        expected, actual = self.entry["expected"], self.entry["actual"]
        if self.what.startswith(("tags that came or went with ", "effect of ")) and expected in ([], False):
            return {
                "kind": "unchanged",
                "names": ["tags"],
                **(given(exchange) if exchange["status"] >= REFUSED else {}),
            }
        if self.what.startswith("attributes changed with ") and isinstance(actual, list):
            if {"data", "members"} & {*actual}:
                raise NoPlanError("it is about the data or the members of an image")
            return {"kind": "unchanged", "names": actual}
        return None

    def _number(self, place: int) -> int:
        """Return which of the steps the judged one will be: those before it that only look are left out."""
        return sum(exchange["method"] in WRITES for exchange in self.exchanges[:place])

    def _before(
        self, asked: Sequence[Mapping[str, Any]], expect: Mapping[str, Any]
    ) -> tuple[list[str], list[dict[str, Any]]]:
        """Return the tags that the image has before anything is asked, and the steps that lead up to it."""
        tags = self._tags(asked, expect)
        about = _tag_of(self.rest(asked[-1]))
        led_up: list[dict[str, Any]] = []
        # What comes back that nobody has named was deleted before.
        named = {_tag_of(self.rest(exchange)) for exchange in asked} | {*tags}
        back = [tag for tag in expect.get("unexpected", ()) if tag not in named and self.what.startswith(AFTER)]
        for tag in dict.fromkeys(back):
            led_up += [self._change("PUT", tag), self._change("DELETE", tag)]
        if "prior" not in self.entry or about is None or len(asked) > 1:
            return tags, led_up
        prior, there = self.entry["prior"], about in tags
        tags = [tag for tag in tags if tag != about]
        # As often as it takes to have been there, to be gone, and to be there again.
        passed = {
            "never there": (),
            "there": ("PUT",),
            "deleted before": ("PUT", "DELETE"),
            "there again": ("PUT", "DELETE", "PUT"),
        }[prior]
        if (passed[-1:] == ("PUT",)) is not there and "before" in self.entry:
            raise NoPlanError("what the image showed before is not what had been done to it")
        if passed == ("PUT",):
            return [*tags, about], led_up
        return tags, [*led_up, *(self._change(method, about) for method in passed)]

    def _tags(self, asked: Sequence[Mapping[str, Any]], expect: Mapping[str, Any]) -> list[str]:
        """Return the tags that the image has before anything is asked."""
        for exchange in self.exchanges:
            if exchange["method"] in WRITES:
                break
            shown = clearly(exchange["answer"])
            if isinstance(shown, dict) and "tags" in shown and _are_tags(shown["tags"]):
                return list(dict.fromkeys(shown["tags"]))
        if self.cut and expect["kind"] in ("tags", "unchanged"):
            raise NoPlanError(f"more than {MOST - 1} requests led to it")
        if len(asked) == 1 and "before" in self.entry and _are_tags(self.entry["before"]):
            return list(dict.fromkeys(self.entry["before"]))
        written = [tag for exchange in asked if (tag := _tag_of(self.rest(exchange))) is not None]
        last = asked[-1]
        if expect == {"kind": "unchanged", "names": ["tags"]} and last["method"] != "PUT":
            # Where nothing is there, nothing can go.
            gone = self.entry["actual"] if isinstance(self.entry["actual"], list) else written
            return list(gone) if _are_tags(gone) else []
        deleted = last["method"] == "DELETE" and len(asked) == 1 and _are_tags(written)
        if HAD_IT.search(self.what) and _are_tags(written):
            return written
        if deleted and (self.state or (self._acknowledged(last) and "204" in expect.get("allowed", ()))):
            # Who may delete nothing is asked to delete what is there; and what was deleted was there.
            return written
        if expect["kind"] == "tags" and not {*expect["expected"]} <= {*written}:
            raise NoPlanError("which tags the image had before is not told")
        return []

    def _acknowledged(self, exchange: Mapping[str, Any]) -> bool:
        return bool(200 <= exchange["status"] < 300)  # noqa: PLR2004 - the class of codes

    def _change(self, method: str, tag: str) -> dict[str, Any]:
        """Return a step that adds or deletes a tag, as the tester."""
        target = f"/images/{IMAGE}/tags/{quote(tag, safe='')}"
        headers = [["Accept", "application/json"]]
        return {"caller": TESTER, "method": method, "target": target, "headers": headers, "body": ""}

    def _step(self, exchange: Mapping[str, Any], placeholder: str) -> dict[str, Any]:
        return {
            "caller": exchange["caller"],
            "method": exchange["method"],
            "target": OF_AN_IMAGE.sub(f"/images/{placeholder}", self.rest(exchange), count=1),
            "headers": [list(pair) for pair in exchange["headers"] if pair[0].lower() not in LEFT_OUT],
            "body": exchange["body"],
        }


MOST = 12
"""So many exchanges of a finding are kept; where there are as many, others came before them."""


def _repeatable(exchange: Mapping[str, Any], base: str) -> None:
    """Raise ``NoPlanError`` where a request cannot be sent as it was from what is known of it."""
    body, target = exchange["body"], str(exchange["target"])
    if not (body.isascii() and body.isprintable()) or "\\" in body or len(body) > LONGEST_BODY:
        raise NoPlanError("the body of a request is not whole, or no text")
    if not target.startswith(f"{base}/") or not target.isascii() or "/../" in f"{target.partition('?')[0]}/":
        raise NoPlanError("a request left the endpoint")
    if exchange["status"] == 0:
        raise NoPlanError("a request was not answered")
    if not re.fullmatch(r"[!-~]+", target):
        raise NoPlanError("what was asked is hidden in part, or is no address")
    if any(name.lower() == "transfer-encoding" for name, _ in exchange["headers"]):
        raise NoPlanError("a request was sent in chunks")


def _tag_of(rest: str) -> str | None:
    found = re.fullmatch(r"/images/[^/?]+/tags/([^/?]+)", rest)
    return unquote(found[1]) if found else None


def _are_tags(value: object) -> bool:
    """Return whether this is a list of tags that can be asked for."""
    return isinstance(value, list) and all(isinstance(tag, str) and tag == _encodable(tag) for tag in value)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def as_text(found: Mapping[str, Any]) -> str:
    """Return the file of a finding."""
    return as_json_text(json.dumps(found, indent=1, ensure_ascii=True)) + "\n"
