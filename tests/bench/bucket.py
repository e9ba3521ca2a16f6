"""S3 as far as the controller uses it, with its conditions; the objects lie in a file, not in this process's memory."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.bench.wire import Reply

PAGE = 1000
"""Rows in a ListObjectsV2 page (Amazon S3 API reference)."""
_ROW = (
    "<Contents><Key>{}</Key><LastModified>2026-11-22T08:00:00.000Z</LastModified><ETag>&quot;{}&quot;</ETag>"
    "<Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>"
)


class Bucket:
    """One bucket. Answers virtual-hosted and path-style requests alike."""

    def __init__(self, file: Path, name: str) -> None:
        self.name = name
        self._rows = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._rows.execute(
            "CREATE TABLE IF NOT EXISTS objects (key TEXT PRIMARY KEY, etag TEXT, body BLOB) WITHOUT ROWID"
        )

    def fill(self, objects: Iterable[tuple[str, bytes]]) -> None:
        self._rows.execute("BEGIN")
        self._rows.executemany(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", ((key, _etag(body), body) for key, body in objects)
        )
        self._rows.execute("COMMIT")

    def drop(self, prefix: str) -> None:
        self._rows.execute("DELETE FROM objects WHERE key >= ? AND key < ?", (prefix, prefix + "\U0010ffff"))

    def count(self, prefix: str) -> int:
        query = "SELECT count(*) FROM objects WHERE key >= ? AND key < ?"
        return int(self._rows.execute(query, (prefix, prefix + "\U0010ffff")).fetchone()[0])

    def ending(self, end: str) -> list[str]:
        """Keys."""
        return [key for (key,) in self._rows.execute("SELECT key FROM objects WHERE key LIKE ?", (f"%{end}",))]

    def answer(self, operation: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        parts = urlsplit(url)
        key = unquote(parts.path.removeprefix(f"/{self.name}")).removeprefix("/")
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if operation == "ListObjectsV2":
            return self._list(query.get("prefix", ""), query.get("continuation-token", ""))
        if operation == "GetObject":
            return self._get(key)
        if operation == "HeadObject":
            found = self._get(key)
            return Reply(found.status, b"", found.headers)
        if operation == "PutObject":
            return self._put(key, headers, body)
        return _refused(501, "NotImplemented")

    def _list(self, prefix: str, after: str) -> Reply:
        query = (
            "SELECT key, etag, length(body) FROM objects WHERE key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?"
        )
        rows = self._rows.execute(query, (after, prefix, prefix + "\U0010ffff", PAGE + 1)).fetchall()
        more, rows = len(rows) > PAGE, rows[:PAGE]
        token = f"<NextContinuationToken>{escape(rows[-1][0])}</NextContinuationToken>" if more else ""
        listed = "".join(_ROW.format(escape(key), etag, size) for key, etag, size in rows)
        return Reply(
            200,
            f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{self.name}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(rows)}</KeyCount>"
            f"<MaxKeys>{PAGE}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>{token}{listed}"
            "</ListBucketResult>".encode(),
            {"content-type": "application/xml"},
        )

    def _get(self, key: str) -> Reply:
        row = self._rows.execute("SELECT etag, body FROM objects WHERE key = ?", (key,)).fetchone()
        if row is None:
            return _refused(404, "NoSuchKey")
        return Reply(200, row[1], {"etag": f'"{row[0]}"', "content-length": str(len(row[1]))})

    def _put(self, key: str, headers: Mapping[str, str], body: bytes) -> Reply:
        row = self._rows.execute("SELECT etag FROM objects WHERE key = ?", (key,)).fetchone()
        if row and headers.get("If-None-Match"):
            return _refused(412, "PreconditionFailed")
        if (wanted := headers.get("If-Match")) is not None and (row is None or row[0] != wanted.strip('"')):
            return _refused(412, "PreconditionFailed") if row else _refused(404, "NoSuchKey")
        if "aws-chunked" in headers.get("Content-Encoding", ""):
            body = _unchunked(body)
        self.fill([(key, body)])
        return Reply(200, b"", {"etag": f'"{_etag(body)}"'})


def _etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _unchunked(body: bytes) -> bytes:
    """What botocore sends where it adds a checksum as a trailer: sizes in hex, chunks, then the checksum."""
    whole, at = b"", 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].partition(b";")[0], 16)
        if not size:
            return whole
        whole += body[end + 2 : end + 2 + size]
        at = end + 2 + size + 2


def _refused(status: int, code: str) -> Reply:
    return Reply(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())
