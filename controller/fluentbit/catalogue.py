"""What every plugin of every engine takes: `data/options.json` and `data/more.json`, read from Fluent Bit's own
option maps (the second holds plugins that few tasks use), and `data/curated.json`, what those maps do not say:
required, exclusive, allowed, secret.

Read once, on first use; plugins are put together as they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal

import orjson

from controller.fluentbit.engines import UNCHECKED, VERSIONS
from controller.fluentbit.refusals import refused_option
from controller.fluentbit.safety import KEY
from controller.fluentbit.types import ValueType, value_type

Kind = Literal["inputs", "filters", "outputs", "service", "parsers", "multiline_parsers"]
PLUGIN_KINDS: tuple[Kind, ...] = ("inputs", "filters", "outputs")
ANY = "any"
"""All versions at once: for LogOutputs, whose engine depends on who refers to them."""


NAMED = frozenset({"match", "match_regex", "alias", "tag"})
SECRET_HOLDERS = frozenset({"header", "http_header"})


@dataclass(frozen=True, slots=True)
class Option:
    name: str
    type: ValueType
    repeatable: bool
    default: str | None
    versions: tuple[str, ...]
    """The engines that know it, oldest first."""
    named: bool
    """Its value is a name that routes share (tags.check_name)."""
    guarded: bool
    """Its value is or may hold a secret."""


@dataclass(frozen=True, slots=True, eq=False)
class Plugin:
    """A plugin, or a section such as [SERVICE], as one engine knows it. There is one object for each."""

    kind: Kind
    name: str
    options: Mapping[str, Option]
    prefixes: tuple[Option, ...]
    """Options whose name only starts with theirs (`rdkafka.`)."""
    required: tuple[tuple[str, ...], ...]
    """Of each group one must be given."""
    exclusive: tuple[tuple[str, ...], ...]
    """The first of each group excludes the others."""
    needs: tuple[tuple[str, ...], ...]
    """Where the first of a group is on, one of the others must be given."""
    open: bool
    """Other options may be taken too: Fluent Bit has no list of them."""

    def option(self, name: str) -> Option | None:
        """By its name in lower case."""
        if found := self.options.get(name):
            return found
        return next((one for one in self.prefixes if name.startswith(one.name) and name != one.name), None)


@lru_cache(maxsize=4096)
def plugin(kind: Kind, name: str, engine: str) -> Plugin | None:
    """The plugin by its name in lower case; None where `engine` has it not, or where it is refused.
    `unchecked` has every plugin that can be written, each open.
    """
    if refusal(kind, name) or not KEY.fullmatch(name):
        return None
    if engine == UNCHECKED:
        return _nameless(kind, name)
    entry, curated = _entries(kind, name)
    versions = _wanted(engine, entry.get("in", VERSIONS))
    if not versions:
        return None
    raw = _options(kind, name, entry, curated)
    options = {
        key: option
        for key, one in raw.items()
        if not refused_option(kind, name, key) and (option := _option(key, one, entry, versions))
    }
    common = _curated()["common"].get(kind, {})
    prefixes = tuple(option for option in options.values() if option.type.name == "str_prefix")
    return Plugin(
        kind,
        name,
        {key: option for key, option in options.items() if option.type.name != "str_prefix"},
        prefixes,
        _groups(curated.get("required", ()), options, prefixes),
        _groups([*curated.get("exclusive", ()), *common.get("exclusive", ())], options, prefixes),
        tuple(
            tuple(group)
            for group in (*curated.get("needs", ()), *common.get("needs", ()))
            if group[0] in options and not options.keys().isdisjoint(group[1:])
        ),
        not curated.get("closed") and any(version in entry.get("open", ()) for version in versions),
    )


@cache
def names(kind: Kind, engine: str) -> tuple[str, ...]:
    """The plugins of a kind that `engine` has."""
    everything = {*_listed()["plugins"][kind], *_curated()["plugins"][kind]}
    return tuple(sorted(name for name in everything if plugin(kind, name, engine)))


def versions_with(kind: Kind, name: str, option: str | None = None) -> tuple[str, ...]:
    """The engines that have the plugin, or the plugin's option."""
    found = ((version, plugin(kind, name, version)) for version in VERSIONS)
    return tuple(version for version, one in found if one and (option is None or one.option(option)))


def refusal(kind: Kind, name: str) -> str | None:
    """Why a plugin is not allowed anywhere."""
    return _curated()["refused"].get(kind, {}).get(name)  # type: ignore[no-any-return]


@cache
def secret_options() -> frozenset[str]:
    """Options that hold a secret, whatever the plugin."""
    return frozenset(_curated()["secrets"])


@cache
def secret_headers() -> frozenset[str]:
    return frozenset(_curated()["secret_headers"])


