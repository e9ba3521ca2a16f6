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


class Shape(str, Enum):  # noqa: UP042 - see Format
    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


Shaped = Annotated[Shape, typer.Option("-o", "--output", help="A table, one with more columns, or for programs.")]
Server = Annotated[
    str | None,
    typer.Option("--server", envvar="LOGROUTE_SERVER", help="URL of a running controller; else the config store."),
]
Watch = Annotated[bool, typer.Option("-w", "--watch", help="Go on, with what changes, until Ctrl-C.")]
