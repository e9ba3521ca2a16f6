"""Tags as globs: what rewrite_tag makes of them, and which patterns can mean the same tag."""

from __future__ import annotations

import fnmatch
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.fluentbit.flow import can_meet, emitted, glob_of, in_company, new_tag
from controller.fluentbit.splitting import joined, tokens

GLOBS = st.text("ab*", max_size=6)


@pytest.mark.parametrize(
    ("template", "glob"),
    [
        ("errors", "errors"),
        ("$TAG.copy", "*.copy"),
        ("$TAG[0].$log['level']['x'].z", "*.*.z"),
        ("${ECS_CLUSTER}.$level", "*.*"),
    ],
)
def test_what_a_record_puts_into_a_tag_is_not_known_before(template: str, glob: str) -> None:
    assert glob_of(template) == glob


def test_the_new_tags_of_all_rules_are_found() -> None:
    rewriting = {"name": "rewrite_tag", "rule": ["$log ^ERROR errors false", '$log "a b" "other" true']}
    assert emitted([rewriting, {"name": "grep", "regex": "log x"}]) == ("errors", "other")
    assert new_tag("$log only") is None


WORDS = st.lists(
    st.text('ab" $', min_size=1, max_size=5).filter(lambda word: word.strip(" ") == word), min_size=4, max_size=4
)


@given(WORDS)
def test_words_joined_split_into_the_same_words(words: list[str]) -> None:
    assert tokens(joined(words), len(words)) == words


def test_in_company_each_new_tag_ends_in_its_route() -> None:
    rewriting = {"name": "rewrite_tag", "rule": ['$log "a \\" b" errors.$TAG true']}
    assert in_company(rewriting, "web.a")["rule"] == ['$log "a \\" b" errors.$TAG.web.a true']


@given(GLOBS, GLOBS, st.text("ab", max_size=5))
def test_globs_that_match_one_tag_meet(one: str, other: str, tag: str) -> None:
    if fnmatch.fnmatchcase(tag, one) and fnmatch.fnmatchcase(tag, other):
        assert can_meet(one, other)
    assert can_meet(one, other) == can_meet(other, one)


@given(st.text("ab", max_size=5), GLOBS)
def test_a_tag_meets_exactly_the_globs_that_match_it(tag: str, glob: str) -> None:
    assert can_meet(tag, glob) == fnmatch.fnmatchcase(tag, glob)


SHORT = st.text("ab*", max_size=4)


@given(SHORT, SHORT)
def test_globs_that_meet_share_a_tag(one: str, other: str) -> None:
    """Seen by trying: what two globs of at most four characters share at all, they share in eight."""
    tags = ("".join(tag) for size in range(9) for tag in itertools.product("ab", repeat=size))
    shared = any(fnmatch.fnmatchcase(tag, one) and fnmatch.fnmatchcase(tag, other) for tag in tags)
    assert can_meet(one, other) == shared
