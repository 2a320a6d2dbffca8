"""A script that shows a finding once more: with curl on an image of its own, or else with the suite."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_cloudimages.client.exchange import TESTER
from pytest_cloudimages.client.showing import in_one_line
from pytest_cloudimages.reporting.expectations import BUT, NoPlanError
from pytest_cloudimages.reporting.plans import ABSENT, IMAGE, as_text, asked_by, plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OWN_HEADERS = ("accept", "content-type")
"""The headers of a request that matter for its answer; curl makes the others itself."""

HEAD = r"""#!/bin/sh
# {title}
# Creates an image, asks what was asked, shows what came, and deletes the image.
# Ends with 1 while these requests show the fault, with 0 where they do not, and with 3 where that cannot be told.
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
SUITE = """\
#!/bin/sh
# {title}
# No few requests with curl show this: `cloudimages replay` asks for it, and takes away again what it creates.
# Ends with 0 where it is fixed, with 1 while it is there, and with 3 where that cannot be told.
# TOKEN may hold the token (or CLOUDIMAGES_TOKEN, and those of the other callers); ENDPOINT leads to another service.
set -u
command -v cloudimages > /dev/null || {{
  echo 'It cannot be told: this needs cloudimages (pip install pytest-cloudimages).'
  exit 3
}}
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT
[ -z "${{TOKEN:-}}" ] || export CLOUDIMAGES_TOKEN="$TOKEN"
cat > "$work/finding.json" << 'end of the finding'
{finding}
end of the finding
cloudimages replay "$work/finding.json" --endpoint "${{ENDPOINT:-{endpoint}}}"
"""
CREATE = r"""
ask POST /images -H 'Content-Type: application/json' \
  --data-raw '{"name": "pytest-cloudimages-repro", "disk_format": "raw", "container_format": "bare"}'
image=$(python3 -c 'import json, os; print(json.load(open(os.environ["work"] + "/answer"))["id"])' 2> /dev/null)
case $image in *[!A-Za-z0-9-]*) image= ;; esac
[ -n "$image" ] || [ "$status" != 401 ] ||
  cannot 'no image was created; put a token into TOKEN, such as `openstack token issue -f value -c id` prints'
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
{arms}
esac
"""


def script(entry: Mapping[str, Any], endpoint: str) -> str:
    """Return the script that shows a finding once more with curl; empty where no few requests of one caller do."""
    if "identity" not in entry:
        return ""
    try:
        return _with_curl(entry, plan(entry, endpoint), endpoint)
    except NoPlanError:
        return ""


def script_of(finding: Mapping[str, Any]) -> str:
    """Return the script that shows the finding of a file once more: with curl, or else with `cloudimages replay`."""
    made, endpoint = finding["plan"], finding["endpoint"]
    return (_with_curl(finding, made, endpoint) if made else "") or _with_the_suite(finding)


def has_script(entry: Mapping[str, Any], endpoint: str) -> bool:
    """Return whether there is a script for a finding."""
    return "asks" in asked_by(entry["replay"]) or bool(script(entry, endpoint))


def _with_the_suite(finding: Mapping[str, Any]) -> str:
    """Return the script that has the suite replay a finding."""
    title = in_one_line(f"{finding['id']}: {finding['statement']}")
    kept = as_text(finding)
    return SUITE.format(title=title, endpoint=shlex.quote(finding["endpoint"]), finding=kept.rstrip("\n"))


def _with_curl(finding: Mapping[str, Any], made: Mapping[str, Any], endpoint: str) -> str:
    """Return the script that does what a plan says; empty where curl alone cannot, or would have to be other callers.

    ``finding`` says which it is: its id and statement.
    """
    judged = _judgement(made["expect"])
    steps = made.get("steps", [])
    own = all(step["caller"] == TESTER and ABSENT not in step["target"] for step in steps)
    if not judged or not own or made.get("state"):
        return ""
    return _head(finding, endpoint) + CREATE + _laid(made["tags"]) + _asked(steps) + judged


def _judgement(expect: Mapping[str, Any]) -> str:
    """Return the lines that judge what came; empty where only the suite itself can."""
    if expect["kind"] == "tags":
        lists = {name: expect[name] for name in ("expected", "missing", "unexpected")}
        return JUDGED_TAGS.format(judged=_in_quotes(lists))
    if expect["kind"] != "status":
        return ""
    wrong = "refused" in expect
    words = expect["refused" if wrong else "allowed"]
    patterns = "|".join(word.replace("x", "?") for word in words if word != "0")
    arms = [f"  {patterns}) exit {int(wrong)} ;;"] if patterns else []
    told = BUT * wrong + (", " if wrong else " or ").join(words)
    return JUDGED_STATUS.format(words=shlex.quote(told), arms="\n".join([*arms, f"  *) exit {int(not wrong)} ;;"]))


def _head(entry: Mapping[str, Any], endpoint: str) -> str:
    title = in_one_line(f"{entry['id']}: {entry['statement']}")
    return HEAD.format(title=title, endpoint=shlex.quote(endpoint))


def _laid(tags: Sequence[str]) -> str:
    """Return the lines that give the image its tags, and see that it has them."""
    if not tags:
        return ""
    lines = [f'ask PUT "/images/$image"/tags/{shlex.quote(quote(tag, safe=""))}' for tag in tags]
    return "\n".join(lines) + LAID.format(tags=_in_quotes(list(tags)))


def _asked(steps: Sequence[Mapping[str, Any]]) -> str:
    """Return the lines that send the requests of a finding."""
    lines = ["# What the finding is about:"]
    for step in steps:
        rest = step["target"].removeprefix(f"/images/{IMAGE}")
        words = ["ask", step["method"], '"/images/$image"' + (shlex.quote(rest) if rest else "")]
        for name, value in step["headers"]:
            words += ["-H", shlex.quote(f"{name}: {value}")] if name.lower() in OWN_HEADERS else []
        words += ["--data-raw", shlex.quote(step["body"])] if step["body"] else []
        lines.append(" ".join(words))
    return "\n".join(["", *lines, ""])


def _in_quotes(value: object) -> str:
    """Return JSON for between the single quotes of a shell."""
    return json.dumps(value).replace("'", "\\u0027")
