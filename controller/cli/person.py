"""Who is at the keyboard, for notes that others read."""

from __future__ import annotations

import getpass
import os
import socket


def who() -> str:
    """`user@host`; a container may have neither a name for its user nor one in the environment."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
