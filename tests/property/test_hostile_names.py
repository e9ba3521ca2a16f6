"""Names of containers are the application team's; they stand in the config's match lines."""

from __future__ import annotations

import re
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.desired.scope import Claim, Scope, scopes
from controller.fluentbit.reader import from_classic
from controller.fluentbit.tree import Config, Section
from controller.fluentbit.writer import to_classic

ECS = st.one_of(st.text("abcdefXYZ0189_-", min_size=1, max_size=20), st.just("a-firelens-b"))
ODD = st.one_of(ECS, st.sampled_from([".*", "a|b", "a", "a-firelens", "[a-z]+", "(a)?.+"]))
ANY = st.one_of(
    ECS, st.text(min_size=1, max_size=20), st.sampled_from([".*", "a|b", "a\n[OUTPUT]", "${HOME}", "(", "a b"])
)
MANY = settings(max_examples=500, deadline=None)


def scope_of(name: str, other: str) -> Scope:
    return scopes({"web.one": Claim((name,)), "web.two": Claim((other,))})["web.one"]


@MANY
@given(ANY, ANY)
def test_the_name_of_a_container_is_one_value_of_one_line_or_is_not_written(name: str, other: str) -> None:
    match = scope_of(name, other).matching(None, None)
    config = Config((Section("OUTPUT", (("name", "stdout"), match)),))
    with suppress(ValueError):  # a name that no container of ECS can have
        written = to_classic(config)
        assert from_classic(written) == config
        assert len(written.decode().splitlines()) == 3


@MANY
@given(ODD, ECS)
def test_a_container_s_name_matches_its_own_records_alone(name: str, other: str) -> None:
    key, pattern = scope_of(name, other).matching(None, None)
    assert key == "match_regex"
    assert re.match(pattern, f"{name}-firelens-0123456789abcdef")
    assert name == other or not re.match(pattern, f"{other}-firelens-0123456789abcdef")
