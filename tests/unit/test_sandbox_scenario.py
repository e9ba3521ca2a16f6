"""Scenarios: a world, and what happens in it when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from controller.sandbox import Sandbox, Settings
from controller.sandbox.scenario.play import CannotBuild, play
from controller.sandbox.scenario.shapes import Scenario, Speeds

ONCE = Config(retries={"total_max_attempts": 1})
DEFINITION = {"family": "app", "containerDefinitions": [{"name": "app", "image": "app:1", "memory": "64"}]}
WORLD: dict[str, Any] = {
    "clusters": ["c"],
    "task_definitions": [DEFINITION],
    "buckets": ["configs"],
    "objects": [{"bucket": "configs", "key": "a.conf", "content": "x"}],
    "log_groups": [{"log_group": "/ecs/app", "days": "30"}],
    "services": [{"cluster": "c", "serviceName": "web", "taskDefinition": "app", "desiredCount": "2"}],
}
WEB = {"cluster": "c", "service": "web"}


def images(sandbox: Sandbox) -> list[str]:
    return [one["containerDefinitions"][0]["image"] for one in sandbox.revisions("app")]


def test_the_world_of_a_scenario_is_there_from_the_start() -> None:
    """Its scalars are text, as they come from the file, and become what ECS's model says."""
    with Sandbox() as sandbox:
        play(sandbox, Scenario(**WORLD), print)
        assert sandbox.service("c", "web")["desiredCount"] == 2
        assert sandbox.revisions("app")[0]["containerDefinitions"][0]["memory"] == 64
        assert sandbox.client("s3").get_object(Bucket="configs", Key="a.conf")["Body"].read() == b"x"
        [group] = sandbox.client("logs").describe_log_groups()["logGroups"]
        assert (group["logGroupName"], group["retentionInDays"]) == ("/ecs/app", 30)


def test_making_the_world_is_neither_throttled_nor_late_nor_counted() -> None:
    many = Scenario(clusters=["c"], task_definitions=[DEFINITION] * 30)
    with Sandbox(settings=Settings(throttle=True, lag_seconds=60)) as sandbox:
        play(sandbox, many, print)
        assert not sandbox.call_counts
        ecs = sandbox.client("ecs", config=ONCE)
        assert len(ecs.list_task_definitions()["taskDefinitionArns"]) == 30
        for _ in range(20):
            ecs.register_task_definition(family="b", containerDefinitions=[{"name": "b", "image": "b", "memory": 64}])
        with pytest.raises(ClientError, match="ThrottlingException"):
            ecs.deregister_task_definition(taskDefinition="app:1")


def test_a_world_in_another_region_has_its_buckets_there() -> None:
    with Sandbox(region="eu-central-1") as sandbox:
        play(sandbox, Scenario(**WORLD), print)
        location = sandbox.client("s3").get_bucket_location(Bucket="configs")["LocationConstraint"]
        assert location == "eu-central-1"


def test_steps_happen_in_the_order_of_their_times_within_one_advance() -> None:
    steps = [
        {"at": "2m", "ci_copy": {**WEB, "image": "app:3"}},
        {"at": "60", "ci": {**WEB, "definition": DEFINITION, "image": "app:2"}},
        {"at": "3m", "person": {"scale": {**WEB, "count": "3"}}},
        {"at": "1h", "terraform": WEB},
    ]
    told: list[str] = []
    with Sandbox() as sandbox:
        play(sandbox, Scenario(**WORLD, steps=steps), told.append)
        sandbox.advance(59)
        assert images(sandbox) == ["app:1"]
        sandbox.advance(121)
        assert images(sandbox) == ["app:1", "app:2", "app:3"]
        registered = [one["registeredAt"] - sandbox.clock.now() for one in sandbox.revisions("app")]
        assert registered == [-180, -120, -60]
        assert sandbox.service("c", "web")["desiredCount"] == 3
        done = sandbox.status()["steps"]
    assert [(one["at"], one["action"]) for one in done] == [(60, "ci"), (120, "ci_copy"), (180, "person")]
    assert [line.split(",")[0] for line in told] == [
        "60s: ci: service web",
        "120s: ci_copy: service web",
        "180s: person: service web",
    ]


def test_faults_of_a_scenario_come_and_go() -> None:
    fault = {"calls": "ecs:List*", "effect": "throttle", "times": 0, "id": "busy"}
    steps = [{"at": "10s", "fault": fault}, {"at": "20s", "remove_fault": "busy"}]
    with Sandbox() as sandbox:
        play(sandbox, Scenario(**WORLD, steps=steps), print)
        ecs = sandbox.client("ecs", config=ONCE)
        sandbox.advance(10)
        with pytest.raises(ClientError, match="ThrottlingException"):
            ecs.list_clusters()
        sandbox.advance(10)
        assert ecs.list_clusters()["clusterArns"]


def test_a_rollout_of_a_scenario_fails() -> None:
    steps = [
        {"at": "60s", "fail_next_rollout": {"service": "web", "container": "app", "exit_code": "7"}},
        {"at": "60s", "person": {"redeploy": WEB}},
    ]
    with Sandbox() as sandbox:
        play(sandbox, Scenario(**WORLD, steps=steps), print)
        sandbox.advance(90)
        codes = [one["containers"][0].get("exitCode") for one in sandbox.tasks("c")]
        assert 7 in codes


