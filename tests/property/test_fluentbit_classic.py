"""Tree → text → tree is the identity, and no value that passes the checks adds a line or a section."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.fluentbit.checks import check
from controller.fluentbit.reader import from_classic
from controller.fluentbit.safety import value_trouble
from controller.fluentbit.tags import regex_trouble
from controller.fluentbit.tree import Config, Section
from controller.fluentbit.writer import to_classic

NAMES = st.sampled_from(["SERVICE", "INPUT", "FILTER", "OUTPUT"])
KEYS = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,20}", fullmatch=True)
HOSTILE = st.lists(
    st.sampled_from(
        ["\n", "\r", "\r\n", "\x00", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\ufeff", "[OUTPUT]", "[PARSER]",
         "[MULTILINE_PARSER]", "@INCLUDE /etc/passwd", "@SET a=b", "    name exec", "#", " ", "\t", "${HOME}",
         "${", "}", "$", "name", "exec", "x", "ä", "\ud800", "\\", '"']
    ),
    max_size=8,
).map("".join)  # fmt: skip
VALUES = st.one_of(st.text(min_size=1, max_size=40), HOSTILE).filter(lambda value: value_trouble(value) is None)
SECTIONS = st.builds(Section, NAMES, st.lists(st.tuples(KEYS, VALUES), max_size=5).map(tuple))
CONFIGS = st.builds(Config, st.lists(SECTIONS, max_size=5).map(tuple))


@given(CONFIGS)
def test_what_is_written_reads_back_as_the_same_tree(config: Config) -> None:
    assert from_classic(to_classic(config)) == config


@given(CONFIGS)
def test_the_same_tree_gives_the_same_bytes(config: Config) -> None:
    assert to_classic(config) == to_classic(Config(tuple(config.sections)))


@given(st.one_of(HOSTILE, st.text()), st.sampled_from(["5.0.9", "1.9.10", "unchecked"]))
def test_a_value_that_passes_the_checks_is_one_line(value: str, engine: str) -> None:
    section = {"name": "s3", "bucket": value}
    if any(finding.path[:1] == ("bucket",) for finding in check("outputs", section, engine)):
        return
    entries = tuple(section.items())
    text = to_classic(Config((Section("OUTPUT", entries),))).decode()
    assert text.splitlines() == ["[OUTPUT]", "    name s3", f"    bucket {value}"]
    assert "${" not in value


@given(HOSTILE)
def test_a_value_that_fails_the_checks_is_not_written_by_accident(value: str) -> None:
    try:
        text = to_classic(Config((Section("OUTPUT", (("bucket", value),)),)))
    except ValueError:
        return
    assert text.count(b"\n") == 2
    assert text.count(b"[OUTPUT]\n") == 1 + value.endswith("[OUTPUT]")
    assert b"[parser]" not in text.lower()


@given(st.text(alphabet="^ab|()[]\\$.*?:=!<>#ix-", max_size=15).map(lambda text: "^" + text))
def test_a_regex_that_passes_stays_within_its_brackets(regex: str) -> None:
    """Put in brackets it must not close them: a model of how routes are kept to their own records."""
    if regex_trouble(regex):
        return
    depth, index, in_class = 0, 0, 0
    while index < len(regex):
        char = regex[index]
        if char == "\\":
            index += 2
            continue
        in_class += {"[": 1, "]": -1 if in_class else 0}.get(char, 0)
        if not in_class:
            depth += {"(": 1, ")": -1}.get(char, 0)
            assert depth >= 0
            assert depth > 0 or char != "|"
        index += 1
    assert depth == 0
