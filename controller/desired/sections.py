"""Options as the specs have them → sections of a config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controller.fluentbit.tree import Section
from controller.fluentbit.words import lowered

Options = Mapping[str, Any]
"""One plugin or section: option name → text, or a list of texts."""


def section(kind: str, options: Options) -> Section:
    return Section(kind, entries(lowered(options)))


def entries(options: Options, but: frozenset[str] = frozenset()) -> tuple[tuple[str, str], ...]:
    """An option that takes several values stands once for each. `but`: names that are left out."""
    found: list[tuple[str, str]] = []
    for key, value in options.items():
        if key in but:
            continue
        if value.__class__ is str:
            found.append((key, value))
        else:
            found += [(key, str(one)) for one in value]
    return tuple(found)
