"""The command `cloudimages`, as a tester meets it."""

from __future__ import annotations

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from pytest_cloudimages import __version__
from pytest_cloudimages.app.cli import main, requirements
from pytest_cloudimages.app.selection import Selection
from pytest_cloudimages.engine.settings import Settings
from pytest_cloudimages.reference.app import App, Reply
from pytest_cloudimages.reference.images import Caller
from pytest_cloudimages.reference.server import Server, serving
from pytest_cloudimages.spec.catalogue import load

sys.path.insert(0, str(Path(__file__).parent))

from own_catalogue import OWN

if TYPE_CHECKING:
    from collections.abc import Callable

TWICE = """\
import json, os, signal
from pytest_cloudimages.app.cli import main
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.reference.app import App, Reply
from pytest_cloudimages.reference.server import serving

class Keeps(App):
    def delete_image(self, request, image_id):
        return Reply(403)

def surroundings():
    return [signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), dict(os.environ)]

os.environ["PYTEST_ADDOPTS"] = "--no-such-option"
statuses, same = {}, []
for name, app, seed in (("first", Keeps(), 1), ("second", App(), 2)):
    with serving(app) as server:
        token = app.identity.issue("tester").value
        os.environ |= {"CLOUDIMAGES_ENDPOINT": f"{server.url}/v2", "CLOUDIMAGES_TOKEN": token}
        before = surroundings()
        words = ["run", "--profile", "quick", "--seed", str(seed), "--reports", name]
        statuses[name] = main.main([*words, "--select", "TAG-ADD-13", "--", "test_own.py"])
        same.append(surroundings() == before and SECRETS.hide(token) == token)
with open("told.json", "w") as file:
    json.dump([statuses, same], file)
"""

PROPERTY = """\
from hypothesis import given
from pytest_cloudimages import requirement
from pytest_cloudimages.strategies import plain_tags

@requirement("TAG-ADD-13")
@given(tag=plain_tags())
def test_property(cloudimages_fresh_image, tag):
    with cloudimages_fresh_image() as image:
        assert image.add_tag(tag).ok
"""

ONE = ("--select", "TAG-ADD-13")
"""A requirement that is judged in a few requests."""


class Wrong(App):
    """A service that acknowledges a tag, and forgets to say so as it should."""

    def add_tag(self, request: Any, image_id: str, tag: str) -> Reply:
        """Answer 299."""
        super().add_tag(request, image_id, tag)
        return Reply(299)


class Insensitive(App):
    """A service that takes Abc for abc."""

    def add_tag(self, request: Any, image_id: str, tag: str) -> Reply:
        """Fold the tag."""
        return super().add_tag(request, image_id, tag.lower())

    def delete_tag(self, request: Any, image_id: str, tag: str) -> Reply:
        """Fold the tag."""
        return super().delete_tag(request, image_id, tag.lower())


class Creationless(App):
    """A service that creates no images."""

    def create_image(self, request: Any) -> Reply:
        """Refuse it."""
        return self.method_not_allowed(request, ["GET"])


def image_of(server: Server, *tags: str) -> str:
    """Make an image of the tester's."""
    caller = Caller(server.app.identity.users["tester"].project.id)
    image = server.app.images.create(caller, {"name": "lent", "tags": [*tags]})
    return image.id


def tags_of(server: Server) -> dict[str, list[str]]:
    """Return the tags of every image there is."""
    return {image.id: sorted(image.tags) for image in server.app.images.all()}


# Exit status


@pytest.mark.parametrize(
    ("app", "words", "status"),
    [
        (App, ONE, 0),
        (Wrong, ("--select", "TAG-ADD-01", "--profile", "quick"), 1),
        (Insensitive, ("--select", "TAG-URI-19"), 0),
        (Insensitive, ("--select", "TAG-URI-19", "--strict"), 1),
        (Creationless, ONE, 3),
    ],
    ids=["0: honest", "1: a fail", "0: an advisory", "1: an advisory when strict", "3: blocked"],
)
def test_the_exit_status_sums_up(workshop: Any, app: type[App], words: tuple[str, ...], status: int) -> None:
    """As the help says; and whatever was created is gone."""
    with serving(app()) as server:
        workshop.named(server)
        outcome = workshop.judge(*words)
        left = tags_of(server)

    assert outcome.status == status, outcome.out
    assert left == {}


