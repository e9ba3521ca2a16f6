"""What is wrong with a piece of config, by its path in it; whoever knows the file gives it a place."""

from __future__ import annotations

from dataclasses import dataclass, replace

from controller.api.problems import Severity

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    path: Path
    code: str
    severity: Severity
    message: str
    hint: str
    key: bool = False
    """The key at `path` is meant, not its value."""

    def below(self, *path: str | int) -> Finding:
        """The same, seen from further up."""
        return replace(self, path=(*path, *self.path))


def error(path: Path, code: str, message: str, hint: str, *, key: bool = False) -> Finding:
    return Finding(path, code, Severity.ERROR, message, hint, key)


def warning(path: Path, code: str, message: str, hint: str) -> Finding:
    return Finding(path, code, Severity.WARNING, message, hint)
