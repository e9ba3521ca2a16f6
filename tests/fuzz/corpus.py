"""Inputs to begin with: what the repository holds."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
LARGEST = 20_000
"""Bytes: larger ones are slow to vary, and hold little that smaller ones do not."""


def files(*patterns: str) -> tuple[bytes, ...]:
    """Those below the root that match, without equal ones."""
    found = {path.read_bytes(): None for pattern in patterns for path in sorted(ROOT.glob(pattern)) if path.is_file()}
    return tuple(data for data in found if 0 < len(data) <= LARGEST)
