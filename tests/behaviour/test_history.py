"""What happened to a service is kept in the config store: who changed it, and why."""

from __future__ import annotations

import subprocess
from contextlib import suppress

import orjson
import pytest

from controller import wiring
from controller.api.events import Event, EventKind
from controller.aws.ports import AwsError
from controller.cli import converge
from controller.cli.person import who
from controller.overview import Overview
from controller.state.history import MOST_OF_SERVICE, MOST_WAITING
from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml

SERVICE = f"main/{REGION}/{CLUSTER}/example"


def kept(play: Playground, about: str = f"history/{SERVICE}") -> list[Event]:
    """What lies in the config store, the oldest first."""
    play.history.flush()
    body = play.objects().get(f"_state/{about}.json", b'{"events": []}')
    return [Event.from_plain(row) for row in orjson.loads(body)["events"]]


def kinds(events: list[Event]) -> list[str]:
    return [event.kind.value for event in events]


def test_a_rollout_is_told_from_its_reason_to_its_end(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    started, ended = kept(play)
    assert (started.kind, started.reason) == (EventKind.ROLLOUT_STARTED, "NewRoute")
    assert started.revision == play.running()["taskDefinition"]["taskDefinitionArn"]
    assert started.base.endswith(":1")
    assert '+      "name": "log_router"' in started.diff
    assert started.routes == ("web/httpd",)
    assert started.source.startswith("sha256:")
    assert ended.kind is EventKind.ROLLOUT_SUCCEEDED


def test_a_pass_that_changes_nothing_adds_nothing(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    before = kept(play)
    play.settle()
    play.start()
    play.settle()
    assert kept(play) == before


def test_a_deploy_without_the_router_is_told_as_drift_and_as_the_rollout_that_follows(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.deploy(plain_definition(image="httpd:2.4.65"))
    play.sandbox.advance(600)
    play.settle()
    told = kept(play)[2:]
    assert [(one.kind.value, one.reason) for one in told] == [
        ("DriftFound", "RouterMissing"),
        ("RolloutStarted", "RouterMissing"),
        ("Hint", "InjectInCI"),
        ("RolloutSucceeded", ""),
    ]
    assert told[0].by == told[1].by == "arn:aws:sts::123456789012:user/moto"


def test_a_deleted_config_object_is_told_with_the_service_whose_tasks_need_it(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    (path,) = play.configs()
    play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
    play.step()
    assert kinds(kept(play))[2:] == ["Repaired"]
    assert path in kept(play)[-1].message
    assert kinds(kept(play, f"events/main/{REGION}"))[-2:] == ["Repaired", "Repaired"]


def test_a_roll_back_and_a_broken_spec_are_told_once(play: Playground) -> None:
    play.service()
    play.sandbox.fail_next_rollout(container="log_router", exit_code=1)
    play.write("httpd.yaml", route_yaml())
    play.settle(5)
    assert kinds(kept(play)) == ["RolloutStarted", "RolledBack"]
    play.write("broken.yaml", "kind: LogRoute\nnonsense: [")
    play.settle()
    play.write("other.yaml", route_yaml("other", "[nobody]"))
    play.settle()
    told = kept(play, f"events/main/{REGION}")
    assert kinds(told).count("SpecInvalid") == 1
    assert next(one for one in told if one.kind is EventKind.SPEC_INVALID).about == "broken.yaml"
    play.remove("broken.yaml")
    play.settle()
    assert "SpecMended" in kinds(kept(play, f"events/main/{REGION}"))


def test_a_commit_tells_who_made_it_and_why(play: Playground) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(play.specs), *words], check=True, capture_output=True)

    play.write("httpd.yaml", route_yaml())
    git("init", "-q", "-b", "main")
    git("-c", "user.name=Jane\x1b Doe", "-c", "user.email=j@example.com", "add", ".")
    git("-c", "user.name=Jane Doe", "-c", "user.email=j@example.com", "commit", "-qm", "route the\tweb servers")
    play.settings = play.settings.model_copy(update={"source": f"git+file://{play.specs}"})
    play.start()
    play.step()
    (told,) = (one for one in kept(play, f"events/main/{REGION}") if one.kind is EventKind.SPECS_CHANGED)
    assert (told.by, told.message) == ("Jane Doe", "1 routes in force: route the web servers")


def test_what_people_did_is_told(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    play.controller.save_status()
    assert play.command("suspend", "web/httpd", "--reason", "looking into it") == 0
    play.settle()
    assert play.command("resume", "web/httpd") == 0
    play.settle()
    told = kept(play, f"events/main/{REGION}")
    suspended = next(one for one in told if one.kind is EventKind.SUSPENDED)
    assert suspended.about == "web/httpd"
    assert "looking into it" in suspended.message
    assert "Resumed" in kinds(told)


def test_the_history_of_a_service_is_bounded_and_keeps_its_rollouts(play: Playground) -> None:
    play.history.tell(Event(1.0, EventKind.ROLLOUT_STARTED, SERVICE, "the first"))
    for second in range(2, 3 * MOST_OF_SERVICE):
        play.history.tell(Event(float(second), EventKind.HINT, SERVICE, "again"))
        if second % 20 == 0:
            play.history.flush()
    told = kept(play)
    assert len(told) == MOST_OF_SERVICE + 1
    assert told[0].message == "the first"
    assert told[-1].at == 3 * MOST_OF_SERVICE - 1


def test_events_wait_while_s3_is_away_and_are_written_afterwards(play: Playground) -> None:
    play.history.tell(Event(1.0, EventKind.HINT, SERVICE, "kept"))
    fault = play.sandbox.add_fault(times=0, calls="s3:PutObject", effect="error", code="InternalError", status=500)
    with pytest.raises(AwsError):
        play.history.flush()
    play.sandbox.remove_fault(fault)
    assert kept(play)[0].message == "kept"


def test_an_object_that_nobody_can_read_is_begun_anew(play: Playground) -> None:
    play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/_state/history/{SERVICE}.json", Body=b"\xff no json")
    play.history.tell(Event(1.0, EventKind.HINT, SERVICE, "kept"))
    assert [one.message for one in kept(play)] == ["kept"]


def test_no_secret_is_kept(play: Playground) -> None:
    play.history.tell(Event(1.0, EventKind.HINT, SERVICE, "password=hunter2hunter2"))
    assert "hunter2" not in kept(play)[0].message


def test_a_clock_that_jumps_back_hides_nothing_that_happens_afterwards(play: Playground) -> None:
    for number in range(2 * MOST_OF_SERVICE):
        play.history.tell(Event(2e9 - number, EventKind.HINT, SERVICE, str(number)))
    assert kept(play)[-1].message == str(2 * MOST_OF_SERVICE - 1)


def test_s3_that_is_away_for_an_hour_costs_no_event_and_stops_no_answer(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    overview = Overview(play.app.world, play.controller, play.app.shards, play.journal, play.sandbox.clock.now)
    before = len(kept(play))
    fault = play.sandbox.add_fault(calls="s3:*", effect="error", code="InternalError", status=500, times=0)
    play.deploy(plain_definition(image="httpd:2.4.65"))
    for _ in range(12):
        play.sandbox.advance(300)
        play.clock.advance(300)
        with suppress(AwsError):
            play.step()
        with suppress(AwsError):
            play.history.flush()
    assert list(overview.status()["services"]) == [SERVICE]
    assert overview.plans() == overview.plans()
    assert any(event.kind is EventKind.ROLLOUT_STARTED for event in overview.events())
    with pytest.raises(AwsError):
        overview.history(SERVICE)
    play.sandbox.remove_fault(fault)
    play.settle()
    told = kinds(kept(play))[before:]
    assert "RolloutStarted" in told
    assert play.is_routed()
    assert play.history.dropped == 0


def test_more_than_can_wait_is_counted(play: Playground) -> None:
    for number in range(MOST_WAITING + 5):
        play.history.tell(Event(float(number), EventKind.HINT, "", "x"))
    assert play.history.dropped == 5


def test_what_a_person_applies_by_command_is_kept_with_their_name(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converge, "pause", play.sandbox.advance)
    play.service()
    play.write("httpd.yaml", route_yaml())
    assert play.command("apply", "--no-wait") == 3
    (told,) = kept(play)
    assert told.kind is EventKind.ROLLOUT_STARTED
    assert told.by == who()
    assert told.source.startswith("sha256:")


def test_what_is_about_a_place_lies_with_that_place(play: Playground) -> None:
    play.history.tell(Event(1.0, EventKind.PLACE_UNREAD, f"main/{REGION}/{CLUSTER}", "denied"))
    assert kinds(kept(play, f"events/main/{REGION}")) == ["PlaceUnread"]
    history = wiring.history(play.app)
    assert history._place_of(f"main/{REGION}") == play.app.world.home_place
    assert history._place_of(f"main/{REGION}x/{CLUSTER}") is None
    assert history._place_of("web/httpd") is None
