"""`logroute schema`: JSON Schema of the kinds, for editors."""

from __future__ import annotations

import orjson

from controller.api.kinds import Kind
from controller.api.schema import schema as schema_of


def schema(kind: str | None) -> int:
    print(text(kind), end="")
    return 0


def text(kind: str | None) -> str:
    """As printed, and as kept under `specs/schema`."""
    found = schema_of(Kind(kind) if kind else None)
    return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
