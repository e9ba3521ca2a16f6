"""One service, its routes, one router."""

from __future__ import annotations

from typing import Any

import pytest

from controller.api.conditions import Reason
from controller.desired.compose import compose
from controller.desired.model import Desired
from controller.desired.subject import Refusal, Subject
from tests.support.routes import INSTALLATION, class_document, route_document, routes, subject

SECRET = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:dd-Ab12Cd"
ROLE = "arn:aws:iam::123456789012:role/execution"


def desired(*documents: dict[str, Any], on: Subject | None = None) -> Desired:
    read = sorted(routes(*documents), key=lambda route: -route.document.spec.priority)
    return compose(read, on or subject(executionRoleArn=ROLE), INSTALLATION)


def router(*documents: dict[str, Any], on: Subject | None = None) -> dict[str, Any]:
    overlay = desired(*documents, on=on).overlay
    assert overlay is not None
    return overlay.router


def pipeline(*documents: dict[str, Any], on: Subject | None = None) -> str:
    return desired(*documents, on=on).configs[0].body.decode()


def test_the_built_in_class_is_what_the_spec_documents() -> None:
    found = router(route_document())
    assert found["image"] == "public.ecr.aws/aws-observability/aws-for-fluent-bit:init-3.4.15"
    assert (found["name"], found["essential"], found["user"]) == ("log_router", True, "0")
    assert (found["cpu"], found["memoryReservation"], found["stopTimeout"]) == (0, 128, 60)
    assert found["logConfiguration"]["options"]["awslogs-group"] == "/logroute/example"
    assert found["firelensConfiguration"] == {"type": "fluentbit", "options": {"enable-ecs-log-metadata": "true"}}
    assert found["healthCheck"]["command"][1] == "curl -f http://127.0.0.1:2020/api/v1/uptime || exit 1"


def test_equal_configs_of_services_with_other_containers_are_one_object() -> None:
    one = desired(route_document(), on=subject([{"name": "app"}]))
    other = desired(route_document(), on=subject([{"name": "web"}, {"name": "job"}], service="y"))
    assert one.configs == other.configs


def test_routed_containers_get_the_driver_with_its_buffer_and_wait_for_the_router() -> None:
    overlay = desired(route_document(), class_document(driverBufferLimit=1048576, waitForRouter="HEALTHY")).overlay
    assert overlay is not None
    assert overlay.log_configurations["app"] == {
        "logDriver": "awsfirelens",
        "options": {"log-driver-buffer-limit": "1048576"},
    }
    assert overlay.wait_for == "HEALTHY"


def test_containers_that_no_route_selects_keep_their_driver() -> None:
    overlay = desired(
        route_document(target={"containers": ["app*", "!app-debug"]}),
        on=subject([{"name": name} for name in ("app", "app-debug", "envoy")]),
    ).overlay
    assert overlay is not None
    assert list(overlay.log_configurations) == ["app"]


def test_a_routes_secrets_are_the_routers_and_nobody_elses() -> None:
    documents = route_document(
        secrets={"DD_API_KEY": SECRET},
        pipeline={"outputs": [{"name": "datadog", "apikey": "${DD_API_KEY}", "tls": "on", "host": "x.example.com"}]},
    )
    assert router(documents)["secrets"] == [{"name": "DD_API_KEY", "valueFrom": SECRET}]
    assert "apikey ${DD_API_KEY}" in pipeline(documents)


def test_of_two_routes_that_mean_different_secrets_by_one_name_the_lower_is_left_out() -> None:
    output = [{"name": "datadog", "apikey": "${KEY}", "tls": "on", "host": "x.example.com"}]
    found = desired(
        route_document("a", secrets={"KEY": SECRET}, pipeline={"outputs": output}),
        route_document("b", secrets={"KEY": SECRET + "x"}, pipeline={"outputs": output}),
    )
    assert found.routes == ("web/a",)
    assert found.overlay is not None
    assert found.overlay.router["secrets"] == [{"name": "KEY", "valueFrom": SECRET}]
    assert found.left_out["web/b"][1] == "web/b and web/a mean different secrets by KEY; rename one"


@pytest.mark.parametrize(
    ("spec", "network"), [({"health": {"mode": "off"}}, "awsvpc"), ({}, "host"), ({"delivery": "inline"}, "awsvpc")]
)
def test_nobody_waits_for_the_health_of_a_router_that_has_no_check(spec: dict[str, Any], network: str) -> None:
    on = subject(networkMode=network)
    found = desired(route_document(), class_document(waitForRouter="HEALTHY", **spec), on=on)
    assert found.overlay is not None
    assert found.overlay.wait_for == "START"
    assert "no health check" in found.notes[0].message


