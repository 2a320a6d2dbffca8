"""The configuration of openstacksdk without its services: they take a third of the time in which a run is loaded.

``import openstack`` loads every service that there is. Nothing of them is needed to read ``clouds.yaml``.
"""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PACKAGE = "openstack"


@contextmanager
def without_services() -> Iterator[None]:
    """Have parts of the package imported in this block without the whole; it is loaded when anything else is wanted."""
    spec = importlib.util.find_spec(PACKAGE) if PACKAGE not in sys.modules else None
    if spec is None or spec.loader is None:
        yield
        return
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    loader = spec.loader

    def whole(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        del package.__dict__["__getattr__"]
        loader.exec_module(package)
        return getattr(package, name)

    try:
        yield
    finally:
        package.__dict__["__getattr__"] = whole
