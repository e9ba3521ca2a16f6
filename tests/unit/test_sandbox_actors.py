"""Other people's deploys: what each leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controller.sandbox import Sandbox, Settings
from controller.sandbox.actors import ActorFailed, Ci, CiCopy, Person, Terraform

TAGS = [{"key": "logroute", "value": "yes"}]


def definition(*names: str, image: str = "app:1") -> dict[str, Any]:
    containers = [{"name": name, "image": image, "memory": 64, "dockerLabels": {"of": name}} for name in names]
    return {"family": "app", "containerDefinitions": containers}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A service `web` on app:1, which has a router and tags."""
    with Sandbox() as running:
        ecs = running.client("ecs")
        ecs.create_cluster(clusterName="c")
        ecs.register_task_definition(**definition("app", "log_router"), tags=TAGS)
        ecs.create_service(cluster="c", serviceName="web", taskDefinition="app:1", desiredCount=1)
        running.advance(60)
        yield running


def live(sandbox: Sandbox) -> dict[str, Any]:
    """What the service runs: the revision's number, status, images, who registered it."""
    arn = sandbox.service("c", "web")["taskDefinition"]
    body = next(one for one in sandbox.revisions("app") if one["taskDefinitionArn"] == arn)
    return {
        "revision": body["revision"],
        "images": {one["name"]: one["image"] for one in body["containerDefinitions"]},
        "by": body["registeredBy"].split("/")[1],
    }


def test_ci_deploys_the_file_of_its_repository(sandbox: Sandbox) -> None:
    done = sandbox.act(Ci(cluster="c", service="web", definition=definition("app"), image="app:2"))
    assert live(sandbox) == {"revision": 2, "images": {"app": "app:2"}, "by": "ci"}
    assert done["task_definition"] == sandbox.service("c", "web")["taskDefinition"]
    sandbox.advance(60)
    assert sandbox.service("c", "web")["deployments"][0]["rolloutState"] == "COMPLETED"


def test_ci_can_register_without_a_deploy(sandbox: Sandbox) -> None:
    sandbox.act(Ci(cluster="c", service="web", definition=definition("app"), deploy=False))
    assert live(sandbox)["revision"] == 1
    assert len(sandbox.revisions("app")) == 2


def test_a_copying_ci_keeps_containers_and_labels_and_loses_tags(sandbox: Sandbox) -> None:
    sandbox.act(CiCopy(cluster="c", service="web", image="app:2", container="app"))
    assert live(sandbox) == {"revision": 2, "images": {"app": "app:2", "log_router": "app:1"}, "by": "ci-copy"}
    copied = sandbox.revisions("app")[1]
    assert [one["dockerLabels"]["of"] for one in copied["containerDefinitions"]] == ["app", "log_router"]
    arn = copied["taskDefinitionArn"]
    assert sandbox.client("ecs").list_tags_for_resource(resourceArn=arn)["tags"] == []


def test_a_copy_of_the_latest_brings_out_what_was_only_registered(sandbox: Sandbox) -> None:
    sandbox.client("ecs").register_task_definition(**definition("app", "surprise"))
    sandbox.act(CiCopy(cluster="c", service="web", image="app:3", of="latest"))
    assert live(sandbox)["images"] == {"app": "app:3", "surprise": "app:1"}


def test_terraform_goes_back_to_the_revision_of_its_state(sandbox: Sandbox) -> None:
    told = Terraform(cluster="c", service="web")
    assert sandbox.act(told)["changed"] is False
    sandbox.act(CiCopy(cluster="c", service="web", image="app:2"))
    assert sandbox.act(told)["changed"] is True
    assert live(sandbox)["revision"] == 1
    assert len(sandbox.revisions("app")) == 2


def test_terraform_replaces_a_changed_body_and_deregisters_the_old_revision(sandbox: Sandbox) -> None:
    sandbox.act(Terraform(cluster="c", service="web", definition=definition("app")))
    sandbox.act(Terraform(cluster="c", service="web", definition=definition("app")))
    assert live(sandbox) == {"revision": 2, "images": {"app": "app:1"}, "by": "terraform"}
    sandbox.act(Terraform(cluster="c", service="web", definition=definition("app", image="app:3")))
    assert live(sandbox)["revision"] == 3
    assert [one["status"] for one in sandbox.revisions("app")] == ["ACTIVE", "INACTIVE", "ACTIVE"]


def test_terraform_can_leave_the_old_revision(sandbox: Sandbox) -> None:
    for image in ("app:2", "app:3"):
        body = definition("app", image=image)
        sandbox.act(Terraform(cluster="c", service="web", definition=body, skip_destroy=True))
    assert [one["status"] for one in sandbox.revisions("app")] == ["ACTIVE", "ACTIVE", "ACTIVE"]


