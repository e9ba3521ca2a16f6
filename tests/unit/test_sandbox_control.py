"""`/_sandbox/…`: faults and actors, driven from another process."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from controller.sandbox import Sandbox, Settings

ONCE = Config(retries={"total_max_attempts": 1})
DEFINITION = {"family": "app", "containerDefinitions": [{"name": "app", "image": "app:1", "memory": 64}]}
WEB = {"cluster": "c", "service": "web"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(settings=Settings(throttle=True)) as running:
        ecs = running.client("ecs")
        ecs.create_cluster(clusterName="c")
        ecs.register_task_definition(**DEFINITION)
        ecs.create_service(cluster="c", serviceName="web", taskDefinition="app:1", desiredCount=1)
        yield running


def ask(sandbox: Sandbox, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{sandbox.url}/_sandbox/{path}", data, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_fault_is_added_listed_and_removed(sandbox: Sandbox) -> None:
    fault = {"calls": "ecs:List*", "effect": "throttle", "times": 0}
    assert ask(sandbox, "POST", "faults", fault) == (200, {"id": "fault-1"})
    with pytest.raises(ClientError, match="ThrottlingException"):
        sandbox.client("ecs", config=ONCE).list_clusters()
    assert ask(sandbox, "GET", "faults") == (200, {"faults": [{"id": "fault-1", **fault, "seen": 1, "struck": 1}]})
    assert ask(sandbox, "DELETE", "faults/fault-1") == (200, {})
    assert sandbox.client("ecs", config=ONCE).list_clusters()["clusterArns"]
    assert ask(sandbox, "DELETE", "faults/fault-1")[0] == 404


ACTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "ci": (WEB | {"definition": DEFINITION, "image": "app:2"}, "app:2"),
    "ci_copy": (WEB | {"image": "app:3"}, "app:3"),
    "terraform": (WEB | {"definition": DEFINITION}, "app:1"),
}


@pytest.mark.parametrize("actor", ACTIONS)
def test_actors_deploy_over_http(sandbox: Sandbox, actor: str) -> None:
    body, image = ACTIONS[actor]
    status, answer = ask(sandbox, "POST", actor, body)
    assert (status, answer["task_definition"].rpartition("/")[2]) == (200, "app:2")
    assert sandbox.revisions("app")[1]["containerDefinitions"][0]["image"] == image
    assert sandbox.service("c", "web")["taskDefinition"] == answer["task_definition"]


def test_a_person_acts_over_http(sandbox: Sandbox) -> None:
    assert ask(sandbox, "POST", "person", {"scale": WEB | {"count": 2}})[0] == 200
    assert sandbox.service("c", "web")["desiredCount"] == 2


def test_status_shows_calls_throttles_and_actors(sandbox: Sandbox) -> None:
    ask(sandbox, "POST", "ci_copy", WEB | {"image": "app:2"})
    _, status = ask(sandbox, "GET", "status")
    assert status["calls"]["ecs:RegisterTaskDefinition"] == 1
    assert status["actor_calls"]["ecs:RegisterTaskDefinition"] == 1
    [bucket] = [one for one in status["throttles"] if one["category"] == "task definition modify"]
    assert (bucket["level"], bucket["throttled"]) == (18, 0)


WRONG: dict[str, tuple[str, str, Any, int, str]] = {
    "an unknown key": ("POST", "ci_copy", WEB | {"image": "i", "colour": "red"}, 400, "colour: Extra inputs"),
    "a key that is missing": ("POST", "ci_copy", WEB, 400, "image: Field required"),
    "a nested wrong type": ("POST", "person", {"scale": WEB | {"count": "many"}}, 400, "scale.count: "),
    "an unknown effect": ("POST", "faults", {"calls": "ecs:*", "effect": "explode"}, 400, "effect: "),
    "a fault without its code": ("POST", "faults", {"calls": "ecs:*", "effect": "error"}, 400, "needs a code"),
    "a file instead of a body": ("POST", "ci", WEB | {"definition": "task.json"}, 400, "definition: "),
    "a definition that ECS does not know": ("POST", "ci", WEB | {"definition": {"colour": 1}}, 400, "colour"),
    "a rollout fault of no kind": ("POST", "fail_next_rollout", {"colour": "red"}, 400, "colour: Extra inputs"),
    "an ailment of no kind": ("POST", "break_container", {"ailment": {"way": "tired"}}, 400, "ailment.way: "),
    "nothing to mend": ("POST", "mend", {"fault": "fault-9"}, 404, "no POST"),
    "an actor that is not there": ("POST", "pulumi", {}, 404, "no POST"),
    "what AWS refuses": (
        "POST",
        "ci_copy",
        {"service": "ghost", "cluster": "c", "image": "i"},
        409,
        "no service ghost",
    ),
    "no JSON object": ("POST", "faults", [], 400, "JSON object"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_answered_with_what_is_wrong(sandbox: Sandbox, case: str) -> None:
    method, path, body, status, message = WRONG[case]
    code, answer = ask(sandbox, method, path, body)
    assert code == status
    assert message in answer["error"]
    assert len(sandbox.revisions("app")) == 1
    assert sandbox.faults() == []
