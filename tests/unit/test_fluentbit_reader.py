"""Existing classic files: includes, @SET, comments, indents; and where each thing stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from controller.fluentbit.classic import ClassicError, Entry, Place, SectionKind, Source, SourceFile, kind_of
from controller.fluentbit.reader import MAX_FILES, read_classic


def read(text: str, **files: str) -> Source:
    """`text` as main.conf; `files` by name without `.conf`, and `all*` for every one of them."""
    found: Mapping[str, str] = {f"{name}.conf": content for name, content in files.items()}

    def include(path: str, place: Place) -> Sequence[SourceFile]:
        if "*" in path:
            return [SourceFile(name, content.encode()) for name, content in sorted(found.items())]
        if path not in found:
            raise ClassicError(place.line, f"{path} is not here", place.file)
        return [SourceFile(path, found[path].encode())]

    return read_classic(SourceFile("main.conf", text.encode()), include)


def pairs(source: Source) -> list[tuple[str, list[tuple[str, str]]]]:
    return [(one.name, [(entry.key, entry.value) for entry in one.entries]) for one in source.sections]


def test_everything_has_its_place() -> None:
    source = read(
        "\n[OUTPUT]\n    Name s3\n\n    Match *\n",
    )
    [section] = source.sections
    assert section.place == Place("main.conf", 2)
    assert [str(entry.place) for entry in section.entries] == ["main.conf:3", "main.conf:5"]


def test_comments_belong_to_what_stands_below_them() -> None:
    source = read("# file\n#  indented\n[OUTPUT]\n    # which\n    Name s3\n# odd place\n    Match *\n# the end\n")
    [section] = source.sections
    assert section.comments == ("file", " indented")
    assert [entry.comments for entry in section.entries] == [("which",), ("odd place",)]
    assert source.trailing == ("the end",)


def test_a_comment_above_a_command_belongs_to_the_section_below() -> None:
    source = read("# the router\n@SET a=b\n[SERVICE]\n    Flush 1\n")
    assert source.sections[0].comments == ("the router",)
    assert source.commands == (Entry("SET", "a=b", Place("main.conf", 2)),)


def test_includes_stand_where_they_are_named_and_keep_their_places() -> None:
    source = read(
        "@INCLUDE a.conf\n[OUTPUT]\n  Name x\n@include b.conf\n  Match *\n", a="[INPUT]\n\tName y\n", b="# c\n"
    )
    assert pairs(source) == [("INPUT", [("Name", "y")]), ("OUTPUT", [("Name", "x"), ("Match", "*")])]
    assert source.sections[0].entries[0].place == Place("a.conf", 2)
    assert source.sections[1].entries[1].comments == ("c",)


def test_an_included_file_has_a_section_and_an_indent_of_its_own() -> None:
    with pytest.raises(ClassicError, match=r"a\.conf:1: an option stands before the first section"):
        read("[OUTPUT]\n    Name x\n@INCLUDE a.conf\n", a="    Match *\n")


def test_a_glob_takes_in_all_it_means() -> None:
    source = read("@INCLUDE all*\n", a="[A]\n", b="[B]\n")
    assert [section.name for section in source.sections] == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "files", "message"),
    [
        ("@INCLUDE main.conf\n", {"main": ""}, "main.conf:1: main.conf is read twice"),
        ("@INCLUDE a.conf\n", {"a": "@INCLUDE main.conf\n", "main": ""}, "a.conf:1: main.conf is read twice"),
        ("@INCLUDE a.conf\n\n@INCLUDE a.conf\n", {"a": "[A]\n"}, "main.conf:3: a.conf is read twice"),
        ("\n@INCLUDE b.conf\n", {}, "main.conf:2: b.conf is not here"),
        ("@INCLUDE\n", {}, "main.conf:1: @INCLUDE says nothing more"),
    ],
)
def test_loops_double_and_missing_includes_are_told_by_place(text: str, files: dict[str, str], message: str) -> None:
    with pytest.raises(ClassicError) as raised:
        read(text, **files)
    assert str(raised.value).startswith(message)


def test_includes_without_end_end() -> None:
    count = iter(range(10 * MAX_FILES))

    def include(path: str, place: Place) -> Sequence[SourceFile]:
        assert (path, place.line) == ("more", 1)
        return [SourceFile(f"{next(count)}", b"[A]\n")]

    text = b"@INCLUDE more\n"
    seen = {str(-number) for number in range(1, MAX_FILES)}
    with pytest.raises(ClassicError, match="more than 1000 files"):
        read_classic(SourceFile("main.conf", text), include, seen)


@pytest.mark.parametrize(
    "text",
    [
        "[A]\n\tk v\n\tl w\n",
        "[A]\n k v\n\n l w\n",
        "[A]\r\n  k v\r\n  l w\r\n",
        "    \n[A]\n    k v\n    l   w  \n",
        "[A]\n    k v\n        \n    l w",
    ],
)
def test_indents_that_the_engine_takes(text: str) -> None:
    assert pairs(read(text)) == [("A", [("k", "v"), ("l", "w")])]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[A]\nk v\n", 2),
        ("[A]\n  k v\nl w\n", 3),
        ("[A]\n  k v\n\tl w\n", 3),
        ("[A]\n  k v\n   l w\n", 3),
        ("[A]\n    k v\n  \n", 3),
        ("[A]\n    k v\n  # low\n", 3),
        ("[A]\n  k\tv\n", 2),
        ("[A]\n  k v\0\n", 2),
        ("[A]\n  [g\n", 2),
        ("  [g] x\n", 1),
        ("@SET\n", 1),
    ],
)
def test_what_stops_the_engine_is_told_by_line(text: str, line: int) -> None:
    with pytest.raises(ClassicError) as raised:
        read(text)
    assert raised.value.line == line


def test_what_is_not_utf_8_is_told_by_line() -> None:
    with pytest.raises(ClassicError, match="main:2: byte 5 of the line is not UTF-8"):
        read_classic(SourceFile("main", b"[A]\n  k \xff\n"), lambda *_: ())


def test_groups_are_kept_with_their_sections() -> None:
    [section] = read("[INPUT]\n  Name x\n  [PROCESSOR] p\n    Key v\n  Tag t\n").sections
    assert [(group.name, [(one.key, one.value) for one in group.entries]) for group in section.groups] == [
        ("PROCESSOR", [("Key", "v")])
    ]
    assert section.last("tag") == "t"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SERVICE", SectionKind.SERVICE),
        ("out", SectionKind.OUTPUT),
        ("Inputs", SectionKind.INPUT),
        ("P", SectionKind.PARSER),
        ("PL", SectionKind.PLUGINS),
        ("STREAM_TASK", SectionKind.OTHER),
        ("OUTPUTX", SectionKind.OTHER),
    ],
)
def test_a_section_is_what_its_name_begins_as(name: str, kind: SectionKind) -> None:
    assert kind_of(name) is kind
