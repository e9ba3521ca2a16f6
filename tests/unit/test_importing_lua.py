"""A Lua script comes along where it is the same program on one line; otherwise it is said why not."""

from __future__ import annotations

import pytest

from controller.importing.importer import Imported
from controller.importing.lua import one_line
from tests.support.imports import CUSTOM, imported, lost, pipeline, said, specs, task

OUT = "[OUTPUT]\n    Name stdout\n    Match *\n"
FILTER = "[FILTER]\n    Name lua\n    Match *\n    # marks it\n    script /etc/mark.lua\n    call mark\n"
SCRIPT = 'function mark(tag, ts, record)\n\trecord[\'a\'] = "x\\"y"\n\treturn 2, ts, record\nend\n'


def with_script(script: str | None) -> Imported:
    files = {"/extra.conf": FILTER + OUT, **({"/etc/mark.lua": script} if script is not None else {})}
    return imported(task(options=CUSTOM), files)


def test_a_script_becomes_code_of_one_line_and_keeps_its_comments() -> None:
    found = with_script(SCRIPT)
    [made] = pipeline(found)["filters"]
    assert made["code"] == 'function mark(tag, ts, record) record[\'a\'] = "x\\"y" return 2, ts, record end'
    assert "script" not in made
    assert "        # marks it\n        code: " in found.yaml
    assert lost(found) == []


def test_a_lua_filter_says_that_the_settings_must_allow_it() -> None:
    coded = FILTER.replace("script /etc/mark.lua", "code function mark(t, s, r) return 0, s, r end")
    for found in (with_script(SCRIPT), imported(task(options=CUSTOM), {"/extra.conf": coded + OUT})):
        assert "/extra.conf:1: note: the filter lua: it runs a program in the router" in said(found)
        assert "LOGROUTE_LUA=allow" in said(found)
        assert [one.code for one in specs(found).problems if one.severity == "error"] == ["LUA_NOT_ALLOWED"]


def test_where_code_stands_the_script_does_not_count() -> None:
    both = FILTER.replace("call mark", "call mark\n    code function mark(t, s, r) return 0, s, r end")
    found = imported(task(options=CUSTOM), {"/extra.conf": both + OUT})
    [made] = pipeline(found)["filters"]
    assert (made["code"], "script" in made) == ("function mark(t, s, r) return 0, s, r end", False)
    assert "/extra.conf:5: note: script /etc/mark.lua" in said(found)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (None, "it is not in --config-dir"),
        (f"-- why\n{SCRIPT}", "it holds comments"),
        ("x = [==[\n]==]\n", "it holds a long string"),
        ("x = a[[1]]\n", "it holds a long string"),
        ('x = "a\\\nb"\n', "a string or a character that is not followed"),
        ('x = "a\n"', "a string or a character that is not followed"),
        ("#!/usr/bin/lua\nx = 1\n", "a string or a character that is not followed"),
        ("x = 'ä'\n", "it holds more than ASCII"),
        ("ok, e = pcall(f)\n", "pcall can tell its lines"),
        ('m = require "json"\n', "require loads another file"),
        ("x = '${HOME}'\n", "Fluent Bit would take its ${"),
        ("x = '[PARSER]'\n", "it holds [PARSER]"),
        ("", "it is empty"),
        ("x = 1\n" * 1000, "it has more than 4,000 characters"),
    ],
)
def test_a_script_that_may_not_be_the_same_on_one_line_is_told_and_stays_as_a_comment(
    script: str | None, why: str
) -> None:
    found = with_script(script)
    [told] = lost(found)
    assert "/extra.conf:1: not imported: [FILTER] lua: the Lua script /etc/mark.lua" in told
    assert why in told
    assert "script /etc/mark.lua" in found.yaml
    assert "filters" not in pipeline(found)
    assert specs(found).routes


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("a = 1\r\n\tb = 2", "a = 1 b = 2"),
        ("a = 'x  y' .. \"--\"\n", "a = 'x  y' .. \"--\""),
        ("a = '\\\\' b = '\n", None),
        ("a = #t - -1\n", "a = #t - -1"),
        ("pcalls = t[1]\n", "pcalls = t[1]"),
    ],
)
def test_strings_are_left_as_they_are(script: str, code: str | None) -> None:
    line, trouble = one_line(script.encode())
    assert (line if not trouble else None) == code
