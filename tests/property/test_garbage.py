"""Whatever is named when, nothing goes before its grace, and what goes can come back until its second copy goes."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.planning.garbage import DAY, Mark, judge, superseded
from controller.planning.known import Known, Numbers, digests_in, parsed

GRACE = 30 * DAY
DIGESTS = [hashlib.sha256(name).hexdigest() for name in (b"a", b"b", b"c")]
numbers = st.lists(st.integers(1, 60), max_size=30)
revisions = st.dictionaries(st.integers(1, 30), st.frozensets(st.sampled_from(DIGESTS)), max_size=12)
sweeps = st.lists(st.tuples(st.floats(0, 20), st.frozensets(st.sampled_from(DIGESTS))), max_size=25)


def set_of(some: list[int]) -> Numbers:
    found = Numbers()
    for number in some:
        found = found.with_(number)
    return found


@given(numbers)
def test_a_set_of_numbers_holds_these_and_no_other(some: list[int]) -> None:
    found = set_of(some)
    assert list(found) == sorted(set(some))
    assert [number in found for number in range(62)] == [number in some for number in range(62)]
    assert Numbers.from_plain(orjson.loads(orjson.dumps(found.spans))) == found
    assert all(one[1] + 1 < other[0] for one, other in zip(found.spans, found.spans[1:], strict=False))


@given(revisions)
def test_what_is_known_of_bodies_survives_the_way_through_json(bodies: dict[int, frozenset[str]]) -> None:
    known = Known()
    for number, digests in bodies.items():
        known = known.learn(number, digests, ours=number % 2 == 0)
    back = Known.from_plain(orjson.loads(orjson.dumps(known.as_plain())))
    assert back == known
    assert {number: frozenset(back.digests(number)) for number in back.seen} == bodies
    assert list(back.ours) == sorted(number for number in bodies if number % 2 == 0)


@pytest.mark.parametrize(
    "junk", [{}, {"seen": [[3, 1]], "naming": {}, "ours": []}, {"seen": [1], "naming": {}, "ours": []}, {"seen": "x"}]
)
def test_what_is_no_record_is_refused(junk: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError, KeyError)):
        Known.from_plain(junk)


@given(sweeps)
def test_nothing_goes_before_its_grace(history: list[tuple[float, frozenset[str]]]) -> None:
    """A world of three configs, and sweeps that carry out what is judged."""
    objects = {path for digest in DIGESTS for path in (f"{digest}/pipeline.conf", f"_state/configs/{digest}")}
    marks: dict[str, Mark] = {}
    free = dict.fromkeys(DIGESTS, 0.0)
    now = 1e9
    for wait, named in history:
        now += wait * DAY
        verdict = judge(objects, named, marks, now, GRACE)
        marks = {key: mark for key, mark in {**marks, **verdict.marks}.items() if mark}
        objects |= set(verdict.back)
        for digest in DIGESTS:
            free[digest] = 0.0 if digest in named else free[digest] or now
        for one in verdict.due:
            assert one.digest not in named
            copy = one.paths[0].startswith("_state/")
            assert now - free[one.digest] >= (2 if copy else 1) * GRACE
            objects -= set(one.paths)
            after = one.after(now)
            marks = {key: mark for key, mark in {**marks, one.digest: after}.items() if mark}
        for digest in named:
            assert (f"{digest}/pipeline.conf" in objects) == (f"_state/configs/{digest}" in objects)


@given(st.floats(0, 2e9), st.floats(0, 2e9))
def test_a_clock_that_goes_back_deletes_nothing(since: float, now: float) -> None:
    verdict = judge([f"{DIGESTS[0]}/pipeline.conf"], frozenset(), {DIGESTS[0]: Mark(since)}, now, GRACE)
    assert bool(verdict.due) == (now - since >= GRACE)


@given(st.sampled_from(["_state/status.json", "_state/routes/0.json", "readme.txt", f"{DIGESTS[0]}/other.conf"]))
def test_what_is_no_config_is_never_judged(path: str) -> None:
    assert judge([path], frozenset(), {}, 1e9, GRACE) == judge([], frozenset(), {}, 1e9, GRACE)


@given(st.frozensets(st.integers(1, 50)), st.frozensets(st.integers(1, 50)), st.integers(1, 12))
def test_the_last_and_the_used_are_never_superseded(ours: frozenset[int], used: frozenset[int], keep: int) -> None:
    going = superseded(ours, used, keep)
    assert not used & set(going)
    assert set(going) <= ours
    assert len([number for number in ours if number > max(going, default=100)]) >= (keep if going else 0)


@given(
    st.recursive(st.just(f"arn:aws:s3:::configs/x/{DIGESTS[0]}/parsers.conf"), lambda one: st.lists(one, min_size=1))
)
def test_a_config_counts_as_named_wherever_it_stands(value: Any) -> None:
    assert digests_in({"containerDefinitions": [{"name": "app", "environment": value}]}) == {DIGESTS[0]}


def test_an_arn_without_a_revision_is_none_of_a_revision() -> None:
    assert parsed("arn:aws:ecs:ap-northeast-1:123456789012:task-definition/example:12") == ("example", 12)
    with pytest.raises(ValueError, match="invalid literal"):
        parsed("example")
