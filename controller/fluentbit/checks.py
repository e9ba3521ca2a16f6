"""One section of a pipeline against the catalogue and the rules of a classic config line. Pure.

Values of options that hold secrets are never repeated in a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from controller.fluentbit import catalogue
from controller.fluentbit.catalogue import Kind, Option, Plugin
from controller.fluentbit.contents import readers
from controller.fluentbit.engines import UNCHECKED
from controller.fluentbit.findings import Finding, error
from controller.fluentbit.fine import plainly_fine
from controller.fluentbit.paths import check_path, names_a_path
from controller.fluentbit.refusals import refused_option
from controller.fluentbit.relations import RELATIONS
from controller.fluentbit.safety import KEY, MAX_LINE, value_trouble
from controller.fluentbit.secrecy import check_secret
from controller.fluentbit.tags import check_name
from controller.fluentbit.types import is_false
from controller.fluentbit.variables import NONE, Names, check_variables
from controller.fluentbit.words import listed, lowered, nearest, shown

Section = Mapping[str, Any]
MOST = 150
"""Findings of one section after which the rest is not looked at: each takes a search for what was meant."""


def check(kind: Kind, section: Section, engine: str, names: Names = NONE) -> list[Finding]:
    """What is wrong with a section. `engine` is one of ENGINES, or catalogue.ANY; `names` are the declared
    environment names. Paths start at the section.
    """
    return [] if plainly_fine(kind, section, engine) else explained(kind, section, engine, names)


def explained(kind: Kind, section: Section, engine: str, names: Names = NONE) -> list[Finding]:
    """See `check`: the long way, which looks at each option by itself."""
    lower = lowered(section)
    plugin, findings = _plugin(kind, lower, engine)
    if plugin is None:
        return findings
    for key, value in section.items():
        findings += _option(plugin, key, value, engine, names)
        if len(findings) >= MOST:
            return findings
    if len(lower) != len(section):
        findings += _twice(section)
    if relation := RELATIONS.get((kind, plugin.name)):
        findings += relation(lower)
    return findings + _groups(plugin, lower)


def _plugin(kind: Kind, lower: Section, engine: str) -> tuple[Plugin | None, list[Finding]]:
    """The plugin of a section; without it nothing more can be said."""
    if kind not in catalogue.PLUGIN_KINDS:
        return catalogue.plugin(kind, kind, engine), []
    name = lower.get("name")
    if name is None:
        return None, [
            error((), "MISSING_KEY", "the key name is missing: which plugin is it?", "add name: and the plugin")
        ]
    if not isinstance(name, str):
        return None, [error(("name",), "WRONG_TYPE", "name must be text", "write the name of one plugin")]
    if found := catalogue.plugin(kind, name.lower(), engine):
        return found, []
    if reason := catalogue.refusal(kind, name.lower()):
        return None, [error(("name",), "REFUSED_PLUGIN", f"{name} is not allowed: {reason}", "delete it")]
    return None, [_unknown_plugin(kind, name, engine)]


def _unknown_plugin(kind: Kind, name: str, engine: str) -> Finding:
    what = f"{_engine(engine)} has no {kind[:-1]} {shown(name)}"
    if versions := catalogue.versions_with(kind, name.lower()):
        return error(("name",), "UNKNOWN_PLUGIN", what, f"Fluent Bit {listed(versions)} has it")
    if engine == UNCHECKED:
        return error(("name",), "UNKNOWN_PLUGIN", what, "a name has letters, digits, _ . and -")
    near = nearest(name, catalogue.names(kind, engine))
    return error(("name",), "UNKNOWN_PLUGIN", what, _perhaps(near, catalogue.names(kind, engine)))


def _perhaps(near: str | None, known: Iterable[str]) -> str:
    return f'did you mean "{near}"?' if near else f"known: {listed(known)}"


def _engine(engine: str) -> str:
    return "Fluent Bit" if engine in (UNCHECKED, catalogue.ANY) else f"Fluent Bit {engine}"


def _option(plugin: Plugin, key: str, value: Any, engine: str, names: Names) -> list[Finding]:
    lower = key.lower()
    if refused := refused_option(plugin.kind, plugin.name, lower):
        return [error((key,), "REFUSED_KEY", f"{key} cannot stand here: {refused.reason}", refused.hint, key=True)]
    option = plugin.option(lower)
    if not KEY.fullmatch(key) or (option is None and not plugin.open):
        return [_unknown_option(plugin, key, engine)]
    if isinstance(value, list | tuple):
        return _list(plugin, option, key, value, engine, names)
    return [one.below(key) for one in _value(plugin, option, lower, value, engine, names)]


def _unknown_option(plugin: Plugin, key: str, engine: str) -> Finding:
    where = plugin.name if plugin.kind in catalogue.PLUGIN_KINDS else f"the section {plugin.kind}"
    what = f"{where} has no option {shown(key)} in {_engine(engine)}"
    versions = catalogue.versions_with(plugin.kind, plugin.name, key.lower())
    if versions:
        hint = f"it is there in {listed(versions)}"
    else:
        near = nearest(key, plugin.options)
        hint = _perhaps(near, sorted(plugin.options)) if plugin.options else "a name has letters, digits, _ . and -"
    return error((key,), "UNKNOWN_OPTION", what, hint, key=True)


def _list(plugin: Plugin, option: Option | None, key: str, values: Any, engine: str, names: Names) -> list[Finding]:
    if option is not None and not option.repeatable:
        return [error((key,), "NOT_REPEATABLE", f"{key} takes one value, not a list", "keep one of them")]
    if not values:
        return [error((key,), "INVALID_VALUE", f"the list of {key} is empty", "leave the option out")]
    return [
        finding.below(key, index)
        for index, value in enumerate(values)
        for finding in _value(plugin, option, key.lower(), value, engine, names)
    ]


def _value(plugin: Plugin, option: Option | None, key: str, value: Any, engine: str, names: Names) -> list[Finding]:
    """`key` in lower case. Paths start at the value."""
    if not isinstance(value, str):
        what = "null" if value is None else "a mapping" if isinstance(value, Mapping) else "a list"
        return [
            error(
                (), "WRONG_TYPE", f"{key} must be text, not {what}", "write one value; quotes help where YAML sees more"
            )
        ]
    if trouble := value_trouble(value):
        return [
            error(
                (),
                "UNSAFE_VALUE",
                f"{key} cannot be written: {trouble}",
                "classic config has no quoting: do without it",
            )
        ]
    if findings := check_secret(key, value, names.secrets):
        return findings
    findings = check_variables(key, value, names) + check_name(key, value)
    if engine == "1.9.10" and len(key) + len(value.encode()) + 5 > MAX_LINE:
        message = f"{key} makes a line over {MAX_LINE:,} bytes, at which Fluent Bit 1.9.10 stops"
        findings.append(error((), "LINE_TOO_LONG", message, "shorten it, or use a newer image"))
    fits = option.type.fits if option else None
    if option and fits and "${" not in value and not fits(value):
        findings.append(_misfit(plugin, option, key, value))
    if names_a_path(plugin.name, key):
        findings += check_path(key, value)
    reader = None if findings else readers(plugin.kind, plugin.name).get(key)
    return reader(key, value, engine) if reader else findings


def _misfit(plugin: Plugin, option: Option, key: str, value: str) -> Finding:
    near = nearest(value, option.type.choices)
    hint = f'did you mean "{near}"?' if near else f"expected is {option.type.expected}"
    owner = f" of {plugin.name}" if plugin.kind in catalogue.PLUGIN_KINDS else ""
    return error((), "INVALID_VALUE", f"{key}{owner} cannot be {shown(value)}", hint)


def _twice(section: Section) -> Iterable[Finding]:
    seen: dict[str, str] = {}
    for key in section:
        first = seen.setdefault(key.lower(), key)
        if first != key:
            message = f"{shown(key)} and {shown(first)} are the same option: names ignore case"
            yield error((key,), "DUPLICATE_OPTION", message, "keep one of the two", key=True)


def _groups(plugin: Plugin, lower: Section) -> list[Finding]:
    findings = []
    for group in plugin.required:
        if lower.keys().isdisjoint(group):
            either = " or ".join(group)
            findings.append(error((), "MISSING_OPTION", f"{plugin.name} needs {either}", f"add {either}"))
    for group in plugin.exclusive:
        if group[0] in lower and len(given := [key for key in group if key in lower]) > 1:
            message = f"{' and '.join(given)} exclude each other"
            findings.append(error((), "EXCLUSIVE_OPTIONS", message, "keep one of them"))
    return findings + [_needed(*group) for group in plugin.needs if _lacks(lower, *group)]


def _lacks(lower: Section, option: str, *others: str) -> bool:
    return option in lower and not is_false(str(lower[option])) and lower.keys().isdisjoint(others)


def _needed(option: str, *others: str) -> Finding:
    either = " or ".join(others)
    return error((option,), "MISSING_OPTION", f"{option} needs {either} beside it", f"add {either}")
