"""Classic text → tree, by the rules of Fluent Bit's own reader (flb_cf_fluentbit.c).

Comments are whole lines only; a `#` later in a line is part of the value. The first space ends the key.
The indent of a file is that of its first indented line, be it blank: every other line has the same, or twice it
inside a group. Whatever the engine stops at is an error here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from controller.fluentbit.classic import ClassicError, Entry, Include, Place, Source, SourceFile, SourceSection
from controller.fluentbit.tree import Config, Section

MAX_FILES = 1000
"""FLB_CF_FILE_NUM_LIMIT."""
_BLANK = " \t"
_EMPTY = (b"", b"\r")
_SPACE = " \t\n\v\f\r"
"""isspace in the C locale: Python's own strip would take more."""


def from_classic(text: bytes) -> Config:
    """Sections as they stand, one by one. Raises ClassicError; also for includes, `@SET` and groups, which a
    Config cannot hold.
    """
    found = read_classic(SourceFile("", text), _no_includes)
    for command in found.commands:
        raise ClassicError(command.place.line, f"@{command.key} is not read here")
    for section in found.sections:
        for group in section.groups:
            raise ClassicError(group.place.line, "groups are not read here")
    return Config(
        tuple(Section(one.name, tuple((entry.key, entry.value) for entry in one.entries)) for one in found.sections)
    )


def _no_includes(path: str, place: Place) -> tuple[SourceFile, ...]:  # noqa: ARG001 - an Include
    raise ClassicError(place.line, "@INCLUDE is not read here")


def read_classic(file: SourceFile, include: Include, seen: set[str] | None = None) -> Source:
    """The config in `file` and all that it includes. Raises ClassicError, and what `include` raises.

    `seen`: names of files that were read already by the same engine; this file's are added.
    """
    reading = _Reading(include, set() if seen is None else seen)
    reading.file(file, Place(file.name))
    return Source(
        tuple(section.closed() for section in reading.sections), tuple(reading.commands), tuple(reading.comments)
    )


@dataclass(slots=True)
class _Open:
    name: str
    place: Place
    comments: tuple[str, ...]
    entries: list[Entry] = field(default_factory=list)
    groups: list[_Open] = field(default_factory=list)

    def closed(self) -> SourceSection:
        groups = tuple(group.closed() for group in self.groups)
        return SourceSection(self.name, self.place, tuple(self.entries), groups, self.comments)


@dataclass(slots=True)
class _Reading:
    """What all files of one config share."""

    include: Include
    seen: set[str]
    sections: list[_Open] = field(default_factory=list)
    commands: list[Entry] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    """Those that nothing stands below yet."""

    def file(self, file: SourceFile, included_at: Place) -> None:
        if file.name in self.seen:
            message = f"{file.name or 'the file'} is read twice, at which Fluent Bit stops: include it once"
            raise ClassicError(included_at.line, message, included_at.file)
        if len(self.seen) >= MAX_FILES:
            raise ClassicError(included_at.line, f"more than {MAX_FILES} files are included", included_at.file)
        self.seen.add(file.name)
        _File(self, file.name).read(file.text)

    def taken(self) -> tuple[str, ...]:
        found = tuple(self.comments)
        self.comments.clear()
        return found


@dataclass(slots=True)
class _File:
    """One file: its indent and its open section are its own, also where it is included inside a section."""

    reading: _Reading
    name: str
    indent: str | None = None
    section: _Open | None = None
    group: _Open | None = None

    def read(self, text: bytes) -> None:
        for number, raw in enumerate(text.split(b"\n"), 1):
            if raw not in _EMPTY:
                self._line(self._text(raw, number).removesuffix("\r"), Place(self.name, number))

    def _text(self, raw: bytes, number: int) -> str:
        if b"\0" in raw:
            raise ClassicError(number, "the line holds a NUL byte", self.name)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            message = f"byte {error.start + 1} of the line is not UTF-8"
            raise ClassicError(number, message, self.name) from error

    def _line(self, line: str, place: Place) -> None:
        if line[0] == "#":
            self._comment(line)
        elif line[0] == "@":
            self._command(line, place)
        elif line[0] == "[":
            self.section, self.group = _Open(self._header(line, place), place, self.reading.taken()), None
            self.reading.sections.append(self.section)
        else:
            self._indented(line, place)

    def _comment(self, line: str) -> None:
        self.reading.comments.append(line[1:].removeprefix(" ").rstrip())

    def _command(self, line: str, place: Place) -> None:
        command, _, rest = line[1:].partition(" ")
        if not rest:
            raise self._error(place, f"@{command} says nothing more: write @INCLUDE path, or @SET NAME=value")
        if command.upper() != "INCLUDE":
            self.reading.commands.append(Entry(command.upper(), rest, place))
            return
        for found in self.reading.include(rest.strip(_SPACE), place):
            self.reading.file(found, place)

    def _indented(self, line: str, place: Place) -> None:
        content, grouped = self._content(line, place)
        if not content:
            return
        if content[0] == "#":
            self._comment(content)
            return
        if not grouped:
            self.group = None
        if content[0] == "[":
            self._open_group(content, place)
            return
        target = self.group or self.section
        if target is None:
            raise self._error(place, "an option stands before the first section of the file")
        target.entries.append(self._entry(content, place))

    def _content(self, line: str, place: Place) -> tuple[str, bool]:
        """What follows the indent, and whether it is a group's (check_indent)."""
        blank = line[: len(line) - len(line.lstrip(_BLANK))]
        if self.indent is None:
            self.indent = blank
            if blank == line:
                return "", False
        if not self.indent or not blank:
            raise self._error(place, "an option must be indented; Fluent Bit would lose its first letter")
        if not line.startswith(self.indent):
            raise self._error(place, "the indent differs from that of the first indented line in the file")
        extra = blank[len(self.indent) :]
        if extra and len(extra) != len(self.indent):
            raise self._error(place, "the indent differs from that of the first indented line in the file")
        return line[len(blank) :], bool(extra)

    def _open_group(self, content: str, place: Place) -> None:
        if self.section is None:
            raise self._error(place, "a group stands before the first section of the file")
        self.group = _Open(self._header(content, place), place, self.reading.taken())
        self.section.groups.append(self.group)

    def _header(self, line: str, place: Place) -> str:
        end = line.find("]")
        if end <= 1:
            raise self._error(place, "a section is written [NAME]")
        return line[1:end]

    def _entry(self, content: str, place: Place) -> Entry:
        key, _, value = content.partition(" ")
        if not value:
            raise self._error(place, f"{key.strip(_SPACE)[:60]} has no value; a space, not a tab, ends its name")
        return Entry(key.strip(_SPACE), value.strip(_SPACE), place, self.reading.taken())

    def _error(self, place: Place, message: str) -> ClassicError:
        return ClassicError(place.line, message, place.file)
