"""Lints of classes and of what routes override, the annotation that allows lints, and who it holds for."""

from __future__ import annotations

import pytest

from controller.fluentbit.lints.registry import LINTS
from tests.unit.specs_support import codes, output, read, route, router_class, told

OLD = "public.ecr.aws/aws-observability/aws-for-fluent-bit"


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("adopt: false", []),
        ("container: {essential: true, stopTimeout: 30}", []),
        ("container: {stopTimeout: 29}", ["STOP_TIMEOUT"]),
        ("container: {stopTimeout: 10}, service: {grace: 10}", []),
        ("container: {stopTimeout: 10}, service: {Grace: 11}", ["STOP_TIMEOUT"]),
        ("service: {grace: 61}", ["STOP_TIMEOUT"]),
        ("service: {grace: 6}", []),
        ("service: {grace: -1}", []),
        ("service: {grace: 0}", ["GRACE_SHORT"]),
        ("container: {memoryReservation: 50}", []),
        ("container: {memoryReservation: 49}", ["MEMORY_LOW"]),
        ("buffer: {type: filesystem}", []),
        ("buffer: {type: filesystem, maxChunksUp: 33}", []),
        ("buffer: {type: filesystem, maxChunksUp: 34}", ["BUFFER_MEMORY"]),
        ("buffer: {type: filesystem, maxChunksUp: 64}, container: {memory: 512}", []),
        ("buffer: {type: memory, maxChunksUp: 64}", []),
        ("driverBufferLimit: 1048576", []),
        ("driverBufferLimit: 1048575", ["DRIVER_BUFFER_SMALL"]),
        ("health: {mode: deep}, container: {essential: false}", ["ROUTER_NOT_ESSENTIAL"]),
        ("container: {healthCheck: {command: [CMD-SHELL, 'curl -f 127.0.0.1:2020/']}}", []),
        ("container: {restartPolicy: {enabled: false}}", []),
        ("container: {readonlyRootFilesystem: false}", []),
        ("container: {readonlyRootFilesystem: true, mountPoints: [{sourceVolume: v, containerPath: /init/}]}", []),
        (
            "container: {readonlyRootFilesystem: true, mountPoints: [{sourceVolume: v, containerPath: /tmp, readOnly: on}]}",
            ["READONLY_ROOT"],
        ),
        ("container: {readonlyRootFilesystem: true, linuxParameters: {tmpfs: [{containerPath: /tmp, size: 9}]}}", []),
        ("container: {logConfiguration: {logDriver: json-file}}", []),
        ("container: {logConfiguration: {logDriver: awslogs, options: {mode: blocking}}}", ["ROUTER_LOGS_BLOCKING"]),
        ("image: 'x/y:1.2', engine: 5.0.9", []),
        ("image: 'x/y:latest', engine: 5.0.9", ["IMAGE_FLOATING"]),
        ("image: 'localhost:5000/y', engine: 5.0.9", ["IMAGE_FLOATING"]),
        (f"image: 'x/y@sha256:{'0' * 64}', engine: 5.0.9", []),
        (f"image: '{OLD}:init-3.5', engine: '5.1'", ["IMAGE_FLOATING"]),
        (f"image: '{OLD}:init-3.5.8'", []),
        (f"image: '{OLD}:init-3.4.15.20260101'", []),
        ("image: 'x/y:1.2', engine: 1.9.10", ["IMAGE_END_OF_LIFE"]),
        (f"image: '{OLD}:init-3.4.15', engine: unchecked", []),
    ],
)
def test_classes(spec: str, found: list[str]) -> None:
    assert codes(router_class(spec=spec)) == found


def test_a_lint_points_at_the_field() -> None:
    text = router_class(spec="container: {readonlyRootFilesystem: true}, service: {grace: 90}")
    assert told(read(text)) == [("READONLY_ROOT", "0.yaml", 4, 44), ("STOP_TIMEOUT", "0.yaml", 4, 68)]


@pytest.mark.parametrize(
    ("spec", "pipeline", "found"),
    [
        ("router: {service: {grace: 70}}", "", [("STOP_TIMEOUT", 6, 29)]),
        ("", "service: {grace: 70}", [("STOP_TIMEOUT", 7, 22)]),
        ("", "service: {grace: 3}", [("GRACE_SHORT", 7, 22)]),
        ("router: {memoryReservation: 40}", "", [("MEMORY_LOW", 6, 31)]),
        ("router: {health: {mode: deep}}", "", [("HEALTH_DEEP_ESSENTIAL", 6, 27)]),
        ("router: {buffer: {type: filesystem, maxChunksUp: 99}}", "", [("BUFFER_MEMORY", 6, 52)]),
        ("router: {buffer: {type: filesystem, maxChunksUp: 99}, memoryReservation: 512}", "", []),
        ("router: {cpu: 64}", "service: {flush: 2}", []),
    ],
)
def test_what_a_route_overrides_is_told_there(spec: str, pipeline: str, found: list[tuple[str, int, int]]) -> None:
    read_back = read(route(spec=spec, pipeline=pipeline))
    assert [(code, line, column) for code, _, line, column in told(read_back)] == found


