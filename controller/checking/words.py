"""What an engine says, read from its log: whether it is up, and why it is not. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from controller.checking.harmless import MOVED
from controller.checking.presented import PIPELINE, STAND_IN, Presented
from controller.fluentbit.variables import used

MAX_WORDS, MAX_LENGTH = 6, 300
MAX_ERRORS, MAX_LINE = 100, 1000
"""What is looked through: the reason comes first, and a config can make an engine say much of itself."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LINE = re.compile(r"(?:\[[\d/]+ [\d:.]+\] )?\[ *(info|warn|error|help)\] (.*)")
_UP = "[sp] stream processor started"
"""The last thing that 1.9.10, 5.0.9 and 5.1 say of a start at log level info (flb_engine.c)."""
_DEADLY = re.compile(r"could not (?:bind address|start HTTP server)|couldn't bind")
"""5.0.9 lives on without its HTTP server, and ECS kills the task later, for its health check fails for ever."""
_FOLLOWS = re.compile(
    r"(?:\[lib\] backend failed|configuration file contains errors, aborting\.?|\[engine\] \w+ initialization failed"
    r"|(?:\[\w+\] )?[Ff]ailed (?:to )?initialize .*|\[\S+\] [Ii]nitialization failed\.?"
    r"|\[config\] could not configure service property 'parsers_file')$"
)
"""Said after the real reason."""
_NETWORK = re.compile(
    r"no upstream connection|could not (?:connect|get an upstream)|failed to connect|[Cc]onnection refused"
    r"|metadata (?:server|connection)|getaddrinfo|could not fetch|failed to retrieve|token retrieval"
)
_DOUBT = re.compile(r"parser|regex|pattern|multiline")
"""Not those on files, servers and sensors, which are other here."""
_ERRNO = re.compile(r"\[/\S+ errno=\d+\] ")
"""Where in its sources the engine noticed it."""
_INSTANCE = re.compile(r"\[(input|filter|output):[^:\]\s]+:([^\]\s]+)\]|[Ff]ailed initialize (input|filter) (\S+)")
_PLUGIN = re.compile(r"section (?:name )?'([^']+)'|\[config\] ([a-z0-9_-]+): ")
_UNKNOWN_PLUGIN = re.compile(r"section '([^']+)' tried to instance a plugin name")
_AT = re.compile(rf"{re.escape(PIPELINE)}:(\d+)")


@dataclass(frozen=True, slots=True)
class Said:
    """`words`: the reasons, as they may be shown. `sections` of the pipeline that they are about."""

    words: tuple[str, ...]
    sections: tuple[int, ...]
    doubts: tuple[str, ...] = ()
    """Of the words those that hold in a router's task too: an engine may start without a parser that is asked for."""
    missing: tuple[str, ...] = ()
    """What it does not find here, and might in the router's task."""
    unknown_plugin: str = ""
    stood_in: bool = False
    """It complains of a stand-in: nobody knows what it would say to the real value."""
    asks_around: bool = False
    """It could not reach a server: here it can reach none."""
    collided: bool = False
    """A port was taken."""


def is_up(log: bytes) -> bool:
    return any(level == "info" and text == _UP for level, text in _lines(log))


def is_deadly(log: bytes) -> bool:
    """It lives on, as a router must not."""
    return any(level in ("error", "warn") and _DEADLY.search(text) for level, text in _lines(log))


def read(log: bytes, presented: Presented, *, hide: tuple[str, ...] = ()) -> Said:
    """`hide`: paths of the run and of the binary."""
    lines = _lines(log)
    errors = [text for level, text in lines if level == "error" or (level == "warn" and "annot listen" in text)]
    errors = errors[:MAX_ERRORS]
    reasons = [text for text in errors if not _FOLLOWS.match(text)]
    reasons = [
        text for text in reasons if f"{MOVED}/" not in text
    ] or reasons  # a file that is not here is rarely the reason
    joined, why = "\n".join(errors), "\n".join(reasons)
    unknown = _UNKNOWN_PLUGIN.search(joined)
    sections = _sections(why, presented) or _sections(joined, presented)
    shown = {text: _shown(text, presented, hide) for text in dict.fromkeys(reasons)}
    return Said(
        tuple(dict.fromkeys(shown.values()))[:MAX_WORDS],
        sections,
        tuple(dict.fromkeys(shown[text] for text in shown if _DOUBT.search(text)))[:MAX_WORDS],
        _missing(why.lower(), sections, presented),
        unknown[1].lower() if unknown else "",
        _stood_in(why, sections, presented),
        bool(_NETWORK.search(why)),
        bool(_DEADLY.search(why)),
    )


def _lines(log: bytes) -> list[tuple[str, str]]:
    """(level, text) of the engine's own lines; the banner and the rest are none."""
    text = _COLOUR.sub("", log.decode(errors="replace"))
    found = (_LINE.fullmatch(line.rstrip()) for line in text.split("\n"))
    return [(one[1], one[2][:MAX_LINE]) for one in found if one]


def _shown(text: str, presented: Presented, hide: tuple[str, ...]) -> str:
    """With the config's own ports, paths and lines, and nothing of the run."""
    for path in hide:
        text = text.replace(f"{path}/", "").replace(path, "fluent-bit")
    text = _AT.sub(lambda found: f"{PIPELINE}:{_own_line(int(found[1]), presented)}", text)
    for own, here in sorted(presented.moved.paths.items(), key=lambda pair: -len(pair[1])):
        text = own.join(re.split(rf"(?<![\w/]){re.escape(here)}(?!\w)", text))
    for own, here in presented.moved.ports.items():
        text = own.join(re.split(rf"(?<!\d){here}(?!\d)", text))
    text = _ERRNO.sub("", text)
    text = "".join(char if char.isprintable() else " " for char in text.replace(STAND_IN, "***"))
    return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}…"


def _stood_in(text: str, sections: tuple[int, ...], presented: Presented) -> bool:
    """The stand-in itself, or the name of an option that has one."""
    entries = (entry for index in sections for entry in presented.sections[index].entries)
    options = {key.lower() for key, value in entries if STAND_IN in (presented.variables.get(v) for v in used(value))}
    if not text:  # it ended without a word: anything may be the reason
        return STAND_IN in presented.variables.values()
    return STAND_IN in text or any(re.search(rf"\b{re.escape(key)}\b", text) for key in options)


def _missing(text: str, sections: tuple[int, ...], presented: Presented) -> tuple[str, ...]:
    needed = presented.moved.needed
    found = (
        one for one in needed if not text or (one.word in text if one.word else not sections or one.section in sections)
    )
    return tuple(dict.fromkeys(one.what for one in found))


def _sections(text: str, presented: Presented) -> tuple[int, ...]:
    """By instance where one is named; by plugin where only one section has it."""
    found: list[int] = []
    for match in _INSTANCE.finditer(text):
        index = presented.section_of(match[1] or match[3], match[2] or match[4])
        found += [index] if index is not None else []
    for match in _PLUGIN.finditer(text):
        some = presented.sections_with(match[1] or match[2])
        found += some if len(some) == 1 else ()
    return tuple(dict.fromkeys(found))


def _own_line(line: int, presented: Presented) -> int:
    """A line of the file that the engine read → the line of the config's own, where it can be told."""
    own = presented.own_lines
    return own[line - 1] if 0 < line <= len(own) else line
