"""The status that the controller keeps in the config store, read by commands."""

from __future__ import annotations

from typing import Any

import orjson

from controller.app import home_store
from controller.aws.ports import NotFound
from controller.cli.failures import CommandError
from controller.reconciling.board import FORMAT
from controller.reconciling.world import STATE, STATUS
from controller.settings import Settings

MAX_BYTES = 256 * 2**20
"""Ten thousand services take five megabytes."""
SHAPE: dict[str, type] = {
    "revision": str,
    "sourceError": str,
    "errors": dict,
    "lostConfigs": list,
    "routes": dict,
    "services": dict,
    "suspended": dict,
    "rollouts": list,
    "problems": list,
}


def read(settings: Settings) -> dict[str, Any]:
    """Raises CommandError, SettingsError, AwsError."""
    objects, store = home_store(settings)
    key = store.key(STATE, STATUS)
    where = f"s3://{store.bucket}/{key}"
    try:
        body = objects.get(key, max_bytes=MAX_BYTES).body
    except NotFound as error:
        if error.code == "NoSuchBucket":
            raise
        raise CommandError(f"{where} is not there: no controller has finished a pass yet") from error
    if len(body) > MAX_BYTES:
        raise CommandError(f"{where} is not readable: it is larger than {MAX_BYTES >> 20} MiB")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise CommandError(f"{where} is not readable: {error}") from error
    return checked(found, where)


def checked(found: Any, where: str) -> dict[str, Any]:
    """Raises CommandError where it is no status, or one of another version."""
    if not isinstance(found, dict) or "format" not in found:
        raise CommandError(f"{where} is not readable: it is no status; the controller writes it anew when it changes")
    if found["format"] != FORMAT:
        raise CommandError(f"{where} is of format {found['format']}; update this logroute")
    status: dict[str, Any] = {"suspended": {}, "rollouts": [], **found}  # earlier versions did not tell these
    for name, shape in SHAPE.items():
        if not isinstance(status.get(name), shape):
            raise CommandError(f"{where} is not readable: `{name}` is missing or of another type")
    return status
