"""Keys, and a room to judge signatures in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.signing import GpgKey, SshKey, Work
from tests.support.signing_room import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(Work.create(tmp_path / "work"), tmp_path)


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SshKey]:
    folder = tmp_path_factory.mktemp("ssh")
    return {name: SshKey.make(folder, name) for name in ("good", "other")}


@pytest.fixture(scope="module")
def gpg() -> Iterator[dict[str, GpgKey]]:
    """In a folder with a short name: an agent's socket has 107 characters at most."""
    with tempfile.TemporaryDirectory(prefix="g-") as folder:
        home = Path(folder) / "h"
        found = {name: GpgKey.make(home, name) for name in ("good", "other")}
        found["expired"] = GpgKey.make(home, "expired", clock="20200101T000000", expires="1d")
        found["old"] = GpgKey.make(home, "old", clock="20200101T000000")
        yield found
        found["good"].stop()
