"""What the groups of settings have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def off(value: Any) -> Any:
    """YAML 1.1 takes an unquoted off for false."""
    return "off" if value is False else value


def several(value: Any) -> Any:
    """One where a list may be."""
    return (value,) if isinstance(value, str | Path) else value
