"""Tenants, as plan, validate and the controller hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from controller.api.tenants import Tenant
from controller.cli.main import main
from tests.support.playground import ALL_AT_ONCE, OUTPUT, REGION, Playground, route_yaml

BOUNDED = {"namespaces": ["web"], "paths": ["web/"], "services": ["web-*"]}
PLATFORM = {"namespaces": ["platform"], "paths": ["platform/"]}


@pytest.fixture
def bounded(play: Playground) -> Playground:
    for folder in ("web", "platform"):
        (play.specs / folder).mkdir()
    play.remove("archive.yaml")
    play.write("platform/stays.yaml", OUTPUT.replace("namespace: web", "namespace: platform"))
    play.write("class.yaml", ALL_AT_ONCE)
    play.write("web/web.yaml", route_yaml("web", "[web-a]"))
    play.write("platform/pay.yaml", route_yaml("pay", "[pay]").replace("namespace: web", "namespace: platform"))
    for name in ("web-a", "pay"):
        play.service(name)
    return under(play, BOUNDED, PLATFORM)


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0)


def under(play: Playground, *tenants: Mapping[str, object]) -> Playground:
    some = tuple(Tenant.model_validate(one) for one in tenants)
    play.settings = play.settings.model_copy(update={"tenants": some})
    play.start()
    return play


def test_what_a_tenant_may_is_rolled_out_and_what_it_may_not_is_said(
    bounded: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    bounded.write("web/evil.yaml", route_yaml("evil", '["*"]'))
    bounded.settle()
    assert bounded.is_routed("web-a")
    assert bounded.is_routed("pay")
    routers = [one["dockerLabels"] for one in bounded.containers("pay").values() if "dockerLabels" in one]
    assert "evil" not in json.dumps(routers)
    problems = bounded.controller.board.plain()["problems"]
    assert [(one["file"], one["code"]) for one in problems if one["severity"] == "error"] == [
        ("web/evil.yaml", "TENANT_SERVICE")
    ]
    settings = {"tenants": [BOUNDED, PLATFORM], "source": str(bounded.specs), "region": REGION}
    path = bounded.specs.parent / "bounded.yaml"
    path.write_text(json.dumps({**settings, "configStore": bounded.settings.config_store}))
    assert run("plan", "--config", str(path)) == 1  # as for every broken spec
    assert "web/evil.yaml:5:" in capsys.readouterr().out


def test_nobody_takes_a_neighbour_s_router_out_by_taking_its_name(bounded: Playground) -> None:
    bounded.settle()
    bounded.write("web/evil.yaml", route_yaml("pay", "[web-a]").replace("namespace: web", "namespace: platform"))
    bounded.write("web/class.yaml", ALL_AT_ONCE)
    before = bounded.running("pay")
    bounded.settle()
    assert bounded.running("pay") == before
    bounded.remove("platform/pay.yaml")
    bounded.settle(4)
    assert not bounded.is_routed("pay")


def test_a_changed_setting_takes_no_router_out(bounded: Playground) -> None:
    bounded.settle()
    before = bounded.running("web-a")
    under(bounded, {**BOUNDED, "services": ["elsewhere"]}, PLATFORM).settle()
    assert bounded.running("web-a") == before
    [state] = [one for key, one in bounded.controller.board.plain()["services"].items() if key.endswith("/web-a")]
    assert (state["reason"], "no tenant permits it" in state["message"]) == ("Unknown", True)
    under(bounded, BOUNDED, PLATFORM).settle()
    assert bounded.running("web-a") == before
    assert bounded.status("web/web")["Ready"] == ("True", "InSync")


def test_validate_says_the_same_by_settings_and_by_a_list(
    bounded: Playground, capsys: pytest.CaptureFixture[str]
) -> None:
    bounded.write("web/evil.yaml", route_yaml("evil", '["*"]'))
    some = [BOUNDED, PLATFORM]
    for name, plain in (("list.yaml", some), ("settings.yaml", {"tenants": some, "accounts": {"main": {}}})):
        path = bounded.specs.parent / name
        path.write_text(json.dumps(plain))
        assert run("validate", str(bounded.specs), "--tenants", str(path)) == 1
        assert f"{bounded.specs}/web/evil.yaml:5:" in capsys.readouterr().out
    assert run("validate", str(bounded.specs)) == 0


@pytest.mark.parametrize(
    ("tenants", "says"),
    [
        ([{"paths": ["a/"]}], "tenants.0.namespaces: Field required"),
        ([{"namespaces": []}], "tenants.0.namespaces"),
        ([{"namespaces": ["web"], "clusters": []}], "tenants.0.clusters"),
        ([{"namespaces": ["web"], "cluster": ["a"]}], "tenants.0.cluster: Extra inputs are not permitted"),
        ([{"namespaces": ["web"], "paths": ["../x/"]}], "it leads out of the source"),
        ([{"namespaces": ["web"], "paths": ["/x/"]}], "tenants.0.paths.0"),
        ([{"namespaces": ["!web"]}], "tenants.0.namespaces.0"),
        ({"tenants": "web"}, "tenants"),
        ("web", "the top level must be a mapping of settings"),
    ],
)
def test_tenants_that_make_no_sense_are_refused(
    play: Playground, capsys: pytest.CaptureFixture[str], tenants: object, says: str
) -> None:
    path = play.specs.parent / "tenants.yaml"
    path.write_text(json.dumps(tenants))
    assert run("validate", str(play.specs), "--tenants", str(path)) == 1
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
