"""The bytes of a spec file, before YAML sees them: size, encoding, control characters."""

from __future__ import annotations

import re
from typing import Protocol

from controller.api.problems import Problem, Severity

MAX_FILE_BYTES = 1024 * 1024
MAX_FILES = 10_000
BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PLAIN_BYTES = b"\t\n\r" + bytes(range(0x20, 0x7F))
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""Line breaks as libyaml counts them (YAML 1.1)."""


class Mark(Protocol):
    """A place as libyaml gives it: characters from the start, line and column, all from 0."""

    @property
    def index(self) -> int: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


def problem(place: tuple[int, int], code: str, message: str, hint: str, severity: Severity = Severity.ERROR) -> Problem:
    """A problem of a file whose name is filled in later: equal files are read once."""
    return Problem("", place[0], place[1], code, severity, message, hint)


def breaks(text: str) -> int:
    """Line breaks in `text`, as libyaml counts them."""
    return len(_BREAKS.findall(text))


def check_bytes(content: bytes) -> list[Problem]:
    """What is wrong with the bytes; with an error among it the file is not to be parsed."""
    if len(content) > MAX_FILE_BYTES:
        return [
            problem(
                (0, 0),
                "FILE_TOO_LARGE",
                f"the file has {len(content):,} bytes, more than the {MAX_FILE_BYTES:,} that are read",
                "split it into several files",
            )
        ]
    if not content.translate(None, _PLAIN_BYTES):  # nothing is left: a fifth of what a search takes
        return []
    if content.isascii():
        return _control_characters(content, _CONTROL_BYTES.search(content))
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        return [_not_utf8(content, error)]
    return [*_byte_order_mark(content), *_control_characters(content, _CONTROLS.search(text))]


def _byte_order_mark(content: bytes) -> list[Problem]:
    if not content.startswith(BOM):
        return []
    return [
        problem(
            (1, 1),
            "BYTE_ORDER_MARK",
            "the file starts with a byte order mark",
            "save it as UTF-8 without one: some programs take it for text",
            Severity.WARNING,
        )
    ]


def _not_utf8(content: bytes, error: UnicodeDecodeError) -> Problem:
    if content.startswith(_WIDE_BOMS):
        return problem((1, 1), "NOT_UTF8", "the file is UTF-16", "save it as UTF-8")
    before = content[: error.start].decode()
    line = breaks(before) + 1
    column = len(_BREAKS.split(before)[-1]) + 1
    byte = content[error.start]
    return problem(
        (line, column),
        "NOT_UTF8",
        f"the file is not UTF-8: byte 0x{byte:02x} at offset {error.start}",
        "save it as UTF-8",
    )


def _control_characters(content: bytes, found: re.Match[bytes] | re.Match[str] | None) -> list[Problem]:
    if not found:
        return []
    before = content.decode()[: found.start()]
    place = (breaks(before) + 1, len(_BREAKS.split(before)[-1]) + 1)
    return [
        problem(
            place,
            "CONTROL_CHARACTER",
            f"the control character U+{ord(found[0]):04X} is not allowed in YAML",
            "delete it",
        )
    ]
