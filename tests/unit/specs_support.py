"""Specs to write tests with: a route, a shared output, a class, and what loading them says."""

from __future__ import annotations

from controller.specs.load import load
from controller.specs.model import Route, SpecSet

HEAD = "apiVersion: logroute.dev/v1alpha1\n"


def route(
    name: str = "httpd",
    namespace: str = "web",
    outputs: str = "[{name: stdout}]",
    *,
    pipeline: str = "",
    spec: str = "",
    metadata: str = "",
) -> str:
    """A LogRoute. `pipeline`, `spec` and `metadata` are more keys of theirs, each `key: value`."""
    return (
        f"{HEAD}kind: LogRoute\n"
        f"metadata: {{name: {name}, namespace: {namespace}{', ' if metadata else ''}{metadata}}}\n"
        "spec:\n"
        "  target: {cluster: main, services: [app]}\n"
        + "".join(f"  {line}\n" for line in spec.splitlines())
        + "  pipeline:\n"
        + "".join(f"    {line}\n" for line in pipeline.splitlines())
        + f"    outputs: {outputs}\n"
    )


def output(
    name: str = "archive", namespace: str = "web", options: str = "name: s3, bucket: b", *, spec: str = ""
) -> str:
    more = f", {spec}" if spec else ""
    return f"{HEAD}kind: LogOutput\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{{options}{more}}}\n"


def router_class(name: str = "default", spec: str = "adopt: false") -> str:
    return f"{HEAD}kind: LogRouterClass\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"


def read(*texts: str | bytes, **files: str | bytes) -> SpecSet:
    """Load `texts` as 0.yaml, 1.yaml, …, and `files` by name."""
    named = {f"{number}.yaml": text for number, text in enumerate(texts)}
    named |= {f"{name}.yaml": text for name, text in files.items()}
    contents = {name: text if isinstance(text, bytes) else text.encode() for name, text in named.items()}
    found = load("r1", contents)
    assert all(problem.hint for problem in found.problems), "a problem without a hint"
    return found


def one(*texts: str) -> Route:
    """The only route in `texts`, which must be without problems."""
    found = read(*texts)
    assert not found.problems, "\n".join(map(str, found.problems))
    (only,) = found.routes
    return only


def told(found: SpecSet) -> list[tuple[str, str, int, int]]:
    """Every problem as (code, file, line, column)."""
    return [(problem.code, problem.file, problem.line, problem.column) for problem in found.problems]


def codes(*texts: str | bytes) -> list[str]:
    return [problem.code for problem in read(*texts).problems]
