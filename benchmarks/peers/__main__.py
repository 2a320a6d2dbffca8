"""`python benchmarks/peers [NAME…] [--again]`: measures the peers on the faults that they have not been shown yet."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # A folder that is run is not a package; its parent makes it one.
    sys.path[0] = str(Path(__file__).parents[1])
    sys.path.insert(1, str(Path(__file__).parents[2] / "tests"))
    from peers.measure import main

    raise SystemExit(main())
