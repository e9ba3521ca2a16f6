"""Edits, deploys, reverts, drift, failures, kills and time, in any order: what must never happen, and how it ends.

Services have ECS's circuit breaker. Every write of the controller is looked at when it is made, against the world as it
really is at that moment.
"""

from __future__ import annotations

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from controller.aws.accounts import AwsAccount
from controller.sandbox import Sandbox
from controller.taskdef import canonical
from controller.taskdef.body import register_form
from controller.taskdef.overlay import Ownership, comparable, configs_named, strip
from tests.support.playground import CLUSTER, OUTPUT, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml
from tests.support.sites import Killed, Wire

NAMES = ("one", "two")
OUTPUTS = ("[{name: stdout}]", "[{name: stdout, format: json_lines}]", "[{name: 'null'}]")
SUSPENDED = "  suspend: true\n"
HOLDS = {"RolledBack", "RolloutPaused", "Contested", "PlanBlocked", "Unproven", "Suspended"}
"""What may stand in the end of what was rolled back, alone or in a change with others, fought over, or asked to stop."""
ONGOING = {"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"}
services = st.sampled_from(NAMES)


class Reconciling(RuleBasedStateMachine):
    """`routes`: service → its route's output, None: no route. `suspended`: services whose route is suspended."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="logroute-"))
        self.patch = pytest.MonkeyPatch()
        self.sandbox = Sandbox(region=REGION).start()
        for name, value in self.sandbox.environment().items():
            self.patch.setenv(name, value)
        (self.folder / "archive.yaml").write_text(OUTPUT)
        self.play = Playground(self.sandbox, self.folder)
        self.routes: dict[str, str | None] = dict.fromkeys(NAMES)
        self.suspended: set[str] = set()
        self.ours: set[str] = set()
        self.unclear = 0
        for name in NAMES:
            self.play.service(name)
        self._watch()

    def teardown(self) -> None:
        if not hasattr(self, "play"):
            return
        try:
            self._ends_well()
        finally:
            self.sandbox.stop()
            self.patch.undo()
            shutil.rmtree(self.folder)

    # What people write in specs

    @rule(name=services, output=st.sampled_from(OUTPUTS), suspend=st.booleans())
    def write_route(self, name: str, output: str, suspend: bool) -> None:
        extra = SUSPENDED if suspend else ""
        self.play.write(f"{name}.yaml", route_yaml(name, services=f"[{name}]", outputs=output, extra=extra))
        self.routes[name] = output
        (self.suspended.add if suspend else self.suspended.discard)(name)

    @rule(name=services)
    def delete_route(self, name: str) -> None:
        (self.folder / f"{name}.yaml").unlink(missing_ok=True)
        self.routes[name] = None
        self.suspended.discard(name)

    # What other people do to services

    @rule(name=services, image=st.integers(1, 3))
    def deploy_without_router(self, name: str, image: int) -> None:
        self.play.deploy(plain_definition(name, image=f"app:{image}"), name)

    @rule(name=services, image=st.integers(4, 6))
    def deploy_a_copy_of_what_runs(self, name: str, image: int) -> None:
        body = register_form(self.play.running(name))
        for container in body["containerDefinitions"]:
            if container["name"] == "app":
                container["image"] = f"app:{image}"
        self.play.deploy(body, name)

    @rule(name=services, what=st.sampled_from(["environment", "image", "dockerLabels", "logConfiguration"]))
    def change_what_is_ours(self, name: str, what: str) -> None:
        body = register_form(self.play.running(name))
        routers = [one for one in body["containerDefinitions"] if one["name"] == "log_router"]
        if not routers:
            return
        if what == "environment":
            routers[0]["environment"] = [*routers[0]["environment"], {"name": "FLB_LOG_LEVEL", "value": "debug"}]
        elif what == "image":
            routers[0]["image"] = "somebody/else:1"
        elif what == "dockerLabels":
            routers[0].pop(what)
        else:
            routers[0][what]["options"]["awslogs-stream-prefix"] = "theirs"
        self.play.deploy(body, name)

    @rule(name=services)
    def go_back_by_hand(self, name: str) -> None:
        self.play.ecs.update_service(cluster=CLUSTER, service=name, taskDefinition=f"{name}:1")

    @rule(name=services, count=st.sampled_from([0, 1, 2]))
    def scale(self, name: str, count: int) -> None:
        self.play.ecs.update_service(cluster=CLUSTER, service=name, desiredCount=count)

    @rule(name=services)
    def let_the_next_rollout_fail(self, name: str) -> None:
        self.sandbox.fail_next_rollout(name)

    @rule(alter=st.booleans())
    def harm_a_config_object(self, alter: bool) -> None:
        for path in sorted(self.play.configs())[:1]:
            if alter:
                self.play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/{path}", Body=b"[OUTPUT]\n    Name exec\n")
            else:
                self.play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")

    # What AWS and the machine do

    @rule(seconds=st.sampled_from([5, 30, 90, 200, 900, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.sandbox.advance(seconds)
        self.play.clock.advance(seconds)

    @rule()
    def a_pass(self) -> None:
        self.play.step()
        self._no_live_revision_names_a_missing_object()

    @rule(number=st.integers(1, 40), answered=st.booleans())
    def a_pass_that_is_killed(self, number: int, answered: bool) -> None:
        account = self.play.app.world.home_site.account
        assert isinstance(account, AwsAccount)
        try:
            with Wire(account).cut(number, answered=answered):
                self.play.step()
        except Killed:
            self.unclear += 1
        self.play.start()
        self._watch()

    @rule(
        call=st.sampled_from(["Register", "Update", "Describe"]),
        effect=st.sampled_from(["lose-answer", "refuse", "throttle"]),
    )
    def a_pass_with_a_bad_line(self, call: str, effect: str) -> None:
        fault = self.sandbox.add_fault(calls=f"ecs:{call}*", effect=effect)
        self.play.step()
        if fault in {one["id"] for one in self.sandbox.faults()}:
            self.sandbox.remove_fault(fault)
        self.unclear += 1

    @precondition(lambda self: self.routes != dict.fromkeys(NAMES))
    @rule()
    def a_restart(self) -> None:
        self.play.start()
        self._watch()

    # What must never happen

    def _watch(self) -> None:
        """Each write of the controller is checked when it is made."""
        ecs: Any = self.play.app.world.home_site.account.ecs
        register, update = ecs.register_task_definition, ecs.update_service

        def registered(body: dict[str, Any]) -> str:
            arn = str(register(body))
            self.ours.add(arn)
            return arn

        def updated(cluster: str, service: str, revision: str) -> Any:
            self._may_be_written(service, revision)
            return update(cluster, service, revision)

        ecs.register_task_definition, ecs.update_service = registered, updated

    def _may_be_written(self, service: str, revision: str) -> None:
        there = self.sandbox.service(CLUSTER, service)
        if there["taskDefinition"] == revision:
            return  # the same once more, for its answer was lost: it changes nothing
        assert service not in self.suspended or self._unread(service), f"{service} is suspended"
        newest = self.play.ecs.list_service_deployments(cluster=CLUSTER, service=service)["serviceDeployments"][0]
        theirs = there["taskDefinition"] not in self.ours or newest["status"].startswith("ROLLBACK")
        assert not (theirs and newest["status"] in ONGOING), f"{service} is being deployed: {newest['status']}"
        assert self._app(there["taskDefinition"]) == self._app(revision), "the application's own part is not ours"

    def _unread(self, service: str) -> bool:
        """The controller has not polled since the route was suspended."""
        specs = self.play.controller._keeper.specs
        return specs is None or f"web/{service}" not in specs.frozen

    def _app(self, arn: str) -> dict[str, Any]:
        found = self.play.ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
        install = self.play.app.world.home_site.install
        return canonical.canonical(strip(register_form(found), Ownership(install.owner, install.store.arn)).app)

    def _no_live_revision_names_a_missing_object(self) -> None:
        there, arn = self.play.configs(), self.play.app.world.home_site.install.store.arn
        for name in NAMES:
            for deployment in self.sandbox.service(CLUSTER, name)["deployments"]:
                found = self.play.ecs.describe_task_definition(taskDefinition=deployment["taskDefinition"])
                for container in found["taskDefinition"]["containerDefinitions"]:
                    assert set(configs_named(container, arn)) <= there.keys(), f"{name}: {deployment['taskDefinition']}"

    # How it ends

    def _ends_well(self) -> None:
        self.play.settle(times=8)
        self.sandbox.advance(4000)
        self.play.settle(times=6)
        before = {name: self.play.revisions(name) for name in NAMES}
        self.play.settle(times=3)
        assert {name: self.play.revisions(name) for name in NAMES} == before, "it never comes to rest"
        for name in NAMES:
            reason = self.play.reason(name)
            if reason in HOLDS:
                continue
            assert self.play.is_routed(name) == (self.routes[name] is not None), f"{name}: {reason or 'no word on it'}"
            assert reason in ("InSync", ""), f"{name}: {reason}"
        self._no_surplus()

    def _no_surplus(self) -> None:
        """Equal revisions of ours, one after the other: as many as there were answers that nobody heard."""
        surplus = 0
        for name in NAMES:
            bodies = [one for one in self.sandbox.revisions(name) if one["taskDefinitionArn"] in self.ours]
            forms = [comparable(register_form(one)) for one in bodies]
            surplus += sum(one == other for one, other in pairwise(forms))
        assert surplus <= self.unclear, f"{surplus} surplus revisions"


COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    "print_blob": True,
}


class TestReconciling(Reconciling.TestCase):  # type: ignore[misc, valid-type]  # made at run time
    settings = settings(max_examples=15, stateful_step_count=14, derandomize=True, **COMMON)


@pytest.mark.soak
class TestReconcilingForLong(Reconciling.TestCase):  # type: ignore[misc, valid-type]  # made at run time
    settings = settings(max_examples=90, stateful_step_count=25, derandomize=True, **COMMON)
