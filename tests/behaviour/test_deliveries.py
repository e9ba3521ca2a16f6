"""A config that the agent brings, and one output within the definition itself: applied, kept and taken back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.playground import PREFIX, STORE, Playground, plain_definition, route_yaml

CLASS = """
apiVersion: logroute.dev/v1alpha1
kind: LogRouterClass
metadata: {{name: default}}
spec: {{delivery: {delivery}}}
"""
SHARED_PORT = "    inputs: [{name: tcp, tag: emf, listen: 127.0.0.1, port: 25888, format: none}]\n"


def on_ec2() -> dict[str, Any]:
    return {**plain_definition(), "requiresCompatibilities": ["EC2"]}


def converged(play: Playground, delivery: str, **service: Any) -> dict[str, Any]:
    play.service(**service)
    play.write("class.yaml", CLASS.format(delivery=delivery))
    play.write("httpd.yaml", route_yaml())
    play.settle(times=4)
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")
    revisions = play.revisions()
    play.settle()
    assert play.revisions() == revisions
    return play.containers()["log_router"]


def test_the_agent_brings_the_config_where_the_class_says_so(play: Playground) -> None:
    router = converged(play, "firelens-s3", definition=on_ec2(), launchType="EC2")
    (config,) = play.configs()
    options = router["firelensConfiguration"]["options"]
    assert options["config-file-value"] == f"arn:aws:s3:::{STORE}/{PREFIX}/{config}"


def test_a_config_that_the_agent_brings_comes_back_when_deleted(play: Playground) -> None:
    converged(play, "firelens-s3", definition=on_ec2(), launchType="EC2")
    (config,) = play.configs()
    play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{config}")
    play.step()
    assert list(play.configs()) == [config]


def test_a_router_that_lost_its_labels_is_still_ours(play: Playground) -> None:
    """A tool that copies a definition without labels leaves the config's name in it."""
    converged(play, "firelens-s3", definition=on_ec2(), launchType="EC2")
    body = play.running()["taskDefinition"]
    for container in body["containerDefinitions"]:
        container.pop("dockerLabels", None)
    kept = {key: body[key] for key in ("family", "containerDefinitions", "networkMode", "cpu", "memory")}
    roles = {key: body[key] for key in ("taskRoleArn", "executionRoleArn") if key in body}
    play.deploy({**kept, **roles, "requiresCompatibilities": ["EC2"]})
    play.sandbox.advance(120)
    play.settle()
    assert play.status()["Ready"] == ("True", "InSync")


def test_on_fargate_the_agent_brings_nothing_and_it_is_said(play: Playground) -> None:
    play.service()
    play.write("class.yaml", CLASS.format(delivery="firelens-s3"))
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert not play.is_routed()
    assert play.reason() == "Unsupported"


def test_one_output_inline_needs_nothing_in_s3(play: Playground) -> None:
    converged(play, "inline")
    assert play.configs() == {}
    assert (
        play.containers()["example" if "example" in play.containers() else "app"]["logConfiguration"]["options"]["Name"]
        == "stdout"
    )
    play.write("other.yaml", route_yaml("other", services="[nobody]"))
    play.remove("httpd.yaml")
    play.settle()
    assert "log_router" not in play.containers()


def test_a_route_whose_port_is_taken_says_so_and_the_other_goes_on(play: Playground) -> None:
    play.service()
    play.write("a.yaml", route_yaml("a", extra=SHARED_PORT))
    play.write("b.yaml", route_yaml("b", extra=SHARED_PORT))
    play.settle()
    assert play.is_routed()
    assert play.status("web/a")["Ready"] == ("True", "InSync")
    assert play.status("web/b")["Ready"] == ("False", "PortTaken")


@pytest.mark.parametrize("store", [True, False])
def test_inject_of_an_inline_route_needs_no_store(store: bool, tmp_path: Any, capsys: Any) -> None:
    from controller.cli.main import main

    (tmp_path / "specs.yaml").write_text(f"{CLASS.format(delivery='inline')}---\n{route_yaml()}")
    (tmp_path / "td.json").write_text(json.dumps(plain_definition()))
    arguments = ["inject", "--task-definition", str(tmp_path / "td.json"), "--specs", str(tmp_path / "specs.yaml")]
    more = ["--config-store", "s3://configs/x"] if store else []
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--cluster", "example-poc-app", "--region", "eu-west-1", *more])
    assert ended.value.code == 0
    body = json.loads(capsys.readouterr().out)
    assert body["containerDefinitions"][0]["logConfiguration"]["options"]["Name"] == "stdout"