def test_terraform_registers_anew_what_somebody_deregistered(sandbox: Sandbox) -> None:
    sandbox.act(Terraform(cluster="c", service="web"))
    sandbox.client("ecs").deregister_task_definition(taskDefinition="app:1")
    sandbox.act(Terraform(cluster="c", service="web"))
    assert live(sandbox) == {"revision": 2, "images": {"app": "app:1", "log_router": "app:1"}, "by": "terraform"}


@pytest.mark.parametrize("to", ["previous", "app:1"])
def test_a_person_rolls_back(sandbox: Sandbox, to: str) -> None:
    sandbox.act(Ci(cluster="c", service="web", definition=definition("app")))
    sandbox.act(Person(roll_back={"cluster": "c", "service": "web", "to": to}))
    assert live(sandbox)["revision"] == 1


def test_a_person_scales_and_redeploys(sandbox: Sandbox) -> None:
    sandbox.act(Person(scale={"cluster": "c", "service": "web", "count": 3}))
    sandbox.advance(60)
    assert sandbox.service("c", "web")["runningCount"] == 3
    before = sandbox.service("c", "web")["deployments"][0]["id"]
    sandbox.act(Person(redeploy={"cluster": "c", "service": "web"}))
    after = sandbox.service("c", "web")
    assert after["deployments"][0]["id"] != before
    assert live(sandbox)["revision"] == 1


def test_a_person_alters_and_deletes_objects(sandbox: Sandbox) -> None:
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="configs")
    sandbox.act(Person(put_object={"bucket": "configs", "key": "a.conf", "content": "x"}))
    assert s3.get_object(Bucket="configs", Key="a.conf")["Body"].read() == b"x"
    sandbox.act(Person(delete_object={"bucket": "configs", "key": "a.conf"}))
    assert "Contents" not in s3.list_objects_v2(Bucket="configs")


def test_a_person_edits_retention(sandbox: Sandbox) -> None:
    logs = sandbox.client("logs")
    logs.create_log_group(logGroupName="/ecs/app")
    sandbox.act(Person(retention={"log_group": "/ecs/app", "days": 7}))
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 7
    sandbox.act(Person(retention={"log_group": "/ecs/app", "days": 0}))
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]


FAILURES: dict[str, tuple[Any, str]] = {
    "a service that is not there": (CiCopy(cluster="c", service="ghost", image="i"), "c has no service ghost"),
    "a container that is not there": (
        CiCopy(cluster="c", service="web", image="i", container="ghost"),
        "no container ghost",
    ),
    "nothing to go back to": (Person(roll_back={"cluster": "c", "service": "web"}), "no ACTIVE revision before app:1"),
    "what ECS refuses": (
        Ci(cluster="c", service="web", definition={"family": "a", "containerDefinitions": []}),
        "ClientException",
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_an_actor_that_cannot_says_why(sandbox: Sandbox, case: str) -> None:
    told, why = FAILURES[case]
    with pytest.raises(ActorFailed, match=why):
        sandbox.act(told)
    assert live(sandbox)["revision"] == 1


def test_actors_meet_faults_and_throttles_like_everybody(sandbox: Sandbox) -> None:
    sandbox.add_fault(calls="ecs:RegisterTaskDefinition", effect="throttle", by="*:assumed-role/ci/*")
    told = Ci(cluster="c", service="web", definition=definition("app"))
    with pytest.raises(ActorFailed, match="ThrottlingException"):
        sandbox.act(told)
    sandbox.act(told)
    with Sandbox(settings=Settings(throttle=True)) as throttling:
        ecs = throttling.client("ecs")
        ecs.create_cluster(clusterName="c")
        for _ in range(20):
            ecs.register_task_definition(**definition("app"))
        ecs.create_service(cluster="c", serviceName="web", taskDefinition="app:1", desiredCount=1)
        with pytest.raises(ActorFailed, match="Rate exceeded"):
            throttling.act(told)


@pytest.mark.parametrize(
    "told",
    [
        CiCopy(cluster="c", service="web", image="i"),
        Ci(cluster="c", service="web", definition=definition("app")),
        Terraform(cluster="c", service="web"),
        Person(roll_back={"cluster": "c", "service": "web"}),
    ],
    ids=lambda told: type(told).__name__,
)
def test_an_actor_that_gets_a_page_of_somebody_else_fails_and_says_so(sandbox: Sandbox, told: Any) -> None:
    sandbox.add_fault(calls="ecs:*", effect="garbage", times=0)
    with pytest.raises(ActorFailed, match="made no sense"):
        sandbox.act(told)


def test_what_actors_call_is_counted_apart(sandbox: Sandbox) -> None:
    sandbox.reset_call_counts()
    sandbox.act(Ci(cluster="c", service="web", definition=definition("app")))
    assert not sandbox.call_counts
    assert sandbox.actor_call_counts == {"ecs:RegisterTaskDefinition": 1, "ecs:UpdateService": 1}


@pytest.mark.parametrize("deeds", [{}, {"redeploy": {"service": "web"}, "scale": {"service": "web", "count": 1}}])
def test_a_person_does_one_thing_at_a_time(deeds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Person(**deeds)
