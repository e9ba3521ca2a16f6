"""libyaml's complaints in words for people, with what to do."""

from __future__ import annotations

import yaml
from yaml.error import MarkedYAMLError

from controller.api.problems import Problem
from controller.specs.text import Mark, problem

_WORDS: dict[str, tuple[str, str]] = {
    "mapping values are not allowed in this context": (
        "a key stands where none can",
        'check the indent; a value that holds ": " needs quotes',
    ),
    "did not find expected key": (
        "the indent fits no key above, or a bracket or quote is not closed",
        "line the key up with its neighbours",
    ),
    "did not find expected '-' indicator": (
        "the line belongs to no list item above",
        "line it up with the items, or start it with a dash",
    ),
    "did not find expected ',' or ']'": ("the list in [ ] is not closed", "add ] or a comma"),
    "did not find expected ',' or '}'": ("the mapping in { } is not closed", "add } or a comma"),
    "could not find expected ':'": ("a key has no colon", 'write "key: value"'),
    "found unexpected end of stream": ("the file ends inside quotes", "close the quotes"),
    "found unexpected document indicator": ("the document ends inside quotes", "close the quotes"),
    "found character that cannot start any token": (
        "the value starts with a character that YAML keeps for itself",
        "put it in quotes",
    ),
    "found undefined alias": ("the alias names no anchor of this document", "define it before with &name"),
    "found duplicate anchor": ("an anchor of this name is there already", "give it another name"),
    "found duplicate anchor; first occurrence": (
        "an anchor of this name is there already",
        "give it another name",
    ),
    "found unknown escape character": (
        "double quotes know no such escape",
        "use single quotes, where a backslash is a backslash",
    ),
    "did not find expected <document start>": (
        "text follows the end of the document",
        "check the indent, or start the next document with ---",
    ),
    "block sequence entries are not allowed in this context": (
        "a list item stands where none can",
        "put the list on lines of its own, below its key",
    ),
    "did not find expected node content": ("a value is missing", "check the commas and brackets"),
    "found undefined tag handle": ("the tag's handle is not defined", "tags are not used in specs: delete it"),
    "found unexpected ':'": ("a colon stands in an unquoted value", "put the value in quotes"),
}
_TAB = "a tab stands in the indent, which YAML allows nowhere"


def mark_of(error: yaml.YAMLError) -> Mark | None:
    """Where the reader stumbled; the start of what it was reading where it says no more."""
    if not isinstance(error, MarkedYAMLError):
        return None
    return error.problem_mark or error.context_mark


def syntax_problem(error: yaml.YAMLError, text: str, line_offset: int) -> Problem:
    """`text` is what was parsed; it starts `line_offset` lines below the top of its file."""
    mark = mark_of(error)
    if mark is None:
        return problem((0, 0), "YAML_SYNTAX", "the file is not YAML", "check it with a YAML editor")
    place = (line_offset + mark.line + 1, mark.column + 1)
    if text[mark.index : mark.index + 1] == "\t":
        return problem(place, "TAB_INDENT", _TAB, "use spaces")
    raw = getattr(error, "problem", None) or "the text is not YAML"
    message, hint = _WORDS.get(raw, (raw, "check indent, quotes and brackets up to here"))
    return problem(place, "YAML_SYNTAX", message + _since(error, line_offset), hint)


def _since(error: yaml.YAMLError, line_offset: int) -> str:
    start = getattr(error, "context_mark", None)
    mark = mark_of(error)
    if start is None or mark is None or start.line == mark.line:
        return ""
    return f" (what is read here began in line {line_offset + start.line + 1})"
