"""What no changed spec explains waits for a person, beyond a share and a count."""

from __future__ import annotations

import re
from typing import Any

import pytest

from controller.aws.ecs import BotoEcs
from controller.aws.ports import AccessDenied
from controller.cli import converge
from controller.cli.main import main
from controller.settings import Guards
from tests.support.commands import commands
from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml

NAMES = [f"example-{number}" for number in range(5)]
BATCHES = 12
"""Passes until all have gone, one after the other: restores know no rollout settings any more."""
EVERYTHING = route_yaml("all", services='["*"]')


def fleet(play: Playground) -> None:
    for name in NAMES:
        play.service(name)
    play.write("all.yaml", EVERYTHING)
    play.settle()
    assert all(map(play.is_routed, NAMES))


def approve(play: Playground, monkeypatch: pytest.MonkeyPatch, digest: str) -> int:
    monkeypatch.setenv("LOGROUTE_CONFIG_STORE", str(play.settings.config_store))
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setattr("controller.cli.approve.time.time", play.sandbox.clock.now)
    with pytest.raises(SystemExit) as ended:
        main(["approve", digest])
    return int(ended.value.code or 0)


def blocked(play: Playground) -> str:
    """The digest of the plan that waits, as the status tells it."""
    messages = {row["message"] for row in play.controller.board.plain()["services"].values()}
    (digest,) = {found[1] for text in messages if (found := re.search(r"logroute approve (\w+)", text))}
    return digest


def test_a_first_rollout_of_many_services_is_explained_by_its_spec(play: Playground) -> None:
    fleet(play)


