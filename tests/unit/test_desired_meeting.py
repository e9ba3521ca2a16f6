"""Routes on one task: ports, parsers, tags, limits and the ways a config is delivered."""

from __future__ import annotations

import re
from typing import Any

import pytest

from controller.api.conditions import Reason
from controller.desired.compose import compose
from controller.desired.model import Desired
from controller.desired.subject import Refusal, Subject
from controller.fluentbit.reader import from_classic
from controller.fluentbit.tree import Section
from tests.support.routes import INSTALLATION, class_document, route_document, routes, subject

TCP = {"name": "tcp", "tag": "emf", "port": "25888", "listen": "127.0.0.1", "format": "none"}
JSON = {"name": "parser", "key_name": "log", "parser": "json", "reserve_data": "On"}
MULTILINE = {"name": "multiline", "multiline.parser": "go", "multiline.key_content": "log"}


def made(*documents: dict[str, Any], on: Subject | None = None) -> Desired:
    read = sorted(routes(*documents), key=lambda route: -route.document.spec.priority)
    return compose(read, on or subject(), INSTALLATION)


def sections(desired: Desired, name: str, *, file: int = 0) -> list[dict[str, str]]:
    found: tuple[Section, ...] = from_classic(desired.configs[file].body).sections
    return [dict(section.entries) for section in found if section.name == name]


def router(desired: Desired) -> dict[str, Any]:
    assert desired.overlay is not None
    return desired.overlay.router


def container(*ports: int, **mapping: Any) -> Subject:
    mappings = [{"containerPort": port, **mapping} for port in ports]
    return subject([{"name": "app", "image": "httpd", "portMappings": mappings}])


def test_a_port_taken_twice_leaves_the_lower_route_out_as_a_whole() -> None:
    desired = made(
        route_document("low", pipeline={"inputs": [TCP], "outputs": [{"name": "stdout"}]}),
        route_document("high", priority=1, pipeline={"inputs": [TCP], "outputs": [{"name": "null"}]}),
    )
    assert desired.routes == ("web/high",)
    assert [(note.route, note.reason) for note in desired.notes] == [("web/low", Reason.PORT_TAKEN)]
    assert "25888" in desired.notes[0].message
    assert [one["name"] for one in sections(desired, "OUTPUT")] == ["null"]


def test_a_route_that_is_left_out_has_no_say_in_the_router() -> None:
    own = {"kind": "LogRouterClass", "metadata": {"name": "big"}, "spec": {"container": {"memoryReservation": 512}}}
    high = route_document("high", priority=1, routerClass="big", pipeline={"inputs": [TCP]})
    desired = made(own, high, route_document("low"), on=container(25888))
    assert desired.routes == ("web/low",)
    assert router(desired)["memoryReservation"] == 128
    assert list(desired.left_out) == ["web/high"]
    assert [note.route for note in desired.notes] == ["web/high"]


@pytest.mark.parametrize("port", ["8080", "2020", "24224", "8877"])
def test_a_port_of_the_task_is_no_routes(port: str) -> None:
    with pytest.raises(Refusal, match=port) as refused:
        made(route_document(pipeline={"inputs": [{**TCP, "port": port}]}), on=container(8080))
    assert refused.value.reason == Reason.PORT_TAKEN


def test_a_plugins_own_port_counts_where_none_is_said() -> None:
    with pytest.raises(Refusal, match="9880"):
        made(route_document(pipeline={"inputs": [{"name": "http", "tag": "h"}]}), on=container(9880))


def test_names_of_inputs_and_filters_are_told_apart_among_routes() -> None:
    def one(name: str, port: str) -> dict[str, Any]:
        inputs = [{**TCP, "port": port, "alias": "own"}]
        return route_document(
            name, pipeline={"inputs": inputs, "filters": [{"name": "grep", "regex": "a b", "alias": "g"}]}
        )

    alone = made(one("a", "1"))
    assert [section["alias"] for section in sections(alone, "INPUT")] == ["own"]
    both = made(one("a", "1"), one("b", "2"))
    assert [section["alias"] for section in sections(both, "INPUT")] == ["own.web.a", "own.web.b"]
    assert [section["alias"] for section in sections(both, "FILTER") if "alias" in section] == ["g.web.a", "g.web.b"]


def test_tcp_and_udp_are_ports_apart() -> None:
    assert made(route_document(pipeline={"inputs": [TCP]}), on=container(25888, protocol="udp")).routes


