"""What keeps configs and revisions that nothing seems to name: half answers, and other people."""

from __future__ import annotations

import pytest

from controller.aws.ports import AwsError
from controller.desired.model import ConfigObject
from controller.reconciling.garbage import Doubtful, Swept, look
from controller.settings import AccountSettings
from controller.telling import Teller
from tests.behaviour.test_garbage import DAY, active, changed, collector, deregister, often_changed, over, url
from tests.behaviour.test_many_accounts import CONTROLLER, away
from tests.behaviour.test_schedules import add_rule, add_schedule
from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml

__all__ = ["away"]
JSON_LINES = "[{name: stdout, format: json_lines}]"
OTHER_REGION = "us-east-1"
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
ARN = "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/"
READS = (
    "DescribeServiceDeployments",
    "DescribeServiceRevisions",
    "DescribeServices",
    "DescribeTaskDefinition",
    "ListTaskDefinitions",
)


@pytest.mark.parametrize("operation", READS)
def test_a_right_that_is_missing_lets_nothing_go(play: Playground, operation: str) -> None:
    before, after = changed(play)
    deregister(play, 2)
    found = collector(play)
    over(play, found, 91)
    play.sandbox.advance(31 * DAY)
    play.deploy(plain_definition(image="httpd:9"))
    play.sandbox.add_fault(calls=f"ecs:{operation}", effect="error", code="AccessDeniedException", status=400, times=0)
    with pytest.raises(AwsError, match=operation):
        found.sweep()
    assert {before, after} <= play.configs().keys()


def test_a_definition_that_somebody_deleted_is_no_doubt(play: Playground) -> None:
    """A service deployment still names it, and nothing can be started from it."""
    changed(play)
    deregister(play, 1)
    play.ecs.delete_task_definitions(taskDefinitions=["example:1"])
    play.sandbox.advance(DAY)
    play.register(plain_definition("other"))
    assert collector(play, revisions="dry-run").sweep().why == ""


def test_what_another_service_a_task_or_a_task_set_runs_is_not_deregistered(play: Playground) -> None:
    often_changed(play, 5)
    launch = {"cluster": CLUSTER, "launchType": "FARGATE", "networkConfiguration": NETWORK}
    play.ecs.run_task(taskDefinition="example:2", **launch)
    play.ecs.create_service(serviceName="other", taskDefinition="example:3", desiredCount=0, **launch)
    play.ecs.create_service(
        cluster=CLUSTER, serviceName="sets", desiredCount=0, deploymentController={"type": "EXTERNAL"}
    )
    play.ecs.create_task_set(service="sets", taskDefinition="example:4", **launch)
    play.sandbox.advance(91 * DAY)
    swept = collector(play, configs="off", revisions="deregister", keepRevisions=1).sweep()
    assert swept.gone == frozenset()
    assert active(play) == [1, 2, 3, 4, 5, 6]


def test_what_a_rule_or_a_schedule_starts_is_not_deregistered(play: Playground) -> None:
    often_changed(play, 4)
    add_rule(play, "nightly", f"{ARN}example:2")
    add_schedule(play, "monthly", f"{ARN}example:3")
    play.sandbox.advance(91 * DAY)
    collector(play, configs="off", revisions="deregister", keepRevisions=1).sweep()
    assert active(play) == [1, 2, 3, 4, 5]


def test_a_copy_that_somebody_registered_is_not_deregistered(play: Playground) -> None:
    """With the labels and without the tags, or with the tags and without the router."""
    often_changed(play, 1)
    described = play.running()
    containers = described["taskDefinition"]["containerDefinitions"]
    for _ in range(3):
        play.register({**plain_definition("labels"), "containerDefinitions": containers})
        play.register({**plain_definition("tags"), "tags": described["tags"]})
    play.sandbox.advance(91 * DAY)
    swept = collector(play, configs="off", revisions="deregister", keepRevisions=1).sweep()
    assert swept.superseded == ()


def test_an_orphaned_revision_keeps_its_config(play: Playground) -> None:
    """Whoever runs it, and whatever is remembered of it."""
    play.service()
    play.write("httpd.yaml", route_yaml(extra="  deletionPolicy: orphan\n"))
    play.settle()
    play.remove("httpd.yaml")
    play.settle()
    assert play.is_routed()
    play.ecs.delete_service(cluster=CLUSTER, service="example", force=True)
    play.settle()
    assert not list(play.app.world.home_site.memories.items())
    found = collector(play)
    for _ in range(3):
        assert over(play, found, 100).unused == ()
    assert len(play.configs()) == 1


def test_a_config_that_somebody_names_again_comes_back(play: Playground) -> None:
    """A copy of the old definition under another name: no memory tells of it, and its tasks would not start."""
    before, _ = changed(play)
    containers = play.ecs.describe_task_definition(taskDefinition="example:2")["taskDefinition"]["containerDefinitions"]
    body = play.configs()[before]
    deregister(play, 2)
    found = collector(play)
    over(play, found, 91)
    over(play, found, 31)
    assert before not in play.configs()
    play.register({**plain_definition("copied"), "containerDefinitions": containers})
    assert found.sweep().back == (url(before),)
    assert play.configs()[before] == body
    assert over(play, found, 31).unused == ()