def test_the_log_level_is_left_out_where_the_container_sets_it() -> None:
    quiet = class_document(container={"environment": [{"name": "FLB_LOG_LEVEL", "value": "debug"}]})
    assert "log_level" not in pipeline(route_document(), quiet)
    assert "log_level info" in pipeline(route_document())


def test_what_routes_disagree_on_goes_by_priority_and_is_said_on_the_loser() -> None:
    found = desired(
        route_document("a", router={"memoryReservation": 256}),
        route_document("b", priority=5, router={"memoryReservation": 512}),
    )
    assert found.overlay is not None
    assert found.overlay.router["memoryReservation"] == 512
    assert [note.route for note in found.notes] == ["web/a"]


def test_the_longest_retention_wins_and_is_said_on_the_loser() -> None:
    found = desired(
        route_document("a", logGroups=[{"name": "g", "retentionDays": 3}]),
        route_document("b", logGroups=[{"name": "g", "retentionDays": 30}]),
    )
    assert [(group.name, group.retention_days) for group in found.log_groups] == [("g", 30)]
    assert [(note.route, note.reason) for note in found.notes] == [("web/a", Reason.LOG_GROUP_RETENTION)]


def test_filesystem_buffering_is_for_every_input_and_bounded() -> None:
    text = pipeline(
        route_document(), class_document(buffer={"type": "filesystem", "path": "/data/flb", "totalLimitSize": "1G"})
    )
    for line in ("storage.path /data/flb", "storage.type filesystem", "storage.inherit on", "storage.max_chunks_up 16"):
        assert f"    {line}\n" in text
    assert "    storage.total_limit_size 1G\n" in text


@pytest.mark.parametrize(
    ("on", "reason", "text"),
    [
        (
            subject(runtimePlatform={"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}),
            Reason.UNSUPPORTED,
            "Linux only",
        ),
        (subject(networkMode="none"), Reason.UNSUPPORTED, "networkMode is none"),
        (subject([{"name": "log_router"}]), Reason.UNSUPPORTED, "container 'log_router' of its own"),
        (subject([{"name": f"c{number}"} for number in range(10)]), Reason.UNSUPPORTED, "10 containers"),
        (subject([{"name": "app", "portMappings": [{"containerPort": 2020}]}]), Reason.PORT_TAKEN, "port 2020"),
    ],
)
def test_a_definition_that_cannot_take_a_router_is_refused_with_the_reason(
    on: Subject, reason: Reason, text: str
) -> None:
    with pytest.raises(Refusal, match=text) as refused:
        desired(route_document(), on=on)
    assert refused.value.reason == reason


def test_a_class_volume_named_like_one_of_the_task_is_refused() -> None:
    on = subject(volumes=[{"name": "data", "host": {"sourcePath": "/x"}}])
    with pytest.raises(Refusal, match=r"volume 'data' of its own; rename it .* LogRouterClass") as refused:
        desired(class_document(volumes=[{"name": "data"}]), route_document(), on=on)
    assert refused.value.reason == Reason.UNSUPPORTED


def test_on_the_host_network_the_health_check_stays_off() -> None:
    on = subject(networkMode="host")
    assert "healthCheck" not in router(route_document(), on=on)
    assert "http_server" not in pipeline(route_document(), on=on)


def test_the_same_routes_give_the_same_digest_whatever_the_application_is() -> None:
    one = desired(route_document(), on=subject([{"name": "app", "image": "httpd:1"}]))
    other = desired(route_document(), on=subject([{"name": "app", "image": "httpd:2", "environment": [{"name": "A"}]}]))
    assert one.digest == other.digest


def test_parsers_go_into_an_object_of_their_own() -> None:
    found = desired(
        route_document(
            pipeline={
                "parsers": [{"name": "line", "format": "regex", "regex": "^(?<a>.*)$"}],
                "multiline_parsers": [
                    {
                        "name": "ml",
                        "type": "regex",
                        "flush_timeout": 1000,
                        "rules": [{"state": "start_state", "regex": r"/^\d/", "next_state": "start_state"}],
                    }
                ],
                "filters": [{"name": "parser", "key_name": "log", "parser": "line", "reserve_data": "on"}],
            }
        )
    )
    names = [config.name for config in found.configs]
    assert names == ["pipeline.conf", "parsers.conf"]
    text = found.configs[1].body.decode()
    assert "[PARSER]\n    name line\n" in text
    assert '    rule "start_state" "/^\\d/" "start_state"\n' in text
    variables = found.overlay.router["environment"] if found.overlay else []
    assert [pair["value"].rsplit("/", 1)[-1] for pair in variables] == names


def test_filesystem_buffering_on_an_engine_without_it_is_refused() -> None:
    old = class_document(
        image="public.ecr.aws/aws-observability/aws-for-fluent-bit:init-2.32.4", buffer={"type": "filesystem"}
    )
    with pytest.raises(Refusal, match=r"1\.9\.10 lacks"):
        desired(route_document(), old)
