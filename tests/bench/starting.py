"""How long a command takes to begin, as whole processes."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench import specs
from tests.bench.figures import Figure, at_most, told
from tests.bench.measuring import ROOT, processes_side_by_side

ROUNDS = 9
HELP, INJECT = 2.5, 3.0
PLAIN = ROOT / "tests" / "cases" / "seed" / "task-definition.plain.json"
BARE_APP = """\
import typer

app = typer.Typer()


@app.command()
def hello(name: str) -> None:
    print(name)


app()
"""


def help_() -> Iterator[Figure]:
    """`logroute --help` beside a typer app that has one command and does nothing."""
    ours, bare = processes_side_by_side(ROUNDS, _logroute("--help"), [sys.executable, "-c", BARE_APP, "--help"])
    yield told("help.cpu", ours, "s")
    yield at_most("help.to_bare_typer", ours / bare, HELP)


def inject() -> Iterator[Figure]:
    """`logroute inject` of one definition and one spec beside the imports that it cannot do without."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = folder / "route.yaml"
        spec.write_text(specs.route(0, "main", ["example"]))
        where = ["--region", specs.REGION, "--cluster", "main", "--config-store", "s3://configs/prod"]
        what = ["--task-definition", str(PLAIN), "--specs", str(spec), "--config-dir", str(folder / "configs")]
        imports = [sys.executable, "-c", "import pydantic, yaml, typer"]
        ours, bare = processes_side_by_side(ROUNDS, _logroute("inject", *what, *where), imports)
    yield told("inject.cpu", ours, "s")
    yield at_most("inject.to_its_imports", ours / bare, INJECT)


def _logroute(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "controller", *arguments]
