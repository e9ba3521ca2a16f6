"""A service's config as ECS would hand it to its router, and made harmless: the files of one run. Pure.

The agent's part is that of amazon-ecs-agent's firelensconfig_unix.go, the includes are those of the init image
(aws-for-fluent-bit, fluent_bit_init_process.go). All paths are relative: the engine runs in the run's folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from controller.checking.harmless import Moved, NotStarted, harmless
from controller.fluentbit.reader import from_classic
from controller.fluentbit.tree import Config, Section
from controller.fluentbit.variables import used
from controller.fluentbit.writer import to_classic

PIPELINE, PARSERS = "pipeline.conf", "parsers.conf"
STAND_IN = "logrouteStandIn0"
"""For every variable: no secret is at hand, and none may be. Its 16 letters are base64, which some keys must be."""
_KNOWN = {"AWS_REGION": "us-east-1", "AWS_AVAILABILITY_ZONE": "us-east-1a"}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS = re.compile(
    r"(?:LD_|FLB_|MALLOC_|GLIBC_|AWS_(?!REGION$|AVAILABILITY_ZONE$)).*|.*(?:PROXY|proxy)|HOME|PATH|TZDIR|SSLKEYLOGFILE"
)
"""Names that change how the engine itself runs."""
_AGENT = (
    Section("INPUT", (("Name", "forward"), ("Mem_Buf_Limit", "50MB"), ("unix_path", "fluent.sock"))),
    Section("INPUT", (("Name", "forward"), ("Listen", "127.0.0.1"), ("Port", "24224"))),
    Section("INPUT", (("Name", "tcp"), ("Tag", "firelens-healthcheck"), ("Listen", "127.0.0.1"), ("Port", "8877"))),
    Section(
        "FILTER",
        (
            ("Name", "record_modifier"),
            ("Match", "*"),
            ("Record", "ecs_cluster example"),
            ("Record", "ecs_task_arn arn:aws:ecs:us-east-1:123456789012:task/example/0123456789abcdef0123456789abcdef"),
            ("Record", "ecs_task_definition example:1"),
        ),
    ),
    Section("OUTPUT", (("Name", "null"), ("Match", "firelens-healthcheck"))),
)
INIT = "init.conf"
MOST_SECTIONS = 10_000
"""Nobody has so many. Each takes ten microseconds."""


@dataclass(frozen=True, slots=True)
class Presented:
    """`files` by name; `sections` are those of the pipeline, as it was given."""

    files: Mapping[str, bytes]
    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    sections: tuple[Section, ...]
    moved: Moved
    own_lines: tuple[int, ...]
    """For each line of the pipeline that the engine reads, the line of the one that was given."""

    def section_of(self, kind: str, instance: str) -> int | None:
        """The section by the name that the engine gives it: its alias, else plugin.number, the agent's first."""
        own = [index for index, one in enumerate(self.sections) if one.name.upper() == kind.upper()]
        for index in own:
            if any(key.lower() == "alias" and value == instance for key, value in self.sections[index].entries):
                return index
        number = instance.rpartition(".")[2]
        if not (number.isascii() and number.isdigit()):
            return None
        place = int(number) - sum(one.name == kind.upper() for one in _AGENT)
        return own[place] if 0 <= place < len(own) else None

    def sections_with(self, plugin: str) -> tuple[int, ...]:
        named = ("name", plugin.lower())
        return tuple(
            index
            for index, one in enumerate(self.sections)
            if any((key.lower(), value.lower()) == named for key, value in one.entries)
        )


def present(pipeline: bytes, parsers: bytes | None, engine: str, free_port: Callable[[], int]) -> Presented:
    """`engine` is one of fluentbit.engines.VERSIONS. Raises NotStarted where nothing may be started on it."""
    if pipeline.count(b"\n[") > MOST_SECTIONS:
        raise NotStarted(f"{PIPELINE} has more than {MOST_SECTIONS:,} sections: no engine is started on it")
    moved = Moved(free_port, engine)
    try:
        config = from_classic(pipeline)
        agent, started = _agent(moved), harmless(config, moved)
        files = {
            "agent.conf": to_classic(agent),
            PIPELINE: to_classic(started),
            INIT: f"@INCLUDE agent.conf\n@INCLUDE {PIPELINE}\n".encode(),
        }
    except ValueError as error:
        raise NotStarted(f"{PIPELINE}: {error}") from error
    if parsers is not None:
        files[PARSERS] = parsers
    arguments = ("-c", INIT, *(("-R", PARSERS) if parsers is not None else ()))
    lines = tuple(_own_lines(pipeline, config, started))
    return Presented(files, arguments, _variables(pipeline, parsers or b""), config.sections, moved, lines)


def _agent(moved: Moved) -> Config:
    """Its ports are among the others, so that an input of a route that takes one of them is seen to collide."""
    return Config(
        tuple(
            Section(one.name, tuple((key, moved.port(value) if key == "Port" else value) for key, value in one.entries))
            for one in _AGENT
        )
    )


def _variables(*texts: bytes) -> dict[str, str]:
    names: Sequence[str] = [name for text in texts for name in used(text.decode(errors="replace"))]
    return {
        name: _KNOWN.get(name, STAND_IN)
        for name in sorted(set(names))
        if _VARIABLE.fullmatch(name) and not _OURS.fullmatch(name)
    }


def _own_lines(pipeline: bytes, given: Config, started: Config) -> Iterator[int]:
    """An option that was changed keeps its line; one that was added has its section's."""
    lines = pipeline.decode().split("\n")
    numbers = iter([number for number, line in enumerate(lines, 1) if line.strip() and line.strip()[0] != "#"])
    where = [(next(numbers), {key.lower(): next(numbers) for key, _ in section.entries}) for section in given.sections]
    for section, (head, options) in zip(started.sections, where, strict=False):  # a SERVICE may have been added
        yield head
        yield from (options.get(key, head) for key, _ in section.entries)
        yield head
