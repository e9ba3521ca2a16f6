"""The lists of regexes, held against the engine's own Onigmo by a grep filter: it compiles at the start."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from controller.fluentbit.regexes import regex_error
from controller.fluentbit.tree import Config, Section
from controller.fluentbit.writer import to_classic
from tests.engine.ecs import Engine, engine_version, until_delivered
from tests.support.regexes import ACCEPTED, REFUSED

SLASHED = ("/a/i", "/#)/x", "/(/i", "/a(/", "//", "/a/q", "/(/q", "/[/mix", "/", "/a/o")
"""Read in one way by 1.9.10 and in another since."""


def starts(program: str, folder: Path, regexes: Iterable[str]) -> bool:
    """Whether a record gets through; inputs listen before filters compile."""
    folder.mkdir()
    grep = (("name", "grep"), ("match", "*"), *(("exclude", f"none {regex}") for regex in regexes))
    output = (("name", "file"), ("match", "*"), ("path", str(folder)), ("file", "delivered"))
    sections = (Section("SERVICE", (("flush", "0.2"),)), Section("FILTER", grep), Section("OUTPUT", output))
    try:
        with Engine(program, folder, to_classic(Config(sections))) as engine:
            engine.send("a", [{"log": "line"}])
            return until_delivered(engine, folder / "delivered")
    except (AssertionError, OSError):
        return False


def test_the_engine_starts_with_every_regex_that_is_called_good(fluent_bit: str, tmp_path: Path) -> None:
    assert starts(fluent_bit, tmp_path / "all", ACCEPTED)


def test_the_engine_stops_at_every_regex_that_is_refused(fluent_bit: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        started = pool.map(lambda one: starts(fluent_bit, tmp_path / str(one[0]), [one[1]]), enumerate(REFUSED))
    assert [regex for regex, good in zip(REFUSED, started, strict=True) if good] == []


@pytest.mark.parametrize("regex", SLASHED)
def test_slashes_are_read_as_this_version_does(fluent_bit: str, tmp_path: Path, regex: str) -> None:
    good = regex_error(regex, engine_version(fluent_bit)) is None
    assert starts(fluent_bit, tmp_path / "one", [regex]) == good
