"""Secrets leave a hand-made router by name: their values are nowhere in what is written or said."""

from __future__ import annotations

from typing import Any

import pytest

from controller.importing.importer import Imported
from tests.support.imports import app, class_of, documents, from_config, imported, pipeline, said, specs, task

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:dd-Zz9"
PLANTED = "Tr0ub4dor-and-3"
PLACEHOLDER = "arn:aws:secretsmanager:us-east-1:000000000000:secret:FILL-IN-"


def secrets(found: Imported) -> dict[str, str]:
    return dict(documents(found)[0]["spec"].get("secrets", {}))


def hidden(found: Imported) -> bool:
    return PLANTED not in found.yaml + said(found) + str(found.plain) and bool(specs(found).routes)


def with_secret(value_from: str, option: str = "apikey") -> dict[str, Any]:
    one = app(options={"Name": "datadog"})
    one["logConfiguration"]["secretOptions"] = [{"name": option, "valueFrom": value_from}]
    return one


def test_secret_options_become_secrets_of_the_route() -> None:
    found = imported(task(with_secret(ARN)))
    assert secrets(found) == {"APIKEY": ARN}
    assert pipeline(found)["outputs"][0]["apikey"] == "${APIKEY}"


def test_one_option_name_of_two_containers_can_be_two_secrets() -> None:
    other = {**with_secret(f"{ARN}x"), "name": "other"}
    found = imported(task(with_secret(ARN), other))
    assert secrets(found) == {"APIKEY": ARN, "APIKEY_2": f"{ARN}x"}
    assert [one["apikey"] for one in pipeline(found)["outputs"]] == ["${APIKEY}", "${APIKEY_2}"]


def test_a_parameter_s_name_becomes_its_arn_and_what_is_none_a_place_to_fill_in() -> None:
    role = "arn:aws:iam::111122223333:role/x"
    found = imported(task(with_secret("/dd/key"), executionRoleArn=role), region="eu-west-1")
    assert secrets(found) == {"APIKEY": "arn:aws:ssm:eu-west-1:111122223333:parameter/dd/key"}
    found = imported(task(with_secret("arn:${Partition}:secretsmanager:x")))
    assert secrets(found) == {"APIKEY": f"{PLACEHOLDER}APIKEY"}
    assert "put the secret's ARN there" in said(found)


@pytest.mark.parametrize(
    ("option", "written", "name"),
    [
        (f"apikey {PLANTED}", {"apikey": "${APIKEY}"}, "APIKEY"),
        (f"apikey {PLANTED}${{X}}", {"apikey": "${APIKEY}"}, "APIKEY"),
        (f"header Authorization Bearer {PLANTED}", {"header": "Authorization ${AUTHORIZATION}"}, "AUTHORIZATION"),
        (f"proxy http://me:{PLANTED}@p:3128", {"proxy": "http://me:${PROXY_PASSWORD}@p:3128"}, "PROXY_PASSWORD"),
    ],
)
def test_a_secret_in_clear_becomes_a_place_to_fill_in(option: str, written: dict[str, str], name: str) -> None:
    text = f"[OUTPUT]\n    Name http\n    # was {PLANTED}\n    # apikey other{PLANTED}\n    Host h\n    {option}\n"
    found = from_config(text, fields={"image": "own:1"})
    assert pipeline(found)["outputs"] == [{"name": "http", "host": "h", **written}]
    assert secrets(found) == {name: f"{PLACEHOLDER}{name}"}
    assert "/extra.conf:6: note: " in said(found)
    assert f"spec.secrets.{name}" in said(found)
    assert hidden(found)


def test_one_secret_is_one_name_wherever_it_stands() -> None:
    text = "".join(f"[OUTPUT]\n    Name datadog\n    apikey {value}\n" for value in (PLANTED, PLANTED, f"{PLANTED}x"))
    found = from_config(text)
    assert [one["apikey"] for one in pipeline(found)["outputs"]] == ["${APIKEY}", "${APIKEY}", "${APIKEY_2}"]


@pytest.mark.parametrize("used", ["apikey ${DD_KEY}", "header DD-API-KEY ${DD_KEY}"])
def test_a_variable_that_holds_a_secret_becomes_one(used: str) -> None:
    fields = {"environment": [{"name": "DD_KEY", "value": PLANTED}, {"name": "A", "value": "1"}], "image": "own:1"}
    found = from_config(f"[OUTPUT]\n    Name http\n    {used}\n", fields=fields)
    assert secrets(found) == {"DD_KEY": f"{PLACEHOLDER}DD_KEY"}
    assert class_of(found)["container"]["environment"] == [{"name": "A", "value": "1"}]
    assert hidden(found)


def test_a_variable_that_is_called_like_a_secret_becomes_one() -> None:
    fields = {"environment": [{"name": "DB_PASSWORD", "value": PLANTED}]}
    found = imported(task(app(options={"Name": "stdout"}), fields=fields))
    assert secrets(found) == {"DB_PASSWORD": f"{PLACEHOLDER}DB_PASSWORD"}
    assert hidden(found)


def test_secrets_of_the_router_go_to_the_route_where_it_uses_them() -> None:
    fields = {"secrets": [{"name": name, "valueFrom": f"{ARN}{name}"} for name in ("USED", "OTHER")]}
    found = from_config("[OUTPUT]\n    Name datadog\n    apikey ${USED}\n", fields=fields)
    assert secrets(found) == {"USED": f"{ARN}USED"}
    assert class_of(found)["container"]["secrets"] == [{"name": "OTHER", "valueFrom": f"{ARN}OTHER"}]


def test_a_secret_in_a_command_or_a_part_that_is_left_out_is_hidden_too() -> None:
    text = f"[OUTPUT]\n    Name datadog\n    apikey {PLANTED}\n[PLUGINS]\n    password {PLANTED}\n    Path {PLANTED}\n"
    found = from_config(text, fields={"command": ["run", PLANTED]})
    assert "[PLUGINS]" in found.yaml
    assert hidden(found)


def test_a_variable_that_nobody_declares_is_declared_empty() -> None:
    found = from_config("[OUTPUT]\n    Name s3\n    bucket b-${STAGE}\n    region ${AWS_REGION}\n")
    assert class_of(found)["container"]["environment"] == [{"name": "STAGE", "value": ""}]
    assert "/extra.conf:3: note: the variable STAGE: nobody declares it" in said(found)


def test_a_secret_that_stands_in_another_option_too_is_named_there() -> None:
    text = f"[OUTPUT]\n    Name http\n    uri /in/{PLANTED}/x\n    apikey {PLANTED}\n"
    found = from_config(text, fields={"image": "own:1"})
    assert pipeline(found)["outputs"] == [{"name": "http", "uri": "/in/${APIKEY}/x", "apikey": "${APIKEY}"}]
    assert hidden(found)
