"""All lints by code, and the annotation that allows them one by one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from controller.api.kinds import ALLOW_ANNOTATION
from controller.api.problems import Severity
from controller.fluentbit.findings import Finding
from controller.fluentbit.lints import cloudwatch, filters, image, keys, loops, outputs, router, s3, tags, tls
from controller.fluentbit.lints.lint import Lint
from controller.fluentbit.words import nearest, shown

UNKNOWN_LINT = Lint(
    "UNKNOWN_LINT",
    Severity.WARNING,
    f"A code in the annotation `{ALLOW_ANNOTATION}` that no lint has.",
    "Nothing is allowed by it: a slip, or a lint that is no more. Errors that are no lints cannot be allowed.",
    "take it out of the annotation; the codes are in docs/lints.md",
)

_MODULES = (s3, cloudwatch, outputs, tls, filters, loops, tags, keys, image, router)
LINTS: Mapping[str, Lint] = {
    lint.code: lint
    for lint in (*(one for module in _MODULES for one in vars(module).values() if isinstance(one, Lint)), UNKNOWN_LINT)
}
"""By code, in the order of docs/lints.md."""


def without_allowed(findings: Iterable[Finding], allowed: Collection[str]) -> Iterator[Finding]:
    """Lints of any severity can be allowed; what else is wrong cannot."""
    return (one for one in findings if one.code not in allowed or one.code not in LINTS)


def lint_allowed(allowed: Collection[str]) -> Iterator[Finding]:
    """For the annotation itself. Paths start at the document."""
    for code in sorted(allowed):
        if code not in LINTS and UNKNOWN_LINT.code not in allowed:
            near = nearest(code, LINTS)
            hint = f"did you mean {near}?" if near else ""
            path = ("metadata", "annotations", ALLOW_ANNOTATION)
            yield UNKNOWN_LINT.at(path, f"there is no lint {shown(code)}", hint)
