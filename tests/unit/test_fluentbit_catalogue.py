"""The catalogue: what engines take, held against the option tables it was read from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from controller.fluentbit import catalogue
from controller.fluentbit.engines import VERSIONS

TABLES = Path(__file__).parents[3] / "shared" / "fluent-bit" / "options.json"
ENGINES = {"1.9.10": "1.9.10", "5.0.9": "5.0.9", "5.1.1": "5.1"}
TYPES = {"string": "str", "boolean": "bool", "integer": "int"}
REPEATABLE_BY_SOURCE = {("filters", "rewrite_tag", "rule")}
"""FLB_TRUE stands for FLB_CONFIG_MAP_MULT in rewrite_tag.c, which the tables missed."""

DATA = Path(catalogue.__file__).parent / "data"
NEVER = {("outputs", "tls.verify_client_cert"), ("inputs", "windows.path_encoding")}
"""The tables have them for outputs too, and for Linux: the engines refuse them."""

NOT_HERE = {"tls.verify_client_cert"} | {
    f"tls.windows.{name}" for name in ("certstore_name", "client_thumbprints", "use_enterprise_store")
}
"""An input's, and Windows's."""


@pytest.fixture(scope="module")
def tables() -> dict[str, Any]:
    if not TABLES.exists():
        pytest.skip("the option tables are not beside this repository")
    return json.loads(TABLES.read_text())  # type: ignore[no-any-return]


@pytest.mark.parametrize("listed", ENGINES)
def test_every_plugin_and_option_of_the_tables_is_known(tables: dict[str, Any], listed: str) -> None:
    engine = ENGINES[listed]
    for kind, plugins in tables["engines"][listed].items():
        for name, options in plugins.items():
            plugin = catalogue.plugin(kind, name, engine)
            if catalogue.refusal(kind, name):
                continue
            assert plugin is not None, (kind, name)
            for option_name, facts in options.items():
                if (kind, option_name) in NEVER:
                    continue
                option = plugin.option(option_name) or plugin.option(option_name + "x")
                assert option is not None, (kind, name, option_name)
                repeats = bool(facts.get("repeatable")) or (kind, name, option_name) in REPEATABLE_BY_SOURCE
                assert option.repeatable == repeats, (kind, name, option_name)


@pytest.mark.parametrize("listed", ENGINES)
def test_no_engine_is_said_to_have_more_plugins_than_the_tables(tables: dict[str, Any], listed: str) -> None:
    for kind, plugins in tables["engines"][listed].items():
        left_out = json.loads((DATA / "more.json").read_text())[kind]
        ours = set(catalogue.names(kind, ENGINES[listed]))
        assert ours - plugins.keys() - left_out.keys() <= {"cloudwatch", "firehose", "kinesis"}


def test_types_and_defaults_are_those_of_the_tables(tables: dict[str, Any]) -> None:
    ours = json.loads((DATA / "options.json").read_text())
    for listed, engine in ENGINES.items():
        for kind, plugins in tables["engines"][listed].items():
            for name, options in plugins.items():
                for option_name, facts in options.items():
                    kept = ours["plugins"][kind][name]["options"][option_name]
                    then = {**kept, **kept.get("was", {}).get(engine, {})}
                    assert then["type"] == TYPES.get(facts["type"], facts["type"])
                    if is_literal(facts.get("default")):
                        assert then.get("default") == facts["default"], (kind, name, option_name)


def is_literal(default: str | None) -> bool:
    """Not the name of a macro in Fluent Bit's source, nor a cast."""
    return bool(default) and not re.fullmatch(r"\(.*|[A-Z][A-Z0-9_]{3,}", str(default))


def test_common_options_are_those_of_the_tables(tables: dict[str, Any]) -> None:
    for kind, options in tables["common"].items():
        plugin = {"inputs": "tcp", "filters": "grep", "outputs": "http"}[kind]
        newest = catalogue.plugin(kind, plugin, "5.1")
        assert newest is not None
        missing = {name for name in options if newest.option(name) is None}
        assert missing <= NOT_HERE


@pytest.mark.parametrize("name", ["cloudwatch_logs", "s3", "kinesis_firehose", "kinesis_streams", "stdout", "null"])
def test_the_outputs_that_most_routes_use_are_in_every_engine(name: str) -> None:
    assert catalogue.versions_with("outputs", name) == VERSIONS


@pytest.mark.parametrize("name", ["cloudwatch", "firehose", "kinesis"])
def test_awss_go_plugins_are_known_too(name: str) -> None:
    plugin = catalogue.plugin("outputs", name, "5.0.9")
    assert plugin is not None
    assert plugin.required[0] == ("region",)


def test_options_know_which_engines_have_them() -> None:
    assert catalogue.versions_with("outputs", "cloudwatch_logs", "log_group_class") == ("5.0.9", "5.1")
    assert catalogue.versions_with("outputs", "gcs") == ("5.1",)
    assert catalogue.versions_with("outputs", "s3", "tls.min_version") == ("5.0.9", "5.1")


def test_an_option_may_be_a_prefix() -> None:
    plugin = catalogue.plugin("outputs", "kafka", "5.0.9")
    assert plugin is not None
    assert plugin.option("rdkafka.security.protocol") is not None
    assert plugin.option("rdkafka.") is None


def test_any_is_all_engines_at_once() -> None:
    for engine in VERSIONS:
        for kind in catalogue.PLUGIN_KINDS:
            assert set(catalogue.names(kind, engine)) <= set(catalogue.names(kind, catalogue.ANY))


def test_the_curated_part_names_no_plugin_that_no_engine_has() -> None:
    for kind in catalogue.PLUGIN_KINDS:
        for name in catalogue._curated()["plugins"][kind]:
            assert catalogue.versions_with(kind, name), name


def test_required_and_exclusive_options_exist() -> None:
    for kind in catalogue.PLUGIN_KINDS:
        for name in catalogue.names(kind, catalogue.ANY):
            plugin = catalogue.plugin(kind, name, catalogue.ANY)
            assert plugin is not None
            for group in (*plugin.required, *plugin.exclusive):
                assert all(plugin.option(option) for option in group), (name, group)
