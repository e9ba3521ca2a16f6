"""Options whose values bound each other, where the engine stops at a pair that does not fit. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from controller.fluentbit.catalogue import Kind
from controller.fluentbit.findings import Finding, error
from controller.fluentbit.types import is_true, size_bytes

Section = Mapping[str, Any]
_MAX_PUT = 1_000_000_000
"""Bytes of one PutObject: MAX_FILE_SIZE_PUT_OBJECT in s3.h, whose message speaks of 50M."""
_MIN_CHUNK = 5_242_880
"""Bytes: MIN_CHUNKED_UPLOAD_SIZE, the default, which any file may have."""
_MAX_PLAIN_CHUNK = 50_000_000
"""Bytes of a part that is not compressed: MAX_CHUNKED_UPLOAD_SIZE in s3.h."""


def _s3(lowered: Section) -> list[Finding]:
    """s3.c, cb_s3_init. Sizes that are no sizes are told elsewhere."""
    total, chunk = _size(lowered, "total_file_size"), _size(lowered, "upload_chunk_size")
    if is_true(str(lowered.get("use_put_object", ""))):
        return [_too_big("total_file_size", "use_put_object", "1G")] if total and total > _MAX_PUT else []
    if chunk and chunk > _MAX_PLAIN_CHUNK and "compression" not in lowered:
        return [_too_big("upload_chunk_size", "no compression", "50M")]
    if chunk and chunk != _MIN_CHUNK and total and total < 2 * chunk:
        message = "total_file_size must be at least twice upload_chunk_size"
        return [error(("upload_chunk_size",), "INVALID_VALUE", message, "leave upload_chunk_size out")]
    return []


def _search(lowered: Section) -> list[Finding]:
    """es_conf.c and os_conf.c: a document that may be there already needs a name."""
    operation = str(lowered.get("write_operation", "")).lower()
    if operation not in ("update", "upsert") or not lowered.keys().isdisjoint(("id_key", "generate_id")):
        return []
    message = f"write_operation {operation} needs id_key or generate_id"
    return [error(("write_operation",), "MISSING_OPTION", message, "add id_key, or generate_id: On")]


def _grep(lowered: Section) -> list[Finding]:
    """grep.c: with AND and OR the rules must be of one kind."""
    if str(lowered.get("logical_op", "legacy")).lower() == "legacy" or not {"regex", "exclude"} <= lowered.keys():
        return []
    message = "with logical_op AND or OR, regex and exclude cannot stand together"
    return [error(("logical_op",), "EXCLUSIVE_OPTIONS", message, "write two filters, or leave logical_op out")]


def _multiline(lowered: Section) -> list[Finding]:
    """ml.c, cb_ml_init."""
    mode = str(lowered.get("mode", "parser")).lower()
    needed = "multiline.key_content" if mode == "partial_message" else "multiline.parser"
    if mode not in ("parser", "partial_message") or needed in lowered:
        return []
    return [error((), "MISSING_OPTION", f"multiline with mode {mode} needs {needed}", f"add {needed}")]


def _size(lowered: Section, key: str) -> float | None:
    return size_bytes(str(lowered[key])) if key in lowered else None


def _too_big(option: str, beside: str, most: str) -> Finding:
    return error((option,), "INVALID_VALUE", f"{option} with {beside} is at most {most}", f"write {most} or less")


RELATIONS: Mapping[tuple[Kind, str], Callable[[Section], list[Finding]]] = {
    ("outputs", "es"): _search,
    ("outputs", "opensearch"): _search,
    ("outputs", "s3"): _s3,
    ("filters", "grep"): _grep,
    ("filters", "multiline"): _multiline,
}
"""By kind and plugin: what takes a section, its option names in lower case."""
