"""The commands in docs/deploy.md are such that the templates and the module take them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import hcl2
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "deploy.md").read_text()


def test_the_stack_is_given_what_it_needs_and_nothing_that_it_does_not_know() -> None:
    (command,) = re.findall(r"```\w*\n(aws cloudformation .*?)```", TEXT, re.DOTALL)
    words = shlex.split(command.replace("\\\n", " "))
    said = dict(one.split("=", 1) for one in words[words.index("--parameter-overrides") + 1 :])
    template = (ROOT / words[words.index("--template-file") + 1]).read_text()
    parameters: dict[str, Any] = yaml.safe_load(
        template[template.index("\nParameters:") : template.index("\nConditions:")]
    )["Parameters"]
    assert {key for key, one in parameters.items() if "Default" not in one} <= set(said) <= set(parameters)
    for key, value in said.items():
        assert re.fullmatch(parameters[key].get("AllowedPattern", ".*"), value), key


def test_the_module_is_given_what_it_needs_and_nothing_that_it_does_not_know() -> None:
    (block,) = re.findall(r"```\w*\n(module .*?)```", TEXT, re.DOTALL)
    call = hcl2.loads(block)["module"][0]['"logroute"']
    said = {key for key in call if not key.startswith("__")} - {"source"}
    blocks = hcl2.loads((ROOT / "deploy" / "terraform" / "variables.tf").read_text())["variable"]
    known = {name.strip('"'): one for block in blocks for name, one in block.items() if isinstance(one, dict)}
    assert {name for name, one in known.items() if "default" not in one} <= said <= set(known)
