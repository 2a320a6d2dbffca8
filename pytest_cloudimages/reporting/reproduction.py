"""A script that shows a finding once more, with curl alone: on an image of its own, which it takes away again."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from pytest_cloudimages.client.exchange import TESTER
from pytest_cloudimages.client.redaction import HIDDEN
from pytest_cloudimages.client.showing import in_one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STATUS = re.compile(r"[1-5](xx|[0-9]{2})")
OPERATION = re.compile(r"status of (add|delete) ")
IMAGE = re.compile(r"^/images/([^/?]+)(?=/|$)")
OWN_HEADERS = ("accept", "content-type")
"""The headers of a request that matter for its answer; curl makes the others itself."""
WRITES = ("PUT", "DELETE", "PATCH")

HEAD = r"""#!/bin/sh
# {title}
# Creates an image, asks what was asked, shows what came, and deletes the image.
# Ends with 0 where all is as required, with 1 while the fault is there, and with 3 where that cannot be told.
# Needs curl, python3 and the variable TOKEN; ENDPOINT leads to another service.
set -u
umask 077
endpoint=${{ENDPOINT:-{endpoint}}}
endpoint=${{endpoint%/}}
case $endpoint in */v2) ;; *) endpoint=$endpoint/v2 ;; esac
work=$(mktemp -d) || exit 3
image=
export work
: > "$work/options"
# The token is nobody's who may list the processes of this machine.
case ${{TOKEN:-}} in "Basic "*) field=Authorization ;; *) field=X-Auth-Token ;; esac
[ -z "${{TOKEN:-}}" ] || printf 'header = "%s: %s"\n' "$field" "$TOKEN" > "$work/options"
ask() {{
  method=$1 path=$2
  shift 2
  : > "$work/answer"
  status=$(curl -sS --path-as-is --globoff -K "$work/options" -o "$work/answer" -w '%{{http_code}}' \
    -X "$method" "$@" "$endpoint$path")
  printf '%s %s: %s\n' "$method" "$path" "$status"
}}
end() {{
  [ -z "$image" ] || ask DELETE "/images/$image"
  rm -rf "$work"
}}
trap end EXIT
trap 'exit 3' HUP INT TERM
cannot() {{
  printf 'It cannot be told: %s\n' "$1"
  exit 3
}}
"""
CREATE = r"""
ask POST /images -H 'Content-Type: application/json' \
  --data-raw '{"name": "pytest-cloudimages-repro", "disk_format": "raw", "container_format": "bare"}'
image=$(python3 -c 'import json, os; print(json.load(open(os.environ["work"] + "/answer"))["id"])' 2> /dev/null)
case $image in *[!A-Za-z0-9-]*) image= ;; esac
[ -n "$image" ] || cannot 'no image was created'
"""
LAID = r"""
ask GET "/images/$image"
python3 - '{tags}' << 'end of python' || cannot 'the image does not have the tags that it had before'
import json, os, sys
shown = json.load(open(os.environ["work"] + "/answer"))["tags"]
sys.exit(sorted(shown) != sorted(json.loads(sys.argv[1])))
end of python
"""
JUDGED_TAGS = r"""
ask GET "/images/$image"
python3 - '{judged}' << 'end of python'
import collections, json, os, sys
judged = json.loads(sys.argv[1])
try:
    tags = json.load(open(os.environ["work"] + "/answer"))["tags"]
    shown, expected = collections.Counter(tags), collections.Counter(judged["expected"])
except (ValueError, KeyError, TypeError):
    print("It cannot be told: the answer shows no tags.")
    sys.exit(3)
print("tags:     " + ascii(tags))
print("expected: " + ascii(judged["expected"]))
missing = [tag for tag in judged["missing"] if shown[tag] < expected[tag]]
unexpected = [tag for tag in judged["unexpected"] if shown[tag] > expected[tag]]
print("missing: {{}}, unexpected: {{}}".format(ascii(missing), ascii(unexpected)))
sys.exit(1 if missing or unexpected else 0)
end of python
"""
JUDGED_STATUS = r"""
printf 'status: %s, expected: %s\n' "$status" {words}
case $status in
  000) cannot 'nothing was answered' ;;
  {good}) exit 0 ;;
  *) exit 1 ;;
