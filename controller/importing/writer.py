"""Tree → YAML in block style, made to be committed: the same tree, the same text; comments stay; and for every
line the path of what begins there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from io import StringIO

import yaml
from yaml.emitter import Emitter

from controller.importing.tree import Field, List, Map, Path, Quoted, Value

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_INDENT = "  "


@dataclass(slots=True)
class Written:
    lines: list[str] = field(default_factory=list)
    paths: dict[int, tuple[int, Path]] = field(default_factory=dict)
    """Line, from 1 → which document, from 0, and the path in it of what begins there."""

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


def write(documents: Iterable[Map], head: Iterable[str] = ()) -> Written:
    """Several documents in one file, comments above them all."""
    written = Written()
    _comment(written, head, "")
    for number, document in enumerate(documents):
        if number:
            written.lines.append("---")
        _map(_Output(written, number), document, "", ())
    return written


@dataclass(frozen=True, slots=True)
class _Output:
    written: Written
    document: int

    def line(self, text: str, path: Path) -> None:
        self.written.lines.append(text)
        self.written.paths[len(self.written.lines)] = (self.document, path)


def _map(output: _Output, value: Map, indent: str, path: Path, first: str | None = None) -> None:
    """`first`: what the first line begins with instead of the indent, where a dash stands before it."""
    for number, one in enumerate(value.fields):
        if number or first is None:
            _comment(output.written, one.comments, indent)
        start = first if not number and first is not None else indent
        _field(output, one, start, indent, (*path, one.key))
    _comment(output.written, value.tail, indent)


def _field(output: _Output, one: Field, start: str, indent: str, path: Path) -> None:
    key = f"{start}{scalar(one.key)}:"
    if isinstance(one.value, str):
        output.line(f"{key} {scalar(one.value)}", path)
        return
    empty = not (one.value.fields if isinstance(one.value, Map) else one.value.elements)
    output.line(f"{key}{_empty(one.value) if empty else ''}", path)
    if empty:
        _comment(output.written, one.value.tail, indent + _INDENT)
    else:
        _nested(output, one.value, indent + _INDENT, path)


def _empty(value: Value) -> str:
    return " {}" if isinstance(value, Map) else " []"


def _nested(output: _Output, value: Map | List, indent: str, path: Path) -> None:
    if isinstance(value, Map):
        _map(output, value, indent, path)
        return
    for index, element in enumerate(value.elements):
        _comment(output.written, element.comments, indent)
        _element(output, element.value, indent, (*path, index))
    _comment(output.written, value.tail, indent)


def _element(output: _Output, value: Value, indent: str, path: Path) -> None:
    dash = f"{indent}- "
    if isinstance(value, str):
        output.line(f"{dash}{scalar(value)}", path)
    elif isinstance(value, Map) and value.fields:
        _comment(output.written, value.fields[0].comments, indent)
        _map(output, value, indent + _INDENT, path, dash)
    elif isinstance(value, List) and value.elements:
        output.line(f"{indent}-", path)
        _nested(output, value, indent + _INDENT, path)
    else:
        output.line(f"{indent}-{_empty(value)}", path)
        _comment(output.written, value.tail, indent + _INDENT)


def _comment(written: Written, comments: Iterable[str], indent: str) -> None:
    for text in comments:
        shown = "".join(char if char.isprintable() else " " for char in text).rstrip()
        written.lines.append(f"{indent}# {shown}".rstrip())


def scalar(text: str) -> str:
    """Plain where a reader of specs sees the same text, else in quotes, single ones before double ones."""
    if isinstance(text, Quoted):
        return f'"{text}"'
    found = _emitter().analyze_scalar(text)
    if found.allow_block_plain and not found.multiline and text not in _NULLS and not text.startswith("="):
        return text
    if found.allow_single_quoted and not found.multiline and text:
        return "'" + text.replace("'", "''") + "'"
    quoted: str = yaml.dump(text, default_style='"', width=1 << 30, allow_unicode=True)
    return quoted.rstrip("\n")


@cache
def _emitter() -> Emitter:
    return Emitter(StringIO(), allow_unicode=True)
