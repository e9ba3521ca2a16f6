"""Reads lag behind writes, callers are throttled, answers are lost: the world ends as it should, and no fuller."""

from __future__ import annotations

import pytest

from controller.sandbox import Settings
from tests.support.playground import CLUSTER, PREFIX, STORE, Playground, plain_definition, route_yaml

JSON_LINES = "[{name: stdout, format: json_lines}]"
LAGGING = Settings(lag_seconds=10)
THROTTLED = Settings(throttle=True)


def converge(play: Playground, passes: int = 12) -> None:
    for _ in range(passes):
        play.step()
        play.sandbox.advance(40)
        play.clock.advance(40)


@pytest.mark.parametrize("play", [LAGGING], indirect=True)
def test_reads_that_lag_make_no_second_revision(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    converge(play)
    assert play.is_routed()
    assert play.revisions() == 2
    assert play.status()["Ready"] == ("True", "InSync")


@pytest.mark.parametrize("play", [LAGGING], indirect=True)
def test_a_register_that_is_unheard_and_does_not_show_yet_is_not_repeated(play: Playground) -> None:
    play.service()
    play.sandbox.add_fault(calls="ecs:RegisterTaskDefinition", effect="lose-answer")
    play.write("httpd.yaml", route_yaml())
    for _ in range(5):
        play.step()
        play.sandbox.advance(2)
        play.clock.advance(2)
    assert play.revisions() == 2
    converge(play)
    assert play.is_routed()
    assert play.revisions() == 2


@pytest.mark.parametrize("play", [LAGGING], indirect=True)
def test_a_restart_right_after_an_unheard_register_does_not_repeat_it(play: Playground) -> None:
    play.service()
    play.sandbox.add_fault(calls="ecs:RegisterTaskDefinition", effect="lose-answer")
    play.write("httpd.yaml", route_yaml())
    play.step()
    play.start()
    converge(play)
    assert play.is_routed()
    assert play.revisions() == 2


@pytest.mark.parametrize("play", [LAGGING], indirect=True)
def test_an_update_that_is_unheard_is_found_and_watched(play: Playground) -> None:
    play.service()
    play.sandbox.add_fault(calls="ecs:UpdateService", effect="lose-answer", times=6)
    play.write("httpd.yaml", route_yaml())
    converge(play)
    assert play.is_routed()
    assert play.revisions() == 2
    records = play.ecs.list_service_deployments(cluster=CLUSTER, service="example")["serviceDeployments"]
    assert len(records) == 2
    assert play.status()["Ready"] == ("True", "InSync")


@pytest.mark.parametrize("play", [LAGGING], indirect=True)
def test_a_deploy_that_does_not_show_yet_is_not_lost(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    converge(play)
    play.write("httpd.yaml", route_yaml(outputs=JSON_LINES))
    play.deploy(plain_definition(image="httpd:2.4.65"))
    converge(play)
    assert play.is_routed()
    assert play.containers()["app"]["image"] == "httpd:2.4.65"


@pytest.mark.parametrize("effect", ["refuse", "lose-answer", "throttle", "garbage"])
@pytest.mark.parametrize(
    "call",
    [
        "ecs:ListServices",
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
        "ecs:RegisterTaskDefinition",
        "ecs:UpdateService",
        "ecs:ListServiceDeployments",
        "ecs:ListTasks",
        "logs:CreateLogGroup",
        "s3:PutObject",
        "s3:GetObject",
        "s3:ListObjectsV2",
    ],
)
def test_whatever_call_fails_in_whatever_way_the_service_gets_its_router_once(
    play: Playground, call: str, effect: str
) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    fault = play.sandbox.add_fault(calls=call, effect=effect, times=8)
    converge(play, 24)
    play.sandbox.remove_fault(fault)
    assert play.is_routed()
    assert play.revisions() <= 3
    assert len(play.ecs.list_service_deployments(cluster=CLUSTER, service="example")["serviceDeployments"]) == 2
    assert play.status()["Ready"] == ("True", "InSync")


@pytest.mark.parametrize("play", [THROTTLED], indirect=True)
def test_a_throttled_account_still_converges_and_ci_gets_its_share(play: Playground) -> None:
    names = [f"example-{number}" for number in range(6)]
    for name in names:
        play.service(name)
        play.sandbox.advance(60)
    play.write("all.yaml", route_yaml("all", services='["example-*"]'))
    for number in range(25):
        play.step()
        play.register(plain_definition("nightly", image=f"job:{number}"))
        play.sandbox.advance(30)
        play.clock.advance(30)
    assert all(map(play.is_routed, names))
    assert play.revisions("nightly") == 25


def test_state_that_is_denied_writes_nothing(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.sandbox.add_fault(
        calls="s3:GetObject",
        matching="_state/services",
        effect="error",
        code="AccessDenied",
        status=403,
        times=0,
        id="no",
    )
    play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/_state/services/main/ap-northeast-1/00.json", Body=b"{}")
    converge(play, 3)
    assert not play.is_routed()
    play.sandbox.remove_fault("no")
