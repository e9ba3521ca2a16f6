"""Classic config written and read: the same tree, the same bytes; nothing gets in by a value."""

from __future__ import annotations

import pytest

from controller.fluentbit.classic import ClassicError
from controller.fluentbit.reader import from_classic
from controller.fluentbit.tree import Config, Section
from controller.fluentbit.writer import to_classic

TREE = Config(
    (
        Section("SERVICE", (("flush", "1"), ("grace", "30"))),
        Section("FILTER", (("name", "grep"), ("regex", "log a"), ("regex", "log b # not a comment"))),
    )
)
TEXT = b"""[SERVICE]
    flush 1
    grace 30

[FILTER]
    name grep
    regex log a
    regex log b # not a comment
"""


def test_a_tree_is_written_plainly() -> None:
    assert to_classic(TREE) == TEXT


def test_what_was_written_reads_as_the_same_tree() -> None:
    assert from_classic(TEXT) == TREE


def test_nothing_is_an_empty_file() -> None:
    assert to_classic(Config(())) == b""
    assert from_classic(b"") == Config(())


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace(b"\n", b"\r\n"),
        TEXT.replace(b"    ", b"\t"),
        TEXT.replace(b"    ", b" "),
        TEXT.replace(b"    grace", b"    # a comment\n\n# another\n    grace"),
        TEXT.replace(b"flush 1", b"flush    1   "),
        b"\n\n" + TEXT + b"    \n",
        TEXT.replace(b"[SERVICE]", b"[SERVICE] and what follows"),
    ],
)
def test_odd_texts_read_as_the_engine_reads_them(text: bytes) -> None:
    assert from_classic(text) == TREE


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"    flush 1\n", 1),
        (b"[SERVICE]\n    flush\n", 2),
        (b"[SERVICE]\n    flush 1\n      grace 2\n", 3),
        (b"[]\n", 1),
        (b"[SERVICE\n", 1),
        (b"@INCLUDE x.conf\n", 1),
        (b"[A]\n    [group]\n", 2),
    ],
)
def test_what_is_not_understood_is_told_by_line(text: bytes, line: int) -> None:
    with pytest.raises(ClassicError) as raised:
        from_classic(text)
    assert raised.value.line == line


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a b", "x"),
        ("", "x"),
        ("#a", "x"),
        ("[a", "x"),
        ("a\n", "x"),
        ("@set", "x"),
        ("a", ""),
        ("a", " x"),
        ("a", "x\n[OUTPUT]"),
        ("a", "x\ry"),
        ("a", "x\x0by"),
        ("a", "x\x85y"),
        ("a", "[PARSER]"),
        ("a", "\ud800"),
    ],
)
def test_what_could_read_back_as_something_else_is_not_written(key: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        to_classic(Config((Section("OUTPUT", ((key, value),)),)))


@pytest.mark.parametrize("name", ["", "A]", "A\n", "A B", "#A", "1"])
def test_section_names_are_plain(name: str) -> None:
    with pytest.raises(ValueError, match="section"):
        to_classic(Config((Section(name, ()),)))


def test_parsers_do_not_share_a_file_with_a_pipeline() -> None:
    parser = Section("PARSER", (("name", "a"),))
    assert to_classic(Config((parser,))) == b"[PARSER]\n    name a\n"
    with pytest.raises(ValueError, match="share"):
        to_classic(Config((parser, TREE.sections[0])))
