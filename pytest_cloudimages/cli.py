"""The command `cloudimages`: run the suite, serve the embedded server, explain the requirements."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import textwrap
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_cloudimages import __version__
from pytest_cloudimages.options import PROFILES, SPECIFICATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pytest

    from pytest_cloudimages.report.results import Results
    from pytest_cloudimages.requirements import Requirement

USAGE, NOT_JUDGED, OURS = 2, 3, 4

RUN_ENDS = """\
exit status:
  0  no requirement failed
  1  at least one failed (with --strict: or is advisory)
  2  usage or configuration
  3  it could not be judged: blocked, unstable, nothing tested, or something was left behind
  4  an error of the suite itself
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    rest: list[str] = []
    if "--" in words:
        cut = words.index("--")
        words, rest = words[:cut], words[cut + 1 :]
    chosen = parser.parse_args(words)
    if rest and chosen.command != "run":
        parser.error("only `cloudimages run` hands words after -- to pytest")
    try:
        if chosen.command == "run":
            return run(chosen, rest)
        return serve(chosen.port) if chosen.command == "serve" else requirements(chosen)
    except KeyboardInterrupt:
        print("cloudimages: interrupted before anything was asked", file=sys.stderr)
        return NOT_JUDGED
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `| head` does; Python must not complain at exit.
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cloudimages", description="Tells whether a cloud keeps the promises of its image-tag API."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run_parser = commands.add_parser(
        "run",
        help="judge a service",
        epilog=RUN_ENDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="cloudimages run [--reference | --endpoint URL | --cloud NAME] [options] [-- pytest options]",
        description="Judge the service that --endpoint, --cloud or the OS_* variables name, or the embedded one.",
    )
    where = run_parser.add_mutually_exclusive_group()
    where.add_argument("--reference", action="store_true", help="judge the embedded server")
    where.add_argument("--endpoint", metavar="URL", help="with or without /v2; the token comes from CLOUDIMAGES_TOKEN")
    where.add_argument("--cloud", metavar="NAME", help="entry of clouds.yaml")
    for name, what in (
        ("other", "a second project"),
        ("reader", "a read-only user"),
        ("creator", "a user who may create and update, and no more"),
        ("admin", "an administrator"),
    ):
        run_parser.add_argument(f"--{name}-cloud", metavar="NAME", help=f"entry of clouds.yaml for {what}")
    run_parser.add_argument(
        "--image", action="append", metavar="ID", help="borrow this image instead of creating one; may be repeated"
    )
    run_parser.add_argument("--profile", choices=PROFILES, help="how much to try [standard]")
    run_parser.add_argument(
        "--minutes",
        metavar="N",
        help="with --profile explore: draw anew until N minutes are over or something is found",
    )
    run_parser.add_argument("--examples", metavar="DIR", help="seeds that found something [REPORTS/examples]")
    run_parser.add_argument("--seed", type=_whole, metavar="N", help="what the generated tags follow from [random]")
    run_parser.add_argument("--reports", metavar="DIR", help="where reports go [reports]")
    run_parser.add_argument(
        "--select", action="append", metavar="ID", help="judge this requirement or group only; may be repeated"
    )
    run_parser.add_argument(
        "--specification", choices=SPECIFICATIONS, help="whose reading judges where two differ [cloud-images]"
    )
    run_parser.add_argument(
        "--tag-limit", type=_whole, metavar="N", help="tags that an image may carry; tried only where it is given"
    )
    run_parser.add_argument(
        "--dry-run", action="store_true", help="say what would be created and how many requests would be sent"
    )
    run_parser.add_argument("--strict", action="store_true", help="advisory findings fail the run too")
    run_parser.add_argument("--catalogue", action="append", metavar="FILE", help="requirements of your own (TOML)")
    run_parser.add_argument("--timeout", metavar="SECONDS", help="for one answer [30]")
    run_parser.add_argument("--patience", metavar="SECONDS", help="until an acknowledged change must be seen [10]")

    serve_parser = commands.add_parser("serve", help="run the embedded server until Ctrl-C")
    serve_parser.add_argument("--port", type=_whole, default=0, metavar="N", help="[a free one]")

    list_parser = commands.add_parser("requirements", help="list the requirements, or explain some")
    list_parser.add_argument("id", nargs="*", metavar="ID", help="an id, or what a group's ids begin with")
    form = list_parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--markdown", action="store_true", help="as a Markdown table")
    return parser


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"a whole number of at least 0, not {text!r}")
    return int(text)


