"""The deploy files: linted, one source with `logroute iam`, as careful as they say, and really deployed as far as moto goes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from cfnlint.api import lint_file
from moto.ecs.models import ecs_backends
from parliament import analyze_policy_string

from controller.sandbox import Sandbox
from controller.sandbox.outside import ACCOUNT
from controller.settings import load
from tests.support import deploy_policies

DEPLOY = Path(__file__).parents[2] / "deploy"
TEMPLATES = sorted((DEPLOY / "cloudformation").glob("*.yaml"))
MODULES = (DEPLOY / "terraform", DEPLOY / "terraform" / "member")
REGION = "eu-west-1"
LOOKS = {
    "ecs:DescribeServiceDeployments",
    "ecs:DescribeServiceRevisions",
    "ecs:DescribeServices",
    "ecs:DescribeTasks",
    "ecs:ListServiceDeployments",
    "ecs:ListTasks",
}
"""On all clusters: before something is put away, what all of them run is looked at."""
NO_RESOURCES = {"codedeploy:StopDeployment", "ecs:DeregisterTaskDefinition"}
"""Writes that IAM cannot bind to a resource (Service Authorization Reference)."""
NOT_IN_MOTO = {"ConfigBucketPolicy", "DeadEventsPolicy", "EventQueuePolicy"}
"""Its CloudFormation does not make these; the test of the template looks at them."""
# All conditions hold: moto leaves what AWS::NoValue takes out of a list as an empty statement.
PARAMETERS = {
    "Source": "s3://specs/prod",
    "Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/logroute@sha256:" + "0" * 64,
    "Cluster": "platform",
    "SourceBucket": "specs",
    "MemberRoles": "arn:aws:iam::222222222222:role/logroute",
    "CodeDeploy": "yes",
    "ScheduledJobs": "yes",
    "DeletesConfigs": "yes",
    "Deregisters": "yes",
    "GitTokenSecret": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:git-AbCdEf",
    "KmsKey": "arn:aws:kms:eu-west-1:123456789012:key/1",
    "Events": "yes",
    "FamilyPattern": "web-*",
    "RolePattern": "app/*",
    "BucketName": f"configs-{ACCOUNT}",
    "ConfigStore": "s3://configs-{account}/logroute",
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_cfn_lint_finds_nothing(path: Path) -> None:
    assert [str(one) for one in lint_file(path)] == []


@pytest.mark.parametrize("path", list(deploy_policies.files()), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_the_policies_are_those_that_logroute_iam_prints(path: Path) -> None:
    assert path.read_text() == deploy_policies.files()[path], "run: python -m tests.support.deploy_policies"


class _Loader(yaml.SafeLoader):
    """Of a template: `!Sub x` and the like are their arguments."""


def _argument(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _argument)


def resources(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((DEPLOY / "cloudformation" / name).read_text(), _Loader)["Resources"]  # noqa: S506 - a SafeLoader
    return found


def policies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every identity policy of the deploy files, references filled in by something."""
    for path in TEMPLATES:
        for name, one in resources(path.name).items():
            given = one["Properties"]
            if one["Type"] == "AWS::IAM::ManagedPolicy":
                yield f"{path.name} {name}", given["PolicyDocument"]
            for inline in given.get("Policies", ()) if one["Type"] == "AWS::IAM::Role" else ():
                yield f"{path.name} {name} {inline['PolicyName']}", inline["PolicyDocument"]
    yield "controller-policy.json", json.loads((DEPLOY / "controller-policy.json").read_text())


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Those under a condition too: `!If [Condition, statement, nothing]`."""
    return [one[1] if isinstance(one, list) else one for one in document["Statement"]]


@pytest.mark.parametrize(
    ("name", "document"), list(policies()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_parliament_finds_nothing_in_a_policy(name: str, document: dict[str, Any]) -> None:
    plain = {"Version": document["Version"], "Statement": statements(document)}
    text = re.sub(r"\$\{AWS::AccountId\}", "123456789012", json.dumps(plain))
    text = re.sub(r"\$\{AWS::Partition\}", "aws", re.sub(r"\$\{AWS::Region\}", "eu-west-1", text))
    text = text.replace("${RegionPattern}", "*").replace("${GitTokenSecret}", PARAMETERS["GitTokenSecret"])
    text = text.replace("${KmsKey}", PARAMETERS["KmsKey"])
    text = text.replace("${EventQueue.Arn}", "arn:aws:sqs:eu-west-1:123456789012:events")
    text = re.sub(r"\bMemberRoles\b", PARAMETERS["MemberRoles"], text)
    text = re.sub(r"\$\{[A-Za-z]+\}", "x", text)
    found = [one for one in analyze_policy_string(text).findings if set(one.detail or ()) != LOOKS]
    assert [str(one) for one in found] == [], name


@pytest.mark.parametrize(
    ("name", "document"), list(policies()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_no_policy_has_a_wildcard_action_or_passes_roles_to_anybody(name: str, document: dict[str, Any]) -> None:
    for one in statements(document):
        actions = [one["Action"]] if isinstance(one["Action"], str) else one["Action"]
        assert not [action for action in actions if "*" in action], name
        if "iam:PassRole" in actions:
            assert one["Condition"]["StringEquals"]["iam:PassedToService"]
        writes = {
            action
            for action in actions
            if re.search(r":(Put|Update|Create|Delete|Deregister|Register|Stop|Tag|Pass)", action)
        }
        assert one["Resource"] != "*" or writes <= NO_RESOURCES, (name, writes)


@pytest.mark.parametrize("name", [path.name for path in TEMPLATES])
def test_the_config_bucket_is_closed_in_each_template(name: str) -> None:
    found = resources(name)
    bucket = found["ConfigBucket"]
    given = bucket["Properties"]
    for kept in (bucket, found["ConfigBucketPolicy"]):
        assert kept["DeletionPolicy"] == kept["UpdateReplacePolicy"] == "Retain"
    assert given["VersioningConfiguration"]["Status"] == "Enabled"
    assert set(given["PublicAccessBlockConfiguration"].values()) == {True}
    assert given["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    [deny] = found["ConfigBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_queues_are_reached_over_tls_only_in_both_ways() -> None:
    for name in ("EventQueuePolicy", "DeadEventsPolicy"):
        denied = resources("logroute.yaml")[name]["Properties"]["PolicyDocument"]["Statement"][-1]
        assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    for name in ("events", "dead_events"):
        assert "aws:SecureTransport" in str(terraform(DEPLOY / "terraform")[f"aws_sqs_queue_policy.{name}"])


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_which_roles_may_be_passed_has_to_be_said_and_is_never_all(path: Path) -> None:
    given = yaml.load(path.read_text(), _Loader)["Parameters"]["RolePattern"]  # noqa: S506 - a SafeLoader
    assert "Default" not in given
    assert not re.fullmatch(given["AllowedPattern"], "*")
    assert re.fullmatch(given["AllowedPattern"], "app/web-*")


def terraform(module: Path) -> dict[str, Any]:
    """`type.name` → the resource."""
    found: dict[str, Any] = {}
    for path in sorted(module.glob("*.tf")):
        with path.open() as file:
            for block in hcl2.load(file).get("resource", ()):
                for kind, named in block.items():
                    for name, body in named.items():
                        found[f"{kind}.{name}".replace('"', "")] = body
    return found


@pytest.mark.parametrize("module", MODULES, ids=["terraform", "member"])
def test_the_config_bucket_is_closed_in_each_module(module: Path) -> None:
    found = terraform(module)
    kinds = {name.partition(".")[0] for name in found}
    assert {
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
        "aws_s3_bucket_ownership_controls",
    } <= kinds
    block = found["aws_s3_bucket_public_access_block.configs"]
    names = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    assert [block[name] for name in names] == [True] * 4
    assert "aws:SecureTransport" in str(found["aws_s3_bucket_policy.configs"])
    assert "prevent_destroy" in str(found["aws_s3_bucket.configs"])


@pytest.mark.parametrize("module", MODULES, ids=["terraform", "member"])
def test_a_module_defines_what_it_names_and_names_what_it_defines(module: Path) -> None:
    text = "".join(path.read_text() for path in (*module.glob("*.tf"), *module.glob("*.tf.json")))
    defined = set(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))
    assert defined == set(re.findall(r"\bvar\.(\w+)", text))
    locals_ = set(re.findall(r"\blocal\.(\w+)", text))
    assert all(re.search(rf'^\s*"?{name}"?\s*[=:]', text, re.MULTILINE) for name in locals_)


def test_both_ways_give_the_controller_the_same_settings() -> None:
    with (DEPLOY / "terraform" / "main.tf").open() as file:
        text = file.read()
    definition = resources("logroute.yaml")["TaskDefinition"]["Properties"]["ContainerDefinitions"][0]
    named = [one[1] if isinstance(one, list) else one for one in definition["Environment"]]
    assert {one["Name"] for one in named} == set(re.findall(r"\b(LOGROUTE_\w+)\s*=", text))


@pytest.fixture(scope="module")
def stack() -> Iterator[tuple[Sandbox, dict[str, str]]]:
    """The stack in moto, and its physical ids."""
    with Sandbox(region=REGION) as sandbox:
        ec2: Any = sandbox.client("ec2")
        subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]][:2]
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        ecs_backends[ACCOUNT][REGION].create_cluster("platform")
        cloudformation: Any = sandbox.client("cloudformation")
        given = {**PARAMETERS, "Vpc": vpc, "Subnets": ",".join(subnets)}
        cloudformation.create_stack(
            StackName="logroute",
            TemplateBody=(DEPLOY / "cloudformation" / "logroute.yaml").read_text(),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        )
        rows = cloudformation.describe_stack_resources(StackName="logroute")["StackResources"]
        yield (
            sandbox,
            {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in rows if "PhysicalResourceId" in row},
        )


def test_the_stack_makes_everything_that_it_names(stack: tuple[Sandbox, dict[str, str]]) -> None:
    assert stack[1].keys() | NOT_IN_MOTO == resources("logroute.yaml").keys()


def test_the_bucket_of_the_stack_is_encrypted(stack: tuple[Sandbox, dict[str, str]]) -> None:
    sandbox, ids = stack
    s3: Any = sandbox.client("s3")
    assert s3.get_bucket_encryption(Bucket=ids["ConfigBucket"])["ServerSideEncryptionConfiguration"]["Rules"]


def test_only_the_rules_of_the_stack_may_send_to_its_queue(stack: tuple[Sandbox, dict[str, str]]) -> None:
    sandbox, ids = stack
    events: Any = sandbox.client("events")
    names = ("ConfigObjects", "EcsChanges", "OtherDeploys")
    for name in names:
        [target] = events.list_targets_by_rule(Rule=ids[name])["Targets"]
        assert target["Arn"].endswith(ids["EventQueue"].rsplit("/", 1)[-1])


def test_the_policy_of_the_stack_names_its_own_bucket_and_patterns(stack: tuple[Sandbox, dict[str, str]]) -> None:
    sandbox, ids = stack
    iam: Any = sandbox.client("iam")
    [attached] = iam.list_attached_role_policies(RoleName=ids["TaskRole"])["AttachedPolicies"]
    version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
    by_sid = {one["Sid"]: one for one in found["Statement"]}
    assert by_sid["ConfigStoreObjects"]["Resource"] == f"arn:aws:s3:::{ids['ConfigBucket']}/logroute/*"
    assert by_sid["Register"]["Resource"] == "arn:aws:ecs:*:123456789012:task-definition/web-*:*"
    assert by_sid["OtherAccounts"]["Resource"] == [PARAMETERS["MemberRoles"]]
    assert "${" not in json.dumps(found)


def test_the_task_of_the_stack_has_settings_that_the_controller_takes(
    stack: tuple[Sandbox, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, ids = stack
    # CloudFormation made it in moto's own ECS; the sandbox's is another.
    made: Any = ecs_backends[ACCOUNT][sandbox.default_region].describe_task_definition(ids["TaskDefinition"])
    for one in made.container_definitions[0]["environment"]:
        monkeypatch.setenv(one["name"], one["value"])
    settings = load()
    assert str(settings.config_store).format(account=ACCOUNT) == f"s3://{ids['ConfigBucket']}/logroute"
    assert (settings.garbage.configs, settings.garbage.revisions) == ("delete", "deregister")
    assert settings.guards.first_run == "plan"
    assert settings.git.token_secret_arn == PARAMETERS["GitTokenSecret"]
