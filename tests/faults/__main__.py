"""`python tests/faults [NAME…] [--profile P] [--seed N]`: prints the table of faults.

With `--write`, it judges those that are new or have changed, and writes docs/detection.md.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # A folder that is run is not a package; its parent makes it one.
    sys.path[0] = str(Path(__file__).parents[1])
    from faults.table import main

    raise SystemExit(main())
