"""`inject`, then `restore`: every definition that is at hand, with a router of its own and without, comes back whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from controller.cli.main import main
from controller.taskdef import canonical, foreign
from controller.taskdef.body import register_form
from tests.support.cases import Case, cases, definitions

ADOPTING = (
    "apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\nmetadata: {name: default}\nspec: {adopt: true}\n---\n"
)
ROUTE = (
    "apiVersion: logroute.dev/v1alpha1\nkind: LogRoute\nmetadata: {name: all}\n"
    'spec:\n  target: {cluster: c, services: ["*"]}\n  pipeline:\n    outputs: [{name: stdout}]\n'
)


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in arguments])
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("LOGROUTE_LUA", "allow")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "LOGROUTE_CONFIG_STORE", "LOGROUTE_OWNER", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


class There:
    """A folder in which definitions are injected and restored."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.specs = folder / "specs"
        self.specs.mkdir()

    def injected(self, definition: Path, *more: object) -> dict[str, Any]:
        store = ("--config-store", "s3://configs/logroute", "--config-dir", self.folder / "configs")
        files = ("--task-definition", definition, "--specs", self.specs, "-o", self.folder / "out.json")
        assert run("inject", *files, *store, "--cluster", "c", "--region", "us-west-2", *more) == 0
        return _read(self.folder / "out.json")

    def restored(self) -> dict[str, Any]:
        back = self.folder / "back.json"
        assert run("restore", "--task-definition", self.folder / "out.json", "-o", back) == 0
        return _read(back)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def canon(body: dict[str, Any]) -> dict[str, Any]:
    return canonical.canonical(register_form(body))


@pytest.fixture
def there(tmp_path: Path) -> There:
    return There(tmp_path)


@pytest.mark.parametrize("definition", definitions(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_a_plain_route_is_injected_into_comes_back(there: There, definition: Path) -> None:
    (there.specs / "route.yaml").write_text(ADOPTING + ROUTE)
    once = there.injected(definition)
    assert [one["name"] for one in foreign.routers(once)] == ["log_router"]
    assert there.injected(there.folder / "out.json") == once
    assert canon(there.restored()) == canon(_read(definition))


@pytest.mark.parametrize("case", cases(), ids=str)
def test_a_hand_made_router_gives_way_to_its_own_import_and_comes_back(there: There, case: Case) -> None:
    spec = there.specs / "route.yaml"
    given = ("--config", case.alone) if case.alone else ()
    files = ("--task-definition", case.definition, "--config-dir", case.files, "-o", spec)
    assert run("import", *files, *given, "--engine", "5.0.9", "--region", "us-west-2", "--cluster", "c") == 0
    spec.write_text(spec.read_text().replace("\nspec:\n  image:", "\nspec:\n  adopt: true\n  image:"))
    made = there.injected(case.definition)
    theirs = foreign.find(register_form(_read(case.definition)))
    assert theirs is not None
    assert [one["name"] for one in foreign.routers(made)] == [theirs.name]
    assert canon(there.restored()) == canon(_read(case.definition))
