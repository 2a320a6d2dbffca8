"""The command `cloudimages`: run the suite, serve the embedded server, explain the requirements."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from pytest_cloudimages import __version__
from pytest_cloudimages.app.cli.exit_status import NOT_JUDGED, RUN_ENDS
from pytest_cloudimages.app.cli.requirements import requirements
from pytest_cloudimages.app.cli.run import run
from pytest_cloudimages.app.cli.serve import serve
from pytest_cloudimages.engine.settings import PROFILES, SPECIFICATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence


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


if __name__ == "__main__":
    raise SystemExit(main())