def test_many_restores_at_once_wait_for_approval(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(play)
    play.remove("all.yaml")
    play.settle()
    assert all(map(play.is_routed, NAMES))
    assert {play.reason(name) for name in NAMES} == {"PlanBlocked"}
    assert approve(play, monkeypatch, blocked(play)[:12]) == 0
    play.settle(times=BATCHES)
    assert not any(map(play.is_routed, NAMES))


def test_a_few_restores_go_on_without_asking(play: Playground) -> None:
    fleet(play)
    play.write("all.yaml", route_yaml("all", services='["*", "!example-1", "!example-2"]'))
    play.settle()
    assert [play.is_routed(name) for name in NAMES] == [True, False, False, True, True]


def test_an_empty_source_restores_nothing_however_few_they_are(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    for path in play.specs.iterdir():
        path.unlink()
    play.settle()
    assert play.is_routed()
    assert play.reason() == "PlanBlocked"


def test_drift_on_many_services_at_once_waits(play: Playground) -> None:
    fleet(play)
    for name in NAMES:
        play.deploy(plain_definition(name, image="httpd:2.4.65"), name)
    play.settle()
    assert not any(map(play.is_routed, NAMES))
    assert {play.reason(name) for name in NAMES} == {"PlanBlocked"}


def test_an_approval_covers_any_part_of_its_plan_and_nothing_else(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet(play)
    play.remove("all.yaml")
    play.settle(times=1)
    approve(play, monkeypatch, blocked(play))
    play.write("all.yaml", route_yaml("all", services="[example-0]"))
    play.settle(times=BATCHES)
    assert [play.is_routed(name) for name in NAMES] == [True, False, False, False, False]


def test_a_plan_that_grew_since_its_approval_waits_for_what_is_new(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little that is: with what was approved it is more than the guard allows."""
    play.service("late")
    fleet(play)
    play.write("all.yaml", route_yaml("all", services="[late]"))
    play.settle(times=1)
    approve(play, monkeypatch, blocked(play))
    play.remove("all.yaml")
    play.step()
    assert play.reason("late") == "PlanBlocked"
    play.settle(times=BATCHES)
    assert not any(map(play.is_routed, NAMES))


def test_an_approval_is_used_up(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same mishap a second time is another one, and waits again."""
    fleet(play)
    play.remove("all.yaml")
    play.settle(times=1)
    approve(play, monkeypatch, blocked(play))
    play.settle(times=BATCHES)
    assert not any(map(play.is_routed, NAMES))
    play.write("all.yaml", EVERYTHING)
    play.settle()
    assert all(map(play.is_routed, NAMES))
    play.remove("all.yaml")
    play.settle()
    assert all(map(play.is_routed, NAMES))
    assert {play.reason(name) for name in NAMES} == {"PlanBlocked"}


def test_an_approval_outlives_a_pass_that_could_not_look(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(play)
    play.remove("all.yaml")
    play.settle(times=1)
    approve(play, monkeypatch, blocked(play))
    with monkeypatch.context() as patch:
        patch.setattr(BotoEcs, "list_services", _denied)
        play.step()
    play.settle(times=BATCHES)
    assert not any(map(play.is_routed, NAMES))


def _denied(*_: Any) -> None:
    raise AccessDenied("ecs:ListServices", CLUSTER, "AccessDeniedException", "no")


def test_what_is_blocked_no_more_can_no_longer_be_approved(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A digest in a shell's history opens no door next week."""
    fleet(play)
    play.remove("all.yaml")
    play.settle(times=1)
    digest = blocked(play)
    play.write("all.yaml", EVERYTHING)
    play.settle(times=1)
    assert approve(play, monkeypatch, digest) == 1


def test_apply_is_guarded_as_the_controller_is(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(play)
    play.remove("all.yaml")
    monkeypatch.setattr(converge, "pause", lambda _seconds: play.sandbox.advance(60))
    logroute = commands(play, monkeypatch)
    assert logroute("apply") == 3
    assert all(map(play.is_routed, NAMES))
    play.settle(times=1)
    assert logroute("approve", blocked(play)) == 0
    assert logroute("apply") == 0
    assert not any(map(play.is_routed, NAMES))


def test_a_plan_s_digest_is_that_which_approve_takes(
    play: Playground, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No controller wrote it down: the command looks at the world itself."""
    fleet(play)
    play.remove("all.yaml")
    logroute = commands(play, monkeypatch)
    logroute("plan")
    found = re.search(r"logroute approve (\w+)", capsys.readouterr().out)
    assert found
    assert logroute("approve", found[1]) == 0
    play.settle(times=BATCHES)
    assert not any(map(play.is_routed, NAMES))


def test_a_changed_spec_is_no_matter_for_the_guards(play: Playground) -> None:
    fleet(play)
    play.write("all.yaml", EVERYTHING.replace("stdout", "stdout, format: json_lines"))
    revisions = [play.revisions(name) for name in NAMES]
    play.settle(times=BATCHES)
    assert [play.revisions(name) for name in NAMES] == [count + 1 for count in revisions]


def test_a_changed_class_is_no_matter_for_the_guards(play: Playground) -> None:
    fleet(play)
    play.write(
        "class.yaml",
        "apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\nmetadata: {name: default}\n"
        "spec: {service: {flush: 2}}\n",
    )
    revisions = [play.revisions(name) for name in NAMES]
    play.settle(times=BATCHES)
    assert [play.revisions(name) for name in NAMES] == [count + 1 for count in revisions]


def test_an_approval_ends_after_a_day(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(play)
    play.remove("all.yaml")
    play.settle(times=1)
    approve(play, monkeypatch, blocked(play))
    play.sandbox.advance(25 * 3600)
    play.settle()
    assert all(map(play.is_routed, NAMES))


def test_a_digest_that_names_nothing_is_an_error(
    play: Playground, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert approve(play, monkeypatch, "0123456789ab") == 1
    assert "no blocked plan" in capsys.readouterr().err
    assert approve(play, monkeypatch, "../../x") == 1


def test_a_first_run_may_be_told_to_plan_first(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    play.settings = play.settings.model_copy(update={"guards": Guards.model_validate({"firstRun": "plan"})})
    play.start()
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert not play.is_routed()
    approve(play, monkeypatch, blocked(play))
    play.settle()
    assert play.is_routed()
    play.service("late")
    play.write("late.yaml", route_yaml("late", services="[late]"))
    play.settle()
    assert play.is_routed("late"), "the first run is over"


def test_what_a_first_run_did_not_show_waits_although_the_rest_was_approved(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    play.settings = play.settings.model_copy(update={"guards": Guards.model_validate({"firstRun": "plan"})})
    play.start()
    for name in ("example", "late"):
        play.service(name)
    play.write("httpd.yaml", route_yaml())
    play.settle()
    approve(play, monkeypatch, blocked(play))
    play.write("late.yaml", route_yaml("late", services="[late]"))
    play.settle()
    assert (play.is_routed(), play.is_routed("late")) == (True, False)


def test_a_first_run_of_which_the_state_is_broken_still_waits(play: Playground) -> None:
    play.settings = play.settings.model_copy(update={"guards": Guards.model_validate({"firstRun": "plan"})})
    play.start()
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    for key in play.objects():
        if key.startswith("_state/notes"):
            play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/{key}", Body=b"{")
    play.start()
    play.settle()
    assert not play.is_routed()
