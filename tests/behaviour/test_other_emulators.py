"""Endpoints that stand in for ECS without rolling out: the first pass converges, the second writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from controller.cli import converge
from controller.cli.main import main
from controller.sandbox.endpoint.moto_side import reset_moto
from tests.support.playground import CLUSTER, REGION, plain_definition, route_yaml


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A plain moto: it takes everything and never finishes a deployment."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    reset_moto()  # its state is that of the process, and other tests have used it
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "LOGROUTE_CONFIG_STORE": "s3://configs/logroute",
        "LOGROUTE_LIMITS": '{"share": "5000%"}',
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(converge, "pause", lambda _seconds: None)
    yield lambda service: boto3.client(service, region_name=REGION)
    server.stop()


def logroute(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_moto_converges_in_one_pass(moto: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moto("s3").create_bucket(Bucket="configs", CreateBucketConfiguration={"LocationConstraint": REGION})
    ecs = moto("ecs")
    ecs.create_cluster(clusterName=CLUSTER)
    for number in range(5):
        ecs.register_task_definition(**plain_definition(f"example-{number}"))
        ecs.create_service(
            cluster=CLUSTER, serviceName=f"example-{number}", taskDefinition=f"example-{number}", desiredCount=1
        )
    (tmp_path / "all.yaml").write_text(route_yaml("all", services='["*"]'))
    assert logroute("apply", "--source", str(tmp_path)) == 0
    found = ecs.describe_services(cluster=CLUSTER, services=[f"example-{number}" for number in range(5)])["services"]
    assert {service["taskDefinition"].rsplit(":", 1)[-1] for service in found} == {"2"}
    capsys.readouterr()
    assert logroute("plan", "--source", str(tmp_path), "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["changes"] == 0