def test_in_bridge_mode_containers_have_ports_of_their_own() -> None:
    on = subject([{"name": "app", "portMappings": [{"containerPort": 25888}]}], networkMode="bridge")
    assert made(route_document(pipeline={"inputs": [TCP]}), on=on).routes


def test_a_parsers_name_stays_unless_two_routes_mean_different_ones() -> None:
    def one(name: str, regex: str) -> dict[str, Any]:
        parser = {"name": "line", "format": "regex", "regex": regex}
        return route_document(name, pipeline={"parsers": [parser], "filters": [{**JSON, "parser": "line"}]})

    same = made(one("a", "^(?<a>.*)$"), one("b", "^(?<a>.*)$"))
    assert [parser["name"] for parser in sections(same, "PARSER", file=1)] == ["line"]
    other = made(one("a", "^(?<a>.*)$"), one("b", "^(?<b>.*)$"))
    assert [parser["name"] for parser in sections(other, "PARSER", file=1)] == ["line", "line.web.b"]
    assert [one["parser"] for one in sections(other, "FILTER") if one["name"] == "parser"] == ["line", "line.web.b"]


def test_an_image_parser_is_written_out_unless_the_service_loads_them() -> None:
    assert [one["name"] for one in sections(made(route_document(pipeline={"filters": [JSON]})), "PARSER", file=1)] == [
        "json"
    ]
    loading = class_document(service={"parsers_file": "/fluent-bit/parsers/parsers.conf"})
    assert len(made(route_document(pipeline={"filters": [JSON]}), loading).configs) == 1


def test_a_syslog_input_without_a_parser_finds_the_images() -> None:
    syslog = {"name": "syslog", "mode": "tcp", "tag": "sys", "listen": "127.0.0.1"}
    desired = made(route_document(pipeline={"inputs": [syslog]}))
    assert [parser["name"] for parser in sections(desired, "PARSER", file=1)] == ["syslog-rfc5424"]


def test_with_multiline_the_ecs_fields_are_added_behind_it_and_not_by_the_agent() -> None:
    filters = [MULTILINE, {"name": "modify", "add": "a b"}]
    desired = made(route_document(pipeline={"filters": filters}))
    assert router(desired)["firelensConfiguration"]["options"]["enable-ecs-log-metadata"] == "false"
    assert [one["name"] for one in sections(desired, "FILTER")] == ["multiline", "record_modifier", "modify"]


def test_records_that_were_rewritten_before_the_ecs_fields_get_them_too() -> None:
    early = {"name": "rewrite_tag", "match": "app-firelens-*", "rule": "$log ^AUDIT audit false"}
    late = {**early, "rule": "$log ^WARN warn false"}
    filters = sections(made(route_document(pipeline={"filters": [early, MULTILINE, late]})), "FILTER")
    [match] = [one["match_regex"] for one in filters if one["name"] == "record_modifier"]
    tags = ("app-firelens-1", "audit", "warn", "firelens-healthcheck")
    assert [re.match(match, tag) is not None for tag in tags] == [True, True, False, False]


def test_without_ecs_metadata_nobody_adds_it() -> None:
    desired = made(route_document(pipeline={"filters": [MULTILINE]}), class_document(ecsMetadata=False))
    assert router(desired)["firelensConfiguration"]["options"]["enable-ecs-log-metadata"] == "false"
    assert [one["name"] for one in sections(desired, "FILTER")] == ["multiline"]


def test_memory_is_shared_out_and_what_the_spec_says_stands() -> None:
    small = {**TCP, "port": "25889", "tag": "b", "mem_buf_limit": "5M"}
    desired = made(
        route_document(pipeline={"inputs": [TCP, small]}), class_document(container={"memoryReservation": 256})
    )
    assert [one["mem_buf_limit"] for one in sections(desired, "INPUT")] == ["32M", "5M"]


def test_chunks_on_disk_fit_the_routers_memory() -> None:
    spec = class_document(container={"memoryReservation": 256}, buffer={"type": "filesystem"})
    (service,) = sections(made(route_document(), spec), "SERVICE")
    assert service["storage.max_chunks_up"] == "32"


def test_an_output_is_retried_as_often_as_its_spec_says_or_five_times() -> None:
    outputs = [{"name": "stdout"}, {"name": "null", "retry_limit": "no_limits"}]
    desired = made(route_document(pipeline={"outputs": outputs}))
    assert [one["retry_limit"] for one in sections(desired, "OUTPUT")] == ["5", "no_limits"]


