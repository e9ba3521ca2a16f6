"""EventBridge rules and Scheduler schedules that start the jobs of a family."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controller.aws.schedules import BotoSchedules
from controller.cli.plans import as_json, markdown, text
from controller.reconciling.survey import survey
from tests.behaviour.test_families import FAMILY, families_yaml, is_routed, latest, told
from tests.support.playground import CLUSTER, REGION, Playground, plain_definition, route_yaml
from tests.support.sites import Killed

ROLE = "arn:aws:iam::123456789012:role/starts-jobs"
REPOINT = ", repointSchedules: true"


def target(play: Playground, task_definition: str) -> dict[str, Any]:
    cluster = play.ecs.describe_clusters(clusters=[CLUSTER])["clusters"][0]["clusterArn"]
    ecs = {
        "TaskDefinitionArn": task_definition,
        "TaskCount": 2,
        "LaunchType": "FARGATE",
        "PropagateTags": "TASK_DEFINITION",
    }
    return {"Arn": cluster, "RoleArn": ROLE, "Input": '{"containerOverrides": []}', "EcsParameters": ecs}


def add_rule(play: Playground, name: str, task_definition: str) -> None:
    play.events.put_rule(Name=name, ScheduleExpression="rate(1 day)")
    play.events.put_targets(Rule=name, Targets=[{"Id": "job", **target(play, task_definition)}])


def add_schedule(play: Playground, name: str, task_definition: str) -> None:
    play.scheduler.create_schedule(
        Name=name,
        ScheduleExpression="cron(0 3 * * ? *)",
        ScheduleExpressionTimezone="Asia/Tokyo",
        StartDate="2027-01-01T00:00:00Z",
        Description="the report of the night",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        Target=target(play, task_definition),
    )


def rule(play: Playground, name: str) -> dict[str, Any]:
    [found] = play.events.list_targets_by_rule(Rule=name)["Targets"]
    return dict(found)


def schedule(play: Playground, name: str) -> dict[str, Any]:
    found = play.scheduler.get_schedule(Name=name)
    return {key: value for key, value in found.items() if key not in ("ResponseMetadata", "LastModificationDate")}


def revision_of(one: dict[str, Any]) -> str:
    return str(one.get("Target", one)["EcsParameters"]["TaskDefinitionArn"]).rsplit("/", 1)[-1]


def hints(play: Playground, family: str = FAMILY) -> list[str]:
    return [one["message"] for one in told(play, family).get("hints", ())]


@pytest.fixture
def pinned(play: Playground) -> Playground:
    """A family of one revision that a rule and a schedule pin."""
    arn = play.register(plain_definition(FAMILY))
    add_rule(play, "nightly", arn)
    add_schedule(play, "monthly", arn)
    play.write("jobs.yaml", families_yaml())
    return play


def test_what_pins_a_revision_is_listed_and_left_as_it_is(pinned: Playground) -> None:
    pinned.settle()
    assert is_routed(pinned)
    [one, other] = hints(pinned)
    assert one.startswith(f"rule default/nightly runs {FAMILY}:1, not the latest revision {FAMILY}:2")
    assert other.startswith(f"schedule default/monthly runs {FAMILY}:1")
    assert (revision_of(rule(pinned, "nightly")), revision_of(schedule(pinned, "monthly"))) == (f"{FAMILY}:1",) * 2


def test_a_plan_lists_what_pins_a_revision_in_every_format(pinned: Playground) -> None:
    pinned.settle()
    specs = pinned.app.keeper.specs
    assert specs is not None
    seen = survey(pinned.app.world, specs, repair=False)
    assert "rule default/nightly runs" in text(seen, specs)
    assert "schedule default/monthly runs" in markdown(seen, specs)
    assert [one["family"] for one in json.loads(as_json(seen, specs))["starters"]] == [
        f"main/{REGION}/family:{FAMILY}"
    ] * 2


def test_rules_and_schedules_are_moved_with_all_else_as_it_was(pinned: Playground) -> None:
    before = rule(pinned, "nightly"), schedule(pinned, "monthly")
    pinned.write("jobs.yaml", families_yaml(target=REPOINT))
    pinned.settle()
    after = rule(pinned, "nightly"), schedule(pinned, "monthly")
    ours = latest(pinned)["taskDefinitionArn"]
    for one in (before[0], before[1]["Target"]):
        one["EcsParameters"]["TaskDefinitionArn"] = ours
    assert after == before
    assert hints(pinned) == []
    assert pinned.status("web/jobs")["Ready"] == ("True", "InSync")


def test_they_follow_each_revision_of_ours_and_go_back_where_they_came_from(pinned: Playground) -> None:
    pinned.write("jobs.yaml", families_yaml(target=REPOINT))
    pinned.settle()
    pinned.register(plain_definition(FAMILY, image="httpd:2.4.65"))
    pinned.settle()
    assert revision_of(rule(pinned, "nightly")) == f"{FAMILY}:4"
    pinned.remove("jobs.yaml")
    pinned.start()
    pinned.settle(times=6)
    assert (revision_of(rule(pinned, "nightly")), revision_of(schedule(pinned, "monthly"))) == (f"{FAMILY}:1",) * 2
    assert not is_routed(pinned)
    assert told(pinned) == {}


def test_a_kill_between_remembering_and_moving_forgets_not_where_they_were_at_first(
    pinned: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned.write("jobs.yaml", families_yaml(target=REPOINT))
    pinned.settle()
    pinned.register(plain_definition(FAMILY, image="httpd:2.4.65"))
    with monkeypatch.context() as patch:
        patch.setattr(BotoSchedules, "move", _killed)
        with pytest.raises(Killed):
            pinned.settle()
    assert revision_of(rule(pinned, "nightly")) == f"{FAMILY}:2"
    pinned.start()
    pinned.settle()
    assert (revision_of(rule(pinned, "nightly")), revision_of(schedule(pinned, "monthly"))) == (f"{FAMILY}:4",) * 2
    pinned.remove("jobs.yaml")
    pinned.settle(times=4)
    assert (revision_of(rule(pinned, "nightly")), revision_of(schedule(pinned, "monthly"))) == (f"{FAMILY}:1",) * 2


def _killed(*_: Any) -> None:
    raise Killed


def test_one_whose_former_revision_is_inactive_goes_to_the_latest(pinned: Playground) -> None:
    pinned.write("jobs.yaml", families_yaml(target=REPOINT))
    pinned.settle()
    pinned.ecs.deregister_task_definition(taskDefinition=f"{FAMILY}:1")
    pinned.remove("jobs.yaml")
    pinned.settle(times=4)
    assert revision_of(rule(pinned, "nightly")) == f"{FAMILY}:3"
    assert not is_routed(pinned)


def test_one_that_somebody_moved_meanwhile_is_not_moved_back(pinned: Playground) -> None:
    pinned.write("jobs.yaml", families_yaml(target=REPOINT))
    pinned.settle()
    other = pinned.register(plain_definition("hourly"))
    add_rule(pinned, "nightly", other)
    pinned.remove("jobs.yaml")
    pinned.settle(times=4)
    assert revision_of(rule(pinned, "nightly")) == "hourly:1"
    assert revision_of(schedule(pinned, "monthly")) == f"{FAMILY}:1"


def test_what_starts_another_family_is_never_moved(pinned: Playground) -> None:
    add_rule(pinned, "other", pinned.register(plain_definition(f"{FAMILY}-of-others")))
    pinned.write("jobs.yaml", families_yaml(f"['{FAMILY}']", REPOINT))
    pinned.settle()
    assert revision_of(rule(pinned, "other")) == f"{FAMILY}-of-others:1"


@pytest.mark.parametrize("extra", ["  suspend: true\n", "  mode: warn\n"])
def test_a_frozen_route_moves_nothing(pinned: Playground, extra: str) -> None:
    pinned.settle()
    pinned.write("jobs.yaml", families_yaml(target=REPOINT, extra=extra))
    pinned.settle()
    assert (revision_of(rule(pinned, "nightly")), revision_of(schedule(pinned, "monthly"))) == (f"{FAMILY}:1",) * 2


def test_rules_are_read_once_an_hour_and_not_in_every_pass(pinned: Playground) -> None:
    pinned.settle()
    pinned.sandbox.reset_call_counts()
    pinned.step()
    assert not [one for one in pinned.sandbox.call_counts if one.startswith(("events:", "scheduler:"))]
    pinned.sandbox.advance(3600)
    pinned.step()
    assert pinned.sandbox.call_counts["events:ListRules"] == 1


def test_nothing_is_asked_of_eventbridge_where_no_route_targets_families(play: Playground) -> None:
    play.service()
    add_rule(play, "nightly", play.register(plain_definition(FAMILY)))
    play.write("httpd.yaml", route_yaml())
    play.sandbox.reset_call_counts()
    play.settle()
    assert not [one for one in play.sandbox.call_counts if one in ("events:ListRules", "scheduler:GET /schedules")]


def test_a_service_whose_family_a_rule_starts_by_its_name_is_refused_unless_allowed(pinned: Playground) -> None:
    pinned.service()
    name = latest(pinned, "example")["taskDefinitionArn"].rsplit(":", 1)[0]
    add_rule(pinned, "by-name", name)
    pinned.write("httpd.yaml", route_yaml())
    pinned.settle()
    assert (pinned.is_routed(), pinned.reason()) == (False, "SharedFamily")
    allowed = route_yaml().replace("services: [example]", "services: [example], sharedFamilies: allow")
    pinned.write("httpd.yaml", allowed)
    pinned.settle()
    assert pinned.is_routed()


def test_a_denied_reading_of_rules_is_told_on_the_route_and_holds_nothing(pinned: Playground) -> None:
    pinned.sandbox.add_fault(
        calls="events:ListRules", effect="error", code="AccessDeniedException", status=400, times=0, id="no"
    )
    pinned.settle()
    assert is_routed(pinned)
    assert pinned.status("web/jobs")["PermissionsReady"] == ("False", "AwsError")
    assert [one for one in hints(pinned) if one.startswith("schedule default/monthly")]
    pinned.sandbox.remove_fault("no")


def test_a_plan_says_what_could_not_be_read(pinned: Playground) -> None:
    pinned.sandbox.add_fault(
        calls="events:ListRules", effect="error", code="AccessDeniedException", status=400, times=0, id="no"
    )
    pinned.settle()
    specs = pinned.app.keeper.specs
    assert specs is not None
    assert "events:ListRules" in text(survey(pinned.app.world, specs, repair=False), specs)
    pinned.sandbox.remove_fault("no")
