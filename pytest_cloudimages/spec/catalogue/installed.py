"""Catalogues that other packages bring, beside tests that ask for what stands in them."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

GROUP = "cloudimages.catalogues"
"""The entry points that name such a catalogue, and the package that has its TOML files and its tests."""


def packages() -> Mapping[str, str]:
    """Return the packages that are installed and bring a catalogue, by the name of that."""
    from importlib.metadata import entry_points

    return {entry.name: entry.value for entry in entry_points(group=GROUP)}


def package_of(choice: str) -> str | None:
    """Return the package that brings a catalogue; ``None`` where a file is meant."""
    return None if Path(choice).exists() else packages().get(choice)


def files_of(choice: str) -> list[Path]:
    """Return the TOML files of a catalogue: the one that was named, or those of the package that brings it.

    Raise ``ValueError`` with one line where there is no such package, or nothing in it.
    """
    package = package_of(choice)
    if package is None:
        if Path(choice).exists() or Path(choice).suffix or Path(choice).name != choice:
            return [Path(choice)]
        known = ", ".join(sorted(packages())) or "none"
        raise ValueError(
            f"The catalogue {choice} cannot be read: there is no such file, and no package that is installed brings one"
            f" of this name. Those that are there: {known}."
        )
    files = sorted(file for folder in _folders(choice, package) for file in folder.glob("*.toml"))
    if not files:
        raise ValueError(f"The catalogue {choice} cannot be read: its package {package} has no TOML file.")
    return files


def _folders(choice: str, package: str) -> list[Path]:
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError) as problem:
        raise ValueError(f"The catalogue {choice} cannot be read: its package {package}: {problem}.") from problem
    return [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]
