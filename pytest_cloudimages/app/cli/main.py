"""The command `cloudimages`: run the suite, serve the embedded server, explain the requirements."""

from __future__ import annotations

import argparse
import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_cloudimages import __version__
from pytest_cloudimages.app.cli.arguments import add_arguments, add_arguments_of_many, argument_type, typed_by
from pytest_cloudimages.app.cli.deviations import OUTPUT, deviations
from pytest_cloudimages.app.cli.diff import diff
from pytest_cloudimages.app.cli.doctor import TAKEN as OF_THE_DOCTOR
from pytest_cloudimages.app.cli.doctor import doctor
from pytest_cloudimages.app.cli.exit_status import FINE, INTERRUPTED, NOT_JUDGED, SUITE_ERROR, USAGE, epilog
from pytest_cloudimages.app.cli.export import export, forms
from pytest_cloudimages.app.cli.matrix import matrix
from pytest_cloudimages.app.cli.merge import WHOLE, merge
from pytest_cloudimages.app.cli.mistakes import of_a_choice, of_words
from pytest_cloudimages.app.cli.replay import FORMS, replay
from pytest_cloudimages.app.cli.replay import TAKEN as OF_A_REPLAY
from pytest_cloudimages.app.cli.requirements import requirements
from pytest_cloudimages.app.cli.run import leave_unread, run
from pytest_cloudimages.app.cli.serve import PORT, serve
from pytest_cloudimages.app.cli.sweep import TAKEN as OF_A_SWEEP
from pytest_cloudimages.app.cli.sweep import duration, run_id, sweep
from pytest_cloudimages.app.cli.unexpected import tell_unexpected
from pytest_cloudimages.app.cli.verify import verify
from pytest_cloudimages.client.redaction import SECRETS
from pytest_cloudimages.reporting.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with a command."""

    def error(self, message: str) -> NoReturn:
        """End with the exit status for a wrong command, and say what may have been meant."""
        self.exit(USAGE, f"{self.prog}: {message}{of_a_choice(message)} (see {self.prog} --help)\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Take the words of a command; end where it does not know one, with what it knows that is like it."""
        known, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}{of_words(rest, self._option_string_actions)}")
        return known, rest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    rest: list[str] = []
    if "--" in words:
        cut = words.index("--")
        words, rest = words[:cut], words[cut + 1 :]
    chosen = parser.parse_args(words)
    if rest and chosen.command != "run":
        parser.error("only `cloudimages run` hands words behind -- on to pytest")
    forget = SECRETS.begin()
    # Who checks no certificate is told so in our words, and once.
    warnings.filterwarnings("ignore", "Unverified HTTPS request")
    try:
        if chosen.command == "run":
            return run(chosen, rest)
        status = OTHERS[chosen.command](chosen)
        # What cannot be told is known now, and not when Python ends, with a status of its own.
        print(end="", flush=True)
    except KeyboardInterrupt:
        print("cloudimages: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `| head` does. A verdict that nobody read is none.
        leave_unread()
        return NOT_JUDGED if chosen.command in JUDGES else FINE
    except OSError as problem:
        leave_unread()
        with suppress(OSError):
            print(f"cloudimages {chosen.command}: what it has to say cannot be written: {problem}", file=sys.stderr)
        return SUITE_ERROR
    except Exception as problem:  # noqa: BLE001 - whatever is wrong with us, no command ends in a traceback
        return tell_unexpected(chosen.command, problem)
    finally:
        forget()
    return status


OTHERS: dict[str, Callable[[argparse.Namespace], int]] = {
    "deviations": deviations,
    "diff": diff,
    "doctor": doctor,
    "export": export,
    "matrix": matrix,
    "replay": replay,
    "merge": merge,
    "requirements": requirements,
    "serve": lambda chosen: serve(chosen.port),
    "sweep": sweep,
    "verify": verify,
}
"""The commands besides `run`, which hands words on to pytest."""
JUDGES = ("diff", "doctor", "merge", "replay", "sweep", "verify")
"""Those whose exit status says how something stands, and not only that it was printed."""


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="cloudimages",
        description="Tests whether an OpenStack Image service keeps what is documented of images: of their tags and"
        " attributes, lists, members, tasks, schemas, versions, sign-in and roles. Begin with `cloudimages run"
        " --reference`, or with `cloudimages doctor` for a cloud of yours.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run_parser = _ending(
        commands,
        "run",
        help="judge a service",
        usage="cloudimages run [--reference | --endpoint URL | --cloud NAME ...] [options] [-- pytest options]",
        description="Judge the service that --endpoint, --cloud or the OS_* variables name, or the embedded one;"
        " several, where several entries of clouds.yaml are named.",
    )
    add_arguments(run_parser, several=("cloud",))
    add_arguments_of_many(run_parser)

    doctor_parser = _ending(
        commands,
        "doctor",
        help="see what a run needs, step by step, and what is in its way",
        usage="cloudimages doctor [--reference | --endpoint URL | --cloud NAME] [--write] [--json] [options]",
        description="Look at the service that --endpoint, --cloud or the OS_* variables name: at the way to it, at"
        " credentials, catalogue, rights, clocks and limits. The exit status is that with which a run would end before"
        " anything is judged.",
    )
    add_arguments(doctor_parser, OF_THE_DOCTOR)
    doctor_parser.add_argument("--write", action="store_true", help="also create, tag and delete an image")
    doctor_parser.add_argument("--json", action="store_true", help="as JSON")

    _add_replay(commands)

    diff_parser = _ending(
        commands,
        "diff",
        help="compare two runs, finding by finding",
    )
    diff_parser.add_argument("old", metavar="OLD", help="conformance.json of the earlier run, or its folder")
    diff_parser.add_argument("new", metavar="NEW", help="conformance.json of the later run, or its folder")
    diff_parser.add_argument("--strict", action="store_true", help="advisory findings that are new count too")
    shape = diff_parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="as JSON")
    shape.add_argument("--markdown", action="store_true", help="as Markdown")

    deviations_parser = commands.add_parser("deviations", help="write a file of accepted departures, to be filled in")
    actions = deviations_parser.add_subparsers(dest="action", required=True, metavar="new")
    new_parser = actions.add_parser("new", help="write a deviation for each finding of a run")
    new_parser.add_argument("results", metavar="RESULTS", help="conformance.json of a run, or its folder")
    new_parser.add_argument("--output", metavar="FILE", default=OUTPUT, help=f"where to write it [{OUTPUT}]")

    export_parser = _ending(
        commands,
        "export",
        help="write the results of a run in the form of another program",
        ends=forms(),
    )
    export_parser.add_argument("format", metavar="FORMAT", choices=[*FORMATS], help="one of those below")
    export_parser.add_argument("results", metavar="RESULTS", help="conformance.json of a run, or its folder")
    export_parser.add_argument("--output", metavar="FILE", help="where to write it [standard output]")
    export_parser.add_argument(
        "--location",
        metavar="PATH",
        help="file in your repository that findings point at, for sarif and codequality [the file of deviations]",
    )

    matrix_parser = commands.add_parser("matrix", help="show the results of several services side by side")
    matrix_parser.add_argument(
        "results",
        metavar="[NAME=]RESULTS",
        nargs="+",
        help="conformance.json of a run, or its folder; NAME heads its column",
    )
    matrix_parser.add_argument(
        "--output", "-o", metavar="FILE", help="where to write it, as .html or .md [Markdown, to standard output]"
    )

    _add_merge(commands)

    verify_parser = _ending(
        commands,
        "verify",
        help="check that results are complete, consistent and unchanged",
    )
    verify_parser.add_argument("results", metavar="RESULTS", help="conformance.json of a run, or its folder")
    verify_parser.add_argument("--key", metavar="FILE", help="public key of OpenSSH that they have to be signed with")
    verify_parser.add_argument(
        "--catalogue", metavar="FILE", action="append", help="requirements of your own, as for cloudimages run"
    )

    serve_parser = commands.add_parser("serve", help="run the embedded server until Ctrl-C")
    serve_parser.add_argument(
        "--port", type=argument_type(PORT), default=PORT.default, metavar=PORT.metavar, help=PORT.help
    )

    sweep_parser = _ending(
        commands,
        "sweep",
        help="take away what runs have left that died",
        usage="cloudimages sweep [--endpoint URL | --cloud NAME] [options]",
        description="Delete the images that dead runs have left, and give lent images their tags back: as the ledger of"
        " this machine has them, and as the properties of images say. A name proves nothing.",
    )
    add_arguments(sweep_parser, OF_A_SWEEP)
    sweep_parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    sweep_parser.add_argument(
        "--older-than",
        type=typed_by(duration),
        metavar="DURATION",
        help="images of ours that were created so long ago (90s, 30m, 24h, 7d), also before their time is over",
    )
    sweep_parser.add_argument(
        "--run",
        action="append",
        type=typed_by(run_id),
        metavar="ID",
        help="this run is over: its images, also where only names have its id; may be repeated",
    )
    sweep_parser.add_argument("--json", action="store_true", help="as JSON")

    list_parser = commands.add_parser("requirements", help="list the requirements, or explain some")
    list_parser.add_argument("id", nargs="*", metavar="ID", help="an id, or what a group's ids begin with")
    form = list_parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--markdown", action="store_true", help="as a Markdown table")
    return parser


