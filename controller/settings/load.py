"""The settings: a YAML file by `--config`, environment variables over it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydantic_settings
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from controller.api import yamls
from controller.settings.model import Settings, SettingsError


def load(path: Path | None = None, **stated: Any) -> Settings:
    """The settings of a file (or none), the environment, and what the command line states. Raises SettingsError."""
    said = {key: value for key, value in stated.items() if value is not None}
    try:
        found = Settings(**_file(path))
        return found.model_copy(update=said) if said else found
    except ValidationError as error:
        raise SettingsError(_explain(error, path)) from error
    except pydantic_settings.SettingsError as error:
        raise SettingsError(f"{error}: the value must be JSON") from error


def load_tenants(path: Path) -> Settings:
    """A file of settings, of which the rest may be missing, or a list of tenants. Raises SettingsError."""
    plain = _yaml(path)
    if not isinstance(plain, list):
        return load(path)
    try:
        return Settings(tenants=plain)
    except ValidationError as error:
        raise SettingsError(_explain(error, path)) from error


def _file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    plain = _yaml(path)
    if plain is None:
        return {}
    if not isinstance(plain, dict):
        raise SettingsError(f"{path}: the top level must be a mapping of settings")
    names = {to_camel(name): name for name in Settings.model_fields}
    if strange := sorted(str(key) for key in plain if key not in names):
        raise SettingsError(f"{path}: unknown setting {strange[0]!r}; known are {', '.join(sorted(names))}")
    return {names[key]: value for key, value in plain.items()}


def _yaml(path: Path) -> Any:
    try:
        return yamls.load(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except yamls.NotYaml as error:
        raise SettingsError(f"{path} is not YAML: {error}") from error


def _explain(error: ValidationError, path: Path | None) -> str:
    where = f"{path} or the environment" if path else "the environment"
    lines = (
        f"  {'.'.join(map(str, one['loc']))}: {one['msg']}"
        for one in error.errors(include_url=False, include_input=False)
    )
    return "\n".join([f"settings from {where}:", *lines])