def _nameless(kind: Kind, name: str) -> Plugin:
    """A plugin of an engine that is not checked: of its options only those that LogRoute itself reads."""
    common = _curated()["common"].get(kind, {})
    facts: dict[str, Any] = {"type": "str"}
    options = {key: option for key in {"name", *NAMED} if (option := _option(key, facts, {}, VERSIONS))}
    return Plugin(kind, name, options, (), (), _groups(common.get("exclusive", ()), options), (), open=True)


def _entries(kind: Kind, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the option maps and what we say of it. A plugin that nobody knows is in no version."""
    if kind not in PLUGIN_KINDS:
        return {}, _curated()["sections"][kind]
    listed = _listed()["plugins"][kind].get(name)
    curated = _curated()["plugins"][kind].get(name, {})
    if listed is None and not curated:
        return {"in": ()}, {}
    return listed or {}, curated


def _options(kind: Kind, name: str, entry: dict[str, Any], curated: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Option name → facts. What is curated goes over what is listed, and the plugin's own over the common;
    an engine that takes an option of all plugins takes it of this one.
    """
    own = _layered(entry.get("options", {}), curated.get("options", {}))
    found: dict[str, dict[str, Any]] = {"name": {"type": "str"}, **_common(kind, name)}
    for key, facts in own.items():
        shared = found.get(key)
        found[key] = {**shared, **facts, "in": _union(shared, facts, entry)} if shared else facts
    return found


def _common(kind: Kind, name: str) -> dict[str, dict[str, Any]]:
    """What every plugin of the kind takes. `tls` only as off where the engine says "does not support TLS"; what
    is said of listeners not where an input opens connections itself.

    An input without connections takes nothing of them: 5.0.9 and 5.1.1 crash (flb_input_net_property_check).
    """
    common = _curated()["common"].get(kind, {})
    found = _layered(_listed()["common"].get(kind, {}), common.get("options", {}))
    if name in common.get("no_tls", ()):
        found = _layered(found, {"tls": common["tls_off"]})
        return _without(found, _unconnected(name, common)) if kind == "inputs" else found
    return _without(found, tuple(common["listening"])) if name in common.get("clients", ()) else found


def _unconnected(name: str, common: Mapping[str, Any]) -> tuple[str, ...]:
    return ("tls.",) if name in common["datagram"] else ("tls.", "net.")


def _without(options: Mapping[str, dict[str, Any]], starts: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    return {key: facts for key, facts in options.items() if not key.startswith(starts)}


def _layered(*layers: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for key, facts in layer.items():
            found[key] = {**found.get(key, {}), **facts}
    return found


def _union(shared: Mapping[str, Any], own: Mapping[str, Any], entry: Mapping[str, Any]) -> list[str]:
    """An option that is in no engine for any plugin is in none for this one: the tables list some for all."""
    if shared.get("in") == []:
        return []
    either = {*shared.get("in", VERSIONS), *own.get("in", entry.get("in", VERSIONS))}
    return [version for version in VERSIONS if version in either]


def _option(name: str, facts: dict[str, Any], entry: dict[str, Any], versions: tuple[str, ...]) -> Option | None:
    known = tuple(one for one in facts.get("in", entry.get("in", VERSIONS)) if one in VERSIONS)
    here = [version for version in versions if version in known]
    if not here:
        return None
    then = {**facts, **facts.get("was", {}).get(here[-1], {})}
    values = facts.get("values_in", {}).get(here[-1], facts.get("values"))
    return Option(
        name,
        value_type({**then, "values": values}),
        bool(then.get("repeatable")),
        then.get("default"),
        known,
        name in NAMED,
        name in secret_options() or name in SECRET_HOLDERS,
    )


def _wanted(engine: str, known: Iterable[str]) -> tuple[str, ...]:
    return tuple(version for version in known if engine in (ANY, version))


def _groups(
    groups: Iterable[Iterable[str]], options: Mapping[str, Option], prefixes: Iterable[Option] = ()
) -> tuple[tuple[str, ...], ...]:
    """Without the options that this engine has not: they could not be given."""
    starts = tuple(one.name for one in prefixes)
    known = [tuple(name for name in group if name in options or name.startswith(starts)) for group in groups]
    return tuple(group for group in known if group)


@cache
def _listed() -> dict[str, Any]:
    listed, more = _read("options.json"), _read("more.json")
    return {**listed, "plugins": {kind: {**listed["plugins"][kind], **more[kind]} for kind in PLUGIN_KINDS}}


@cache
def _curated() -> dict[str, Any]:
    return _read("curated.json")


def _read(name: str) -> dict[str, Any]:
    data = resources.files("controller.fluentbit").joinpath("data", name).read_bytes()
    return orjson.loads(data)  # type: ignore[no-any-return]
