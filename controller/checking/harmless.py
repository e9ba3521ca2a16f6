"""A config that an engine may be started on here: the same sections in the same order, kept from reaching out.

Ports become free ones, equal ports equal ones, so that two inputs on one port still collide. Files lie in the
run's folder, hosts are dead, Lua does nothing. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from controller.checking import rules
from controller.fluentbit import catalogue
from controller.fluentbit.paths import names_a_path
from controller.fluentbit.ports import EXPORTERS, HTTP_SERVER, LISTENING
from controller.fluentbit.tree import Config, Section

Entry = tuple[str, str]
_LUA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LUA_WORDS = re.compile(
    r"and|break|do|else|elseif|end|false|for|function|goto|if|in|local|nil|not|or|repeat|return|then|true|until|while"
)
_KINDS: dict[str, catalogue.Kind] = {"SERVICE": "service", "INPUT": "inputs", "FILTER": "filters", "OUTPUT": "outputs"}
MOVED = "moved"
"""The folder of a run in which the config's own paths lie."""
A_DAY = "86400"
"""Seconds between flushes: no check lasts that long, so nothing is ever sent."""


class NotStarted(Exception):
    """The config holds what is not started here, whatever the engine would say; the text says what."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something of the router's task that is not here. `word`: what an engine that misses it says; "" for anything
    that is about the section.
    """

    what: str
    section: int
    word: str = ""


@dataclass(slots=True)
class Moved:
    """What stands for what in one run."""

    free_port: Callable[[], int]
    engine: str
    """One of fluentbit.engines.VERSIONS."""
    ports: dict[str, str] = field(default_factory=dict)
    """The config's own port → the free one."""
    paths: dict[str, str] = field(default_factory=dict)
    """The config's own path → where it lies in the run's folder."""
    needed: list[Need] = field(default_factory=list)
    """What the engine has to start without here."""
    section: int = 0
    """The one that is at hand."""

    def port(self, own: str) -> str:
        return self.ports.setdefault(own, str(self.free_port()))

    def path(self, own: str) -> str:
        """Short: a socket's path has 107 bytes at most."""
        return self.paths.setdefault(own, f"{MOVED}/{len(self.paths)}")

    def knows(self, kind: str, plugin: str, key: str) -> bool:
        """Whether the engine's plugin takes the option."""
        found = catalogue.plugin(_KINDS[kind], plugin, self.engine)
        return found is not None and (found.open or found.option(key) is not None)

    def need(self, what: str, word: str = "") -> None:
        self.needed.append(Need(what, self.section, word))


def harmless(config: Config, moved: Moved) -> Config:
    """Raises NotStarted."""
    sections: list[Section] = []
    for index, one in enumerate(config.sections):
        moved.section = index
        sections.append(_section(one, moved))
    if not any(one.name.upper() == "SERVICE" for one in sections):
        sections.append(Section("SERVICE", _service((), moved)))
    return Config(tuple(sections))


def _section(section: Section, moved: Moved) -> Section:
    kind = section.name.upper()
    entries = tuple((key.lower(), value) for key, value in section.entries)
    names = [value.lower() for key, value in entries if key == "name"]
    if kind not in _KINDS or len(names) > 1:  # Fluent Bit takes [OUT] for [OUTPUT], and one of the names
        raise NotStarted(f"it holds a section [{section.name}] that is not understood here")
    plugin = names[0] if names else ""
    if plugin in rules.NEVER_STARTED.get(kind, ()):
        raise NotStarted(f"it holds the {kind.lower()} {plugin}, which is not started here")
    if kind == "SERVICE":
        return Section(section.name, _service(entries, moved))
    if kind == "OUTPUT" and plugin in rules.GO_PLUGINS:
        return _in_its_place(section, "null")
    if kind == "FILTER" and plugin == rules.ASKS_METADATA:
        return _in_its_place(section, "grep")
    if kind == "FILTER" and plugin == "lua":
        return Section(section.name, _lua(entries))
    return Section(section.name, _plugin(kind, plugin, entries, moved))


def _in_its_place(section: Section, plugin: str) -> Section:
    """One that does nothing, on the same records and under the same alias."""
    kept = (one for one in section.entries if one[0].lower() in ("match", "match_regex", "alias"))
    return Section(section.name, (("name", plugin), *kept))


