"""Which names are spec files, and which of those can be shown and told apart safely."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from controller.sources.snapshot import FileProblem, FileReason

SUFFIXES = (b".yaml", b".yml")

# Besides controls and line breaks: marks that turn the direction of writing can make one path look like
# another (CVE-2021-42574).
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSAFE = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class SpecName:
    """`text` is safe to print; it is the name itself where `problem` is None."""

    text: str
    problem: FileProblem | None = None


def spec_name(raw: bytes) -> SpecName | None:
    """The name of a spec file, or None for what is none: other suffixes, and all that is hidden by a dot."""
    if not raw.endswith(SUFFIXES):
        return None
    parts = raw.split(b"/")
    crooked = any(part in (b"", b".", b"..") for part in parts)
    if not crooked and any(is_hidden(part) for part in parts):
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return SpecName(_escaped(raw.decode(errors="backslashreplace")), _bad("is not UTF-8"))
    if crooked:
        return SpecName(_escaped(text), _bad("has an empty, `.` or `..` part"))
    if any(is_unsafe(letter) for letter in text):
        return SpecName(_escaped(text), _bad("has line breaks or control characters"))
    return SpecName(text)


def is_hidden(part: bytes) -> bool:
    """Whether one part of a path is hidden: `.git`, `.github`, `.gitlab-ci.yml`."""
    return part.startswith(b".")


def is_unsafe(letter: str) -> bool:
    """Whether a character can break a line, a terminal or the order of reading."""
    return unicodedata.category(letter) in _UNSAFE or letter in _TURNING


def one_line(text: str, most: int) -> str:
    """Somebody's words, fit to be printed beside ours."""
    found = " ".join("".join(" " if is_unsafe(letter) else letter for letter in text).split())
    return found if len(found) <= most else f"{found[: most - 1]}…"


def _escaped(text: str) -> str:
    return "".join(letter.encode("unicode_escape").decode() if is_unsafe(letter) else letter for letter in text)


def _bad(why: str) -> FileProblem:
    return FileProblem(FileReason.BAD_NAME, f"the file's name {why}", "Rename the file")
