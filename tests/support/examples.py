"""The examples of docs/outputs.md, and what `logroute inject` makes of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from controller.cli.main import main
from controller.fluentbit.engines import VERSIONS
from tests.support.playground import CLUSTER, REGION, SEED

PAGE = Path(__file__).parent.parent.parent / "docs" / "outputs.md"
IMAGES = {"1.9.10": "init-2.34.0", "5.0.9": "init-3.4.15", "5.1": "init-3.5.8"}
"""A release of AWS's image for each engine."""
_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_ENGINES = re.compile(r"^Engines: (.*)\.$", re.MULTILINE)
_YAML = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
_JSON = re.compile(r"```json\n(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    title: str
    route: str
    engines: tuple[str, ...]
    policies: tuple[str, ...]
    """IAM statements, as JSON."""


def examples() -> list[Example]:
    """One a heading of the page."""
    return [_example(title, body) for title, body in _SECTION.findall(PAGE.read_text())]


def example(title: str) -> Example:
    (found,) = (one for one in examples() if one.title == title)
    return found


def _example(title: str, body: str) -> Example:
    named = _ENGINES.search(body)
    (route,) = _YAML.findall(body)
    engines = tuple(named[1].split(", ")) if named else VERSIONS
    return Example(title, route, engines, tuple(_JSON.findall(body)))


def default_class(engine: str) -> str:
    image = f"public.ecr.aws/aws-observability/aws-for-fluent-bit:{IMAGES[engine]}"
    return (
        "apiVersion: logroute.dev/v1alpha1\nkind: LogRouterClass\n"
        f'metadata: {{name: default}}\nspec: {{image: "{image}"}}\n'
    )


def pipeline_of(route: str, engine: str, folder: Path) -> bytes:
    """The pipeline that `logroute inject` makes of a route, for the seed's service."""
    specs = folder / "specs"
    specs.mkdir()
    (specs / "route.yaml").write_text(route)
    (specs / "class.yaml").write_text(default_class(engine))
    arguments = ["inject", "--task-definition", str(SEED / "task-definition.plain.json"), "--specs", str(specs)]
    arguments += ["--cluster", CLUSTER, "--region", REGION, "--config-store", "s3://configs/logroute"]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--config-dir", str(folder / "out"), "-o", str(folder / "td.json")])
    assert ended.value.code == 0
    (pipeline,) = (folder / "out").rglob("pipeline.conf")
    return pipeline.read_bytes()
