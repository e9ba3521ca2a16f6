"""The policy that `logroute iam` prints, and nothing more, is enough; and of what is missing people are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from controller import app as composition
from controller.api.errors import Explained
from controller.cli.main import main
from controller.runtime.leases import RUN
from controller.settings import AccountSettings, Garbage
from tests.behaviour.test_families import FAMILY, families_yaml
from tests.behaviour.test_families import is_routed as family_is_routed
from tests.behaviour.test_many_accounts import DATA, REMOTE, ROLE
from tests.behaviour.test_schedules import REPOINT, add_rule, add_schedule, revision_of, rule, schedule
from tests.support.playground import CLUSTER, REGION, Playground, plain_definition, route_yaml
from tests.support.shop import Shop

OWN = "arn:aws:iam::123456789012:role/logroute-controller"
DAY = 24 * 3600.0
GROUPS = "  logGroups: [{name: firelens-web, retentionDays: 3}]\n"
STORE = "s3://configs-{account}/logroute"
GARBAGE = {"configs": "delete", "revisions": "deregister", "keepRevisions": 1, "graceDays": 1}
FOR_TASKS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


@dataclass(slots=True)
class Estate:
    """Everything that one controller may look after: a rolling service, one of CodeDeploy, jobs with a rule and a
    schedule, a second account.
    """

    play: Playground
    shop: Shop
    far: Any
    policy: dict[str, Any]
    keys: dict[str, str]
    """Of a session of the controller's role."""


def printed(play: Playground, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    accounts = json.dumps({"main": {}, "data": REMOTE})
    path = play.specs.parent / "iam.yaml"
    path.write_text(
        f"source: {play.specs}\nconfigStore: '{STORE}'\nregion: {REGION}\naccounts: {accounts}\n"
        f"garbage: {json.dumps(GARBAGE)}\n"
    )
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["iam", "controller", "--config", str(path), *words])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def estate(play: Playground, capsys: pytest.CaptureFixture[str]) -> Estate:
    play.s3.create_bucket(Bucket="configs-123456789012", CreateBucketConfiguration={"LocationConstraint": REGION})
    narrowed = (
        "--family",
        "web",
        "--family",
        "example",
        "--family",
        FAMILY,
        "--role",
        "example-poc-*",
        "--role",
        "starts-*",
    )
    policy = printed(play, capsys, "--account-id", "123456789012", *narrowed)
    far = _far(
        play, printed(play, capsys, "--account", "data"), printed(play, capsys, "--account", "data", "--trust", OWN)
    )
    target = f"arn:aws:elasticloadbalancing:{REGION}:123456789012:targetgroup/shop/1"
    shop = Shop(play, [{"targetGroupArn": target, "containerName": "app", "containerPort": 80}])
    play.service("web")
    arn = play.register(plain_definition(FAMILY))
    add_rule(play, "nightly", arn)
    add_schedule(play, "monthly", arn)
    play.sandbox.advance(1200)
    accounts = {"main": AccountSettings(), "data": AccountSettings.model_validate(REMOTE)}
    play.settings = play.settings.model_copy(
        update={"accounts": accounts, "config_store": STORE, "garbage": Garbage.model_validate(GARBAGE)}
    )
    return Estate(play, shop, far, policy, {})


def _far(play: Playground, policy: dict[str, Any], trust: dict[str, Any]) -> Any:
    """The other account: a service, a bucket, and a role with a policy of its own."""
    credentials = play.sandbox.client("sts").assume_role(RoleArn=f"{ROLE}-admin", RoleSessionName="test")["Credentials"]
    keys: Any = {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }
    iam: Any = play.sandbox.client("iam", **keys)
    iam.create_role(RoleName="logroute", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName="logroute", PolicyName="controller", PolicyDocument=json.dumps(policy))
    s3: Any = play.sandbox.client("s3", **keys)
    s3.create_bucket(Bucket=f"configs-{DATA}", CreateBucketConfiguration={"LocationConstraint": REGION})
    ecs: Any = play.sandbox.client("ecs", **keys)
    ecs.create_cluster(clusterName=CLUSTER)
    body = plain_definition("web")
    roles = {name: body[name].replace("123456789012", DATA) for name in ("taskRoleArn", "executionRoleArn")}
    made = ecs.register_task_definition(**{**body, **roles})["taskDefinition"]["taskDefinitionArn"]
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
    ecs.create_service(
        cluster=CLUSTER,
        serviceName="web",
        taskDefinition=made,
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=network,
    )
    return ecs


def as_controller(estate: Estate, patch: pytest.MonkeyPatch, policy: dict[str, Any]) -> None:
    """From now on whoever looks for credentials is the controller, and IAM is enforced."""
    play = estate.play
    iam: Any = play.sandbox.client("iam")
    iam.create_role(RoleName="logroute-controller", AssumeRolePolicyDocument=FOR_TASKS)
    iam.put_role_policy(RoleName="logroute-controller", PolicyName="controller", PolicyDocument=json.dumps(policy))
    given = play.sandbox.client("sts").assume_role(RoleArn=OWN, RoleSessionName="task")["Credentials"]
    patch.setenv("AWS_ACCESS_KEY_ID", given["AccessKeyId"])
    patch.setenv("AWS_SECRET_ACCESS_KEY", given["SecretAccessKey"])
    patch.setenv("AWS_SESSION_TOKEN", given["SessionToken"])
    play.sandbox.enforce_iam()
    play.start()