@pytest.mark.parametrize(
    ("counts", "strict", "status"),
    [
        ({"pass": 3}, False, 0),
        ({"noted": 1}, True, 0),
        ({"advisory": 1}, False, 0),
        ({"advisory": 1}, True, 1),
        ({"fail": 1, "error": 1, "blocked": 1}, False, 1),
        ({"error": 1, "blocked": 1, "pass": 1}, False, 4),
        ({"blocked": 1, "pass": 1}, False, 3),
        ({"unstable": 1, "pass": 1}, False, 3),
        ({"untested": 9}, False, 3),
        ({}, False, 3),
    ],
)
def test_totals_come_to_an_exit_status(counts: dict[str, int], strict: bool, status: int) -> None:
    """A fail before an error before what could not be judged."""
    from pytest_cloudimages.reporting.results import Results
    from pytest_cloudimages.spec.verdicts import Verdict

    results = Results({"totals": {str(verdict): counts.get(str(verdict), 0) for verdict in Verdict}})

    assert results.exit_status(strict=strict) == status


CRASH = """
from pytest_cloudimages import requirement

@requirement("OWN-01")
def test_crash(cloudimages_image, cloudimages_credentials):
    token = cloudimages_credentials.token()
    print("the token is", token)
    answer = cloudimages_image.client.add_tag("unknown", "a")
    raise RuntimeError(f"a crash with {token} in its message, after {answer.body}")
"""


