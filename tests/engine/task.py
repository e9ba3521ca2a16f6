"""One task as an engine test sees it: specs and a definition in, records by output out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.cli.main import main
from tests.engine.ecs import Engine, delivered_to_files, firelens_record, tag
from tests.support.playground import SEED

SEED_SPEC = Path(__file__).parent.parent.parent / "specs" / "httpd.yaml"
PATIENCE = 20.0
CLUSTER = "example-poc-app"
Records = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Injected:
    """What `logroute inject` made."""

    configs: Mapping[str, bytes]
    """By base name."""
    definition: Mapping[str, Any]

    @property
    def routed(self) -> list[str]:
        """The containers whose lines come to the router at all."""
        drivers = {one["name"]: one.get("logConfiguration", {}) for one in self.definition["containerDefinitions"]}
        return [name for name, driver in drivers.items() if driver.get("logDriver") == "awsfirelens"]

    @property
    def agent_adds_metadata(self) -> bool:
        router = next(one for one in self.definition["containerDefinitions"] if "firelensConfiguration" in one)
        return bool(router["firelensConfiguration"]["options"]["enable-ecs-log-metadata"] == "true")


def injected(folder: Path, spec: Path, definition: Path | None = None) -> Injected:
    source = definition or SEED / "task-definition.plain.json"
    arguments = ["inject", "--task-definition", str(source), "--specs", str(spec), "--cluster", CLUSTER]
    arguments += ["--config-store", "s3://configs/logroute", "--region", "ap-northeast-1"]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--config-dir", str(folder / "out"), "-o", str(folder / "td.json")])
    assert ended.value.code == 0
    configs = {path.name: path.read_bytes() for path in (folder / "out").rglob("*.conf")}
    return Injected(configs, json.loads((folder / "td.json").read_text()))


def route(name: str, **spec: Any) -> dict[str, Any]:
    """A LogRoute on every service; `containers` goes to its target, all else into its pipeline."""
    target = {"cluster": CLUSTER, "services": ["*"], "containers": spec.pop("containers", [])}
    pipeline = {"outputs": [{"name": "stdout", "alias": "o"}], **spec}
    return {
        "apiVersion": "logroute.dev/v1alpha1",
        "kind": "LogRoute",
        "metadata": {"name": name, "namespace": "web"},
        "spec": {"target": target, "pipeline": pipeline},
    }


def task(folder: Path, documents: Iterable[Mapping[str, Any]], containers: Iterable[str] = ("app",)) -> Injected:
    """The documents, injected into a definition with these containers, which leave room for the router."""
    body = json.loads((SEED / "task-definition.plain.json").read_text())
    app = body["containerDefinitions"][0] | {"portMappings": [], "memoryReservation": 16}
    body["containerDefinitions"] = [app | {"name": name} for name in containers]
    (folder / "definition.json").write_text(json.dumps(body))
    (folder / "routes.yaml").write_text("---\n".join(yaml.safe_dump(dict(one)) for one in documents))
    return injected(folder, folder / "routes.yaml", folder / "definition.json")


def started(fluent_bit: str, folder: Path, made: Injected) -> Engine:
    """The task's router with each output turned into a file."""
    pipeline = delivered_to_files(made.configs["pipeline.conf"], folder)
    return Engine(fluent_bit, folder, pipeline, made.configs.get("parsers.conf"), metadata=made.agent_adds_metadata)


def feed(engine: Engine, lines: Mapping[str, Iterable[str]]) -> None:
    """Lines by container."""
    for container, some in lines.items():
        engine.send(tag(container), (firelens_record(container, line) for line in some))


def records_of(folder: Path, alias: str) -> list[dict[str, Any]]:
    """What the output with this alias wrote. A key that stands twice in a record fails the test."""
    path = folder / alias
    text = path.read_text() if path.exists() else ""
    return [json.loads(line.split(", ", 1)[1][:-1], object_pairs_hook=_once) for line in text.splitlines()]


def lines_of(folder: Path, alias: str) -> list[str]:
    return [str(record["log"]) for record in records_of(folder, alias)]


def until(true: Callable[[], bool]) -> None:
    """A real engine has a clock of its own."""
    end = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < end:
        time.sleep(0.1)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), f"a key twice: {[key for key, _ in pairs]}"
    return dict(pairs)
