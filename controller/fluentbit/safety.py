"""What may stand in a classic config line. Rules from Fluent Bit's reader (flb_cf_fluentbit.c) and AWS's init.

Classic configs know no quoting: a line break in a value is a new line of config. So what cannot be said
safely is refused, never escaped.
"""

from __future__ import annotations

import re
import sys

KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,199}")
"""Option names. Column 0 and the first character of a key carry meaning: `#`, `[`, `@`."""
SECTION = re.compile(r"[A-Za-z][A-Za-z_]*")
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
"""Control characters, and what some reader takes for a line break."""
PARSER_TEXT = re.compile(r"\[(?:multiline_)?parser\]", re.IGNORECASE)
"""AWS's init loads a file with this text, wherever it stands, as a parsers file, and its pipeline is lost."""
MAX_LINE = 4000
"""Bytes. Fluent Bit 1.9.10 aborts on a line over 4,096."""


_HARMLESS_LINES = re.compile(r"[ -?A-Z\\^-z|~\n]+")


def all_harmless(values: list[str], room: int = sys.maxsize) -> bool:
    """Whether every value is: printable ASCII without brackets, braces and `@`, and no white space at its ends; and
    all of them together shorter than `room`. One look at all costs a fraction of one look at each.
    """
    lines = "\n".join(values)
    return (
        _HARMLESS_LINES.fullmatch(lines) is not None
        and len(lines) < room
        and lines.count("\n") == len(values) - 1
        and "\n\n" not in lines
        and "\n " not in lines
        and " \n" not in lines
        and lines == lines.strip()
    )


def value_trouble(value: str) -> str | None:
    """Why `value` cannot stand in a classic config; None where it can."""
    if not value:
        return "it is empty, and Fluent Bit stops at an option without a value"
    if found := UNSAFE.search(value):
        return f"it holds a control character or line break (U+{ord(found[0]):04X})"
    if value != value.strip():
        return "it begins or ends with white space, which Fluent Bit cuts off"
    if PARSER_TEXT.search(value):
        return "it holds [PARSER] or [MULTILINE_PARSER]: the init image would take the config for a parsers file"
    return None
