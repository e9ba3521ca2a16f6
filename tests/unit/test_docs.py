"""What the documents say is so."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from typer.main import get_command

from controller.api.conditions import Reason
from controller.api.problems import has_errors
from controller.aws import codedeploy, ecs, schedules
from controller.cli.main import app
from controller.settings import load
from controller.specs.load import load as load_specs
from tests.support import cli_page, events_page, metrics_page, settings_page, spec_page
from tests.support.imports import imported

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])
BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def examples() -> list[tuple[str, str]]:
    blocks = [(page.name, block) for page in PAGES for block in BLOCK.findall(page.read_text())]
    return [(name, block) for name, block in blocks if "apiVersion: logroute.dev/" in block]


def test_there_are_examples() -> None:
    assert examples()


@pytest.mark.parametrize(("page", "text"), examples())
def test_examples_are_valid_specs(page: str, text: str) -> None:
    read = load_specs("docs", {page: text.encode()})
    assert not has_errors(read.problems), read.problems


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


PAGES_MADE = [cli_page, events_page, metrics_page, settings_page, spec_page]


@pytest.mark.parametrize("made", PAGES_MADE, ids=lambda made: made.PAGE.name)
def test_a_reference_is_what_the_code_says(made: Any) -> None:
    assert made.PAGE.read_text() == made.page(), f"run: python -m {made.__name__}"


def test_the_example_settings_are_settings() -> None:
    found = load(ROOT / "deploy" / "settings.example.yaml")
    assert found.config_store == "s3://example-logroute-configs/logroute"


def test_the_settings_in_the_documents_are_settings(tmp_path: Path) -> None:
    blocks = [block for page in PAGES for block in BLOCK.findall(page.read_text()) if block.startswith("# settings\n")]
    assert blocks
    for block in blocks:
        (tmp_path / "settings.yaml").write_text(block)
        load(tmp_path / "settings.yaml")


def test_policies_in_the_documents_are_json() -> None:
    for page in PAGES:
        for block in re.findall(r"```json\n(.*?)```", page.read_text(), re.DOTALL):
            json.loads(block)


def test_the_example_policy_is_json_and_names_no_wildcard_action() -> None:
    policy = json.loads((ROOT / "deploy" / "controller-policy.json").read_text())
    actions = [
        action
        for one in policy["Statement"]
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    ]
    assert not [action for action in actions if "*" in action]
    calls = (("ecs", ecs), ("events", schedules), ("scheduler", schedules), ("codedeploy", codedeploy))
    for service, module in calls:
        named, known = re.findall(r'"([A-Z][A-Za-z]+)"', inspect.getsource(module)), _operations(service)
        assert {f"{service}:{name}" for name in named if name in known} <= set(actions)


def test_what_creates_deployments_is_bound_to_the_account_and_passes_what_codedeploy_checks_with_it() -> None:
    policy = json.loads((ROOT / "deploy" / "controller-policy.json").read_text())
    [writes] = [one for one in policy["Statement"] if "codedeploy:CreateDeployment" in one["Action"]]
    checked = {"codedeploy:GetDeploymentConfig", "codedeploy:RegisterApplicationRevision"}
    assert checked <= set(writes["Action"])
    assert all(one.startswith("arn:aws:codedeploy:*:123456789012:") for one in writes["Resource"])


def _operations(service: str) -> list[str]:
    found: list[str] = botocore.session.get_session().get_service_model(service).operation_names
    return found


def test_every_command_of_the_readme_exists() -> None:
    commands = {one.name or one.callback.__name__ for one in app.registered_commands if one.callback}
    commands |= {str(group.name) for group in app.registered_groups}
    shown = set(re.findall(r"^logroute (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert shown <= commands


def test_the_options_of_the_page_on_commands_are_those_that_are_taken() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    parts = dict(re.findall(r"^## logroute (.+)\n((?:(?!## ).*\n)*)", page, re.MULTILINE))
    commands = dict(leaves(get_command(app), ""))
    assert parts.keys() == commands.keys()
    for name, part in parts.items():
        shown = re.findall(
            r"`(--?[a-z][a-z-]*)", "".join(row.split(" | ")[0] for row in part.splitlines(keepends=True))
        )
        taken = [one for parameter in commands[name].params for one in (*parameter.opts, *parameter.secondary_opts)]
        assert sorted(shown) == sorted(one for one in taken if one.startswith("-")), name


def leaves(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The commands below a group that do something, by their names in full."""
    if not hasattr(command, "commands"):
        yield name, command
    for word, one in getattr(command, "commands", {}).items():
        yield from leaves(one, f"{name} {word}".strip())


def test_the_example_of_import_is_what_import_writes() -> None:
    page = (ROOT / "docs" / "import.md").read_text()
    [container] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    [config] = re.findall(r"```ini\n(.*?)```", page, re.DOTALL)
    [yaml] = BLOCK.findall(page)
    web = {"name": "web", "image": "web", "logConfiguration": {"logDriver": "awsfirelens"}}
    body = {"family": "shop", "networkMode": "awsvpc", "containerDefinitions": [json.loads(container), web]}
    assert imported(body, {"arn:aws:s3:::shop-conf/extra.conf": config}).yaml == yaml


def test_every_reason_says_when_it_is_set() -> None:
    source = (ROOT / "controller" / "api" / "conditions.py").read_text()
    for reason in Reason:
        assert re.search(rf'^    {reason.name} = "{reason.value}"\n    """\S', source, re.MULTILINE), reason


def test_the_tests_that_the_page_on_security_names_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "security.md").read_text()))
    there = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert named
    assert not named - set(re.findall(r"^def (test_\w+)", there, re.MULTILINE))
