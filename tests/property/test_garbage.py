"""What may go is never what is named, what is kept for another time, or what is none of ours."""

from __future__ import annotations

import hashlib

import orjson
from hypothesis import given
from hypothesis import strategies as st

from controller.observed.usage import digests_in
from controller.planning import garbage
from controller.planning.garbage import Unused

DIGESTS = st.sampled_from([hashlib.sha256(bytes([number])).hexdigest() for number in range(6)])
KINDS = st.sampled_from(
    ["{}/pipeline.conf", "{}/parsers.conf", "_state/configs/{}", "_state/{}.json", "x/{}/pipeline.conf"]
)
PATHS = st.lists(st.builds(str.format, KINDS, DIGESTS), unique=True)
ARNS = st.builds("arn:aws:ecs:eu-west-1:1:task-definition/{}:{}".format, st.sampled_from("abc"), st.integers(1, 30))


@given(PATHS, st.sets(DIGESTS))
def test_only_config_objects_that_nobody_names_are_unused(paths: list[str], named: set[str]) -> None:
    found = list(garbage.unused(paths, named))
    assert set(found) <= set(paths)
    for path in found:
        assert garbage.digest_of(path) is not None
        assert garbage.digest_of(path) not in named
    objects = {garbage.digest_of(path) for path in found if not path.startswith("_state/")}
    copies = {garbage.digest_of(path) for path in found if path.startswith("_state/")}
    assert not objects & copies


@given(PATHS, st.integers(0, 100), st.integers(0, 100), st.integers(1, 50))
def test_nothing_is_due_before_it_was_unused_for_the_whole_grace(
    paths: list[str], first: int, later: int, grace: int
) -> None:
    begun = garbage.noted({}, paths, first)
    again = garbage.noted(begun, paths, first + later)
    assert again == begun
    assert garbage.due(again, first + later, grace) == (sorted(paths) if later >= grace else [])


@given(st.sets(ARNS), st.sets(ARNS), st.integers(1, 12))
def test_neither_what_is_needed_nor_the_latest_are_superseded(ours: set[str], needed: set[str], keep: int) -> None:
    found = garbage.superseded(ours, needed, keep)
    assert set(found) <= ours - needed
    for family in {arn.rpartition(":")[0] for arn in ours}:
        numbers = sorted(int(arn.rpartition(":")[2]) for arn in ours if arn.startswith(f"{family}:"))
        assert not {f"{family}:{number}" for number in numbers[-keep:]} & set(found)
        assert {f"{family}:{number}" for number in numbers[:-keep]} - needed <= set(found)


@given(st.sets(DIGESTS), st.text())
def test_a_digest_is_found_wherever_it_stands(digests: set[str], around: str) -> None:
    value = {"containerDefinitions": [{"environment": [{"value": f"{around}/{one}/pipeline.conf"} for one in digests]}]}
    assert digests <= digests_in(orjson.dumps(value))


@given(st.floats(0, 1e10))
def test_a_note_comes_back_as_it_was(since: float) -> None:
    assert Unused.from_plain(Unused(since).as_plain()) == Unused(since)
