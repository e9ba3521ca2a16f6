"""A repository whose heads are judged: what it holds, who may sign, and a cache that a restart keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from controller.sources import GitOptions, Reason, Snapshot, Source, SourceError
from controller.sources.credentials import Verify
from controller.sources.keys import Trust
from tests.support.signing import Work
from tests.unit.sources_support import open_git


@dataclass
class Room:
    """A repository, files of keys, and a cache that a restart keeps."""

    work: Work
    folder: Path
    mode: str = "commit"
    ref: str = ""
    keys: list[Path] = field(default_factory=list)
    revoked: list[Path] = field(default_factory=list)
    cache: str = "cache"

    def allow(self, content: str | bytes, name: str = "keys") -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.keys = list(dict.fromkeys([*self.keys, path]))
        return path

    def revoke(self, content: str | bytes, name: str = "revoked") -> None:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.revoked.append(path)

    def open(self) -> Source:
        """As a start would."""
        trust = Trust(tuple(self.keys), tuple(self.revoked))
        options = GitOptions(verify=Verify("tag" if self.mode == "tag" else "commit", trust))
        return open_git(f"git+file://{self.work.path / '.git'}{self.ref}", self.folder / self.cache, options)

    def refused(self, source: Source | None = None, last: Snapshot | None = None) -> SourceError:
        with pytest.raises(SourceError) as caught:
            (source or self.open()).poll(last)
        assert caught.value.reason is Reason.UNVERIFIED, caught.value
        return caught.value


def text(snapshot: Snapshot) -> str:
    return snapshot.contents()["a.yaml"].decode()
