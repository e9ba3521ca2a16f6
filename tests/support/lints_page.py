"""docs/lints.md from the lints and their examples: `python -m tests.support.lints_page` writes it anew."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from controller.fluentbit.lints.lint import Lint
from controller.fluentbit.lints.registry import LINTS

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "lints.md"
CASES = ROOT / "tests" / "cases" / "lints.yaml"

HEAD = """\
# Lints

`logroute validate` looks for what Fluent Bit, FireLens and ECS accept and what loses, leaks or multiplies logs all the
same. Each such finding is a lint, and has a code. By harm it is

- an **error** where logs are lost for certain, or go round for ever; the spec does not count until it is mended,
- a **warning** where loss or a leak is likely,
- a **hint** where something could be better.

Where a lint is wrong about your case, allow it by its code, errors too. The annotation holds for the sections of the
document that it stands on, a LogRoute, a LogOutput or a LogRouterClass:

```yaml
metadata:
  annotations:
    logroute.dev/allow: "S3_OVERWRITE, FIXED_LOG_STREAM"
```

What a LogOutput does in one route only, such as matching nothing there, is told at the route's `ref`, and can be allowed
on either. Errors that are not on this page are no matter of opinion, and cannot be allowed.

| code | severity |
|---|---|
"""


@cache
def cases() -> dict[str, dict[str, str]]:
    """Code → `before`, `after` and, where it matters, `engine`."""
    read: Any = yaml.safe_load(CASES.read_text())
    return {str(code): {str(key): str(text) for key, text in case.items()} for code, case in read.items()}


def document(fragment: str) -> dict[str, Any]:
    """A whole document around parts of a LogRoute, or of the spec of a LogRouterClass."""
    read: dict[str, Any] = yaml.load(fragment, Loader=yaml.BaseLoader)  # noqa: S506 - text as text, nothing else
    if "pipeline" not in read and "metadata" not in read:
        return _kind("LogRouterClass", {"name": "example"}, read)
    metadata = {"name": "example", "namespace": "web", **read.pop("metadata", {})}
    defaults = {"target": {"cluster": "main", "services": ["app"]}, "pipeline": {"outputs": [{"name": "stdout"}]}}
    return _kind("LogRoute", metadata, {**defaults, **read})


def router(engine: str) -> dict[str, Any]:
    return _kind("LogRouterClass", {"name": "default"}, {"image": "example/fluent-bit:1.0.0", "engine": engine})


def page() -> str:
    rows = "".join(f"| [{code}](#{code.lower()}) | {lint.severity} |\n" for code, lint in LINTS.items())
    return HEAD + rows + "".join(_part(lint, cases()[code]) for code, lint in LINTS.items())


def _kind(kind: str, metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "logroute.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def _part(lint: Lint, case: dict[str, str]) -> str:
    mend = lint.mend[0].upper() + lint.mend[1:]
    return (
        f"\n## {lint.code}\n\n**{lint.severity.capitalize()}.** {lint.sees}\n\n{lint.why}\n\n"
        f"```yaml\n{case['before']}```\n\n{mend}:\n\n```yaml\n{case['after']}```\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page())
