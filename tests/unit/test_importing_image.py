"""What belongs to the image: its own files, and how the config comes to it."""

from __future__ import annotations

from typing import Any

import pytest

from controller.importing.importer import Imported
from controller.importing.proof import compose_alone
from controller.importing.remarks import Unimportable
from tests.support.imports import app, class_of, documents, imported, lost, pipeline, said, specs, task

HEALTH = "/fluent-bit/configs/output-metrics-healthcheck.conf"
CHECK: dict[str, Any] = {
    "command": ["CMD-SHELL", "curl -f http://127.0.0.1:2020/api/v1/{} || exit 1"],
    "interval": 10,
    "timeout": 5,
    "retries": 2,
    "startPeriod": 30,
}
ARN = "arn:aws:s3:::b/extra.conf"
OUT = "[OUTPUT]\n    Name stdout\n    Match *\n"
OWN = {"image": "own/fluent-bit:7"}


def of_aws(path: str, **fields: Any) -> Imported:
    options = {"config-file-type": "file", "config-file-value": path}
    return imported(task(app(options={"Name": "stdout"}), options=options, fields=fields))


@pytest.mark.parametrize(("mode", "path"), [("uptime", "uptime"), ("deep", "health")])
def test_aws_s_health_check_needs_no_file(mode: str, path: str) -> None:
    check = {**CHECK, "command": [CHECK["command"][0], CHECK["command"][1].format(path)]}
    found = of_aws(HEALTH, healthCheck=check)
    assert class_of(found)["health"] == {"mode": mode, "port": "2020"}
    assert class_of(found)["service"]["hc_errors_count"] == "5"
    assert f"{HEALTH}: note: http_listen: the check's server listens on 127.0.0.1" in said(found)
    assert "what AWS's image has there is known" in said(found)
    assert lost(found) == []


def test_aws_s_parse_json_needs_no_file() -> None:
    found = of_aws("/fluent-bit/configs/parse-json.conf")
    assert [one["parser"] for one in pipeline(found)["filters"]] == ["json"]
    assert class_of(found)["service"]["parsers_file"] == "/fluent-bit/parsers/parsers.conf"
    assert lost(found) == []


def test_aws_s_minimize_log_loss_needs_no_file() -> None:
    assert class_of(of_aws("/fluent-bit/configs/minimize-log-loss.conf"))["service"] == {"flush": "1", "grace": "30"}


def test_a_file_that_is_given_goes_before_what_is_known_of_aws_s() -> None:
    options = {"config-file-type": "file", "config-file-value": HEALTH}
    found = imported(task(options=options), {HEALTH: OUT})
    assert "service" not in class_of(found)
    assert "is known" not in said(found)


@pytest.mark.parametrize("name", ["plugin-metrics-to-cloudwatch", "own"])
def test_a_file_of_the_image_that_is_not_known_is_asked_for(name: str) -> None:
    with pytest.raises(Unimportable, match=f"/fluent-bit/configs/{name}.conf, which is not here: copy it out"):
        of_aws(f"/fluent-bit/configs/{name}.conf")


def by_agent(text: str, **body: Any) -> Imported:
    options = {"config-file-type": "s3", "config-file-value": ARN}
    return imported(task(options=options, fields={**OWN, **body.pop("fields", {})}, **body), {ARN: text})


def test_an_image_of_ones_own_on_ec2_is_composed_with_its_config_from_the_agent() -> None:
    found = by_agent(f"[SERVICE]\n    Parsers_File /etc/own.conf\n[FILTER]\n    Name parser\n    Match *\n"
                     f"    Key_Name log\n    Parser own\n{OUT}")  # fmt: skip
    assert class_of(found)["delivery"] == "firelens-s3"
    assert class_of(found)["service"]["parsers_file"] == "/etc/own.conf"
    [route] = specs(found).routes
    desired = compose_alone(route, found.plain, "eu-west-1")
    assert desired.overlay
    options = desired.overlay.router["firelensConfiguration"]["options"]
    assert options["config-file-type"] == "s3"
    assert options["config-file-value"].endswith("/pipeline.conf")
    assert [one.name for one in desired.configs] == ["pipeline.conf"]
    assert "environment" not in desired.overlay.router
    assert lost(found) == []


def test_what_only_the_init_process_sets_is_as_empty_with_the_agent_as_before() -> None:
    found = by_agent(
        OUT.replace("stdout\n", "s3\n    bucket b\n    region ${AWS_REGION}\n    s3_key_format /${ECS_X}\n")
    )
    pairs = class_of(found)["container"]["environment"]
    assert pairs == [{"name": "AWS_REGION", "value": ""}, {"name": "ECS_X", "value": ""}]
    assert f"{ARN}:5: note: the variable ECS_X: nobody declares it" in said(found)
    assert lost(found) == []


def test_what_the_agent_cannot_bring_is_told() -> None:
    found = by_agent(f"[PARSER]\n    Name own\n    Format json\n{OUT}")
    assert "not imported: the route on this task: delivery firelens-s3 brings one file" in said(found)


def test_a_variable_that_the_init_process_fills_from_now_on_is_said() -> None:
    options = {"Name": "stdout", "alias": "a", "format": "${ECS_X}"}
    image = {"image": "amazon/aws-for-fluent-bit:2.32.4"}
    found = imported(task(app(options=options), fields=image))
    assert "note: the variable ECS_X: it was empty so far" in said(found)
    assert "it was empty so far" not in said(imported(task(app(options=options))))


def test_what_the_router_s_environment_says_stands_in_values() -> None:
    fields = {"environment": [{"name": "TEAM", "value": "web"}]}
    found = imported(task(app(options={"Name": "s3", "bucket": "b-${TEAM}", "region": "eu-west-1"}), fields=fields))
    assert pipeline(found)["outputs"][0]["bucket"] == "b-${TEAM}"
    assert class_of(found)["container"]["environment"] == fields["environment"]
    assert lost(found) == []
    assert documents(found)[0]["spec"].get("secrets") is None
