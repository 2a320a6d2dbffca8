"""Has Hypothesis read the constants of all sources that are loaded, so that the many runs of the suite need not do so.

It is loaded by the process that they are forked off, the last of all, and is nothing to what they draw: what Hypothesis
has read there, it would read in each of them. That was a sixth of the CPU of a quick run.
"""

import os
import sys
from pathlib import Path

from hypothesis.internal.conjecture import providers

sys.path.insert(0, str(Path(__file__).parent))

from hypothesis_storage import STORAGE

# Where it keeps things is asked of the environment once, and each run has its own.
os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(STORAGE)
# An internal of Hypothesis: if a later version lacks it, each run reads the sources as before.
getattr(providers, "_get_local_constants", dict)()
