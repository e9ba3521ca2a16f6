"""Everything that is fuzzed, by name."""

from __future__ import annotations

from tests.fuzz import documents, outside, specs, words

TARGETS = {one.name: one for one in (*specs.TARGETS, *documents.TARGETS, *outside.TARGETS, *words.TARGETS)}
