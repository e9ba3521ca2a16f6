"""`readOnly`: a controller that plans and reports beside, or before, one that writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controller.cli.main import main
from controller.settings import Deny
from tests.behaviour.test_least_privilege import FOR_TASKS, OWN
from tests.support.playground import ALL_AT_ONCE, CLUSTER, REGION, STORE, Playground, plain_definition, route_yaml

WRITES = ("Put", "Create", "Update", "Register", "Deregister", "Delete", "Tag", "Stop")
HOUR = 3600.0


def world(play: Playground) -> str:
    """All of it, byte for byte."""
    services = play.ecs.list_services(cluster=CLUSTER)["serviceArns"]
    found: dict[str, Any] = {
        "services": [play.sandbox.service(CLUSTER, arn.rsplit("/", 1)[-1])["taskDefinition"] for arn in services],
        "families": play.ecs.list_task_definitions()["taskDefinitionArns"],
        "objects": {key: body.hex() for key, body in play.objects().items()},
        "groups": [one["logGroupName"] for one in play.logs.describe_log_groups()["logGroups"]],
    }
    return json.dumps(found, sort_keys=True)


def watching(play: Playground) -> Playground:
    """The same estate, with a controller that may not write."""
    play.settings = play.settings.model_copy(update={"read_only": True})
    play.start()
    return play


def test_it_reports_what_it_would_do_and_does_nothing(play: Playground) -> None:
    for name in ("web", "shop"):
        play.service(name)
    play.write("class.yaml", ALL_AT_ONCE)
    play.write("web.yaml", route_yaml("web", "[web]", extra="  logGroups: [{name: g, retentionDays: 3}]\n"))
    play.settle()
    assert play.is_routed("web")
    watching(play)
    [config] = [key for key in play.configs() if key.endswith("pipeline.conf")]
    play.s3.delete_object(Bucket=STORE, Key=f"logroute/{config}")
    play.logs.delete_log_group(logGroupName="g")
    play.deploy(plain_definition("web", image="httpd:2"), "web")
    play.write("shop.yaml", route_yaml("shop", "[shop]"))
    play.sandbox.advance(HOUR)
    before = world(play)
    play.sandbox.reset_call_counts()
    for _ in range(6):
        play.settle(1)
        play.sandbox.advance(HOUR)
        play.controller.save_status()
    assert world(play) == before
    written = [one for one in play.sandbox.call_counts if one.partition(":")[2].startswith(WRITES)]
    assert written == []
    services = play.controller.board.plain()["services"]
    assert {one["reason"] for one in services.values()} == {"ReadOnly"}
    assert play.status("web/shop")["Ready"] == ("False", "ReadOnly")
    assert play.controller.board.plain()["lostConfigs"] == []
    assert play.controller.finished_pass is not None


def test_the_smaller_policy_is_enough(
    play: Playground, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    play.service("web")
    play.write("web.yaml", route_yaml("web", "[web]"))
    play.settle()
    settings = play.specs.parent / "watch.yaml"
    settings.write_text(f"source: {play.specs}\nconfigStore: s3://{STORE}/logroute\nregion: {REGION}\nreadOnly: true\n")
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["iam", "controller", "--config", str(settings), "--account-id", "123456789012"])
    policy = json.loads(capsys.readouterr().out)
    actions = {
        name
        for one in policy["Statement"]
        for name in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    assert not [one for one in actions if one.partition(":")[2].startswith((*WRITES, "PassRole"))]
    iam: Any = play.sandbox.client("iam")
    iam.create_role(RoleName="logroute-controller", AssumeRolePolicyDocument=FOR_TASKS)
    iam.put_role_policy(RoleName="logroute-controller", PolicyName="controller", PolicyDocument=json.dumps(policy))
    given = play.sandbox.client("sts").assume_role(RoleArn=OWN, RoleSessionName="task")["Credentials"]
    names = {"ACCESS_KEY_ID": "AccessKeyId", "SECRET_ACCESS_KEY": "SecretAccessKey", "SESSION_TOKEN": "SessionToken"}
    for name, key in names.items():
        monkeypatch.setenv(f"AWS_{name}", given[key])
    play.sandbox.enforce_iam()
    watching(play)
    play.write("web.yaml", route_yaml("web", "[web]", "[{name: stdout, format: json_lines}]"))
    play.settle(2)
    assert play.sandbox.denied == []
    assert play.status("web/web")["Ready"] == ("False", "ReadOnly")


@pytest.mark.parametrize(
    "words",
    [
        ["apply"],
        ["approve", "12345678"],
        ["suspend", "web/web"],
        ["resume", "web/web"],
        ["reconcile", "web/web"],
        ["rollout", "pause"],
    ],
    ids=lambda words: words[0],
)
def test_commands_that_write_are_refused_in_a_sentence(
    play: Playground, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("LOGROUTE_READ_ONLY", "true")
    before = world(play)
    assert play.command(*words) == 1
    assert "readOnly is set: nothing is written here" in capsys.readouterr().err
    assert world(play) == before


def test_plan_works_all_the_same(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    play.service("web")
    play.write("web.yaml", route_yaml("web", "[web]"))
    monkeypatch.setenv("LOGROUTE_READ_ONLY", "true")
    assert play.command("plan") == 2


def denying(play: Playground, **deny: Any) -> Playground:
    play.settings = play.settings.model_copy(update={"deny": Deny.model_validate(deny)})
    play.start()
    return play


def test_a_denied_cluster_is_not_gone_near_and_its_routes_say_so(play: Playground) -> None:
    play.service("web")
    play.write("class.yaml", ALL_AT_ONCE)
    play.write("web.yaml", route_yaml("web", "[web]"))
    play.settle()
    denying(play, clusters=["example-*"])
    play.deploy(plain_definition("web", image="httpd:2"), "web")
    play.sandbox.advance(HOUR)
    play.sandbox.reset_call_counts()
    play.settle()
    assert not play.is_routed("web")
    assert play.status("web/web")["Ready"] == ("False", "Denied")
    assert not [one for one in play.sandbox.call_counts if one in ("ecs:ListServices", "ecs:UpdateService")]


def test_a_glob_leaves_denied_clusters_out(play: Playground) -> None:
    play.ecs.create_cluster(clusterName="other")
    play.service("web")
    play.write("class.yaml", ALL_AT_ONCE)
    play.write("web.yaml", route_yaml("web", "[web]").replace(f"cluster: {CLUSTER}", 'cluster: "*"'))
    denying(play, clusters=[CLUSTER]).settle()
    assert not play.is_routed("web")
    denying(play, clusters=["other"]).settle()
    assert play.is_routed("web")