def _add_merge(commands: Any) -> None:
    """Add the command that puts shards together."""
    merge_parser = _ending(
        commands,
        "merge",
        help="put the results of shards together",
        description="Put the results of runs with --shard together to those of one run; refuse what is none: holes,"
        " shards that are there twice, and those of another run, service or catalogue.",
    )
    merge_parser.add_argument(
        "results", metavar="RESULTS", nargs="+", help="conformance.json of a shard, or its folder; all are needed"
    )
    merge_parser.add_argument("--output", "-o", metavar="FILE", default=WHOLE, help=f"where to write it [{WHOLE}]")
    merge_parser.add_argument("--deviations", metavar="FILE", help="departures that are accepted (TOML)")
    merge_parser.add_argument("--strict", action="store_true", help="advisory findings count too")


def _add_replay(commands: Any) -> None:
    """Add the parser of `cloudimages replay`."""
    replay_parser = _ending(
        commands,
        "replay",
        help="ask once more what a finding is about, and nothing else",
        usage="cloudimages replay FILE [--reference | --endpoint URL | --cloud NAME] [--as FORM] [options]",
        description="Send the few requests that show a finding, to the service that --endpoint, --cloud or the OS_*"
        " variables name, and say whether it is reproduced (exit 1) or fixed (exit 0).",
    )
    replay_parser.add_argument("file", metavar="FILE", help="a file below findings/ in the reports of a run")
    replay_parser.add_argument(
        "--as", dest="form", choices=FORMS, help="print it instead: as a test for pytest, or as a script with curl"
    )
    add_arguments(replay_parser, OF_A_REPLAY)


def _ending(commands: Any, name: str, *, ends: str = "", **said: str) -> argparse.ArgumentParser:
    """Return the parser of a command whose help ends with a table: that of the exit statuses, or another one."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, epilog=ends or epilog(), formatter_class=argparse.RawDescriptionHelpFormatter, **said
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
