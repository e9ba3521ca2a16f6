"""A running `logroute run`, and other actors who write through the sandbox's HTTP: nothing is turned from inside.

One process and one sandbox for all: each scenario has a service and a route of its own.
"""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from controller.sandbox import RealClock, Sandbox
from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml
from tests.support.process import Process

SPEED = 120.0
"""Two minutes of proof are a second here."""
NEW_IMAGE = "httpd:2.4.65"
JSON_LINES = "[{name: stdout, format: json_lines}]"


class Outside:
    """What somebody at another terminal can do and see."""

    def __init__(self, process: Process) -> None:
        self.process, self.play = process, process.play

    def post(self, action: str, **body: Any) -> dict[str, Any]:
        url = f"{self.play.sandbox.url}/_sandbox/{action}"
        request = urllib.request.Request(url, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found

    def remove_fault(self, name: str) -> None:
        url = f"{self.play.sandbox.url}/_sandbox/faults/{name}"
        urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=10).close()

    def service(self, name: str, **more: Any) -> None:
        """A service that runs, and a route that selects it, until it is routed."""
        self.play.service(name, **more)
        self.play.write(f"{name}.yaml", route_yaml(name, services=f"[{name}]"))
        self.until(partial(self.settled, name))

    def until(self, true: Callable[[], bool]) -> None:
        self.process.until(true)

    def state(self, name: str) -> str:
        """As `logroute status` shows it."""
        try:
            body = self.play.s3.get_object(Bucket=STORE, Key=f"{PREFIX}/_state/status.json")["Body"].read()
        except self.play.s3.exceptions.NoSuchKey:
            return ""
        return str(json.loads(body)["services"].get(f"main/{REGION}/{CLUSTER}/{name}", {}).get("reason", ""))

    def settled(self, name: str) -> bool:
        return self.play.is_routed(name) and self.reason(name) == "InSync"

    def reason(self, name: str) -> str:
        """The newest word on it: the status object is written every ten seconds, the log at once."""
        said = ""
        for line in self.process.lines():
            if str(line.get("service", "")).endswith(f"/{name}"):
                said = str(line.get("hold") or line["event"])
        return "InSync" if said in ("rolled out", "") and self.completed(name) else said

    def completed(self, name: str) -> bool:
        (*_, primary) = self.play.sandbox.service(CLUSTER, name)["deployments"]
        return bool(primary["rolloutState"] == "COMPLETED")

    def definition(self, name: str, image: str) -> dict[str, Any]:
        return plain_definition(name, image=image)


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    folder = tmp_path_factory.mktemp("outside")
    specs = folder / "specs"
    specs.mkdir()
    with Sandbox(region=REGION, clock=RealClock(SPEED)) as sandbox, pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        play = Playground(sandbox, specs)
        play.write("none.yaml", route_yaml("none", services="[nobody]"))
        process = Process(play, folder)
        yield Outside(process)
        process.stop(signal.SIGTERM)


def test_a_ci_deploy_from_a_file_gets_the_router_and_keeps_its_image(outside: Outside) -> None:
    outside.service("ci")
    outside.post("ci", cluster=CLUSTER, service="ci", definition=outside.definition("ci", NEW_IMAGE))
    outside.until(lambda: outside.play.containers("ci")["app"]["image"] == NEW_IMAGE)
    outside.until(lambda: outside.play.is_routed("ci"))
    assert outside.play.containers("ci")["app"]["image"] == NEW_IMAGE


def test_a_deploy_that_copies_what_runs_costs_no_write(outside: Outside) -> None:
    outside.service("copied")
    outside.post("ci_copy", cluster=CLUSTER, service="copied", image=NEW_IMAGE, container="app")
    revisions = outside.play.revisions("copied")
    outside.until(lambda: outside.completed("copied"))
    passes = outside.play.sandbox.call_counts["ecs:ListServices"]
    outside.until(lambda: outside.play.sandbox.call_counts["ecs:ListServices"] > passes + 3)
    assert outside.play.revisions("copied") == revisions
    assert outside.play.is_routed("copied")


def test_a_person_who_rolls_back_gets_the_router_onto_what_they_chose(outside: Outside) -> None:
    outside.service("rolled")
    outside.post("ci", cluster=CLUSTER, service="rolled", definition=outside.definition("rolled", NEW_IMAGE))
    outside.until(lambda: outside.play.is_routed("rolled") and outside.completed("rolled"))
    outside.post("person", roll_back={"cluster": CLUSTER, "service": "rolled", "to": "rolled:1"})
    outside.until(lambda: outside.play.containers("rolled")["app"]["image"] == "httpd")
    outside.until(lambda: outside.play.is_routed("rolled"))
    assert outside.play.containers("rolled")["app"]["image"] == "httpd"


