"""What was read of a revision is kept across restarts, bounded, and never believed where it is spoilt."""

from __future__ import annotations

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from controller.aws.revisions import RevisionCache

ARN = "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/app"


def body(number: int, text: str = "é") -> dict[str, Any]:
    return {"taskDefinition": {"taskDefinitionArn": f"{ARN}:{number}", "text": text}, "tags": []}


def filled(file: Path | None, count: int = 3) -> RevisionCache:
    cache = RevisionCache(file)
    for number in range(count):
        cache.put(f"{ARN}:{number}", body(number))
    return cache


def test_it_gives_equal_bodies() -> None:
    cache = filled(None)
    assert [cache.get(f"{ARN}:{number}") for number in range(4)] == [body(0), body(1), body(2), None]


def test_it_outlives_a_restart(tmp_path: Path) -> None:
    filled(tmp_path / "revisions")
    again = RevisionCache(tmp_path / "revisions")
    assert len(again) == 3
    assert again.get(f"{ARN}:1") == body(1)


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    filled(tmp_path / "revisions")
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {0o600}


def test_the_oldest_go_where_it_grows_too_large(tmp_path: Path) -> None:
    cache = RevisionCache(tmp_path / "revisions", max_bytes=20_000)
    for number in range(100):
        cache.put(f"{ARN}:{number}", body(number, os.urandom(400).hex()))
    assert 20 < len(cache) < 60
    assert cache.get(f"{ARN}:0") is None
    assert cache.get(f"{ARN}:99") is not None
    assert 20 < len(RevisionCache(tmp_path / "revisions", max_bytes=20_000)) < 60


@pytest.mark.parametrize("junk", [b"", b"no database", b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_spoilt_file_is_begun_anew(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "revisions").write_bytes(junk)
    cache = filled(tmp_path / "revisions")
    assert cache.get(f"{ARN}:2") == body(2)
    assert RevisionCache(tmp_path / "revisions").get(f"{ARN}:2") == body(2)


def test_a_file_that_is_spoilt_while_it_is_open_costs_answers_and_nothing_else(tmp_path: Path) -> None:
    cache = filled(tmp_path / "revisions", 200)
    for file in tmp_path.iterdir():
        file.write_bytes(b"\xff" * file.stat().st_size)
    found = [cache.get(f"{ARN}:{number}") for number in range(200)]
    assert all(one in (None, body(number)) for number, one in enumerate(found))
    cache.put(f"{ARN}:7", body(7))
    cache.put(f"{ARN}:7", body(7))
    assert cache.get(f"{ARN}:7") == body(7)


def test_a_file_of_another_version_is_begun_anew(tmp_path: Path) -> None:
    filled(tmp_path / "revisions")
    with sqlite3.connect(tmp_path / "revisions") as rows:
        rows.execute("PRAGMA user_version = 7")
    rows.close()
    assert len(RevisionCache(tmp_path / "revisions")) == 0


def test_a_row_that_holds_something_else_is_not_believed(tmp_path: Path) -> None:
    filled(tmp_path / "revisions")
    with sqlite3.connect(tmp_path / "revisions") as rows:
        rows.execute("UPDATE bodies SET body = (SELECT body FROM bodies WHERE arn LIKE '%:0') WHERE arn LIKE '%:1'")
        rows.execute("UPDATE bodies SET body = x'00' WHERE arn LIKE '%:2'")
    rows.close()
    cache = RevisionCache(tmp_path / "revisions")
    assert [cache.get(f"{ARN}:{number}") for number in range(3)] == [body(0), None, None]


def test_a_folder_that_cannot_be_written_leaves_it_in_memory(tmp_path: Path) -> None:
    cache = filled(tmp_path / "missing" / "revisions")
    assert cache.get(f"{ARN}:1") == body(1)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"precious")
    (tmp_path / "revisions").symlink_to(tmp_path / "elsewhere")
    cache = filled(tmp_path / "revisions")
    assert cache.get(f"{ARN}:1") == body(1)
    assert (tmp_path / "elsewhere").read_bytes() == b"precious"


def test_two_processes_may_share_a_file(tmp_path: Path) -> None:
    one, other = RevisionCache(tmp_path / "revisions"), RevisionCache(tmp_path / "revisions")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: (one if number % 2 else other).put(f"{ARN}:{number}", body(number)), range(200)))
    assert len(one) == len(other) >= 190
