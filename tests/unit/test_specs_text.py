"""Files as bytes and as YAML: what can be wrong before any model is asked, each with its place."""

from __future__ import annotations

import subprocess
import sys

import pytest

from controller.api.problems import Severity
from controller.specs.text import MAX_FILE_BYTES, MAX_FILES
from tests.unit.specs_support import HEAD, codes, one, read, route, told


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n---\n", "\n\n"])
def test_a_file_without_documents_is_a_warning(text: str) -> None:
    found = read(text)
    assert told(found) == [("EMPTY_FILE", "0.yaml", 1, 1)]
    assert found.problems[0].severity is Severity.WARNING
    assert not found.unreadable


def test_a_file_over_one_mebibyte_is_not_parsed() -> None:
    found = read(b"#" * (MAX_FILE_BYTES + 1))
    assert told(found) == [("FILE_TOO_LARGE", "0.yaml", 0, 0)]
    assert found.unreadable == {"0.yaml"}


def test_too_many_files_read_as_nothing_and_lose_nothing() -> None:
    found = read(**{f"f{number}": route() for number in range(MAX_FILES + 1)})
    assert [problem.code for problem in found.problems] == ["TOO_MANY_FILES"]
    assert not found.routes
    assert len(found.unreadable) == MAX_FILES + 1


def test_bytes_that_are_no_utf8_are_told_by_line_and_offset() -> None:
    found = read(b"a: 1\nb: \xff\n")
    assert told(found) == [("NOT_UTF8", "0.yaml", 2, 4)]
    assert "offset 8" in found.problems[0].message


def test_utf16_is_named() -> None:
    found = read(route().encode("utf-16"))
    assert told(found) == [("NOT_UTF8", "0.yaml", 1, 1)]
    assert "UTF-16" in found.problems[0].message


def test_a_byte_order_mark_is_a_warning_and_the_file_counts() -> None:
    found = read(b"\xef\xbb\xbf" + route().encode())
    assert told(found) == [("BYTE_ORDER_MARK", "0.yaml", 1, 1)]
    assert [one.key for one in found.routes] == ["web/httpd"]


def test_a_control_character_has_a_place() -> None:
    assert told(read("a: 1\nbb: x\x07y\n")) == [("CONTROL_CHARACTER", "0.yaml", 2, 6)]
    assert told(read("ä: 1\nbb: x\x84y\n")) == [("CONTROL_CHARACTER", "0.yaml", 2, 6)]


def test_a_tab_as_indent_is_called_a_tab() -> None:
    found = read("spec:\n\ta: 1\n")
    assert told(found) == [("TAB_INDENT", "0.yaml", 2, 1)]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: b: c\n", 1, 5),
        ("a: [1, 2\nb: 3\n", 2, 2),
        ("a: 'x\nb: 3\n", 3, 1),
        ("a: @x\n", 1, 4),
        ("a: *gone\n", 1, 4),
        ("a:\n  - b\n c: d\n", 3, 2),
    ],
)
def test_broken_yaml_has_a_place(text: str, line: int, column: int) -> None:
    found = read(text)
    assert told(found) == [("YAML_SYNTAX", "0.yaml", line, column)]
    assert found.unreadable == {"0.yaml"}


def test_several_documents_in_a_file_are_all_read() -> None:
    found = read(route("a") + "---\n---\n" + route("b") + "...\n---\n" + route("c"))
    assert [one.key for one in found.routes] == ["web/a", "web/b", "web/c"]
    assert not found.problems


def test_a_broken_document_leaves_those_around_it_valid() -> None:
    text = route("a") + "---\nbroken: [\n---\n" + route("b") + "---\nx: 'y\n---\n" + route("c")
    found = read(text)
    assert [one.key for one in found.routes] == ["web/a", "web/b", "web/c"]
    assert [problem.code for problem in found.problems] == ["YAML_SYNTAX", "YAML_SYNTAX"]
    assert found.unreadable == {"0.yaml"}


