"""Problems of `logroute validate --format json`, on stdin, as annotations of a GitHub workflow."""

from __future__ import annotations

import json
import sys
from typing import Any


def data(text: str) -> str:
    """What stands behind the colons of a workflow command: nothing in it can begin another."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def value(text: str) -> str:
    """What stands between them."""
    return data(text).replace(":", "%3A").replace(",", "%2C")


def annotation(problem: dict[str, Any]) -> str:
    kind = "error" if problem["severity"] == "error" else "warning"
    where = f"file={value(problem['file'])},line={problem['line']},col={problem['column']}"
    hint = f"\n{problem['hint']}" if problem.get("hint") else ""
    return f"::{kind} {where},title={value(problem['code'])}::{data(problem['message'] + hint)}"


if __name__ == "__main__":
    for one in json.load(sys.stdin)["problems"]:
        print(annotation(one))
