"""Whatever a config says: what is started on has the same sections, and no hand on anything outside."""

from __future__ import annotations

import contextlib
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from controller.checking.harmless import NotStarted
from controller.checking.presented import Presented, present
from controller.checking.words import MAX_LENGTH, MAX_WORDS, is_up, read
from controller.fluentbit import catalogue
from controller.fluentbit.reader import from_classic
from controller.fluentbit.tree import Config, Section
from controller.fluentbit.writer import to_classic

KINDS: dict[str, catalogue.Kind] = {"INPUT": "inputs", "FILTER": "filters", "OUTPUT": "outputs"}
VALUES = st.sampled_from(
    ["/etc/shadow", "../../x", "/var/run/docker.sock", "~/.aws", "On", "5170", "${SECRET}", "x", "a b", "https://h/x"]
) | st.from_regex(r"[!-~]{1,20}", fullmatch=True)


@st.composite
def sections(draw: st.DrawFn) -> Section:
    name = draw(st.sampled_from(sorted(KINDS)))
    known = draw(st.sampled_from(catalogue.names(KINDS[name], catalogue.ANY)))
    plugin = catalogue.plugin(KINDS[name], known, catalogue.ANY)
    assert plugin is not None
    keys = st.sampled_from(sorted({*plugin.options, "some_file", "state.dir"} - {"name"}))
    entries = draw(st.lists(st.tuples(keys, VALUES), max_size=6))
    return Section(name, (("name", known), *entries))


CONFIGS = st.lists(sections(), min_size=1, max_size=5).map(lambda some: Config(tuple(some)))


def started(config: Config, engine: str = "5.0.9") -> Presented:
    numbers = count(40000)
    return present(to_classic(config), None, engine, lambda: next(numbers))


def safe(config: Config) -> bool:
    with contextlib.suppress(ValueError):
        return from_classic(to_classic(config)) == config
    return False


@given(CONFIGS.filter(safe), st.sampled_from(["1.9.10", "5.0.9", "5.1"]))
def test_the_sections_stay_and_files_lie_in_the_run_s_folder(config: Config, engine: str) -> None:
    found = from_classic(started(config, engine).files["pipeline.conf"]).sections
    assert [one.name for one in found[: len(config.sections)]] == [one.name for one in config.sections]
    for one in found:
        for key, value in one.entries:
            if key.endswith(("_file", ".dir", "_dir", ".path", "unix_path")) and key != "static_file_path":
                assert not value.startswith(("/", "..", "~")), (one, key)
            if key in ("port", "http_port") and one.name != "OUTPUT":
                assert value == "9" or 40000 <= int(value) < 41000


@given(CONFIGS.filter(safe), st.binary(max_size=400), st.text(max_size=200))
def test_any_log_can_be_read(config: Config, log: bytes, text: str) -> None:
    presented = started(config)
    said = read(log + f"\n[error] {text}\n".encode(errors="replace"), presented)
    assert len(said.words) <= MAX_WORDS
    assert all(len(word) <= MAX_LENGTH + 1 and word.isprintable() for word in said.words)
    assert all(index < len(config.sections) for index in said.sections)
    is_up(log)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_config_are_refused_in_words(body: bytes) -> None:
    with contextlib.suppress(NotStarted):
        present(body, None, "5.0.9", lambda: 40000)