def _service(entries: tuple[Entry, ...], moved: Moved) -> tuple[Entry, ...]:
    """Quiet for a day, its log on stderr, at a level at which it says that it is up."""
    said: list[Entry] = []
    for key, value in entries:
        if key == "log_level" and value.lower() in rules.LEVELS:
            said.append((key, "info"))
        elif key == "flush":
            said.append((key, A_DAY))
        elif key == "storage.rejected.path":
            said.append((key, "rejected"))
        elif key not in ("http_port", "http_listen"):
            said += _entry("SERVICE", "", key, value, moved)
    given = dict(entries)
    port = moved.port(given.get("http_port", str(HTTP_SERVER.number)))
    return (
        *said,
        ("http_listen", "127.0.0.1"),
        ("http_port", port),
        *(() if "flush" in given else (("flush", A_DAY),)),
    )


def _is_file(key: str) -> bool:
    """Of a lua filter: its program, and whatever else would name a file."""
    return key == "code" or names_a_path("lua", key) or key.endswith(".dir")


def _lua(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The same function by name, and nothing in it. Code runs when an engine starts."""
    call = next((value for key, value in entries if key == "call"), "")
    name = call if _LUA_NAME.fullmatch(call) and not _LUA_WORDS.fullmatch(call) else "cb"
    kept = [(key, name if key == "call" else value) for key, value in entries if not _is_file(key)]
    if any(key in ("code", "script") for key, _ in entries):
        kept.append(("code", f"function {name}(tag, timestamp, record) return 0, timestamp, record end"))
    return tuple(kept)


def _plugin(kind: str, plugin: str, entries: tuple[Entry, ...], moved: Moved) -> tuple[Entry, ...]:
    listens = (LISTENING if kind == "INPUT" else EXPORTERS if kind == "OUTPUT" else {}).get(plugin)
    given = dict(entries)
    said: list[Entry] = []
    for key, value in entries:
        if listens and key in ("port", "listen", "host"):
            continue
        if kind == "INPUT" and key == "port":
            said.append((key, rules.DEAD_PORT))  # of a server that the input asks
        elif kind == "INPUT" and key == "tls":
            said.append((key, "off"))  # its certificate is a file of the image
        else:
            said += _entry(kind, plugin, key, value, moved)
    if listens:
        address = "listen" if kind == "INPUT" else "host"
        said += [(address, "127.0.0.1"), ("port", moved.port(given.get("port", str(listens.number))))]
    if there := rules.THERE.get((kind, plugin)):
        moved.need(there)
    made = (key for key in rules.MADE.get((kind, plugin), ()) if key not in given and moved.knows(kind, plugin, key))
    return (*said, *((key, moved.path(f"the default {key}")) for key in made))


def _entry(kind: str, plugin: str, key: str, value: str, moved: Moved) -> list[Entry]:
    """The entry as it may stand here; none where it is left out."""
    if key in rules.DROPPED or key in rules.TLS_FILES or rules.RDKAFKA.match(key) or rules.ROOTS.fullmatch(key):
        return []
    if key in rules.NEEDED:
        moved.need(value, rules.NEEDED[key])
        return []
    if key in rules.HOSTS:
        return [(key, rules.DEAD_HOST)]
    if key in rules.URLS:
        return [(key, f"http://{rules.DEAD_HOST}:{rules.DEAD_PORT}")]
    if key in rules.BROKERS:
        return [(key, f"{rules.DEAD_HOST}:{rules.DEAD_PORT}")]
    if kind == "OUTPUT" and plugin == "file" and key in ("file", "fallback_file"):
        return [(key, "records")]
    if rules.names_a_file(kind, plugin, key):
        return [(key, _place(kind, plugin, key, value, moved))]
    return [(key, value)]


def _place(kind: str, plugin: str, key: str, value: str, moved: Moved) -> str:
    if kind == "INPUT" and plugin in ("tail", "head"):
        return f"{moved.path(value)}/*.log" if plugin == "tail" and key == "path" else moved.path(value)
    ours = key in rules.WRITTEN or (plugin, key) in {("file", "path"), ("syslog", "path")}
    asked = key == "unix_path" and (kind == "OUTPUT" or plugin == "docker_events")  # somebody else's socket
    if asked or not ours:
        moved.need(value)
    return moved.path(value)