def test_a_route_is_not_blamed_for_its_class() -> None:
    strict = router_class(spec="health: {mode: deep}, buffer: {type: filesystem, maxChunksUp: 99}")
    found = read(route(spec="router: {health: {port: 2021}, buffer: {totalLimitSize: 1G}}"), strict)
    assert {(problem.code, problem.file) for problem in found.problems} == {
        ("HEALTH_DEEP_ESSENTIAL", "1.yaml"),
        ("BUFFER_MEMORY", "1.yaml"),
    }


def allowing(codes: str) -> str:
    return f'annotations: {{logroute.dev/allow: "{codes}"}}'


def test_lints_that_are_errors_can_be_allowed_and_then_the_route_counts() -> None:
    assert not read(route(outputs="[{name: forward}]")).routes
    found = read(route(outputs="[{name: forward}]", metadata=allowing("FORWARD_TO_SELF")))
    assert (len(found.routes), found.problems) == (1, ())


def test_a_class_and_an_output_allow_their_own() -> None:
    shared = output(options="name: forward").replace(
        "namespace: web}", f"namespace: web, {allowing('FORWARD_TO_SELF')}}}"
    )
    strict = router_class(spec="service: {grace: 90}").replace("default}", f"default, {allowing('STOP_TIMEOUT')}}}")
    assert codes(route(outputs="[{ref: archive}]"), shared, strict) == []


def test_an_output_s_lint_that_is_an_error_breaks_those_who_refer_to_it() -> None:
    found = read(
        route(outputs="[{ref: archive}]", metadata=allowing("FORWARD_TO_SELF")), output(options="name: forward")
    )
    assert [(problem.code, problem.file) for problem in found.problems] == [
        ("REF_INVALID", "0.yaml"),
        ("FORWARD_TO_SELF", "1.yaml"),
    ]


@pytest.mark.parametrize("where", ["route", "output", "nowhere"])
def test_what_a_shared_output_does_in_one_route_is_told_and_allowed_on_either(where: str) -> None:
    code = allowing("OUTPUT_UNREACHABLE")
    shared = output(options="name: stdout, match: nobody")
    if where == "output":
        shared = shared.replace("namespace: web}", f"namespace: web, {code}}}")
    text = route(outputs="[{name: stdout}, {ref: archive}]", metadata=code if where == "route" else "")
    assert told(read(text, shared)) == ([("OUTPUT_UNREACHABLE", "0.yaml", 7, 37)] if where == "nowhere" else [])


def test_a_retention_that_another_s_log_group_forestalls_is_told_at_the_ref() -> None:
    making = "name: cloudwatch_logs, region: r, log_group_name: /g, log_stream_prefix: x/, auto_create_group: On"
    shared = output(options=f"{making}, log_retention_days: 3")
    text = route(outputs="[{ref: archive}]", spec="logGroups: [{name: /g}]")
    assert told(read(text, shared)) == [("LOG_RETENTION_NOT_APPLIED", "0.yaml", 8, 21)]
    own = output(options=f"{making}, log_retention_days: 3", spec="logGroups: [{name: /g}]")
    assert [(code, file) for code, file, _, _ in told(read(text, own))] == [("LOG_RETENTION_NOT_APPLIED", "1.yaml")]


def test_a_code_that_no_lint_has_is_told_with_the_nearest() -> None:
    found = read(route(metadata=allowing("S3_OVERWRIT, , NOTHING_LIKE_IT")))
    assert told(found) == [("UNKNOWN_LINT", "0.yaml", 3, 75)] * 2
    assert {problem.hint for problem in found.problems} == {
        "did you mean S3_OVERWRITE?",
        "take it out of the annotation; the codes are in docs/lints.md",
    }
    assert codes(router_class().replace("default}", f"default, {allowing('x')}}}")) == ["UNKNOWN_LINT"]
    assert codes(output().replace("namespace: web}", f"namespace: web, {allowing('x')}}}")) == ["UNKNOWN_LINT"]


def test_no_lint_has_the_code_of_an_error_that_cannot_be_allowed() -> None:
    hard = ["UNKNOWN_OPTION", "SECRET_IN_CLEAR", "UNSAFE_VALUE", "INVALID_MATCH", "DUPLICATE_ALIAS", "REF_NOT_FOUND"]
    assert LINTS.keys().isdisjoint(hard)
    for code in hard:
        assert "UNKNOWN_LINT" in codes(route(metadata=allowing(code)))
