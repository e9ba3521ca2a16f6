"""Secrets are planted wherever one could stand; a controller that runs, and every command, show none of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.sandbox import RealClock, Sandbox
from controller.telemetry.redaction import spellings
from tests.support.playground import (
    ALL_AT_ONCE,
    CLUSTER,
    PREFIX,
    REGION,
    STORE,
    Playground,
    plain_definition,
    route_yaml,
)
from tests.support.process import Process
from tests.support.watching import LINUX, Watch

PLANTS = {
    name: f"pl4nted-{name}-S3cr3tV4lue"
    for name in ("git", "aws", "session", "database", "env", "splunk", "label", "apikey", "password", "bearer", "url")
}
COMMANDS = (
    ("validate", "{specs}"),
    ("validate", "{specs}", "--format", "json"),
    ("plan",),
    ("plan", "--format", "json"),
    ("plan", "--format", "markdown"),
    ("apply",),
    ("status",),
    ("status", "--format", "json"),
    ("doctor",),
    ("iam", "controller"),
    ("iam", "execution-role", "--specs", "{specs}"),
    ("suspend", "web/nothing"),
    ("plan", "--source", "git+https://somebody:{url}@127.0.0.1:1/specs.git"),
)


def application() -> dict[str, object]:
    return plain_definition(
        environment=[
            {"name": "DATABASE_URL", "value": f"postgres://app:{PLANTS['database']}@db/x"},
            {"name": "API_TOKEN", "value": PLANTS["env"]},
        ],
        dockerLabels={"traefik.basicauth": f"admin:{PLANTS['label']}"},
        logConfiguration={
            "logDriver": "splunk",
            "options": {"splunk-token": PLANTS["splunk"], "splunk-url": "https://splunk.example"},
        },
    )


def broken() -> str:
    """Secrets in clear: refused, and not repeated."""
    outputs = (
        f"[{{name: datadog, apikey: {PLANTS['apikey']}}}, "
        f"{{name: http, host: x.example, http_user: me, http_passwd: {PLANTS['password']}}}, "
        f"{{name: http, host: y.example, header: 'Authorization Bearer {PLANTS['bearer']}'}}]"
    )
    return route_yaml("leaky", outputs=outputs)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Playground]:
    with Sandbox(region=REGION, clock=RealClock(60)) as sandbox, pytest.MonkeyPatch.context() as patch:
        planted = {
            "AWS_SECRET_ACCESS_KEY": PLANTS["aws"],
            "AWS_SESSION_TOKEN": PLANTS["session"],
            "LOGROUTE_GIT_TOKEN": PLANTS["git"],
        }
        for name, value in {**sandbox.environment(), **planted}.items():
            patch.setenv(name, value)
        specs = tmp_path / "specs"
        specs.mkdir()
        (specs / "class.yaml").write_text(ALL_AT_ONCE)
        found = Playground(sandbox, specs)
        found.service(definition=application())
        found.write("httpd.yaml", route_yaml())
        found.write("leaky.yaml", broken())
        yield found


@pytest.mark.soak
@pytest.mark.skipif(not LINUX, reason="it reads command lines as Linux tells them")
def test_secrets_that_are_planted_everywhere_are_found_nowhere(play: Playground, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        **{name: value for name, value in play.sandbox.environment().items() if not name.startswith("AWS_S")},
        "LOGROUTE_CONFIG_STORE": f"s3://{STORE}/{PREFIX}",
        "LOGROUTE_SOURCE": str(play.specs),
        "AWS_REGION": REGION,
    }
    process = Process(play, tmp_path, more="fluentBit: {}\n")
    watch = Watch(process.process.pid)
    watch.start()
    try:
        process.until(play.is_routed)
        process.until(lambda: any(line["event"] == "spec problem" for line in process.lines()))
        play.sandbox.add_fault(
            calls="ecs:DescribeServices", effect="error", code="AccessDeniedException", status=400, times=2
        )
        play.deploy(application() | {"family": "example"})
        process.until(lambda: any(line["level"] == "error" for line in process.lines()))
        told = [process.get(path)[1] for path in ("/metrics", "/healthz", "/readyz", "/nothing")]
    finally:
        process.stop(signal.SIGTERM)
        watch.over.set()
        watch.join()
    told += [process.log.read_text(), str(watch.lines), str(watch.environments)]
    told += [str(body) for key, body in play.objects().items() if key.endswith(("status.json", ".conf"))]
    for words in COMMANDS:
        given = [word.format(specs=play.specs, url=PLANTS["url"]) for word in words]
        command = [sys.executable, "-m", "controller", *given]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert "Traceback" not in ended.stderr
        told.append(ended.stdout + ended.stderr)
    assert any("log_router" in one for one in told)
    assert CLUSTER in str(told)
    assert b"run" in b"".join(watch.lines)
    for name, secret in PLANTS.items():
        for form in spellings(secret):
            assert not [one[max(0, one.find(form) - 300) : one.find(form)] for one in told if form in one], name
