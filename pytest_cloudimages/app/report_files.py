"""The files that a run leaves: checked before anything is asked, written when all images are gone."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.app.result_files import RESULTS
from pytest_cloudimages.app.signatures import sign, signature_of
from pytest_cloudimages.reporting import OF_OTHERS, WRITERS, html
from pytest_cloudimages.reporting.formats import STANDARD_OUTPUT, rendered, split
from pytest_cloudimages.reporting.reproduction import script
from pytest_cloudimages.reporting.results import SCRIPTS

if TYPE_CHECKING:
    from pytest_cloudimages.engine.settings import Settings
    from pytest_cloudimages.reporting.results import Results

PLUGINS = ("LogXML", "SelfContainedReport", "Report")
"""The classes of the plugins that write junit.xml and conformance.html."""


def prepare(folder: Path, config: pytest.Config, settings: Settings) -> None:
    """Make sure that the folder can be written, and have pytest-html and pytest write there where nothing else is said.

    Better known now than when all has been asked, as is what exports and a signature need.
    """
    page, junit = OF_OTHERS
    for wish in settings.export:
        try:
            split(wish)
        except ValueError as problem:
            raise pytest.UsageError(f"--export: {problem}") from None
    if settings.sign and not Path(settings.sign).is_file():
        raise pytest.UsageError(f"--sign: expected a private key of OpenSSH, and there is no file {settings.sign}.")
    option = config.option
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (*WRITERS, *OF_OTHERS):
            # What an earlier run has left stays as it is until there is something to put in its place.
            (folder / _unfinished(name)).touch()
            (folder / _unfinished(name)).unlink()
            if (folder / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, f"{name} is a folder")
    except OSError as problem:
        raise pytest.UsageError(f"Reports cannot be written to {folder}: {problem.strerror}.") from None
    if not getattr(option, "xmlpath", None):
        option.xmlpath = str(folder / junit)
    if hasattr(option, "htmlpath") and not option.htmlpath:
        option.htmlpath, option.self_contained_html = str(folder / page), True
        option.css = [*option.css, str(html.STYLE)]


def leave_alone(config: pytest.Config) -> None:
    """Keep the reports of an earlier run where this one cannot begin, or has nothing to ask."""
    from _pytest.junitxml import xml_key  # there is no public way to stop it

    plugins = config.pluginmanager
    for plugin in [plugin for plugin in plugins.get_plugins() if type(plugin).__name__ in PLUGINS]:
        plugins.unregister(plugin)
    if xml_key in config.stash:
        del config.stash[xml_key]


def write(results: Results, folder: Path) -> None:
    """Write the files into the folder, all of them or none: a page beside results of another run would mislead."""
    texts = {name: text_of(results) for name, text_of in WRITERS.items()}
    for name, text in texts.items():
        (folder / _unfinished(name)).write_text(text, encoding="utf-8")
    for name in texts:
        (folder / _unfinished(name)).replace(folder / name)
    for name, file in map(split, results.data["settings"].get("export", ())):
        if file != STANDARD_OUTPUT:
            (folder / file).write_bytes(rendered(name, results.data))
    _write_scripts(results, folder / SCRIPTS)
    signature_of(folder / RESULTS).unlink(missing_ok=True)
    if key := results.data["settings"].get("sign"):
        sign(folder / RESULTS, Path(key))


def _write_scripts(results: Results, folder: Path) -> None:
    """Write the scripts of the findings, and take those of an earlier run away."""
    for stale in folder.glob("*.sh"):
        stale.unlink()
    found = {entry["id"]: entry for entry in results.entries if "repro" in entry}
    if found:
        folder.mkdir(exist_ok=True)
    for identifier, entry in found.items():
        file = folder / f"{identifier}.sh"
        file.write_text(script(entry, results.data["service"]["endpoint"]), encoding="utf-8")
        file.chmod(0o755)


def _unfinished(name: str) -> str:
    return f"{name}.part"
