"""Secrets do not stand in specs: an option that is known to hold one takes `${NAME}` of a declared secret."""

from __future__ import annotations

import re
from collections.abc import Collection

from controller.fluentbit.catalogue import SECRET_HOLDERS, secret_headers, secret_options
from controller.fluentbit.findings import Finding, error
from controller.fluentbit.variables import is_secret, used

_URL_PASSWORD = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def check_secret(key: str, value: str, secrets: Collection[str]) -> list[Finding]:
    """For an option by its name in lower case. Never repeats the value."""
    if key in secret_options():
        return [] if is_secret(value, secrets) else [_in_clear(key, secrets)]
    if key in SECRET_HOLDERS:
        name = value.split(maxsplit=1)[0]
        if name.lower().rstrip(":") in secret_headers() and not _has_secret(value, secrets):
            return [_in_clear(f"the header {name[:40]}", secrets)]
    match = _URL_PASSWORD.search(value)
    return [_in_clear(f"the password in {key}", secrets)] if match and not used(match[0]) else []


def _has_secret(value: str, secrets: Collection[str]) -> bool:
    return any(name in secrets for name in used(value))


def _in_clear(what: str, secrets: Collection[str]) -> Finding:
    names = sorted(secrets)
    example = names[0] if names else "NAME"
    declare = "" if names else ", with NAME and the ARN of the secret under secrets"
    return error(
        (),
        "SECRET_IN_CLEAR",
        f"{what} is a secret, and specs are read by many",
        f"write ${{{example}}}{declare}",
    )