class _Stop:
    """What a signal does: the first ends the run, the next is told to wait for the tidying up, the third ends that."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, number: int, frame: object) -> None:
        """Take a signal."""
        self.count += 1
        if self.count == 2:  # noqa: PLR2004 - the second
            os.write(2, b"\ncloudimages: tidying up; once more leaves things as they are\n")
            return
        signal.default_int_handler(number, frame)  # type: ignore[arg-type]  # the frame that Python hands over


class _Watcher:
    """Keeps what the run leaves on pytest's configuration, which ends with it."""

    results: Results | None = None

    def __init__(self) -> None:
        self.uncollected: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a module cannot be loaded, whoever wrote it."""
        self.uncollected += [report.longreprtext] if report.failed else []

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Take the results over."""
        from pytest_cloudimages.conductor import RESULTS

        self.results = config.stash.get(RESULTS, None)


def run(chosen: argparse.Namespace, rest: list[str]) -> int:
    """Run the suite under pytest, and give the exit status of the epilogue."""
    import pytest

    watcher = _Watcher()
    # The command is part of what pytest would have rewritten, had it been the first to load it.
    last = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    try:
        with _own_surroundings():
            status = pytest.main([*_words(chosen), *_apart(rest), *rest, *last], plugins=[watcher])
    except KeyboardInterrupt:
        status = pytest.ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as problem:
        # Where the disk is full, or the terminal is gone, nothing more can be told than this.
        with suppress(OSError):
            print(f"cloudimages run: a report cannot be written: {problem}", file=sys.stderr)
        return OURS
    print(*watcher.uncollected, sep="\n", end="", file=sys.stderr)
    if watcher.results is not None:
        if status == pytest.ExitCode.INTERNAL_ERROR or watcher.uncollected:
            return OURS
        return 0 if chosen.dry_run else watcher.results.exit_status(strict=chosen.strict)
    if status == pytest.ExitCode.USAGE_ERROR:
        return USAGE
    if status in (pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.INTERRUPTED):
        return NOT_JUDGED
    return OURS if status else 0


