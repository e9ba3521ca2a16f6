"""A failure that a command explains in a line."""

from __future__ import annotations

from controller.api.errors import Explained


class CommandError(Explained):
    """The command cannot go on. Exit status 1."""
