"""The diff that a person reviews."""

from __future__ import annotations

from typing import Any

from controller.api.keys import Place, ServiceKey
from controller.planning.diff import unified
from controller.planning.model import Kind, ServicePlan


def diff(before: dict[str, Any], after: dict[str, Any]) -> str:
    key = ServiceKey(Place("main", "ap-northeast-1"), "c", "x")
    one, other = ({"family": "x", "containerDefinitions": [{"name": "app", **body}]} for body in (before, after))
    return "\n".join(unified(ServicePlan(key, Kind.ROUTE, base="x:1", before=one, after=other)))


def environment(name: str, value: str) -> dict[str, Any]:
    return {"environment": [{"name": name, "value": value}]}


def test_a_secret_that_changes_shows_as_two_masks() -> None:
    lines = diff(environment("API_TOKEN", "one"), environment("API_TOKEN", "two")).splitlines()
    assert [line.strip("+- ") for line in lines if "***" in line] == [
        '"value": "***7692c3ad"',
        '"value": "***3fc4ccfe"',
    ]


def test_what_is_no_secret_stays_readable() -> None:
    shown = diff(environment("AUTHOR", "one"), environment("AUTHOR", "two"))
    assert '-          "value": "one"' in shown
    assert '+          "value": "two"' in shown


def test_the_definitions_themselves_are_left_as_they_are() -> None:
    before = environment("API_TOKEN", "one")
    diff(before, environment("API_TOKEN", "two"))
    assert before == environment("API_TOKEN", "one")
