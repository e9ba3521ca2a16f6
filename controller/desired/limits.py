"""What bounds the router's memory and its retries, where the specs do not: options that every engine knows.

Memory buffering: the agent gives its own input half of the container's memory (amazon-ecs-agent,
firelensconfig_unix.go); a quarter is left for our inputs and copies. Filesystem buffering: chunks of 2 MB that are
up, for each input, twice (aws-for-fluent-bit, oomkill-prevention).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from controller.api.kinds import ClassSpec
from controller.desired.sections import Options

RETRIES = "5"
"""Fluent Bit's own default is 1: what fails twice is dropped."""
DEFAULT_PATH = "/var/log/flb"
UNSAID_MEMORY = 50
"""MiB, where the container states none: the agent then gives its input 25."""
MOST_CHUNKS, FEWEST_CHUNKS = 64, 4
_AGENT_INPUTS = 2
_MB_OF_A_CHUNK = 4
"""2 MB, and as much again while it is sent."""


@dataclass(frozen=True, slots=True)
class Limits:
    service: Options = field(default_factory=dict)
    """Goes over what the specs say of the service."""
    emitter: str = ""
    """Memory of each copy's emitter."""
    input_memory: str | None = None
    """Of each of our inputs; None where the filesystem takes what is too much."""
    on_disk: str | None = None
    """Of each output."""

    def input_options(self, options: Options) -> Options:
        if self.input_memory is None or "mem_buf_limit" in options or "storage.type" in options:
            return options
        return {**options, "mem_buf_limit": self.input_memory}

    def output_options(self, options: Options) -> Options:
        more = {}
        if "retry_limit" not in options:
            more["retry_limit"] = RETRIES
        if self.on_disk and "storage.total_limit_size" not in options:
            more["storage.total_limit_size"] = self.on_disk
        return {**options, **more}


def of(router: ClassSpec, *, inputs: int, copies: int) -> Limits:
    """For a router with so many inputs of ours, and copies."""
    memory = router.container.memory_reservation or router.container.memory or UNSAID_MEMORY
    share = f"{max(1, memory // 4 // max(1, inputs + copies))}M"
    if router.buffer.type == "memory":
        return Limits(emitter=share, input_memory=share)
    fitting = memory // (_MB_OF_A_CHUNK * (_AGENT_INPUTS + inputs))
    chunks = router.buffer.max_chunks_up or min(MOST_CHUNKS, max(FEWEST_CHUNKS, fitting))
    service = {
        "storage.path": router.buffer.path or DEFAULT_PATH,
        "storage.type": "filesystem",
        "storage.inherit": "on",
        "storage.max_chunks_up": str(chunks),
    }
    return Limits(service, share, None, router.buffer.total_limit_size)
