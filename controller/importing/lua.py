"""Lua scripts of a hand-made router. LogRoute delivers no files, so a script must become `code`, in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from controller.fluentbit.classic import Entry, SectionKind, SourceSection
from controller.fluentbit.safety import MAX_LINE, value_trouble
from controller.importing.definition import ConfigRef
from controller.importing.gather import Find, Gathered
from controller.importing.remarks import Remark

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
    | (?P<string> "(?:\\[!-~]|[ !\#-\[\]-~])*" | '(?:\\[!-~]|[ -&(-\[\]-~])*')
    | (?P<comment>--) | (?P<long>\[=*\[)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<other>[!\#-&(-~])
    """,
    re.VERBOSE,
)
"""Printable ASCII alone. In a string a backslash before a line break is a line break, so none may stand there."""
_BY_LINE = frozenset({"coroutine", "debug", "pcall", "xpcall"})
"""They hand out error messages or line numbers, in which the line of the script stands."""
_FILES = frozenset({"dofile", "loadfile", "require", "package"})
_ALLOW = "the settings must allow Lua (lua: allow, LOGROUTE_LUA=allow)"


def without_scripts(gathered: Gathered, find: Find) -> None:
    """Every lua filter with `code`, its script's or its own; one whose script cannot be said so is taken out."""
    sections = list(gathered.sections)
    gathered.sections = [one for section in sections for one in _as_code(section, find, gathered)]


def _as_code(section: SourceSection, find: Find, gathered: Gathered) -> Iterator[SourceSection]:
    if section.kind is not SectionKind.FILTER or (section.last("name") or "").lower() != "lua":
        yield section
        return
    script = next(section.of("script"), None)
    coded = section.last("code") is not None
    replaced, why = (None, "") if script is None or coded else _inline(script, find)
    if why:
        gathered.unsaid.append((section, why))
        return
    entries = [replaced if one is script and replaced else one for one in section.entries]
    if coded and script:  # Fluent Bit does not look at the script then (lua_config.c)
        entries = [one for one in entries if one.key.lower() != "script"]
        gathered.remarks.append(Remark(script.place, f"script {script.value}", "code goes before it"))
    gathered.remarks.append(Remark(section.place, "the filter lua", "it runs a program in the router", _ALLOW))
    yield replace(section, entries=tuple(entries))


def _inline(script: Entry, find: Find) -> tuple[Entry | None, str]:
    """The entry `code` instead, or why there is none."""
    files = find(ConfigRef("file", script.value, f"script at {script.place}"))
    lead = f"the Lua script {script.value} is a file, LogRoute delivers none, and"
    if len(files) != 1:
        return None, f"{lead} it is not in --config-dir, from where it would be put in as code"
    code, trouble = one_line(files[0].text)
    if trouble:
        return None, f"{lead} on one line it might do something else: {trouble}"
    return replace(script, key="code", value=code), ""


def one_line(script: bytes) -> tuple[str, str]:
    """The same program without line breaks, or why that cannot be told. To Lua a line break is white space, but in
    comments, in long strings and after a backslash; a first line with `#` counts in files alone.
    """
    try:
        tokens = list(_tokens(script.decode("ascii")))
    except UnicodeDecodeError:
        return "", "it holds more than ASCII"
    reasons = (_REASONS.get(kind) or _of_word(kind, text) for kind, text in tokens)
    code = "".join(" " if kind == "space" else text for kind, text in tokens).strip()
    return code, next(filter(None, reasons), "") or _trouble(code)


def _trouble(code: str) -> str:
    if "${" in code:
        return "Fluent Bit would take its ${ for a variable"
    if len(code) > MAX_LINE:
        return f"it has more than {MAX_LINE:,} characters"
    return value_trouble(code) or ""


_REASONS = {
    "comment": "it holds comments: delete them",
    "long": "it holds a long string or [[",
    "odd": "it holds a string or a character that is not followed here",
}


def _of_word(kind: str, token: str) -> str:
    if kind == "word" and token in _BY_LINE:
        return f"{token} can tell its lines"
    if kind == "word" and token in _FILES:
        return f"{token} loads another file"
    return ""


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each; the last is `odd` where the rest is not followed."""
    position = 0
    if text.lstrip().startswith("#"):
        yield "odd", "#"
        return
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            yield "odd", text[position:]
            return
        yield match.lastgroup, match[0]
        position = match.end()
