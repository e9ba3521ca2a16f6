"""`spec.ignore` holds nothing that would make LogRoute blind, or its router fail."""

from __future__ import annotations

import pytest

from controller.specs.ignoring import refusal
from controller.specs.load import load
from controller.taskdef.ignoring import steps_of
from tests.support.playground import route_yaml

ALLOWED = [
    "/container/memoryReservation",
    "/container/cpu",
    "/container/essential",
    "/container/environment/FLB_LOG_LEVEL",
    "/container/environment/a~1b",
    "/container/secrets/DD_API_KEY",
    "/container/ulimits",
    "/container/ulimits/nofile",
    "/container/ulimits/nofile/softLimit",
    "/container/mountPoints/spool",
    "/container/portMappings",
    "/container/healthCheck",
    "/container/healthCheck/interval",
    "/container/logConfiguration/options",
    "/container/logConfiguration/options/awslogs-stream-prefix",
    "/container/dockerLabels/team",
    "/containers/app/dependsOn",
    "/containers/app/logConfiguration/options",
    "/containers/app/logConfiguration/options/log-driver-buffer-limit",
    "/volumes/spool",
    "/volumes/spool/host",
]
REFUSED = [
    ("/container", "as a whole"),
    ("/container/", "as a whole"),
    ("/container/name", "how LogRoute finds its router"),
    ("/container/image", "Fluent Bit in the image"),
    ("/container/command", "what the router runs"),
    ("/container/entryPoint/0", "what the router runs"),
    ("/container/environmentFiles", "may name the config"),
    ("/container/firelensConfiguration", "makes the container a router"),
    ("/container/firelensConfiguration/options/config-file-value", "makes the container a router"),
    ("/container/dependsOn", "can wait for none"),
    ("/container/environment", "some of them LogRoute needs"),
    ("/container/secrets", "some of them LogRoute needs"),
    ("/container/dockerLabels", "some of them LogRoute needs"),
    ("/container/environment/aws_fluent_bit_init_s3_1", "names the config"),
    ("/container/environment/AWS_FLUENT_BIT_INIT_FILE_2/value", "names the config"),
    ("/container/dockerLabels/logroute.dev~1digest", "own mark"),
    ("/container/dockerLabels/team/x", "no parts"),
    ("/container/logConfiguration", "must not go through it"),
    ("/container/logConfiguration/logDriver", "must not go through it"),
    ("/container/cpu/shares", "compared as a whole"),
    ("/container/memoryReservations", "a container has no memoryReservations"),
    ("/containers", "as a whole"),
    ("/containers/app", "as a whole"),
    ("/containers/app/logConfiguration", "no log reaches the router"),
    ("/containers/app/logConfiguration/logDriver", "no log reaches the router"),
    ("/containers/app/image", "owns no such part"),
    ("/containers/app/dependsOn/db", "owns no such part"),
    ("/volumes", "names no volume"),
    ("/volumes/", "names no volume"),
    ("/cpu", "nothing that LogRoute owns"),
]


@pytest.mark.parametrize("pointer", ALLOWED)
def test_what_harms_nobody_may_be_ignored(pointer: str) -> None:
    assert refusal(steps_of(pointer)) is None


@pytest.mark.parametrize(("pointer", "why"), REFUSED)
def test_what_would_harm_may_not(pointer: str, why: str) -> None:
    found = refusal(steps_of(pointer))
    assert found is not None
    assert why in found[0]
    assert found[1]


def test_a_refused_pointer_is_said_where_it_stands() -> None:
    text = route_yaml(extra="  ignore:\n    - /container/cpu\n    - /container/memoryReservations\n")
    [problem] = load("r1", {"route.yaml": text.encode()}).problems
    line = text.splitlines().index("    - /container/memoryReservations") + 1
    assert str(problem) == (
        f"route.yaml:{line}:7: error IGNORE_REFUSED: /container/memoryReservations cannot be ignored: "
        "a container has no memoryReservations\n    did you mean memoryReservation?"
    )


def test_what_is_no_pointer_is_said() -> None:
    text = route_yaml(extra="  ignore: [container/cpu]\n")
    [problem] = load("r1", {"route.yaml": text.encode()}).problems
    assert "JSON pointer" in problem.message + problem.hint
