"""Everything that is fuzzed, by name."""

from __future__ import annotations

from tests.fuzz import specs

TARGETS = {one.name: one for one in (*specs.TARGETS,)}
