"""A router as ECS starts it: the agent's generated config, the init image's includes, a forward input to feed.

The agent's part follows amazon-ecs-agent's firelensconfig_unix.go; the init part aws-for-fluent-bit's
fluent_bit_init_process.go.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

AGENT = """
[INPUT]
    Name forward
    Mem_Buf_Limit 50MB
    unix_path {folder}/fluent.sock

[INPUT]
    Name forward
    Listen 127.0.0.1
    Port {port}

{metadata}[OUTPUT]
    Name null
    Match firelens-healthcheck
"""
METADATA = """[FILTER]
    Name record_modifier
    Match *
    Record ecs_cluster mycluster
    Record ecs_task_arn arn:aws:ecs:us-east-2:123456789012:task/mycluster/3de392df6bfa470b97edaa6f482cd7a0
    Record ecs_task_definition example:1

"""
EXPORTED = {
    "ECS_CLUSTER": "mycluster",
    "ECS_TASK_ARN": "arn:aws:ecs:us-east-2:123456789012:task/mycluster/3de392df6bfa470b97edaa6f482cd7a0",
    "ECS_TASK_DEFINITION": "example:1",
    "AWS_REGION": "us-east-2",
}
"""What the init image's script sets."""
TASK_ID = "3de392df6bfa470b97edaa6f482cd7a0"
PATIENCE = 30.0
"""Seconds until a start, a delivery or an end counts as failed."""


@dataclass(slots=True)
class Engine:
    """One run of a real Fluent Bit, as the init image would start it."""

    program: str
    folder: Path
    pipeline: bytes
    parsers: bytes | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    metadata: bool = True
    """Whether the agent adds the ECS fields: `enable-ecs-log-metadata`."""
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.port = free_port()
        (self.folder / "pipeline.conf").write_bytes(self.pipeline)
        (self.folder / "agent.conf").write_text(
            AGENT.format(folder=self.folder, port=self.port, metadata=METADATA if self.metadata else "")
        )
        (self.folder / "init.conf").write_text(
            f"@INCLUDE {self.folder / 'agent.conf'}\n@INCLUDE {self.folder / 'pipeline.conf'}\n"
        )
        command = [self.program, "-c", str(self.folder / "init.conf")]
        if self.parsers is not None:
            (self.folder / "parsers.conf").write_bytes(self.parsers)
            command += ["-R", str(self.folder / "parsers.conf")]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=self._environment(), cwd=self.folder
            )
        self._wait_until_listening()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def send(self, tag: str, records: Iterable[Mapping[str, Any]]) -> None:
        """Through the forward input, in message mode (Fluentd's forward protocol, version 1)."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as wire:
            for record in records:
                wire.sendall(b"\x93" + packed(tag) + packed(1_750_000_000) + packed(dict(record)))

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def _environment(self) -> dict[str, str]:
        dead = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return {"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder), **dead, **EXPORTED, **self.environment}

    def _wait_until_listening(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"the engine ended with {self.process.returncode}:\n{self.log()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the engine does not listen:\n{self.log()}")


def until_delivered(engine: Engine, file: Path) -> bool:
    """Waits for a file that an output writes; False where the engine ends before, or is late."""
    assert engine.process is not None
    until = time.monotonic() + PATIENCE
    while not file.exists() and engine.process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    return file.exists()


def engine_version(program: str) -> str:
    """As the catalogue names it: 1.9.10, 5.0.9, 5.1."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"v(\d+\.\d+)\.(\d+)", said)
    assert version, said
    return version[1] if version[1] == "5.1" else f"{version[1]}.{version[2]}"


def firelens_record(container: str, line: str) -> dict[str, str]:
    """What Docker's fluentd driver sends for one line."""
    return {
        "container_id": f"{container}-id",
        "container_name": f"/{container}",
        "source": "stdout",
        "log": line,
    }


def tag(container: str) -> str:
    return f"{container}-firelens-{TASK_ID}"


def delivered_to_files(config: bytes, folder: Path) -> bytes:
    """The config with each output writing to a file named after its alias, what it matches unchanged.

    Port 2020 becomes a free one: engines of several tests run at once.
    """
    sections = config.decode().split("\n\n")
    done = [_to_file(one, folder) if one.startswith("[OUTPUT]") else one for one in sections]
    return re.sub(r"http_port \d+", f"http_port {free_port()}", "\n\n".join(done)).encode()


def _to_file(section: str, folder: Path) -> str:
    entries = dict(line.strip().split(" ", 1) for line in section.splitlines()[1:])
    match = "match" if "match" in entries else "match_regex"
    kept = {"name": "file", match: entries[match], "alias": entries["alias"], "path": str(folder)}
    lines = "\n".join(f"    {key} {value}" for key, value in {**kept, "file": entries["alias"]}.items())
    return f"[OUTPUT]\n{lines}\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def packed(value: Any) -> bytes:
    """MessagePack for what a log record holds: text, small maps, whole numbers."""
    if isinstance(value, str):
        data = value.encode()
        return b"\xdb" + len(data).to_bytes(4, "big") + data
    if isinstance(value, int):
        return b"\xce" + value.to_bytes(4, "big")
    pairs = b"".join(packed(key) + packed(one) for key, one in value.items())
    return b"\xdf" + len(value).to_bytes(4, "big") + pairs
