"""The root of all errors whose text is for a person."""

from __future__ import annotations


class Explained(Exception):
    """What happened, to which resource, and what to do: shown as it is, without a traceback."""
