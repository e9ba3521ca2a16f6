"""The table of docs/status-page.md from the kinds of events: `python -m tests.support.events_page` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path

from controller.api.events import LEVELS, EventKind, Level
from tests.support.metrics_page import told

PAGE = Path(__file__).parent.parent.parent / "docs" / "status-page.md"
TABLE = re.compile(r"(?<=<!-- events -->\n).*?(?=<!-- /events -->)", re.DOTALL)


def page() -> str:
    rows = "| kind | level | when |\n|---|---|---|\n" + "".join(
        f"| `{name}` | {LEVELS.get(EventKind(name), Level.INFO).word} | {when} |\n" for name, when in told(EventKind)
    )
    return TABLE.sub(lambda _: rows, PAGE.read_text())


if __name__ == "__main__":
    PAGE.write_text(page())
