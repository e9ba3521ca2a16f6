"""What the sandbox's CodeDeploy refuses, and in whose words."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from controller.sandbox import Sandbox
from controller.sandbox.codedeploy.api import OPERATIONS
from controller.sandbox.codedeploy.appspec import AppSpec, read
from controller.sandbox.codedeploy.errors import CodeDeployError
from controller.sandbox.ecs import wire
from tests.support.codedeploy import GROUP, Blue, appspec, group_settings
from tests.support.rollouts import refused


@pytest.fixture
def web() -> Iterator[Blue]:
    with Sandbox() as running:
        yield Blue(running)


def test_the_operations_are_codedeploys() -> None:
    assert set(OPERATIONS) <= set(wire.service_model("codedeploy").operation_names)


def test_answers_have_only_what_codedeploys_model_knows(web: Blue) -> None:
    """Unknown members botocore drops in silence; here they must not occur."""
    seen: list[tuple[Any, Any]] = []
    web.codedeploy.meta.events.register(
        "before-parse.codedeploy",
        lambda operation_model, response_dict, **_: seen.append((operation_model, json.loads(response_dict["body"]))),
    )
    web.group()
    name = web.deploy(web.register())
    web.sandbox.advance(60)
    web.codedeploy.get_application(applicationName="shop")
    web.codedeploy.get_deployment_group(**GROUP)
    web.codedeploy.batch_get_deployment_groups(applicationName="shop", deploymentGroupNames=["web", "ghost"])
    web.codedeploy.batch_get_deployments(deploymentIds=[name])
    web.codedeploy.stop_deployment(deploymentId=name, autoRollbackEnabled=True)
    web.info(name)
    assert len(seen) > 8
    for model, body in seen:
        assert unknown(body, model.output_shape) == [], model.name


def unknown(value: Any, shape: Any) -> list[str]:
    if shape is None:
        return list(value)
    if shape.type_name == "structure":
        strange = [key for key in value if key not in shape.members]
        known = [key for key in value if key in shape.members]
        return strange + [one for key in known for one in unknown(value[key], shape.members[key])]
    if shape.type_name == "list":
        return [one for member in value for one in unknown(member, shape.member)]
    return []


def test_applications_and_groups_are_listed_and_found(web: Blue) -> None:
    web.group()
    assert web.codedeploy.list_applications()["applications"] == ["shop"]
    assert web.codedeploy.list_deployment_groups(applicationName="shop")["deploymentGroups"] == ["web"]
    answer = web.codedeploy.batch_get_deployment_groups(applicationName="shop", deploymentGroupNames=["web", "x"])
    assert [one["ecsServices"] for one in answer["deploymentGroupsInfo"]] == [
        [{"clusterName": "c", "serviceName": "web"}]
    ]
    assert answer["errorMessage"] == "No Deployment Group found for name: x"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"applicationName": "ghost"}, "ApplicationDoesNotExistException"),
        ({"deploymentStyle": {"deploymentType": "IN_PLACE"}}, "InvalidDeploymentStyleException"),
        ({"loadBalancerInfo": {}}, "InvalidTargetGroupPairException"),
        ({"ecsServices": []}, "InvalidECSServiceException"),
        ({"ecsServices": [{"clusterName": "c", "serviceName": "ghost"}]}, "InvalidECSServiceException"),
        ({"ecsServices": [{"clusterName": "ghost", "serviceName": "web"}]}, "InvalidECSServiceException"),
        ({"deploymentConfigName": "CodeDeployDefault.OneAtATime"}, "DeploymentConfigDoesNotExistException"),
    ],
)
def test_a_group_must_fit_its_service(web: Blue, change: dict[str, Any], code: str) -> None:
    web.codedeploy.create_application(applicationName="shop", computePlatform="ECS")
    assert refused(web.codedeploy.create_deployment_group, **group_settings() | change)[0] == code
    assert web.codedeploy.list_deployment_groups(applicationName="shop")["deploymentGroups"] == []


def test_a_service_under_ecss_own_controller_gets_no_group(web: Blue) -> None:
    web.ecs.create_service(cluster="c", serviceName="other", taskDefinition="app", desiredCount=1)
    web.codedeploy.create_application(applicationName="shop", computePlatform="ECS")
    services = [{"clusterName": "c", "serviceName": "other"}]
    said = refused(web.codedeploy.create_deployment_group, **group_settings() | {"ecsServices": services})
    assert said[0] == "InvalidECSServiceException"


def test_a_service_has_one_group(web: Blue) -> None:
    web.group()
    second = group_settings() | {"deploymentGroupName": "second"}
    said = refused(web.codedeploy.create_deployment_group, **second)
    assert said[0] == "ECSServiceMappingLimitExceededException"
    assert refused(web.codedeploy.create_deployment_group, **group_settings())[0] == (
        "DeploymentGroupAlreadyExistsException"
    )


def test_other_platforms_are_refused_not_pretended(web: Blue) -> None:
    said = refused(web.codedeploy.create_application, applicationName="x", computePlatform="Lambda")
    assert said[0] == "InvalidComputePlatformException"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"deploymentGroupName": "ghost"}, "DeploymentGroupDoesNotExistException"),
        ({"applicationName": "ghost"}, "ApplicationDoesNotExistException"),
        ({"deploymentConfigName": "ghost"}, "DeploymentConfigDoesNotExistException"),
        ({"revision": {"revisionType": "S3"}}, "InvalidRevisionException"),
        ({"revision": {"appSpecContent": {"content": appspec("app"), "sha256": "0"}}}, "InvalidRevisionException"),
        ({"revision": {"appSpecContent": {"content": "{"}}}, "InvalidRevisionException"),
        ({"revision": {"appSpecContent": {}}}, "InvalidRevisionException"),
    ],
)
def test_a_deployment_must_name_what_there_is(web: Blue, fields: dict[str, Any], code: str) -> None:
    web.group()
    assert refused(web.deploy, definition="app", **fields)[0] == code
    assert web.codedeploy.list_deployments(**GROUP)["deployments"] == []


def test_the_content_of_a_revision_is_not_shown_and_found_by_its_hash(web: Blue) -> None:
    web.group()
    content = appspec(web.register())
    named: dict[str, Any] = {"revisionType": "String", "string": {"content": content}}
    shown = web.info(web.deploy("app", revision=named))["revision"]
    assert shown["string"] == {"sha256": hashlib.sha256(content.encode()).hexdigest()}
    found = web.codedeploy.get_application_revision(applicationName="shop", revision=shown)
    assert found["revision"] == named
    shown["string"]["sha256"] = "0"
    said = refused(web.codedeploy.get_application_revision, applicationName="shop", revision=shown)
    assert said[0] == "RevisionDoesNotExistException"


def test_an_appspec_may_lie_in_s3(web: Blue) -> None:
    web.group()
    where: dict[str, Any] = {"bucket": "specs", "key": "web.json", "bundleType": "JSON"}
    revision = {"revisionType": "S3", "s3Location": where}
    assert "no object web.json" in refused(web.deploy, definition="", revision=revision)[1]
    s3 = web.sandbox.client("s3", region="us-east-1")
    s3.create_bucket(Bucket="specs")
    s3.put_object(Bucket="specs", Key="web.json", Body=appspec(web.register()).encode())
    name = web.deploy("", revision=revision)
    web.sandbox.advance(60)
    assert web.info(name)["revision"] == revision
    assert web.sets[0] == ("PRIMARY", "app:2", 2)
    where["bundleType"] = "zip"
    assert "bundleType" in refused(web.deploy, definition="", revision=revision)[1]


def test_what_is_not_there_is_not_found(web: Blue) -> None:
    assert refused(web.codedeploy.get_deployment, deploymentId="d-0")[0] == "DeploymentDoesNotExistException"


def test_requests_are_held_to_the_model(web: Blue) -> None:
    client = web.sandbox.client("codedeploy", config=no_validation())
    said = refused(client.create_application, applicationName=5)
    assert said[0] == "ValidationException"
    assert web.codedeploy.list_applications()["applications"] == []


def no_validation() -> Any:
    from botocore.config import Config

    return Config(parameter_validation=False)


def test_calls_are_counted_and_faults_strike_them(web: Blue) -> None:
    web.sandbox.add_fault(calls="codedeploy:ListApplications", effect="error", code="ThrottlingException", status=400)
    once = web.sandbox.client("codedeploy", config=no_retries())
    assert refused(once.list_applications)[0] == "ThrottlingException"
    assert once.list_applications()["applications"] == []
    assert web.sandbox.call_counts["codedeploy:ListApplications"] == 2


def no_retries() -> Any:
    from botocore.config import Config

    return Config(retries={"total_max_attempts": 1})


names = st.text(st.characters(categories=("L", "N")), min_size=1).filter(lambda name: not name.isdecimal())


@given(definition=names, container=names)
def test_an_appspec_says_the_same_as_yaml_and_as_json(definition: str, container: str) -> None:
    text = appspec(definition, container)
    assert read(text) == read(yaml.safe_dump(json.loads(text))) == AppSpec(definition, container)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["Resources", "Type", "version", "x"]), inner),
)


@given(st.text() | json_values.map(json.dumps))
def test_whatever_is_no_appspec_is_refused_as_one(content: str) -> None:
    with contextlib.suppress(CodeDeployError):
        read(content)
