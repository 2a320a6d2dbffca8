"""Tokens that Keystone has not issued as they are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

AGO = 60.0
"""Seconds since which an ended token is no longer valid."""


def ended(token: str, keys: Path) -> str:
    """Return a Fernet token that was valid until a minute ago, and is otherwise one of Keystone's.

    Nobody can have one from Keystone without waiting for as long as its tokens are valid.
    """
    import msgpack
    from cryptography.fernet import Fernet

    primary = max(keys.iterdir(), key=lambda path: int(path.name))
    fernet, now = Fernet(primary.read_bytes()), time.time()
    content = msgpack.unpackb(fernet.decrypt(token + "=" * (-len(token) % 4)))
    # The one moment in it is that of its end.
    content = [now - AGO if isinstance(part, float) else part for part in content]
    return fernet.encrypt_at_time(msgpack.packb(content), int(now - 2 * AGO)).decode().rstrip("=")
