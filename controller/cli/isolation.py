"""For commands that bring their own AWS: the person's profiles, endpoints and credentials are none of theirs."""

from __future__ import annotations

import os

OTHERS = ("AWS_", "LOGROUTE_", "GIT_")


def forget_settings() -> None:
    """Take AWS, LogRoute and git settings out of this process's environment, and so out of its children's."""
    for name in [name for name in os.environ if name.startswith(OTHERS)]:
        del os.environ[name]
    os.environ |= {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
