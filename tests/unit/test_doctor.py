"""What the doctor makes of answers that no emulator gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from controller.api.keys import Place
from controller.aws.accounts import AwsAccount, Role
from controller.aws.ports import AccessDenied
from controller.aws.probe import Probe, Tried, options
from controller.doctor.identity import Identity
from controller.doctor.model import Sheet
from controller.doctor.targets import Inventory, first_pass
from controller.doctor.writes import Sample, simulated

SHEET = Sheet("main/us-east-1")
SESSION = Identity("123456789012", "arn:aws:sts::123456789012:assumed-role/logroute/task")
SAMPLE = Sample(
    "arn:aws:ecs:us-east-1:123456789012:service/shop/web",
    "arn:aws:ecs:us-east-1:123456789012:cluster/shop",
    "arn:aws:ecs:us-east-1:123456789012:task-definition/web:*",
    ("arn:aws:iam::123456789012:role/web",),
)


class Simulator(Probe):
    """IAM's answers by action; every action that is not named is allowed."""

    def __init__(self, answers: Mapping[str, Mapping[str, Any]], path: str = "") -> None:
        super().__init__(AwsAccount(Place("main", "us-east-1"), Role(), options(0.5)))
        self.answers, self.path = answers, path
        self.sources: set[str] = set()

    def call(self, service: str, operation: str, resource: str, /, **arguments: Any) -> Tried:
        name = f"{service}:{operation}"
        if operation == "GetRole":
            arn = f"arn:aws:iam::123456789012:role/{self.path}{arguments['RoleName']}"
            return Tried(name, resource, {"Role": {"Arn": arn}} if self.path else {})
        self.sources.add(arguments["PolicySourceArn"])
        (action,) = arguments["ActionNames"]
        result = self.answers.get(action, {"EvalDecision": "allowed"})
        return Tried(name, resource, {"EvaluationResults": [result]})


def verdicts(probe: Probe, sample: Sample | None = SAMPLE) -> list[str]:
    return [one.verdict.value for one in simulated(SHEET, probe, SESSION, sample)]


def test_rights_that_the_simulator_grants_pass() -> None:
    assert verdicts(Simulator({})) == ["pass", "pass", "pass"]


def test_a_right_that_the_simulator_denies_fails_with_its_resource() -> None:
    denied = Simulator({"iam:PassRole": {"EvalDecision": "implicitDeny"}})
    found = list(simulated(SHEET, denied, SESSION, SAMPLE))
    assert [one.verdict.value for one in found] == ["pass", "pass", "fail"]
    assert "Allow iam:PassRole on arn:aws:iam::123456789012:role/web" in found[2].hint


def test_one_denied_resource_among_allowed_ones_fails() -> None:
    rows = [{"EvalResourceDecision": "allowed"}, {"EvalResourceDecision": "explicitDeny"}]
    answer = {"EvalDecision": "allowed", "ResourceSpecificResults": rows}
    assert verdicts(Simulator({"ecs:UpdateService": answer})) == ["pass", "fail", "pass"]


def test_a_right_that_depends_on_what_is_unknown_is_not_denied() -> None:
    answer = {"EvalDecision": "implicitDeny", "MissingContextValues": ["aws:ResourceTag/team"]}
    assert verdicts(Simulator({"ecs:UpdateService": answer})) == ["pass", "warn", "pass"]


def test_without_a_service_nothing_is_proved() -> None:
    assert verdicts(Simulator({}), None) == ["warn"]


@pytest.mark.parametrize("path", ["", "platform/"])
def test_the_simulator_is_asked_about_the_role_and_not_its_session(path: str) -> None:
    probe = Simulator({}, path)
    assert verdicts(probe)
    assert probe.sources == {f"arn:aws:iam::123456789012:role/{path}logroute"}


def test_how_long_a_first_pass_reads_is_told_by_ecs_s_rates() -> None:
    """2,000 definitions at 10 a second, of which 25 come at once; 220 lists and descriptions at the same rate, 50 of them
    at once.
    """
    services = Inventory({"shop": tuple(map(str, range(2000)))}, whole=True)
    assert "about 214 s" in first_pass(SHEET, services, 0.5).message
    assert "about 104 s" in first_pass(SHEET, services, 1.0).message
    assert "about a second" in first_pass(SHEET, Inventory({"shop": ("web",)}, whole=True), 0.5).message


def test_more_definitions_than_the_cache_holds_is_a_warning() -> None:
    many = Inventory({str(cluster): tuple(map(str, range(4000))) for cluster in range(8)}, whole=True)
    assert first_pass(SHEET, many, 0.5).verdict.value == "warn"


def test_a_denied_call_leads_to_the_policy() -> None:
    error = AccessDenied("ecs:ListTasks", "cluster shop", "AccessDeniedException", "no.", "Allow it")
    found = SHEET.failed("permissions", error)
    assert found.hint == "Allow ecs:ListTasks on cluster shop: logroute iam controller prints the whole policy"
