"""What the settings say of specs, as the specs room asks it."""

from __future__ import annotations

from collections.abc import Iterator

from controller.settings import Settings
from controller.sources.address import S3Spec, parse_source
from controller.sources.errors import SourceError
from controller.specs.reserved import Reserved, reserved
from controller.specs.tenancy import Tenancy


def rules(settings: Settings, roots: tuple[str, ...] = ()) -> Tenancy:
    """`roots`: as of Tenancy. Raises SettingsError."""
    return Tenancy(settings.tenants, settings.home_account, roots, tuple(_reserved(settings)))


def _reserved(settings: Settings) -> Iterator[Reserved]:
    if settings.config_store:
        bucket, _, prefix = settings.config_store.removeprefix("s3://").partition("/")
        yield reserved("the config store", bucket, prefix)
    try:
        source = parse_source(settings.source) if settings.source else None
    except SourceError:
        return  # whoever opens it says what is wrong
    if isinstance(source, S3Spec):
        yield reserved("the source of the specs", source.bucket, source.prefix)
