"""Thousands of hostile values that the checks let pass, in real configs: the engine starts, delivers what was
written where a record shows it, and nothing else is active. Values are packed, hundreds to a start.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.api.kinds import Pipeline
from controller.api.problems import Severity
from controller.fluentbit import splitting
from controller.fluentbit.catalogue import Kind
from controller.fluentbit.checks import check
from controller.fluentbit.pipeline import check_pipeline
from controller.fluentbit.tree import Config, Section
from controller.fluentbit.variables import Names
from controller.fluentbit.writer import to_classic
from tests.engine.ecs import Engine, engine_version, until_delivered
from tests.support import hostile

VALUES = 500
"""Of each kind, in one start."""
FEW = 50
"""Sections of a kind, in one start."""
ENVIRONMENT = {"PLANTED": hostile.PLANTED, "DECLARED": "declared", "ECS_CLUSTER": "c-1"}
KNOWN = {**ENVIRONMENT, "ECS_NO": ""}


def good(kind: Kind, section: dict[str, str], engine: str) -> bool:
    return not any(one.severity is Severity.ERROR for one in check(kind, section, engine, Names(("DECLARED",))))


SHAPES = {
    "record": ("r{n} {text}", 'r{n} "{text}"'),
    "set": ("m{n} {text}", 'm{n} "{text}"', "m{n} '{text}'"),
    "exclude": ("none{n} {text}", "$none['{text}'] x"),
    "condition": (
        "key_value_matches a {text}",
        'a_key_matches "{text}"',
        "key_value_equals {text} b",
        "key_exists {text}",
    ),
    "rule": (
        "$log {text} new false",
        '$log "^{text}" new false',
        "${text} ^x new false",
        "$log ^nothing new.{text} false",
    ),
    "match_regex": ("^{text}",),
    "uri": ("/{text}",),
}
"""Of an option's value, around the hostile text. Each has a number where names must differ."""
NEEDED = {"http": {"host": "127.0.0.1", "port": "1"}, "nest": {"operation": "nest"}}


def accepted(seed: int, kind: Kind, name: str, option: str, engine: str, count: int = VALUES) -> list[str]:
    """Values with hostile text in them that the checks let pass."""
    source = random.Random(f"{seed} {name} {option}")  # noqa: S311 - no secret
    found: list[str] = []
    while len(found) < count:
        shape = source.choice(SHAPES.get(option, ("{text}",)))
        value = shape.replace("{n}", str(len(found))).replace("{text}", hostile.text(source))
        if "${ECS_NO}" in value and not (option == "record" and (splitting.tokens(expanded(value), 2) or [])[1:]):
            continue  # what is empty is a word less, which no check can see
        if good(kind, {"name": name, **NEEDED.get(name, {}), option: value}, engine):
            found.append(value)
    return found


def expanded(text: str) -> str:
    for name, value in KNOWN.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def entries(name: str, match: str, option: str, values: list[str]) -> tuple[tuple[str, str], ...]:
    return (("name", name), ("match", match), *((option, value) for value in values))


def each(seed: int, kind: Kind, name: str, match: str | None, option: str, engine: str) -> Iterator[Section]:
    """A section for each of a few values: plugins of which one value is all that a section takes."""
    for value in accepted(seed, kind, name, option, engine, FEW):
        matching = (("match", match),) if match else ()
        needed = tuple(NEEDED.get(name, {}).items())
        yield Section(kind.removesuffix("s").upper(), (("name", name), *matching, *needed, (option, value)))


def parsers(seed: int, engine: str) -> Config:
    """Parsers and multiline parsers with a hostile text in one place each."""
    source = random.Random(seed)  # noqa: S311 - no secret
    sections: list[Section] = []
    while len(sections) < VALUES:
        name = f"p{len(sections)}"
        option = source.choice(["regex", "time_format", "time_key", "types", "decode_field_as", "key_content"])
        text = hostile.text(source)
        if option == "key_content":
            rule = {"state": "start_state", "regex": text, "next_state": "start_state"}
            ml = {"name": name, "type": "regex", "key_content": hostile.text(source), "rules": [rule]}
            pipeline = Pipeline.model_construct(multiline_parsers=(ml,))
            if not any(
                one.severity is Severity.ERROR for one in check_pipeline(pipeline, engine, Names(("DECLARED",)))
            ):
                written = (("rule", f'"start_state" "{text}" "start_state"'), ("key_content", str(ml["key_content"])))
                sections.append(Section("MULTILINE_PARSER", (("name", name), ("type", "regex"), *written)))
            continue
        plain = {"name": name, "format": "regex", "regex": "^(?<a>.*)$", option: text}
        if good("parsers", plain, engine):
            sections.append(Section("PARSER", tuple(plain.items())))
    return Config(tuple(sections))


@pytest.mark.parametrize("seed", range(2))
def test_what_the_checks_let_pass_is_delivered_as_written(fluent_bit: str, tmp_path: Path, seed: int) -> None:
    engine = engine_version(fluent_bit)
    records = accepted(seed, "filters", "record_modifier", "record", engine)
    settings = accepted(seed, "filters", "modify", "set", engine)
    config = Config(
        (
            Section("SERVICE", (("flush", "1"), ("grace", "1"))),
            Section("FILTER", entries("record_modifier", "app-*", "record", records)),
            Section("FILTER", entries("modify", "app-*", "set", settings)),
            *(
                Section("FILTER", entries(name, match, option, accepted(seed, "filters", name, option, engine)))
                for name, match, option in (
                    ("grep", "app-*", "exclude"),
                    ("modify", "other", "condition"),
                    ("rewrite_tag", "other", "rule"),
                )
            ),
            *each(seed, "filters", "nest", "other", "nest_under", engine),
            *each(seed, "outputs", "http", "never", "uri", engine),
            *each(seed, "outputs", "null", None, "match", engine),
            *each(seed, "outputs", "null", None, "match_regex", engine),
            Section("OUTPUT", (("name", "file"), ("match", "app-*"), ("path", str(tmp_path)), ("file", "delivered"))),
        )
    )
    with Engine(fluent_bit, tmp_path, to_classic(config), to_classic(parsers(seed, engine)), ENVIRONMENT) as running:
        running.send("app-firelens-1", [{"log": "line"}])
        running.send("other", [{"log": "line", "a": "b", "x": "y"}])
        assert until_delivered(running, tmp_path / "delivered"), running.log()[-2000:]
    lines = (tmp_path / "delivered").read_text().splitlines()
    assert len(lines) == 1
    record = json.loads(lines[0].split(", ", 1)[1].removesuffix("]"))
    for value in records:
        key, *rest = splitting.tokens(expanded(value), 2) or [""]
        assert record.get(key) == (rest[0] if rest else None), value
    for value in settings:
        split = splitting.plain if engine == "1.9.10" else splitting.quoted
        key, *rest = split(expanded(value), 3) or [""]
        assert rest == [record.get(key)], value
    assert not (tmp_path / "pwned").exists()
    for path in tmp_path.iterdir():
        assert path.is_socket() or hostile.PLANTED.encode() not in path.read_bytes(), path
