"""Regexes as the engines' Onigmo reads them. tests/engine holds the same lists against real engines."""

from __future__ import annotations

import pytest

from controller.fluentbit.regexes import MAX_REGEX, check_regex, regex_error
from tests.support.regexes import ACCEPTED, REFUSED


@pytest.mark.parametrize("regex", ACCEPTED)
def test_what_the_engines_compile_is_good(regex: str) -> None:
    assert regex_error(regex, "5.0.9") is None


@pytest.mark.parametrize("regex", REFUSED)
def test_what_stops_the_engines_is_refused_with_a_reason(regex: str) -> None:
    assert regex_error(regex, "5.0.9")


def test_the_compilers_own_words_are_told() -> None:
    (finding,) = check_regex("exclude", "a(b", "5.0.9")
    assert (finding.code, finding.path) == ("INVALID_REGEX", ())
    assert finding.message == 'exclude: Fluent Bit cannot compile "a(b": end pattern with unmatched parenthesis'


def test_hostile_names_in_the_compilers_words_stay_printable_and_short() -> None:
    (finding,) = check_regex("regex", "\\k<" + "é\u202e" * 500 + ">", "5.0.9")
    assert finding.message.isprintable()
    assert len(finding.message) < 400


@pytest.mark.parametrize(
    ("regex", "engine", "good"),
    [
        ("/a/i", "5.0.9", True),
        ("/#)/x", "5.0.9", True),
        ("/#)/x", "1.9.10", False),
        ("/(/", "5.0.9", False),
        ("/(/i", "5.1", False),
        ("/(/q", "any", False),
        ("/", "5.0.9", True),
        ("/", "1.9.10", False),
        ("//", "1.9.10", True),
    ],
)
def test_slashes_and_options_are_read_as_each_version_does(regex: str, engine: str, *, good: bool) -> None:
    assert (regex_error(regex, engine) is None) == good


def test_a_variable_in_a_regex_stands_for_a_word() -> None:
    assert check_regex("regex", "(${ECS_CLUSTER}|a)", "5.0.9") == []
    assert [one.code for one in check_regex("regex", "(${ECS_CLUSTER}", "5.0.9")] == ["INVALID_REGEX"]
    assert [one.code for one in check_regex("regex", "\\${ECS_CLUSTER}", "5.0.9")] == ["INVALID_REGEX"]


@pytest.mark.parametrize(
    "regex",
    [
        "((((a{1000}){1000}){1000}){1000}){1000}",
        "(" * 8_000 + ")" * 8_000,
        "(?:" * 4_000,
        "(a|" * 5_000 + "b" + ")" * 999,
        "[" * MAX_REGEX,
        "a?" * 8_000,
        "(?:(?:\\X{100}){100}){100}",
        "(?<=" * 4_000,
        "x" * (MAX_REGEX + 1),
        "(?i)" + "(?:ß|ss)" * 1_900,
    ],
    ids=range(10),
)
def test_no_regex_takes_long_to_judge(regex: str) -> None:
    """Ended by the suite's time limit, or the machine's memory, if one did."""
    regex_error(regex, "5.0.9")
