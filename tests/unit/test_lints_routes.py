"""Lints of whole routes: what the filters do to tags and keys, and who sees what is left."""

from __future__ import annotations

from typing import Any

import pytest

from controller.fluentbit.lints.given import Given, Sink
from controller.fluentbit.lints.lint import Options
from controller.fluentbit.lints.route import lint_route

STDOUT = {"name": "stdout"}
PARSERS = {"fields": {"name": "fields", "format": "regex", "regex": "^(?<log>.*)$"}, "json": {"format": "json"}}


def rewrite(tag: str, match: str = "", **more: Any) -> dict[str, Any]:
    return {"name": "rewrite_tag", "rule": f"$log x {tag} false", **({"match": match} if match else {}), **more}


def multiline(**more: str) -> dict[str, Any]:
    how = {} if more.get("mode") else {"multiline.parser": "go"}
    return {"name": "multiline", "multiline.key_content": "log", **how, **more}


def given(filters: list[Any] | None = None, outputs: list[Any] | None = None, **more: Any) -> Given:
    sinks = tuple(Sink(at, one) for at, one in enumerate(outputs or [STDOUT]))
    return Given(tuple(filters or []), sinks, **{"engine": "5.0.9", "parsers": PARSERS, **more})


def told(what: Given) -> list[tuple[str, str]]:
    """Code and path, steps joined by dots."""
    return [(one.code, ".".join(map(str, one.path))) for one in lint_route(what)]


APP = ("app",)
TCP = (("emf", {"name": "tcp"}),)


@pytest.mark.parametrize(
    ("match", "containers", "inputs"),
    [
        ({"match": "app.*"}, (), ()),
        ({"match": "app-firelens.*"}, APP, ()),
        ({"match": "app"}, APP, ()),
        ({"match": "web-firelens-*"}, APP, ()),
        ({"match": "web-firelens-*"}, ("app", "api-*", "!web"), ()),
        ({"match": "web*"}, APP, TCP),
        ({"match_regex": "^app\\."}, APP, ()),
        ({"match_regex": "^web-firelens-"}, APP, TCP),
    ],
)
def test_a_match_that_no_record_has_is_told(match: dict[str, str], containers: Any, inputs: Any) -> None:
    (option,) = match
    what = given([], [STDOUT, STDOUT | match], containers=containers, inputs=inputs)
    assert told(what) == [("OUTPUT_UNREACHABLE", f"outputs.1.{option}")]
    what = given([{"name": "grep", **match}], containers=containers, inputs=inputs)
    assert told(what) == [("FILTER_UNREACHABLE", f"filters.0.{option}")]


@pytest.mark.parametrize(
    ("match", "containers", "inputs"),
    [
        ({"match": "app-firelens-*"}, (), ()),
        ({"match": "app-firelens-*"}, ("a?p",), ()),
        ({"match": "app*"}, APP, ()),
        ({"match": "*firelens*"}, APP, ()),
        ({"match": "emf"}, APP, TCP),
        ({"match": "v1_logs"}, APP, (("t", {"name": "opentelemetry"}),)),
        ({"match": "any.thing"}, APP, (("t", {"name": "http"}),)),
        ({"match": "var.log.*"}, APP, (("var.*", {"name": "tail"}),)),
        ({"match_regex": "^app-firelens-[0-9a-f]+$"}, APP, ()),
        ({"match_regex": "^web-firelens-"}, ("w*",), ()),
        ({"match_regex": "^(a+)+$"}, ("a" * 200,), ()),
        ({"match_regex": "^(?<x>web)"}, APP, ()),
    ],
)
def test_a_match_that_some_record_may_have_is_left_alone(match: dict[str, str], containers: Any, inputs: Any) -> None:
    assert told(given([], [STDOUT, STDOUT | match], containers=containers, inputs=inputs)) == []


def test_tags_that_the_route_makes_can_be_matched() -> None:
    filters = [rewrite("errors.$TAG", "app-*"), rewrite("loud.$TAG", "web-*")]
    both = [STDOUT, STDOUT | {"match": "errors.app-*"}, STDOUT | {"match": "loud.web-firelens-*"}]
    assert told(given(filters, both, containers=("app", "web"))) == []
    wrong = [STDOUT, STDOUT | {"match": "errors.web-*"}, STDOUT | {"match": "loud.errors.*"}]
    unreachable = [("OUTPUT_UNREACHABLE", f"outputs.{at}.match") for at in (1, 2)]
    assert told(given(filters, wrong, containers=("app", "web"))) == unreachable
    metrics = {"name": "log_to_metrics", "tag": "numbers"}
    assert told(given([metrics], [STDOUT, STDOUT | {"match": "numbers"}], containers=APP)) == []