@contextmanager
def _own_surroundings() -> Iterator[None]:
    """Set signals and the environment up for a run, and put them back for whoever called."""
    environ = dict(os.environ)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # Whoever asks the run to end is owed the same tidying up as after Ctrl-C.
    stop = _Stop()
    for number in handlers:
        signal.signal(number, stop)
    # What Hypothesis learns from sources is kept apart from the tester's own folder.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir(), "pytest-cloudimages")))
    # What a shell sets for the tester's own tests is not meant for the suite: it could leave checks out unseen.
    for name in ("PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name in {*os.environ, *environ}:
            if name not in environ:
                del os.environ[name]
            elif os.environ.get(name) != environ[name]:
                os.environ[name] = environ[name]
        for number, handler in handlers.items():
            # None stands for a handler that Python did not set, and cannot set again.
            if handler is not None:
                signal.signal(number, handler)


def _apart(rest: Sequence[str]) -> list[str]:
    """Give what keeps a folder's settings and conftest.py out of the run, unless tests of that folder are named."""
    if any(Path(word.partition("::")[0]).exists() for word in rest if not word.startswith("-")):
        return []
    return ["-c", os.devnull, "--rootdir", ".", "--noconftest"]


def _words(chosen: argparse.Namespace) -> list[str]:
    words = ["--pyargs", "pytest_cloudimages.conformance", "--import-mode=importlib"]
    # What a folder's own pytest settings ask of its own tests is not asked of the suite.
    for setting in (
        "addopts=",
        "filterwarnings=",
        "python_files=test_*.py",
        "python_functions=test_*",
        "xfail_strict=0",
        "render_collapsed=passed,skipped",
    ):
        words += ["-o", setting]
    words += [
        "-p",
        "no:cacheprovider",
        "--no-header",
        "-q",
        "--tb=no",
        "--disable-warnings",
        "-rE",
        "--show-capture=no",
    ]
    words += [f"--cloudimages-reports={chosen.reports or 'reports'}"]
    words += ["--cloudimages-reference"] if chosen.reference else []
    words += ["--cloudimages-strict"] if chosen.strict else []
    words += ["--cloudimages-dry-run"] if chosen.dry_run else []
    renamed = {"endpoint": "url"}
    for name in (
        "endpoint", "cloud", "other_cloud", "reader_cloud", "creator_cloud", "admin_cloud", "profile", "seed",
        "minutes", "examples", "specification", "tag_limit", "timeout", "patience",
    ):  # fmt: skip
        if (value := getattr(chosen, name)) is not None:
            words.append(f"--cloudimages-{renamed.get(name, name).replace('_', '-')}={value}")
    for name in ("image", "select", "catalogue"):
        words += [f"--cloudimages-{name}={value}" for value in getattr(chosen, name) or ()]
    return words


def serve(port: int) -> int:
    """Serve the embedded server until it is interrupted."""
    from pytest_cloudimages.reference.app import App
    from pytest_cloudimages.reference.server import exports, serving

    try:
        with serving(App(), port) as server:
            print(exports(server), flush=True)
            print(f"# serving {server.url}/v2 until Ctrl-C", flush=True)
            _wait()
    except OSError as problem:
        print(
            f"cloudimages serve: port {port} cannot be used: {problem.strerror}; give another --port.", file=sys.stderr
        )
        return USAGE
    except OverflowError:
        print(f"cloudimages serve: there is no port {port}; ports go from 0 to 65535.", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        pass
    return 0


def _wait() -> None:
    import signal
    import threading

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Event().wait()


def requirements(chosen: argparse.Namespace) -> int:
    """List the requirements, or explain those that were named."""
    from pytest_cloudimages.catalogue import load
    from pytest_cloudimages.requirements import selected

    catalogue = load()
    try:
        ids = selected(catalogue, chosen.id) if chosen.id else {*catalogue}
    except ValueError as problem:
        print(f"cloudimages requirements: {problem}", file=sys.stderr)
        return USAGE
    tested = tested_ids()
    entries = [described(one, one.id in tested) for one in catalogue.values() if one.id in ids]
    if chosen.json:
        print(json.dumps({"requirements": entries}, indent=1))
    elif chosen.markdown:
        print("\n".join(markdown(entries)))
    elif chosen.id and len(entries) == 1:
        print("\n".join(explained(catalogue[entries[0]["id"]], entries[0])))
    else:
        for entry in entries:
            state = "tested" if entry["tested"] else "untested"
            print(f"{entry['id']:<14} {entry['level']:<7} {entry['provenance']:<11} {state:<9} {entry['statement']}")
        count = sum(entry["tested"] for entry in entries)
        print(f"{len(entries)} requirements, {count} of them tested.")
    return 0


def described(requirement: Requirement, tested: bool) -> dict[str, Any]:
    """Give a requirement as JSON data."""
    return {
        "id": requirement.id,
        "level": str(requirement.level),
        "provenance": str(requirement.provenance),
        "area": requirement.area,
        "operation": requirement.operation,
        "statement": requirement.statement,
        "source": requirement.source,
        "document": requirement.document,
        "section": requirement.section,
        "url": requirement.url,
        "observe": requirement.observe,
        "tested": tested,
        "reason": "" if tested else requirement.untested,
    }


def markdown(entries: Sequence[dict[str, Any]]) -> list[str]:
    """Give requirements as the lines of a Markdown table."""

    def cell(text: str) -> str:
        return text.replace("|", "\\|").replace("<", "&lt;")

    lines = ["| id | level | provenance | statement | source | tested |", "| --- | --- | --- | --- | --- | --- |"]
    for one in entries:
        state = "yes" if one["tested"] else f"no: {cell(one['reason'])}"
        source = f"[{cell(one['source'])}]({cell(one['url'])})" if one["url"] else cell(one["source"])
        texts = (one["id"], one["level"], one["provenance"], cell(one["statement"]), source, state)
        lines.append(f"| {' | '.join(texts)} |")
    return lines


def explained(requirement: Requirement, entry: dict[str, Any]) -> list[str]:
    """Give all that is known of one requirement, for a terminal."""
    rows = {
        "level": f"{requirement.level}, {requirement.provenance}; a departure is: {requirement.missed}",
        "operation": requirement.operation,
        "source": requirement.source,
        "url": requirement.url or "no public address is known",
        "observe": requirement.observe,
        "tested": "yes" if entry["tested"] else f"no: {requirement.untested}",
        "run": f"cloudimages run --select {requirement.id} …",
    }
    lines = [f"{requirement.id}: {requirement.statement}", ""]
    for name, text in rows.items():
        # An address that is cut cannot be followed.
        lines += textwrap.wrap(
            text,
            100,
            initial_indent=f"{name + ':':<11} ",
            subsequent_indent=" " * 12,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def tested_ids() -> set[str]:
    """Give the ids that the suite's tests are bound to, read off their decorators."""
    import ast
    from importlib import resources

    found: set[str] = set()
    for file in resources.files("pytest_cloudimages.conformance").iterdir():
        if not file.name.startswith("test_") or not file.name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for call in getattr(node, "decorator_list", ()):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "requirement":
                    found |= {str(one.value) for one in call.args if isinstance(one, ast.Constant)}
    return found


if __name__ == "__main__":
    raise SystemExit(main())
