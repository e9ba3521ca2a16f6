"""Small YAML files as plain data, whoever wrote them: the settings, and the AppSpecs of other people's deployments.

Specs have a reader of their own (`specs`), which keeps positions and the text of scalars.
"""

from __future__ import annotations

from typing import Any

import yaml

MAX_BYTES = 256 * 1024
MAX_DEPTH = 50
MAX_VALUES = 100_000
"""With every alias followed: a few lines of aliases of aliases make more than any machine can hold."""
MAX_NUMBER = 100
_OPENING = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSING = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


class NotYaml(ValueError):
    """The text cannot be read; says why, with the line where there is one."""


class _Loader(yaml.CSafeLoader):
    def flatten_mapping(self, node: Any) -> None:
        """Merges of merges double with each line, and PyYAML follows them before anybody can count."""
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.MarkedYAMLError(
                    problem="<< is not read here: write the keys out", problem_mark=key.start_mark
                )


def _number(loader: _Loader, node: Any) -> Any:
    """`1:59:59…` is a number to YAML 1.1; a long one takes minutes to reckon."""
    if len(str(node.value)) > MAX_NUMBER:
        raise yaml.MarkedYAMLError(problem="the number is too long", problem_mark=node.start_mark)
    whole = node.tag.endswith(":int")
    return loader.construct_yaml_int(node) if whole else loader.construct_yaml_float(node)


_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)


def load(content: bytes | str) -> Any:
    """The one document in `content`. Raises NotYaml."""
    if len(content) > MAX_BYTES:
        raise NotYaml(f"it is larger than {MAX_BYTES >> 10} KiB")
    try:
        _check_depth(content)
        found = yaml.load(content, _Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise NotYaml(str(error)) from error
    except (ValueError, LookupError, AttributeError, TypeError, OverflowError) as error:
        # PyYAML takes a tag at its word (`!!float ""`, `!!timestamp x`), and dates that there never were
        raise NotYaml("it holds a number, a date or a tag that cannot be read") from error
    check_size(found)
    return found


def check_size(document: Any) -> None:
    """Raises NotYaml where plain data nests too deep or holds too much; what is shared counts each time."""
    _values(document, {}, 0)


def _values(value: Any, known: dict[int, int], depth: int) -> int:
    if not isinstance(value, dict | list | tuple | set):
        return 1
    if id(value) in known:
        return known[id(value)]
    if depth > MAX_DEPTH:
        raise NotYaml(f"it nests deeper than {MAX_DEPTH} levels")
    known[id(value)] = 1  # one that holds itself
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    total = 1 + sum(_values(one, known, depth + 1) for one in parts)
    if total > MAX_VALUES:
        raise NotYaml(f"with its aliases followed it holds more than {MAX_VALUES:,} values")
    known[id(value)] = total
    return total


def _check_depth(content: bytes | str) -> None:
    """Before anything is composed: libyaml's composer recurses in C, and ends the process where the stack does."""
    loader, depth = _Loader(content), 0
    while loader.check_event():
        event: Any = loader.get_event()
        depth += isinstance(event, _OPENING) - isinstance(event, _CLOSING)
        if depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem=f"it nests deeper than {MAX_DEPTH} levels", problem_mark=event.start_mark
            )
