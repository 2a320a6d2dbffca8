"""Where the suite is: installed in the package, or beside it in a checkout."""

import importlib.machinery
import importlib.util
from functools import cache
from pathlib import Path

NAME = "pytest_cloudimages.conformance"


def folder() -> Path:
    """Return the folder of the suite's modules."""
    found = _spec(NAME)
    if found and found.submodule_search_locations:
        return Path(found.submodule_search_locations[0]).resolve()
    # A checkout that is on the path as it stands, whatever is installed: the suite lies beside the package.
    return Path(__file__).resolve().parents[2] / "conformance"


def located(argument: str) -> str:
    """Return what pytest is to collect for an argument of ``--pyargs``, where it asks for the suite and cannot find it.

    In a checkout, ``python -m`` finds the package in the folder, and the suite is not inside it.
    """
    name, colons, rest = argument.partition("::")
    if not is_named(argument) or _spec(name):
        return argument
    path = folder().joinpath(*name.removeprefix(NAME).split(".")[1:])
    return f"{path if path.is_dir() else path.with_suffix('.py')}{colons}{rest}"


def is_named(argument: str) -> bool:
    """Return whether an argument of ``--pyargs`` asks for the suite, or for a module of it."""
    name = argument.partition("::")[0]
    return name == NAME or name.startswith(f"{NAME}.")


def is_suite(path: Path) -> bool:
    """Return whether a path is the suite's folder, or one of its modules."""
    return path.exists() and (path.resolve() == _folder() or of_the_suite(path.resolve()))


def of_the_suite(path: Path) -> bool:
    """Return whether a module is one of the suite's; in a checkout it may stand beside an installed one."""
    suite = _folder()
    return suite in path.parents or (path.parent.name == suite.name and (suite / path.name).exists())


_folder = cache(folder)


def _spec(name: str) -> importlib.machinery.ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
