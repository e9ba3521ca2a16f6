"""What sections of one route need of each other, of the class, and of the settings."""

from __future__ import annotations

from typing import Any

import pytest

from controller.settings import load as load_settings
from controller.specs.load import Loader, load, reread
from tests.support.routes import class_document, documents, route_document

JSON = {"name": "parser", "key_name": "log", "parser": "json", "reserve_data": "On"}
TCP = {"name": "tcp", "tag": "emf", "listen": "127.0.0.1", "port": "25888"}
LUA = {"name": "lua", "call": "f", "code": "function f(t, s, r) return 0, s, r end"}
OLD = class_document(engine="1.9.10")


def codes(*some: dict[str, Any], lua: bool = False) -> list[str]:
    return [one.code for one in load("test", {"a.yaml": documents(*some)}, lua=lua).problems if one.severity == "error"]


def piped(**pipeline: Any) -> dict[str, Any]:
    return route_document(pipeline=pipeline)


@pytest.mark.parametrize(
    ("pipeline", "clash"),
    [
        ({"inputs": [TCP, {**TCP, "tag": "b"}]}, True),
        ({"inputs": [TCP, {**TCP, "tag": "b", "port": "25889"}]}, False),
        ({"inputs": [TCP, {"name": "udp", "tag": "b", "port": "25888"}]}, False),
        ({"inputs": [{"name": "http", "tag": "a"}, {"name": "http", "tag": "b", "port": "9880"}]}, True),
        ({"outputs": [{"name": "prometheus_exporter"}, {"name": "prometheus_exporter"}]}, True),
        ({"outputs": [{"name": "Prometheus_Exporter"}, {"name": "Prometheus_Exporter"}]}, True),
        ({"outputs": [{"name": "prometheus_exporter"}, {"name": "prometheus_exporter", "port": "2022"}]}, False),
        ({"inputs": [{**TCP, "port": "2021"}], "outputs": [{"name": "prometheus_exporter"}]}, True),
    ],
)
def test_a_port_is_taken_once_in_a_route(pipeline: dict[str, Any], clash: bool) -> None:
    assert ("DUPLICATE_PORT" in codes(piped(**pipeline))) is clash


def test_a_port_taken_twice_is_told_where_it_stands() -> None:
    read = load("test", {"a.yaml": documents(piped(inputs=[TCP, {**TCP, "tag": "b"}]))})
    (problem,) = [one for one in read.problems if one.code == "DUPLICATE_PORT"]
    line = documents(piped(inputs=[TCP, {**TCP, "tag": "b"}])).decode().splitlines()[problem.line - 1]
    assert "25888" in line
    assert "port 25888" in problem.message


@pytest.mark.parametrize("key", ["alias", "emitter_name"])
def test_names_of_filters_stand_once(key: str) -> None:
    one = {"name": "rewrite_tag", "rule": "$log a b false", key: "x"}
    assert codes(piped(filters=[one, {**one, "rule": "$log a c false"}])) == ["DUPLICATE_ALIAS"]
    assert codes(piped(filters=[one, {**one, "rule": "$log a c false", key: "y"}])) == []


def test_lua_runs_only_where_the_settings_allow_it() -> None:
    assert codes(piped(filters=[LUA])) == ["LUA_NOT_ALLOWED"]
    assert codes(piped(filters=[LUA]), lua=True) == []
    assert codes(piped(filters=[{**LUA, "name": "Lua"}])) == ["LUA_NOT_ALLOWED"]


@pytest.mark.parametrize("lua", [True, False])
def test_lua_in_a_file_is_never_run(lua: bool) -> None:
    assert codes(piped(filters=[{"name": "lua", "call": "f", "script": "/x.lua"}]), lua=lua) == ["LUA_SCRIPT"]


def test_a_remembered_route_with_lua_is_read_again_only_where_it_is_still_allowed() -> None:
    (route,) = Loader(lua=True).load_files("1", {"a.yaml": documents(piped(filters=[LUA]))}).routes
    again = reread(route.made_from, route.file, lua=True)
    assert again is not None
    assert again.digest == route.digest
    assert reread(route.made_from, route.file) is None


def test_the_settings_refuse_lua_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().lua == "refuse"
    monkeypatch.setenv("LOGROUTE_LUA", "allow")
    assert load_settings().lua == "allow"


TAIL = {"name": "tail", "tag": "t", "path": "/logs/a.log"}
RULES = [{"state": "start_state", "regex": "/^a/", "next_state": "start_state"}]
STACK = {"name": "stack", "type": "regex", "rules": RULES}


@pytest.mark.parametrize(
    "pipeline",
    [
        {"filters": [{**JSON, "parser": "nobody"}]},
        {"filters": [{**JSON, "parser": ["json", "nobody"]}]},
        {"inputs": [{**TAIL, "parser": "nobody"}]},
        {"inputs": [{**TAIL, "multiline.parser": "docker, nobody"}]},
        {"filters": [{"name": "multiline", "multiline.key_content": "log", "multiline.parser": "nobody"}]},
        {"filters": [{"name": "multiline", "multiline.key_content": "log", "multiline.parser": "json"}]},
        {"multiline_parsers": [{**STACK, "parser": "nobody"}]},
    ],
)
def test_a_parser_that_nobody_defines_is_refused(pipeline: dict[str, Any]) -> None:
    assert codes(piped(**pipeline)) == ["UNKNOWN_PARSER"]
    loading = class_document(service={"parsers_file": "/etc/parsers.conf"})
    assert codes(loading, piped(**pipeline)) == []


@pytest.mark.parametrize(
    "pipeline",
    [
        {"filters": [JSON]},
        {"filters": [{**JSON, "parser": "own"}], "parsers": [{"name": "own", "format": "json"}]},
        {"inputs": [{**TAIL, "multiline.parser": "docker, go, stack"}], "multiline_parsers": [STACK]},
        {"multiline_parsers": [{**STACK, "parser": "json"}]},
    ],
)
def test_own_parsers_and_those_of_image_and_engine_are_known(pipeline: dict[str, Any]) -> None:
    assert codes(piped(**pipeline)) == []


def test_the_oldest_engine_has_no_multiline_parser_for_ruby() -> None:
    ruby = piped(filters=[{"name": "multiline", "multiline.key_content": "log", "multiline.parser": "ruby"}])
    assert codes(ruby) == []
    assert codes(OLD, ruby) == ["UNKNOWN_PARSER"]


def test_an_unknown_parser_gets_the_nearest_and_shows_nothing_that_cannot_be_printed() -> None:
    parsers = [{"name": "\x1b[2J", "format": "json"}]
    read = load("test", {"a.yaml": documents(piped(filters=[{**JSON, "parser": "jsn"}], parsers=parsers))})
    (problem,) = [one for one in read.problems if one.code == "UNKNOWN_PARSER"]
    assert problem.hint == 'did you mean "json"?'
    assert all(f"{one.message}{one.hint}".isprintable() for one in read.problems)


def test_what_the_class_sets_in_its_environment_may_be_named_and_its_secrets_may_not() -> None:
    own = {"name": "APP_VERSION", "value": "1"}
    hidden = {"name": "PLATFORM_KEY", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/k"}
    spec = class_document(container={"environment": [own], "secrets": [hidden]})
    version = piped(filters=[{"name": "record_modifier", "record": "v ${APP_VERSION}"}])
    key = piped(filters=[{"name": "record_modifier", "record": "v ${PLATFORM_KEY}"}])
    assert codes(spec, version) == []
    assert codes(version) == ["UNKNOWN_VARIABLE"]
    assert codes(spec, key) == ["UNKNOWN_VARIABLE"]