def test_outputs_to_one_bucket_keep_their_files_apart() -> None:
    s3 = {"name": "s3", "bucket": "logs", "region": "eu-west-1", "s3_key_format": "/$UUID"}
    shared = made(*(route_document(name, pipeline={"outputs": [s3]}) for name in "ab"))
    assert len({one["store_dir"] for one in sections(shared, "OUTPUT")}) == 2
    assert "store_dir" not in sections(made(route_document(pipeline={"outputs": [s3]})), "OUTPUT")[0]


def test_the_agent_may_bring_the_config_on_ec2() -> None:
    desired = made(route_document(), class_document(delivery="firelens-s3"))
    options = router(desired)["firelensConfiguration"]["options"]
    assert options["config-file-type"] == "s3"
    assert options["config-file-value"] == f"arn:aws:s3:::configs/logroute/{desired.configs[0].sha256}/pipeline.conf"
    assert "environment" not in router(desired)


@pytest.mark.parametrize(
    ("pipeline", "body", "why"),
    [
        ({}, {"requiresCompatibilities": ["FARGATE"]}, "EC2 only"),
        ({"filters": [JSON]}, {}, "parsers too"),
        (
            {"outputs": [{"name": "stdout", "match": "*"}], "filters": [{"name": "modify", "add": "t ${ECS_TASK_ID}"}]},
            {},
            "ECS_TASK_ID",
        ),
    ],
)
def test_what_the_agent_cannot_bring_is_refused(pipeline: dict[str, Any], body: dict[str, Any], why: str) -> None:
    with pytest.raises(Refusal, match=why):
        made(route_document(pipeline=pipeline), class_document(delivery="firelens-s3"), on=subject(**body))


def test_one_plain_output_may_stand_in_the_definition() -> None:
    output = {"name": "cloudwatch_logs", "region": "eu-west-1", "log_group_name": "g", "log_stream_prefix": "a/"}
    desired = made(route_document(pipeline={"outputs": [output]}), class_document(delivery="inline"))
    assert desired.overlay is not None
    assert desired.configs == ()
    options = desired.overlay.log_configurations["app"]["options"]
    assert options == {
        "Name": "cloudwatch_logs",
        "alias": "web.httpd.cloudwatch_logs",
        "region": "eu-west-1",
        "log_group_name": "g",
        "log_stream_prefix": "a/",
        "retry_limit": "5",
        "log-driver-buffer-limit": "8388608",
    }
    assert "healthCheck" not in router(desired)
    assert "environment" not in router(desired)


@pytest.mark.parametrize(
    ("pipeline", "why"),
    [
        ({"outputs": [{"name": "stdout"}, {"name": "null"}]}, "2 outputs"),
        ({"filters": [JSON]}, "filters"),
        ({"outputs": [{"name": "stdout", "match": "app*"}]}, "match"),
        ({"outputs": [{"name": "http", "host": "h", "tls": "On", "header": ["a b", "c d"]}]}, "more than once"),
        ({"outputs": [{"name": "http", "host": "h", "tls": "On", "uri": "/${ECS_TASK_ID}"}]}, "ECS_TASK_ID"),
    ],
)
def test_what_the_definition_cannot_say_is_refused(pipeline: dict[str, Any], why: str) -> None:
    with pytest.raises(Refusal, match=why):
        made(route_document(pipeline=pipeline), class_document(delivery="inline"))


def test_a_line_that_the_old_engine_cannot_read_is_refused() -> None:
    names = [f"{letter}{'-' * 254}" for letter in "abcdefghi"]
    on = subject([{"name": name, "image": "httpd"} for name in names])
    some = [route_document("a", target={"containers": names}), route_document("b", target={"containers": names[:1]})]
    assert made(*some, on=on).routes
    with pytest.raises(Refusal, match="4,000 bytes"):
        made(*some, class_document(engine="1.9.10"), on=on)


@pytest.mark.parametrize("spec", [{"buffer": {"type": "filesystem"}}, {"service": {"flush": "9"}}])
def test_what_a_class_says_of_the_service_is_not_dropped_inline(spec: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="service or a buffer"):
        made(route_document(), class_document(delivery="inline", **spec))


def test_two_routes_are_not_delivered_inline() -> None:
    with pytest.raises(Refusal, match="more than one route"):
        made(route_document("a"), route_document("b"), class_document(delivery="inline"))
