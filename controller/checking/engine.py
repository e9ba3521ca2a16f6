"""One Fluent Bit binary, and what it makes of a config: started for a moment where it can do no harm."""

from __future__ import annotations

import re
import signal
import socket
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from controller.checking.harmless import MOVED, NotStarted
from controller.checking.model import Result, Verdict, unchecked
from controller.checking.presented import present
from controller.checking.process import USUAL, Bounds, Seen, watch
from controller.checking.rules import DEAD_HOST, DEAD_PORT
from controller.checking.words import Said, is_deadly, is_up, read
from controller.fluentbit.catalogue import PLUGIN_KINDS, versions_with
from controller.fluentbit.engines import VERSIONS

_NOWHERE = f"http://{DEAD_HOST}:{DEAD_PORT}"
ATTEMPTS, TRYING = 20, 2.0
"""Starts, and seconds in which they begin. A port that was free may be taken when the engine comes to it; and of four
times that 1.9.10 ends at once, its log is lost in one or two.
"""
_KILLED_BY_US = frozenset({signal.SIGKILL, signal.SIGXCPU, signal.SIGXFSZ})
"""Or by a kernel short of memory: nothing that the config must answer for."""
_VERSION = re.compile(rb"Fluent Bit v(\d+(?:\.\d+)+)")


class WrongBinary(Exception):
    """The binary is not the engine that it is said to be; the text says why."""


@dataclass(frozen=True, slots=True)
class Engine:
    """`version` as stated: 5.1 stands for 5.1.1 and 5.1.5 too."""

    version: str
    program: Path
    bounds: Bounds = USUAL

    @property
    def line(self) -> str:
        """The engine of the specs that it stands for."""
        return next((one for one in VERSIONS if f"{self.version}.".startswith(f"{one}.")), self.version)

    def judge(self, pipeline: bytes, parsers: bytes | None) -> Verdict:
        """Raises OSError where nothing can be started."""
        try:
            until = time.monotonic() + TRYING
            for attempt in range(ATTEMPTS):
                seen, said = self._run(pipeline, parsers)
                told = said.words and (attempt or not said.collided)
                if not _ended(seen) or told or time.monotonic() > until:
                    break
        except NotStarted as error:
            return unchecked(str(error))
        return self._verdict(seen, said)

    def confirm(self) -> None:
        """Raises WrongBinary, or OSError where it cannot be started."""
        with tempfile.TemporaryDirectory(prefix="logroute-check-", ignore_cleanup_errors=True) as folder:
            seen = watch(
                [str(self.program.absolute()), "--version"],
                environment=environment(Path(folder), {}),
                folder=Path(folder),
                bounds=self.bounds,
                is_up=lambda _said: False,
                both=True,
            )
        found = _VERSION.search(seen.said)
        if not found:
            raise WrongBinary(f"{self.program} does not answer --version as Fluent Bit does")
        version = found[1].decode()
        if version != self.version and not version.startswith(f"{self.version}."):
            raise WrongBinary(f"{self.program} is Fluent Bit {version}, not {self.version}")

    def _run(self, pipeline: bytes, parsers: bytes | None) -> tuple[Seen, Said]:
        presented = present(pipeline, parsers, self.line, free_port)
        program = str(self.program.absolute())
        with tempfile.TemporaryDirectory(prefix="logroute-check-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            (folder / MOVED).mkdir()
            for file, body in presented.files.items():
                (folder / file).write_bytes(body)
            seen = watch(
                [program, *presented.arguments],
                environment=environment(folder, presented.variables),
                folder=folder,
                bounds=self.bounds,
                is_up=is_up,
            )
        return seen, read(seen.said, presented, hide=(str(folder.resolve()), name, program))

    def _verdict(self, seen: Seen, said: Said) -> Verdict:
        name = f"Fluent Bit {self.version}"
        if not _ended(seen):
            if seen.up:
                return Verdict(
                    Result.ACCEPTED, f"{name} starts on it", said.doubts, said.sections if said.doubts else ()
                )
            return unchecked(f"{name} neither came up nor ended within {self.bounds.seconds:g} s")
        if seen.code is not None and -seen.code in _KILLED_BY_US:
            return unchecked(f"{name} was stopped by {signal.Signals(-seen.code).name} before it came up")
        if said.stood_in:
            return unchecked(f"{name} looks into a value that is a secret or variable, and here there is none")
        if self._lacks(said.unknown_plugin):
            return unchecked(f"this build of {name} was made without {said.unknown_plugin}")
        if said.missing:
            return unchecked(
                f"{name} does not start without what only the router's task has: {', '.join(said.missing)}"
            )
        if said.asks_around:
            return unchecked(f"{name} asks a server when it starts, and here none answers")
        return Verdict(Result.REJECTED, f"{name} refuses it", said.words or (_end_of(seen),), said.sections)

    def _lacks(self, plugin: str) -> bool:
        """A plugin that this version has, but not every build of it."""
        return bool(plugin) and any(self.line in versions_with(kind, plugin) for kind in PLUGIN_KINDS)


def environment(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """All that the engine gets: nothing of ours, keys that open nothing, and a proxy that answers nothing.

    Fluent Bit sends every upstream by way of HTTP_PROXY (flb_upstream.c), STS among them.
    """
    return {
        **variables,
        "HOME": str(folder),
        "AWS_ACCESS_KEY_ID": "dummy",
        "AWS_SECRET_ACCESS_KEY": "dummy",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": _NOWHERE,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": _NOWHERE,
        "ECS_CONTAINER_METADATA_URI_V4": _NOWHERE,
        "HTTP_PROXY": _NOWHERE,
        "NO_PROXY": "169.254.169.254",  # its client is not made through a proxy; with keys at hand it is not asked
        "MALLOC_ARENA_MAX": "2",
    }


def free_port() -> int:
    """Free on loopback for TCP and for UDP."""
    for _ in range(20):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((DEAD_HOST, 0))
            port: int = tcp.getsockname()[1]
            with suppress(OSError):
                udp.bind((DEAD_HOST, port))
                return port
    raise OSError("no port is free on 127.0.0.1")


def _ended(seen: Seen) -> bool:
    return seen.code is not None or is_deadly(seen.said)


def _end_of(seen: Seen) -> str:
    if seen.code is not None and seen.code < 0:
        return f"it crashed ({signal.Signals(-seen.code).name})"
    return f"it ended with status {seen.code} and said nothing"
