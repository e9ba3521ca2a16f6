"""What a plan shows is read on pull requests: secrets of the application are not in it, that they change is."""

from __future__ import annotations

import pytest

from controller.cli.main import main
from tests.support.playground import REGION, Playground, plain_definition, route_yaml

SPLUNK = {"logDriver": "splunk", "options": {"splunk-token": "5ECRE7", "splunk-url": "https://splunk.example"}}


@pytest.fixture(autouse=True)
def _settings(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGROUTE_SOURCE", str(play.specs))
    monkeypatch.setenv("LOGROUTE_CONFIG_STORE", str(play.settings.config_store))
    monkeypatch.setenv("AWS_REGION", REGION)


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_log_driver_s_token_is_masked_and_its_removal_shows(
    play: Playground, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    play.service(definition=plain_definition(logConfiguration=SPLUNK))
    play.write("httpd.yaml", route_yaml())
    with pytest.raises(SystemExit) as ended:
        main(["plan", "--format", form])
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert "5ECRE7" not in told.out + told.err
    assert "splunk-token" in told.out
    assert "https://splunk.example" in told.out


def test_secrets_that_stand_beside_a_change_are_masked_too(
    play: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = [
        {"name": "DATABASE_URL", "value": "postgres://app:5ECRE7@db/x"},
        {"name": "SECRET_KEY_BASE", "value": "5ECRE7"},
        {"name": "STAGE", "value": "prod"},
    ]
    labels = {"traefik.basicauth": "admin:5ECRE7"}
    play.service(definition=plain_definition(environment=environment, dockerLabels=labels, logConfiguration=SPLUNK))
    play.write("httpd.yaml", route_yaml())
    with pytest.raises(SystemExit):
        main(["plan", "--format", "json"])
    assert "5ECRE7" not in capsys.readouterr().out
