"""What the people who run LogRoute decide: a YAML file by `--config`, environment variables over it."""

from controller.settings.bounds import Garbage, Guards, Limits
from controller.settings.load import load, load_tenants
from controller.settings.model import Settings, SettingsError
from controller.settings.places import AccountSettings, Deny
from controller.settings.sources import GitSettings, GitVerify, S3Settings, S3Verify
from controller.settings.web import ApiSettings, EventSettings, HookSettings

__all__ = [
    "AccountSettings",
    "ApiSettings",
    "Deny",
    "EventSettings",
    "Garbage",
    "GitSettings",
    "GitVerify",
    "Guards",
    "HookSettings",
    "Limits",
    "S3Settings",
    "S3Verify",
    "Settings",
    "SettingsError",
    "load",
    "load_tenants",
]
