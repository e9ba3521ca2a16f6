"""What Terraform makes of the modules' own values, without AWS, its provider or a network: only where `terraform` is."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from controller.settings import load

DEPLOY = Path(__file__).parents[2] / "deploy"
CONTROLLER, MEMBER = DEPLOY / "terraform", DEPLOY / "terraform" / "member"
KNOWN = {
    "data.aws_caller_identity.this.account_id": "123456789012",
    "data.aws_partition.this.partition": "aws",
    "data.aws_region.this.id": "eu-west-1",
    "aws_s3_bucket.configs.id": "example-configs",
    "aws_sqs_queue.events[*].arn": ["arn:aws:sqs:eu-west-1:123456789012:logroute-events"],
    "aws_sqs_queue.events[*].url": ["https://sqs.eu-west-1.amazonaws.com/123456789012/logroute-events"],
}
"""What AWS would tell."""
GIVEN = {
    "specs": "s3://specs/prod",
    "image": "example/logroute:1",
    "cluster": "platform",
    "vpc_id": "vpc-1",
    "subnets": ["subnet-1", "subnet-2"],
    "role_pattern": "app/*",
}
ALL = {
    **GIVEN,
    "source_bucket": "specs",
    "git_token_secret": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:git-AbCdEf",
    "member_roles": ["arn:aws:iam::222222222222:role/logroute"],
    "scheduled_jobs": True,
    "codedeploy": True,
    "deletes_configs": True,
    "deregisters": True,
    "events": True,
}
pytestmark = pytest.mark.needs("terraform")
STATEMENTS = "[for sid, one in local.controller_statements : one if lookup(local.controller_conditions, sid, true)]"


def evaluated(folder: Path, module: Path, expression: str, given: dict[str, Any]) -> Any:
    """An expression over the module's variables and locals."""
    blocks = [
        re.findall(r"^locals \{\n.*?^\}\n", path.read_text(), re.MULTILINE | re.DOTALL) for path in module.glob("*.tf")
    ]
    (folder / "locals.tf").write_text(_filled("".join(text for some in blocks for text in some)))
    (folder / "policies.tf.json").write_text(_filled((module / "policies.tf.json").read_text()))
    (folder / "variables.tf").write_text((module / "variables.tf").read_text())
    known = "".join(f"  {_name(key)} = {json.dumps(value)}\n" for key, value in KNOWN.items())
    (folder / "found.tf").write_text(
        f'locals {{\n{known}}}\noutput "found" {{\n  value = jsonencode({expression})\n}}\n'
    )
    (folder / "terraform.tfvars.json").write_text(json.dumps(given))
    for command in (["init"], ["apply", "-auto-approve", "-no-color"]):
        done = subprocess.run(["terraform", *command], cwd=folder, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    said = subprocess.run(["terraform", "output", "-json", "found"], cwd=folder, check=True, capture_output=True)
    return json.loads(json.loads(said.stdout))


def _name(reference: str) -> str:
    return "known_" + re.sub(r"\W+", "_", reference)


def _filled(text: str) -> str:
    for reference in KNOWN:
        text = text.replace(reference, f"local.{_name(reference)}")
    return text


def test_modules_are_laid_out_as_terraform_does() -> None:
    done = subprocess.run(["terraform", "fmt", "-check", "-recursive", CONTROLLER], check=False, capture_output=True)
    assert done.stdout.decode().split() == []


@pytest.mark.parametrize(
    ("given", "names"), [(GIVEN, set()), (ALL, {"config-objects", "ecs-changes", "other-deploys"})]
)
def test_there_are_rules_where_events_are_asked_for(tmp_path: Path, given: dict[str, Any], names: set[str]) -> None:
    found = evaluated(tmp_path, CONTROLLER, "local.rules", given)
    assert set(found) == names
    assert all(json.loads(rule["pattern"])["source"] for rule in found.values())


@pytest.mark.parametrize("given", [GIVEN, ALL], ids=["least", "all"])
def test_the_controller_takes_the_settings_of_the_module(
    tmp_path: Path, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in evaluated(tmp_path, CONTROLLER, "local.environment", given).items():
        monkeypatch.setenv(name, value)
    settings = load()
    assert settings.source == given["specs"]
    assert settings.config_store == "s3://example-configs/logroute"
    assert settings.garbage.configs == ("delete" if given is ALL else "dry-run")
    assert settings.git.token_secret_arn == given.get("git_token_secret")
    assert (settings.events.queue is not None) == (given is ALL)


def test_a_config_store_of_all_accounts_is_taken(tmp_path: Path) -> None:
    given = {**GIVEN, "bucket_name": "x-123456789012", "config_store": "s3://x-{account}/logroute"}
    found = evaluated(tmp_path, CONTROLLER, "local.environment", given)
    assert found["LOGROUTE_CONFIG_STORE"] == "s3://x-{account}/logroute"


def test_rights_that_nothing_asks_for_are_not_there(tmp_path: Path) -> None:
    found = {one["Sid"] for one in evaluated(tmp_path, CONTROLLER, STATEMENTS, GIVEN)}
    assert {"Look", "Register", "RollOut", "LeasesAndProbes"} <= found
    assert found.isdisjoint(
        {"Specs", "GitToken", "OtherAccounts", "Garbage", "SupersededRevisions", "DeployThroughCodeDeploy"}
    )


def test_a_policy_of_everything_is_filled_in(tmp_path: Path) -> None:
    found = {one["Sid"]: one for one in evaluated(tmp_path, CONTROLLER, STATEMENTS, ALL)}
    assert found["ConfigStoreObjects"]["Resource"] == "arn:aws:s3:::example-configs/logroute/*"
    assert found["PassTheRolesOfTheTasks"]["Resource"] == "arn:aws:iam::123456789012:role/app/*"
    assert found["OtherAccounts"]["Resource"] == ALL["member_roles"]
    assert "${" not in json.dumps(found)


def test_roles_to_pass_are_never_all(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="role_pattern must name roles"):
        evaluated(tmp_path, CONTROLLER, "local.rules", {**GIVEN, "role_pattern": "*"})
