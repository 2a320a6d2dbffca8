"""Every option of a run, in one table.

Made from it are pytest's options and ini settings, the options of `cloudimages run`, the words that the command hands
on to pytest, the command that replays a finding, and the README's table, which
`python -m pytest_cloudimages.app.options` prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_cloudimages.app.option import Option, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

PYTEST = "--cloudimages-"
"""What it begins with on pytest's."""
INI = "cloudimages_"
REPORTS = "reports"
"""Where the command puts its reports, unless told otherwise."""


OPTIONS = (
    Option(name="reference", kind="flag", default=False, help="judge the embedded server", names_service=True),
    Option(
        name="endpoint",
        kind="text",
        metavar="URL",
        setting="url",
        aliases=("url",),
        names_service=True,
        help="address of the image service, with or without /v2; the token comes from CLOUDIMAGES_TOKEN",
        readme="the address of the image service, with or without `/v2`; the token comes from `CLOUDIMAGES_TOKEN`",
    ),
    Option(
        name="cloud",
        kind="text",
        metavar="NAME",
        names_service=True,
        help="entry of clouds.yaml",
        readme="an entry of `clouds.yaml`; with the command, several may be named ([docs/many.md](docs/many.md))",
    ),
    Option(
        name="region",
        kind="text",
        metavar="NAME",
        help="of several regions of the catalogue this, whatever the entry of clouds.yaml or OS_REGION_NAME says",
        readme="of several regions of the catalogue this one, whatever `clouds.yaml` or `OS_REGION_NAME` says",
    ),
    Option(
        name="other-cloud",
        kind="text",
        metavar="NAME",
        help="entry of clouds.yaml for a second project",
    ),
    Option(
        name="reader-cloud",
        kind="text",
        metavar="NAME",
        help="entry of clouds.yaml for a user of the project who may only read",
        readme="for a user of the project who may only read",
    ),
    Option(
        name="creator-cloud",
        kind="text",
        metavar="NAME",
        help="entry of clouds.yaml for a user who may create and update, and no more",
    ),
    Option(
        name="admin-cloud",
        kind="text",
        metavar="NAME",
        help="entry of clouds.yaml for an administrator",
    ),
    Option(
        name="image",
        kind="text",
        metavar="ID",
        default=(),
        repeated=True,
        help="borrow this image instead of creating one; its tags are put back; may be repeated",
    ),
    Option(name="yes", kind="flag", default=False, help="lend a public, community or protected image all the same"),
    Option(
        name="plain-http",
        kind="flag",
        default=False,
        help="show the token to another computer by plain http too (`CLOUDIMAGES_PLAIN_HTTP`)",
    ),
    Option(
        name="catalogue",
        kind="path",
        metavar="FILE",
        default=(),
        repeated=True,
        help="requirements of your own: a TOML file, or the name of what an installed package brings, whose tests are"
        " then asked too; may be repeated",
        readme="requirements of your own: a TOML file, or the name under which an installed package brings them; may be"
        " repeated ([from a package](docs/writing-a-requirement.md#4-a-package))",
    ),
    Option(
        name="specification",
        kind="text",
        metavar="NAME",
        setting="reading",
        choices=("cloud-images", "glance"),
        help="whose reading judges where two specifications differ; cloud-images, unless you name one",
        readme="whose reading judges where the vendor's page and Glance's API reference differ;"
        " `cloud-images`, unless you name one. Named, it also asks what the vendor's own service alone promises",
    ),
    Option(
        name="tag-limit",
        kind="whole",
        metavar="N",
        least=1,
        most=10_000,
        help="tags that an image may have, as the operator sets it; without, only thorough tries it",
        readme="the limit of tags that the operator sets; without, only profile thorough tries it",
    ),
    Option(
        name="timeout",
        kind="number",
        metavar="SECONDS",
        default=30.0,
        most=3600,
        exclusive=True,
        help="how long one request may take, until its answer has come to its end",
    ),
    Option(
        name="max-body",
        kind="whole",
        metavar="OCTETS",
        default=1024 * 1024,
        least=16 * 1024,
        most=1024 * 1024,
        help="octets of an answer's body that are read at most",
    ),
    Option(
        name="patience",
        kind="number",
        metavar="SECONDS",
        default=10.0,
        most=3600,
        help="how long an acknowledged write may take to become visible",
    ),
    Option(
        name="max-rps",
        kind="number",
        metavar="N",
        most=100_000,
        exclusive=True,
        help="requests a second sent at most",
    ),
    Option(
        name="max-requests",
        kind="whole",
        metavar="N",
        least=1,
        most=10_000_000,
        replayed=False,
        help="requests sent at most, but for those that clean up; every MUST is asked first",
    ),
    Option(
        name="max-seconds",
        kind="number",
        metavar="SECONDS",
        most=1_000_000,
        exclusive=True,
        replayed=False,
        help="seconds after which nothing more is asked; every MUST is asked first",
    ),
    Option(
        name="concurrency",
        kind="whole",
        metavar="N",
        default=1,
        least=1,
        most=64,
        help="do up to N things at once that do not touch each other's images",
    ),
    Option(
        name="shard",
        kind="text",
        metavar="i/N",
        replayed=False,
        help="ask part i of N of what is asked for; needs --seed; cloudimages merge puts the results together",
        readme="part `i` of `N` of what is asked for; needs `--seed`; `cloudimages merge` puts the results together",
    ),
    Option(
        name="ledger",
        kind="path",
        metavar="DIR",
        help="where it is noted what a run creates or changes, until it is gone [CLOUDIMAGES_LEDGER, the user's state]",
        readme="where it is noted what a run creates or changes, until it is gone (`CLOUDIMAGES_LEDGER`, or else the"
        " folder for the user's state)",
    ),
    Option(
        name="tries",
        kind="whole",
        metavar="N",
        default=1,
        least=1,
        most=1000,
        help="run races until they show something, at most N times",
    ),
    Option(
        name="deviations",
        kind="path",
        metavar="FILE",
        help="departures that are accepted, each for a reason and for a time (TOML)",
        readme="departures that are accepted, each for a reason and for a time ([docs/gating.md](docs/gating.md))",
    ),
    Option(
        name="baseline",
        kind="path",
        metavar="FILE",
        # By then the file may be that of the run itself.
        replayed=False,
        help="conformance.json of an earlier run: fail only on what is new",
        readme="`conformance.json` of an earlier run: fail only on what is new",
    ),
    Option(name="strict", kind="flag", default=False, help="advisory findings fail the run too"),
    Option(
        name="profile",
        kind="text",
        metavar="NAME",
        default="standard",
        choices=("quick", "standard", "thorough", "explore"),
        help="how much to try",
    ),
    Option(
        name="minutes",
        kind="number",
        metavar="N",
        most=7 * 24 * 60,
        exclusive=True,
        replayed=False,
        help="with profile explore: draw anew until N minutes are over or something is found",
        readme="with `--profile explore`: draw anew until then, or until something is found",
    ),
    Option(
        name="examples",
        kind="path",
        metavar="DIR",
        replayed=False,
        help="where the seeds that found something are kept, to be tried first [REPORTS/examples]",
        readme="with `--minutes`: the seeds that found something, which are tried first (`REPORTS/examples`)",
    ),
    Option(
        name="dry-run",
        kind="flag",
        default=False,
        replayed=False,
        help="say what would be created and how many requests would be sent, and send none to the service",
        readme="say what would be created and how many requests would be sent",
    ),
    Option(name="identify", kind="flag", default=False, replayed=False, help="reports name project and region"),
    Option(
        name="reports",
        kind="path",
        metavar="DIR",
        replayed=False,
        help=f"where the reports go [{REPORTS} with `cloudimages run`]",
        readme=f"where the reports go (`{REPORTS}`)",
    ),
    Option(
        name="export",
        kind="text",
        metavar="FORMAT[=FILE]",
        default=(),
        repeated=True,
        replayed=False,
        help="write the results in a form of another program too, see cloudimages export --help; may be repeated",
        readme="the results in a form of another program too ([docs/formats.md](docs/formats.md)); may be repeated",
    ),
    Option(
        name="sign",
        kind="path",
        metavar="KEY",
        replayed=False,
        help="private key of OpenSSH to sign conformance.json with; cloudimages verify --key checks it",
        readme="a private key of OpenSSH to sign `conformance.json` with; `cloudimages verify --key` checks it",
    ),
    Option(
        name="seed",
        kind="whole",
        metavar="N",
        most=2**64 - 1,
        replayed=False,
        help="number that the generated tags follow from [random]",
        readme="the generated tags follow from it; every finding names the command that replays it",
    ),
    Option(
        name="again",
        kind="path",
        metavar="RESULTS",
        replayed=False,
        help="ask only what is not fine in this conformance.json, as it was asked then, and put the rest beside it",
        readme="`conformance.json` of an earlier run: ask only what is not fine in it, as it was asked then, and put"
        " the rest beside it ([docs/running.md](docs/running.md))",
    ),
    Option(
        name="select",
        kind="text",
        metavar="ID",
        default=(),
        repeated=True,
        replayed=False,
        help="judge only this requirement, or the group whose ids begin so; may be repeated",
        readme="only this requirement, or group such as `TAG-DEL`; may be repeated",
    ),
)
"""The rows; the last of them are said anew by every replay."""

