"""A ledger is a dict that two writers share: whatever they do, nothing is lost and nobody sees what never was."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.aws.ports import AwsError, Unreachable
from controller.state.ledger import Ledger
from tests.support.aws import MemoryStore
from tests.support.records import Thing, keys_in, things

KEYS = [key for shard in "ab" for key, _ in zip(keys_in(shard), range(3), strict=False)]
changes = st.dictionaries(
    st.sampled_from(KEYS), st.one_of(st.none(), st.builds(Thing, st.sampled_from("xyz"))), min_size=1, max_size=3
)
steps = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.one_of(st.just("refresh"), st.just("restart"), changes)), max_size=30
)
fates = st.lists(st.sampled_from(["fine", "fine", "fails", "lost"]), max_size=30)


def changed(model: dict[str, Thing], update: Mapping[str, Thing | None]) -> dict[str, Thing]:
    return {key: record for key, record in {**model, **update}.items() if record is not None}


@given(steps)
def test_a_ledger_is_a_dict_beside_a_second_writer(asked: list[tuple[int, str | dict[str, Thing | None]]]) -> None:
    """An update counts for what it changes in the eyes of its writer: what it knows to be so it does not write."""
    store = MemoryStore()
    ledgers = [things(store), things(store)]
    model: dict[str, Thing] = {}
    for who, what in asked:
        if what == "restart":
            ledgers[who] = things(store)
        elif isinstance(what, str):
            ledgers[who].refresh(store.etags())
        else:
            ledgers[who].refresh(store.etags())
            ledgers[who].update(what)
            model = changed(model, what)
            assert dict(ledgers[who].items()) == model
        assert dict(things(store).items()) == model
    for ledger in ledgers:
        ledger.refresh(store.etags())
        assert dict(ledger.items()) == model
        assert not any(map(ledger.unknown, KEYS))


@given(steps)
def test_a_stale_writer_harms_no_other_record(asked: list[tuple[int, str | dict[str, Thing | None]]]) -> None:
    """Without refreshing: each record is what one of the writers wrote there last."""
    store = MemoryStore()
    ledgers = [things(store), things(store)]
    last: dict[str, set[Thing | None]] = {key: {None} for key in KEYS}
    for who, what in asked:
        if isinstance(what, str):
            continue
        before = {key: ledgers[who].get(key) for key in what}
        ledgers[who].update(what)
        for key, record in what.items():
            last[key] = last[key] | {record} if before[key] == record else {record}
    found = dict(things(store).items())
    assert all(found.get(key) in last[key] for key in KEYS)


@settings(max_examples=50)
@given(steps, fates)
def test_memory_is_never_ahead_of_s3(asked: list[tuple[int, str | dict[str, Thing | None]]], fate: list[str]) -> None:
    """With writes that fail, and writes that happen although their answer is lost."""
    store = _Moody(fate)
    ledgers = [things(store), things(store)]
    seen: dict[str, set[Thing | None]] = {key: {None} for key in KEYS}
    for who, what in asked:
        if isinstance(what, str):
            continue
        with suppress(AwsError):
            ledgers[who].update(what)
        for key, record in things(store.calm()).items():
            seen[key].add(record)
        for key in KEYS:
            assert ledgers[who].get(key) in seen[key]
    _agree_in_the_end(ledgers, store.calm())


def _agree_in_the_end(ledgers: list[Ledger[Thing]], store: MemoryStore) -> None:
    for ledger in ledgers:
        ledger.refresh(store.etags())
        assert dict(ledger.items()) == dict(things(store).items())


class _Moody(MemoryStore):
    """Each write has a fate."""

    def __init__(self, fates: list[str]) -> None:
        super().__init__()
        self._fates = list(fates)

    def force(self, key: str, body: bytes) -> str:
        fate = self._fates.pop(0) if self._fates else "fine"
        if fate == "fails":
            raise Unreachable("s3:PutObject", key, "Timeout", "it never arrived")
        etag = super().force(key, body)
        if fate == "lost":
            raise Unreachable("s3:PutObject", key, "Timeout", "its answer was lost")
        return etag

    def calm(self) -> MemoryStore:
        """The same objects, without moods."""
        same = MemoryStore(self.bucket)
        same.objects = self.objects
        return same
