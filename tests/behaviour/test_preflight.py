"""Before a router is registered, IAM is asked whether the roles of its task may do what it will."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controller.cli.main import main
from tests.support.playground import REGION, STORE, Playground, plain_definition, route_yaml

ACCOUNT = "123456789012"
TASK, EXECUTION = "example-poc-ecs-task", "example-poc-ecs-execution"
ASSUMED = f"arn:aws:iam::{ACCOUNT}:role/archivist"
TRUST = {"Version": "2012-10-17", "Statement": []}
ASK = "iam:SimulatePrincipalPolicy"
OUTPUTS = f"""[
      {{name: cloudwatch_logs, alias: cw, region: {REGION}, log_group_name: firelens-web, log_stream_prefix: a/}},
      {{name: s3, alias: archive, bucket: archive, region: {REGION}, s3_key_format: '/web/%Y/$TAG[1]/$UUID.gz'}},
      {{name: kinesis_firehose, alias: hose, region: {REGION}, delivery_stream: logs}},
      {{name: kinesis_streams, alias: stream, region: {REGION}, stream: logs}},
      {{name: s3, alias: far, bucket: vault, region: {REGION}, role_arn: {ASSUMED}}}]"""
CLASS = f"""
apiVersion: logroute.dev/v1alpha1
kind: LogRouterClass
metadata: {{name: default}}
spec:
  image: {ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/router:init-3.4.15
  engine: "5.0.9"
  rollout: {{batch: 100%, maxParallel: 0}}
"""
SETTLE = 3


class Estate:
    """A service, a route with outputs of every kind, and roles with exactly the policies that `logroute iam` prints."""

    def __init__(self, play: Playground, capsys: pytest.CaptureFixture[str]) -> None:
        self.play = play
        self.iam: Any = play.sandbox.client("iam")
        secrets: Any = play.sandbox.client("secretsmanager")
        self.secret: str = secrets.create_secret(Name="dd", SecretString="not looked at")["ARN"]
        self.route = route_yaml(
            "web",
            "[web]",
            OUTPUTS,
            f"  secrets: {{DD_KEY: '{self.secret}'}}\n  logGroups: [{{name: firelens-web, retentionDays: 3}}]\n",
        )
        play.write("web.yaml", self.route)
        play.write("class.yaml", CLASS)
        for bucket in ("archive", "vault"):
            play.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        hose: Any = play.sandbox.client("firehose")
        hose.create_delivery_stream(
            DeliveryStreamName="logs",
            S3DestinationConfiguration={"RoleARN": ASSUMED, "BucketARN": "arn:aws:s3:::archive"},
        )
        stream: Any = play.sandbox.client("kinesis")
        stream.create_stream(StreamName="logs", ShardCount=1)
        self.printed = {role: self._printed(kind, capsys) for role, kind in ((TASK, "task"), (EXECUTION, "execution"))}
        self.printed["archivist"] = document(allowed("s3:PutObject", "arn:aws:s3:::vault/*"))
        for role, found in self.printed.items():
            self.iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
            self.give(role, found)
        play.service("web")

    def _printed(self, kind: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
        capsys.readouterr()
        where = ["--config-store", self.play.settings.config_store or "", "--region", REGION, "--account-id", ACCOUNT]
        with pytest.raises(SystemExit):
            main(["iam", f"{kind}-role", "--specs", str(self.play.specs), *where])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    def give(self, role: str, policy: dict[str, Any]) -> None:
        self.iam.put_role_policy(RoleName=role, PolicyName="router", PolicyDocument=json.dumps(policy))

    def without(self, role: str, action: str) -> None:
        """The policy with one action taken out of each of its statements."""
        if left := kept(self, role, action):
            self.give(role, document(*left))
        else:
            self.iam.delete_role_policy(RoleName=role, PolicyName="router")

    @property
    def held(self) -> str:
        """Why the service is held for want of rights; "" where it is not."""
        [state] = self.play.controller.board.plain()["services"].values()
        return str(state["message"]) if state["reason"] == "PermissionsMissing" else ""

    def hints(self) -> str:
        """What the last plan of the service said beside."""
        [state] = self.play.controller.board.plain()["services"].values()
        return " ".join(f"{one['reason']}: {one['message']}" for one in state.get("hints", ()))

    def asked(self) -> int:
        return self.play.sandbox.call_counts.get(ASK, 0)


def many(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allowed(action: str, resource: str, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


@pytest.fixture
def estate(play: Playground, capsys: pytest.CaptureFixture[str]) -> Estate:
    return Estate(play, capsys)


def test_the_printed_policies_pass(estate: Estate) -> None:
    estate.play.settle(SETTLE)
    assert estate.play.is_routed("web")
    assert "PermissionsReady" not in estate.play.status("web/web")
    assert estate.asked() == 4  # task, execution twice (a resource of "*" by itself), the role that is assumed


RIGHTS = [
    (TASK, "s3:GetObject", "the config of web/web"),
    (TASK, "s3:GetBucketLocation", "the config's bucket of web/web"),
    (TASK, "logs:CreateLogStream", "output cw of web/web"),
    (TASK, "logs:PutLogEvents", "output cw of web/web"),
    (TASK, "s3:PutObject", "output archive of web/web"),
    (TASK, "firehose:PutRecordBatch", "output hose of web/web"),
    (TASK, "kinesis:PutRecords", "output stream of web/web"),
    (TASK, "sts:AssumeRole", "output far of web/web"),
    ("archivist", "s3:PutObject", "output far of web/web"),
    (EXECUTION, "logs:CreateLogStream", "the router's own log of web/web"),
    (EXECUTION, "logs:PutLogEvents", "the router's own log of web/web"),
    (EXECUTION, "secretsmanager:GetSecretValue", "a secret of web/web"),
    (EXECUTION, "ecr:GetAuthorizationToken", "the router's image of web/web"),
    (EXECUTION, "ecr:BatchCheckLayerAvailability", "the router's image of web/web"),
    (EXECUTION, "ecr:BatchGetImage", "the router's image of web/web"),
    (EXECUTION, "ecr:GetDownloadUrlForLayer", "the router's image of web/web"),
]


def test_every_printed_right_is_taken_away_once(estate: Estate) -> None:
    printed = {
        (role, action)
        for role, found in estate.printed.items()
        for one in found["Statement"]
        for action in many(one["Action"])
    }
    assert printed == {(role, action) for role, action, _ in RIGHTS} | {(TASK, "s3:ListBucket")}


def test_a_right_that_only_helps_people_holds_nobody(estate: Estate) -> None:
    """AWS's own pages give the task role no right to list: the init image needs none."""
    estate.without(TASK, "s3:ListBucket")
    estate.play.settle(SETTLE)
    assert estate.play.is_routed("web")
    assert "PermissionsReady" not in estate.play.status("web/web")


@pytest.mark.parametrize(("role", "action", "part"), RIGHTS)
def test_without_a_right_nothing_is_written_and_the_missing_statement_is_said(
    estate: Estate, role: str, action: str, part: str
) -> None:
    estate.without(role, action)
    estate.play.settle(SETTLE)
    assert estate.play.revisions("web") == 1
    assert estate.play.status("web/web")["PermissionsReady"] == ("False", "PermissionsMissing")
    held = estate.held
    assert f"role/{role} may not" in held
    assert part in held
    statement = json.loads(held.partition(f"Add to role/{role}: ")[2])
    assert action in many(statement["Action"])
    estate.give(role, document(*kept(estate, role, action), statement))
    estate.play.settle(SETTLE)  # what was printed is enough
    assert estate.play.is_routed("web")


def kept(estate: Estate, role: str, action: str) -> list[dict[str, Any]]:
    return [
        {**one, "Action": rest}
        for one in estate.printed[role]["Statement"]
        if (rest := [name for name in many(one["Action"]) if name != action])
    ]


def test_what_a_service_does_not_read_it_needs_no_right_to(estate: Estate) -> None:
    """This route has no parsers, so there is no such object."""
    some = [
        {**one, "Resource": "arn:aws:s3:::configs/logroute/*/pipeline.conf"}
        if "s3:GetObject" in many(one["Action"])
        else one
        for one in estate.printed[TASK]["Statement"]
    ]
    estate.give(TASK, document(*some))
    estate.play.settle(SETTLE)
    assert estate.play.is_routed("web")


def test_a_deny_counts_and_is_told_apart(estate: Estate) -> None:
    deny = allowed("s3:*", "arn:aws:s3:::archive/*", "Deny")
    estate.give(TASK, document(*estate.printed[TASK]["Statement"], deny))
    estate.play.settle(SETTLE)
    assert estate.play.revisions("web") == 1
    assert "(a policy denies it)" in estate.held


def test_a_boundary_counts_and_is_named(estate: Estate) -> None:
    edge = estate.iam.create_policy(PolicyName="edge", PolicyDocument=json.dumps(document(allowed("s3:*", "*"))))
    estate.iam.put_role_permissions_boundary(RoleName=TASK, PermissionsBoundary=edge["Policy"]["Arn"])
    estate.play.settle(SETTLE)
    assert estate.play.revisions("web") == 1
    assert "its permissions boundary" in estate.held
    assert "logs:PutLogEvents" in estate.held


def test_a_task_without_a_role_is_held(estate: Estate) -> None:
    body = plain_definition("bare")
    del body["taskRoleArn"]
    estate.play.service("bare", definition=body)
    estate.play.write("web.yaml", estate.route.replace("[web]", "[bare]"))
    estate.play.settle(SETTLE)
    assert estate.play.revisions("bare") == 1
    assert "Give the task definition a task role (taskRoleArn) that has: [{" in estate.held
    assert '"s3:GetObject"' in estate.held


def test_what_depends_on_a_condition_is_said_and_goes_on(estate: Estate) -> None:
    here = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    some = [
        {**one, "Condition": here} if "firehose:PutRecordBatch" in many(one["Action"]) else one
        for one in estate.printed[TASK]["Statement"]
    ]
    estate.give(TASK, document(*some))
    estate.play.step()
    assert estate.play.revisions("web") == 2
    assert "firehose:PutRecordBatch for output hose of web/web is not known: it depends on aws:SourceVpce" in (
        estate.hints()
    )
    assert estate.play.status("web/web")["PermissionsReady"] == ("Unknown", "PermissionsUnknown")


def test_what_the_bucket_s_own_policy_may_give_is_not_held(estate: Estate) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/{TASK}"
    given = {**allowed("s3:PutObject", "arn:aws:s3:::archive/*"), "Principal": {"AWS": role}}
    estate.play.s3.put_bucket_policy(Bucket="archive", Policy=json.dumps(document(given)))
    estate.without(TASK, "s3:PutObject")
    estate.play.step()
    assert estate.play.revisions("web") == 2
    assert "the policy of arn:aws:s3:::archive/" in estate.hints()


def test_a_bucket_policy_for_somebody_else_gives_nothing(estate: Estate) -> None:
    given = {**allowed("s3:PutObject", "arn:aws:s3:::archive/*"), "Principal": {"AWS": f"{ASSUMED}-other"}}
    estate.play.s3.put_bucket_policy(Bucket="archive", Policy=json.dumps(document(given)))
    estate.without(TASK, "s3:PutObject")
    estate.play.settle(SETTLE)
    assert estate.play.revisions("web") == 1


def test_iam_that_does_not_answer_holds_nobody(estate: Estate) -> None:
    estate.without(TASK, "s3:PutObject")
    estate.play.sandbox.add_fault(calls=ASK, effect="lose-answer")
    estate.play.step()
    assert estate.play.revisions("web") == 2
    assert "IAM did not answer" in estate.hints()


@pytest.mark.parametrize(("mode", "asks"), [("warn", True), ("off", False)])
def test_the_setting_says_whether_it_holds(estate: Estate, mode: str, *, asks: bool) -> None:
    estate.play.settings = estate.play.settings.model_copy(update={"preflight": mode})
    estate.play.start()
    estate.without(TASK, "s3:PutObject")
    estate.play.step()
    assert estate.play.revisions("web") == 2
    assert ("PermissionsMissing" in estate.hints()) is asks
    assert bool(estate.asked()) is asks


def test_a_plan_says_it_as_well(estate: Estate, capsys: pytest.CaptureFixture[str]) -> None:
    estate.without(TASK, "s3:PutObject")
    assert estate.play.command("plan") == 2
    said = capsys.readouterr().out
    assert "held (PermissionsMissing)" in said
    assert 'Add to role/example-poc-ecs-task: {"Effect":"Allow","Action":["s3:PutObject"]' in said


def test_a_service_in_sync_is_not_asked_about(estate: Estate) -> None:
    estate.play.settle(SETTLE)
    estate.play.sandbox.reset_call_counts()
    estate.play.settle(SETTLE)
    assert estate.asked() == 0


def test_many_services_of_one_role_ask_once(estate: Estate) -> None:
    for number in range(5):
        estate.play.service(f"web-{number}")
    estate.play.write("web.yaml", estate.route.replace("[web]", '["web-*"]'))
    before = estate.asked()
    estate.play.settle(SETTLE)
    assert estate.play.is_routed("web-4")
    assert estate.asked() - before <= 4 + 2 * 5  # the execution role is asked about each family's own log group


def test_a_missing_secret_holds_and_a_missing_bucket_is_said(estate: Estate) -> None:
    estate.play.s3.delete_bucket(Bucket="archive")
    estate.play.step()
    assert estate.play.revisions("web") == 2
    assert f"the bucket archive of output archive of web/web does not exist in {REGION}" in estate.hints()
    secrets: Any = estate.play.sandbox.client("secretsmanager")
    secrets.delete_secret(SecretId=estate.secret, ForceDeleteWithoutRecovery=True)
    estate.play.sandbox.advance(4000)
    estate.play.write("web.yaml", estate.route.replace("log_stream_prefix: a/", "log_stream_prefix: b/"))
    estate.play.settle(SETTLE)
    [state] = estate.play.controller.board.plain()["services"].values()
    assert (state["reason"], estate.play.revisions("web")) == ("DestinationMissing", 2)
    assert f"the secret {estate.secret} of a secret of web/web does not exist" in state["message"]


def test_apply_says_what_it_goes_on_without_knowing(estate: Estate, capsys: pytest.CaptureFixture[str]) -> None:
    estate.play.s3.delete_bucket(Bucket="archive")
    estate.play.command("apply", "--no-wait")
    assert (
        "DestinationMissing: the bucket archive of output archive of web/web does not exist" in capsys.readouterr().err
    )


def test_keys_of_one_s_own_are_said_to_be_unknown(estate: Estate) -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}]
    for bucket in ("archive", STORE):
        estate.play.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    secrets: Any = estate.play.sandbox.client("secretsmanager")
    secrets.update_secret(SecretId=estate.secret, KmsKeyId=key)
    estate.play.step()
    assert estate.play.revisions("web") == 2
    hints = estate.hints()
    for what in (
        "the bucket archive of output archive",
        f"the bucket {STORE} of the config",
        f"the secret {estate.secret} of a secret",
    ):
        assert f"{what} of web/web is encrypted with {key}: whether the role may use that key" in hints
    assert "the bucket vault" not in hints
    assert estate.play.status("web/web")["PermissionsReady"] == ("Unknown", "PermissionsUnknown")


def test_a_controller_that_only_reads_asks_about_some_roles_a_pass(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.reconciling.controller.MOST", 1)
    estate.play.settings = estate.play.settings.model_copy(update={"read_only": True})
    estate.play.start()
    asked = []
    for _ in range(4):
        estate.play.step()
        asked.append(estate.asked())
    assert asked == [1, 2, 4, 4]  # of the execution role twice: for `*` by itself
    assert estate.play.revisions("web") == 1
