"""One folder for each area of the API: its resource, strategies, plans and workloads."""

import importlib.util
import pkgutil


def load() -> None:
    """Import the fixtures of every area, and with them all that it declares."""
    for area in pkgutil.iter_modules(__path__, f"{__name__}."):
        if area.ispkg and importlib.util.find_spec(f"{area.name}.fixtures"):
            importlib.import_module(f"{area.name}.fixtures")
