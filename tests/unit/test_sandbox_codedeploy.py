"""CodeDeploy in the sandbox: how a blue/green deployment of an ECS service goes, and goes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controller.sandbox import Sandbox
from tests.support.codedeploy import ALWAYS_BACK, GROUP, Blue, appspec
from tests.support.rollouts import refused

MINUTE = 60
UP = 30  # seconds in which a good task set is steady and has the traffic


@pytest.fixture
def web() -> Iterator[Blue]:
    with Sandbox() as running:
        yield Blue(running)


def test_a_deployment_goes_from_the_old_task_set_to_a_new_one(web: Blue) -> None:
    web.group(termination_wait=5)
    name = web.deploy(web.register())
    assert web.status(name) == "Created"
    web.sandbox.advance(3)
    assert web.status(name) == "InProgress"
    assert web.sets == [("PRIMARY", "app:1", 2), ("ACTIVE", "app:2", 0)]
    web.sandbox.advance(UP)
    assert web.sets == [("PRIMARY", "app:2", 2), ("ACTIVE", "app:1", 2)]
    assert web.service["taskDefinition"].endswith("app:2")
    assert web.status(name) == "InProgress", "it is over when the old task set is"
    assert web.info(name)["instanceTerminationWaitTimeStarted"]
    web.sandbox.advance(5 * MINUTE)
    assert web.status(name) == "Succeeded"
    assert web.sets == [("PRIMARY", "app:2", 2)]


def test_its_task_set_tells_whose_it_is(web: Blue) -> None:
    web.group()
    name = web.deploy(web.register())
    web.sandbox.advance(UP)
    new, old = web.service["taskSets"]
    assert (new["startedBy"], new["externalId"]) == ("CODE_DEPLOY", name)
    assert "startedBy" not in old


def test_traffic_may_shift_slowly(web: Blue) -> None:
    web.group()
    name = web.deploy(web.register(), deploymentConfigName="CodeDeployDefault.ECSCanary10Percent5Minutes")
    web.sandbox.advance(4 * MINUTE)
    assert web.sets[0] == ("PRIMARY", "app:1", 2)
    web.sandbox.advance(2 * MINUTE)
    assert web.sets[0] == ("PRIMARY", "app:2", 2)
    assert web.info(name)["deploymentConfigName"].endswith("Canary10Percent5Minutes")


def test_a_bad_router_times_out_after_an_hour_and_goes_back(web: Blue) -> None:
    web.group(autoRollbackConfiguration=ALWAYS_BACK)
    web.sandbox.fail_next_rollout("web")
    name = web.deploy(web.register(router={}))
    web.sandbox.advance(59 * MINUTE)
    assert web.status(name) == "InProgress"
    assert web.sets == [("PRIMARY", "app:1", 2), ("ACTIVE", "app:2", 0)]
    web.sandbox.advance(2 * MINUTE)
    failed = web.info(name)
    assert (failed["status"], failed["errorInformation"]["code"]) == ("Failed", "TIMEOUT")
    back = web.info(failed["rollbackInfo"]["rollbackDeploymentId"])
    assert (back["status"], back["creator"]) == ("Succeeded", "codeDeployRollback")
    assert back["rollbackInfo"]["rollbackTriggeringDeploymentId"] == name
    assert web.sets == [("PRIMARY", "app:1", 2)]


def test_without_auto_rollback_a_failed_task_set_stays(web: Blue) -> None:
    web.group()
    web.sandbox.fail_next_rollout("web")
    name = web.deploy(web.register(router={}))
    web.sandbox.advance(62 * MINUTE)
    assert web.status(name) == "Failed"
    assert "rollbackInfo" not in web.info(name)
    assert web.sets == [("PRIMARY", "app:1", 2), ("ACTIVE", "app:2", 0)]


def test_it_goes_back_while_the_old_task_set_waits_for_its_end(web: Blue) -> None:
    web.group(termination_wait=60)
    name = web.deploy(web.register())
    web.sandbox.advance(10 * MINUTE)
    assert web.sets[0] == ("PRIMARY", "app:2", 2)
    web.codedeploy.stop_deployment(deploymentId=name, autoRollbackEnabled=True)
    assert (web.status(name), web.info(name)["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")
    assert web.sets[0] == ("PRIMARY", "app:1", 2)
    web.sandbox.advance(2 * 60 * MINUTE)
    assert web.sets == [("PRIMARY", "app:1", 2)], "nothing that was planned for the stopped one happens"
    assert web.status(name) == "Stopped"


def test_a_stop_without_rollback_leaves_everything_where_it_is(web: Blue) -> None:
    web.group(termination_wait=60)
    name = web.deploy(web.register())
    web.sandbox.advance(10 * MINUTE)
    web.codedeploy.stop_deployment(deploymentId=name)
    web.sandbox.advance(2 * 60 * MINUTE)
    assert web.sets == [("PRIMARY", "app:2", 2), ("ACTIVE", "app:1", 2)]


def test_one_that_was_stopped_before_it_began_starts_nothing(web: Blue) -> None:
    web.group()
    name = web.deploy(web.register())
    web.codedeploy.stop_deployment(deploymentId=name, autoRollbackEnabled=True)
    web.sandbox.advance(MINUTE)
    assert web.sets == [("PRIMARY", "app:1", 2)]
    assert len(web.codedeploy.list_deployments(**GROUP)["deployments"]) == 1
    assert refused(web.codedeploy.stop_deployment, deploymentId=name)[0] == "DeploymentAlreadyCompletedException"


def test_a_ready_deployment_waits_for_somebody_to_continue(web: Blue) -> None:
    web.group(ready_wait=30)
    name = web.deploy(web.register())
    assert refused(web.codedeploy.continue_deployment, deploymentId=name)[0] == "DeploymentIsNotInReadyStateException"
    web.sandbox.advance(10 * MINUTE)
    assert web.status(name) == "Ready"
    assert web.sets == [("PRIMARY", "app:1", 2), ("ACTIVE", "app:2", 2)]
    web.codedeploy.continue_deployment(deploymentId=name, deploymentWaitType="READY_WAIT")
    web.sandbox.advance(1)
    assert web.sets[0] == ("PRIMARY", "app:2", 2)
    web.codedeploy.continue_deployment(deploymentId=name, deploymentWaitType="TERMINATION_WAIT")
    web.sandbox.advance(UP)
    assert web.status(name) == "Succeeded"
    assert web.sets == [("PRIMARY", "app:2", 2)]


def test_a_ready_deployment_that_nobody_continues_stops(web: Blue) -> None:
    web.group(ready_wait=30, autoRollbackConfiguration=ALWAYS_BACK)
    name = web.deploy(web.register())
    web.sandbox.advance(31 * MINUTE)
    assert web.status(name) == "Stopped"
    assert web.sets == [("PRIMARY", "app:1", 2)]


def test_a_group_deploys_one_thing_at_a_time(web: Blue) -> None:
    web.group(termination_wait=10)
    name = web.deploy(web.register())
    arn = web.register()
    web.sandbox.advance(5 * MINUTE)
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": appspec(arn)}}
    assert refused(web.codedeploy.create_deployment, **GROUP | {"revision": revision}) == (
        "DeploymentLimitExceededException",
        f"The Deployment Group 'web' already has an active Deployment '{name}'",
    )
    web.sandbox.advance(10 * MINUTE)
    web.deploy(arn)
    web.sandbox.advance(15 * MINUTE)
    assert web.sets == [("PRIMARY", "app:3", 2)]


@pytest.mark.parametrize(
    ("definition", "told"), [("app:9", "not found"), ("app:1", "inactive"), ("other", "container app does not exist")]
)
def test_what_ecs_would_refuse_fails_the_deployment(web: Blue, definition: str, told: str) -> None:
    other = [{"name": "different", "image": "httpd", "memory": 64}]
    web.ecs.register_task_definition(family="other", containerDefinitions=other)
    web.ecs.deregister_task_definition(taskDefinition="app:1")
    web.group()
    name = web.deploy(definition)
    web.sandbox.advance(UP)
    error = web.info(name)["errorInformation"]
    assert (web.status(name), error["code"], told in error["message"]) == ("Failed", "ECS_UPDATE_ERROR", True)
    assert web.sets == [("PRIMARY", "app:1", 2)]


def test_a_service_that_is_deleted_meanwhile_fails_its_deployment(web: Blue) -> None:
    web.group(autoRollbackConfiguration=ALWAYS_BACK)
    name = web.deploy(web.register())
    web.sandbox.advance(3)
    web.ecs.delete_service(cluster="c", service="web", force=True)
    web.sandbox.advance(MINUTE)
    assert web.info(name)["errorInformation"]["code"] == "INVALID_ECS_SERVICE"
    assert web.sandbox.service("c", "web")["status"] == "INACTIVE"


def test_the_group_remembers_its_last_deployments(web: Blue) -> None:
    web.group(termination_wait=0)
    good = web.deploy(web.register())
    web.sandbox.advance(MINUTE)
    bad = web.deploy("app:9")
    web.sandbox.advance(MINUTE)
    info: dict[str, Any] = web.codedeploy.get_deployment_group(**GROUP)["deploymentGroupInfo"]
    assert info["lastSuccessfulDeployment"]["deploymentId"] == good
    assert info["lastAttemptedDeployment"]["deploymentId"] == bad
    assert info["targetRevision"] == web.info(good)["revision"]
    listed = web.codedeploy.list_deployments(**GROUP, includeOnlyStatuses=["Failed"])["deployments"]
    assert listed == [bad]


def test_scaling_during_a_deployment_reaches_both_task_sets(web: Blue) -> None:
    web.group(termination_wait=60)
    web.deploy(web.register())
    web.sandbox.advance(MINUTE)
    web.update(desiredCount=3)
    web.sandbox.advance(MINUTE)
    assert web.sets == [("PRIMARY", "app:2", 3), ("ACTIVE", "app:1", 3)]
