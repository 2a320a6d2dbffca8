"""`cloudimages serve`: run the embedded server alone."""

from __future__ import annotations

import signal
import sys

from pytest_cloudimages.app.cli.exit_status import USAGE
from pytest_cloudimages.app.option import Option

PORT = Option(name="port", kind="whole", metavar="N", default=0, most=65535, help="where to listen [a free one]")


def serve(port: int) -> int:
    """Serve the embedded server until it is interrupted, and return the exit status."""
    from pytest_cloudimages.reference.app import App
    from pytest_cloudimages.reference.server import exports, serving

    try:
        with serving(App(), port) as server:
            print(exports(server), flush=True)
            print(f"# serving {server.url}/v2 until Ctrl-C", flush=True)
            _wait()
    except OSError as problem:
        print(
            f"cloudimages serve: port {port} cannot be used: {problem.strerror}; give another --port.", file=sys.stderr
        )
        return USAGE
    except KeyboardInterrupt:
        pass
    return 0


def _wait() -> None:
    import threading

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Event().wait()
