"""Services that are wrong in one way each: every one is the honest app with one rule spoiled.

A module of this folder that says by ``KIND`` what it holds is found by being there. `python tests/faults [NAME…]` shows
what each of them does, and whether the suite finds just that.
"""

import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

# What the tests have in common is found in their folder, which `python -m tests.faults` does not put on the path.
if (_tests := str(Path(__file__).parents[1])) not in sys.path:
    sys.path.insert(0, _tests)

from .registry import FAULTS, Fault

__all__ = ["FAULTS", "Fault"]

for _module in sorted(iter_modules(__path__), key=lambda module: module.name):
    if _module.name != "__main__":
        import_module(f"{__name__}.{_module.name}")