class Echoing(App):
    """A service that tells everybody their token."""

    def error(self, request: Any, status: Any, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
        """Add the token to the message, and to a header."""
        token = request.headers.get("X-Auth-Token", "none")
        return super().error(request, status, f"{message} Your token is {token}.", (*headers, ("X-Echo", token)))


@pytest.fixture(scope="module")
def crashed(shared_workshop: Callable[[str], Any]) -> tuple[Any, str, dict[str, list[str]]]:
    """Run a check that crashes, with all that a token could get out by."""
    workshop = shared_workshop("crash")
    workshop.write("own.toml", OWN)
    path = workshop.write("test_crash.py", CRASH)
    with serving(Echoing()) as server:
        token = workshop.named(server)
        words = ("--catalogue", "own.toml", "--select", "OWN-01", "--select", "TAG-ADD-11", "--select", "TAG-AUTH-01")
        outcome = workshop.judge(
            *words, "--", str(path), "--showlocals", "--tb=long", "--show-capture=all", "-rA", "-v"
        )
        left = tags_of(server)
    return outcome, token, left


def test_a_crash_of_ours_is_told_as_such(crashed: tuple[Any, str, Any]) -> None:
    """Exit status 4, a verdict of its own, and nobody calls it the service's."""
    outcome = crashed[0]

    assert outcome.status == 4, outcome.out
    assert outcome.verdict("OWN-01") == "error"
    assert outcome.verdict("TAG-ADD-11") == "pass"


def test_a_crash_leaves_nothing_behind(crashed: tuple[Any, str, Any]) -> None:
    """The image is gone, and every report is written."""
    outcome, _, left = crashed

    assert left == {}
    assert {file.name for file in outcome.reports.iterdir()} >= {
        "conformance.json",
        "index.html",
        "conformance.html",
        "junit.xml",
    }
    assert "a crash with *** in its message" in outcome.out


def test_the_token_is_in_no_report(crashed: tuple[Any, str, Any]) -> None:
    """Not of a crash, not with local variables, not where the service echoes it, and not on the terminal."""
    outcome, token, _ = crashed
    holding = [file.name for file in outcome.reports.rglob("*") if file.is_file() and token in file.read_text("utf-8")]

    assert holding == []
    assert token not in outcome.out


def test_a_module_that_cannot_be_loaded_is_ours(workshop: Any) -> None:
    """Exit status 4; nobody was interrupted, and the service is not to blame."""
    path = workshop.write("test_broken.py", "import no_such_module\n")
    outcome = workshop.judge("--reference", *ONE, "--", str(path))

    assert outcome.status == 4, outcome.out
    assert not outcome.results["interrupted"]
    assert outcome.results["totals"]["blocked"] == 0
    assert "no_such_module" in outcome.out


# Mistakes


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ([], 2, ["--endpoint URL", "--cloud NAME", "OS_AUTH_URL", "--reference"]),
        (["--endpoint", "http://127.0.0.1:{port}/v2"], 3, ["http://127.0.0.1:{port}/v2", "refused"]),
        (["--endpoint", "images.example"], 2, ["images.example"]),
        (["--endpoint", "{url}", "--image", "none-such"], 2, ["There is no image 'none-such'"]),
        (["--endpoint", "{url}", "--select", "TAG-NIL"], 2, ["TAG-NIL", "cloudimages requirements"]),
        (["--reference", "--select", "TAG-NIL-01"], 2, ["TAG-NIL-01"]),
        (["--reference", "--catalogue", "absent.toml"], 2, ["absent.toml cannot be read"]),
        (["--reference", "--reports", "file/reports"], 2, ["Reports cannot be written to file/reports"]),
        (["--reference", "--timeout", "0"], 2, ["--timeout: expected a number above 0"]),
        (
            ["--reference", "--timeout", "soon"],
            2,
            ["--timeout: expected a number above 0 and at most 3600, got 'soon'"],
        ),
        (["--reference", "--cloud", "x"], 2, ["not allowed with"]),
        (["--reference", "--profile", "fast"], 2, ["quick"]),
        (["--reference", "--seed", "x"], 2, ["whole number"]),
        (["--reference", "--minutes", "5"], 2, ["--minutes: expected the profile explore, got standard"]),
        (["--reference", "--", "--cloudimages-patience=x"], 2, ["--cloudimages-patience: expected a number"]),
        (["--reference", "--", "--cloudimages-cloud=c"], 2, ["--reference, --cloudimages-cloud: expected one service"]),
        (["--cloud", "none-such"], 2, ["none-such"]),
        (["--reference", "--no-such-option"], 2, ["--no-such-option"]),
        (["--reference", *ONE, "--", "-k", "no_such_test"], 3, ["no check is left of what was asked for; exit 3"]),
        (["--reference", *ONE, "--", "--no-such-option"], 2, ["--no-such-option"]),
    ],
    ids=lambda text: " ".join(text) if isinstance(text, list) and text and text[0].startswith("-") else None,
)
def test_a_mistake_is_told_clearly(
    workshop: Any, server: Server, words: list[str], status: int, told: list[str]
) -> None:
    """In a few words, with an exit status of its own, without a traceback, and reports of before stay as they are."""
    for name in ("conformance.html", "conformance.json", "junit.xml"):
        workshop.reports.mkdir(exist_ok=True)
        (workshop.reports / name).write_text("of before", encoding="utf-8")
    names = {"port": str(free_port()), "url": f"{server.url}/v2"}
    workshop.write("file", "no folder")
    workshop.environ["CLOUDIMAGES_TOKEN"] = server.app.identity.issue("tester").value
    outcome = workshop.command("run", *(word.format(**names) for word in words))

    assert outcome.status == status, outcome.out
    assert "Traceback" not in outcome.out
    assert "INTERNALERROR" not in outcome.out
    kept = {file.name for file in workshop.reports.iterdir() if file.read_text("utf-8") == "of before"}
    assert len(kept) == (0 if "refused" in told else 3), kept
    assert [line for line in told if line.format(**names) not in outcome.out] == [], outcome.out


