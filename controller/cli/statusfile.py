"""The status that the controllers keep in the config store, read by commands."""

from __future__ import annotations

from typing import Any

from controller.app import home_store
from controller.reconciling import statuses
from controller.settings import Settings


def read(settings: Settings) -> dict[str, Any]:
    """What all replicas told, as one. Raises StatusError, SettingsError, AwsError."""
    return statuses.read(*home_store(settings))