esac
"""


def script(entry: Mapping[str, Any], endpoint: str) -> str:
    """Return a script that shows a finding once more; empty where no few requests of one caller show it."""
    if "identity" not in entry or "expected" not in entry:
        return ""
    base = urlsplit(endpoint).path
    steps = [exchange for exchange in entry["exchanges"] if exchange["target"].startswith(base)]
    if len(steps) < len(entry["exchanges"]) or not all(map(_repeatable, steps)):
        return ""
    if entry["what"].startswith("tags after "):
        return _of_tags(entry, steps, endpoint)
    return _of_status(entry, steps, endpoint) if entry["what"].startswith("status of ") else ""


def _of_tags(entry: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], endpoint: str) -> str:
    """Return the script of a finding about the tags that an image shows after its requests."""
    base = urlsplit(endpoint).path
    images = {_image_of(step, base) for step in steps}
    writes = [step for step in steps if step["method"] in WRITES]
    lists = (entry["expected"], entry["actual"])
    if len(images) != 1 or None in images or not writes or not all(map(_are_tags, lists)):
        return ""
    before = _shown_before(steps, entry)
    if before is None:
        return ""
    judged = {
        "expected": entry["expected"],
        "missing": entry.get("missing", []),
        "unexpected": entry.get("unexpected", []),
    }
    last = JUDGED_TAGS.format(judged=_in_quotes(judged))
    return _head(entry, endpoint) + CREATE + _laid(before) + _asked(writes, base) + last


def _of_status(entry: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], endpoint: str) -> str:
    """Return the script of a finding about the status of one of its requests."""
    base = urlsplit(endpoint).path
    good = _allowed(entry["expected"])
    places = [place for place, step in enumerate(steps) if f"{step['method']} {step['target']}" in entry["what"]]
    if OPERATION.match(entry["what"]):
        places = [place for place, step in enumerate(steps) if step["method"] in WRITES]
    if not places or not good or not isinstance(entry["actual"], int):
        return ""
    steps = steps[: places[-1] + 1]
    images = {_image_of(step, base) for step in steps}
    before = _shown_before(steps, entry)
    # An image that is asked for because there is none is not to be created; a step is one of an image of ours.
    there = (
        OPERATION.match(entry["what"]) or any(map(_ok, steps[:-1])) or any(pattern.startswith("2") for pattern in good)
    )
    if len(images) != 1 or None in images or before is None or not there:
        return ""
    writes = [step for step in steps[:-1] if step["method"] in WRITES]
    words = shlex.quote(" or ".join(good).replace("??", "xx"))
    last = JUDGED_STATUS.format(words=words, good="|".join(good))
    return _head(entry, endpoint) + CREATE + _laid(before) + _asked([*writes, steps[-1]], base) + last


def _allowed(expected: object) -> list[str]:
    """Return the statuses that are expected as patterns of a shell; none where they cannot be said so."""
    if isinstance(expected, str):
        words = expected.split(" or ")
        return [word.replace("x", "?") for word in words] if all(map(STATUS.fullmatch, words)) else []
    values = expected if isinstance(expected, list) else [expected]
    return [str(value) for value in values] if all(isinstance(value, int) for value in values) else []


def _ok(step: Mapping[str, Any]) -> bool:
    return bool(200 <= step["status"] < 300)  # noqa: PLR2004 - the class of codes


def _repeatable(step: Mapping[str, Any]) -> bool:
    """Return whether curl can send a request as it was sent: by the tester, whole, and with a body that is text."""
    plain = step["body"].isascii() and step["body"].isprintable() and "\\" not in step["body"]
    plain = plain and not any(HIDDEN in step[part] for part in ("target", "body"))
    chunked = any(name.lower() == "transfer-encoding" for name, _ in step["headers"])
    return step["caller"] == TESTER and plain and not chunked and step["status"] != 0


def _image_of(step: Mapping[str, Any], base: str) -> str | None:
    match = IMAGE.match(step["target"].removeprefix(base))
    return match[1] if match else None


def _shown_before(steps: Sequence[Mapping[str, Any]], entry: Mapping[str, Any]) -> list[str] | None:
    """Return the tags that the image had before anything was written; ``None`` where that is not known."""
    for step in steps:
        if step["method"] in WRITES:
            break
        try:
            tags = json.loads(step["answer"])["tags"]
        except (ValueError, KeyError, TypeError):
            continue
        return list(tags) if _are_tags(tags) else None
    written = [unquote(step["target"].rpartition("/")[2]) for step in steps if step["method"] in WRITES]
    if len(written) == 1 and "before" in entry:
        return list(entry["before"]) if _are_tags(entry["before"]) else None
    # Where nothing else is expected than what was added, nothing else was there.
    alone = entry["what"].startswith("status of ") or {*entry["expected"]} <= {*written}
    return [] if alone else None


def _are_tags(value: object) -> bool:
    """Return whether this is a list of tags that can be asked for."""
    return isinstance(value, list) and all(isinstance(tag, str) and tag == _encodable(tag) for tag in value)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _head(entry: Mapping[str, Any], endpoint: str) -> str:
    title = in_one_line(f"{entry['id']}: {entry['statement']}")
    return HEAD.format(title=title, endpoint=shlex.quote(endpoint))


def _laid(tags: Sequence[str]) -> str:
    """Return the lines that give the image its tags, and see that it has them."""
    if not tags:
        return ""
    lines = [f'ask PUT "/images/$image"/tags/{shlex.quote(quote(tag, safe=""))}' for tag in tags]
    return "\n".join(lines) + LAID.format(tags=_in_quotes(list(tags)))


def _asked(steps: Sequence[Mapping[str, Any]], base: str) -> str:
    """Return the lines that send the requests of a finding."""
    lines = ["# What the finding is about:"]
    for step in steps:
        rest = IMAGE.sub("", step["target"].removeprefix(base), count=1)
        words = ["ask", step["method"], '"/images/$image"' + (shlex.quote(rest) if rest else "")]
        for name, value in step["headers"]:
            words += ["-H", shlex.quote(f"{name}: {value}")] if name.lower() in OWN_HEADERS else []
        words += ["--data-raw", shlex.quote(step["body"])] if step["body"] else []
        lines.append(" ".join(words))
    return "\n".join(["", *lines, ""])


def _in_quotes(value: object) -> str:
    """Return JSON for between the single quotes of a shell."""
    return json.dumps(value).replace("'", "\\u0027")
