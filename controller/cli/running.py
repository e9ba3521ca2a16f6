"""How a command runs: its failures as a line, and its exit status."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import NoReturn

INTERRUPTED = 130
"""128 + SIGINT, as shells say it."""


class Done(Exception):
    """A command ended with this status; told apart from typer's own exits, which mean wrong usage."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def carry_out(command: Callable[[], int | None], *, short: bool = False) -> NoReturn:
    """A command's own failures as one line and exit status 1.

    `short`: it ends within a second, before there is garbage worth looking for, now or at the end of the process.
    """
    from controller.api.errors import Explained
    from controller.cli.console import fail

    if not short:
        gc.enable()
    try:
        status = command() or 0
    except Explained as error:
        fail(str(error))
        status = 1
    except KeyboardInterrupt:
        status = INTERRUPTED
    if short:
        gc.freeze()
    raise Done(status)
