"""`logroute check`: wrong usage, what it prints, and its exit status. The engine is a stand-in that refuses a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from controller.cli.main import main
from tests.support.engines import STAY, UP, fake, says
from tests.support.playground import SEED, route_yaml

BAD = "\n      - {name: stdout, alias: fine}\n      - {name: stdout, alias: bananas}"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGROUTE_FLUENT_BIT", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    refuses = says("[output:stdout:web.httpd.bananas] no bananas")
    body = (f"echo x >> {tmp_path}/starts", "if grep -q bananas pipeline.conf; then", refuses, "exit 1; fi", UP, STAY)
    return fake(tmp_path / "fluent-bit", *body)


def check(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["check", *map(str, arguments)])
    return int(ended.value.code or 0)


def written(tmp_path: Path, *documents: str) -> Path:
    path = tmp_path / "specs.yaml"
    path.write_text("\n---\n".join(documents))
    return path


def as_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_refused_config_is_told_with_the_engine_s_words_and_the_place(
    tmp_path: Path, engine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = written(tmp_path, route_yaml(outputs=BAD))
    assert check(specs, "--fluent-bit", f"5.0.9={engine}") == 1
    said = capsys.readouterr().out
    assert said == (
        "web/httpd: Fluent Bit 5.0.9: rejected: Fluent Bit 5.0.9 refuses it: "
        f"[output:stdout:web.httpd.bananas] no bananas ({specs}:9:9)\n"
    )


def test_accepted_configs_end_with_0_and_equal_ones_are_one_line(
    tmp_path: Path, engine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(written(tmp_path, route_yaml()), "--fluent-bit", f"5.0.9={engine}") == 0
    assert capsys.readouterr().out == "web/httpd: Fluent Bit 5.0.9: accepted\n"


def test_without_a_binary_it_says_so_and_ends_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(written(tmp_path, route_yaml())) == 0
    assert "unchecked: no binary of Fluent Bit 5.0.9 is at hand" in capsys.readouterr().out


def test_broken_specs_are_told_as_validate_does_and_start_nothing(
    tmp_path: Path, engine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = written(tmp_path, route_yaml(outputs="[{name: stdot}]"))
    assert check(specs, "--fluent-bit", f"5.0.9={engine}") == 1
    assert f"{specs}:7:22: error UNKNOWN_PLUGIN" in capsys.readouterr().out
    assert not (tmp_path / "starts").exists()


def test_json_says_the_same(tmp_path: Path, engine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    specs = written(tmp_path, route_yaml(outputs=BAD))
    assert check(specs, "--fluent-bit", f"5.0.9={engine}", "--format", "json") == 1
    (one,) = as_json(capsys)["configs"]
    assert (one["routes"], one["engine"], one["result"]) == (["web/httpd"], "5.0.9", "rejected")
    assert one["words"] == ["[output:stdout:web.httpd.bananas] no bananas"]
    assert one["places"] == [{"file": str(specs), "line": 9, "column": 9}]


def test_with_a_definition_the_config_is_that_of_inject(
    tmp_path: Path, engine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = written(tmp_path, route_yaml("a"), route_yaml("b"))
    definition = SEED / "task-definition.plain.json"
    where = ("--task-definition", definition, "--cluster", "example-poc-app")
    assert check(specs, *where, "--fluent-bit", f"5.0.9={engine}", "--format", "json") == 0
    (one,) = as_json(capsys)["configs"]
    assert one["routes"] == ["web/a", "web/b"]
    store = ("--config-store", "s3://configs/x", "--config-dir", tmp_path / "out", "-o", tmp_path / "td.json")
    with pytest.raises(SystemExit):
        main(["inject", *map(str, (*where, "--specs", specs, "--region", "ap-northeast-1", *store))])
    assert {path.parent.name for path in (tmp_path / "out").rglob("*.conf")} == set(one["configs"])


def test_a_definition_that_no_route_selects_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    specs = written(tmp_path, route_yaml(services="[other]"))
    definition = SEED / "task-definition.plain.json"
    assert check(specs, "--task-definition", definition, "--cluster", "example-poc-app") == 1
    assert "no route selects" in capsys.readouterr().err


@pytest.mark.parametrize("containers", ['["ap*"]', '["*", "!x"]', '["web-?", "job"]'])
def test_globs_of_containers_are_filled_in(
    tmp_path: Path, engine: Path, containers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = route_yaml().replace("services: [example]", f"services: [example], containers: {containers}")
    assert check(written(tmp_path, text), "--fluent-bit", f"5.0.9={engine}") == 0
    assert "accepted" in capsys.readouterr().out


def test_what_no_router_can_do_is_rejected_before_any_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = (
        'spec: {image: "public.ecr.aws/aws-observability/aws-for-fluent-bit:init-2.32.5", buffer: {type: filesystem}}'
    )
    old = f"apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\nmetadata: {{name: default}}\n{spec}\n"
    assert check(written(tmp_path, old, route_yaml())) == 1
    assert "rejected: Unsupported: buffer.type: filesystem" in capsys.readouterr().out


def test_the_settings_name_binaries_too_and_the_command_line_wins(
    tmp_path: Path, engine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = written(tmp_path, route_yaml())
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"fluentBit: {{5.0.9: {engine}, 5.1: /nowhere}}\n")
    assert check(specs, "--config", settings) == 0
    assert "accepted" in capsys.readouterr().out
    monkeypatch.setenv("LOGROUTE_FLUENT_BIT", '{"5.0.9": "/nowhere"}')
    assert check(specs) == 0
    assert "unchecked: /nowhere could not be started" in capsys.readouterr().out
    assert check(specs, "--fluent-bit", f"5.0.9={engine}") == 0
    assert "accepted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("stated", "says"),
    [
        ("5.0.9", "write VERSION=PATH"),
        ("=x", "write VERSION=PATH"),
        ("five={engine}", "write VERSION=PATH"),
        ("4.2.1={engine}", "no spec is made for 4.2.1"),
        ("5.0.9=/nowhere", "there is no file /nowhere"),
        ("5.0.9={folder}", "there is no file"),
        ("5.0.9={plain}", "is not executable"),
        ("5.1={engine}", "is Fluent Bit 5.0.9, not 5.1"),
        ("5.0.9=/bin/true", "does not answer --version"),
    ],
)
def test_wrong_usage_ends_with_64(
    tmp_path: Path, engine: Path, stated: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    stated = stated.format(engine=engine, folder=tmp_path, plain=plain)
    assert check(written(tmp_path, route_yaml()), "--fluent-bit", stated) == 64
    assert says in capsys.readouterr().err


def test_a_path_that_is_not_there_ends_with_64(tmp_path: Path) -> None:
    assert check(tmp_path / "none") == 64
    assert check() == 64
