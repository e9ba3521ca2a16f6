"""A FireLens task definition as ECS makes it run: what the agent generates from it, what the init image includes.

Written from amazon-ecs-agent (firelensconfig_unix.go and the template of its generator) and aws-for-fluent-bit
(fluent_bit_init_process.go), so that a hand-made router and LogRoute's own can be run side by side. Each output
becomes a file, which matches what the output matched; paths and ports of the image become the test's own.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.engine.ecs import PATIENCE, free_port, packed

METADATA = {
    "ecs_cluster": "mycluster",
    "ecs_task_arn": "arn:aws:ecs:us-east-2:123456789012:task/mycluster/3de392df6bfa470b97edaa6f482cd7a0",
    "ecs_task_definition": "example:1",
}
IMAGE_PARSERS = "[PARSER]\n    Name json\n    Format json\n    Time_Key time\n    Time_Format %d/%b/%Y:%H:%M:%S %z\n"
"""Stands for /fluent-bit/parsers/parsers.conf."""
IMAGE_CONFIGS = {
    "/fluent-bit/configs/output-metrics-healthcheck.conf": "[SERVICE]\n    HTTP_Server On\n    HTTP_Listen 127.0.0.1\n"
    "    HTTP_Port 2020\n    Health_Check On\n    HC_Errors_Count 5\n    HC_Retry_Failure_Count 5\n    HC_Period 5\n",
    "/fluent-bit/configs/parse-json.conf": "[SERVICE]\n    Parsers_File /fluent-bit/parsers/parsers.conf\n"
    "[FILTER]\n    Name parser\n    Match *\n    Key_Name log\n    Parser json\n    Reserve_Data True\n",
}
"""What AWS's image has there does this."""
OF_TASK = {"AWS_REGION": "us-west-2", "HOSTNAME": "ip-10-0-0-1"}
BY_INIT = {
    "ECS_CLUSTER": METADATA["ecs_cluster"],
    "ECS_TASK_ARN": METADATA["ecs_task_arn"],
    "ECS_TASK_DEFINITION": METADATA["ecs_task_definition"],
    "ECS_TASK_ID": "3de392df6bfa470b97edaa6f482cd7a0",
}
AGENT_OPTIONS = {"include-pattern", "exclude-pattern", "log-driver-buffer-limit"}


class Ended(AssertionError):
    """The engine does not start with this config."""


