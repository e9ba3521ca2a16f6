"""The process dies at any AWS call while families, and what starts them, are written: the next ends in the same world.

One pass routes a family, puts the router back into another, takes it out of a third, and moves the rules and schedules
of a fourth; the passes after it move what follows from that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from controller.aws.accounts import AwsAccount
from controller.sandbox import Sandbox
from controller.taskdef import canonical
from controller.taskdef.body import register_form
from tests.behaviour.test_families import families_yaml, told
from tests.behaviour.test_schedules import REPOINT, add_rule, add_schedule, revision_of, rule, schedule
from tests.faults.test_crash_matrix import MOMENTS, memories
from tests.support.playground import ALL_AT_ONCE, OUTPUT, REGION, Playground, plain_definition
from tests.support.sites import Killed, Wire

FAMILIES = ("new", "bare", "leaving", "pinned")
PASSES = 3
"""The kill comes in any of them: rules follow in the pass after their family."""
SOME = 6
"""Kills that `make test` takes, spread over the passes."""


@contextmanager
def world(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Playground]:
    """Everything is prepared, and the first of the passes is about to begin in a new process."""
    folder.mkdir()
    with Sandbox(region=REGION) as sandbox:
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        (folder / "archive.yaml").write_text(OUTPUT)
        (folder / "class.yaml").write_text(ALL_AT_ONCE)
        play = Playground(sandbox, folder)
        for name in FAMILIES:
            arn = play.register(plain_definition(name))
            add_rule(play, f"rule-{name}", arn)
            add_schedule(play, f"schedule-{name}", arn)
        for name in ("bare", "leaving"):
            play.write(f"{name}.yaml", jobs(name, REPOINT))
        play.write("pinned.yaml", jobs("pinned"))
        play.settle()
        play.write("pinned.yaml", jobs("pinned", REPOINT))
        play.write("new.yaml", jobs("new", REPOINT))
        play.register(plain_definition("bare", image="httpd:2.4.65"))
        play.remove("leaving.yaml")
        play.start()
        yield play


def jobs(family: str, more: str = "") -> str:
    return families_yaml(f"[{family}]", more).replace("name: jobs", f"name: {family}")


def passes(play: Playground) -> int:
    """How many calls they make."""
    account = play.app.world.home_site.account
    assert isinstance(account, AwsAccount)
    wire = Wire(account)
    play.settle(times=PASSES)
    return len(wire.asked)


def ended(play: Playground) -> dict[str, Any]:
    play.settle(times=5)
    return {
        "latest": {name: _latest(play, name) for name in FAMILIES},
        "revisions": {name: play.revisions(name) for name in FAMILIES},
        "rules": {name: revision_of(rule(play, f"rule-{name}")) for name in FAMILIES},
        "schedules": {name: revision_of(schedule(play, f"schedule-{name}")) for name in FAMILIES},
        "configs": play.configs(),
        "memory": {key: _without_base(one) for key, one in memories(play).items()},
        "reasons": {name: told(play, name).get("reason", "") for name in FAMILIES},
    }


def killed(folder: Path, patch: pytest.MonkeyPatch, number: int, *, answered: bool) -> dict[str, Any] | None:
    """The end after a kill at that call; None where the passes have fewer."""
    with world(folder, patch) as play:
        account, died = play.app.world.home_site.account, False
        assert isinstance(account, AwsAccount)
        try:
            with Wire(account).cut(number, answered=answered):
                play.settle(times=PASSES)
        except Killed:
            died = True
        play.start()
        return ended(play) if died else None


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], int]]:
    """The end where nobody killed, and the number of calls until then."""
    with pytest.MonkeyPatch.context() as patch, world(tmp_path_factory.mktemp("calm") / "specs", patch) as play:
        number = passes(play)
        yield ended(play), number


def test_the_passes_meet_what_they_are_meant_to_meet(undisturbed: tuple[dict[str, Any], int]) -> None:
    end, number = undisturbed
    assert number > 60
    assert end["revisions"] == {"new": 2, "bare": 4, "leaving": 3, "pinned": 2}
    assert end["rules"] == {"new": "new:2", "bare": "bare:4", "leaving": "leaving:1", "pinned": "pinned:2"}
    assert end["schedules"] == end["rules"]
    assert end["reasons"] == {"new": "Unproven", "bare": "Unproven", "leaving": "", "pinned": "Unproven"}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("part", range(SOME))
def test_a_kill_leaves_what_the_next_process_finishes(
    undisturbed: tuple[dict[str, Any], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int, moment: str
) -> None:
    """Nothing is registered twice, and nothing that pins a revision is forgotten on the way or sent back wrong."""
    end, number = undisturbed
    at = 1 + part * (number - 1) // (SOME - 1)
    found = killed(tmp_path / "specs", monkeypatch, at, answered=MOMENTS[moment])
    assert found == end or (found is None and at > number - 3)


@pytest.mark.soak
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("tenth", range(10))
def test_a_kill_at_every_single_call_leaves_what_the_next_process_finishes(
    undisturbed: tuple[dict[str, Any], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tenth: int, moment: str
) -> None:
    end, number = undisturbed
    for at in range(1 + tenth, number + 1, 10):
        found = killed(tmp_path / f"specs-{at}", monkeypatch, at, answered=MOMENTS[moment])
        assert found == end or (found is None and at > number - 3), f"killed at call {at}"


def _without_base(memory: dict[str, Any]) -> dict[str, Any]:
    """Killed right after the register, nobody knows what the revision was made from; a family never goes back to it."""
    return {name: value for name, value in memory.items() if name != "base"}


def _latest(play: Playground, family: str) -> dict[str, Any]:
    return canonical.canonical(register_form(play.ecs.describe_task_definition(taskDefinition=family)))