def test_an_address_that_is_not_answered_has_its_reports(workshop: Any) -> None:
    """What could not be judged is blocked, with the reason, and the reason is told once."""
    workshop.environ |= {"CLOUDIMAGES_TOKEN": "x" * 20, "CLOUDIMAGES_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
    outcome = workshop.judge("--select", "TAG-ADD")

    assert outcome.status == 3
    assert outcome.results["totals"]["blocked"] > 10
    assert "refused" in outcome.results["problem"]
    assert outcome.out.count("BLOCKED") == 1


def test_a_group_is_asked_as_the_profile_asks() -> None:
    """Profile quick asks its MUSTs; a group that has none is meant all the same, as an id is."""
    catalogue = load()

    def levels(*select: str, profile: str = "quick") -> set[str]:
        chosen = Selection(catalogue, Settings(profile=profile, select=select)).chosen
        return {catalogue[identifier].level.name for identifier in chosen}

    assert levels("TAG") == {"MUST"}
    assert levels("TAG", profile="standard") >= {"MUST", "SHOULD"}
    assert levels("TAG-HIST-04") == {"SHOULD"}
    assert levels("TAG-HIST-04", "TAG-ADD") == {"SHOULD", "MUST"}


def test_a_wrong_token_is_told(workshop: Any, server: Server) -> None:
    """Before forty checks fail for it, and without showing it."""
    workshop.environ |= {"CLOUDIMAGES_TOKEN": "wrong-token-of-mine", "CLOUDIMAGES_ENDPOINT": server.url}
    outcome = workshop.judge(*ONE)

    assert outcome.status == 2
    assert "refuses the token" in outcome.out
    assert "wrong-token-of-mine" not in outcome.out


@pytest.mark.parametrize("text", ["clouds: [", "- a list", "clouds:\n  mine: text\n", "\tx", "clouds:\n  mine: {}\n"])
def test_clouds_that_cannot_be_read_are_told(workshop: Any, text: str) -> None:
    """With the file's name, or the entry's."""
    workshop.folder.joinpath("clouds.yaml").write_text(text, encoding="utf-8")
    outcome = workshop.judge("--cloud", "mine", *ONE)

    assert outcome.status == 2, outcome.out
    assert "Traceback" not in outcome.out
    assert "clouds.yaml" in outcome.out or "mine" in outcome.out


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<h1>Hello</h1>",
        b"HTTP/1.1 302 Found\r\nLocation: https://login.example/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
    ids=["HTML", "redirection", "502", "404", "no HTTP"],
)
def test_what_is_no_image_service_is_told(workshop: Any, peer: Any, reply: bytes) -> None:
    """A proxy's login page is not judged."""
    peer.replies = [reply] * 100
    workshop.environ |= {"CLOUDIMAGES_TOKEN": "x" * 20, "CLOUDIMAGES_ENDPOINT": f"{peer.url}/v2"}
    outcome = workshop.judge(*ONE)

    assert outcome.status == 3, outcome.out
    assert "Traceback" not in outcome.out
    assert peer.url in outcome.results["problem"]
    # What may only be starting is asked once a second for as long as that may take.
    assert len(peer.heads) < (20 if reply.startswith(b"HTTP/1.1 502") else 10)


# Naming a service


@pytest.mark.parametrize("suffix", ["", "/", "/v2", "/v2/", "/v2.0"])
def test_an_endpoint_may_end_in_its_version(workshop: Any, server: Server, suffix: str) -> None:
    """Or not."""
    workshop.environ["CLOUDIMAGES_TOKEN"] = server.app.identity.issue("tester").value
    outcome = workshop.judge("--endpoint", server.url + suffix, *ONE)

    assert outcome.status == 0, outcome.out
    assert outcome.results["service"]["endpoint"] == f"{server.url}/v2"


def test_the_lines_of_serve_name_a_service(workshop: Any) -> None:
    """What `cloudimages serve` prints is all that `cloudimages run` needs; other callers are known too."""
    serve = workshop.start("pytest_cloudimages.app.cli.main", "serve")
    try:
        lines = []
        while not (line := serve.stdout.readline()).startswith("# serving"):
            lines.append(line)
        for line in lines:
            if found := re.match(r"export (\w+)='?(.*?)'?$", line):
                workshop.environ[found[1]] = found[2]
        outcome = workshop.judge(*ONE, "--select", "TAG-AUTH-07")
        serve.send_signal(signal.SIGTERM)
        assert serve.wait(10) == 0
    finally:
        serve.kill()
        serve.communicate()

    assert outcome.status == 0, outcome.out
    assert outcome.verdict("TAG-AUTH-07") == "pass"


def test_the_embedded_server_ends_with_ctrl_c(workshop: Any) -> None:
    """Exit status 0, and not a word of a traceback."""
    serve = workshop.start("pytest_cloudimages.app.cli.main", "serve")
    while not serve.stdout.readline().startswith("# serving"):
        pass
    serve.send_signal(signal.SIGINT)
    outcome = workshop.end(serve)

    assert (outcome.status, outcome.out) == (0, "")


