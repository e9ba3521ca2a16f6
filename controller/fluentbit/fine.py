"""The short way through the checks: whether nothing speaks against a section. Pure.

Ten thousand routes give the same few sets of options, and say the same few words in them, so what those ask for is
worked out once and remembered. What is not plainly fine here may still be: checks.py takes the long way, and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from controller.fluentbit import catalogue
from controller.fluentbit.catalogue import Kind, Option, Plugin
from controller.fluentbit.contents import readers
from controller.fluentbit.findings import Finding
from controller.fluentbit.paths import check_path, names_a_path
from controller.fluentbit.relations import RELATIONS
from controller.fluentbit.safety import all_harmless
from controller.fluentbit.tags import check_name

Section = Mapping[str, Any]
_ONLY_TEXT = {str}
_SHORT = 3500
"""All of a section's values together: none makes a line that is too long for some engine."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """A set of options that stand well beside each other."""

    plugin: Plugin
    watched: tuple[str, ...]
    """Those of which not any harmless text is good."""
    relation: Callable[[Section], list[Finding]] | None


def plainly_fine(kind: Kind, section: Section, engine: str) -> bool:
    """Nearly all sections are: known options in lower case, harmless texts. See checks.check."""
    name = section.get("name") if kind in catalogue.PLUGIN_KINDS else kind
    if name.__class__ is not str:
        return False
    try:
        shape = _shape(kind, name, tuple(section), engine)
    except KeyError:
        return False
    texts = list(section.values())
    if set(map(type, texts)) != _ONLY_TEXT:
        if not _may_repeat(shape.plugin, section):
            return False
        texts = [text for value in texts for text in _each(value)]
    if not all_harmless(texts, _SHORT):
        return False
    for key in shape.watched:
        for text in _each(section[key]):
            if not _is_fine(shape.plugin, key, text, engine):
                return False
    return not (shape.relation and shape.relation(section))


def _each(value: Any) -> Sequence[Any]:
    return value if value.__class__ is list else (value,)


def _may_repeat(plugin: Plugin, section: Section) -> bool:
    """Whether what is no text is a list of texts, for an option that takes one."""
    lists = [(plugin.options[key], value) for key, value in section.items() if value.__class__ is not str]
    return all(
        option.repeatable and value.__class__ is list and set(map(type, value)) == _ONLY_TEXT for option, value in lists
    )


@lru_cache(maxsize=4096)
def _shape(kind: Kind, name: str, options: tuple[str, ...], engine: str) -> _Shape:
    """Raises KeyError where a word must be said. lru_cache keeps no errors: so it holds known names alone, however
    many others a hostile spec makes up.
    """
    plugin = catalogue.plugin(kind, name.lower(), engine)
    if plugin is None:
        raise KeyError(name)
    watched = tuple([key for key in options if _is_watched(plugin, plugin.options[key])])
    if _clash(plugin, frozenset(options)):
        raise KeyError(name)
    return _Shape(plugin, watched, RELATIONS.get((kind, plugin.name)))


def _is_watched(plugin: Plugin, option: Option) -> bool:
    key = option.name
    plain = option.type.fits is None and not (option.guarded or option.named)
    return not plain or key in readers(plugin.kind, plugin.name) or names_a_path(plugin.name, key)


def _clash(plugin: Plugin, given: frozenset[str]) -> bool:
    """Whether one is missing, or one too many. An option that is off may miss what it needs: the long way knows."""
    return (
        any(given.isdisjoint(group) for group in plugin.required)
        or any(first in given and not given.isdisjoint(others) for first, *others in plugin.exclusive)
        or any(first in given and given.isdisjoint(others) for first, *others in plugin.needs)
    )


@lru_cache(maxsize=16384)
def _is_fine(plugin: Plugin, key: str, value: str, engine: str) -> bool:
    """Whether nothing speaks against a harmless value of a known option, by its name in lower case."""
    option = plugin.options[key]
    if option.guarded or (option.named and check_name(key, value)):
        return False
    if names_a_path(plugin.name, key) and check_path(key, value):
        return False
    fits, reader = option.type.fits, readers(plugin.kind, plugin.name).get(key)
    return (fits is None or fits(value)) and not (reader and reader(key, value, engine))
