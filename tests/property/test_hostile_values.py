"""Whatever stands in a section: it is refused with a code and a place, or its config is what was written."""

from __future__ import annotations

import random
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.api.kinds import Pipeline
from controller.api.problems import Severity
from controller.fluentbit.catalogue import Kind
from controller.fluentbit.checks import check
from controller.fluentbit.engines import ENGINES, UNCHECKED
from controller.fluentbit.findings import Finding
from controller.fluentbit.pipeline import check_pipeline
from controller.fluentbit.reader import from_classic
from controller.fluentbit.tree import Config, Section
from controller.fluentbit.variables import Names
from controller.fluentbit.writer import to_classic
from tests.support import hostile

SOURCES = st.integers(0, 2**63).map(random.Random)
TEXTS = st.one_of(SOURCES.map(hostile.text), st.text(max_size=60))
KINDS: tuple[Kind, ...] = ("inputs", "filters", "outputs", "service", "parsers")
SECRETS = Names(("DECLARED",))
ALLOWED = re.compile(r"\$\{(DECLARED|AWS_REGION|AWS_AVAILABILITY_ZONE|HOSTNAME|ECS_[A-Z0-9_]+)\}")
LINE = 4096
"""Bytes with its end: the buffer of Fluent Bit 1.9.10."""
MANY = settings(max_examples=1000, deadline=None)


def refused(found: list[Finding]) -> bool:
    """Each finding has a code, a path and words that can be printed on one line."""
    for one in found:
        assert re.fullmatch(r"[A-Z0-9_]+", one.code)
        assert one.message.isprintable(), one.message
        assert one.hint.isprintable(), one.hint
        assert len(one.message) < 1000
    return any(one.severity is Severity.ERROR for one in found)


def entries(options: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    pairs = ((key, value if isinstance(value, list) else [value]) for key, value in options.items())
    return tuple((key, one) for key, values in pairs for one in values)


def is_what_was_written(config: Config, engine: str) -> None:
    written = to_classic(config)
    assert from_classic(written) == config
    lines = written.split(b"\n")
    count = sum(1 + len(section.entries) for section in config.sections) + len(config.sections) - 1
    assert written.count(b"\n") == count
    assert len(written.decode().splitlines()) == count
    assert "${" not in ALLOWED.sub("", written.decode())
    assert "$${" not in written.decode()
    assert engine != "1.9.10" or all(len(line) + 1 < LINE for line in lines)
    if config.sections[0].name not in ("PARSER", "MULTILINE_PARSER"):
        assert not re.search(rb"\[(multiline_)?parser\]", written, re.IGNORECASE)


@MANY
@given(SOURCES, st.sampled_from(KINDS), st.sampled_from([one for one in ENGINES if one != UNCHECKED]))
def test_a_section_of_the_catalogue_is_refused_or_is_what_was_written(
    source: random.Random, kind: Kind, engine: str
) -> None:
    options = hostile.section(source, kind, engine)
    if refused(check(kind, options, engine, SECRETS)):
        return
    name = "PARSER" if kind == "parsers" else kind.rstrip("s").upper() if kind != "service" else "SERVICE"
    is_what_was_written(Config((Section(name, entries(options)),)), engine)


@MANY
@given(TEXTS, TEXTS, st.sampled_from(ENGINES))
def test_a_plugin_nobody_knows_is_refused_or_is_what_was_written(key: str, value: str, engine: str) -> None:
    options = {"name": "whatever", key: value}
    if engine != UNCHECKED:
        assert refused(check("outputs", options, engine, SECRETS))
    elif not refused(check("outputs", options, engine, SECRETS)):
        is_what_was_written(Config((Section("OUTPUT", entries(options)),)), engine)


@MANY
@given(TEXTS, st.sampled_from(["match", "match_regex", "alias", "tag", "name"]), st.sampled_from(ENGINES))
def test_names_that_routes_share_are_refused_or_harmless(value: str, key: str, engine: str) -> None:
    kind: Kind = "inputs" if key == "tag" else "outputs"
    options = {"name": "tcp", key: value}
    if refused(check(kind, options, engine, SECRETS)):
        return
    is_what_was_written(Config((Section("INPUT", entries(options)),)), engine)
    assert key == "match_regex" or re.fullmatch(r"[A-Za-z0-9_.*-]+", value)


@MANY
@given(st.lists(st.fixed_dictionaries({"state": TEXTS, "regex": TEXTS, "next_state": TEXTS}), max_size=2), TEXTS)
def test_parsers_and_their_rules_are_refused_or_are_what_was_written(rules: list[dict[str, str]], name: str) -> None:
    first = {"state": "start_state", "regex": "/^x/", "next_state": "start_state"}
    parser = {"name": name or "p", "type": "regex", "rules": [first, *rules]}
    found = check_pipeline(Pipeline.model_construct(multiline_parsers=(parser,)), "1.9.10", SECRETS)
    if refused(found):
        assert all(one.path[:2] == ("multiline_parsers", 0) for one in found)
        return
    written = [("rule", f'"{one["state"]}" "{one["regex"]}" "{one["next_state"]}"') for one in (first, *rules)]
    is_what_was_written(Config((Section("MULTILINE_PARSER", (("name", parser["name"]), *written)),)), "1.9.10")  # type: ignore[arg-type]