OUTPUTS = [
    "[{name: stdout}, {name: s3, bucket: configs-123456789012, region: ap-northeast-1}]",
    "[{name: stdout, format: json_lines}]",
    "[{name: stdout, format: json}]",
]


def specs(outputs: str) -> dict[str, str]:
    return {
        "web.yaml": route_yaml("web", "[web]", outputs, GROUPS),
        "shop.yaml": route_yaml("shop", "[example]", outputs),
        "far.yaml": route_yaml("far", "[web]", outputs).replace("target: {", "target: {account: data, "),
        "jobs.yaml": families_yaml(target=REPOINT),
    }


def live(estate: Estate) -> list[str]:
    """Routed, changed, repaired, moved, swept, left. What was said on the way."""
    play = estate.play
    leases = composition.share(play.app, RUN, awake=play.sandbox.clock.now)
    play.app.shards.leases = None  # the controller goes on by itself, whatever the clock does to its beats
    said: list[str] = []
    attempt(said, leases.tick)
    for outputs in OUTPUTS:
        for name, text in specs(outputs).items():
            play.write(name, text)
        play.settle(8)
        said.append(json.dumps(play.controller.board.plain()))
    paths = [row["Key"] for row in play.s3.list_objects_v2(Bucket="configs-123456789012").get("Contents", ())]
    for key in [one for one in paths if one.endswith("/pipeline.conf")][:1]:
        play.s3.delete_object(Bucket="configs-123456789012", Key=key)
    if groups(play):
        play.logs.delete_log_group(logGroupName="firelens-web")
    play.settle(3)
    said.append(json.dumps(play.controller.board.plain()))
    found = play.app.collector()
    assert found is not None
    for days in (0, 91, 2, 2):
        play.sandbox.advance(days * DAY)
        attempt(said, lambda: said.append(found.sweep().why))
    play.remove("web.yaml")
    play.settle(4)
    attempt(said, play.controller.save_status)
    attempt(said, lambda: leases.close(0))
    return [*said, json.dumps(play.controller.board.plain())]


def attempt(said: list[str], act: Callable[[], object]) -> None:
    try:
        act()
    except Explained as error:
        said.append(str(error))


def groups(play: Playground) -> list[str]:
    return [one["logGroupName"] for one in play.logs.describe_log_groups(logGroupNamePrefix="firelens")["logGroups"]]


def is_routed(ecs: Any, service: str) -> bool:
    arn = ecs.describe_services(cluster=CLUSTER, services=[service])["services"][0]["taskDefinition"]
    body = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return "log_router" in [one["name"] for one in body["containerDefinitions"]]


def test_the_printed_policies_are_enough(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    play = estate.play
    as_controller(estate, monkeypatch, estate.policy)
    live(estate)
    assert play.sandbox.denied == []
    assert revisions_gone(play)
    assert estate.shop.is_routed
    assert is_routed(estate.far, "web")
    assert not is_routed(play.ecs, "web")
    assert family_is_routed(play)
    assert {revision_of(rule(play, "nightly")), revision_of(schedule(play, "monthly"))} != {f"{FAMILY}:1"}
    assert groups(play) == ["firelens-web"]


def revisions_gone(play: Playground) -> list[str]:
    found: list[str] = play.ecs.list_task_definitions(familyPrefix="example", status="INACTIVE")["taskDefinitionArns"]
    return found


SIDS = [
    "Look",
    "Register",
    "TagWhatIsRegistered",
    "RollOut",
    "PassTheRolesOfTheTasks",
    "ConfigStoreObjects",
    "ConfigStoreListing",
    "LeasesAndProbes",
    "OtherAccounts",
    "LookAtLogGroups",
    "KeepLogGroups",
    "ListWhatStartsJobs",
    "LookAtWhatStartsJobs",
    "MoveWhatStartsJobs",
    "PassTheRolesOfWhatStartsJobs",
    "LookAtCodeDeploy",
    "DeployThroughCodeDeploy",
    "FindAndStopDeployments",
    "AskForRights",
    "LookAtDestinations",
    "Garbage",
    "SupersededRevisions",
]


LOOKS = "LookAtDestinations"
"""Who leaves it out wants no look, and is not told so at each rollout."""


def test_every_statement_is_tried_without(estate: Estate) -> None:
    assert [one["Sid"] for one in estate.policy["Statement"]] == SIDS


@pytest.mark.soak
@pytest.mark.parametrize("sid", SIDS)
def test_of_a_right_that_is_missing_people_are_told_what_and_for_what(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sid: str
) -> None:
    statements = [one for one in estate.policy["Statement"] if one["Sid"] != sid]
    [missing] = [one for one in estate.policy["Statement"] if one["Sid"] == sid]
    as_controller(estate, monkeypatch, {**estate.policy, "Statement": statements})
    said = live(estate)
    denied = estate.play.sandbox.denied
    assert denied
    assert all(any(action in one for action in missing["Action"]) for one in denied)
    told = capsys.readouterr().out + " ".join(said)
    assert sid == LOOKS or any(action in told for action in missing["Action"])
    assert "Traceback" not in told
