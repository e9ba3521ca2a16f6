"""Events of AWS through a real EventBridge and SQS of moto: each makes the controller look at once, and none believe."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from controller import daemon, wiring
from controller.api.events import EventKind
from controller.api.keys import Place, ServiceKey
from controller.applying.configs import copy_of
from controller.aws.ports import AwsError
from controller.reconciling import listening
from controller.reconciling.controller import LOOK
from controller.reconciling.listening import Asks, Listener
from tests.support.playground import CLUSTER, PREFIX, REGION, STORE, Playground, plain_definition, route_yaml

ACCOUNT = "123456789012"
PLACE = Place("main", REGION)
SOURCES = "specs-of-ours"


class Ears:
    """A queue with the rules that the templates make, and a listener at its end."""

    def __init__(self, play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listening, "WAIT_SECONDS", 0)
        self.play, self.heard, self.asked = play, Counter[str](), Counter[str]()
        self.sqs, self.bus = play.sandbox.client("sqs"), play.sandbox.client("events")
        dead = self.sqs.create_queue(QueueName="dead", Attributes={"MessageRetentionPeriod": "1209600"})["QueueUrl"]
        self.dead = dead
        redrive = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead", "maxReceiveCount": 2}
        attributes = {"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "0"}
        self.url = self.sqs.create_queue(QueueName="events", Attributes=attributes)["QueueUrl"]
        self.rule("configs", {"source": ["aws.s3"]})
        self.rule("ecs", {"source": ["aws.ecs"]})
        play.s3.put_bucket_notification_configuration(
            Bucket=STORE, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        play.settings = play.settings.model_copy(
            update={"events": play.settings.events.model_copy(update={"queue": self.url})}
        )
        play.start()
        self.hear()

    def rule(self, name: str, pattern: dict[str, Any]) -> None:
        self.bus.put_rule(Name=name, EventPattern=json.dumps(pattern))
        self.bus.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:events"}])

    def hear(self) -> None:
        """The listener, as after a start."""
        asks = Asks(
            lambda: self.asked.update(["source"]),
            lambda: self.asked.update(["notes"]),
            lambda place: self.asked.update([f"resync {place}"]),
            lambda key: self.play.queue.add(key, LOOK),
        )
        made = wiring.listener(
            self.play.app, PLACE, asks, self.play.telling, lambda result: self.heard.update([result])
        )
        assert made is not None
        self.listener: Listener = made
        self.listener.monotonic = self.play.clock.monotonic
        self.listener.sources = ((SOURCES, "specs/"),)
        self.play.controller.counts_between_passes = True
        self.play.controller.on_waiting = asks.resync

    def listen(self) -> None:
        """All that is there, and the work that follows."""
        while self.listener.listen():
            pass
        self.play.drain()

    def say(self, *bodies: object) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body if isinstance(body, str) else json.dumps(body))

    def ecs(self, kind: str, detail: dict[str, Any], service: str = "example", cluster: str = CLUSTER) -> None:
        """As ECS puts it on the bus."""
        arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{cluster}/{service}"
        entry = {"Source": "aws.ecs", "DetailType": kind, "Detail": json.dumps(detail), "Resources": [arn]}
        self.bus.put_events(Entries=[entry])

    def left(self) -> int:
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(found["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture
def ears(play: Playground, monkeypatch: pytest.MonkeyPatch) -> Ears:
    play.service()
    play.write("httpd.yaml", route_yaml())
    found = Ears(play, monkeypatch)
    play.settle()
    assert play.is_routed()
    found.listen()
    found.heard.clear()
    found.asked.clear()
    return found


def deleted(key: str, bucket: str = STORE) -> dict[str, Any]:
    """Moto tells EventBridge of objects that are made, and not of those that are deleted."""
    return {
        "source": "aws.s3",
        "detail-type": "Object Deleted",
        "region": REGION,
        "account": ACCOUNT,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {"bucket": {"name": bucket}, "object": {"key": key}, "deletion-type": "Permanently Deleted"},
    }


def test_a_deleted_config_object_is_back_with_its_event_and_without_a_pass(ears: Ears) -> None:
    (path,), body = ears.play.configs(), ears.play.configs()
    ears.play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
    ears.say(deleted(f"{PREFIX}/{path}"))
    before = ears.play.sandbox.call_counts
    ears.listen()
    assert ears.play.configs() == body
    assert (ears.play.sandbox.call_counts - before)["ecs:DescribeServices"] == 0
    events = [entry.event for entry in ears.play.journal.after() if entry.event.kind is EventKind.REPAIRED]
    assert [one.about for one in events] == [f"main/{REGION}", f"main/{REGION}/{CLUSTER}/example"]
    assert ears.left() == 0


def test_an_altered_config_object_is_put_right_by_the_event_that_s3_sends(ears: Ears) -> None:
    (path,), body = ears.play.configs(), ears.play.configs()
    ears.play.s3.put_object(Bucket=STORE, Key=f"{PREFIX}/{path}", Body=b"[OUTPUT]\n")
    ears.listen()
    assert ears.play.configs() == body
    assert ears.heard["config"] >= 1


def test_a_lost_second_copy_comes_back_too(ears: Ears) -> None:
    (path,) = ears.play.configs()
    key = f"{PREFIX}/{copy_of(path)}"
    ears.play.s3.delete_object(Bucket=STORE, Key=key)
    ears.say(deleted(key))
    ears.listen()
    assert f"{copy_of(path)}" in ears.play.objects()


def test_where_both_copies_are_gone_a_pass_is_asked_for(ears: Ears) -> None:
    (path,) = ears.play.configs()
    for one in (path, copy_of(path)):
        ears.play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{one}")
    ears.say(deleted(f"{PREFIX}/{path}"))
    ears.listen()
    assert ears.asked[f"resync main/{REGION}"] >= 1
    ears.play.step()
    assert path in ears.play.configs()


def test_a_config_object_that_no_revision_names_is_let_go(ears: Ears) -> None:
    ears.say(deleted(f"{PREFIX}/{'0' * 64}/pipeline.conf"), deleted("elsewhere", "another"))
    ears.listen()
    assert ears.heard["config"] == 0
    assert ears.left() == 0


def test_a_deploy_without_the_router_is_repaired_by_its_event_without_a_pass(ears: Ears) -> None:
    ears.play.deploy(plain_definition(image="httpd:2.4.65"))
    ears.play.sandbox.advance(600)
    ears.ecs("ECS Deployment State Change", {"eventName": "SERVICE_DEPLOYMENT_COMPLETED"})
    before = ears.play.sandbox.call_counts
    ears.listen()
    assert (ears.play.sandbox.call_counts - before)["ecs:ListServices"] == 0
    ears.play.sandbox.advance(600)
    ears.play.clock.advance(600)
    ears.play.drain()
    assert ears.play.is_routed()
    assert ears.play.containers()["app"]["image"] == "httpd:2.4.65"


def test_many_deploys_without_the_router_wait_for_a_pass_which_counts_them(ears: Ears) -> None:
    """The guard of 3 and 20 % holds for what events bring, too."""
    play = ears.play
    for number in range(5):
        play.service(f"web-{number}")
    play.write("all.yaml", route_yaml("all", '["web-*"]'))
    play.settle()
    for number in range(5):
        play.deploy(plain_definition(f"web-{number}", image="httpd:2.4.65"), f"web-{number}")
    play.sandbox.advance(600)
    for number in range(5):
        ears.ecs("ECS Deployment State Change", {"eventName": "SERVICE_DEPLOYMENT_COMPLETED"}, f"web-{number}")
    ears.listen()
    play.sandbox.advance(600)
    routed = [number for number in range(5) if play.is_routed(f"web-{number}")]
    assert len(routed) == 3
    assert ears.asked[f"resync main/{REGION}"] >= 1


def test_a_new_service_asks_for_a_pass_which_gives_it_its_turn(ears: Ears) -> None:
    ears.play.write("httpd.yaml", route_yaml(services='["example", "new-*"]'))
    ears.play.settle()
    ears.play.service("new-1")
    detail = {"eventSource": "ecs.amazonaws.com", "eventName": "CreateService", "awsRegion": REGION}
    arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{CLUSTER}/new-1"
    ears.ecs("AWS API Call via CloudTrail", {**detail, "responseElements": {"service": {"serviceArn": arn}}}, "x")
    ears.listen()
    assert ears.asked[f"resync main/{REGION}"] == 1


def test_what_is_not_ours_costs_no_call(ears: Ears) -> None:
    before = ears.play.sandbox.call_counts
    ears.ecs("ECS Service Action", {"eventName": "SERVICE_STEADY_STATE"}, "somebody-elses")
    ears.ecs("ECS Service Action", {"eventName": "SERVICE_STEADY_STATE"}, "example", "another-cluster")
    ears.say(
        {
            "source": "aws.ecs",
            "detail-type": "x",
            "detail": {},
            "resources": [f"arn:aws:ecs:us-east-1:{ACCOUNT}:service/{CLUSTER}/example"],
        }
    )
    ears.listen()
    assert [name for name in (ears.play.sandbox.call_counts - before) if name.startswith("ecs:")] == []
    assert ears.heard["nothing"] == 3


def test_twice_late_and_out_of_order_is_the_same_as_once(ears: Ears) -> None:
    revisions = ears.play.revisions()
    for _ in range(3):
        for name in ("SERVICE_DEPLOYMENT_COMPLETED", "SERVICE_DEPLOYMENT_IN_PROGRESS", "SERVICE_DEPLOYMENT_FAILED"):
            ears.ecs("ECS Deployment State Change", {"eventName": name})
    ears.listen()
    assert ears.play.revisions() == revisions
    assert ears.heard["service"] >= 1


GARBAGE = [
    "",
    " ",
    "[]",
    "null",
    "{",
    '{"source": 1}',
    '{"Records": [{}]}',
    '{"Records": 7}',
    '{"source": "aws.s3", "detail": {"bucket": {"name": 1}, "object": {"key": 2}}}',
    "\ud83d\udca9" * 10,
    "9" * 5000,
]


def test_what_nobody_can_read_ends_in_the_dead_letter_queue_and_stops_nothing(ears: Ears) -> None:
    ears.say(*(one for one in GARBAGE if one.strip()))
    (path,), body = ears.play.configs(), ears.play.configs()
    ears.play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
    ears.say(deleted(f"{PREFIX}/{path}"))
    for _ in range(6):
        ears.listener.listen()
    assert ears.play.configs() == body
    assert ears.heard["garbage"] >= len(GARBAGE) - 2
    dead = ears.sqs.receive_message(QueueUrl=ears.dead, MaxNumberOfMessages=10).get("Messages", [])
    assert len(dead) == 9
    assert ears.left() == 0


def test_a_repair_that_fails_leaves_its_message_for_the_next_time(ears: Ears) -> None:
    (path,), body = ears.play.configs(), ears.play.configs()
    ears.play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
    ears.say(deleted(f"{PREFIX}/{path}"))
    fault = ears.play.sandbox.add_fault(calls="s3:PutObject", effect="error", code="AccessDenied", status=403, times=0)
    with pytest.raises(AwsError):
        ears.listener.listen()
    ears.play.sandbox.remove_fault(fault)
    ears.listen()
    assert ears.play.configs() == body


def test_specs_that_change_and_notes_that_people_write_are_looked_at(ears: Ears) -> None:
    ears.say(deleted("specs/web/httpd.yaml", SOURCES), deleted("other/x.yaml", SOURCES))
    ears.play.controller.save_status()
    assert ears.play.command("suspend", "web/httpd") == 0
    ears.listen()
    assert (ears.asked["source"], ears.asked["notes"] >= 1) == (1, True)


def test_the_queue_counts_as_healthy_while_canary_and_ecs_are_heard(ears: Ears) -> None:
    ears.listener.heard.clear()
    assert not ears.listener.healthy()
    assert ears.listener.sing()
    ears.listen()
    assert not ears.listener.healthy()
    ears.ecs("ECS Service Action", {"eventName": "SERVICE_STEADY_STATE"}, "somebody-elses")
    ears.listen()
    assert ears.listener.healthy()
    ears.play.clock.advance(listening.SILENT_SECONDS)
    assert not ears.listener.healthy()


def test_a_family_of_jobs_is_looked_at_when_somebody_registers_in_it(ears: Ears) -> None:
    play = ears.play
    text = route_yaml("jobs", outputs="[{name: stdout}]").replace("services: [example]", "taskFamilies: [nightly]")
    play.write("jobs.yaml", text.replace(f"cluster: {CLUSTER}, ", ""))
    play.register(plain_definition("nightly"))
    play.settle()
    arn = play.register(plain_definition("nightly", image="httpd:2.4.65"))
    detail = {"eventSource": "ecs.amazonaws.com", "eventName": "RegisterTaskDefinition", "awsRegion": REGION}
    ears.ecs(
        "AWS API Call via CloudTrail", {**detail, "responseElements": {"taskDefinition": {"taskDefinitionArn": arn}}}
    )
    while ears.listener.listen():
        pass
    assert play.queue.depth() == 1
    assert play.queue.get() == ServiceKey.family(PLACE, "nightly")


def test_a_replica_that_does_not_hold_the_place_takes_nobody_s_events(
    ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    ears.say(deleted("specs/a.yaml", SOURCES))
    with monkeypatch.context() as patch:
        patch.setattr(type(ears.listener.shards), "holds", lambda _self, _place: False)
        assert not ears.listener.listen()
    assert ears.left() == 1


def test_a_queue_that_cannot_be_read_is_not_asked_all_the_time(ears: Ears) -> None:
    assert daemon._listening_pause(ears.listener) < 1
    ears.sqs.delete_queue(QueueUrl=ears.url)
    with pytest.raises(AwsError):
        ears.listener.listen()
    assert daemon._listening_pause(ears.listener) == daemon.FAILING_SECONDS
    assert not ears.listener.healthy()
