"""`logroute validate` and `logroute schema` as people and pipelines call them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.api.kinds import Kind
from controller.cli import schema as schema_command
from controller.cli.main import main
from controller.cli.validate import read_paths
from controller.specs.documents import parse_file
from tests.unit.specs_support import output, route

jsonschema: Any = pytest.importorskip("jsonschema")

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "specs").glob("*.yaml"))
WARNING = route(outputs="[{name: s3, bucket: b, static_file_path: On}]")


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return int(str(ended.value.code or 0)), said.out, said.err


def test_good_specs_end_with_0_and_say_so_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(route())
    status, out, err = run(capsys, "validate", tmp_path)
    assert (status, out) == (0, "")
    assert err == "1 valid route, no problems\n"


def test_errors_end_with_1_each_at_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "b.yml").write_text(route(spec="supsend: true"))
    (tmp_path / "a.yaml").write_text("a: [")
    status, out, _ = run(capsys, "validate", tmp_path)
    assert status == 1
    lines = [line for line in out.splitlines() if not line.startswith("    ")]
    assert [line.split(" ")[0] for line in lines] == [f"{tmp_path}/a.yaml:2:1:", f"{tmp_path}/b.yml:6:3:"]
    assert "\x1b" not in out


def test_warnings_do_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(WARNING)
    status, out, err = run(capsys, "validate", tmp_path / "a.yaml")
    assert status == 0
    assert "warning S3_OVERWRITE" in out
    assert err == "1 valid route, 1 warning\n"


def test_json_has_the_same_keys_always(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(WARNING)
    (tmp_path / "b.yaml").write_text("x")
    status, out, _ = run(capsys, "validate", tmp_path, "--format", "json")
    assert status == 1
    found = json.loads(out)
    assert found.keys() == {"problems"}
    for problem in found["problems"]:
        assert list(problem) == ["file", "line", "column", "code", "severity", "message", "hint"]
    assert [problem["severity"] for problem in found["problems"]] == ["warning", "error"]


def test_json_without_problems_is_an_empty_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(route())
    assert json.loads(run(capsys, "validate", tmp_path, "--format", "json")[1]) == {"problems": []}


@pytest.mark.parametrize("arguments", [["nowhere.yaml"], [], [".", "--format", "xml"]])
def test_wrong_usage_ends_with_64(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "validate", *arguments)
    assert (status, out) == (64, "")
    assert err


def test_several_paths_are_one_set_and_a_file_counts_once(tmp_path: Path) -> None:
    specs, shared = tmp_path / "specs", tmp_path / "shared.txt"
    specs.mkdir()
    (specs / "a.yaml").write_text(route(outputs="[{ref: archive}]"))
    shared.write_text(output())
    found = read_paths([specs, specs / "a.yaml", shared])
    assert not found.problems
    assert [one.key for one in found.routes] == ["web/httpd"]


def test_files_that_cannot_be_read_are_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "big.yaml").write_bytes(b"#" * (1024 * 1024 + 1))
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    status, out, _ = run(capsys, "validate", tmp_path, "--format", "json")
    assert status == 1
    problems = [(problem["file"], problem["code"]) for problem in json.loads(out)["problems"]]
    assert problems == [(f"{tmp_path}/big.yaml", "FILE_TOO_LARGE"), (f"{tmp_path}/gone.yaml", "LINK_BROKEN")]
    assert "FILE_TOO_LARGE" in run(capsys, "validate", tmp_path / "big.yaml")[1]


def test_a_folder_without_specs_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "validate", tmp_path)
    assert status == 0
    assert "NO_FILES" in out


def test_validate_imports_no_sdk() -> None:
    program = (
        "import sys; from pathlib import Path; from controller.cli.validate import read_paths;"
        f"read_paths([Path({str(ROOT / 'specs')!r})]);"
        "print([name for name in ('boto3', 'botocore', 'prometheus_client', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", [None, *Kind])
def test_the_kept_schemas_are_those_that_schema_prints(kind: Kind | None, capsys: pytest.CaptureFixture[str]) -> None:
    kept = ROOT / "specs" / "schema" / f"{kind.value if kind else 'any'}.json"
    status, out, _ = run(capsys, "schema", *([kind.value] if kind else []))
    assert status == 0
    assert out == kept.read_text()


def as_an_editor_reads(data: Any) -> Any:
    """Source texts → the types that YAML 1.2's core schema gives them."""
    if isinstance(data, dict):
        return {key: as_an_editor_reads(value) for key, value in data.items()}
    if isinstance(data, list):
        return [as_an_editor_reads(value) for value in data]
    for reader in (json.loads, lambda text: {"on": True, "off": False}[text.lower()]):
        try:
            value = reader(data)
        except (ValueError, KeyError):
            continue
        return value if isinstance(value, bool | int | float) else data
    return data


def documents(path: Path) -> Iterator[Any]:
    parsed = parse_file(path.read_bytes())
    assert not parsed.problems
    for document in parsed.documents:
        yield as_an_editor_reads(document.data)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_fit_the_schema(example: Path) -> None:
    for document in documents(example):
        for kind in (None, document["kind"]):
            schema = json.loads(schema_command.text(kind))
            jsonschema.Draft202012Validator.check_schema(schema)
            jsonschema.Draft202012Validator(schema).validate(document)


def test_the_examples_are_without_problems() -> None:
    found = read_paths([ROOT / "specs"])
    assert not found.problems
    assert [one.key for one in found.routes] == ["web/httpd"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "mode"), "enforced"),
        (("spec", "suspend"), "yes please"),
        (("spec", "priority"), "high"),
        (("spec", "supsend"), True),
        (("spec", "mode"), None),
        (("spec", "pipeline", "outputs"), []),
        (("spec", "pipeline", "outputs"), [{"bucket": "b"}]),
        (("spec", "pipeline", "outputs"), [{"name": "s3", "bucket": {}}]),
        (("spec", "pipeline", "processors"), {}),
        (("spec", "rollout"), {"maxParallel": -1}),
    ],
)
def test_the_schema_shows_what_validate_refuses(path: tuple[str, ...], value: Any) -> None:
    (document,) = documents(ROOT / "specs" / "httpd.yaml")
    target = document
    for step in path[:-1]:
        target = target.setdefault(step, {})
    target[path[-1]] = value
    schema = json.loads(schema_command.text("LogRoute"))
    assert not jsonschema.Draft202012Validator(schema).is_valid(document)


@pytest.mark.parametrize("kind", Kind)
def test_every_key_of_ours_is_described(kind: Kind) -> None:
    definitions = json.loads(schema_command.text(kind.value))["$defs"]
    for name in ("RouteSpec", "Target", "Pipeline", "ClassSpec", "OutputSpec", "Rollout", "Buffer", "Health"):
        for key, facts in definitions.get(name, {}).get("properties", {}).items():
            assert facts.get("description"), (name, key)
