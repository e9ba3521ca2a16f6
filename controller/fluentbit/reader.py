"""Classic text → Config, by the rules of Fluent Bit's own reader (flb_cf_fluentbit.c).

Comments are whole lines only; a `#` later in a line is part of the value. The first space ends the key.
The indent of a file is that of its first indented line.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from controller.fluentbit.tree import Config, Section


class ClassicError(ValueError):
    """The text is no classic config, or uses `@INCLUDE`, `@SET` or groups. `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line, self.message = line, message


@dataclass(slots=True)
class _Open:
    name: str
    entries: list[tuple[str, str]] = field(default_factory=list)

    def closed(self) -> Section:
        return Section(self.name, tuple(self.entries))


def from_classic(text: bytes) -> Config:
    """Raises ClassicError, or UnicodeDecodeError (a ValueError too) where the text is not UTF-8."""
    sections: list[_Open] = []
    indent: str | None = None
    for number, raw in enumerate(text.decode().split("\n"), 1):
        line = raw.removesuffix("\r")
        content = line.strip()
        if not content or content[0] == "#":
            continue
        if line[0] == "[":
            sections.append(_Open(_name(line, number)))
            continue
        if line[0] == "@":
            raise ClassicError(number, f"{content.split()[0]} is not read here")
        if not sections:
            raise ClassicError(number, "an option stands before the first section")
        indent = _indent(line, indent, number)
        sections[-1].entries.append(_entry(content, number))
    return Config(tuple(section.closed() for section in sections))


def _name(line: str, number: int) -> str:
    end = line.find("]")
    if end <= 1:
        raise ClassicError(number, "a section is written [NAME]")
    return line[1:end]


def _indent(line: str, indent: str | None, number: int) -> str | None:
    """The file's indent, once known. Options at column 0 are taken as they are."""
    found = line[: len(line) - len(line.lstrip())]
    if not found:
        return indent
    if indent is not None and found != indent:
        raise ClassicError(number, "the indent differs from that of the first option in the file")
    return found


def _entry(content: str, number: int) -> tuple[str, str]:
    key, _, value = content.partition(" ")
    if content[0] == "[":
        raise ClassicError(number, "groups are not read here")
    if not value.strip():
        raise ClassicError(number, f"{key} has no value")
    return key, value.strip()
