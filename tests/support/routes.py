"""Routes for tests, through the real loader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from controller.api.kinds import API_VERSION
from controller.desired.compose import Installation
from controller.desired.model import ConfigStore
from controller.desired.subject import Subject
from controller.specs.load import load
from controller.specs.model import Route

INSTALLATION = Installation("logroute", ConfigStore("configs", "logroute"))


def documents(*some: dict[str, Any]) -> bytes:
    return "---\n".join(yaml.safe_dump({"apiVersion": API_VERSION, **one}, sort_keys=False) for one in some).encode()


def route_document(name: str = "httpd", namespace: str = "web", **spec: Any) -> dict[str, Any]:
    """`spec` over a route to stdout on every service of cluster `c`."""
    pipeline = {"outputs": [{"name": "stdout"}], **spec.pop("pipeline", {})}
    target = {"cluster": "c", "services": ["*"], **spec.pop("target", {})}
    metadata = {"name": name, "namespace": namespace}
    return {"kind": "LogRoute", "metadata": metadata, "spec": {"target": target, "pipeline": pipeline, **spec}}


def class_document(**spec: Any) -> dict[str, Any]:
    return {"kind": "LogRouterClass", "metadata": {"name": "default"}, "spec": spec}


def routes(*some: dict[str, Any]) -> tuple[Route, ...]:
    """Valid routes only: an error in a test's own spec fails the test."""
    read = load("test", {"specs.yaml": documents(*some)})
    errors = [problem for problem in read.problems if problem.severity == "error"]
    assert not errors, errors
    return read.routes


def subject(containers: Sequence[dict[str, Any]] | None = None, *, service: str = "x", **body: Any) -> Subject:
    some = containers or [{"name": "app", "image": "httpd"}]
    app = {"family": "example", "networkMode": "awsvpc", "containerDefinitions": list(some), **body}
    return Subject("main", "ap-northeast-1", "c", service, "example", app, {})
