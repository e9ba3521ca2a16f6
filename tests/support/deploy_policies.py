"""The controller's policy in the deploy files, from controller/permissions: `python -m tests.support.deploy_policies`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import yaml

from controller.permissions.controller import Reach, Store, statements
from controller.permissions.policy import Statement

DEPLOY = Path(__file__).parents[2] / "deploy"
BLOCK = re.compile(r"(.*  # <controller policy>\n).*?(  # </controller policy>\n.*)", re.DOTALL)
EXAMPLE = Reach(
    account="123456789012",
    store=Store("example-logroute-configs", "logroute"),
    deletes_configs=True,
    deregisters=True,
    queue="arn:aws:sqs:ap-northeast-1:123456789012:logroute-events",
    secret="arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:logroute-git-AbCdEf",
)
"""What deploy/controller-policy.json is for: everything that one account may need."""
CLOUDFORMATION = Reach(
    partition="${AWS::Partition}",
    account="${AWS::AccountId}",
    region="${RegionPattern}",
    clusters=("${ClusterPattern}",),
    families=("${FamilyPattern}",),
    roles=("${RolePattern}",),
    store=Store("${ConfigBucket}", "${ConfigPrefix}"),
    key="${KmsKey}",
    deletes_configs=True,
    deregisters=True,
    source_bucket=Store("${SourceBucket}", ""),
    versions_of="${SourceBucket}",
    secret="${GitTokenSecret}",
    assumes=("${MemberRoles}",),
    queue="${EventQueue.Arn}",
)
TERRAFORM = replace(
    CLOUDFORMATION,
    partition="${local.partition}",
    account="${local.account}",
    region="${var.region_pattern}",
    clusters=("${var.cluster_pattern}",),
    families=("${var.family_pattern}",),
    roles=("${var.role_pattern}",),
    store=Store("${aws_s3_bucket.configs.id}", "${var.config_prefix}"),
    key="${var.kms_key}",
    source_bucket=Store("${var.source_bucket}", ""),
    versions_of="${var.source_bucket}",
    secret="${var.git_token_secret}",
    assumes=("${member_roles}",),
    queue="${one(aws_sqs_queue.events[*].arn)}",
)
CONDITIONS = {
    "ConfigStoreKey": "HasKmsKey",
    "SpecsListing": "HasSourceBucket",
    "Specs": "HasSourceBucket",
    "SpecsVersioning": "HasSourceBucket",
    "GitToken": "HasGitToken",
    "OtherAccounts": "HasMemberRoles",
    "Events": "HasEvents",
    "ListWhatStartsJobs": "HasScheduledJobs",
    "LookAtWhatStartsJobs": "HasScheduledJobs",
    "MoveWhatStartsJobs": "HasScheduledJobs",
    "PassTheRolesOfWhatStartsJobs": "HasScheduledJobs",
    "LookAtCodeDeploy": "UsesCodeDeploy",
    "DeployThroughCodeDeploy": "UsesCodeDeploy",
    "FindAndStopDeployments": "UsesCodeDeploy",
    "Garbage": "DeletesConfigObjects",
    "SupersededRevisions": "DeregistersRevisions",
}
"""Statement → the condition of the templates under which it is there; the others always are."""


class _Tagged(str):
    __slots__ = ()
    tag = ""


class _Sub(_Tagged):
    __slots__ = ()
    tag = "!Sub"


class _Ref(_Tagged):
    __slots__ = ()
    tag = "!Ref"


class _If(list[Any]):
    pass


class _Dumper(yaml.SafeDumper):
    pass


def _tagged(dumper: yaml.SafeDumper, text: _Tagged) -> yaml.Node:
    return dumper.represent_scalar(text.tag, str(text), style='"')


_Dumper.add_representer(_Sub, _tagged)
_Dumper.add_representer(_Ref, _tagged)
_Dumper.add_representer(_If, lambda dumper, some: dumper.represent_sequence("!If", some))


def cloudformation(reach: Reach) -> str:
    """An AWS::IAM::ManagedPolicy of the role TaskRole."""
    policy = {
        "ControllerPolicy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "Roles": [_Ref("TaskRole")],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": list(_conditional(reach))},
            },
        }
    }
    text = yaml.dump(policy, Dumper=_Dumper, sort_keys=False, width=1000, default_flow_style=False)
    return "".join(f"  {line}" for line in text.splitlines(keepends=True))


def _conditional(reach: Reach) -> Iterator[Any]:
    for one in statements(reach):
        plain = _with_references(one.as_plain())
        condition = CONDITIONS.get(one.sid)
        yield _If([condition, plain, _Ref("AWS::NoValue")]) if condition else plain


def _with_references(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_references(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_references(one) for one in value]
    if value == "${MemberRoles}":
        return _Ref("MemberRoles")
    return _Sub(value) if isinstance(value, str) and "${" in value else value


def terraform(reach: Reach) -> str:
    """Locals, as JSON that Terraform reads: each statement, and under which condition it is there."""
    found = {one.sid: _for_terraform(one) for one in statements(reach)}
    conditions = {sid: f"${{local.{_snake(CONDITIONS[sid])}}}" for sid in found if sid in CONDITIONS}
    plain = {
        "//": "Generated by `python -m tests.support.deploy_policies`, from the same source as `logroute iam controller`.",
        "locals": {"controller_statements": found, "controller_conditions": conditions},
    }
    return orjson.dumps(plain, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _for_terraform(one: Statement) -> dict[str, Any]:
    plain = one.as_plain()
    if plain["Resource"] == "${member_roles}":
        plain["Resource"] = "${var.member_roles}"
    return plain


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def files() -> dict[Path, str]:
    """What each file should hold."""
    member = replace(CLOUDFORMATION, home=False, key="", queue="")
    found = {
        DEPLOY / "controller-policy.json": orjson.dumps(
            {"Version": "2012-10-17", "Statement": [one.as_plain() for one in statements(EXAMPLE)]},
            option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
        ).decode(),
        DEPLOY / "terraform" / "policies.tf.json": terraform(TERRAFORM),
        DEPLOY / "terraform" / "member" / "policies.tf.json": terraform(
            replace(TERRAFORM, home=False, key="", queue="")
        ),
    }
    for name, reach in (("logroute.yaml", CLOUDFORMATION), ("member.yaml", member)):
        path = DEPLOY / "cloudformation" / name
        before, after = BLOCK.fullmatch(path.read_text()).groups()  # type: ignore[union-attr]
        found[path] = before + cloudformation(reach) + after
    return found


if __name__ == "__main__":
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