OF_MANY = (
    Option(
        name="all-regions",
        kind="flag",
        default=False,
        help="judge every region in which the catalogue has the image service, each by itself",
    ),
    Option(
        name="shards",
        kind="whole",
        metavar="N",
        least=1,
        most=64,
        help="judge each service in N parts at once, and put their results together",
    ),
    Option(
        name="workers",
        kind="whole",
        metavar="N",
        least=1,
        most=64,
        help="with several services or shards: so many at once [all, up to 8]",
        readme="with several services or shards: so many at once (all, up to 8)",
    ),
    Option(
        name="dask",
        kind="text",
        metavar="ADDRESS",
        help="let the workers of a Dask cluster judge, which have credentials of their own; see docs/many.md",
        readme="let the workers of a Dask cluster judge, which have credentials of their own"
        " ([docs/many.md](docs/many.md#on-a-dask-cluster))",
    ),
)
"""What the command alone takes: it makes several runs of one, and pytest judges in each of them as ever."""


def endpoint_of(environ: Mapping[str, str]) -> str | None:
    """Return the endpoint that the environment names; whoever names a service means it, whatever the shell holds."""
    return environ.get("CLOUDIMAGES_ENDPOINT") or None


def markdown() -> str:
    """Return the README's table of options."""
    lines = ["| option | what for |", "| --- | --- |"]
    for option in (*OPTIONS, *OF_MANY):
        words = [f"--{option.name} {option.choices[0]}", *option.choices[1:]] if option.choices else []
        words = words or [f"--{option.name} {option.metavar}".strip()]
        default = f" ({text_of(option.default)})" if option.default not in (None, False, ()) else ""
        lines.append(f"| {', '.join(f'`{word}`' for word in words)} | {option.readme}{default} |")
    return "\n".join([*lines, "| `-- …` | the rest goes to pytest |"])


def help_of(option: Option) -> str:
    """Return the text of an option in the help of pytest and of the command."""
    choices = f": {', '.join(option.choices)}" if option.choices else ""
    default = f" [{text_of(option.default)}]" if option.default not in (None, False, ()) else ""
    # Both parsers would take a percent sign for the beginning of a conversion.
    return f"{option.help}{choices}{default}".replace("%", "%%")


if __name__ == "__main__":
    print(markdown())