@pytest.mark.parametrize("port", ["taken", "99999"])
def test_a_port_that_cannot_be_used_is_told(workshop: Any, server: Server, port: str) -> None:
    """With what to do next."""
    outcome = workshop.command("serve", "--port", str(server.port) if port == "taken" else port)

    assert outcome.status == 2
    assert "port" in outcome.out
    assert "Traceback" not in outcome.out


def test_a_variable_of_the_shell_does_not_choose_for_the_embedded_server(workshop: Any) -> None:
    """Whoever judges the embedded server means it."""
    workshop.environ |= {"CLOUDIMAGES_ENDPOINT": "http://127.0.0.1:9", "OS_AUTH_URL": "http://127.0.0.1:9/v3"}

    assert workshop.judge("--reference", *ONE).status == 0


# Lent images


def test_a_lent_image_keeps_its_tags(workshop: Any) -> None:
    """The whole quick suite runs on it, creates nothing, and puts its tags back."""
    with serving(Creationless()) as server:
        workshop.named(server)
        mine = image_of(server, "mine", "ö", "a/b")
        outcome = workshop.judge("--image", mine)
        left = tags_of(server)

    assert left == {mine: ["a/b", "mine", "ö"]}
    assert outcome.status in (0, 3), outcome.out
    assert outcome.results["totals"]["fail"] == 0
    assert outcome.results["service"]["image"] == [mine]
    assert outcome.results["left_behind"] == []


def test_two_lent_images_answer_what_takes_two(workshop: Any) -> None:
    """Both keep their tags, and no other image is touched."""
    with serving(Creationless()) as server:
        workshop.named(server)
        first, second, other = image_of(server, "a", "b"), image_of(server), image_of(server, "c")
        outcome = workshop.judge("--image", first, "--image", second, "--select", "TAG-HIST-03", *ONE)
        left = tags_of(server)

    assert left == {first: ["a", "b"], second: [], other: ["c"]}
    assert outcome.status == 0, outcome.out
    assert outcome.verdict("TAG-HIST-03") == "pass"


# Ctrl-C


class Waiting(App):
    """A service that says when it is asked for a tag for the first time, and then takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.over = Event(), Event()

    def add_tag(self, request: Any, image_id: str, tag: str) -> Reply:
        """Wait until the test has done its part."""
        if not self.over.is_set():
            self.asked.set()
            self.over.wait(20)
        return super().add_tag(request, image_id, tag)


@pytest.mark.parametrize("lent", [False, True], ids=["created", "lent"])
def test_ctrl_c_leaves_everything_as_it_was(workshop: Any, lent: bool) -> None:
    """The created image is gone, the lent one has its tags, the reports are written, and nothing is called judged."""
    app = Waiting()
    with serving(app) as server:
        workshop.named(server)
        mine = image_of(server, "mine")
        process = workshop.start(
            "pytest_cloudimages.app.cli.main", "run", "--profile", "quick", "--select", "TAG-ADD-13",
            *(["--image", mine] if lent else []),
        )  # fmt: skip
        try:
            assert app.asked.wait(30)
            process.send_signal(signal.SIGINT)
            # The request that was under way is answered, should anybody still listen.
            app.over.set()
        finally:
            outcome = workshop.end(process)
        left = tags_of(server)

    assert outcome.status == 130, outcome.out
    assert left == {mine: ["mine"]}
    assert outcome.results["interrupted"]
    assert outcome.verdict("TAG-ADD-13") == "blocked"
    assert "interrupted" in outcome.out
    assert {file.name for file in outcome.reports.iterdir()} >= {
        "conformance.json",
        "index.html",
        "conformance.html",
        "junit.xml",
    }


# Handing over to pytest


def test_words_behind_two_hyphens_are_for_pytest(workshop: Any) -> None:
    """Such as -k, to choose by name."""
    outcome = workshop.judge("--reference", "--", "-k", "of_one_character", "--collect-only")

    assert outcome.status == 0, outcome.out
    assert "test_a_tag_of_one_character_is_accepted" in outcome.out
    assert "test_deleting" not in outcome.out


def test_other_commands_hand_nothing_over() -> None:
    """Words behind -- are a mistake there."""
    with pytest.raises(SystemExit) as caught:
        main.main(["requirements", "--", "-k", "x"])

    assert caught.value.code == 2


def test_settings_of_the_folder_are_not_the_suites(workshop: Any) -> None:
    """What a project's pytest.ini asks of its own tests does not reach the run."""
    workshop.write(
        "pytest.ini", "[pytest]\naddopts = --no-such-option\nfilterwarnings = error\npython_files = x_*.py\n"
    )
    outcome = workshop.judge("--reference", *ONE)

    assert outcome.status == 0, outcome.out