def test_a_shared_output_is_told_where_the_route_refers_to_it() -> None:
    shared = Sink(3, STDOUT | {"match": "nobody"}, "platform/archive")
    own = Sink(4, STDOUT | {"match": "nobody"}, "platform/archive", frozenset({"ref", "match"}))
    found = lint_route(Given((), (Sink(0, STDOUT), shared, own)))
    assert [one.path for one in found] == [("outputs", 3, "ref"), ("outputs", 4, "match")]
    assert all("platform/archive" in one.message for one in found)


@pytest.mark.parametrize(
    ("filters", "outputs", "dropped"),
    [
        ([], ["app-*"], 'container "nginx", the input "tcp"'),
        ([], ["app-*", "nginx-*"], 'the input "tcp"'),
        ([], ["app-*", "nginx-*", "emf"], None),
        ([], ["app-*", "*"], None),
        ([rewrite("away", "nginx-*")], ["app-*", "emf"], 'the tag "away"'),
        ([rewrite("away", "nginx-*")], ["app-*", "emf", "away"], None),
        ([rewrite("away", "nginx-*", rule="$log x away true")], ["app-*", "emf", "away"], 'container "nginx"'),
    ],
)
def test_records_that_no_output_takes_are_told(filters: list[Options], outputs: list[str], dropped: str | None) -> None:
    what = given(filters, [STDOUT | {"match": one} for one in outputs], containers=("app", "nginx"), inputs=TCP)
    messages = [one.message for one in lint_route(what) if one.code == "ROUTE_DROPS"]
    assert messages == ([f"no output takes the records of {dropped}"] if dropped else [])


@pytest.mark.parametrize(
    ("filters", "engine", "paths"),
    [
        ([rewrite("app-x", "app-*")], "5.0.9", ["filters.0.rule"]),
        ([rewrite("app-x", "app-*")], "1.9.10", ["filters.0.rule"]),
        ([rewrite("app-x", "app-*")], "unchecked", ["filters.0.rule"]),
        ([rewrite("app-x", "app-*")], "5.1", []),
        ([rewrite("errors", "app-firelens-*")], "5.0.9", []),
        ([rewrite("$TAG.errors", "app-firelens-*")], "5.0.9", ["filters.0.rule"]),
        ([rewrite("errors.$TAG", "app-firelens-*")], "5.0.9", []),
        ([rewrite("", "app*", rule=["$log a b false", "$log a app.b false"])], "5.0.9", ["filters.0.rule.1"]),
        ([rewrite("b", "app-*"), rewrite("app-x", "b")], "5.1", ["filters.0.rule"]),
        ([rewrite("b", "app-*"), rewrite("c", "b"), rewrite("app-x", "c")], "5.1", ["filters.0.rule"]),
        ([rewrite("b", "app-*"), rewrite("c", "b"), rewrite("d", "c")], "5.0.9", []),
        ([rewrite("x", "y"), rewrite("y", "x"), rewrite("p", "q"), rewrite("q", "p")], "5.1",
         ["filters.0.rule", "filters.2.rule"]),
        ([rewrite("", match_regex="^app-", rule="$log x $TAG.x false")], "5.0.9", ["filters.0.rule"]),
        ([rewrite("err", match_regex="^app-")], "5.0.9", []),
        ([rewrite("err", match_regex="^(?<n>err)")], "5.0.9", []),
        ([rewrite("a.$TAG", "app-*"), rewrite("b.$TAG", "a.*"), rewrite("c.$TAG", "b.*")], "5.0.9", []),
        ([rewrite("a.$TAG", "app-*"), rewrite("b.$TAG", "a.*"), rewrite("a.$TAG", "b.*")], "5.0.9", ["filters.1.rule"]),
        ([rewrite("x.$TAG"), rewrite("y.$TAG", "web-*")], "5.0.9", []),
        ([rewrite("b", "app-*"), {"name": "grep"}, rewrite("$TAG[0].y", "b")], "5.0.9", ["filters.0.rule"]),
    ],
)  # fmt: skip
def test_circles_of_tags_are_found(filters: list[Options], engine: str, paths: list[str]) -> None:
    found = told(given(filters, containers=APP, engine=engine))
    assert [path for code, path in found if code == "REWRITE_LOOP"] == paths


def test_a_filter_for_all_records_takes_each_once_as_it_is_rendered() -> None:
    for tags in (("errors",), ("$TAG.errors",), ("errors", "warnings"), ("$level",)):
        assert told(given([rewrite(tag) for tag in tags], engine="1.9.10")) == []
    assert told(given([rewrite("$TAG", "*")])) == [("REWRITE_LOOP", "filters.0.rule")]
    joined = [
        multiline(mode="parser") | {"multiline.parser": "go"},
        rewrite("joined", "web-*"),
        multiline(match="joined"),
    ]
    assert told(given(joined)) == []


