"""The requirements as data: one TOML file an area."""

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from pytest_cloudimages.spec.catalogue.installed import files_of
from pytest_cloudimages.spec.requirements import Requirement, read_area

__all__ = ["VERSION", "load"]

VERSION = "1"
"""Version of the specification that the catalogue was drawn from."""


@functools.cache
def _own() -> Mapping[str, Requirement]:
    files = sorted(resources.files(__name__).iterdir(), key=lambda file: (file.name != "tags.toml", file.name))
    found: dict[str, Requirement] = {}
    for file in files:
        if file.name.endswith(".toml"):
            found |= read_area(tomllib.loads(file.read_text(encoding="utf-8")), file.name, found)
    return found


def load(*further: str | Path) -> Mapping[str, Requirement]:
    """Return every requirement by its id: the package's own, and those of further catalogues of the same shape.

    Each is named by its TOML file, or by the name under which a package that is installed brings it.

    Raises ``ValueError`` naming the file and the entry where a file cannot be read as a catalogue.
    """
    found = dict(_own())
    for path in (path for choice in further for path in files_of(str(choice))):
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except RecursionError:
            raise ValueError(f"The catalogue {path} cannot be read: it is nested too deeply.") from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
            raise ValueError(f"The catalogue {path} cannot be read: {problem}") from problem
        found |= read_area(data, str(path), found)
    return found
