"""Parsers and multiline parsers: names, rules, and what must be unique."""

from __future__ import annotations

from typing import Any

import pytest

from controller.api.kinds import Pipeline
from controller.fluentbit.findings import Finding
from controller.fluentbit.pipeline import check_pipeline
from controller.fluentbit.variables import Names

RULES = [
    {"state": "start_state", "regex": r"/^\d/", "next_state": "cont"},
    {"state": "cont", "regex": r"/^\s/", "next_state": "cont"},
]


def checked(**parts: Any) -> list[Finding]:
    data = {"outputs": [{"name": "stdout"}], **parts}
    return check_pipeline(Pipeline.model_validate(data), "5.0.9", Names())


def codes(**parts: Any) -> list[str]:
    return [finding.code for finding in checked(**parts)]


def test_parsers_as_the_spec_shows_them_are_good() -> None:
    parser = {"name": "nginx_line", "format": "regex", "regex": "^(?<remote>[^ ]*) (?<rest>.*)$"}
    multiline = {"name": "ml", "type": "regex", "flush_timeout": "1000", "rules": RULES}
    assert checked(parsers=[parser], multiline_parsers=[multiline]) == []


def test_paths_start_at_the_pipeline() -> None:
    (finding,) = checked(filters=[{"name": "grep"}, {"name": "grep", "regx": "log x"}])
    assert finding.path == ("filters", 1, "regx")


@pytest.mark.parametrize(
    ("parser", "code"),
    [
        ({"format": "json"}, "MISSING_KEY"),
        ({"name": "a"}, "MISSING_OPTION"),
        ({"name": "a", "format": "xml"}, "INVALID_VALUE"),
        ({"name": "a", "format": "regex"}, "MISSING_OPTION"),
        ({"name": "a b", "format": "json"}, "INVALID_NAME"),
        ({"name": "a", "format": "json", "time_kep": "On"}, "UNKNOWN_OPTION"),
        ({"name": "a", "format": "regex", "regex": "x\n[INPUT]"}, "UNSAFE_VALUE"),
    ],
)
def test_what_is_wrong_with_a_parser(parser: dict[str, str], code: str) -> None:
    assert codes(parsers=[parser]) == [code]


def test_parsers_have_names_of_their_own() -> None:
    parser = {"name": "a", "format": "json"}
    multiline = {"name": "a", "type": "regex", "rules": RULES}
    assert codes(parsers=[parser, parser]) == ["DUPLICATE_PARSER"]
    assert codes(parsers=[parser], multiline_parsers=[multiline]) == []


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([], "MISSING_OPTION"),
        ("x", "WRONG_TYPE"),
        (["x"], "WRONG_TYPE"),
        ([{**RULES[0], "state": "first"}], "INVALID_VALUE"),
        ([{**RULES[0], "regex": 'a"b'}], "UNSAFE_VALUE"),
        ([{**RULES[0], "regex": "a\\"}], "UNSAFE_VALUE"),
        ([{**RULES[0], "regex": "${HOME}"}], "UNSAFE_VALUE"),
        ([{**RULES[0], "next_state": ["x"]}], "UNSAFE_VALUE"),
        ([{"state": "start_state", "regex": "x"}], "MISSING_OPTION"),
        ([{**RULES[0], "next": "x"}], "UNKNOWN_OPTION"),
    ],
)
def test_what_is_wrong_with_rules(rules: Any, code: str) -> None:
    assert codes(multiline_parsers=[{"name": "a", "type": "regex", "rules": rules}]) == [code]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"regex": "/^(/"}, "INVALID_REGEX", ("regex",)),
        ({"next_state": "nowhere"}, "UNKNOWN_STATE", ("next_state",)),
        ({"state": " , "}, "UNSAFE_VALUE", ("state",)),
        ({"state": ","}, "INVALID_VALUE", ("state",)),
    ],
)
def test_rules_that_stop_the_engine_are_told_with_their_place(change: Any, code: str, path: Any) -> None:
    rules = [RULES[0], {**RULES[1], **change}]
    found = checked(multiline_parsers=[{"name": "a", "type": "regex", "rules": rules}])
    assert [(one.code, one.path) for one in found] == [(code, ("multiline_parsers", 0, "rules", 1, *path))]


def test_a_rule_may_stand_for_several_states() -> None:
    rules = [RULES[0], {**RULES[1], "state": "cont, more", "next_state": "more"}]
    assert codes(multiline_parsers=[{"name": "a", "type": "regex", "rules": rules}]) == []


def test_long_rules_stop_the_oldest_engine_alone() -> None:
    rules = [{**RULES[0], "regex": "x" * 4000}, RULES[1]]
    pipeline = {"outputs": [{"name": "stdout"}], "multiline_parsers": [{"name": "a", "type": "regex", "rules": rules}]}
    model = Pipeline.model_validate(pipeline)
    assert [one.code for one in check_pipeline(model, "1.9.10", Names())] == ["LINE_TOO_LONG"]
    assert check_pipeline(model, "5.0.9", Names()) == []
