"""`logroute import`: from files and from a live service; what is written, what is said, how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.cli.main import main
from controller.taskdef import canonical
from controller.taskdef.body import register_form
from tests.support.playground import CLUSTER, REGION, SEED, Playground

CASES = Path(__file__).parent.parent / "cases" / "imports"
BUCKET = "example-poc-fluent-bit-conf"


class Imports:
    """Runs in a folder of their own, where AWS is a port that nobody listens on."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out, self.plain = folder, folder / "route.yaml", folder / "plain.json"

    def run(self, *arguments: object) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["import", *map(str, arguments), "-o", str(self.out), "--definition-out", str(self.plain)])
        return int(ended.value.code or 0)

    def file(self, definition: Path, *more: object) -> int:
        return self.run("--task-definition", definition, "--config-dir", definition.parent, *more)

    def definition(self, body: Any) -> Path:
        path = self.folder / "td.json"
        path.write_text(body if isinstance(body, str) else json.dumps(body))
        return path

    def documents(self) -> list[dict[str, Any]]:
        return list(yaml.load_all(self.out.read_text(), Loader=yaml.BaseLoader))

    def validate(self) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["validate", str(self.out)])
        return int(ended.value.code or 0)


@pytest.fixture
def imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Imports:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    dead = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    for name, value in {**dead, "AWS_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "import"
    folder.mkdir()
    return Imports(folder)


def seed() -> Path:
    return SEED / "task-definition.firelens.json"


def test_the_seed_becomes_a_valid_route_and_the_plain_definition(imports: Imports) -> None:
    assert imports.file(seed(), "--cluster", CLUSTER, "--name", "httpd", "--namespace", "web") == 0
    assert imports.validate() == 0
    route, router = imports.documents()
    assert route["metadata"] == {"name": "httpd", "namespace": "web"}
    assert route["spec"]["target"] == {"cluster": CLUSTER, "services": ["example"], "containers": ["app"]}
    assert [one["name"] for one in route["spec"]["pipeline"]["outputs"]] == ["cloudwatch_logs", "s3"]
    assert router["metadata"] == {"name": route["spec"]["routerClass"]}
    plain = json.loads(imports.plain.read_text())
    assert [one["name"] for one in plain["containerDefinitions"]] == ["app"]
    assert "logConfiguration" not in plain["containerDefinitions"][0]


@pytest.mark.usefixtures("imports")
def test_without_an_output_file_the_yaml_is_the_only_thing_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["import", "--task-definition", str(seed()), "--config-dir", str(SEED)])
    assert ended.value.code == 0
    captured = capsys.readouterr()
    assert [one["kind"] for one in yaml.load_all(captured.out, Loader=yaml.BaseLoader)] == [
        "LogRoute",
        "LogRouterClass",
    ]
    said, end = captured.err.splitlines()
    assert said.startswith("task definition: note: added [SERVICE] flush, grace, log_level; [OUTPUT] retry_limit: ")
    assert end == "imported"


def test_importing_twice_writes_the_same_bytes(imports: Imports) -> None:
    case = CASES / "custom-file" / "task-definition.json"
    assert imports.file(case) == 0
    once = imports.out.read_bytes()
    assert imports.file(case) == 0
    assert imports.out.read_bytes() == once


@pytest.mark.parametrize(
    "case",
    ["log-options", "custom-file", "init-files", "splunk", "vendors", "emf", "two-parsers", "levels", "java", "shaping",
     "five-files", "parse-json", "by-agent"],
)  # fmt: skip
def test_an_import_is_valid_and_injects_into_the_plain_definition(imports: Imports, case: str) -> None:
    assert imports.file(CASES / case / "task-definition.json") == 0
    assert imports.validate() == 0
    injected = imports.folder / "injected.json"
    store = ["--config-store", "s3://configs/x", "--config-dir", str(imports.folder / "configs")]
    with pytest.raises(SystemExit) as ended:
        main(["inject", "--task-definition", str(imports.plain), "--specs", str(imports.out), *store,
              "--cluster", "any", "-o", str(injected)])  # fmt: skip
    assert ended.value.code == 0
    original = json.loads((CASES / case / "task-definition.json").read_text())
    body = json.loads(injected.read_text())
    assert drivers(body) == drivers(original)
    assert sorted(one["name"] for one in body["containerDefinitions"]) == sorted(
        one["name"] for one in original["containerDefinitions"]
    )


def drivers(body: dict[str, Any]) -> dict[str, str]:
    return {
        one["name"]: one["logConfiguration"]["logDriver"]
        for one in body["containerDefinitions"]
        if one.get("logConfiguration") and not one.get("firelensConfiguration")
    }


