"""Settings of how the source of the specs is read, and whose signature counts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from controller.api.values import ARN, Model
from controller.settings.parsing import off, several

Files = Annotated[tuple[Path, ...], BeforeValidator(several)]
KeyFiles = Annotated[Files, Field(min_length=1)]
SIGNED = ConfigDict(validate_by_name=True, validate_by_alias=True)


class GitVerify(Model):
    """Whose signature the head of a git source must carry."""

    model_config = SIGNED

    mode: Literal["commit", "tag"] = "commit"
    """`commit`: the head commit must be signed; `tag`: the annotated tag that the source names."""
    keys: KeyFiles
    """Files of GPG public keys, and of SSH keys in the format of git's allowed signers."""
    revoked: Files = ()
    """Files of keys taken back: GPG's keys or revocation certificates, SSH's public keys or a list by ssh-keygen -k."""


class GitSettings(Model):
    """In the environment each is a variable of its own: LOGROUTE_GIT_TOKEN_FILE.

    LOGROUTE_GIT_TOKEN is no setting: it is the secret itself, and read where it is sent.
    """

    model_config = SIGNED

    token_file: Path | None = None
    """A file with the token for https."""
    ssh_key_file: Path | None = None
    """A private key for ssh."""
    known_hosts_file: Path | None = None
    """The hosts that ssh may talk to."""
    token_secret_arn: Annotated[str, StringConstraints(pattern=ARN)] | None = None
    """A Secrets Manager secret with the token."""
    verify: GitVerify | None = None
    """Whose signature a head must carry, as `{mode, keys, revoked}`; JSON in the environment. Unset: anybody's commit
    counts. See [signed-specs.md](signed-specs.md).
    """


class S3Verify(Model):
    """Whose signature the manifest of an S3 source must carry."""

    model_config = SIGNED

    keys: KeyFiles
    """See `git.verify`."""
    revoked: Files = ()
    """See `git.verify`."""


class S3Settings(Model):
    model_config = SIGNED

    bucket_owner: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")] | None = None
    """The account that the source's bucket must belong to."""
    versioning: Annotated[Literal["off", "require"], BeforeValidator(off)] = "off"
    """`require`: the source's bucket must keep versions."""
    verify: S3Verify | None = None
    """Whose signature the object `MANIFEST` must carry, as `{keys, revoked}`; JSON in the environment. See
    [signed-specs.md](signed-specs.md).
    """
