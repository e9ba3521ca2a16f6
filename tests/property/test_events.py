"""Events and messages of queues: what is written is read again, what is bounded stays bounded, garbage is told apart."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from controller.api.events import DIFF, LATEST, MESSAGE, Event, EventKind
from controller.observed import hints
from controller.observed.hints import FamilyHint, NotAnEvent, ObjectHint, ServiceHint
from controller.state.history import APPLIES, bounded

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
EVENTS = st.builds(
    Event,
    st.floats(0, LATEST),
    st.sampled_from(EventKind),
    TEXTS,
    TEXTS,
    reason=TEXTS,
    routes=st.lists(TEXTS, max_size=3).map(tuple),
    source=TEXTS,
    revision=TEXTS,
    base=TEXTS,
    digest=TEXTS,
    by=TEXTS,
    diff=TEXTS,
)
NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(EVENTS)
def test_an_event_is_read_as_it_was_written(event: Event) -> None:
    assert Event.from_plain(json.loads(json.dumps(event.as_plain()))) == event


@given(
    st.builds(
        Event, st.just(1.0), st.sampled_from(EventKind), TEXTS, st.text(max_size=5000), diff=st.text(max_size=9000)
    )
)
def test_no_event_is_longer_than_may_be_kept(event: Event) -> None:
    cut = event.cut()
    assert len(cut.message) <= MESSAGE
    assert len(cut.diff) <= DIFF
    assert cut.cut() == cut


@given(st.lists(EVENTS, max_size=60), st.integers(1, 20), st.integers(0, 10))
def test_what_is_kept_is_the_last_and_what_tells_of_revisions(events: list[Event], most: int, applies: int) -> None:
    kept = bounded(events, most, applies)
    assert kept[-most:] == events[-most:]
    assert len(kept) <= most + applies
    assert sum(one.kind in APPLIES for one in kept) >= min(applies, sum(one.kind in APPLIES for one in events))
    assert bounded(kept, most, applies) == kept


@given(NAMES, NAMES, st.sampled_from(["ECS Deployment State Change", "ECS Service Action"]))
def test_an_event_of_a_service_names_it(cluster: str, service: str, kind: str) -> None:
    arn = f"arn:aws:ecs:eu-west-1:123456789012:service/{cluster}/{service}"
    event = {"source": "aws.ecs", "detail-type": kind, "resources": [arn], "detail": {}}
    expected = ServiceHint("123456789012", "eu-west-1", cluster, service)
    assert hints.read(json.dumps(event)) == (expected,)
    wrapped = {"Type": "Notification", "Message": json.dumps(event)}
    assert hints.read(json.dumps(wrapped)) == (expected,)


@given(NAMES, TEXTS)
def test_s3_s_own_notification_and_eventbridge_s_name_the_same_object(bucket: str, key: str) -> None:
    from urllib.parse import quote_plus

    own = {"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key)}}}]}
    bridge = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key}},
    }
    assert hints.read(json.dumps(own)) == hints.read(json.dumps(bridge)) == (ObjectHint(bucket, key),)


def call(name: str, **detail: Any) -> str:
    told = {"eventName": name, "awsRegion": "eu-west-1", "recipientAccountId": "123456789012", **detail}
    return json.dumps({"source": "aws.ecs", "detail-type": "AWS API Call via CloudTrail", "detail": told})


@given(NAMES, NAMES)
def test_a_call_is_understood_by_its_answer_or_by_what_was_asked(cluster: str, service: str) -> None:
    arn = f"arn:aws:ecs:eu-west-1:123456789012:service/{cluster}/{service}"
    expected = (ServiceHint("123456789012", "eu-west-1", cluster, service),)
    assert hints.read(call("UpdateService", responseElements={"service": {"serviceArn": arn}})) == expected
    assert hints.read(call("UpdateService", requestParameters={"cluster": cluster, "service": service})) == expected
    assert (
        hints.read(
            call(
                "CreateService",
                requestParameters={
                    "cluster": arn.rpartition("/")[0].replace("service", "cluster"),
                    "serviceName": service,
                },
            )
        )
        == expected
    )
    assert hints.read(call("UpdateService", errorCode="AccessDenied", requestParameters={"service": service})) == ()
    family = {
        "taskDefinition": {"taskDefinitionArn": f"arn:aws:ecs:eu-west-1:123456789012:task-definition/{service}:7"}
    }
    assert hints.read(call("RegisterTaskDefinition", responseElements=family)) == (
        FamilyHint("123456789012", "eu-west-1", service),
    )


@given(JSON)
def test_any_json_is_read_or_refused(value: object) -> None:
    try:
        found = hints.read(json.dumps(value))
    except NotAnEvent:
        return
    assert isinstance(found, tuple)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(NotAnEvent):
        hints.read(text)
