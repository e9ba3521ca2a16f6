"""What no changed spec explains waits for a person, beyond a share and a count."""

from __future__ import annotations

import pytest

from controller.cli.main import main
from controller.settings import Guards
from tests.support.playground import REGION, Playground, plain_definition, route_yaml

NAMES = [f"example-{number}" for number in range(5)]
EVERYTHING = route_yaml("all", services='["*"]')


def fleet(play: Playground) -> None:
    for name in NAMES:
        play.service(name)
    play.write("all.yaml", EVERYTHING)
    play.settle()
    assert all(map(play.is_routed, NAMES))


def approve(play: Playground, monkeypatch: pytest.MonkeyPatch, digest: str) -> int:
    monkeypatch.setenv("LOGROUTE_CONFIG_STORE", str(play.settings.config_store))
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setattr("controller.cli.approve.time.time", play.sandbox.clock.now)
    with pytest.raises(SystemExit) as ended:
        main(["approve", digest])
    return int(ended.value.code or 0)


def blocked(play: Playground) -> str:
    """The digest of the plan that waits."""
    (key,) = (key for key in play.objects() if key.startswith("_state/blocked/"))
    return key.removeprefix("_state/blocked/").removesuffix(".json")


def test_a_first_rollout_of_many_services_is_explained_by_its_spec(play: Playground) -> None:
    fleet(play)


def test_many_restores_at_once_wait_for_approval(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(play)
    play.remove("all.yaml")
    play.settle()
    assert all(map(play.is_routed, NAMES))
    assert {play.reason(name) for name in NAMES} == {"PlanBlocked"}
    assert approve(play, monkeypatch, blocked(play)[:12]) == 0
    play.settle()
    assert not any(map(play.is_routed, NAMES))


def test_a_few_restores_go_on_without_asking(play: Playground) -> None:
    fleet(play)
    play.write("all.yaml", route_yaml("all", services='["*", "!example-1", "!example-2"]'))
    play.settle()
    assert [play.is_routed(name) for name in NAMES] == [True, False, False, True, True]


def test_an_empty_source_restores_nothing_however_few_they_are(play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    for path in play.specs.iterdir():
        path.unlink()
    play.settle()
    assert play.is_routed()
    assert play.reason() == "PlanBlocked"


def test_drift_on_many_services_at_once_waits(play: Playground) -> None:
    fleet(play)
    for name in NAMES:
        play.deploy(plain_definition(name, image="httpd:2.4.65"), name)
    play.settle()
    assert not any(map(play.is_routed, NAMES))
    assert {play.reason(name) for name in NAMES} == {"PlanBlocked"}


def test_an_approval_covers_any_part_of_its_plan_and_nothing_else(
    play: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet(play)
    play.remove("all.yaml")
    play.settle(times=1)
    approve(play, monkeypatch, blocked(play))
    play.write("all.yaml", route_yaml("all", services="[example-0]"))
    play.settle()
    assert [play.is_routed(name) for name in NAMES] == [True, False, False, False, False]


def test_an_approval_ends_after_a_day(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(play)
    play.remove("all.yaml")
    play.settle(times=1)
    approve(play, monkeypatch, blocked(play))
    play.sandbox.advance(25 * 3600)
    play.settle()
    assert all(map(play.is_routed, NAMES))


def test_a_digest_that_names_nothing_is_an_error(
    play: Playground, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert approve(play, monkeypatch, "0123456789ab") == 1
    assert "no blocked plan" in capsys.readouterr().err
    assert approve(play, monkeypatch, "../../x") == 1


def test_a_first_run_may_be_told_to_plan_first(play: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
    play.settings = play.settings.model_copy(update={"guards": Guards.model_validate({"firstRun": "plan"})})
    play.start()
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    assert not play.is_routed()
    approve(play, monkeypatch, blocked(play))
    play.settle()
    assert play.is_routed()