def test_a_lua_script_is_looked_for_beside_the_config_and_needs_the_settings_leave(
    imports: Imports, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES / "lua"
    assert imports.file(case / "task-definition.json", "--engine", "5.0.9") == 0
    assert f"{case / 'badges.conf'}:1: note: the filter lua: it runs a program" in capsys.readouterr().err
    script, coded = imports.documents()[0]["spec"]["pipeline"]["filters"]
    assert script["code"].startswith("local names = { ERROR = 'high'")
    assert coded["code"].startswith("function seen(")
    assert imports.validate() == 1
    monkeypatch.setenv("LOGROUTE_LUA", "allow")
    assert imports.validate() == 0


def test_comments_of_the_config_stand_above_what_they_stood_above(imports: Imports) -> None:
    assert imports.file(CASES / "custom-file" / "task-definition.json") == 0
    text = imports.out.read_text()
    assert "      # everything goes to the archive\n      - name: s3\n" in text
    assert "        # one object a minute\n        upload_timeout: 1m\n" in text
    assert "    # parsers of the image, and our own\n    parsers_file: " in text


def test_an_image_of_ones_own_is_imported_with_the_config_that_is_given(
    imports: Imports, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES / "own-entrypoint"
    assert imports.file(case / "task-definition.json", "--config", case / "edge.conf", "--engine", "5.0.9") == 0
    router = imports.documents()[1]["spec"]
    assert router["buffer"] == {"type": "filesystem", "path": "/var/log/flb-storage", "maxChunksUp": "40"}
    said = capsys.readouterr().err
    assert "build it FROM an init- image" in said
    assert f"{case / 'edge.conf'}:6: note: [INPUT] forward" in said


def test_a_missing_config_is_named_with_how_to_give_it(imports: Imports, capsys: pytest.CaptureFixture[str]) -> None:
    assert imports.run("--task-definition", seed(), "--config-dir", imports.folder) == 1
    said = capsys.readouterr().err
    assert f"aws_fluent_bit_init_s3_1: s3:GetObject on s3://{BUCKET}/extra.conf failed" in said
    assert "put extra.conf into a folder and give --config-dir" in said
    assert not imports.out.exists()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("@INCLUDE extra.conf\n", "extra.conf:1: "),
        ("@INCLUDE other.conf\n", "extra.conf:1: @INCLUDE names other.conf, which is not here"),
        ("@INCLUDE ../../etc/passwd\n", "extra.conf:1: @INCLUDE names"),
        ("[OUTPUT]\nName s3\n", "extra.conf:2: an option must be indented"),
        ("[SERVICE]\n    Parsers_File p.conf\n", "extra.conf:2: Parsers_File at"),
        (b"[OUTPUT]\n    Name \xff\n", "extra.conf:2: byte 10 of the line is not UTF-8"),
    ],
)
def test_a_config_that_no_engine_reads_is_told_by_line(
    imports: Imports, capsys: pytest.CaptureFixture[str], config: str | bytes, message: str
) -> None:
    text = config if isinstance(config, bytes) else config.encode()
    (imports.folder / "extra.conf").write_bytes(text)
    assert imports.run("--task-definition", seed(), "--config-dir", imports.folder) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not imports.out.exists()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "td.json:1:"),
        ("[]", "must be a JSON object"),
        ("{}", "neither register input nor describe output"),
        ({"family": "x", "containerDefinitions": [{"name": "app"}]}, "there is no FireLens in it to import"),
        ({"family": "x", "containerDefinitions": [{"name": "app", "firelensConfiguration": 1}]}, "must be an object"),
    ],
)
def test_a_file_that_holds_nothing_to_import_is_a_line_not_a_traceback(
    imports: Imports, capsys: pytest.CaptureFixture[str], body: Any, message: str
) -> None:
    assert imports.run("--task-definition", imports.definition(body)) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not imports.out.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--cluster", "c"),
        ("--task-definition", "td.json", "--engine", "4"),
        ("--task-definition", "td.json", "--name", "Not A Label"),
    ],
)
def test_wrong_usage_ends_with_64(imports: Imports, arguments: tuple[str, ...]) -> None:
    assert imports.run(*arguments) == 64


def test_files_that_are_not_there_are_told(imports: Imports, capsys: pytest.CaptureFixture[str]) -> None:
    for more in (["--config-dir", imports.folder / "none"], ["--config", imports.folder / "none"]):
        assert imports.run("--task-definition", seed(), *more) == 1
        assert f"{imports.folder / 'none'}: there is no such" in capsys.readouterr().err


def test_a_live_service_is_imported_with_its_config_from_s3(
    play: Playground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", REGION)
    play.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    play.s3.put_object(Bucket=BUCKET, Key="extra.conf", Body=(SEED / "extra.conf").read_bytes())
    play.service(definition=json.loads(seed().read_text()))
    live = Imports(tmp_path)
    assert live.run("--cluster", CLUSTER, "--service", "example", "--region", REGION) == 0
    route, _ = live.documents()
    assert route["spec"]["target"]["cluster"] == CLUSTER
    assert [one["name"] for one in route["spec"]["pipeline"]["outputs"]] == ["cloudwatch_logs", "s3"]
    from_live = json.loads(live.plain.read_text())
    (tmp_path / "again").mkdir()
    again = Imports(tmp_path / "again")
    assert again.file(seed()) == 0
    assert canonical.canonical(register_form(from_live)) == canonical.canonical(json.loads(again.plain.read_text()))


def test_a_live_service_that_is_not_there_is_told(
    play: Playground, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play.ecs
    live = Imports(tmp_path)
    assert live.run("--cluster", CLUSTER, "--service", "nobody", "--region", REGION) == 1
    assert f"there is no service nobody in cluster {CLUSTER}" in capsys.readouterr().err