def test_a_config_that_is_named_while_a_sweep_reads_stays(play: Playground) -> None:
    """Registered by somebody between the look at all revisions and the delete."""
    before, _ = changed(play)
    containers = play.ecs.describe_task_definition(taskDefinition="example:2")["taskDefinition"]["containerDefinitions"]
    deregister(play, 2)
    found = collector(play)
    over(play, found, 91)
    play.sandbox.advance(31 * DAY)
    site = play.app.world.home_site
    look = site.memories.load

    def meanwhile() -> None:
        play.register({**plain_definition("copied"), "containerDefinitions": containers})
        look()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site.memories, "load", meanwhile)
        swept = found.sweep()
    assert (swept.due, swept.gone) == ((url(before),), frozenset())
    assert before in play.configs()


def test_a_config_that_a_revision_is_about_to_name_stays(play: Playground) -> None:
    """A revision follows its config at the rate at which AWS registers."""
    before, _ = changed(play)
    deregister(play, 2)
    found = collector(play)
    over(play, found, 91)
    play.sandbox.advance(31 * DAY)
    play.app.world.home_site.shelf.put(ConfigObject(before.partition("/")[2], play.configs()[before]))
    assert found.sweep().unused == ()
    assert before in play.configs()
    found.sweep()
    assert over(play, found, 31).gone == {url(before)}


def test_the_status_tells_what_may_go_and_why_nothing_can(play: Playground) -> None:
    before, _ = changed(play)
    deregister(play, 2)
    found = collector(play, configs="dry-run")
    over(play, found, 91)
    play.sandbox.advance(31 * DAY)
    teller = Teller(play.metrics)
    look(found, teller, play.controller.board)
    told = play.controller.board.plain()["garbage"]
    assert (told["unused"], told["due"], told["why"]) == (1, [url(before)], "")
    play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/_state/services/data/eu-west-1/00.json", Body=b"{}")
    with pytest.raises(Doubtful, match="data/eu-west-1"):
        look(found, teller, play.controller.board)
    assert "data/eu-west-1" in play.controller.board.plain()["garbage"]["why"]
    play.sandbox.add_fault(calls="ecs:ListTasks", effect="error", code="AccessDeniedException", status=400, times=0)
    play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/_state/services/data/eu-west-1/00.json")
    with pytest.raises(AwsError, match="ListTasks"):
        look(found, teller, play.controller.board)
    assert "ListTasks" in play.controller.board.plain()["garbage"]["why"]
    play.controller.save_status()
    assert play.command("status") == 0


def test_a_config_that_another_region_names_stays(play: Playground) -> None:
    """One store for two regions; the route is for the first alone."""
    regions = AccountSettings.model_validate({"regions": [REGION, OTHER_REGION]})
    play.settings = play.settings.model_copy(update={"accounts": {"main": regions}})
    play.start()
    before, after = changed(play)
    there = play.sandbox.client("ecs", region=OTHER_REGION)
    containers = play.ecs.describe_task_definition(taskDefinition="example:2")["taskDefinition"]["containerDefinitions"]
    there.register_task_definition(**{**plain_definition("far"), "containerDefinitions": containers})
    deregister(play, 2)
    found = collector(play)
    over(play, found, 91)
    assert over(play, found, 31) == Swept()
    assert play.configs().keys() == {before, after}
    there.deregister_task_definition(taskDefinition="far:1")
    found.sweep()
    assert over(play, found, 31).gone == {url(before)}


def test_an_account_that_cannot_be_read_lets_nothing_go_anywhere(play: Playground, away: Playground) -> None:
    away.register(plain_definition("far"))
    play.service()
    for outputs in ("[{name: stdout}]", JSON_LINES):
        play.write("httpd.yaml", route_yaml(outputs=outputs))
        play.settle()
    deregister(play, 2)
    found = collector(play)
    over(play, found, 91)
    play.sandbox.advance(31 * DAY)
    fault = play.sandbox.add_fault(calls="ecs:*", effect="refuse", by=CONTROLLER, times=0)
    with pytest.raises(AwsError):
        found.sweep()
    play.sandbox.remove_fault(fault)
    assert len(found.sweep().gone) == 1


def test_what_went_before_a_call_failed_is_counted(play: Playground) -> None:
    often_changed(play, 3)
    deregister(play, 2)
    found = collector(play, revisions="deregister", keepRevisions=1)
    over(play, found, 91)
    play.sandbox.advance(31 * DAY)
    play.write("httpd.yaml", route_yaml(outputs="[{name: stdout, format: json}]"))
    play.settle()
    denied = {"calls": "ecs:DeregisterTaskDefinition", "effect": "error", "code": "AccessDeniedException"}
    play.sandbox.add_fault(**denied, status=400, times=0)
    play.sandbox.advance(91 * DAY)
    with pytest.raises(Doubtful, match="DeregisterTaskDefinition"):
        look(found, Teller(play.metrics), play.controller.board)
    assert b'logroute_garbage_collected_total{kind="config"} 1.0' in play.metrics.render("")[0]
    assert "DeregisterTaskDefinition" in play.controller.board.plain()["garbage"]["why"]
