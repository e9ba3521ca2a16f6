"""What works and loses data. Warnings, allowed one by one by the annotation `logroute.dev/allow`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controller.fluentbit.catalogue import Kind
from controller.fluentbit.findings import Finding, warning
from controller.fluentbit.types import is_true


def lint(kind: Kind, lowered: Mapping[str, Any]) -> list[Finding]:
    """`lowered`: a section with its option names in lower case."""
    if kind == "outputs" and str(lowered["name"]).lower() == "s3":
        return _s3_overwrite(lowered)
    return []


def _s3_overwrite(lowered: Mapping[str, Any]) -> list[Finding]:
    """The plugin makes keys unique by itself, unless `static_file_path` says that they are what they are."""
    if not is_true(str(lowered.get("static_file_path", ""))):
        return []
    if "$UUID" in str(lowered.get("s3_key_format", "")):
        return []
    at = ("s3_key_format",) if "s3_key_format" in lowered else ("static_file_path",)
    return [
        warning(
            at,
            "S3_OVERWRITE",
            "static_file_path is on and s3_key_format has no $UUID: tasks that upload in the same moment "
            "overwrite each other's objects",
            "put $UUID into s3_key_format",
        )
    ]
