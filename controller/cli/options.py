"""Options that several commands have."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Format(str, Enum):  # noqa: UP042 - StrEnum members print as their values, typer wants str, Enum
    TEXT = "text"
    JSON = "json"


ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings in YAML; LOGROUTE_… variables win.")]
Output = Annotated[Format, typer.Option("--format", help="For people, or for programs.")]
