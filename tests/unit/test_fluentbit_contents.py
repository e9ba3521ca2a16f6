"""Values that a plugin reads further when it starts: what it cannot read, or reads as something else, is refused."""

from __future__ import annotations

from typing import Any

import pytest

from controller.fluentbit import splitting
from controller.fluentbit.accessors import accessor_error
from controller.fluentbit.catalogue import Kind
from controller.fluentbit.checks import check
from controller.fluentbit.engines import ENGINES

QUOTES = {"'", '"'}


def codes(kind: Kind, name: str, engine: str = "5.0.9", **options: Any) -> list[str]:
    return [finding.code for finding in check(kind, {"name": name, **options}, engine)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("name", "option", "value", "code"),
    [
        ("grep", "regex", "log (a", "INVALID_REGEX"),
        ("grep", "regex", "log", "INVALID_VALUE"),
        ("grep", "exclude", "日本 a", "INVALID_ACCESSOR"),
        ("grep", "exclude", "@timestamp a", "INVALID_ACCESSOR"),
        ("grep", "exclude", "$a['b a", "INVALID_ACCESSOR"),
        ("modify", "set", "k hello world", "INVALID_VALUE"),
        ("modify", "set", 'k "hello', "INVALID_VALUE"),
        ("modify", "add", "k it's", None),
        ("modify", "add", "k 'tis", "INVALID_VALUE"),
        ("modify", "add", "k hello(", "INVALID_REGEX"),
        ("modify", "add", 'k "hello world"', None),
        ("modify", "rename", "k", "INVALID_VALUE"),
        ("modify", "remove", "k w", "INVALID_VALUE"),
        ("modify", "remove_regex", "(", "INVALID_REGEX"),
        ("modify", "condition", "Key_exists k", None),
        ("modify", "condition", "Key_exists k w", "INVALID_VALUE"),
        ("modify", "condition", "Key_exist k", "INVALID_VALUE"),
        ("modify", "condition", "Key_value_matches k (", "INVALID_REGEX"),
        ("modify", "condition", "Key_value_equals k (", None),
        ("modify", "condition", 'Key_value_matches k ""', "INVALID_REGEX"),
        ("modify", "remove_regex", '""', "INVALID_REGEX"),
        ("modify", "condition", "A_key_matches [", "INVALID_REGEX"),
        ("modify", "condition", "Key_value_equals $a[ b", "INVALID_ACCESSOR"),
        ("rewrite_tag", "rule", "$log ^x new.$TAG[0] true", None),
        ("rewrite_tag", "rule", '$log "^x y" new false', None),
        ("rewrite_tag", "rule", '$log "^x y new false', "INVALID_VALUE"),
        ("rewrite_tag", "rule", "$log ^x new", "INVALID_VALUE"),
        ("rewrite_tag", "rule", "$log ^x new maybe", "INVALID_VALUE"),
        ("rewrite_tag", "rule", "$log ( new true", "INVALID_REGEX"),
        ("rewrite_tag", "rule", "$ ^x new true", "INVALID_ACCESSOR"),
        ("rewrite_tag", "rule", "$log ^x new.$TAG[x] true", "INVALID_ACCESSOR"),
        ("record_modifier", "record", "k v", None),
        ("record_modifier", "record", 'k "v w"', None),
        ("record_modifier", "record", "k v w", "INVALID_VALUE"),
        ("record_modifier", "record", 'k "v', "INVALID_VALUE"),
    ],
)
def test_values_of_filters(name: str, option: str, value: str, code: str | None, engine: str) -> None:
    extra = {"uuid_key": "u"} if name == "record_modifier" and engine != "1.9.10" else {}
    found = codes("filters", name, engine, **{option: value}, **extra)
    assert found == ([code] if code else []) or (name == "modify" and engine == "1.9.10" and QUOTES & {*value})


def test_the_oldest_engine_knows_no_quotes_in_modify() -> None:
    assert codes("filters", "modify", "1.9.10", add='k "a b"') == ["INVALID_VALUE"]
    assert codes("filters", "modify", "1.9.10", add="k 'tis") == []
    assert codes("filters", "modify", "5.0.9", add='k "a b"') == []


def test_the_place_in_a_list_is_told() -> None:
    (finding,) = check("filters", {"name": "grep", "regex": ["log a", "log ("]}, "5.0.9")
    assert (finding.code, finding.path) == ("INVALID_REGEX", ("regex", 1))


@pytest.mark.parametrize("value", ["json", "yaml log", "Json"])
def test_decoders_need_a_name_and_a_field(value: str) -> None:
    section = {"name": "p", "format": "json", "decode_field_as": value}
    assert [finding.code for finding in check("parsers", section, "5.0.9")] == ["INVALID_VALUE"]


@pytest.mark.parametrize(
    "text", ["$log", "$a['b.c'][0]['d']", "x.$TAG", "$TAG[1].y", "$0.$1", "a$", "plain", "$a.b", "$k8s/x-y"]
)
def test_accessors_that_the_engine_reads(text: str) -> None:
    assert accessor_error(text) is None


@pytest.mark.parametrize("text", ["$", "$é", "$a[b]", "$a['b", "$a['b c']", "$@a", "$TAG[a]", "$a[01]", "$a[]", "$$a"])
def test_accessors_that_it_does_not(text: str) -> None:
    assert accessor_error(text)


@pytest.mark.parametrize(
    ("text", "plain", "quoted", "tokens"),
    [
        ("a b c d", ["a", "b", "c d"], ["a", "b", "c d"], ["a", "b", "c d"]),
        ("a  b", ["a", "b"], ["a", "b"], ["a", "b"]),
        ('a "b c"', ["a", '"b', 'c"'], ["a", "b c"], ["a", "b c"]),
        ("a 'b c'", ["a", "'b", "c'"], ["a", "b c"], ["a", "'b", "c'"]),
        (r'a "b\"c"', ["a", r'"b\"c"'], ["a", 'b"c'], ["a", 'b"c']),
        ('a "b', ["a", '"b'], None, None),
        ('a b"c', ["a", 'b"c'], ["a", 'b"c'], ["a", 'b"c']),
        ('""', ['""'], [""], [""]),
        ('"a"b', ['"a"b'], ["a", "b"], ["a", "b"]),
    ],
)
def test_words_are_split_as_the_engine_does(text: str, plain: list[str], quoted: Any, tokens: Any) -> None:
    assert (splitting.plain(text, 2), splitting.quoted(text, 2), splitting.tokens(text, 2)) == (plain, quoted, tokens)
