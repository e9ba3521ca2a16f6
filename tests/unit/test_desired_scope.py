"""Whose records a filter or output sees, as patterns that are tried on tags here as Fluent Bit tries them."""

from __future__ import annotations

import re

import pytest

from controller.desired.scope import Claim, Scope, scopes

TASK = "3de392df6bfa470b97edaa6f482cd7a0"
APP, WEB = f"app-firelens-{TASK}", f"web-firelens-{TASK}"


def sees(entry: tuple[str, str], tag: str) -> bool:
    key, pattern = entry
    if key == "match_regex":
        return re.search(pattern, tag) is not None
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), tag) is not None


def scope(route: str = "web.a", **known: tuple[str, ...] | bool) -> Scope:
    fields = {"originals": (), "copied": (), "inputs": (), "emitted": (), "alone": False, **known}
    return Scope(route, **fields)  # type: ignore[arg-type]


def test_a_route_alone_sees_every_container_and_no_health_checks() -> None:
    entry = scope(originals=("app",), alone=True).everything()
    assert sees(entry, APP)
    assert not sees(entry, "firelens-healthcheck")


def test_a_route_alone_sees_its_own_inputs_too() -> None:
    entry = scope(originals=("app",), inputs=("emf",), alone=True).everything()
    assert sees(entry, APP)
    assert sees(entry, "emf")
    assert not sees(entry, "emf2")
    assert not sees(entry, "firelens-healthcheck")


def test_a_route_among_others_sees_its_containers_and_no_copies() -> None:
    entry = scope(originals=("app",)).everything()
    assert sees(entry, APP)
    assert not sees(entry, WEB)
    assert not sees(entry, f"{APP}.web.b")


def test_a_route_on_copies_sees_its_own_copies_alone() -> None:
    entry = scope(copied=("app",)).everything()
    assert sees(entry, f"{APP}.web.a")
    assert not sees(entry, APP)
    assert not sees(entry, f"{APP}.web.b")
    assert not sees(entry, f"{WEB}.web.a")


@pytest.mark.parametrize("alone", [True, False])
def test_a_users_pattern_narrows_and_never_widens(alone: bool) -> None:
    found = scope(originals=("app", "web"), alone=alone)
    entry = found.matching("we*", None)
    assert sees(entry, WEB)
    assert not sees(entry, APP)
    assert not sees(found.matching("fire*", None), "firelens-healthcheck")


def test_a_users_pattern_holds_for_a_copy_as_for_the_original() -> None:
    entry = scope(copied=("app", "web")).matching("app-firelens-*", None)
    assert sees(entry, f"{APP}.web.a")
    assert not sees(entry, f"{WEB}.web.a")
    exact = scope(copied=("app",)).matching(APP, None)
    assert sees(exact, f"{APP}.web.a")


def test_a_users_regex_is_tried_from_the_start_of_the_tag() -> None:
    entry = scope(copied=("app", "web")).matching(None, "^w[a-z]b-")
    assert sees(entry, f"{WEB}.web.a")
    assert not sees(entry, f"{APP}.web.a")
    assert not sees(entry, f"{WEB}.web.b")


def test_copies_are_made_only_where_a_filter_would_change_a_neighbours_records() -> None:
    claims = {"a": Claim(("app", "web"), filters=True), "b": Claim(("app",)), "c": Claim(("job",), filters=True)}
    found = scopes(claims)
    assert (found["a"].originals, found["a"].copied) == (("web",), ("app",))
    assert (found["b"].originals, found["b"].copied) == (("app",), ())
    assert (found["c"].originals, found["c"].copied) == (("job",), ())


def test_a_copy_is_never_copied_again() -> None:
    source = scope(copied=("app",)).copy_source()
    assert re.search(source, APP)
    assert not re.search(source, f"{APP}.web.a")


def test_dots_in_names_are_dots() -> None:
    assert not sees(scope(copied=("app",)).everything(), f"{APP}.webxa")
