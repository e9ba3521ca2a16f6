"""Where in a file something stands. Asked for problems only, so found by walking nodes, not kept."""

from __future__ import annotations

from collections.abc import Sequence

from yaml.nodes import MappingNode, Node, SequenceNode

from controller.specs.composing import Composed
from controller.specs.text import Mark

Path = tuple[str | int, ...]
Place = tuple[int, int]
"""Line and column, from 1."""
KEY_MARK = "[key]"
"""The last step of a path to a key itself, as pydantic writes it."""


def place_of(document: Composed, path: Sequence[str | int], *, key: bool = False) -> Place:
    """The place of the value at `path`, or of its key; of the nearest parent's key where it is absent."""
    node, at = document.node, document.node.start_mark
    for position, step in enumerate(path):
        if step == KEY_MARK:
            break
        found = _step(node, step)
        if found is None:
            break
        key_mark, node = found
        last = position == len(path) - 1 or path[position + 1] == KEY_MARK
        wants_key = not last or key or KEY_MARK in path[-1:]
        at = key_mark if wants_key and isinstance(step, str) else node.start_mark
    return document.place(at)


def _lower(key: Node) -> str:
    return key.value.lower() if isinstance(key.value, str) else ""


def _step(node: Node, step: str | int) -> tuple[Mark, Node] | None:
    """The mark of the key and the node of the value; the last one where a key stands twice, as in the data.
    Case is ignored where nothing else fits: option names have none.
    """
    if isinstance(node, MappingNode) and isinstance(step, str):
        found = next((pair for pair in reversed(node.value) if pair[0].value == step), None)
        found = found or next((pair for pair in reversed(node.value) if _lower(pair[0]) == step.lower()), None)
        return (found[0].start_mark, found[1]) if found else None
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return item.start_mark, item
    return None
