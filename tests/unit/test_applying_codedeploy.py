"""What a deployment by CodeDeploy says, and what is read of those that were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pytest

from controller.api.keys import Place, ServiceKey
from controller.applying.codedeploy import CodeDeployer, observe_deployment
from controller.applying.deployment_groups import FEW, DeploymentGroups, NoGroup
from controller.aws.ports import Account, DeploymentGroup, Services, StoredObject
from controller.taskdef.appspec import definition_of
from tests.support.codedeploy import appspec

KEY = ServiceKey(Place("main", "eu-west-1"), "c", "web")
IN_S3 = {"bucket": "specs", "key": "web.json", "eTag": '"right"'}


@dataclass
class Calls:
    """CodeDeploy and a bucket, by what they hold."""

    revisions: Mapping[str, dict[str, Any]]
    body: bytes = b""

    @property
    def codedeploy(self) -> Calls:
        return self

    @property
    def ecs(self) -> Calls:
        return self

    def now(self) -> float:
        return 1e9

    def describe_services(self, _cluster: str, _names: list[str]) -> Services:
        return Services(({"taskSets": [{"startedBy": "CODE_DEPLOY", "externalId": "d-1"}]},), ())

    def groups(self) -> list[tuple[str, str, DeploymentGroup]]:
        return [("c", "web", DeploymentGroup("shop", "found"))]

    def bucket(self, _name: str) -> Calls:
        return self

    def get(self, _key: str, *, max_bytes: int) -> StoredObject:
        return StoredObject(self.body[:max_bytes], "right" if self.body else "another")

    def deployments(self, names: list[str]) -> list[dict[str, Any]]:
        told = {"applicationName": "shop", "deploymentGroupName": "told"}
        return [{"deploymentId": name, "revision": self.revisions[name]} | told for name in names]

    def content(self, _group: DeploymentGroup, revision: Mapping[str, Any]) -> str:
        return str(revision.get("content", ""))


def deployer(group: DeploymentGroup, revisions: Mapping[str, dict[str, Any]], body: bytes = b"") -> CodeDeployer:
    account = cast("Account", Calls(revisions, body))
    return CodeDeployer(account, DeploymentGroups(account, known={KEY: group}))


def test_the_last_good_deployment_tells_the_appspec_and_not_the_last_that_failed() -> None:
    revisions = {"good": {"content": appspec("a:1", "good")}, "bad": {"content": appspec("a:2", "bad")}}
    said = deployer(DeploymentGroup("shop", "web", last="bad", good="good"), revisions).appspec(KEY, "a:3")
    assert '"good"' in said
    assert definition_of(said) == "a:3"


def test_where_none_was_good_yet_the_last_one_tells_it() -> None:
    revisions = {"bad": {"content": appspec("a:2", "bad")}}
    said = deployer(DeploymentGroup("shop", "web", last="bad"), revisions).appspec(KEY, "a:3")
    assert '"bad"' in said


def test_an_appspec_that_codedeploy_does_not_show_is_not_made_up() -> None:
    with pytest.raises(NoGroup, match="shop/web: CodeDeploy does not show the AppSpec of its deployment d-1"):
        deployer(DeploymentGroup("shop", "web", good="d-1"), {"d-1": {}}).appspec(KEY, "a:3")


@pytest.mark.parametrize("body", [appspec("a:1").encode(), b""])
def test_an_appspec_on_s3_counts_as_long_as_it_is_the_one_that_was_deployed(body: bytes) -> None:
    under_test = deployer(DeploymentGroup("shop", "web", good="d-1"), {"d-1": {"s3Location": IN_S3}}, body)
    if body:
        assert definition_of(under_test.appspec(KEY, "a:3")) == "a:3"
    else:
        with pytest.raises(NoGroup, match="is not the one any more that was deployed last"):
            under_test.appspec(KEY, "a:3")


@pytest.mark.parametrize(("number", "searched"), [(FEW - 1, False), (FEW, True)])
def test_of_many_services_the_groups_are_looked_through_and_of_few_their_tasks_are_asked(
    number: int, searched: bool
) -> None:
    """The task set names d-1, which is of shop/told; looking through all finds shop/found."""
    account = cast("Account", Calls({"d-1": {}}))
    known = {ServiceKey(KEY.place, "c", f"other-{one}"): DeploymentGroup("shop", f"{one}") for one in range(number)}
    groups = DeploymentGroups(account, known=known)
    assert groups.of(KEY).name == ("found" if searched else "told")


@pytest.mark.parametrize(
    ("info", "status", "reason"),
    [
        ({"status": "Created"}, "IN_PROGRESS", ""),
        ({"status": "Baking"}, "IN_PROGRESS", ""),
        ({"status": "Succeeded"}, "SUCCESSFUL", "CodeDeploy says Succeeded"),
        ({"status": "Failed", "errorInformation": {"message": "an alarm"}}, "ROLLBACK_SUCCESSFUL", "an alarm"),
        ({"status": "Stopped", "rollbackInfo": {"rollbackMessage": "gone"}}, "ROLLBACK_SUCCESSFUL", "gone"),
        ({"status": "Stopped"}, "ROLLBACK_SUCCESSFUL", "CodeDeploy says Stopped"),
    ],
)
def test_a_deployment_is_told_as_ecs_would_in_codedeploys_words(info: dict[str, Any], status: str, reason: str) -> None:
    seen = observe_deployment({"deploymentId": "d-1", "createTime": 5.0} | info)
    assert (seen.number, seen.status, seen.reason, seen.created_at) == ("d-1", status, reason, 5.0)