def test_containers_of_a_scenario_break_and_are_mended() -> None:
    ailment = {"way": "out_of_memory", "after": "20"}
    steps = [
        {"at": "60s", "break_container": {"service": "web", "container": "app", "ailment": ailment}},
        {"at": "60s", "person": {"redeploy": WEB}},
        {"at": "5m", "mend": {"fault": "fault-1"}},
        {"at": "6m", "mend": {"fault": "fault-9"}},
    ]
    with Sandbox() as sandbox:
        play(sandbox, Scenario(**WORLD, steps=steps), print)
        sandbox.advance(120)
        killed = [one for one in sandbox.tasks("c") if one["containers"][0].get("exitCode") == 137]
        assert killed
        sandbox.advance(600)
        assert sandbox.service("c", "web")["runningCount"] == 2
        done = sandbox.status()["steps"]
    assert done[0]["id"] == "fault-1"
    assert done[3]["error"] == "there is no 'fault-9'"


def test_a_step_that_turns_the_clock_lets_the_next_ones_happen() -> None:
    steps = [{"at": "10s", "advance": "5m"}, {"at": "60s", "ci_copy": {**WEB, "image": "app:2"}}]
    with Sandbox() as sandbox:
        start = sandbox.clock.now()
        play(sandbox, Scenario(**WORLD, steps=steps), print)
        sandbox.advance(10)
        assert sandbox.clock.now() == start + 310
        assert images(sandbox) == ["app:1", "app:2"]


def test_a_step_that_fails_is_told_and_the_next_one_happens() -> None:
    steps = [
        {"at": "10s", "ci_copy": {**WEB, "service": "ghost", "image": "app:2"}},
        {"at": "10s", "remove_fault": "nobody"},
        {"at": "20s", "ci_copy": {**WEB, "image": "app:3"}},
    ]
    told: list[str] = []
    with Sandbox() as sandbox:
        play(sandbox, Scenario(**WORLD, steps=steps), told.append)
        sandbox.advance(20)
        assert images(sandbox) == ["app:1", "app:3"]
        assert [one.get("error") for one in sandbox.status()["steps"]] == [
            "the cluster c has no service ghost",
            "there is no fault nobody",
            None,
        ]
    assert told[0] == "10s: ci_copy: error the cluster c has no service ghost"


def test_what_ecs_refuses_is_told_with_its_place() -> None:
    lost = {"cluster": "c", "serviceName": "lost", "taskDefinition": "ghost"}
    with Sandbox() as sandbox, pytest.raises(CannotBuild, match="TaskDefinition not found") as caught:
        play(sandbox, Scenario(**{**WORLD, "services": [*WORLD["services"], lost]}), print)
    assert caught.value.path == ("services", 1)


def test_own_actions_happen_at_their_time() -> None:
    seen: list[float] = []
    with Sandbox() as sandbox:
        start = sandbox.clock.now()
        sandbox.at(30, lambda: seen.append(sandbox.clock.now() - start))
        sandbox.at(10, lambda: seen.append(sandbox.clock.now() - start))
        sandbox.advance(40)
    assert seen == [10, 30]


def test_two_who_turn_the_clock_at_once_turn_it_by_both() -> None:
    with Sandbox() as sandbox, ThreadPoolExecutor(4) as pool:
        start = sandbox.clock.now()
        list(pool.map(sandbox.advance, [10.0] * 20))
        assert sandbox.clock.now() == start + 200


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key": ({"colour": "red"}, "colour"),
    "a step without an action": ({"steps": [{"at": "1s"}]}, "exactly one is needed"),
    "a step with two": ({"steps": [{"at": "1s", "advance": "1s", "remove_fault": "f"}]}, "exactly one is needed"),
    "no duration": ({"steps": [{"at": "soon", "advance": "1s"}]}, "90s, 15m or 1h30m"),
    "a rollout fault of no kind": ({"steps": [{"at": "1s", "fail_next_rollout": {"colour": "red"}}]}, "colour"),
    "an ailment of no kind": ({"steps": [{"at": "1s", "break_container": {"ailment": {"way": "tired"}}}]}, "way"),
    "a member that ECS does not know": ({"services": [{"colour": "red"}]}, "colour"),
    "a definition that is no number": (
        {"task_definitions": [{**DEFINITION, "cpu": "1", "volumes": "x"}]},
        "volumes",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_scenario_that_makes_no_sense_is_refused(case: str) -> None:
    body, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        Scenario(**body)


def test_settings_of_a_scenario_are_settings_of_the_sandbox() -> None:
    told = {"throttle": "false", "lag_seconds": "3s", "speed": "20", "start_seconds": "1"}
    scenario = Scenario(settings=told)
    assert scenario.settings.settings(throttle=True) == Settings(throttle=False, lag_seconds=3, start_seconds=1)
    assert scenario.settings.speed == 20
    assert Scenario().settings.settings(throttle=True) == Settings(throttle=True)


def test_a_scenario_can_state_every_setting() -> None:
    assert {field.name for field in fields(Settings)} == set(Speeds.model_fields) - {"speed", "region"}
