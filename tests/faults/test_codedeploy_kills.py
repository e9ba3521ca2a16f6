"""The process dies at any AWS call on the way to a deployment by CodeDeploy: the next one ends in the same world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controller.aws.accounts import AwsAccount
from controller.sandbox import Sandbox
from tests.support.playground import ALL_AT_ONCE, OUTPUT, REGION, Playground, plain_definition, route_yaml
from tests.support.shop import Shop
from tests.support.sites import Killed, Wire

MOMENTS = {"before the call": False, "with its answer on the way": True}
SOME = 5
"""Kills that `make test` takes, spread over the way."""


@contextmanager
def world(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[tuple[Shop, Wire]]:
    """A service that is deployed, and specs that route it."""
    folder.mkdir()
    with Sandbox(region=REGION) as sandbox:
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        (folder / "archive.yaml").write_text(OUTPUT)
        (folder / "class.yaml").write_text(ALL_AT_ONCE)
        shop = Shop(Playground(sandbox, folder))
        shop.deploy(plain_definition())
        sandbox.advance(1200)
        shop.play.write("httpd.yaml", route_yaml())
        account = shop.play.app.world.home_site.account
        assert isinstance(account, AwsAccount)
        yield shop, Wire(account)


def way(shop: Shop) -> None:
    """Looks until the rollout is proven."""
    for _ in range(8):
        shop.play.step()
        shop.play.sandbox.advance(60)
        shop.play.clock.advance(60)


@pytest.fixture(scope="module")
def number(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Of the calls on a way that nobody interrupts."""
    with pytest.MonkeyPatch.context() as patch, world(tmp_path_factory.mktemp("calm") / "specs", patch) as (shop, wire):
        way(shop)
        number = len(wire.asked)
        ended(shop)
        return number


def ended(shop: Shop) -> None:
    shop.play.settle(times=6)
    assert shop.is_routed
    assert shop.play.reason() == "InSync"
    assert [one["status"] for one in shop.deployments()] == ["Succeeded", "Succeeded"]
    assert shop.play.revisions() == 3


def killed(folder: Path, patch: pytest.MonkeyPatch, at: int, *, answered: bool) -> None:
    with world(folder, patch) as (shop, wire):
        with pytest.raises(Killed), wire.cut(at, answered=answered):
            way(shop)
        shop.play.start()
        ended(shop)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("part", range(SOME))
def test_a_kill_on_the_way_costs_no_second_deployment(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int, moment: str
) -> None:
    at = 1 + part * (number - 1) // (SOME - 1)
    killed(tmp_path / "specs", monkeypatch, at, answered=MOMENTS[moment])


@pytest.mark.soak
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("tenth", range(10))
def test_a_kill_at_every_single_call_costs_no_second_deployment(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tenth: int, moment: str
) -> None:
    for at in range(1 + tenth, number + 1, 10):
        killed(tmp_path / f"specs-{at}", monkeypatch, at, answered=MOMENTS[moment])
