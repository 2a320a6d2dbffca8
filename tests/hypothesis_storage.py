"""Where Hypothesis keeps what it learns in the many runs of the suite."""

import tempfile
from pathlib import Path

STORAGE = Path(tempfile.gettempdir()) / "cloudimages-faults-hypothesis"
"""What Hypothesis learns from our sources is the same in every run."""
