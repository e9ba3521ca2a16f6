"""Other programs live in real time: whether they answer yet, and waiting for them."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PATIENCE = 60.0


def answers(url: str) -> bool:
    with suppress(urllib.error.URLError), urllib.request.urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def until(true: Callable[[], bool], log: Path) -> None:
    """Other programs live in real time."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)
