"""An AppSpec given another task definition: nothing else of it changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from controller.taskdef.appspec import AppSpecUnusable, definition_of, made, with_definition

NEW = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:8"
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
KNOWN = ("taskdefinition", "type", "properties", "resources", "version")
others = st.dictionaries(words.filter(lambda word: word.lower() not in KNOWN), anything, max_size=3)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    balancer = {"ContainerName": draw(words), "ContainerPort": draw(st.integers(1, 65535))}
    properties = draw(others) | {"TaskDefinition": draw(words), "LoadBalancerInfo": balancer}
    resources = draw(st.sampled_from(["Resources", "resources"]))
    service = {draw(words): {"Type": "AWS::ECS::Service", "Properties": properties}}
    return {"version": 0.0, resources: [service], "Hooks": draw(st.lists(others, max_size=3))} | draw(others)


def replaced(document: dict[str, Any]) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(document))
    (service,) = copy["Resources" if "Resources" in copy else "resources"][0].values()
    service["Properties"]["TaskDefinition"] = NEW
    return copy


@given(documents(), st.sampled_from([None, 2]))
def test_json_keeps_its_structure_but_for_the_task_definition(document: dict[str, Any], indent: int | None) -> None:
    changed = with_definition(json.dumps(document, indent=indent), NEW)
    assert json.loads(changed) == replaced(document)
    assert definition_of(changed) == NEW


@given(documents(), st.booleans())
def test_yaml_keeps_every_character_but_for_the_task_definition(document: dict[str, Any], unicode: bool) -> None:
    text = "# ours\n" + yaml.safe_dump(document, sort_keys=False, allow_unicode=unicode) + "# end\n"
    changed = with_definition(text, NEW)
    assert yaml.safe_load(changed) == replaced(document)
    start, end = changed.split(json.dumps(NEW))
    assert text.startswith(start)
    assert text.endswith(end)


PLAIN = """version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: {definition}
        LoadBalancerInfo: {{ContainerName: app, ContainerPort: 80}}  # the front
Hooks: [{{BeforeAllowTraffic: "{hook}"}}]
"""


def test_comments_and_hooks_come_through_as_they_are() -> None:
    text = PLAIN.format(definition="'shop:7'", hook="arn:check")
    assert with_definition(text, NEW) == PLAIN.format(definition=json.dumps(NEW), hook="arn:check")


def test_an_appspec_that_is_right_already_is_the_same_text() -> None:
    text = PLAIN.format(definition=NEW, hook="arn:check")
    assert with_definition(text, NEW) is text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [",
        "[]",
        "{}",
        "[" * 5000,
        json.dumps({"Resources": []}),
        json.dumps({"Resources": [{"A": {}, "B": {}}]}),
        json.dumps({"Resources": [{"A": {"Type": "AWS::Lambda::Function", "Properties": {"TaskDefinition": "a:1"}}}]}),
        PLAIN.format(definition="7", hook=""),
        PLAIN.format(definition="&one shop:7", hook="") + "also: *one\n",
        PLAIN.format(definition="|\n          shop:7", hook=""),
        PLAIN.format(definition="a:1\n        taskDefinition: b:1", hook=""),
    ],
)
def test_an_appspec_that_does_not_name_one_service_plainly_is_refused(text: str) -> None:
    with pytest.raises(AppSpecUnusable):
        with_definition(text, NEW)


def test_without_an_appspec_one_is_made_from_the_service_itself() -> None:
    balancers = [{"containerName": "app", "containerPort": 80, "targetGroupArn": name} for name in "ab"]
    document = json.loads(made(NEW, {"loadBalancers": balancers, "platformVersion": "1.4.0"}))
    properties = document["Resources"][0]["TargetService"]["Properties"]
    assert properties == {
        "TaskDefinition": NEW,
        "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 80},
        "PlatformVersion": "1.4.0",
    }


@pytest.mark.parametrize("names", ["", "ab"])
def test_none_is_made_where_the_service_does_not_tell_which_container_gets_the_traffic(names: str) -> None:
    balancers = [{"containerName": name, "containerPort": 80} for name in names]
    with pytest.raises(AppSpecUnusable, match="deploy it once"):
        made(NEW, {"loadBalancers": balancers})
