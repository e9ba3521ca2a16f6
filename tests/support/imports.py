"""Hand-made routers to import, from dictionaries and texts, with nothing but the importer in between."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from controller.fluentbit.classic import SourceFile
from controller.importing.definition import ConfigRef
from controller.importing.importer import Imported, Wish, import_route
from controller.specs.load import load
from controller.specs.model import SpecSet

IMAGE = "public.ecr.aws/aws-observability/aws-for-fluent-bit:init-3.4.12"
CUSTOM = {"config-file-type": "file", "config-file-value": "/extra.conf"}


def router(**fields: Any) -> dict[str, Any]:
    return {"name": "log_router", "image": IMAGE, "memoryReservation": 100, **fields}


def app(name: str = "app", options: Mapping[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    log = {"logDriver": "awsfirelens", "options": dict(options or {})}
    return {"name": name, "image": "httpd", "logConfiguration": log, **fields}


def task(
    *apps: dict[str, Any],
    options: Mapping[str, str] | None = None,
    fields: Mapping[str, Any] | None = None,
    **body: Any,
) -> dict[str, Any]:
    """`options` are those of firelensConfiguration, `fields` more of the router."""
    firelens = {"type": "fluentbit", **({"options": dict(options)} if options else {})}
    containers = [router(firelensConfiguration=firelens, **(fields or {})), *(apps or (app(),))]
    return {"family": "example", "networkMode": "awsvpc", "containerDefinitions": containers, **body}


def imported(body: dict[str, Any], files: Mapping[str, str] | None = None, **wish: Any) -> Imported:
    """`files`: by path in the image, or by ARN."""
    found = files or {}

    def find(ref: ConfigRef) -> tuple[SourceFile, ...]:
        return (SourceFile(ref.value, found[ref.value].encode()),) if ref.value in found else ()

    return import_route(body, find, Wish(**wish))


def from_config(text: str, *, fields: Mapping[str, Any] | None = None, **body: Any) -> Imported:
    """`text` as the custom config of a router whose container sends its logs nowhere by itself. At the end of
    sections that say no match it is said: without one they would get no records.
    """
    text = re.sub(r"(?m)^\[(?:FILTER|OUTPUT)\]\n(?:[ #].*\n)*", _with_match, text)
    return imported(task(options=CUSTOM, fields=fields, **body), {"/extra.conf": text})


def _with_match(section: re.Match[str]) -> str:
    return section[0] if re.search(r"(?i)^ +match", section[0], re.MULTILINE) else f"{section[0]}    Match *\n"


def specs(result: Imported) -> SpecSet:
    return load("test", {"import.yaml": result.yaml.encode()})


def documents(result: Imported) -> tuple[dict[str, Any], dict[str, Any]]:
    """The route and its class; every scalar its text."""
    route, router_class = yaml.load_all(result.yaml, Loader=yaml.BaseLoader)
    return route, router_class


def pipeline(result: Imported) -> dict[str, Any]:
    found: dict[str, Any] = documents(result)[0]["spec"]["pipeline"]
    return found


def class_of(result: Imported) -> dict[str, Any]:
    found: dict[str, Any] = documents(result)[1]["spec"]
    return found


def said(result: Imported) -> str:
    return "\n".join(map(str, result.remarks))


def lost(result: Imported) -> list[str]:
    return [str(one) for one in result.remarks if one.lost]
