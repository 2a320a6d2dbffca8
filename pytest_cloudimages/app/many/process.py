"""The process of a unit: `cloudimages run` that is interrupted through its standard input."""

from __future__ import annotations

import os
import signal
import sys
import threading


def heed(line: int) -> None:
    """Take each octet for an interrupt, and the end for the last: nobody is left who waits for this process."""
    main_thread = threading.main_thread().ident or 0
    while True:
        ended = not os.read(line, 1)
        signal.pthread_kill(main_thread, signal.SIGTERM)
        if ended:
            return


if __name__ == "__main__":
    # pytest puts something else in the place of the standard input.
    threading.Thread(target=heed, args=(os.dup(0),), daemon=True).start()
    from pytest_cloudimages.app.cli.main import main

    raise SystemExit(main(["run", *sys.argv[1:]]))
