"""A config that its engine refuses does not reach a service. The engine here is a stand-in that refuses a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.cli.main import main
from tests.support.engines import STAY, UP, fake, says
from tests.support.playground import REGION, Playground, plain_definition, route_yaml

GOOD, BAD = "[{name: stdout, alias: o}]", "[{name: stdout, alias: bananas}]"
REFUSES = (
    "if grep -q bananas pipeline.conf; then",
    says("[output:stdout:web.httpd.bananas] no bananas"),
    "exit 255; fi",
)


@pytest.fixture
def engine(play: Playground, tmp_path: Path) -> Path:
    """The playground's controller has it for 5.0.9, the engine of the built-in class."""
    program = fake(tmp_path / "fluent-bit", f"echo x >> {tmp_path}/starts", *REFUSES, UP, STAY)
    play.settings = play.settings.model_copy(update={"fluent_bit": {"5.0.9": program}})
    play.start()
    return program


def starts(engine: Path) -> int:
    path = engine.parent / "starts"
    return len(path.read_text().split()) if path.exists() else 0


def checks(play: Playground) -> dict[str, float]:
    lines = play.metrics.render()[0].decode().splitlines()
    rows = [line.rsplit(" ", 1) for line in lines if line.startswith("logroute_config_checks_total{")]
    return {name.split('"')[1]: float(value) for name, value in rows}


def test_a_config_that_its_engine_refuses_is_not_rolled_out(play: Playground, engine: Path) -> None:
    play.service()
    before = play.running()["taskDefinition"]["taskDefinitionArn"]
    play.write("httpd.yaml", route_yaml(outputs=BAD))
    play.settle()
    assert play.running()["taskDefinition"]["taskDefinitionArn"] == before
    assert play.revisions() == 1
    assert play.configs() == {}
    assert play.reason() == "ConfigRejected"
    assert play.status()["Stalled"] == ("True", "ConfigRejected")
    assert play.status()["Ready"] == ("False", "ConfigRejected")
    services = play.controller.board.plain()["services"]
    assert "no bananas" in services[f"main/{REGION}/example-poc-app/example"]["message"]
    assert 'logroute_services{state="ConfigRejected"} 1.0' in play.metrics.render()[0].decode()
    assert checks(play) == {"accepted": 0, "rejected": 1, "unchecked": 0}
    assert starts(engine) == 1


def test_it_goes_when_the_spec_is_mended(play: Playground, engine: Path) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(outputs=BAD))
    play.settle()
    play.write("httpd.yaml", route_yaml(outputs=GOOD))
    play.settle()
    assert play.is_routed()
    assert play.status()["Ready"] == ("True", "InSync")
    assert checks(play) == {"accepted": 1, "rejected": 1, "unchecked": 0}
    assert starts(engine) == 2


def test_a_service_keeps_the_router_that_it_has(play: Playground, engine: Path) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(outputs=GOOD))
    play.settle()
    before, configs = play.running()["taskDefinition"]["taskDefinitionArn"], play.configs()
    play.write("httpd.yaml", route_yaml(outputs=BAD))
    play.settle()
    assert play.running()["taskDefinition"]["taskDefinitionArn"] == before
    assert play.configs() == configs
    assert play.reason() == "ConfigRejected"
    assert starts(engine) == 2


def test_a_rejected_config_stops_no_restore(play: Playground, engine: Path) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(outputs=GOOD))
    play.settle()
    play.write("httpd.yaml", route_yaml(outputs=BAD))
    play.settle()
    play.remove("httpd.yaml")
    play.settle()
    assert not play.is_routed()
    assert starts(engine) == 2


def test_one_start_serves_all_services_with_the_same_config(play: Playground, engine: Path) -> None:
    names = [f"example-{number}" for number in range(4)]
    for name in names:
        play.service(name)
    play.write("all.yaml", route_yaml("all", services='["*"]', outputs=GOOD))
    play.settle()
    assert all(map(play.is_routed, names))
    assert starts(engine) == 1


def test_a_service_in_sync_is_never_asked_about(play: Playground, engine: Path) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(outputs=GOOD))
    play.settle()
    play.start()  # a new process, which has asked nobody yet
    play.settle()
    assert starts(engine) == 1
    assert checks(play) == {"accepted": 0, "rejected": 0, "unchecked": 0}


def test_after_a_restart_a_refused_config_is_asked_about_once_more(play: Playground, engine: Path) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(outputs=BAD))
    play.settle()
    play.start()
    play.settle()
    assert not play.is_routed()
    assert play.reason() == "ConfigRejected"
    assert starts(engine) == 2


def test_a_drifted_router_comes_back_on_the_config_that_it_ran(play: Playground, engine: Path) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(outputs=GOOD))
    play.settle()
    body = {key: value for key, value in play.running()["taskDefinition"].items() if key in plain_definition()}
    for container in body["containerDefinitions"]:
        if container["name"] == "log_router":
            container["memoryReservation"] = 77
    play.deploy(body)
    play.start()
    play.settle()
    assert play.containers()["log_router"]["memoryReservation"] != 77
    assert starts(engine) == 1


def test_a_binary_that_vanished_stops_nothing(play: Playground, engine: Path) -> None:
    engine.unlink()
    play.service()
    play.write("httpd.yaml", route_yaml(outputs=BAD))
    play.settle()
    assert play.is_routed()
    assert checks(play)["unchecked"] >= 1
    assert checks(play)["rejected"] == 0


def test_without_a_binary_configs_are_rolled_out_and_counted_as_unchecked(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(outputs=BAD))
    play.settle()
    assert play.is_routed()
    assert checks(play) == {"accepted": 0, "rejected": 0, "unchecked": 1}


def test_plan_shows_what_the_engine_said_and_apply_leaves_it(
    play: Playground, engine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml(outputs=BAD))
    monkeypatch.setenv("LOGROUTE_CONFIG_STORE", str(play.settings.config_store))
    monkeypatch.setenv("LOGROUTE_FLUENT_BIT", f'{{"5.0.9": "{engine}"}}')
    monkeypatch.setenv("AWS_REGION", REGION)
    for command, status in (("plan", 2), ("apply", 3)):
        with pytest.raises(SystemExit) as ended:
            main([command, "--source", str(play.specs)])
        said = capsys.readouterr().out
        assert ended.value.code == status, said
        assert "ConfigRejected" in said
        assert "no bananas" in said
    assert not play.is_routed()