# Replaying a finding


def test_a_finding_is_replayed_as_it_was_found(workshop: Any) -> None:
    """With all that it hung on, tests of one's own included; the reports with the finding stay as they are."""
    path = workshop.write("test_own.py", PROPERTY)
    with serving(Insensitive()) as server:
        workshop.named(server)
        first = workshop.judge(
            "--select",
            "TAG-URI-19",
            "--strict",
            "--patience",
            "0.5",
            "--timeout",
            "9",
            "--",
            str(path),
            "-p",
            "no:randomly",
        )
        kept = {file.name: file.read_bytes() for file in first.reports.iterdir() if file.is_file()}
        words = shlex.split(first.entry("TAG-URI-19")["replay"])
        second = workshop.command(*words[1:])
    again = json.loads((first.reports / "replay" / "conformance.json").read_text("utf-8"))
    before = first.results["settings"]

    assert first.status == second.status == 1, second.out
    assert {file.name: file.read_bytes() for file in first.reports.iterdir() if file.is_file()} == kept
    assert again["settings"] == before | {"select": ["TAG-URI-19"], "reports": "reports/replay"}
    assert before["strict"]
    assert (before["patience"], before["timeout"]) == (0.5, 9)
    assert words[-4:] == ["--", str(path), "-p", "no:randomly"]


def test_the_package_is_the_command(workshop: Any) -> None:
    """`python -m pytest_cloudimages` does what `cloudimages` does."""
    outcome = workshop.end(workshop.start("pytest_cloudimages", "requirements", "TAG-ADD-05"))

    assert outcome.status == 0
    assert outcome.out.startswith("TAG-ADD-05: ")


# The requirements


