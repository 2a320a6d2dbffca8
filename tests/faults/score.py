"""What was measured on the faults: two files, a line for each fault, which docs/detection.md is made of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGE = ROOT / "docs" / "detection.md"
ASSERTIONS = ROOT / "docs" / "assertions.json"
OURS = ROOT / "docs" / "detection.json"
PEERS = ROOT / "benchmarks" / "peers" / "results.json"

Row = Mapping[str, Any]


@dataclass
class Measured:
    """What is known of how it was measured, and the row of every fault."""

    about: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, Row] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Measured":
        """Read a file; there may be none yet."""
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else cls()

    def save(self, path: Path) -> None:
        """Write the file, in the order of the names, at once: whoever stops us finds the old one or the new."""
        about = json.dumps(self.about, sort_keys=True, indent=1)
        rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(self.faults.items()))
        draft = path.with_suffix(".draft")
        draft.write_text(f'{{\n"about": {about},\n"faults": {{\n{rows}\n}}\n}}\n', encoding="utf-8")
        draft.replace(path)
