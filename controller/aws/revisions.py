"""Bodies of task definition revisions by ARN: a revision's body never changes, so it is read once.

Status and tags do change, but neither is compared for drift; what is registered is made from an uncached answer.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import orjson

T = TypeVar("T")

FORMAT = 1
MAX_BYTES = 64 * 2**20
"""Of bodies, compressed: some thirty thousand revisions. The oldest go."""
PER_CENT = 10
"""That go at a time."""
MEMORY = ":memory:"
_TABLE = "CREATE TABLE bodies (arn TEXT PRIMARY KEY, body BLOB NOT NULL)"


class RevisionCache:
    """Thread-safe, and on disk where `file` names a place that can be written: then it outlives a restart.

    A file that is broken, or of another version, is begun anew; where that fails too, memory has to do. Definitions may
    hold secrets in clear, so nobody else may read it.
    """

    def __init__(self, file: Path | None = None, max_bytes: int = MAX_BYTES) -> None:
        self._file, self._max_bytes, self._lock = file, max_bytes, threading.Lock()
        self._rows, self._bytes = self._open()

    def get(self, arn: str) -> dict[str, Any] | None:
        row = self._safely(lambda: self._rows.execute("SELECT body FROM bodies WHERE arn = ?", (arn,)).fetchone())
        if row is None:
            return None
        try:
            found = orjson.loads(zlib.decompress(row[0]))
            return found if found["taskDefinition"]["taskDefinitionArn"] == arn else None
        except (zlib.error, orjson.JSONDecodeError, TypeError, KeyError):
            return None

    def put(self, arn: str, answer: dict[str, Any]) -> None:
        packed = zlib.compress(orjson.dumps(answer, default=str), 1)
        self._safely(lambda: self._put(arn, packed))

    def __len__(self) -> int:
        found = self._safely(lambda: self._rows.execute("SELECT count(*) FROM bodies").fetchone())
        return int(found[0]) if found else 0

    def _put(self, arn: str, packed: bytes) -> None:
        self._rows.execute("INSERT OR REPLACE INTO bodies VALUES (?, ?)", (arn, packed))
        self._bytes += len(packed)
        if self._bytes > self._max_bytes:
            share = "SELECT max(1, count(*) * ? / 100) FROM bodies"
            oldest = f"SELECT rowid FROM bodies ORDER BY rowid LIMIT ({share})"  # noqa: S608 - nobody's words are in it
            self._rows.execute(f"DELETE FROM bodies WHERE rowid IN ({oldest})", (PER_CENT,))  # noqa: S608
            self._bytes = _size(self._rows)

    def _safely(self, work: Callable[[], T]) -> T | None:
        """A cache that fails is an empty one. Another process that has it just now costs one answer."""
        with self._lock:
            try:
                return work()
            except sqlite3.OperationalError:  # locked, or the disk is full
                return None
            except sqlite3.Error:
                with suppress(sqlite3.Error):
                    self._rows.close()
                self._rows, self._bytes = self._open(anew=True)
                return None

    def _open(self, *, anew: bool = False) -> tuple[sqlite3.Connection, int]:
        if self._file:
            for begin in (anew, True):
                with suppress(sqlite3.Error, OSError):
                    return _connected(str(_made(self._file, anew=begin)))
        return _connected(MEMORY)


def _made(file: Path, *, anew: bool) -> Path:
    for end in ("", "-wal", "-shm") if anew else ():
        file.with_name(file.name + end).unlink(missing_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
    return file


def _connected(where: str) -> tuple[sqlite3.Connection, int]:
    rows = sqlite3.connect(where, timeout=0.5, isolation_level=None, check_same_thread=False)
    try:
        rows.execute("PRAGMA journal_mode = WAL")
        rows.execute("PRAGMA synchronous = OFF")
        if not rows.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            rows.execute(_TABLE)
            rows.execute(f"PRAGMA user_version = {FORMAT}")
        if rows.execute("PRAGMA user_version").fetchone()[0] != FORMAT:
            raise sqlite3.DatabaseError("another version")
        if rows.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("broken")
        return rows, _size(rows)
    except sqlite3.Error:
        rows.close()
        raise


def _size(rows: sqlite3.Connection) -> int:
    return int(rows.execute("SELECT coalesce(sum(length(body)), 0) FROM bodies").fetchone()[0])