def test_the_requirements_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """One a line, and their number."""
    assert main.main(["requirements"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 356
    assert lines[0].startswith("TAG-URI-01     MUST    documented  tested    Both tag operations")
    assert re.fullmatch(r"355 requirements, \d+ of them tested\.", lines[-1])


def test_the_requirements_are_given_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With all that is known of them, and a reason for what is not tested."""
    assert main.main(["requirements", "--json"]) == 0

    entries = json.loads(capsys.readouterr().out)["requirements"]
    assert [entry["id"] for entry in entries] == [*load()]
    assert all(bool(entry["reason"]) != entry["tested"] for entry in entries)
    assert [(entry["document"], entry["section"], entry["url"]) for entry in entries] == [
        (requirement.document, requirement.section, requirement.url) for requirement in load().values()
    ]


def test_the_requirements_are_given_as_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    """As a table whose rows all have six cells."""
    assert main.main(["requirements", "--markdown", "TAG"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 122
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {7}
    assert "[RFC 9110, 15.5.2, 11.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2)" in lines[26]


@pytest.mark.parametrize(("words", "count"), [(["TAG-ADD"], 34), (["tag-hist", "TAG-ADD-05"], 5), (["TAG-ADD-*"], 34)])
def test_requirements_are_chosen(capsys: pytest.CaptureFixture[str], words: list[str], count: int) -> None:
    """By id or group."""
    assert main.main(["requirements", *words]) == 0

    assert len(capsys.readouterr().out.splitlines()) == count + 1


def test_one_requirement_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """What it says, who says so, what a departure is, and how to ask."""
    assert main.main(["requirements", "TAG-ADD-05"]) == 0

    out = capsys.readouterr().out
    assert out.startswith("TAG-ADD-05: ")
    for told in ("MUST, documented; a departure is: fail", "Image tag page", "cloudimages run --select TAG-ADD-05"):
        assert told in out
    assert f"\nurl:        {load()['TAG-ADD-05'].url}\n" in out


def test_an_unknown_requirement_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2."""
    assert main.main(["requirements", "TAG-NIL"]) == 2

    assert "TAG-NIL" in capsys.readouterr().err


def test_what_is_tested_is_read_off_the_suite() -> None:
    """Every id of a decorator, and no other."""
    assert {"TAG-ADD-05", "TAG-HIST-01"} <= requirements.tested_ids() <= {*load()}


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    """As `cloudimages requirements | head -1` does."""
    line = f"{sys.executable} -m pytest_cloudimages.app.cli.main requirements --json | head -1"
    run = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (run.stdout, run.stderr) == ("{\n", "")


def test_a_run_whose_reader_leaves_is_not_judged(tmp_path: Path) -> None:
    """What was cut short is no verdict, least of all a good one: `cloudimages run … | head -1` ends with 3."""
    command = [sys.executable, "-m", "pytest_cloudimages", "run", "--reference", "--profile", "quick"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == f"cloudimages {__version__}: looking for the service\n"
        run.stdout.close()
        # Whether it was cut short, or all that it had to say was still in a buffer, depends on how fast it was.
        assert run.wait() == 3, run.stderr.read() if run.stderr else ""


FULL = """\
import resource, sys
from pytest_cloudimages.app.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main.main(["run", "--reference", "--profile", "quick", "--select", "TAG-ADD-05"]))
"""
EARLIER = ("conformance.json", "index.html", "conformance.html", "junit.xml", "repro/TAG-ADD-01.sh")


@pytest.mark.parametrize("octets", [16_384, 200_000])
def test_results_that_cannot_be_written_decide_the_status(tmp_path: Path, octets: int) -> None:
    """No report is claimed that is not there, and those of an earlier run stay, as on a disk without room."""
    reports = tmp_path / "reports"
    (reports / "repro").mkdir(parents=True)
    for name in EARLIER:
        (reports / name).write_text("earlier", "utf-8")
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(octets)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    left = {str(file.relative_to(reports)): file.read_text("utf-8") for file in reports.rglob("*") if file.is_file()}

    assert run.returncode == 4, run.stdout
    assert "a report cannot be written: " in run.stderr
    assert "File too large" in run.stderr
    assert "reports:  " not in run.stdout
    assert "html report" not in run.stdout
    assert left == dict.fromkeys(EARLIER, "earlier")


@pytest.mark.parametrize("words", [("--", "-k", "no_such_check"), ("--select", "NO-1"), ("--", "--nothing-known")])
def test_what_has_no_results_replaces_no_report(workshop: Any, words: tuple[str, ...]) -> None:
    """Neither a wrong command nor one that leaves no check to be asked; nothing unfinished is left either."""
    workshop.reports.joinpath("repro").mkdir(parents=True)
    for name in EARLIER:
        (workshop.reports / name).write_text("earlier", "utf-8")
    outcome = workshop.judge("--reference", *words)
    files = [file for file in workshop.reports.rglob("*") if file.is_file()]

    assert outcome.status in (2, 3), outcome.out
    assert {str(file.relative_to(workshop.reports)): file.read_text("utf-8") for file in files} == dict.fromkeys(
        EARLIER, "earlier"
    )


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """And the exit status is 0."""
    with pytest.raises(SystemExit) as caught:
        main.main(["--version"])

    assert caught.value.code == 0
    assert capsys.readouterr().out == f"cloudimages {__version__}\n"


def test_the_help_tells_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    """All six of them."""
    with pytest.raises(SystemExit):
        main.main(["run", "--help"])

    assert re.findall(r"^  (\d+) +", capsys.readouterr().out, re.MULTILINE) == ["0", "1", "2", "3", "4", "130"]


def test_two_runs_in_one_process_know_nothing_of_each_other(workshop: Any) -> None:
    """What the first left behind is nothing to the second, and the process is as it was."""
    workshop.write("twice.py", TWICE)
    workshop.write("test_own.py", PROPERTY)
    outcome = workshop.end(workshop.start("twice"))
    assert outcome.status == 0, outcome.out
    told = json.loads((workshop.folder / "told.json").read_text("utf-8"))
    first, second = (
        json.loads((workshop.folder / name / "conformance.json").read_text("utf-8")) for name in ("first", "second")
    )

    assert told == [{"first": 3, "second": 0}, [True, True]], outcome.out
    assert len(first["left_behind"]) >= 2
    assert second["left_behind"] == []
    cases = [
        {entry["id"]: entry["cases"] for entry in run["requirements"] if entry["cases"]} for run in (first, second)
    ]
    assert cases[0] == cases[1]
