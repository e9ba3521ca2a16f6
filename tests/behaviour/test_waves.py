"""A changed spec goes over its services in waves, and stops where one fails."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from controller.cli import converge, rollout
from tests.support.commands import Command, commands
from tests.support.playground import CLUSTER, REGION, ROLLOUT_SECONDS, Playground, plain_definition, route_yaml

NAMES = [f"web-{number}" for number in range(6)]
EVERYTHING = route_yaml("all", services='["*"]')
JSON_LINES = "[{name: stdout, format: json_lines}]"
OTHERWISE = route_yaml("all", services='["*"]', outputs=JSON_LINES)


@pytest.fixture
def logroute(play: Playground, monkeypatch: pytest.MonkeyPatch) -> Command:
    return commands(play, monkeypatch)


def settings(play: Playground, rollout: str) -> None:
    play.write(
        "class.yaml",
        "apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\nmetadata: {name: default}\n"
        f"spec:\n  rollout: {{{rollout}}}\n",
    )


def fleet(play: Playground, rollout: str, names: list[str] = NAMES) -> None:
    for name in names:
        play.service(name, definition=plain_definition(name))
    settings(play, rollout)
    play.write("all.yaml", EVERYTHING)


def routed(play: Playground, names: list[str] = NAMES) -> list[str]:
    return [name for name in names if play.is_routed(name)]


def changes(play: Playground) -> list[dict[str, Any]]:
    return play.controller.board.rollouts()


def soon(play: Playground) -> None:
    """Until a rollout has proven itself: workers alone, no pass."""
    for _ in range(12):
        play.sandbox.advance(15)
        play.clock.advance(15)
        play.drain()


def test_a_batch_begins_when_the_one_before_has_proven_itself(play: Playground) -> None:
    fleet(play, "batch: 2, maxParallel: 0")
    play.step()
    assert routed(play) == NAMES[:2]
    play.sandbox.advance(ROLLOUT_SECONDS / 2)
    play.step()
    assert routed(play) == NAMES[:2]
    soon(play)
    assert routed(play) == NAMES[:4]
    soon(play)
    assert routed(play) == NAMES
    play.settle()
    assert changes(play) == []
    assert not [key for key in play.objects() if "_state/waves" in key and b"members" in play.objects()[key]]


def test_a_share_is_of_all_that_the_change_is_about(play: Playground) -> None:
    fleet(play, "batch: 50%, maxParallel: 0")
    play.step()
    assert routed(play) == NAMES[:3]


def test_no_more_rollouts_run_at_once_than_may(play: Playground) -> None:
    fleet(play, "batch: 100%, maxParallel: 2")
    play.step()
    assert len(routed(play)) == 2
    soon(play)
    assert len(routed(play)) == 4


def test_those_named_in_order_go_first_and_alone(play: Playground) -> None:
    fleet(play, 'batch: 100%, maxParallel: 0, order: [{services: ["web-4"]}, {services: ["web-2", "web-3"]}]')
    play.step()
    assert routed(play) == ["web-4"]
    soon(play)
    assert routed(play) == ["web-2", "web-3", "web-4"]
    soon(play)
    assert routed(play) == NAMES


def test_order_goes_by_the_labels_of_routes_too(play: Playground) -> None:
    fleet(play, "batch: 100%, maxParallel: 0, order: [{labels: {tier: dev}}]")
    dev = route_yaml("dev", services='["web-5"]').replace("namespace: web", "namespace: web, labels: {tier: dev}")
    play.write("dev.yaml", dev)
    play.write("all.yaml", route_yaml("all", services='["*", "!web-5"]'))
    play.step()
    assert routed(play) == ["web-5"]


def test_a_failure_pauses_the_rest_and_says_which(play: Playground) -> None:
    fleet(play, "batch: 1, maxParallel: 0")
    play.sandbox.fail_next_rollout()
    play.settle(times=5)
    assert routed(play) == []
    assert play.reason("web-0") == "RolledBack"
    assert play.reason("web-1") == "RolloutPaused"
    assert play.status("web/all")["Stalled"] == ("True", "RolledBack")
    (change,) = changes(play)
    assert (change["state"], change["services"]["failed"], change["services"]["waiting"]) == ("paused", 1, 5)
    assert "web-0 failed" in change["why"]


def test_a_person_lets_it_go_on_and_a_new_failure_pauses_it_again(play: Playground, logroute: Command) -> None:
    fleet(play, "batch: 1, maxParallel: 0")
    play.sandbox.fail_next_rollout()
    play.settle(times=4)
    play.controller.save_status()
    assert logroute("rollout", "resume") == 0
    play.step()
    assert routed(play) == ["web-1"]
    soon(play)
    play.sandbox.fail_next_rollout()
    play.settle(times=4)
    (change,) = changes(play)
    assert (change["state"], change["services"]["failed"]) == ("paused", 2)


def test_without_pause_on_failure_the_others_go_on(play: Playground) -> None:
    fleet(play, "batch: 2, maxParallel: 0, pauseOnFailure: false")
    play.sandbox.fail_next_rollout()
    play.settle(times=10)
    assert len(routed(play)) == 5


def test_a_newer_revision_takes_over_at_once(play: Playground) -> None:
    fleet(play, "batch: 1, maxParallel: 0")
    play.sandbox.fail_next_rollout()
    play.settle(times=4)
    assert changes(play)[0]["state"] == "paused"
    play.write("all.yaml", OTHERWISE)
    play.settle(times=2)
    assert routed(play)
    (change,) = changes(play)
    assert change["state"] == "running"
    play.settle(times=16)
    assert routed(play) == NAMES


def test_a_spec_that_has_nothing_to_do_with_it_resumes_nothing(play: Playground) -> None:
    fleet(play, "batch: 1, maxParallel: 0")
    play.write("all.yaml", route_yaml("all", services='["web-*"]'))
    play.sandbox.fail_next_rollout()
    play.settle(times=4)
    play.service("other", definition=plain_definition("other"))
    play.write("other.yaml", route_yaml("other", services="[other]"))
    play.settle(times=4)
    assert play.is_routed("other")
    assert routed(play) == []
    assert [one["state"] for one in changes(play)] == ["paused"]


def test_a_restart_goes_on_where_it_was(play: Playground) -> None:
    fleet(play, "batch: 2, maxParallel: 0")
    play.settle(times=1)
    play.start()
    play.step()
    assert routed(play) == NAMES[:2]
    assert changes(play)[0]["batches"] == 3
    play.settle(times=3)
    assert routed(play) == NAMES[:4]


def test_a_paused_change_is_paused_after_a_restart(play: Playground, logroute: Command) -> None:
    fleet(play, "batch: 2, maxParallel: 0")
    play.step()
    play.controller.save_status()
    assert logroute("rollout", "pause", "--reason", "lunch") == 0
    play.start()
    play.settle(times=6)
    assert routed(play) == NAMES[:2]
    assert "by ann@laptop" in changes(play)[0]["why"]
    assert "lunch" in changes(play)[0]["why"]
    play.controller.save_status()
    assert logroute("rollout", "resume", changes(play)[0]["id"][:4]) == 0
    play.settle(times=6)
    assert routed(play) == NAMES


def test_what_was_aborted_stays_until_a_spec_changes_it(play: Playground, logroute: Command) -> None:
    fleet(play, "batch: 2, maxParallel: 0")
    play.step()
    play.controller.save_status()
    name = changes(play)[0]["id"]
    assert logroute("rollout", "abort", name) == 0
    play.settle(times=6)
    assert routed(play) == NAMES[:2]
    assert play.reason("web-5") == "RolloutAborted"
    play.controller.save_status()
    assert logroute("rollout", "resume", name) == 1
    play.write("all.yaml", OTHERWISE)
    play.settle(times=10)
    assert routed(play) == NAMES


def test_a_repair_waits_for_no_pause(play: Playground, logroute: Command) -> None:
    fleet(play, "batch: 2, maxParallel: 0")
    play.settle(times=3)
    play.controller.save_status()
    assert logroute("rollout", "pause") == 0
    before = routed(play)
    play.deploy(plain_definition("web-0", image="httpd:2.4.65"), "web-0")
    play.settle(times=4)
    assert routed(play) == before
    assert play.containers("web-0")["app"]["image"] == "httpd:2.4.65"


def test_a_service_that_wants_no_task_holds_up_nobody(play: Playground) -> None:
    fleet(play, "batch: 1, maxParallel: 1")
    play.ecs.update_service(cluster=CLUSTER, service="web-0", desiredCount=0)
    play.settle(times=16)
    assert routed(play) == NAMES


def test_somebody_s_endless_deployment_holds_up_nobody_else(play: Playground) -> None:
    """Without a circuit breaker it goes on for ever."""
    fleet(play, "batch: 1, maxParallel: 0")
    settle_later = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
    play.ecs.update_service(cluster=CLUSTER, service="web-0", deploymentConfiguration=settle_later)
    play.sandbox.break_container("web-0", "app")
    play.deploy(plain_definition("web-0", image="broken:1"), "web-0")
    play.settle(times=16)
    assert play.reason("web-0") == "WaitingForDeployment"
    assert routed(play) == NAMES[1:]
    play.sandbox.mend()
    play.settle(times=6)
    assert routed(play) == NAMES


def test_nothing_is_written_outside_the_windows(play: Playground) -> None:
    now = datetime.fromtimestamp(play.sandbox.clock.now(), UTC)
    hour = (now.hour + 3) % 24
    windows = f'windows: [{{cron: "0 {hour} * * *", duration: 2h}}]'
    fleet(play, f"batch: 100%, maxParallel: 0, {windows}")
    play.settle(times=2)
    assert routed(play) == []
    assert play.reason("web-0") == "OutsideWindow"
    assert play.status("web/all")["Reconciling"] == ("True", "OutsideWindow")
    play.sandbox.advance(3 * 3600)
    play.settle(times=2)
    assert routed(play) == NAMES


def test_a_window_shorter_than_the_time_between_passes_is_used(play: Playground) -> None:
    hour = (datetime.fromtimestamp(play.sandbox.clock.now(), UTC).hour + 1) % 24
    fleet(play, f'batch: 100%, maxParallel: 0, windows: [{{cron: "0 {hour} * * *", duration: 1m}}]')
    play.step()
    assert routed(play) == []
    for _ in range(4 * 60):
        play.sandbox.advance(15)
        play.clock.advance(15)
        play.drain()
    assert routed(play) == NAMES


def test_a_cron_or_a_zone_that_is_none_is_said_with_its_place(
    play: Playground, logroute: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    settings(play, 'windows: [{cron: "0 25 * * *", duration: 2h, timeZone: Asia/Tokio}]')
    assert logroute("validate", str(play.specs)) == 1
    said = capsys.readouterr().out
    assert "class.yaml:5:" in said
    assert "a cron has five fields" in said
    assert "a time zone is written like Asia/Tokyo" in said


def test_restores_go_in_waves_too(play: Playground) -> None:
    fleet(play, "batch: 100%, maxParallel: 0", NAMES[:3])
    play.settle()
    play.remove("all.yaml")
    play.step()
    assert len(routed(play, NAMES[:3])) == 2
    play.settle(times=8)
    assert routed(play, NAMES[:3]) == []


def test_apply_goes_wave_by_wave_to_the_end(
    play: Playground, logroute: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet(play, "batch: 2, maxParallel: 0")
    monkeypatch.setattr(converge, "pause", lambda _seconds: play.sandbox.advance(30))
    assert logroute("apply", "--no-wait") == 3
    assert routed(play) == NAMES[:2]
    assert logroute("apply") == 0
    assert routed(play) == NAMES


def test_the_status_shows_how_far_a_change_is(
    play: Playground, logroute: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet(play, "batch: 2, maxParallel: 0")
    play.step()
    play.controller.save_status()
    capsys.readouterr()
    assert logroute("rollout", "status") == 0
    said = capsys.readouterr().out
    assert f"main/{REGION}" in said
    assert "batch 1 of 3; 6 services: 4 waiting, 2 running" in said

    def later(_seconds: float) -> None:
        play.settle(times=12)
        play.controller.save_status()

    for word, done in (("pause", "  paused  "), ("resume", "  running  ")):
        assert logroute("rollout", word) == 0
        capsys.readouterr()
        assert logroute("rollout", "status") == 0
        assert f"({word} asked for: the controller's next poll takes it up)" in capsys.readouterr().out
        play.step()
        play.controller.save_status()
        assert logroute("rollout", "status") == 0
        said = capsys.readouterr().out
        assert done in said
        assert "asked for" not in said

    monkeypatch.setattr(rollout, "pause", later)
    assert logroute("rollout", "status", "--watch") == 0
    assert capsys.readouterr().out.endswith("no change is under way\n")


@pytest.mark.parametrize("words", [("pause",), ("resume",), ("abort", "abcd")])
def test_without_a_change_there_is_nothing_to_steer(
    play: Playground, logroute: Command, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    play.settle(times=1)
    play.controller.save_status()
    assert logroute("rollout", *words) == 1
    assert "no change is under way" in capsys.readouterr().err


def test_a_paused_change_of_one_service_stays_so_over_a_restart_and_a_commit(
    play: Playground, logroute: Command
) -> None:
    """It waits in its change alone, so nothing else would keep it."""
    fleet(play, "batch: 1, maxParallel: 1", ["web-0", "web-1"])
    play.write("all.yaml", route_yaml("all", services='["web-0"]'))
    play.step()
    play.write("one.yaml", route_yaml("one", services='["web-1"]'))
    play.step()
    assert routed(play, ["web-0", "web-1"]) == ["web-0"]
    play.controller.save_status()
    [waiting] = [one["id"] for one in changes(play) if one["services"]["waiting"]]
    assert logroute("rollout", "pause", waiting) == 0
    play.step()
    play.start()
    play.write("archive.yaml", "")
    play.settle(5)
    assert routed(play, ["web-0", "web-1"]) == ["web-0"]
    assert play.reason("web-1") == "RolloutPaused"


def test_what_was_aborted_stays_so_while_its_services_cannot_be_read(play: Playground, logroute: Command) -> None:
    fleet(play, "batch: 1, maxParallel: 0", NAMES[:3])
    play.step()
    play.controller.save_status()
    assert logroute("rollout", "abort", changes(play)[0]["id"]) == 0
    play.settle(times=3)
    for name in NAMES[1:3]:
        play.deploy(plain_definition(name, image="httpd:2.4.65"), name)
    play.sandbox.advance(ROLLOUT_SECONDS)
    denied = play.sandbox.add_fault(
        calls="ecs:DescribeTaskDefinition", effect="error", code="AccessDeniedException", times=0
    )
    play.step()
    assert [play.reason(name) for name in NAMES[1:3]] == ["AwsError"] * 2
    play.sandbox.remove_fault(denied)
    play.settle(times=4)
    assert routed(play, NAMES[:3]) == NAMES[:1]
    assert play.reason("web-1") == "RolloutAborted"


def test_a_change_that_pauses_for_no_failure_never_says_so(play: Playground, logroute: Command) -> None:
    fleet(play, "batch: 1, maxParallel: 0, pauseOnFailure: false", NAMES[:2])
    play.write("all.yaml", route_yaml("all", services='["web-0"]'))
    play.write("one.yaml", route_yaml("one", services='["web-1"]'))
    play.sandbox.fail_next_rollout()
    play.step()
    play.controller.save_status()
    assert logroute("suspend", "web/one") == 0
    play.settle(times=4)
    assert [play.reason(name) for name in NAMES[:2]] == ["RolledBack", "Suspended"]
    assert [one["state"] for one in changes(play)] == ["running"]


def test_a_failure_pauses_the_rest_also_where_the_way_it_goes_was_changed_meanwhile(play: Playground) -> None:
    """New settings of a rollout write nothing to the service that is on its way; the others wait for it all the same."""
    fleet(play, "batch: 1, maxParallel: 0")
    play.sandbox.fail_next_rollout()
    play.step()
    settings(play, "batch: 1, maxParallel: 3")
    play.step()
    assert routed(play) == NAMES[:1]
    play.settle(times=5)
    assert play.reason("web-0") == "RolledBack"
    assert routed(play) == []


def test_what_was_aborted_stays_so_over_an_upgrade(
    play: Playground, logroute: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version looks at everything anew; what the specs ask is the same."""
    fleet(play, "batch: 2, maxParallel: 0")
    play.step()
    play.controller.save_status()
    assert logroute("rollout", "abort", changes(play)[0]["id"]) == 0
    play.settle(times=4)
    monkeypatch.setattr("controller.planning.case.__version__", "99.0.0")
    play.start()
    play.settle(times=4)
    assert routed(play) == NAMES[:2]
    assert play.reason("web-5") == "RolloutAborted"
