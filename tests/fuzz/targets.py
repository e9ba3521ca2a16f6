"""Everything that is fuzzed, by name."""

from __future__ import annotations

from tests.fuzz import documents, specs, words

TARGETS = {one.name: one for one in (*specs.TARGETS, *documents.TARGETS, *words.TARGETS)}
