"""Task definitions as people write them: those of the repository, and more of the kind where there are any."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parent.parent / "cases"
OWN = CASES / "imports"
OTHERS = Path(os.environ.get("LOGROUTE_CASES") or Path(__file__).parents[3] / "shared" / "cases")
"""More cases, where there are any: folders of task definitions with their config files."""


@dataclass(frozen=True, slots=True)
class Case:
    """A hand-made router."""

    definition: Path
    files: Path
    alone: Path | None = None
    """The config of an image with its own entrypoint."""

    def __str__(self) -> str:
        return f"{self.files.name}-{self.definition.stem.removeprefix('task-definition').strip('-.')}"


def cases() -> list[Case]:
    found = [Case(path, path.parent, next(path.parent.glob("edge.conf"), None)) for path in _routers(OWN)]
    return found + [_other(path) for path in _routers(OTHERS)]


def definitions() -> list[Path]:
    """With and without a router."""
    return [path for folder in (CASES, OTHERS) for path in _having("containerDefinitions", folder)]


def _routers(folder: Path) -> Iterable[Path]:
    return _having("firelensConfiguration", folder)


def _having(word: str, folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("task-definition*.json") if word in path.read_text())


def _other(path: Path) -> Case:
    """Files lie beside the definition or one folder below; a config that it does not name is that of its image."""
    text = path.read_text()
    folders = [path.parent, *sorted(one for one in path.parent.iterdir() if one.is_dir())]
    files = next((one for one in folders if any(one.glob("*.conf"))), path.parent)
    named = "config-file-value" in text or "aws_fluent_bit_init_" in text
    alone = None if named else next(files.glob("extra.conf"), None)
    return Case(path, files, alone)