def test_terraform_that_keeps_setting_it_back_is_contested(outside: Outside) -> None:
    outside.play.service("pinned")
    outside.post("terraform", cluster=CLUSTER, service="pinned")
    outside.play.write("pinned.yaml", route_yaml("pinned", services="[pinned]"))
    for _ in range(2):
        outside.until(lambda: outside.play.is_routed("pinned") and outside.completed("pinned"))
        outside.post("terraform", cluster=CLUSTER, service="pinned")
        outside.until(lambda: not outside.play.is_routed("pinned"))
    outside.until(lambda: outside.play.is_routed("pinned") and outside.completed("pinned"))
    outside.post("terraform", cluster=CLUSTER, service="pinned")
    outside.until(lambda: outside.reason("pinned") in ("contested", "Contested"))
    assert not outside.play.is_routed("pinned")
    assert 'logroute_services{state="Contested"} 1.0' in outside.process.get("/metrics")[1]


def test_a_register_whose_answer_is_lost_leaves_one_surplus_revision_at_most(outside: Outside) -> None:
    outside.service("lost")
    before = outside.play.revisions("lost")
    outside.post("faults", calls="ecs:RegisterTaskDefinition", effect="lose-answer", matching='"lost"')
    outside.play.write("lost.yaml", route_yaml("lost", services="[lost]", outputs=JSON_LINES))
    outside.until(lambda: outside.play.revisions("lost") > before)
    outside.until(
        lambda: outside.completed("lost") and outside.play.running("lost")["taskDefinition"]["revision"] > before
    )
    assert outside.play.revisions("lost") <= before + 2


def test_a_deleted_config_object_is_back(outside: Outside) -> None:
    outside.service("object")
    (key,) = [path for path in outside.play.configs() if _names(outside.play, "object", path)]
    outside.post("person", delete_object={"bucket": STORE, "key": f"{PREFIX}/{key}"})
    outside.until(lambda: key in outside.play.configs())


def test_a_rollout_that_ecs_rolls_back_is_held_and_counted(outside: Outside) -> None:
    outside.play.service("broken")
    outside.post("fail_next_rollout", service="broken", container="log_router", exit_code=1)
    outside.play.write("broken.yaml", route_yaml("broken", services="[broken]", outputs=JSON_LINES))
    outside.until(lambda: outside.reason("broken") in ("rolled back", "RolledBack"))
    revisions = outside.play.revisions("broken")
    assert 'logroute_rollouts_total{result="rolled_back"} 1.0' in outside.process.get("/metrics")[1]
    passes = outside.play.sandbox.call_counts["ecs:ListServices"]
    outside.until(lambda: outside.play.sandbox.call_counts["ecs:ListServices"] > passes + 3)
    assert outside.play.revisions("broken") == revisions


def test_s3_that_is_down_for_a_while_restores_and_loses_nothing(outside: Outside) -> None:
    outside.service("s3down")
    revisions = outside.play.revisions("s3down")
    outside.post("faults", id="no-s3", calls="s3:*", effect="error", code="InternalError", status=500, times=0)
    passes = outside.play.sandbox.call_counts["ecs:ListServices"]
    outside.until(lambda: outside.play.sandbox.call_counts["ecs:ListServices"] > passes + 1)
    outside.remove_fault("no-s3")
    passes = outside.play.sandbox.call_counts["ecs:ListServices"]
    outside.until(lambda: outside.play.sandbox.call_counts["ecs:ListServices"] > passes + 2)
    assert outside.play.is_routed("s3down")
    assert outside.play.revisions("s3down") == revisions


def test_ecs_that_throttles_for_a_while_is_waited_out(outside: Outside) -> None:
    outside.play.service("slowly")
    outside.post("faults", calls="ecs:DescribeServices", effect="throttle", times=6)
    outside.play.write("slowly.yaml", route_yaml("slowly", services="[slowly]"))
    outside.until(lambda: outside.play.is_routed("slowly"))
    assert outside.play.revisions("slowly") == 2


def test_suspended_from_another_terminal_it_writes_nothing_until_resumed(outside: Outside) -> None:
    outside.service("paused")
    outside.until(lambda: outside.state("paused") != "")
    assert outside.play.command("suspend", "web/paused") == 0
    revisions = outside.play.revisions("paused")
    outside.play.write("paused.yaml", route_yaml("paused", services="[paused]", outputs=JSON_LINES))
    passes = outside.play.sandbox.call_counts["ecs:ListServices"]
    outside.until(lambda: outside.play.sandbox.call_counts["ecs:ListServices"] > passes + 3)
    assert outside.play.revisions("paused") == revisions
    assert outside.play.command("resume", "web/paused") == 0
    outside.until(lambda: outside.play.revisions("paused") > revisions)


def _names(play: Playground, service: str, path: str) -> bool:
    """Whether the service's router is started with that config."""
    return any(path in pair["value"] for pair in play.containers(service)["log_router"]["environment"])