def test_rules_that_are_no_rules_lead_nowhere() -> None:
    assert told(given([{"name": "rewrite_tag", "match": "a*", "rule": ["$log", None, 3]}])) == []


GREP = {"name": "grep", "regex": "log x"}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([multiline()], []),
        ([multiline(), GREP], []),
        ([GREP, multiline()], [("MULTILINE_NOT_FIRST", "filters.1.name")]),
        ([GREP | {"match": "web-*"}, multiline(match="app-*")], []),
        ([multiline(), multiline()], [("MULTILINE_TWICE", "filters.1.name")]),
        ([multiline(match="app-*"), multiline(match="web-*")], []),
        ([multiline(match="*-firelens-*"), multiline(match="web-*")], [("MULTILINE_TWICE", "filters.1.name")]),
        ([multiline(mode="partial_message"), multiline()], []),
        ([multiline(mode="partial_message"), multiline(mode="partial_message")], []),
        ([multiline(), multiline(mode="partial_message")], [("MULTILINE_PARTIAL_WITH_PARSER", "filters.1.mode")]),
        (
            [multiline(mode="partial_message") | {"multiline.parser": "go"}],
            [("MULTILINE_PARTIAL_WITH_PARSER", "filters.0.multiline.parser")],
        ),
        ([multiline(match_regex="^app-"), multiline(match_regex="^web-")], []),
        ([multiline(match_regex="^(app|web)-"), multiline(match="web-*")], [("MULTILINE_TWICE", "filters.1.name")]),
        ([multiline(match="app-*"), rewrite("joined", "web-*"), multiline(match="joined")], []),
    ],
)
def test_multiline_filters(filters: list[Options], found: list[tuple[str, str]]) -> None:
    assert told(given(filters, containers=("app", "web"))) == found


def parser(**more: str) -> dict[str, Any]:
    return {"name": "parser", "key_name": "log", "parser": "json", "reserve_data": "on", **more}


@pytest.mark.parametrize(
    "filters",
    [
        [{"name": "modify", "rename": "log message"}],
        [{"name": "modify", "hard_rename": ["a b", "log message"]}],
        [{"name": "modify", "remove": ["x", "log"]}],
        [{"name": "Modify", "remove_wildcard": "lo"}],
        [{"name": "record_modifier", "remove_key": "LOG"}],
        [{"name": "record_modifier", "allowlist_key": ["a", "b"]}],
        [{"name": "nest", "operation": "nest", "wildcard": "l*", "nest_under": "x"}],
        [parser()],
        [{"name": "modify", "remove": "log"}, {"name": "grep", "exclude": "a b"}],
        [{"name": "modify", "remove": "log", "match": "app-*"}],
    ],
)
def test_a_key_that_is_gone_cannot_be_sent(filters: list[Options]) -> None:
    sink = {"name": "s3", "bucket": "b", "log_key": "log", **({"match": "app-*"} if "match" in filters[0] else {})}
    assert told(given(filters, [STDOUT, sink])) == [("LOG_KEY_GONE", "outputs.1.log_key")]


@pytest.mark.parametrize(
    "filters",
    [
        [{"name": "modify", "rename": "a b"}],
        [{"name": "modify", "copy": "log message"}],
        [{"name": "modify", "remove": "log", "condition": "Key_exists x"}],
        [{"name": "modify", "remove": "log", "add": "log x"}],
        [{"name": "modify", "remove": "log", "match": "app-*"}],
        [{"name": "modify", "rename": "log m"}, {"name": "modify", "rename": "m log"}],
        [{"name": "modify", "remove": "log"}, {"name": "lua", "call": "f"}],
        [{"name": "modify", "remove": "log"}, {"name": "nest", "operation": "lift", "nested_under": "x"}],
        [{"name": "record_modifier", "allowlist_key": ["a", "Log"]}],
        [parser(parser="fields")],
        [parser(parser="somewhere_else")],
        [parser(preserve_key="on")],
        [parser(key_name="other")],
    ],
)
def test_a_key_that_may_still_be_there_is_left_alone(filters: list[Options]) -> None:
    assert told(given(filters, [{"name": "s3", "bucket": "b", "log_key": "log"}])) == []


def test_two_stores_in_one_place() -> None:
    s3 = {"name": "s3", "bucket": "b", "store_dir": "/d"}
    found = [("S3_STORE_DIR_SHARED", "outputs.1.store_dir")]
    assert told(given([], [s3, s3 | {"store_dir": "/d/"}])) == found
    assert told(given([], [s3, s3 | {"bucket": "c"}])) == []
    assert told(given([], [s3, s3 | {"store_dir": "/e"}])) == []
    assert told(given([], [{"name": "s3", "bucket": "b"}] * 2)) == []
