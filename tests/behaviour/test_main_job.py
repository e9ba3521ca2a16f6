"""A commit becomes a routed service, and stays one."""

from __future__ import annotations

import json
from typing import Any

from controller.taskdef import canonical
from controller.taskdef.body import register_form
from tests.support.playground import CLUSTER, PREFIX, STORE, Playground, plain_definition, route_yaml

CI_IMAGE = "httpd:2.4.65"


def test_a_plain_service_gets_its_router(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")
    (config,) = play.configs()
    router = play.containers()["log_router"]
    assert {"name": "aws_fluent_bit_init_s3_1", "value": f"arn:aws:s3:::{STORE}/{PREFIX}/{config}"} in router[
        "environment"
    ]


def test_a_converged_service_is_never_written_again(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle(times=4)  # with the last, its change is over and no longer remembered
    revisions, objects = play.revisions(), play.objects()
    play.settle(times=4)
    assert (play.revisions(), play.objects()) == (revisions, objects)


def test_a_pass_without_changes_costs_three_calls_and_a_listing(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle(times=4)
    play.sandbox.reset_call_counts()
    play.step()
    assert play.sandbox.call_counts == {
        "ecs:ListServices": 1,
        "ecs:DescribeServices": 1,
        "s3:ListObjectsV2": 1,
        "logs:DescribeLogGroups": 1,
    }


def test_after_a_restart_nothing_is_described_and_nothing_written(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.start()
    play.sandbox.reset_call_counts()
    play.settle()
    counts = play.sandbox.call_counts
    assert not {"ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition", "ecs:UpdateService"} & counts.keys()


def test_a_ci_deploy_without_the_router_gets_it_back_with_the_new_image_kept(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.deploy(plain_definition(image=CI_IMAGE))
    play.settle()
    assert play.is_routed()
    assert play.containers()["app"]["image"] == CI_IMAGE


def test_nothing_is_written_while_somebody_else_deploys(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    theirs = play.deploy(plain_definition(image=CI_IMAGE))
    play.step()
    assert play.sandbox.service(CLUSTER, "example")["taskDefinition"] == theirs
    assert play.reason() == "WaitingForDeployment"


def test_a_deleted_config_object_comes_back_byte_for_byte(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    before = play.configs()
    (path,) = before
    play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
    play.step()
    assert play.configs() == before


def test_an_altered_config_object_is_put_right(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    before = play.configs()
    (path,) = before
    play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/{path}", Body=b"[OUTPUT]\n    Name exec\n")
    play.step()
    assert play.configs() == before


def test_a_config_object_comes_back_even_when_its_route_is_suspended(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.write("httpd.yaml", route_yaml(extra="  suspend: true\n"))
    play.settle()
    before = play.configs()
    for path in before:
        play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
    play.step()
    assert play.configs() == before


def test_a_deleted_route_gives_the_service_its_originals_back(play: Playground) -> None:
    play.service()
    before = play.running()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.remove("httpd.yaml")
    play.settle()
    assert canonical.canonical(register_form(play.running())) == canonical.canonical(register_form(before))


def test_restoring_keeps_what_the_application_became_meanwhile(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.deploy(plain_definition(image=CI_IMAGE))
    play.settle()
    play.remove("httpd.yaml")
    play.settle()
    (app,) = play.containers().values()
    assert (app["image"], app["logConfiguration"]["logDriver"]) == (CI_IMAGE, "awslogs")


def test_a_changed_route_rolls_out_a_new_config_and_leaves_the_old_one(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    before = set(play.configs())
    play.write("httpd.yaml", route_yaml(outputs="[{name: stdout, format: json_lines}]"))
    play.settle()
    after = set(play.configs())
    assert before < after
    (fresh,) = after - before
    assert any(fresh in pair["value"] for pair in play.containers()["log_router"]["environment"])


def test_renaming_a_file_or_a_label_redeploys_nothing(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    revisions = play.revisions()
    play.remove("httpd.yaml")
    play.write("other.yaml", route_yaml().replace("namespace: web", "namespace: web, labels: {tier: front}"))
    play.settle()
    assert play.revisions() == revisions
    assert play.status()["Ready"] == ("True", "InSync")


def test_odd_fields_of_the_application_survive_untouched(play: Playground) -> None:
    odd: dict[str, Any] = {
        "restartPolicy": {"enabled": True, "ignoredExitCodes": [0], "restartAttemptPeriod": 60},
        "environment": [{"name": "EMPTY", "value": ""}, {"name": "A", "value": "b"}],
        "healthCheck": {"command": ["CMD-SHELL", "true"], "startPeriod": 10},
        "mountPoints": [{"sourceVolume": "data", "containerPath": "/data", "readOnly": True}],
        "dockerLabels": {"team": "web"},
        "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
        "versionConsistency": "disabled",
    }
    body = plain_definition(**odd) | {
        "pidMode": "task",
        "volumes": [{"name": "data"}],
        "ephemeralStorage": {"sizeInGiB": 30},
    }
    play.service(definition=body)
    before = canonical.canonical(register_form(play.running()))
    play.write("httpd.yaml", route_yaml())
    play.settle()
    after = canonical.canonical(register_form(play.running()))
    assert {key: after[key] for key in ("pidMode", "volumes", "ephemeralStorage", "cpu", "memory")} == {
        key: before[key] for key in ("pidMode", "volumes", "ephemeralStorage", "cpu", "memory")
    }
    (app,) = (one for one in after["containerDefinitions"] if one["name"] == "app")
    (was,) = before["containerDefinitions"]
    assert {k: v for k, v in app.items() if k not in ("logConfiguration", "dependsOn")} == {
        k: v for k, v in was.items() if k != "logConfiguration"
    }


def test_state_holds_no_more_than_it_must_after_a_service_is_restored(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.remove("httpd.yaml")
    play.settle(times=4)
    entries = [
        json.loads(body)["entries"]
        for key, body in play.objects().items()
        if key.startswith(("_state/services/", "_state/routes/"))
    ]
    assert not any(entries)
