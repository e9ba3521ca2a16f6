"""From settings to the source of the specs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from controller.aws.accounts import AwsAccount
from controller.notifying.commits import repository_of
from controller.settings import S3Settings, Settings, SettingsError
from controller.sources import (
    GitOptions,
    GitSpec,
    S3Options,
    S3Spec,
    Source,
    SourceSpec,
    Trust,
    Verify,
    open_source,
    parse_source,
)
from controller.telemetry.redaction import DEFAULT


def git_options(settings: Settings) -> GitOptions:
    verify = settings.git.verify
    return GitOptions(
        token_file=settings.git.token_file,
        ssh_key_file=settings.git.ssh_key_file,
        known_hosts_file=settings.git.known_hosts_file,
        token_secret_arn=settings.git.token_secret_arn,
        verify=Verify(verify.mode, Trust(verify.keys, verify.revoked)) if verify else None,
        hides=DEFAULT.register,
    )


def source(settings: Settings, account: AwsAccount, options: GitOptions | None = None) -> Source:
    """`account`: the controller's own. Raises SettingsError, SourceError."""
    spec = parse_source(settings.source)
    _refuse_what_does_not_apply(settings, spec)
    return open_source(
        spec,
        git=options or git_options(settings),
        bucket=lambda name: account.source_bucket(name, settings.s3.bucket_owner),
        secrets=account.secrets,
        cache_dir=cache_folder(),
        s3=_s3(settings.s3),
    )


def _s3(settings: S3Settings) -> S3Options:
    verify = Trust(settings.verify.keys, settings.verify.revoked) if settings.verify else None
    return S3Options(settings.bucket_owner, settings.versioning == "require", verify)


def cache_folder() -> Path:
    """Where git keeps what it fetched: it outlives a restart, so that nothing is fetched twice."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    folder = Path(home) / "logroute"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # a read-only root, or no home folder
        return Path(tempfile.mkdtemp(prefix="logroute-"))
    return folder


def _refuse_what_does_not_apply(settings: Settings, spec: SourceSpec) -> None:
    """A protection that is asked for and cannot be must not look as if it were."""
    if settings.git.verify and not isinstance(spec, GitSpec):
        raise SettingsError(f"git.verify is set, and the source {spec} is no git repository: unset one of them")
    if settings.s3 != S3Settings() and not isinstance(spec, S3Spec):
        raise SettingsError(f"s3 is set, and the source {spec} is not in S3: unset one of them")


def repository(settings: Settings) -> str:
    """`owner/name` of the repository whose commits are told what became of them. Raises SettingsError, SourceError."""
    spec = parse_source(settings.source)
    if not isinstance(spec, GitSpec):
        raise SettingsError(f"commitStatus is set, and the source {spec} is no git repository: unset one of them")
    found = (settings.commit_status and settings.commit_status.repository) or repository_of(spec.location)
    if "/" not in found:
        raise SettingsError(f"commitStatus.repository: the source {spec} does not tell it; give it as owner/name")
    return found


def source_objects(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Bucket and prefix, with its slash, of a source in S3. Raises SourceError."""
    spec = parse_source(settings.source)
    if not isinstance(spec, S3Spec):
        return ()
    return ((spec.bucket, f"{spec.prefix}/" if spec.prefix else ""),)
