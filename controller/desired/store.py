"""The config store's URL, with account and region filled in."""

from __future__ import annotations

import re

from controller.desired.model import ConfigStore

URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9._/-]*))?")
PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


class StoreUrlError(ValueError):
    """The URL is no config store; the text says why."""


def needs_account(url: str) -> bool:
    return "{account}" in url


def config_store(url: str, *, account: str | None, region: str | None) -> ConfigStore:
    """`s3://bucket/prefix`, where `{account}` and `{region}` may stand in both. Raises StoreUrlError."""
    filled = url
    for name, value in (("account", account), ("region", region)):
        place = f"{{{name}}}"
        if place in filled and value is None:
            raise StoreUrlError(f"the config store {url} names {place}, which is not known here")
        filled = filled.replace(place, value or "")
    found = URL.fullmatch(filled)
    if not found or ".." in filled or "//" in filled.removeprefix("s3://"):
        raise StoreUrlError(f"{url!r} is no config store: write s3://bucket/prefix")
    return ConfigStore(found[1], (found[2] or "").strip("/"), partition(region))


def partition(region: str | None) -> str:
    return next((name for start, name in PARTITIONS.items() if (region or "").startswith(start)), "aws")
