"""A manifest of spec files as sha256sum(1) writes it, read strictly, and compared with what is there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from controller.sources.errors import Reason, SourceError
from controller.sources.names import is_unsafe, spec_name
from controller.sources.snapshot import SourceFile

NAME = "MANIFEST"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_MAKE = f"Make it anew: sha256sum of every .yaml and .yml file, as paths below the prefix, into {NAME}; then sign it"


def read_manifest(content: bytes) -> dict[str, str]:
    """Path → SHA-256 in hexadecimal. Raises SourceError (Unverified) for anything that could be read in two ways."""
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError:
        raise refused("is not UTF-8", _MAKE) from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line and number == len(lines):
            break
        row = _LINE.fullmatch(line)
        path = row[2].removeprefix("./") if row else ""
        if row is None or _is_tricky(path):
            raise refused(f"has a line {number} that is no checksum and path below the prefix", _MAKE)
        if path in found:
            raise refused(f"names {path} twice, in line {number} again", _MAKE)
        found[path] = row[1]
    if not found:
        raise refused("lists no file", _MAKE)
    return found


def compare(listed: Mapping[str, str], files: Iterable[SourceFile]) -> None:
    """Raises SourceError (Unverified) unless both have the same spec files with the same bytes."""
    there = {file.path: file for file in files}
    specs = {path for path in listed if _is_spec(path)}
    again = "An upload may be under way; else make and sign the manifest anew"
    if missing := sorted(specs - there.keys()):
        raise refused(f"lists {missing[0]}{_more(missing)}, which is not there", again)
    if strange := sorted(there.keys() - specs):
        raise refused(f"does not list {strange[0]}{_more(strange)}", again)
    for path, file in sorted(there.items()):
        if file.content is None:
            why = file.problem.message if file.problem else "no content"
            raise refused(f"cannot be compared with {path}: {why}", "Mend the file")
        if hashlib.sha256(file.content).hexdigest() != listed[path]:
            raise refused(f"does not fit {path}, whose bytes are others", again)


def refused(why: str, hint: str) -> SourceError:
    return SourceError(Reason.UNVERIFIED, f"the {NAME} {why}", hint)


def _is_spec(path: str) -> bool:
    return spec_name(path.encode()) is not None


def _is_tricky(path: str) -> bool:
    parts = path.split("/")
    return "\\" in path or any(part in ("", ".", "..") for part in parts) or any(is_unsafe(one) for one in path)


def _more(some: list[str]) -> str:
    return f" and {len(some) - 1} more" if len(some) > 1 else ""
