"""The files that a run leaves: checked before anything is asked, and replaced together when all images are gone.

What an earlier run has left stays as it is until there are results to put in its place: of a wrong command, of a run
that has nothing to ask, and of one whose files cannot be written, nothing is left at all.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_cloudimages.app.result_files import RESULTS
from pytest_cloudimages.app.signatures import sign, signature_of
from pytest_cloudimages.reporting import OF_OTHERS, WRITERS, html, plans
from pytest_cloudimages.reporting.formats import STANDARD_OUTPUT, rendered, split
from pytest_cloudimages.reporting.reproduction import script_of
from pytest_cloudimages.reporting.results import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pytest_cloudimages.engine.settings import Settings
    from pytest_cloudimages.reporting.results import Results


UNFINISHED = ".part"
"""What the name of a file ends with that is not whole yet."""


def prepare(folder: Path, config: pytest.Config, settings: Settings) -> frozenset[str]:
    """Make sure that the folder can be written, and have pytest-html write there where nothing else is said.

    Better known now than when all has been asked, as is what exports and a signature need. Return the names of the
    files that it writes, unfinished at first.
    """
    (page,) = OF_OTHERS
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
            _unfinished(folder / name).touch()
            _unfinished(folder / name).unlink()
            if (folder / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, f"{name} is a folder")
    except OSError as problem:
        why = "it is a file" if folder.is_file() else problem.strerror
        raise pytest.UsageError(
            f"Reports cannot be written to {folder}: {why}. Name another folder with --reports."
        ) from None
    _see_that_exports_can_be_written(folder, settings)
    theirs = set()
    if hasattr(option, "htmlpath") and not option.htmlpath:
        option.htmlpath, option.self_contained_html = str(_unfinished(folder / page)), True
        option.css = [*option.css, str(html.STYLE)]
        theirs.add(page)
    return frozenset(theirs)


def _see_that_exports_can_be_written(folder: Path, settings: Settings) -> None:
    """Raise ``UsageError`` where a file of a form cannot be written, before anything is asked."""
    for _, name in map(split, settings.export):
        if name == STANDARD_OUTPUT:
            continue
        file = folder / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder")
            _unfinished(file).touch()
            _unfinished(file).unlink()
        except OSError as problem:
            raise pytest.UsageError(f"--export: {file} cannot be written: {problem.strerror}. Name another.") from None


def write(results: Results, folder: Path, theirs: Iterable[str] = ()) -> None:
    """Write the files into the folder, all of them or none: a page beside results of another run would mislead.

    ``theirs`` are those that pytest-html has written by now, unfinished.
    """
    contents = {folder / name: text_of(results).encode() for name, text_of in WRITERS.items()}
    for name, file in map(split, results.data["settings"].get("export", ())):
        if file != STANDARD_OUTPUT:
            contents[folder / file] = rendered(name, results.data)
    scripts, kept = of_findings(results, folder)
    contents |= scripts | kept
    for path in contents:
        path.parent.mkdir(parents=True, exist_ok=True)
    # A signature is one of what was there before.
    replace_together(contents, scripts, [folder / name for name in theirs], stale=[signature_of(folder / RESULTS)])
    for stale in {*(folder / SCRIPTS).glob("*.sh"), *(folder / plans.FOLDER).glob("*.json")} - {*contents}:
        stale.unlink()
    if key := results.data["settings"].get("sign"):
        sign(folder / RESULTS, Path(key))


def replace_together(
    contents: Mapping[Path, bytes],
    scripts: Collection[Path] = (),
    unfinished: Collection[Path] = (),
    *,
    stale: Iterable[Path] = (),
) -> None:
    """Replace files, all of them or none; raise ``OSError`` where one cannot be written.

    ``scripts`` are those that can be run, ``unfinished`` further ones that lie there unfinished, and ``stale`` is taken
    away when all could be written.
    """
    every = [*contents, *unfinished]
    try:
        for path, octets in contents.items():
            _unfinished(path).write_bytes(octets)
        for path in scripts:
            _unfinished(path).chmod(0o755)
    except OSError:
        discard(every)
        raise
    for path in stale:
        path.unlink(missing_ok=True)
    for path in every:
        _unfinished(path).replace(path)


def of_findings(results: Results, folder: Path) -> tuple[dict[Path, bytes], dict[Path, bytes]]:
    """Return the scripts that show findings once more, and the files by which each finding is replayed."""
    found = [(entry, plans.finding(entry, results.data)) for entry in results.entries if "finding" in entry]
    scripts = {folder / entry["repro"]: script_of(finding).encode() for entry, finding in found if "repro" in entry}
    kept = {folder / entry["finding"]: plans.as_text(finding).encode() for entry, finding in found}
    return scripts, kept


def discard(files: Iterable[Path]) -> None:
    """Take away what is unfinished of these files, so that nobody takes it for a report."""
    for file in files:
        with suppress(OSError):
            _unfinished(file).unlink(missing_ok=True)


def _unfinished(file: Path) -> Path:
    return file.with_name(f"{file.name}{UNFINISHED}")
