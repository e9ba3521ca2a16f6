"""Reading and rendering specs, beside the least that anybody can do with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from controller.api.kinds import LogRoute
from controller.desired.compose import Installation, compose
from controller.desired.model import ConfigStore
from controller.desired.subject import Subject
from controller.specs.load import load
from controller.specs.model import Route, SpecSet
from tests.bench import bodies, specs
from tests.bench.figures import Figure, at_most, told
from tests.bench.measuring import side_by_side

FEW, MANY = 2_000, 10_000
ROUNDS = {FEW: 15, MANY: 5}
"""The less there is to do, the more a neighbour's busy second weighs."""
VALIDATING, RENDERING = 1.5, 1.0


def validate() -> Iterator[Figure]:
    """Everything that `logroute validate` does with files once they are read."""
    for count, rounds in ROUNDS.items():
        files = dict(specs.files(count))
        ours, bare = side_by_side(rounds, lambda files=files: load("bench", files), _bare(files))  # type: ignore[misc]
        yield told(f"validate.{count}.cpu", ours, "s")
        yield at_most(f"validate.{count}.to_libyaml_and_pydantic", ours / bare, VALIDATING)


def rendering() -> Iterator[Figure]:
    """From a route and a service's definition to its config objects and the owned part of its definition."""
    install = Installation("logroute", ConfigStore("configs", "prod"))
    app = bodies.application("example")
    for count, rounds in ROUNDS.items():
        routes = _read(count).routes

        def render(routes: Sequence[Route] = routes) -> None:
            for route in routes:
                name = route.document.metadata.name
                desired = compose([route], Subject("main", specs.REGION, "main", name, name, app, {}), install)
                assert len({config.path for config in desired.configs}) == 1

        ours, bare = side_by_side(rounds, render, _bare(dict(specs.files(count))))
        yield told(f"render.{count}.cpu", ours, "s")
        yield at_most(f"render.{count}.to_libyaml_and_pydantic", ours / bare, RENDERING)


def _read(count: int) -> SpecSet:
    read = load("bench", dict(specs.files(count)))
    assert not read.problems, read.problems[:5]
    assert len(read.routes) == count
    return read


def _bare(files: Mapping[str, bytes]) -> Callable[[], None]:
    """Composing with libyaml, and pydantic on what somebody else made plain."""
    plain = [_plain(content) for content in files.values()]

    def run() -> None:
        for content, data in zip(files.values(), plain, strict=True):
            yaml.compose(content, Loader=yaml.CLoader)
            LogRoute.model_validate(data)

    return run


def _plain(content: bytes) -> Any:
    return load("bench", {"one.yaml": content}).routes[0].made_from[0]
