"""What ECS would refuse once the router is in a definition is said beforehand, with what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controller.desired.compose import compose
from controller.desired.subject import Refusal, Subject
from tests.support.routes import INSTALLATION, class_document, route_document, routes, subject

FARGATE = {"requiresCompatibilities": ["FARGATE"], "cpu": "1024", "memory": "2048"}
ROLE = {"executionRoleArn": "arn:aws:iam::123456789012:role/execution"}
SECRET = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:dd-Ab12Cd"


def of(task: dict[str, Any]) -> Subject:
    return subject(None, **task)


def refusal(task: dict[str, Any], *, container: dict[str, Any] | None = None, **spec: Any) -> str:
    route = route_document(secrets=spec.pop("secrets", {}))
    some = routes(class_document(container={"name": "log_router", **(container or {})}, **spec), route)
    with pytest.raises(Refusal) as refused:
        compose(some, of(task), INSTALLATION)
    return refused.value.message


def test_a_secret_needs_an_execution_role() -> None:
    said = refusal({}, secrets={"DD_API_KEY": SECRET})
    assert "DD_API_KEY" in said
    assert "executionRoleArn" in said


def test_a_secret_of_the_router_s_own_log_needs_an_execution_role() -> None:
    log = {"logDriver": "splunk", "secretOptions": [{"name": "splunk-token", "valueFrom": SECRET}]}
    assert "splunk-token" in refusal({}, container={"logConfiguration": log})


def test_the_router_s_own_log_needs_an_execution_role_on_fargate() -> None:
    assert "executionRoleArn" in refusal(FARGATE)
    assert compose(routes(route_document()), of(FARGATE | ROLE), INSTALLATION).overlay


def test_a_file_that_is_not_registered_yet_may_get_its_role_later_and_is_told_so() -> None:
    """`inject` reads it before whoever fills the role in."""
    bare = replace(of(FARGATE), account=None)
    desired = compose(routes(route_document()), bare, INSTALLATION)
    assert desired.overlay
    assert [note for note in desired.notes if "executionRoleArn" in note.message]


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"privileged": True}, "Fargate has no privileged"),
        ({"logConfiguration": {"logDriver": "json-file"}}, "Fargate has no log driver json-file"),
        ({"memory": 64}, "memory of 64 MiB is less than its memoryReservation of 128"),
        ({"mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]}, "mounts the volume 'data'"),
        ({"volumesFrom": [{"sourceContainer": "other"}]}, "names the container 'other'"),
        ({"links": ["app"]}, "links"),
    ],
)
def test_what_the_class_asks_for_and_the_task_cannot_have_is_refused(container: dict[str, Any], words: str) -> None:
    assert words in refusal(FARGATE | ROLE, container=container)


def test_a_volume_of_the_host_is_refused_on_fargate() -> None:
    volumes = [{"name": "flb", "host": {"sourcePath": "/var/flb"}}]
    assert "volume 'flb'" in refusal(FARGATE | ROLE, volumes=volumes)


def test_one_name_is_either_a_variable_or_a_secret() -> None:
    variable = {"environment": [{"name": "DD_API_KEY", "value": "x"}]}
    assert "DD_API_KEY" in refusal(ROLE, container=variable, secrets={"DD_API_KEY": SECRET})