def test_lines_count_from_the_top_of_the_file_after_a_broken_document() -> None:
    text = "a: [\n---\n" + route("b", outputs="[{name: stdot}]")
    line = text.splitlines().index("    outputs: [{name: stdot}]") + 1
    assert told(read(text))[-1] == ("UNKNOWN_PLUGIN", "0.yaml", line, 22)


@pytest.mark.parametrize("text", ["- a\n", "just words\n", "null\n"])
def test_a_document_that_is_no_mapping_makes_its_file_unreadable(text: str) -> None:
    found = read(text)
    assert [problem.code for problem in found.problems] in (["NOT_A_MAPPING"], ["NULL_VALUE"])
    assert found.unreadable == {"0.yaml"}


def test_a_key_given_twice_names_both_places() -> None:
    found = read(route(spec="mode: warn\nmode: enforce"))
    assert told(found) == [("DUPLICATE_KEY", "0.yaml", 7, 3)]
    assert "6:3" in found.problems[0].message
    assert found.invalid == {"web/httpd"}


def test_the_merge_key_is_a_key_like_any_other() -> None:
    found = read(route(spec="<<: {mode: warn}"))
    assert told(found) == [("UNKNOWN_KEY", "0.yaml", 6, 3)]
    assert "merge" in found.problems[0].message


@pytest.mark.parametrize("tag", ["!Ref", "!!python/object:os.system", "!!binary", "!!set"])
def test_tags_of_other_programs_are_refused(tag: str) -> None:
    assert "UNSUPPORTED_TAG" in codes(route(spec=f"mode: {tag} warn"))


def test_core_tags_change_nothing() -> None:
    assert one(route(spec="priority: !!int 5\nmode: !!str warn")).document.spec.priority == 5


@pytest.mark.parametrize("null", ["", "~", "null", "Null", "NULL", "!!null ''"])
def test_null_is_an_error_where_it_stands(null: str) -> None:
    found = read(route(spec=f"mode: {null}"))
    assert [problem.code for problem in found.problems] == ["NULL_VALUE"]
    assert found.problems[0].line == 6


def test_quoted_nulls_are_text() -> None:
    assert one(route(outputs='[{name: stdout, alias: "null"}]')).outputs[0]["alias"] == "null"


def test_keys_must_be_text() -> None:
    assert "KEY_NOT_TEXT" in codes(HEAD + "? [a, b]\n: c\n")


def test_aliases_are_followed() -> None:
    text = route(outputs="[&o {name: stdout}, *o]")
    assert [output["alias"] for output in one(text).outputs] == ["stdout", "stdout.2"]


def test_an_alias_bomb_is_refused_unexpanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    assert codes("\n".join(lines)) == ["ALIAS_BOMB"]


def test_an_alias_of_what_holds_it_is_refused() -> None:
    assert codes("a: &a {b: [*a]}") == ["RECURSIVE_ALIAS"]


def test_a_document_deeper_than_a_hundred_is_refused() -> None:
    assert codes("a: " + "[" * 150 + "]" * 150) == ["TOO_DEEP"]


@pytest.mark.parametrize("unit", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_a_mebibyte_of_nesting_does_not_kill_the_process(unit: str) -> None:
    """In a process of its own: what libyaml does on it unguarded is a segmentation fault."""
    program = (
        "from controller.specs.load import load\n"
        f"content = ({unit!r} * 1048576)[:1048576].encode()\n"
        "found = load('r', {'a.yaml': content})\n"
        "print([problem.code for problem in found.problems])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "['TOO_DEEP']"), done.stderr


def test_nesting_after_a_broken_document_is_measured_too() -> None:
    text = "a: 'x\n---\nb: " + "[" * 100_000
    assert "TOO_DEEP" in codes(text)


def test_a_file_of_problems_is_cut_short() -> None:
    found = read("a: 1\n" * 50_000)
    assert len(found.problems) == 101
    assert any(problem.code == "TOO_MANY_PROBLEMS" for problem in found.problems)
