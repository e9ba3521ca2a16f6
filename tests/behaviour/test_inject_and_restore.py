"""`logroute inject` and `logroute restore`, on files, as a pipeline runs them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from controller.cli.main import main
from controller.taskdef import canonical
from controller.taskdef.body import register_form
from tests.support.playground import REGION, SEED, STORE, Playground, route_yaml

STORE_URL = f"s3://{STORE}/logroute"
SPECS = Path(__file__).parent.parent.parent / "specs"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "LOGROUTE_CONFIG_STORE", "LOGROUTE_OWNER", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


class Files:
    """One run of a command in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec = folder / "specs"
        self.spec.mkdir()
        (self.spec / "httpd.yaml").write_text(route_yaml())
        self.out = folder / "out.json"
        self.configs = folder / "configs"

    def logroute(self, *arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        return int(ended.value.code or 0)

    def inject(self, definition: Path, *more: str, store: str = STORE_URL, region: str = REGION) -> int:
        fixed = ["inject", "--task-definition", str(definition), "--specs", str(self.spec), "-o", str(self.out)]
        places = ["--config-store", store, "--config-dir", str(self.configs), "--region", region]
        return self.logroute(*fixed, *places, "--cluster", "example-poc-app", *more)

    def restore(self, definition: Path) -> dict[str, Any]:
        back = self.folder / "back.json"
        assert self.logroute("restore", "--task-definition", str(definition), "-o", str(back)) == 0
        found: dict[str, Any] = json.loads(back.read_text())
        return found

    def written(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.read_text())
        return found

    def definition(self, body: dict[str, Any], name: str = "td.json") -> Path:
        path = self.folder / name
        path.write_text(json.dumps(body))
        return path


@pytest.fixture
def files(tmp_path: Path) -> Files:
    folder = tmp_path / "ci"
    folder.mkdir()
    return Files(folder)


def seed(kind: str = "plain") -> Path:
    return SEED / f"task-definition.{kind}.json"


def canon(body: dict[str, Any]) -> dict[str, Any]:
    return canonical.canonical(register_form(body))


@pytest.mark.parametrize("kind", ["plain", "described"])
def test_restore_gives_back_what_inject_was_given(files: Files, kind: str) -> None:
    assert files.inject(seed(kind)) == 0
    assert canon(files.restore(files.out)) == canon(json.loads(seed(kind).read_text()))


def test_injecting_twice_changes_nothing(files: Files) -> None:
    assert files.inject(seed()) == 0
    once = files.written()
    assert files.inject(files.out) == 0
    assert files.written() == once


def test_injecting_a_changed_route_over_an_older_one_leaves_nothing_of_it(files: Files) -> None:
    assert files.inject(seed()) == 0
    (files.spec / "httpd.yaml").write_text(route_yaml(outputs="[{name: stdout, format: json_lines}]"))
    assert files.inject(files.out) == 0
    over = files.written()
    assert files.inject(seed()) == 0
    assert files.written() == over


def test_what_inject_writes_registers_and_describes_as_the_same(files: Files, play: Playground) -> None:
    assert files.inject(seed()) == 0
    arn = play.register(files.written())
    described = play.ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
    assert canon(described) == canon(files.written())
    restored = files.restore(files.definition(json.loads(json.dumps(described, default=str)), "described.json"))
    assert canon(restored) == canon(json.loads(seed().read_text()))


def test_config_objects_lie_under_their_own_digest(files: Files) -> None:
    assert files.inject(seed()) == 0
    (config,) = files.configs.rglob("*.conf")
    assert config.relative_to(files.configs).parts == (
        STORE,
        "logroute",
        hashlib.sha256(config.read_bytes()).hexdigest(),
        "pipeline.conf",
    )
    router = next(one for one in files.written()["containerDefinitions"] if one["name"] == "log_router")
    key = config.relative_to(files.configs).as_posix()
    assert router["environment"] == [{"name": "aws_fluent_bit_init_s3_1", "value": f"arn:aws:s3:::{key}"}]


def test_upload_puts_the_objects_into_s3(files: Files, play: Playground) -> None:
    fixed = ["inject", "--task-definition", str(seed()), "--specs", str(files.spec), "-o", str(files.out)]
    more = ["--config-store", STORE_URL, "--region", REGION, "--cluster", "example-poc-app", "--upload"]
    assert files.logroute(*fixed, *more) == 0
    (path,) = play.configs()
    assert any(path in pair["value"] for one in files.written()["containerDefinitions"] for pair in one["environment"])


def test_a_deploy_that_was_injected_in_ci_costs_the_controller_no_write(files: Files, play: Playground) -> None:
    play.service()
    play.write("httpd.yaml", route_yaml())
    play.settle()
    body = json.loads(seed().read_text())
    body["containerDefinitions"][0]["image"] = "httpd:2.4.65"
    assert files.inject(files.definition(body)) == 0
    play.deploy(files.written())
    revisions = play.revisions()
    play.settle()
    assert play.revisions() == revisions
    assert play.status()["Ready"] == ("True", "InSync")


def test_without_config_dir_or_upload_a_definition_that_needs_them_is_an_error(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = ["inject", "--task-definition", str(seed()), "--specs", str(files.spec), "--config-store", STORE_URL]
    assert files.logroute(*fixed, "--region", REGION, "--cluster", "example-poc-app") == 1
    assert "--config-dir" in capsys.readouterr().err


def test_without_a_cluster_a_target_that_depends_on_it_is_an_error(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = ["inject", "--task-definition", str(seed()), "--specs", str(files.spec), "--config-store", STORE_URL]
    assert files.logroute(*fixed, "--region", REGION, "--config-dir", str(files.configs)) == 1
    assert "--cluster" in capsys.readouterr().err


def test_the_service_defaults_to_the_family(files: Files) -> None:
    assert files.inject(seed()) == 0
    assert files.inject(seed(), "--service", "another") == 1


def test_a_foreign_router_is_refused_by_name(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert files.inject(seed("firelens")) == 1
    assert "'log_router' is a FireLens router that LogRoute did not put there" in capsys.readouterr().err


def test_a_route_that_the_controller_would_leave_is_injected_and_said(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = files.spec / "httpd.yaml"
    spec.write_text(spec.read_text().replace("spec:\n", "spec:\n  suspend: true\n", 1))
    assert files.inject(seed()) == 0
    assert "is suspended: the controller would write nothing here" in capsys.readouterr().err


def test_restore_of_a_definition_without_our_router_is_the_definition(files: Files) -> None:
    for kind in ("plain", "firelens"):
        assert canon(files.restore(seed(kind))) == canon(json.loads(seed(kind).read_text()))


def test_placeholders_in_the_config_store_are_filled_in(files: Files) -> None:
    assert files.inject(seed(), store="s3://configs-{account}-{region}/lr") == 0
    assert (files.configs / f"configs-123456789012-{REGION}").is_dir()


@pytest.mark.parametrize("store", ["http://x", "s3://", "s3://B/p", "s3://bucket/../x", "s3://bucket/a b"])
def test_a_config_store_that_is_none_is_an_error(files: Files, store: str) -> None:
    assert files.inject(seed(), store=store) == 1
    assert not files.out.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "td.json:1:"),
        ("[]", "must be a JSON object"),
        ("{}", "neither register input nor describe output"),
        ('{"family": "x", "containerDefinitions": [1]}', "must be an object"),
        ('{"containerDefinitions": []}', "no family"),
        ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "not JSON"),
    ],
)
def test_a_file_that_is_no_task_definition_is_a_line_not_a_traceback(
    files: Files, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = files.folder / "td.json"
    path.write_text(text)
    assert files.inject(path) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


def test_broken_specs_inject_nothing(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    (files.spec / "httpd.yaml").write_text(route_yaml(outputs="[{name: nonsense}]"))
    assert files.inject(seed()) == 1
    assert "httpd.yaml:7:22: error UNKNOWN_PLUGIN" in capsys.readouterr().err
    assert not files.out.exists()


def test_the_specs_of_the_repository_inject_into_the_seed(files: Files) -> None:
    files.spec = SPECS
    assert files.inject(seed()) == 0
    (config,) = files.configs.rglob("pipeline.conf")
    text = config.read_text()
    assert text.count("[OUTPUT]") == 2
    assert "    s3_key_format /httpd/%Y/%m/%d/%H_%M_$UUID.gz\n" in text
