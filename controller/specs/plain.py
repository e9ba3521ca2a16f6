"""Nodes → plain data: every scalar its source text. YAML's surprises are problems here, not values."""

from __future__ import annotations

from sys import intern
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from controller.api.problems import Problem
from controller.fluentbit.words import shown
from controller.specs.composing import LIST, MAP, NULL, TEXT, Composed, too_deep_problem
from controller.specs.depth import MAX_DEPTH
from controller.specs.text import problem

MAX_EXPANDED = 50_000
"""Nodes of one document with its aliases followed."""

_CORE = "tag:yaml.org,2002:"
_CORE_SCALARS = frozenset(_CORE + name for name in ("str", "int", "float", "bool"))


class Blank(str):
    """Stands for a value that was a problem already, so that nothing more is said about it."""

    __slots__ = ()


BLANK = Blank()


class Unwalkable(Exception):
    """The document cannot be turned into data at all; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def plain(document: Composed, *, aliases: bool) -> tuple[Any, list[Problem]]:
    """The document as data, and what is wrong with it. Raises Unwalkable."""
    if aliases:
        _check_aliases(document)
    problems: list[Problem] = []
    return _value(document.node, document, problems, 1), problems


def _value(node: Node, document: Composed, problems: list[Problem], depth: int) -> Any:
    """The hot path: 10,000 files pass here, so known tags are told by identity and scalars taken in place."""
    if depth > MAX_DEPTH:
        raise Unwalkable(too_deep_problem(document.place(node.start_mark)))
    tag = node.tag
    if tag is MAP:
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = key.value if key.tag is TEXT else _odd_key(key, document, problems)
            if name is None:
                continue
            if name in found:
                problems.append(_duplicate(node, key, document))
            found[intern(name)] = (
                intern(value.value) if value.tag is TEXT else _value(value, document, problems, depth + 1)
            )
        return found
    if tag is LIST:
        return [item.value if item.tag is TEXT else _value(item, document, problems, depth + 1) for item in node.value]
    return node.value if tag is TEXT else _odd(node, document, problems, depth)


def _odd(node: Node, document: Composed, problems: list[Problem], depth: int) -> Any:
    """A null, or a node that carries a tag of its own."""
    if node.tag is NULL or node.tag == _CORE + "null":
        problems.append(_null(node, document))
        return BLANK
    if isinstance(node, ScalarNode) and node.tag in _CORE_SCALARS:
        return node.value
    if isinstance(node, MappingNode) and node.tag == _CORE + "map":
        return _value(MappingNode(MAP, node.value, node.start_mark), document, problems, depth)
    if isinstance(node, SequenceNode) and node.tag == _CORE + "seq":
        return _value(SequenceNode(LIST, node.value, node.start_mark), document, problems, depth)
    problems.append(
        problem(
            document.place(node.start_mark),
            "UNSUPPORTED_TAG",
            f"the tag {shown(_short(node.tag))} is not supported: specs are plain YAML",
            "delete the tag",
        )
    )
    return BLANK


def _short(tag: str) -> str:
    return f"!!{tag.removeprefix(_CORE)}" if tag.startswith(_CORE) else tag


def _null(node: Node, document: Composed) -> Problem:
    return problem(
        document.place(node.start_mark),
        "NULL_VALUE",
        "the value is missing (null)" if not node.value else f"{node.value} means null, which is no value",
        'leave the key out, or give it a value ("" for empty text)',
    )


def _odd_key(key: Node, document: Composed, problems: list[Problem]) -> str | None:
    if isinstance(key, ScalarNode) and (key.tag in _CORE_SCALARS or key.tag is NULL):
        return str(key.value)
    problems.append(
        problem(document.place(key.start_mark), "KEY_NOT_TEXT", "a key must be plain text", "write it as key: value")
    )
    return None


def _duplicate(node: Node, key: Node, document: Composed) -> Problem:
    first = next(other for other, _ in node.value if other.value == key.value)
    line, column = document.place(first.start_mark)
    return problem(
        document.place(key.start_mark),
        "DUPLICATE_KEY",
        f"the key {shown(key.value)} is there already, at {line}:{column}",
        "keep one of the two; an option that may repeat takes a list",
    )


def _check_aliases(document: Composed) -> None:
    total = _Expansion(document).size(document.node)
    if total > MAX_EXPANDED:
        raise Unwalkable(
            problem(
                document.place(document.node.start_mark),
                "ALIAS_BOMB",
                f"with its aliases followed the document has {_roughly(total)} values; {MAX_EXPANDED:,} are allowed",
                "write the values out, or split the document",
            )
        )


def _roughly(count: int) -> str:
    return f"{count:,}" if count < 10**9 else "billions of"


class _Expansion:
    """Counts the nodes that a document has once aliases are followed, each anchor counted once."""

    def __init__(self, document: Composed) -> None:
        self._document = document
        self._known: dict[int, int] = {}
        self._open: set[int] = set()

    def size(self, node: Node, depth: int = 1) -> int:
        if depth > MAX_DEPTH:
            raise Unwalkable(too_deep_problem(self._document.place(node.start_mark)))
        if isinstance(node, ScalarNode):
            return 1
        if (known := self._known.get(id(node))) is not None:
            return known
        if id(node) in self._open:
            raise Unwalkable(
                problem(
                    self._document.place(node.start_mark),
                    "RECURSIVE_ALIAS",
                    "an alias in here refers to what it is itself a part of",
                    "write the value out",
                )
            )
        self._open.add(id(node))
        total = 1 + sum(self.size(child, depth + 1) for child in _children(node))
        self._open.discard(id(node))
        self._known[id(node)] = total
        return total


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value)
