"""How far an apply is: a live table on a terminal, one line an event elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol, Self

from controller.api.keys import ServiceKey
from controller.cli.console import RED, is_terminal, paint, say
from controller.telemetry.redaction import DEFAULT


class Progress(Protocol):
    def moved(self, key: ServiceKey, state: str) -> None: ...

    def failed(self, key: ServiceKey, error: str) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *about: object) -> None: ...


class Lines:
    """One line for each change of state, never two the same."""

    def __init__(self) -> None:
        self._last: dict[ServiceKey, str] = {}

    def moved(self, key: ServiceKey, state: str) -> None:
        if self._last.get(key) != state:
            self._last[key] = state
            say(f"{key.short}: {state}")

    def failed(self, key: ServiceKey, error: str) -> None:
        self.moved(key, paint(error, RED, sys.stderr))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        return None


class Live:
    """A table on stderr that is drawn anew with each change; it shows what still moves and counts the rest."""

    SHOWN = 20

    def __init__(self, keys: Sequence[ServiceKey]) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        self._states = dict.fromkeys(keys, "waiting")
        self._live = RichLive(console=Console(stderr=True), auto_refresh=False, transient=False)

    def moved(self, key: ServiceKey, state: str) -> None:
        self._states[key] = DEFAULT.text(state)
        self._draw()

    def failed(self, key: ServiceKey, error: str) -> None:
        self.moved(key, f"failed: {error}")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *about: object) -> None:
        self._live.stop()

    def _draw(self) -> None:
        from rich.table import Table
        from rich.text import Text

        done = sum(state.startswith("in sync") for state in self._states.values())
        table = Table.grid(padding=(0, 2))
        table.add_row(Text(f"{done} of {len(self._states)} services in sync", style="bold"))
        moving = [(key, state) for key, state in self._states.items() if not state.startswith("in sync")]
        for key, state in (moving or list(self._states.items()))[: self.SHOWN]:
            table.add_row(Text(key.short), Text(state))
        self._live.update(table, refresh=True)


def make_progress(keys: Sequence[ServiceKey]) -> Progress:
    return Live(keys) if is_terminal(sys.stderr) and keys else Lines()