@dataclass(slots=True)
class Task:
    """One run of the router of `definition`, whose config files are below `files`."""

    program: str
    folder: Path
    definition: Mapping[str, Any]
    files: Path
    instead: Path | None = None
    """The config that an entrypoint of the image's own runs, instead of all that FireLens and init make."""
    image: Path | None = None
    """Where files of the image are, if not below `files`."""
    outputs: int = 0
    port: int = 0
    listening: dict[str, int] = field(default_factory=dict)
    """Ports of the config's own inputs → where they are."""
    process: subprocess.Popen[bytes] | None = None
    _copies: dict[str, Path] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.folder.mkdir()
        (self.folder / "image-parsers.conf").write_text(IMAGE_PARSERS)
        self.port = free_port()
        command = [self.program, "-f", "0.2", *self._arguments()]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=self._environment(), cwd=self.folder
            )
        self._wait_until_listening()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def send(self, tag: str, records: Iterable[Mapping[str, Any]]) -> None:
        """On one connection, so that they arrive in this order."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as wire:
            for record in records:
                wire.sendall(b"\x93" + packed(tag) + packed(1_750_000_000) + packed(dict(record)))

    def send_lines(self, port: str, lines: Iterable[str]) -> None:
        """To an input tcp of the config's own."""
        with socket.create_connection(("127.0.0.1", self.listening[port]), PATIENCE) as wire:
            wire.sendall("".join(f"{line}\n" for line in lines).encode())

    def delivered(self) -> list[list[str]]:
        """The records of each output with their tags, by its place in the config; order across tags means nothing."""
        return [self._lines(number) for number in range(self.outputs)]

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def _lines(self, number: int) -> list[str]:
        path = self.folder / f"output-{number}"
        return sorted(_untimed(line) for line in path.read_text().splitlines()) if path.exists() else []

    def _router(self) -> Mapping[str, Any]:
        containers: list[Mapping[str, Any]] = self.definition["containerDefinitions"]
        return next(one for one in containers if one.get("firelensConfiguration"))

    def _options(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self._router()["firelensConfiguration"].get("options") or {}
        return found

    def _arguments(self) -> list[str]:
        if self.instead:
            return ["-c", str(self._copy(self.instead))]
        includes, arguments = [self._main()], []
        for pair in self._router().get("environment") or ():
            if "aws_fluent_bit_init_" not in pair["name"]:
                continue
            path = self._find(pair["value"])
            if "[PARSER]" in path.read_text() or "[MULTILINE_PARSER]" in path.read_text():
                arguments += ["-R", str(self._copy(path))]
            else:
                includes.append(self._copy(path))
        init = self.folder / "init.conf"
        init.write_text("".join(f"@INCLUDE {path}\n" for path in includes))
        return ["-c", str(init), *arguments]

    def _main(self) -> Path:
        """fluent-bit.conf of the agent."""
        parts = [
            f"[INPUT]\n    Name forward\n    unix_path {self.folder}/fluent.sock\n",
            f"[INPUT]\n    Name forward\n    Listen 127.0.0.1\n    Port {self.port}\n",
            f"[INPUT]\n    Name tcp\n    Tag firelens-healthcheck\n    Listen 127.0.0.1\n    Port {free_port()}\n",
            *self._patterns("include-pattern", "Regex"),
            *self._patterns("exclude-pattern", "Exclude"),
        ]
        if self._options().get("enable-ecs-log-metadata", "true") == "true":
            records = "".join(f"    Record {key} {value}\n" for key, value in METADATA.items())
            parts.append(f"[FILTER]\n    Name record_modifier\n    Match *\n{records}")
        if custom := self._options().get("config-file-value"):
            parts.append(f"@INCLUDE {self._copy(self._find(custom))}\n")
        parts.append("[OUTPUT]\n    Name null\n    Match firelens-healthcheck\n")
        parts += [self._redirected(one) for one in self._outputs()]
        path = self.folder / "fluent-bit.conf"
        path.write_text("\n".join(parts))
        return path

    def _routed(self) -> Iterable[tuple[str, dict[str, str], list[dict[str, str]]]]:
        for one in self.definition["containerDefinitions"]:
            config = one.get("logConfiguration") or {}
            if config.get("logDriver") == "awsfirelens":
                yield one["name"], config.get("options") or {}, config.get("secretOptions") or []

    def _patterns(self, option: str, key: str) -> Iterable[str]:
        for name, options, _ in self._routed():
            if option in options:
                yield f"[FILTER]\n    Name grep\n    Match {name}-firelens*\n    {key} log {options[option]}\n"

    def _outputs(self) -> Iterable[str]:
        for name, options, secrets in self._routed():
            said = {key: value for key, value in options.items() if key not in AGENT_OPTIONS}
            said |= {one["name"]: f"${{{one['name']}_1}}" for one in secrets}
            if said:
                lines = "".join(f"    {key} {said[key]}\n" for key in sorted(said) if key.lower() != "name")
                yield f"[OUTPUT]\n    Name {said.get('Name') or said['name']}\n    Match {name}-firelens*\n{lines}"

    def _find(self, value: str) -> Path:
        if value == "/fluent-bit/parsers/parsers.conf":
            return self.folder / "image-parsers.conf"
        if value in IMAGE_CONFIGS and not (self.files / Path(value).name).exists():
            path = self.folder / f"image-{Path(value).name}"
            path.write_text(IMAGE_CONFIGS[value])
            return path
        relative = value.rsplit(":::", maxsplit=1)[-1].lstrip("/")
        for folder in (self.files, self.image or self.files):
            for path in (folder / relative, folder / Path(relative).name):
                if path.exists():
                    return path
        raise AssertionError(f"{value} is not below {self.files}")

    def _copy(self, path: Path) -> Path:
        """The file with what belongs to the image made the test's own."""
        copy = self.folder / f"{len(self._copies)}-{path.name}"
        self._copies[str(path)] = copy
        text = self._redirected(self._rewritten(path.read_text()))
        copy.write_text(text)
        return copy

    def _rewritten(self, text: str) -> str:
        text = re.sub(r"(?im)^(\s+parsers_file\s+)(\S+)", lambda one: one[1] + self._parsers(one[2]), text)
        text = re.sub(r"(?im)^(\s+script\s+)(\S+)", lambda one: f"{one[1]}{self._find(one[2])}", text)
        text = re.sub(r"(?im)^@include (.+)$", lambda one: self._included(one[1].strip()), text)
        text = re.sub(r"(?im)^(\s+http_port\s+)\d+", lambda one: one[1] + str(free_port()), text)
        text = re.sub(r"(?im)^(\s+flush\s+)\S+", r"\g<1>0.2", text)
        text = re.sub(r"(?im)^(\s+port\s+)(\d+)$", lambda one: one[1] + self._listening(one[2]), text)
        text = text.replace("/var/run/fluent.sock", f"{self.folder}/fluent.sock")
        return text.replace("/var/log/", f"{self.folder}/").replace("/logs/app.log", f"{self.folder}/app.log")

    def _listening(self, port: str) -> str:
        """Of outputs, too, which are files here."""
        if port == "24224":
            return str(self.port)
        return str(self.listening.setdefault(port, free_port()))

    def _parsers(self, value: str) -> str:
        return str(self._copy(self._find(value)))

    def _included(self, value: str) -> str:
        paths = sorted(self.files.glob(value.lstrip("/"))) if "*" in value else [self._find(value)]
        return "\n".join(f"@INCLUDE {self._copy(path)}" for path in paths)

    def _redirected(self, text: str) -> str:
        """Each [OUTPUT] as a file, numbered in the order that the engine reads them."""
        head, *sections = re.split(r"(?im)^(?=\[)", text)
        done = []
        for section in sections:
            if not section.upper().startswith("[OUTPUT]") or "firelens-healthcheck" in section:
                done.append(section)
                continue
            match = re.findall(r"(?im)^\s+(match|match_regex)\s+(.+)$", section)
            if not match:
                done.append("[OUTPUT]\n    name null\n\n")  # it gets no records, and must not come to get any
                continue
            done.append(
                "[OUTPUT]\n    name file\n"
                + "".join(f"    {key} {value.strip()}\n" for key, value in match)
                + f"    path {self.folder}\n    file output-{self.outputs}\n\n"
            )
            self.outputs += 1
        return head + "".join(done)

    def _environment(self) -> dict[str, str]:
        pairs = self._router().get("environment") or ()
        own = {pair["name"]: pair["value"] for pair in pairs if "aws_fluent_bit_init_" not in pair["name"]}
        secrets = {one["name"]: "a-secret" for one in self._router().get("secrets") or ()}
        by_init = BY_INIT if len(own) < len(pairs) or ":init-" in self._router()["image"] else {}
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), **OF_TASK, **by_init, **own, **secrets}

    def _wait_until_listening(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            assert self.process
            if self.process.poll() is not None:
                raise Ended(f"the engine ended with {self.process.returncode}:\n{self.log()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the engine does not listen:\n{self.log()}")


def _untimed(line: str) -> str:
    """`tag: [time, record]` without the time, which for what the engine makes itself is that of its making; the keys
    sorted, for Lua has no order, and a key that is there twice twice.
    """
    tag, _, rest = line.partition(": [")
    _, record = json.loads(f"[{rest}", object_pairs_hook=sorted)
    return f"{tag}: {json.dumps(record)}"


def definition(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found
