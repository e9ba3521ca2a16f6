"""YAML documents as nodes, composed once by libyaml; what breaks one document leaves the next readable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import is_
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.nodes import MappingNode, Node, ScalarNode

from controller.api.problems import Problem
from controller.specs.depth import MAX_DEPTH, too_deep
from controller.specs.syntax import mark_of, syntax_problem
from controller.specs.text import BOM, Mark, breaks, problem

TEXT, NULL, MAP, LIST = "text", "null", "map", "list"
"""The tags that the resolver gives. What a file tags itself never is one of these objects."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_DOCUMENT_START = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
"""At column 0 this starts a document wherever it stands, even in quotes or a block scalar (YAML 1.1, 9.1.1)."""
_MOST_RECOVERIES = 20


class Composer(CParser):
    """libyaml without PyYAML's resolver: every scalar is text, and takes half the time."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        if kind is ScalarNode:
            return NULL if value in _NULLS and implicit[0] else TEXT
        return MAP if kind is MappingNode else LIST

    # Called for every node and of no use here, so they are the cheapest there is: functions in C that take
    # the same arguments.
    descend_resolver = staticmethod(is_)
    ascend_resolver = staticmethod(tuple)


@dataclass(frozen=True, slots=True)
class Composed:
    """One document of a file. Its marks count from the line `line_offset` of the file."""

    node: Node
    line_offset: int

    def place(self, mark: Mark) -> tuple[int, int]:
        return self.line_offset + mark.line + 1, mark.column + 1


def compose(content: bytes) -> Iterator[Composed | Problem]:
    """Documents and syntax errors in the order of the file. After an error, from the next `---` on."""
    rest, offset = content.removeprefix(BOM), 0
    for _ in range(_MOST_RECOVERIES):
        if mark := too_deep(rest):
            yield too_deep_problem((offset + mark.line + 1, mark.column + 1))
            return
        try:
            for node in _nodes(rest):
                yield Composed(node, offset)
        except yaml.YAMLError as error:
            text = rest.decode()
            yield syntax_problem(error, text, offset)
            skipped = _next_document(text, error)
            if skipped is None:
                return
            offset += breaks(text[:skipped])
            rest = text[skipped:].encode()
        else:
            return


def too_deep_problem(place: tuple[int, int]) -> Problem:
    return problem(place, "TOO_DEEP", f"the document nests deeper than {MAX_DEPTH} levels", "no spec needs so many")


def _nodes(content: bytes) -> Iterator[Node]:
    composer = Composer(content)
    while composer.check_node():
        if (node := composer.get_node()) is not None:
            yield node


def _next_document(text: str, error: yaml.YAMLError) -> int | None:
    """Where the next document starts, in characters: not before the line that could not be read."""
    mark = mark_of(error)
    if mark is None:
        return None
    line_start = text.rfind("\n", 0, mark.index) + 1
    found = _DOCUMENT_START.search(text, max(line_start, 1))
    return found.start() if found else None


@lru_cache(maxsize=2)
def composed(content: bytes) -> tuple[Composed, ...]:
    """The documents again, for positions; problems come file by file, so few are kept."""
    return tuple(one for one in compose(content) if isinstance(one, Composed))
