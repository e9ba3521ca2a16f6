"""What every program of this user could read of ours while it runs: command lines, and environments of children."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self

LINUX = Path("/proc/self/stat").exists()


class Watch(threading.Thread):
    """Of a process and of all that it starts, as long as the `with` block lasts."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process, self.over = process, threading.Event()
        self.lines, self.environments = set[bytes](), set[bytes]()
        """The environments are those of its children: its own is where secrets come from."""

    def run(self) -> None:
        while not self.over.wait(0.002):
            family = {self.process}
            for path in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
                try:
                    parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                    if int(path.name) in family or parent in family:
                        family.add(int(path.name))
                        self.lines.add((path / "cmdline").read_bytes())
                        if int(path.name) != self.process:
                            self._look(path)
                except (OSError, IndexError):
                    continue

    def _look(self, path: Path) -> None:
        """Between fork and exec a child still shows its parent's: what counts is that of another program."""
        line = (path / "cmdline").read_bytes()
        if line != (Path("/proc") / str(self.process) / "cmdline").read_bytes():
            self.environments.add(line + b"\0" + (path / "environ").read_bytes())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()
