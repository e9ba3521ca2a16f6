"""`${NAME}` in values. Fluent Bit replaces it with any environment variable of the router, so only names that
are meant for configs may stand there: else a spec could send credentials to any output.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from controller.fluentbit.findings import Finding, error
from controller.fluentbit.words import listed, shown

_VARIABLE = re.compile(r"\$\{([^{}$]*)\}")
_NAMES = frozenset({"AWS_REGION", "AWS_AVAILABILITY_ZONE", "HOSTNAME"})
_PREFIX = re.compile(r"ECS_[A-Z0-9_]+")
"""The init image exports ECS_CLUSTER, ECS_TASK_ID and the like."""


MOST = 3
"""Findings of one value: more of the same say nothing new."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a spec may name, beside what the init image exports."""

    secrets: Collection[str] = ()
    plain: Collection[str] = ()
    """In clear in the router's environment."""


NONE = Names()


def used(text: str) -> tuple[str, ...]:
    return tuple(_VARIABLE.findall(text))


def as_words(text: str, word: str = "x") -> str:
    """A word for each variable, for a look at the rest: what stands for it is not known before the start."""
    return _VARIABLE.sub(word, text) if "${" in text else text


def is_secret(text: str, secrets: Collection[str]) -> bool:
    """`text` is one declared secret and nothing else."""
    match = _VARIABLE.fullmatch(text)
    return match is not None and match[1] in secrets


def check_variables(key: str, text: str, names: Names = NONE) -> list[Finding]:
    if "${" not in text:
        return []
    found, end = [], 0
    for match in _VARIABLE.finditer(text):
        if "}" in text[end : match.start()]:
            found.append(_trapped(key))
        found += _unknown(key, match[1], names)
        if text.endswith("$", 0, match.start()) or text.startswith("{", match.end()):
            found.append(_assembled(key))
        if len(found) >= MOST:
            return found[:MOST]
        end = match.end()
    if text.count("${") != len(_VARIABLE.findall(text)):
        found.append(
            error((), "UNKNOWN_VARIABLE", f"{key}: ${{ begins a variable that is not closed", "close it with }")
        )
    return found[:MOST]


def _unknown(key: str, name: str, names: Names) -> list[Finding]:
    if name in _NAMES or _PREFIX.fullmatch(name) or name in names.secrets or name in names.plain:
        return []
    known = [*sorted(names.secrets), *sorted(names.plain), *sorted(_NAMES), "ECS_TASK_ID and other ECS_ names"]
    hint = f"declare it under secrets, or use one of: {listed(known)}"
    return [error((), "UNKNOWN_VARIABLE", f"{key}: the variable {shown(name)} is not declared here", hint)]


def _assembled(key: str) -> Finding:
    """Fluent Bit 5 replaces variables twice (flb_config_map.c after flb_output.c): where ECS_X is empty,
    `$${ECS_X}{HOME}` is `${HOME}` the second time.
    """
    return error(
        (),
        "UNKNOWN_VARIABLE",
        f"{key}: a $ before a variable, or a {{ after it, can make up another variable",
        "put other text between them",
    )


def _trapped(key: str) -> Finding:
    """`v_end` in flb_env.c is looked for before `${`; seen on 1.9.10 and 5.1.1."""
    return error(
        (),
        "VARIABLE_NOT_EXPANDED",
        f"{key}: Fluent Bit leaves a variable as it is where a }} stands before it",
        "put the variable first, or write the value without }",
    )
